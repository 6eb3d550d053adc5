//! A pool of buffers between calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;

/// Sets of buffers that calls take and put back; concurrent calls each have their own.
#[derive(Debug, Default)]
pub(crate) struct Pool<B>(Mutex<Vec<B>>);

impl<B: Default> Pool<B> {
    /// Lends `f` an idle set, or a new one.
    pub(crate) fn lend<R>(&self, f: impl FnOnce(&mut B) -> Result<R>) -> Result<R> {
        let idle = self.at_rest().pop();
        let mut buffers = idle.unwrap_or_default();
        let result = f(&mut buffers);
        self.at_rest().push(buffers);
        result
    }

    fn at_rest(&self) -> MutexGuard<'_, Vec<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
