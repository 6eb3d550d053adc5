//! Detaching from the interpreter, for calls that compute.

use std::sync::{Mutex, PoisonError};

use fastmlp_core::{Ask, Error, Interrupt};
use pyo3::prelude::*;

use crate::ending::sleep_for_good;
use crate::error::{BindError, BindResult};

/// Runs `f` detached, and attaches only to check for signals. An exception of a signal handler ends
/// the work and is the error.
#[allow(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
pub(crate) fn watched<R: Send>(
    py: Python<'_>,
    f: impl FnOnce(&dyn Interrupt) -> BindResult<R> + Send,
) -> BindResult<R> {
    let raised = Mutex::new(None);
    let interrupt = Ask::new(|| {
        let Some(looked) = Python::try_attach(|py| py.check_signals()) else { sleep_for_good() };
        let signal = looked.err();
        let stop = signal.is_some();
        *raised.lock().unwrap_or_else(PoisonError::into_inner) = signal;
        stop
    });
    let result = py.detach(|| f(&interrupt));
    match (result, raised.into_inner().unwrap_or_else(PoisonError::into_inner)) {
        (Err(BindError::Core(Error::Interrupted)), Some(error)) => Err(error.into()),
        (result, _) => result,
    }
}
