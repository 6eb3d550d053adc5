//! The ranges of settings that several rules have.

use crate::error::{Error, Result};

pub(super) fn check_learning_rate(value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::value("learning_rate", value, "a finite number > 0"))
}

pub(super) fn check_decay(name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::value(name, value, "a number in [0, 1)"))
}
