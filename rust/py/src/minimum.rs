//! What a minimisation leaves.

use fastmlp_core::Ending;
use pyo3::prelude::*;
use pyo3::types::PyFloat;

use crate::argument::arguments;
use crate::history::History;

arguments! {
    loss: f64, "a number";
    ending: String, "a str";
    n_evaluations: usize, "an integer >= 0";
    history: Py<History>, "a History";
}

#[doc = docstring!("Minimum")]
#[pyclass(frozen, get_all, module = "fastmlp")]
pub(crate) struct Minimum {
    /// The objective at the parameters that were reached: float.
    loss: f64,
    /// Why no further iteration was made: str; see the class.
    ending: String,
    /// How often the loss and its gradient were computed: int.
    n_evaluations: usize,
    /// Loss, accuracy and duration of each iteration, the first two at the parameters that it reached:
    /// History.
    history: Py<History>,
}

/// The name of an ending in Python.
pub(crate) fn name_of(ending: Option<Ending>) -> &'static str {
    match ending {
        Some(Ending::Gradient) => "gradient",
        Some(Ending::Loss) => "loss",
        Some(Ending::MaxIter) => "max_iter",
        Some(Ending::MaxFun) => "max_fun",
        Some(Ending::LineSearch) => "line_search",
        None => "callback",
    }
}

#[pymethods]
impl Minimum {
    #[new]
    pub(crate) fn new(
        #[pyo3(from_py_with = loss)] loss: f64,
        #[pyo3(from_py_with = ending)] ending: String,
        #[pyo3(from_py_with = n_evaluations)] n_evaluations: usize,
        #[pyo3(from_py_with = history)] history: Py<History>,
    ) -> Self {
        Self { loss, ending, n_evaluations, history }
    }

    fn __getnewargs__(&self, py: Python<'_>) -> (f64, String, usize, Py<History>) {
        (self.loss, self.ending.clone(), self.n_evaluations, self.history.clone_ref(py))
    }

    /// Number of iterations: int.
    #[getter]
    fn n_iter(&self, py: Python<'_>) -> PyResult<usize> {
        self.history.bind(py).len()
    }

    /// Whether the loss can hardly be lowered further: bool; `ending` is "gradient" or "loss".
    #[getter]
    fn converged(&self) -> bool {
        matches!(&self.ending[..], "gradient" | "loss")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let Self { loss, ending, n_evaluations, .. } = self;
        let (loss, n_iter) = (PyFloat::new(py, *loss), self.n_iter(py)?);
        Ok(format!("Minimum(loss={loss}, ending='{ending}', n_iter={n_iter}, n_evaluations={n_evaluations})"))
    }
}
