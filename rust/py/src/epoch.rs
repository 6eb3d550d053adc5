//! The record of one epoch, for a callback.

use fastmlp_core::EpochRecord;
use pyo3::prelude::*;

use crate::argument::arguments;

arguments! {
    epoch: usize, "an integer >= 0";
    epochs: usize, "an integer >= 0";
    loss: f64, "a number";
    accuracy: Option<f64>, "None or a number";
    val_loss: Option<f64>, "None or a number";
    val_accuracy: Option<f64>, "None or a number";
    seconds: f64, "a number";
}

#[doc = docstring!("Epoch")]
#[pyclass(frozen, get_all, module = "fastmlp")]
#[allow(clippy::struct_field_names, reason = "the names users know")]
pub(crate) struct Epoch {
    /// Number of the epoch: int, from 1.
    epoch: usize,
    /// Number of epochs given to `fit`: int.
    epochs: usize,
    /// Weighted mean of the rows' losses, each taken before the update of its batch: float.
    loss: f64,
    /// Fraction of rows predicted correctly, each before the update of its batch: float from 0 to
    /// 1; None for a network that does not classify. Batches without weight, which make no update,
    /// are excluded.
    accuracy: Option<f64>,
    /// Weighted mean of the validation rows' losses after the epoch: float; None without a
    /// validation set.
    val_loss: Option<f64>,
    /// Fraction of validation rows predicted correctly after the epoch: float from 0 to 1; None
    /// without a validation set, or for a network that does not classify.
    val_accuracy: Option<f64>,
    /// Duration of the epoch including validation, in seconds: float.
    seconds: f64,
}

impl Epoch {
    pub(crate) fn from_record(epoch: usize, epochs: usize, record: &EpochRecord, has_accuracy: bool) -> Self {
        let EpochRecord { loss, accuracy, validation, seconds } = *record;
        let (val_loss, val_accuracy) = validation.unzip();
        let accuracy = has_accuracy.then_some(accuracy);
        let val_accuracy = val_accuracy.filter(|_| has_accuracy);
        Self { epoch, epochs, loss, accuracy, val_loss, val_accuracy, seconds }
    }
}

#[pymethods]
impl Epoch {
    #[new]
    fn new(
        #[pyo3(from_py_with = epoch)] epoch: usize,
        #[pyo3(from_py_with = epochs)] epochs: usize,
        #[pyo3(from_py_with = loss)] loss: f64,
        #[pyo3(from_py_with = accuracy)] accuracy: Option<f64>,
        #[pyo3(from_py_with = val_loss)] val_loss: Option<f64>,
        #[pyo3(from_py_with = val_accuracy)] val_accuracy: Option<f64>,
        #[pyo3(from_py_with = seconds)] seconds: f64,
    ) -> Self {
        Self { epoch, epochs, loss, accuracy, val_loss, val_accuracy, seconds }
    }

    #[allow(clippy::type_complexity, reason = "the arguments of new, for pickle")]
    fn __getnewargs__(&self) -> (usize, usize, f64, Option<f64>, Option<f64>, Option<f64>, f64) {
        let &Self { epoch, epochs, loss, accuracy, val_loss, val_accuracy, seconds } = self;
        (epoch, epochs, loss, accuracy, val_loss, val_accuracy, seconds)
    }

    fn __repr__(&self) -> String {
        let Self { epoch, epochs, seconds, .. } = self;
        let numbers = [
            ("loss", Some(self.loss)),
            ("accuracy", self.accuracy),
            ("val_loss", self.val_loss),
            ("val_accuracy", self.val_accuracy),
        ];
        let known = numbers.iter().filter_map(|(name, number)| Some(format!("{name}={:.4}, ", (*number)?)));
        format!("Epoch({epoch}/{epochs}, {}seconds={seconds:.2e})", known.collect::<String>())
    }
}
