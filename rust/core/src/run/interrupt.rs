//! Long work asks from time to time whether it should stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Work after which the clock is read: some tens of microseconds.
const FLOPS_PER_LOOK: u64 = 1_000_000;
/// Time after which the caller is asked.
const INTERVAL: Duration = Duration::from_millis(20);

/// Whether work of so many floating-point operations ends before the caller would be asked.
pub fn is_brief(flops: usize) -> bool {
    (flops as u64) < FLOPS_PER_LOOK
}

/// Receives reports of work that was done, and may end it.
pub trait Interrupt: Sync {
    /// Accounts for work that `thread` did; thread 0 is the caller. [`Error::Interrupted`] ends the work.
    fn spend(&self, thread: usize, flops: usize) -> Result<()>;
}

/// Never ends work.
pub struct Never;

impl Interrupt for Never {
    fn spend(&self, _: usize, _: usize) -> Result<()> {
        Ok(())
    }
}

/// Asks its caller about every 20 ms, on the thread that started the work.
pub struct Ask<F> {
    stop: AtomicBool,
    flops: AtomicU64,
    asked: Mutex<Asked<F>>,
}

struct Asked<F> {
    wants_to_stop: F,
    last: Instant,
}

impl<F: FnMut() -> bool + Send> Ask<F> {
    /// Ends the work once `wants_to_stop` returns true.
    pub fn new(wants_to_stop: F) -> Self {
        let asked = Asked { wants_to_stop, last: Instant::now() };
        Self { stop: AtomicBool::new(false), flops: AtomicU64::new(0), asked: Mutex::new(asked) }
    }

    #[cold]
    fn look(&self) {
        self.flops.store(0, Ordering::Relaxed);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.last.elapsed() < INTERVAL {
            return;
        }
        if (asked.wants_to_stop)() {
            self.stop.store(true, Ordering::Relaxed);
        }
        asked.last = Instant::now();
    }
}

impl<F: FnMut() -> bool + Send> Interrupt for Ask<F> {
    fn spend(&self, thread: usize, flops: usize) -> Result<()> {
        if thread == 0 {
            // Written by this thread alone: a load and a store, no locked instruction.
            let spent = self.flops.load(Ordering::Relaxed) + flops as u64;
            self.flops.store(spent, Ordering::Relaxed);
            if spent >= FLOPS_PER_LOOK {
                self.look();
            }
        }
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}
