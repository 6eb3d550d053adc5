//! Integers from Python, with an error that names the argument and its range.

use std::ops::RangeInclusive;

use fastmlp_core::Error;
use pyo3::exceptions::{PyOSError, PyOverflowError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{BindError, BindResult};

/// The integer `value`, which may be of any type with `__index__`, if it is in `range`.
pub(crate) fn integer(
    name: &'static str,
    value: &Bound<'_, PyAny>,
    range: RangeInclusive<i128>,
    expected: &str,
) -> BindResult<i128> {
    let py = value.py();
    let index =
        value.call_method0("__index__").map_err(|_| BindError::type_error(name, value, "an integer"))?;
    let found = match index.extract::<i64>() {
        Ok(small) => Some(i128::from(small)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            index.extract::<u64>().ok().map(i128::from)
        }
        Err(error) => return Err(error.into()),
    };
    match found {
        Some(found) if range.contains(&found) => Ok(found),
        // Python refuses to print integers of many thousand digits.
        _ => {
            Err(Error::value(name, index.str().map_or("out of range".into(), |s| s.to_string()), expected)
                .into())
        }
    }
}

/// A count, at least `least`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of usize")]
pub(crate) fn count(name: &'static str, value: &Bound<'_, PyAny>, least: usize) -> BindResult<usize> {
    let range = least as i128..=isize::MAX as i128;
    Ok(integer(name, value, range, &format!("an integer from {least} to 2**63 - 1"))? as usize)
}

/// A seed, given or drawn from a `numpy.random.Generator`; none if none is given.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of u64")]
pub(crate) fn seed(value: Option<&Bound<'_, PyAny>>) -> BindResult<Option<u64>> {
    let Some(value) = value else { return Ok(None) };
    if value.hasattr("bit_generator")? {
        return drawn(value).map(Some);
    }
    Ok(Some(
        integer("seed", value, 0..=i128::from(u64::MAX), "None or an integer from 0 to 2**64 - 1")? as u64
    ))
}

/// The next 64 bits of a `numpy.random.Generator`.
fn drawn(generator: &Bound<'_, PyAny>) -> BindResult<u64> {
    let how = PyDict::new(generator.py());
    how.set_item("dtype", "uint64")?;
    how.set_item("endpoint", true)?;
    Ok(generator.call_method("integers", (0, u64::MAX), Some(&how))?.extract()?)
}

/// A random seed from the operating system.
pub(crate) fn random_seed() -> BindResult<u64> {
    getrandom::u64().map_err(|error| PyOSError::new_err(error.to_string()).into())
}
