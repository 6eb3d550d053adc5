//! The record of a training: for a callback after each epoch, and of all epochs at the end.

use fastmlp_core::EpochRecord;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use crate::argument::arguments;

/// The record of an epoch, with which `MLP.fit` calls its callback.
///
/// Parameters
/// ----------
/// epoch : int
///     Number of the epoch, from 1.
/// epochs : int
///     Number of epochs given to `fit`.
/// loss : float
///     Training loss.
/// accuracy : float or None
///     Training accuracy, from 0 to 1.
/// val_loss : float or None
///     Validation loss.
/// val_accuracy : float or None
///     Validation accuracy, from 0 to 1.
/// seconds : float
///     Duration of the epoch.
///
/// See Also
/// --------
/// History : The same for all epochs.
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

mod of_epoch {
    super::arguments! {
        epoch: usize, "an integer >= 0";
        epochs: usize, "an integer >= 0";
        loss: f64, "a number";
        accuracy: Option<f64>, "None or a number";
        val_loss: Option<f64>, "None or a number";
        val_accuracy: Option<f64>, "None or a number";
        seconds: f64, "a number";
    }
}

#[pymethods]
impl Epoch {
    #[new]
    fn new(
        #[pyo3(from_py_with = of_epoch::epoch)] epoch: usize,
        #[pyo3(from_py_with = of_epoch::epochs)] epochs: usize,
        #[pyo3(from_py_with = of_epoch::loss)] loss: f64,
        #[pyo3(from_py_with = of_epoch::accuracy)] accuracy: Option<f64>,
        #[pyo3(from_py_with = of_epoch::val_loss)] val_loss: Option<f64>,
        #[pyo3(from_py_with = of_epoch::val_accuracy)] val_accuracy: Option<f64>,
        #[pyo3(from_py_with = of_epoch::seconds)] seconds: f64,
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

type Series = Py<PyArray1<f64>>;

/// The record of a training, which `MLP.fit` returns: NumPy arrays with one entry per epoch.
///
/// ``len(history)`` is the number of epochs.
///
/// Parameters
/// ----------
/// loss : ndarray of shape (n_epochs,)
///     Training loss, float64.
/// accuracy : ndarray of shape (n_epochs,) or None
///     Training accuracy from 0 to 1, float64.
/// val_loss : ndarray of shape (n_epochs,) or None
///     Validation loss, float64.
/// val_accuracy : ndarray of shape (n_epochs,) or None
///     Validation accuracy from 0 to 1, float64.
/// seconds : ndarray of shape (n_epochs,)
///     Duration of each epoch, float64.
///
/// See Also
/// --------
/// Epoch : The same for one epoch, as a callback gets it.
#[pyclass(frozen, get_all, module = "fastmlp")]
pub(crate) struct History {
    /// Weighted mean of the rows' losses in each epoch, ``sum(w * l) / sum(w)``, each taken before
    /// the update of its batch: ndarray of shape (n_epochs,), float64.
    loss: Series,
    /// Fraction of rows predicted correctly in each epoch, each before the update of its batch,
    /// from 0 to 1: ndarray of shape (n_epochs,), float64; None for a network that does not
    /// classify. Batches without weight, which make no update, are excluded.
    accuracy: Option<Series>,
    /// Weighted mean of the validation rows' losses after each epoch, with the class weights of
    /// `fit`: ndarray of shape (n_epochs,), float64; None without a validation set.
    val_loss: Option<Series>,
    /// Fraction of validation rows predicted correctly after each epoch, from 0 to 1: ndarray of
    /// shape (n_epochs,), float64; None without a validation set, or for a network that does not
    /// classify.
    val_accuracy: Option<Series>,
    /// Duration of each epoch including validation, in seconds: ndarray of shape (n_epochs,),
    /// float64.
    seconds: Series,
}

impl History {
    /// `has` says whether there is a validation set, and an accuracy.
    pub(crate) fn from_records(py: Python<'_>, records: &[EpochRecord], has: (bool, bool)) -> Self {
        let (validated, has_accuracy) = has;
        let series =
            |f: &dyn Fn(&EpochRecord) -> f64| PyArray1::from_iter(py, records.iter().map(f)).unbind();
        let validation = |f: &dyn Fn((f64, f64)) -> f64| {
            validated.then(|| series(&|record| record.validation.map_or(f64::NAN, f)))
        };
        Self {
            loss: series(&|record| record.loss),
            accuracy: has_accuracy.then(|| series(&|record| record.accuracy)),
            val_loss: validation(&|(loss, _)| loss),
            val_accuracy: validation(&|(_, accuracy)| accuracy).filter(|_| has_accuracy),
            seconds: series(&|record| record.seconds),
        }
    }
}

mod of_history {
    use super::Series;

    super::arguments! {
        loss: Series, "a float64 array of one dimension";
        accuracy: Option<Series>, "None or a float64 array of one dimension";
        val_loss: Option<Series>, "None or a float64 array of one dimension";
        val_accuracy: Option<Series>, "None or a float64 array of one dimension";
        seconds: Series, "a float64 array of one dimension";
    }
}

#[pymethods]
impl History {
    #[new]
    fn new(
        #[pyo3(from_py_with = of_history::loss)] loss: Series,
        #[pyo3(from_py_with = of_history::accuracy)] accuracy: Option<Series>,
        #[pyo3(from_py_with = of_history::val_loss)] val_loss: Option<Series>,
        #[pyo3(from_py_with = of_history::val_accuracy)] val_accuracy: Option<Series>,
        #[pyo3(from_py_with = of_history::seconds)] seconds: Series,
    ) -> Self {
        Self { loss, accuracy, val_loss, val_accuracy, seconds }
    }

    #[allow(clippy::type_complexity, reason = "the arguments of new, for pickle")]
    fn __getnewargs__(
        &self,
        py: Python<'_>,
    ) -> (Series, Option<Series>, Option<Series>, Option<Series>, Series) {
        let copy = |series: &Series| series.clone_ref(py);
        let several = |series: &Option<Series>| series.as_ref().map(copy);
        let [accuracy, val_loss, val_accuracy] =
            [&self.accuracy, &self.val_loss, &self.val_accuracy].map(several);
        (copy(&self.loss), accuracy, val_loss, val_accuracy, copy(&self.seconds))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.loss.bind(py).len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let last = |series: &Series| series.bind(py).to_vec().map(|values| values.last().copied());
        let Some(loss) = last(&self.loss)? else { return Ok("History(0 epochs)".into()) };
        let accuracy = self.accuracy.as_ref().map(last).transpose()?.flatten();
        let accuracy = accuracy.map_or_else(String::new, |accuracy| format!(", accuracy={accuracy:.4}"));
        let epochs = self.__len__(py)?;
        Ok(format!("History({epochs} epochs, last loss={loss:.4}{accuracy})"))
    }
}
