//! What steps have besides their rule.

use crate::error::{Error, Result};

use super::groups::{Grouping, Groups};
use super::schedule::RateSchedule;

/// Options of the steps of any rule. By default there is nothing besides the rule.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `clip_norm` | none | a longer gradient is made as long as this | finite, > 0 |
/// | `schedule` | none | how the learning rate changes from step to step of a training | |
/// | `groups` | one | what is different for parameters of some roles | |
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// The largest norm that a gradient may have.
    clip_norm: Option<f64>,
    schedule: Option<RateSchedule>,
    groups: Groups,
}

impl Options {
    /// Checks the ranges of the table above.
    pub fn new(clip_norm: Option<f64>, schedule: Option<RateSchedule>, groups: Groups) -> Result<Self> {
        match clip_norm {
            Some(norm) if !(norm.is_finite() && norm > 0.0) => {
                Err(Error::value("clip_norm", norm, "None or a finite number > 0"))
            }
            _ => Ok(Self { clip_norm, schedule, groups }),
        }
    }

    /// The largest norm that a gradient may have.
    pub fn clip_norm(&self) -> Option<f64> {
        self.clip_norm
    }

    /// How the learning rate changes.
    pub fn schedule(&self) -> Option<&RateSchedule> {
        self.schedule.as_ref()
    }

    /// What is different for parameters of some roles.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// What the learning rate is multiplied by in step `step`, from 0, of the `steps` of a training.
    pub fn rate_factor(&self, step: u64, steps: u64) -> f64 {
        self.schedule.map_or(1.0, |schedule| schedule.factor(step, steps))
    }
}

/// What becomes of the options in one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controls<'a> {
    /// What the schedule multiplies the learning rate by.
    pub(crate) rate: f64,
    /// What clipping multiplies the gradient by, at most 1.
    pub(crate) gradient: f64,
    /// Parameters that are not all treated alike.
    pub(crate) groups: Option<Grouping<'a>>,
}

#[cfg(test)]
impl Controls<'_> {
    /// Of a step that has nothing besides its rule.
    pub(super) const NONE: Self = Self { rate: 1.0, gradient: 1.0, groups: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_out_of_range() {
        for (norm, found) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let message = Options::new(Some(norm), None, Groups::default()).unwrap_err().to_string();
            assert_eq!(message, format!("clip_norm is {found}, expected None or a finite number > 0"));
        }
    }
}
