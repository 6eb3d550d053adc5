//! Daemon threads whose interpreter shuts down.
//!
//! Before Python 3.14 a thread that attaches to an interpreter that is shutting down is ended by `pthread_exit`,
//! which unwinds its stack; if there is Rust code on it, the process aborts. PyO3 handles this where it attaches
//! itself: the thread sleeps forever, as in Python 3.14. The functions below handle it for Python code that is called
//! from here. The process ends when the main thread does, even if other threads sleep.

use std::hint::black_box;
use std::mem::{forget, transmute};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

/// Sleeps until the process ends.
pub(crate) fn sleep_for_good() -> ! {
    loop {
        std::thread::park();
    }
}

/// Sleeps forever if the stack is unwound past it.
struct Sleeper;

impl Drop for Sleeper {
    fn drop(&mut self) {
        sleep_for_good();
    }
}

/// A function of Python's C API with two borrowed arguments, which returns a new reference or null.
type Binary = unsafe extern "C-unwind" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;

/// Calls `function`, in which the interpreter may end this thread.
fn held<'py>(
    function: unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject,
    first: &Bound<'py, PyAny>,
    second: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let sleeper = Sleeper;
    // The compiler must not see which function it is, because that one is declared as never unwinding.
    // SAFETY: the two types differ only in that unwinding through the call is defined.
    let function: Binary = unsafe { transmute(black_box(function)) };
    // SAFETY: both are alive and attached.
    let result = unsafe { function(first.as_ptr(), second.as_ptr()) };
    forget(sleeper);
    // SAFETY: it is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(first.py(), result) }
}

/// The result of a call of the caller's function.
pub(crate) fn called<'py>(
    function: &Bound<'py, PyAny>,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<Bound<'py, PyAny>> {
    let arguments = arguments.into_pyobject(function.py())?;
    held(ffi::PyObject_CallObject, function, arguments.as_any())
}

/// Whether an object is an instance of a class, which may be abstract and checked by Python code.
pub(crate) fn is_instance(object: &Bound<'_, PyAny>, class: &Bound<'_, PyAny>) -> PyResult<bool> {
    let isinstance = object.py().import("builtins")?.getattr("isinstance")?;
    called(&isinstance, (object, class))?.extract()
}

/// An attribute, which may be a property computed by Python code.
pub(crate) fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    held(ffi::PyObject_GetAttr, object, PyString::intern(object.py(), name).as_any())
}
