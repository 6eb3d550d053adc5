//! Destinations and sources of files: a path, a Python object with `write` or `read`, or bytes.
//!
//! An object is called with the interpreter attached, one piece at a time; its exceptions pass through to the
//! caller.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use fastmlp_core::NetworkFile;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use crate::argument::converted;
use crate::error::{BindError, BindResult};

/// Most bytes that an object is asked to write at a time.
const PIECE: usize = 1 << 20;

/// The destination of a file.
pub(crate) enum Destination {
    File(PathBuf),
    Object(Stream),
}

/// The source of a file.
pub(crate) enum Source<'py> {
    File(PathBuf),
    Bytes(Bound<'py, PyBytes>, PathBuf),
    Object(Stream),
}

/// For `from_py_with`.
pub(crate) fn destination(object: &Bound<'_, PyAny>) -> PyResult<Destination> {
    const EXPECTED: &str = "a str, a PathLike, or an object with write";
    if let Some(path) = path(object, EXPECTED)? {
        return Ok(Destination::File(path));
    }
    Ok(Destination::Object(Stream::new(object, "write", EXPECTED)?))
}

/// For `from_py_with`.
pub(crate) fn source<'py>(object: &Bound<'py, PyAny>) -> PyResult<Source<'py>> {
    const EXPECTED: &str = "a str, a PathLike, an object with read, or bytes";
    if let Some(path) = path(object, EXPECTED)? {
        return Ok(Source::File(path));
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Source::Bytes(bytes.clone(), name(object)));
    }
    // Other buffers may be written to while they are read.
    if let Ok(view) = PyMemoryView::from(object) {
        let bytes = view.call_method0(intern!(object.py(), "tobytes"))?.cast_into()?;
        return Ok(Source::Bytes(bytes, name(object)));
    }
    Ok(Source::Object(Stream::new(object, "read", EXPECTED)?))
}

impl Destination {
    /// Writes the file, which is complete when this returns without an error.
    pub(crate) fn save(self, py: Python<'_>, file: NetworkFile) -> BindResult<()> {
        match self {
            Self::File(path) => py.detach(|| file.save(&path))?,
            Self::Object(mut stream) => {
                let name = stream.name.clone();
                py.detach(|| file.save_to(&mut stream, &name))?;
            }
        }
        Ok(())
    }
}

impl Source<'_> {
    /// Its name in errors.
    pub(crate) fn name(&self) -> &Path {
        match self {
            Self::File(name) | Self::Bytes(_, name) | Self::Object(Stream { name, .. }) => name,
        }
    }

    /// Reads a file: all of a path or of bytes, but of an object only the bytes that belong to the
    /// file.
    pub(crate) fn load(&mut self, py: Python<'_>) -> BindResult<NetworkFile> {
        Ok(match self {
            Self::File(path) => py.detach(|| NetworkFile::load(path)),
            Self::Bytes(bytes, name) => {
                let bytes = bytes.as_bytes();
                py.detach(|| NetworkFile::read(name, bytes, Some(bytes.len() as u64)))
            }
            Self::Object(stream) => {
                let name = stream.name.clone();
                py.detach(|| NetworkFile::read(&name, stream, None))
            }
        }?)
    }
}

/// A Python object that writes or reads bytes.
pub(crate) struct Stream {
    object: Py<PyAny>,
    name: PathBuf,
}

impl Stream {
    fn new(object: &Bound<'_, PyAny>, method: &str, expected: &str) -> PyResult<Self> {
        if !object.hasattr(method)? {
            return Err(BindError::type_error("path", object, expected).into());
        }
        if is_of_io(object, "TextIOBase")? {
            let found = object.get_type().name()?;
            let message = format!("path is of type {found}, expected a file that is opened in binary mode");
            return Err(PyTypeError::new_err(message));
        }
        Ok(Self { object: object.clone().unbind(), name: name(object) })
    }

    /// The result of the object's method; None from a raw file means that it would block.
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        argument: impl IntoPyObject<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let object = self.object.bind(py);
        let answer = object.call_method1(method, (argument,))?;
        if !answer.is_none() {
            return Ok(Some(answer));
        }
        if is_of_io(object, "RawIOBase")? {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the file would have to wait").into());
        }
        Ok(None)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(PIECE)];
        let written = Python::attach(|py| {
            // An object that returns no number has written everything.
            let Some(answer) = self.call(py, "write", PyBytes::new(py, bytes))? else {
                return Ok(bytes.len());
            };
            let n = answer.extract::<usize>().ok().filter(|&n| n <= bytes.len());
            n.ok_or_else(|| {
                let message = format!("path.write() of {} bytes returned {answer}", bytes.len());
                PyValueError::new_err(format!("{message}, expected the number of bytes written"))
            })
        });
        written.map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = Python::attach(|py| {
            let object = self.object.bind(py);
            if object.hasattr("flush")? {
                object.call_method0("flush")?;
            }
            PyResult::Ok(())
        });
        flushed.map_err(io::Error::other)
    }
}

impl Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        let read = Python::attach(|py| {
            let answer = self.call(py, "read", to.len())?.unwrap_or_else(|| py.None().into_bound(py));
            let Ok(view) = PyMemoryView::from(&answer) else {
                return Err(BindError::type_error("path.read()", &answer, "bytes").into());
            };
            let bytes = view.call_method0(intern!(py, "tobytes"))?;
            let bytes = bytes.cast::<PyBytes>()?.as_bytes();
            let Some(to) = to.get_mut(..bytes.len()) else {
                let message = format!("path.read({}) returned {} bytes", to.len(), bytes.len());
                return Err(PyValueError::new_err(format!("{message}, expected at most that many")));
            };
            to.copy_from_slice(bytes);
            Ok(bytes.len())
        });
        read.map_err(io::Error::other)
    }
}

/// The path, if the object is one.
fn path(object: &Bound<'_, PyAny>, expected: &str) -> PyResult<Option<PathBuf>> {
    if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
        return converted("path", object, expected).map(Some);
    }
    Ok(None)
}

/// The name of an object in errors: its own, or its type's.
fn name(object: &Bound<'_, PyAny>) -> PathBuf {
    let own = object.getattr("name").and_then(|name| name.extract::<String>());
    own.unwrap_or_else(|_| match object.get_type().name() {
        Ok(name) => format!("<{name}>"),
        Err(_) => "<object>".into(),
    })
    .into()
}

/// Whether the object is of this class of the module `io`.
fn is_of_io(object: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    object.is_instance(&object.py().import("io")?.getattr(class)?)
}
