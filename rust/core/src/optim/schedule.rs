//! Schedules: the factor of the learning rate in each step of a training.

use std::f64::consts::PI;

use crate::error::{Error, Result};

/// How the learning rate changes from step to step. In step `t`, from 0, of `S` it is multiplied by a factor. With
/// `W = ceil(warmup S)` and `u = (t - W) / max(S - W, 1)`:
///
/// | name | factor while `t < W` | factor afterwards |
/// | --- | --- | --- |
/// | `constant` | `(t + 1) / (W + 1)` | 1 |
/// | `cosine` | `(t + 1) / (W + 1)` | `(1 + cos(pi u)) / 2` |
/// | `linear` | `(t + 1) / (W + 1)` | `1 - u` |
///
/// The warm-up is `LinearLR(start_factor=1 / (W + 1), total_iters=W)` of torch, and what follows is its
/// `CosineAnnealingLR(T_max=S - W)` (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017,
/// equation 5, without restarts), or `LinearLR(1, 0, total_iters=S - W)`.
///
/// `one_cycle` rises from 1/25 to 1 until `t = r = warmup S - 1` and falls to 1/250000 in the last step, each time along
/// half a period of a cosine: `OneCycleLR(pct_start=warmup)` of torch (Smith and Topin, "Super-convergence", 2018).
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `warmup` | 0.3 for `one_cycle`, else 0 | share of the steps in which the rate rises | [0, 1) |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSchedule {
    shape: Shape,
    warmup: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Constant,
    Cosine,
    Linear,
    OneCycle,
}

impl Shape {
    const ALL: [Self; 4] = [Self::Constant, Self::Cosine, Self::Linear, Self::OneCycle];

    fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
            Self::Linear => "linear",
            Self::OneCycle => "one_cycle",
        }
    }
}

impl RateSchedule {
    /// The schedule with this name; checks the ranges of the table above.
    pub fn new(name: &str, warmup: Option<f64>) -> Result<Self> {
        let shape = Shape::ALL.into_iter().find(|shape| shape.name() == name).ok_or_else(|| {
            let names = Shape::ALL.map(|shape| format!("{:?}", shape.name()));
            Error::value("schedule", format_args!("{name:?}"), format!("None or one of {}", names.join(", ")))
        })?;
        match warmup {
            Some(warmup) if !(0.0..1.0).contains(&warmup) => {
                Err(Error::value("warmup", warmup, "None or a number in [0, 1)"))
            }
            _ => Ok(Self { shape, warmup }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.shape.name()
    }

    /// Share of the steps in which the rate rises, if not the default.
    pub fn warmup(&self) -> Option<f64> {
        self.warmup
    }

    /// The factor of the learning rate in step `step`, from 0, of `steps`.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let (t, all) = (step as f64, steps as f64);
        if self.shape == Shape::OneCycle {
            return one_cycle(t, all, self.warmup.unwrap_or(0.3));
        }
        let rise = (self.warmup.unwrap_or(0.0) * all).ceil();
        if t < rise {
            return (t + 1.0) / (rise + 1.0);
        }
        let done = ((t - rise) / (all - rise).max(1.0)).min(1.0);
        match self.shape {
            Shape::Cosine => between(1.0, 0.0, done),
            Shape::Linear => 1.0 - done,
            Shape::Constant | Shape::OneCycle => 1.0,
        }
    }
}

fn one_cycle(t: f64, all: f64, warmup: f64) -> f64 {
    const FIRST: f64 = 1.0 / 25.0;
    const LAST: f64 = FIRST / 1e4;
    let top = warmup * all - 1.0;
    if top > 0.0 && t <= top {
        return between(FIRST, 1.0, t / top);
    }
    // A warm-up of less than a step has its maximum before the first one.
    between(1.0, LAST, ((t - top) / (all - 1.0 - top).max(f64::MIN_POSITIVE)).min(1.0))
}

/// From `start` to `end` along half a period of a cosine, after the share `done` of it.
fn between(start: f64, end: f64, done: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * done).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(name: &str, warmup: Option<f64>, steps: u64) -> Vec<f64> {
        let schedule = RateSchedule::new(name, warmup).unwrap();
        (0..steps).map(|t| schedule.factor(t, steps)).collect()
    }

    fn close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(want).all(|(x, y)| (x - y).abs() < 1e-12), "{got:?} is not {want:?}");
    }

    #[test]
    fn factors_by_hand() {
        close(&factors("constant", None, 3), &[1.0; 3]);
        close(&factors("constant", Some(0.5), 4), &[1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0]);
        close(&factors("linear", None, 4), &[1.0, 0.75, 0.5, 0.25]);
        close(&factors("linear", Some(0.2), 5), &[0.5, 1.0, 0.75, 0.5, 0.25]);
        let root = 0.5_f64.sqrt();
        close(&factors("cosine", None, 4), &[1.0, 0.5 + 0.5 * root, 0.5, 0.5 - 0.5 * root]);
        // Of 11 steps with the maximum at step 1.2: two rise, nine fall.
        let one_cycle = factors("one_cycle", Some(0.2), 11);
        close(&[one_cycle[0], one_cycle[10]], &[1.0 / 25.0, 1.0 / 250_000.0]);
        close(&one_cycle[1..2], &[0.04 + 0.96 / 2.0 * (1.0 - (PI / 1.2).cos())]);
        assert!(one_cycle[2..].is_sorted_by(|x, y| x > y));
    }

    #[test]
    fn every_factor_of_every_length_is_between_0_and_1() {
        for shape in Shape::ALL {
            for warmup in [None, Some(0.0), Some(1e-9), Some(0.1), Some(0.5), Some(1.0 - f64::EPSILON)] {
                for steps in [1, 2, 3, 10, 97] {
                    let all = factors(shape.name(), warmup, steps);
                    assert!(all.iter().all(|x| *x > 0.0 && *x <= 1.0), "{shape:?} {warmup:?} {all:?}");
                    // One step more than planned must not let the rate rise again.
                    let more = RateSchedule::new(shape.name(), warmup).unwrap().factor(steps, steps);
                    assert!((0.0..=1.0).contains(&more), "{shape:?} {warmup:?} {more}");
                }
            }
        }
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        assert_eq!(
            RateSchedule::new("step", None).unwrap_err().to_string(),
            r#"schedule is "step", expected None or one of "constant", "cosine", "linear", "one_cycle""#
        );
        for (warmup, found) in [(-0.1, "-0.1"), (1.0, "1"), (f64::NAN, "NaN")] {
            let message = RateSchedule::new("cosine", Some(warmup)).unwrap_err().to_string();
            assert_eq!(message, format!("warmup is {found}, expected None or a number in [0, 1)"));
        }
    }
}
