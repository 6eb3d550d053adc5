//! Threads that wait, spinning, for the next piece of a step.
//!
//! A team belongs to one call and ends with it: there is no global pool that a forked child would wait for. Between
//! two steps a worker spins for some tens of microseconds, since waking a thread costs more than a small step; after that it
//! sleeps.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

/// Turns of the waiting loop before a worker gives its core to others, and before it sleeps.
const SPINS: usize = 2_000;
const YIELDS: usize = 50;

type Job<'a> = &'a (dyn Fn(usize) + Sync);

struct Shared {
    /// Counts the jobs: a worker starts when it changes.
    round: AtomicUsize,
    /// Workers that have not finished the job of this round.
    pending: AtomicUsize,
    /// The job of this round. Written by the owner while `pending` is 0, read by workers while it is not.
    job: UnsafeCell<Option<Job<'static>>>,
    stop: AtomicBool,
    panicked: AtomicBool,
}

// SAFETY: `job` is handed over through `round` (release, acquire) and back through `pending` (release, acquire), so
// that the owner never writes it while a worker reads it; the rest is atomic.
unsafe impl Sync for Shared {}

/// The calling thread and some workers.
pub(crate) struct Team {
    /// None in a team of one, which costs nothing.
    shared: Option<Arc<Shared>>,
    /// The process that has the workers: a forked child has none.
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
            round: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
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

    /// Calls `job(thread)` once on every thread, `job(0)` on this one, and returns when all have returned.
    ///
    /// # Panics
    /// If the job panicked on a worker.
    pub(crate) fn run(&mut self, job: Job<'_>) {
        let Some(shared) = &self.shared else { return job(0) };
        if self.process != std::process::id() {
            return (0..self.len()).for_each(job);
        }
        // SAFETY: only the lifetime changes. Workers use the job only until they have counted `pending` down, and
        // `Finish` waits for that before this function is left, by return or by panic.
        let job_for_workers: Job<'static> = unsafe { std::mem::transmute::<Job<'_>, Job<'static>>(job) };
        // SAFETY: `pending` is 0, so that no worker reads the job now; `&mut self` keeps other owners out.
        unsafe { *shared.job.get() = Some(job_for_workers) };
        shared.pending.store(self.workers.len(), Ordering::Relaxed);
        let finish = Finish(shared);
        shared.round.fetch_add(1, Ordering::Release);
        for worker in &self.workers {
            worker.thread().unpark();
        }
        job(0);
        drop(finish);
        assert!(!shared.panicked.swap(false, Ordering::Relaxed), "a worker thread panicked");
    }
}

/// Waits, when dropped, until every worker has finished the job.
struct Finish<'a>(&'a Shared);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut turns = 0;
        while self.0.pending.load(Ordering::Acquire) > 0 {
            turns += 1;
            if turns < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
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
        shared.round.fetch_add(1, Ordering::Release);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its jobs, so that it ends in good order.
            let _ = worker.join();
        }
    }
}

fn work(shared: &Shared, index: usize) {
    let mut seen = 0;
    loop {
        seen = next_round(shared, seen);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        // SAFETY: the owner wrote the job before this round began and leaves it alone until `pending` is 0.
        let job = unsafe { *shared.job.get() };
        if let Some(job) = job
            && catch_unwind(AssertUnwindSafe(|| job(index))).is_err()
        {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.pending.fetch_sub(1, Ordering::Release);
    }
}

/// Waits until the round is no longer `seen`, and returns it.
fn next_round(shared: &Shared, seen: usize) -> usize {
    let mut turns = 0;
    loop {
        let round = shared.round.load(Ordering::Acquire);
        if round != seen {
            return round;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_runs_every_job_once() {
        for n_threads in [1, 2, 3, 7] {
            let mut team = Team::new(n_threads);
            let counts: Vec<_> = (0..team.len()).map(|_| AtomicUsize::new(0)).collect();
            for round in 0..300 {
                if round % 100 == 99 {
                    // Long enough for the workers to fall asleep.
                    thread::sleep(std::time::Duration::from_millis(5));
                }
                team.run(&|thread| {
                    counts[thread].fetch_add(1, Ordering::Relaxed);
                });
            }
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 300));
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let mut team = Team::new(3);
        for panicking in 0..team.len() {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                team.run(&|thread| assert_ne!(thread, panicking, "as planned"));
            }));
            assert!(panic.is_err());
        }
        let runs = AtomicUsize::new(0);
        team.run(&|_| {
            runs.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(runs.load(Ordering::Relaxed), team.len());
    }
}
