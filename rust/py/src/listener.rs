//! The callback of a training, which is told of each epoch and may end the training.

use fastmlp_core::{EpochRecord, Error};
use pyo3::prelude::*;

use crate::ending::{attribute, called};
use crate::epoch::Epoch;
use crate::error::{BindError, BindResult};

/// The attribute by which a callback says how many epochs may pass before it is called, then once for
/// each of them: it is to stop none but the last. Threads that train small networks would otherwise
/// wait for each other's interpreter after every epoch.
const EPOCHS_AHEAD: &str = "epochs_ahead";

/// A callback, if there is one, and what it is told besides the records.
pub(crate) struct Listener<'a, 'py> {
    pub(crate) callback: Option<&'a Bound<'py, PyAny>>,
    /// Epochs that an earlier training made, and all epochs.
    pub(crate) initial_epoch: usize,
    pub(crate) epochs: usize,
    /// Whether the network classifies, so that predictions are right or wrong.
    pub(crate) has_accuracy: bool,
}

impl Listener<'_, '_> {
    /// Lets `make` make all epochs at once if there is no callback; otherwise one by one, unless the callback looks
    /// ahead, and between two of them the callback can use the network. `make` adds the records of as many epochs as it is
    /// told, fewer if training is over. Returns whether the callback ended it.
    pub(crate) fn attend(
        &self,
        py: Python<'_>,
        records: &mut Vec<EpochRecord>,
        mut make: impl FnMut(usize, &mut Vec<EpochRecord>) -> BindResult<()>,
    ) -> BindResult<bool> {
        let n_epochs = self.epochs - self.initial_epoch;
        let looks_ahead = self.callback.map_or(Ok(false), |callback| callback.hasattr(EPOCHS_AHEAD))?;
        let mut told = 0;
        while records.len() < n_epochs {
            let ahead = match self.callback {
                Some(callback) if looks_ahead => attribute(callback, EPOCHS_AHEAD)?.extract()?,
                Some(_) => 1,
                None => n_epochs,
            };
            let goal = records.len() + usize::clamp(ahead, 1, n_epochs - records.len());
            let mut made = make(goal - records.len(), records);
            if looks_ahead && made.is_ok() {
                // A signal that came meanwhile would otherwise end the first of several calls.
                made = py.check_signals().map_err(BindError::from);
            }
            // Epochs before an error were made too.
            while let (Some(callback), Some(last)) = (self.callback, records.get(told)) {
                told += 1;
                let epoch =
                    Epoch::from_record(self.initial_epoch + told, self.epochs, last, self.has_accuracy);
                if wants_to_stop(&called(callback, (epoch,))?)? {
                    return made.map(|()| true);
                }
            }
            made?;
            if records.len() < goal {
                break;
            }
        }
        Ok(false)
    }
}

/// Room for the record of another epoch, before that is made.
pub(crate) fn make_room(records: &mut Vec<EpochRecord>) -> Result<(), Error> {
    let elements = records.len() + 1;
    records.try_reserve(1).map_err(|_| Error::OutOfMemory { what: "the history", elements })
}

/// Whether a callback's return value stops training.
fn wants_to_stop(answer: &Bound<'_, PyAny>) -> BindResult<bool> {
    if answer.is_none() {
        return Ok(false);
    }
    answer
        .extract()
        .map_err(|_| BindError::type_error("the callback's answer", answer, "True to stop, or None"))
}

/// `callback`, if it can be called.
pub(crate) fn callable<'a, 'py>(
    callback: Option<&'a Bound<'py, PyAny>>,
) -> BindResult<Option<&'a Bound<'py, PyAny>>> {
    match callback {
        Some(other) if !other.is_callable() => {
            Err(BindError::type_error("callback", other, "a function of one argument"))
        }
        callback => Ok(callback),
    }
}
