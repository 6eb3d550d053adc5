//! The record of a training, and where a network keeps its last one.

use std::sync::{Mutex, PoisonError};

use fastmlp_core::EpochRecord;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::argument::arguments;

type Series = Py<PyArray1<f64>>;

arguments! {
    loss: Series, "a float64 array of one dimension";
    accuracy: Option<Series>, "None or a float64 array of one dimension";
    val_loss: Option<Series>, "None or a float64 array of one dimension";
    val_accuracy: Option<Series>, "None or a float64 array of one dimension";
    seconds: Series, "a float64 array of one dimension";
}

#[doc = docstring!("History")]
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

#[pymethods]
impl History {
    #[new]
    fn new(
        #[pyo3(from_py_with = loss)] loss: Series,
        #[pyo3(from_py_with = accuracy)] accuracy: Option<Series>,
        #[pyo3(from_py_with = val_loss)] val_loss: Option<Series>,
        #[pyo3(from_py_with = val_accuracy)] val_accuracy: Option<Series>,
        #[pyo3(from_py_with = seconds)] seconds: Series,
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

    #[doc = docstring!("History.records")]
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let columns = [
            ("loss", Some(&self.loss)),
            ("accuracy", self.accuracy.as_ref()),
            ("val_loss", self.val_loss.as_ref()),
            ("val_accuracy", self.val_accuracy.as_ref()),
            ("seconds", Some(&self.seconds)),
        ];
        let columns = columns.map(|(name, series)| {
            let values = series.map_or_else(|| Ok(Vec::new()), |series| series.bind(py).to_vec());
            values.map(|values| (name, values))
        });
        let columns: Vec<_> = columns.into_iter().collect::<Result<_, _>>()?;
        let record = |epoch: usize| {
            let record = PyDict::new(py);
            record.set_item("epoch", epoch + 1)?;
            for (name, values) in &columns {
                if let Some(value) = values.get(epoch) {
                    record.set_item(name, value)?;
                }
            }
            Ok(record)
        };
        (0..self.__len__(py)?).map(record).collect()
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("fastmlp._html")?.call_method1("of_history", (slf,))
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

/// The history of a network's last training.
#[derive(Default)]
pub(crate) struct LastHistory(Mutex<Option<Py<History>>>);

impl LastHistory {
    pub(crate) fn get(&self, py: Python<'_>) -> Option<Py<History>> {
        let history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        history.as_ref().map(|history| history.clone_ref(py))
    }

    pub(crate) fn set(&self, history: Py<History>) {
        // The one before is dropped when nothing is locked any more.
        let _before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(history);
    }
}
