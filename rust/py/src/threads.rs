//! How many threads a call may use: `n_jobs`, and the limit that threadpoolctl sets for the process.
//!
//! `fastmlp/_threadpoolctl.py` calls the two C functions, as threadpoolctl does with every library.

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastmlp_core::Error;
use pyo3::prelude::*;

use crate::error::BindResult;
use crate::integer::integer;

/// Most threads that a call may use; 0 means that there is no limit.
static LIMIT: AtomicUsize = AtomicUsize::new(0);

/// The threads of a process without a limit: the cores it may run on, by affinity and by its
/// control group's quota, or fewer if `OMP_NUM_THREADS` says so, which joblib sets to keep its
/// workers from oversubscribing the cores.
fn threads_by_default() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = std::env::var("OMP_NUM_THREADS").ok();
    let wanted = wanted.and_then(|list| list.split(',').next()?.trim().parse().ok());
    wanted.filter(|&n| n >= 1).map_or(cores, |n: usize| n.min(cores))
}

/// The number of threads that `n_jobs=-1` stands for.
#[unsafe(no_mangle)]
extern "C" fn fastmlp_get_num_threads() -> c_int {
    let threads = match LIMIT.load(Ordering::Relaxed) {
        0 => threads_by_default(),
        limit => limit,
    };
    c_int::try_from(threads).unwrap_or(c_int::MAX)
}

/// Limits the threads of future calls. A limit below 1, or of all threads there are, removes the
/// limit.
#[unsafe(no_mangle)]
extern "C" fn fastmlp_set_num_threads(n: c_int) {
    let limit = usize::try_from(n).ok().filter(|&n| n < threads_by_default());
    LIMIT.store(limit.unwrap_or(0), Ordering::Relaxed);
}

/// `n_jobs` as in scikit-learn: none is one thread, -1 all of them, -2 all but one; at most the
/// limit.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of threads")]
pub(crate) fn threads(n_jobs: Option<&Bound<'_, PyAny>>) -> BindResult<usize> {
    let Some(n_jobs) = n_jobs else { return Ok(1) };
    let expected = "None, an integer >= 1, or -1 for all cores";
    let most = 1_i128 << 16;
    let wanted = match integer("n_jobs", n_jobs, -most..=most, expected)? {
        0 => return Err(Error::value("n_jobs", 0, expected).into()),
        n @ 1.. => n as usize,
        n => (i128::from(fastmlp_get_num_threads()) + 1 + n).max(1) as usize,
    };
    Ok(match LIMIT.load(Ordering::Relaxed) {
        0 => wanted,
        limit => wanted.min(limit),
    })
}
