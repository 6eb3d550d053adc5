//! The binding: `fastmlp._core`, a thin bridge between NumPy and [`fastmlp_core`]. It holds no mathematics.
//!
//! # What crosses, and how
//!
//! | Python | Rust | copied? |
//! | --- | --- | --- |
//! | `X`, `X_val`, `d_output`: float32 or float64, (n, d), any strides | `ArrayView2<T>` | no |
//! | `y`, `y_val`: any integer type, (n,), any strides | `&dyn Labels` | no |
//! | `sample_weight`: float32 or float64, (n,), any strides | `&dyn Weights` | no |
//! | `y` and the sums that a loss of the caller's own is called with | new arrays | yes, once per batch |
//! | `gradient`: the network's type, (n_parameters,), contiguous | `&[T]` | no |
//! | `class_weight`: any iterable of numbers | `Vec<f64>` | yes, one number per class |
//! | `out`: C-contiguous, of the network's type | `ArrayViewMut2<T>` | no |
//! | `parameters`, `weights`, `biases` | views whose base is the network object | no |
//! | results | arrays that NumPy owns, written in place | no |
//!
//! An array of another type than the network's is a `TypeError` that names the cast: casting is the caller's decision.
//! Misaligned memory is a `ValueError`, a masked array a `TypeError`. While a call runs, its arrays are borrowed;
//! writing to them from another thread gives numbers that are partly old and partly new, as with NumPy.
//!
//! # The interpreter
//!
//! A call that computes first detaches from the interpreter (`detached.rs`), and attaches about every 20 ms to check
//! for signals. `fit` attaches between epochs, and `minimize` between iterations, only if there is a callback. Inference on so few rows that it ends before
//! signals would be checked stays attached: borrowing its arrays and detaching would take longer than the work.
//!
//! If the interpreter shuts down while a daemon thread is in a call, that thread sleeps forever (`ending.rs`).
//!
//! # Several threads
//!
//! Calls that read a network run side by side. A call that trains it waits for them; a call that starts while a
//! network is trained raises a `RuntimeError`.

#![allow(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    clippy::doc_lazy_continuation,
    reason = "the comments of classes are docstrings, in numpydoc's markup"
)]

/// The docstring of a name, which `build.rs` made of `doc/`.
macro_rules! docstring {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/doc/", $name, ".txt"))
    };
}

mod error;
mod ending;
mod detached;
mod argument;
mod integer;
mod threads;
mod stream;
mod array;
mod out;
mod matrix;
mod columns;
mod tensor;
mod inputs;
mod targets;
mod data;
mod dropout;
mod objective;
mod shuffling;
mod loss;
mod loss_function;
mod architecture;
mod parameter_block;
mod epoch;
mod history;
mod listener;
mod optimizer;
mod training;
mod minimum;
mod minimization;
mod engine;
mod mlp;
mod network_file;
mod methods;

use pyo3::prelude::*;

/// The compiled half of fastmlp: the network, its optimizers and its file.
#[pymodule(gil_used = false)]
mod _core {
    use std::ffi::CString;

    use fastmlp_core::Activation;
    use pyo3::exceptions::PyRuntimeWarning;
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    #[pymodule_export]
    use super::epoch::Epoch;
    #[pymodule_export]
    use super::error::{DivergenceError, ModelFileError};
    #[pymodule_export]
    use super::history::History;
    #[pymodule_export]
    use super::loss::check_loss;
    #[pymodule_export]
    use super::minimum::Minimum;
    #[pymodule_export]
    use super::mlp::MLP;
    #[pymodule_export]
    use super::network_file::{load_network, save_network};
    #[pymodule_export]
    use super::optimizer::{Adam, AdamW, Optimizer, SGD};
    #[pymodule_export]
    use super::parameter_block::ParameterBlock;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        if let Err(error) = fastmlp_core::check_environment() {
            let (py, message) = (module.py(), CString::new(error.to_string())?);
            PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &message, 1)?;
        }
        module.add("ACTIVATIONS", PyTuple::new(module.py(), Activation::ALL.map(Activation::name))?)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("build_profile", if cfg!(debug_assertions) { "debug" } else { "release" })
    }
}
