//! Threads that wait, spinning, for the next piece of a step.
//!
//! A team belongs to one call and ends with it: there is no global pool for which a forked child would wait. Between
//! two steps a worker spins for some tens of microseconds, since waking a thread costs more than a small step; after
//! that it sleeps.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::error::Result;
use crate::kernels::Element;
use crate::run::sync::{lock, unlocked};

/// Iterations of the waiting loop before a worker yields its core, and before it sleeps.
const SPINS: usize = 2_000;
const YIELDS: usize = 50;

/// Fewest numbers in a slab of a vector that threads share: fewer take less time than handing them over. And the
/// number of slabs per thread, so that a late thread leaves its share to the others.
const MIN_SLAB: usize = 2048;
const SLABS_A_THREAD: usize = 4;

type Job<'a> = &'a (dyn Fn(usize) + Sync);

/// Set in a round while workers may still join it; the bits above count rounds, the bits below count the workers in
/// it.
const OPEN: u64 = 1 << 31;
const ROUND: u64 = 1 << 32;

struct Shared {
    /// Which round it is, whether it is open, and how many workers are in it.
    round: AtomicU64,
    /// The job of this round. The owner writes it while no worker is in the round; workers in the round read
    /// it.
    job: UnsafeCell<Option<Job<'static>>>,
    stop: AtomicBool,
    panicked: AtomicBool,
}

// SAFETY: `job` is handed over through `round`: the owner's release that opens a round is acquired by a worker that
// joins it, and the worker's release that leaves it is acquired by the owner before it writes again; everything else is
// atomic.
unsafe impl Sync for Shared {}

/// Length of a slab where vectors of `len` numbers are cut into at most `n` of them: whole cache lines, so that no two
/// threads write to the same one, as equal as that allows.
pub(crate) fn slab_len<T: Element>(len: usize, n: usize) -> usize {
    len.div_ceil(n).next_multiple_of(T::LANES)
}

/// The calling thread and some workers.
pub(crate) struct Team {
    /// None in a team of one thread, which costs nothing.
    shared: Option<Arc<Shared>>,
    /// The process that has the workers; a forked child has none.
    process: u32,
    workers: Vec<JoinHandle<()>>,
}

impl Team {
    /// A team of `n_threads`, the caller included; fewer if the system refuses to start them.
    pub(crate) fn new(n_threads: usize) -> Self {
        if n_threads <= 1 {
            return Self { shared: None, process: 0, workers: Vec::new() };
        }
        let shared = Arc::new(Shared {
            round: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            stop: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        let spawn = |index: usize| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("fastmlp-{index}")).spawn(move || work(&shared, index)).ok()
        };
        let workers = (1..n_threads).map_while(spawn).collect();
        Self { shared: Some(shared), process: std::process::id(), workers }
    }

    /// Number of threads, the caller included.
    pub(crate) fn len(&self) -> usize {
        self.workers.len() + 1
    }

    /// Number of slabs that a vector of `len` numbers is cut into for the team to share.
    pub(crate) fn n_slabs(&self, len: usize) -> usize {
        let most = if self.len() == 1 { 1 } else { SLABS_A_THREAD * self.len() };
        (len / MIN_SLAB).clamp(1, most)
    }

    /// Hands each of the parts to a free thread, whose number `work` is told. After an error no more parts are handed
    /// out.
    ///
    /// The caller takes parts from the front and workers from the back, so that in every step most parts go to the
    /// core that has their numbers in its cache.
    ///
    /// # Panics
    /// If the work panicked on a worker.
    pub(crate) fn share<P: Send>(
        &mut self,
        mut parts: impl DoubleEndedIterator<Item = P> + ExactSizeIterator + Send,
        work: impl Fn(usize, P) -> Result<()> + Sync,
    ) -> Result<()> {
        if self.len() == 1 || parts.len() <= 1 {
            return parts.try_for_each(|part| work(0, part));
        }
        let (parts, result) = (Mutex::new(parts), Mutex::new(Ok(())));
        let next = |thread| {
            if lock(&result).is_err() {
                return None;
            }
            let mut parts = lock(&parts);
            if thread == 0 { parts.next() } else { parts.next_back() }
        };
        self.run(&|thread| {
            while let Some(part) = next(thread) {
                if let Err(error) = work(thread, part) {
                    *lock(&result) = Err(error);
                }
            }
        });
        unlocked(result)
    }

    /// Calls `job(thread)` on this thread, as 0, and on each worker that joins before it returns here; workers whose
    /// cores are busy with something else are not waited for.
    ///
    /// # Panics
    /// If the job panicked on a worker.
    fn run(&mut self, job: Job<'_>) {
        let Some(shared) = &self.shared else { return job(0) };
        if self.process != std::process::id() {
            return job(0);
        }
        // SAFETY: only the lifetime changes. Workers use the job only while they are in the round, and `Finish` waits
        // until all have left it before this function ends, by return or by panic.
        let job_for_workers: Job<'static> = unsafe { std::mem::transmute::<Job<'_>, Job<'static>>(job) };
        // SAFETY: the last round is closed and no worker is in it, so no worker reads the job now; `&mut self`
        // excludes other owners.
        unsafe { *shared.job.get() = Some(job_for_workers) };
        let round = shared.round.load(Ordering::Relaxed);
        let finish = Finish(shared);
        shared.round.store(round.wrapping_add(ROUND) | OPEN, Ordering::Release);
        for worker in &self.workers {
            worker.thread().unpark();
        }
        job(0);
        drop(finish);
        assert!(!shared.panicked.swap(false, Ordering::Relaxed), "a worker thread panicked");
    }
}

/// Closes the round when dropped, and waits until every worker has left it.
struct Finish<'a>(&'a Shared);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut round = self.0.round.fetch_and(!OPEN, Ordering::Acquire);
        let mut turns = 0;
        while round & (OPEN - 1) > 0 {
            turns += 1;
            if turns < SPINS {
                std::hint::spin_loop();
            } else {
                thread::yield_now();
            }
            round = self.0.round.load(Ordering::Acquire);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        let Some(shared) = &self.shared else { return };
        if self.process != std::process::id() {
            return self.workers.drain(..).for_each(std::mem::forget);
        }
        shared.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its jobs, so it ends normally.
            let _ = worker.join();
        }
    }
}

fn work(shared: &Shared, index: usize) {
    let mut seen = 0;
    while let Some(round) = join_round_after(shared, seen) {
        // SAFETY: the owner wrote the job before it opened this round, and does not touch it until this worker has
        // left.
        let job = unsafe { *shared.job.get() };
        if let Some(job) = job
            && catch_unwind(AssertUnwindSafe(|| job(index))).is_err()
        {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.round.fetch_sub(1, Ordering::Release);
        seen = round;
    }
}

/// Waits for an open round after `seen`, joins it, and returns its number; none if the team ends.
fn join_round_after(shared: &Shared, seen: u64) -> Option<u64> {
    let mut turns = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        let round = shared.round.load(Ordering::Relaxed);
        if round & OPEN > 0
            && round / ROUND != seen
            && shared.round.compare_exchange(round, round + 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
        {
            return Some(round / ROUND);
        }
        turns += 1;
        if turns < SPINS {
            std::hint::spin_loop();
        } else if turns < SPINS + YIELDS {
            thread::yield_now();
        } else {
            thread::park();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_piece_is_taken_once() {
        for n_threads in [1, 2, 3, 7] {
            let mut team = Team::new(n_threads);
            for round in 0..300 {
                let n = [0, 1, 2, 50][round % 4];
                if round % 100 == 99 {
                    // Long enough for the workers to fall asleep.
                    thread::sleep(std::time::Duration::from_millis(5));
                }
                let counts: Vec<_> = (0..n).map(|_| AtomicUsize::new(0)).collect();
                let count = |_: usize, i: usize| {
                    counts[i].fetch_add(1, Ordering::Relaxed);
                    Ok(())
                };
                team.share(0..n, count).unwrap();
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn an_error_ends_the_work() {
        for n_threads in [1, 3] {
            let taken = AtomicUsize::new(0);
            let fail = |_: usize, _: usize| {
                taken.fetch_add(1, Ordering::Relaxed);
                Err(Error::Interrupted)
            };
            let result = Team::new(n_threads).share(0..1000, fail);
            assert!(matches!(result, Err(Error::Interrupted)));
            assert!(taken.load(Ordering::Relaxed) <= n_threads);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let mut team = Team::new(3);
        for panicking in 0..team.len() {
            let together = Barrier::new(team.len());
            let panic = catch_unwind(AssertUnwindSafe(|| {
                team.run(&|thread| {
                    together.wait();
                    assert_ne!(thread, panicking, "as planned");
                });
            }));
            assert!(panic.is_err());
        }
        let runs = AtomicUsize::new(0);
        let count = |_: usize, _: usize| {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        team.share(0..100, count).unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 100);
    }
}
