//! Options of steps besides their rule.

use crate::error::{Error, Result};

use super::groups::{Grouping, Groups};
use super::schedule::RateSchedule;

/// Options of the steps of any rule. By default there are none.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `clip_norm` | none | a gradient with a larger norm is scaled down to this norm | finite, > 0 |
/// | `schedule` | none | how the learning rate changes from step to step of a training | |
/// | `groups` | one | different settings for parameters of some roles | |
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

    /// Different settings for parameters of some roles.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The factor of the learning rate in step `step`, from 0, of the `steps` of a training.
    pub fn rate_factor(&self, step: u64, steps: u64) -> f64 {
        self.schedule.map_or(1.0, |schedule| schedule.factor(step, steps))
    }
}

/// The effect of the options on one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controls<'a> {
    /// The factor that the schedule gives to the learning rate.
    pub(crate) rate: f64,
    /// The factor that clipping gives to the gradient, at most 1.
    pub(crate) gradient: f64,
    /// The groups, if not all parameters are treated in the same way.
    pub(crate) groups: Option<Grouping<'a>>,
}

#[cfg(test)]
impl Controls<'_> {
    /// The controls of a step without options.
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
