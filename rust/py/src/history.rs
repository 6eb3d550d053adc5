//! What a training shows: to a callback after each epoch, and as a whole in the end.

use fastmlp_core::EpochRecord;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

/// What `MLP.fit` tells its callback after an epoch.
#[pyclass(frozen, get_all, module = "fastmlp")]
#[allow(clippy::struct_field_names, reason = "the names users know")]
pub(crate) struct Epoch {
    epoch: usize,
    epochs: usize,
    loss: f64,
    accuracy: f64,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
    seconds: f64,
}

impl Epoch {
    pub(crate) fn new(epoch: usize, epochs: usize, record: &EpochRecord) -> Self {
        let EpochRecord { loss, accuracy, validation, seconds } = *record;
        let (val_loss, val_accuracy) = validation.unzip();
        Self { epoch, epochs, loss, accuracy, val_loss, val_accuracy, seconds }
    }
}

#[pymethods]
impl Epoch {
    fn __repr__(&self) -> String {
        let Self { epoch, epochs, loss, accuracy, seconds, .. } = self;
        let validation = match (self.val_loss, self.val_accuracy) {
            (Some(loss), Some(accuracy)) => format!(", val_loss={loss:.4}, val_accuracy={accuracy:.4}"),
            _ => String::new(),
        };
        format!(
            "Epoch({epoch}/{epochs}, loss={loss:.4}, accuracy={accuracy:.4}{validation}, seconds={seconds:.2e})"
        )
    }
}

type Series = Py<PyArray1<f64>>;

/// What `MLP.fit` returns: NumPy arrays with one entry an epoch.
#[pyclass(frozen, get_all, module = "fastmlp")]
pub(crate) struct History {
    loss: Series,
    accuracy: Series,
    val_loss: Option<Series>,
    val_accuracy: Option<Series>,
    seconds: Series,
}

impl History {
    pub(crate) fn from_records(py: Python<'_>, records: &[EpochRecord], validated: bool) -> Self {
        let series =
            |f: &dyn Fn(&EpochRecord) -> f64| PyArray1::from_iter(py, records.iter().map(f)).unbind();
        let validation = |f: &dyn Fn((f64, f64)) -> f64| {
            validated.then(|| series(&|record| record.validation.map_or(f64::NAN, f)))
        };
        Self {
            loss: series(&|record| record.loss),
            accuracy: series(&|record| record.accuracy),
            val_loss: validation(&|(loss, _)| loss),
            val_accuracy: validation(&|(_, accuracy)| accuracy),
            seconds: series(&|record| record.seconds),
        }
    }
}

#[pymethods]
impl History {
    #[new]
    fn new(
        loss: Series,
        accuracy: Series,
        val_loss: Option<Series>,
        val_accuracy: Option<Series>,
        seconds: Series,
    ) -> Self {
        Self { loss, accuracy, val_loss, val_accuracy, seconds }
    }

    #[allow(clippy::type_complexity, reason = "the arguments of new, for pickle")]
    fn __getnewargs__(&self, py: Python<'_>) -> (Series, Series, Option<Series>, Option<Series>, Series) {
        let copy = |series: &Series| series.clone_ref(py);
        let (val_loss, val_accuracy) =
            (self.val_loss.as_ref().map(copy), self.val_accuracy.as_ref().map(copy));
        (copy(&self.loss), copy(&self.accuracy), val_loss, val_accuracy, copy(&self.seconds))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.loss.bind(py).len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let last = |series: &Series| series.bind(py).to_vec().map(|values| values.last().copied());
        let Some((loss, accuracy)) = last(&self.loss)?.zip(last(&self.accuracy)?) else {
            return Ok("History(0 epochs)".into());
        };
        let epochs = self.__len__(py)?;
        Ok(format!("History({epochs} epochs, last loss={loss:.4}, accuracy={accuracy:.4})"))
    }
}
