//! Stochastic gradient descent, with momentum and Nesterov's lookahead.

use crate::error::{Error, Result};
use crate::kernels::{Element, MomentumStep};

use super::ranges::check_learning_rate;

/// `v = momentum v + g`, then `p -= learning_rate v`; with Nesterov's lookahead `p -= learning_rate (g + momentum v)`.
/// With a scaled velocity, which sums steps and not gradients, `v = momentum v + learning_rate g`, then `p -= v`, or
/// `p -= learning_rate g + momentum v`: the same as long as the learning rate does not change.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `learning_rate` | 0.01 | length of a step | finite, > 0 |
/// | `momentum` | 0 | share of the last step's velocity that is kept | [0, 1] |
/// | `nesterov` | false | uses the gradient as if at the end of the step | needs momentum > 0 |
/// | `scaled_velocity` | false | the velocity holds the learning rates of its steps | |
///
/// As torch writes it, and with a scaled velocity as scikit-learn does (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
    scaled_velocity: bool,
}

impl Sgd {
    /// Checks the ranges of the table above.
    pub fn new(learning_rate: f64, momentum: f64, nesterov: bool) -> Result<Self> {
        check_learning_rate(learning_rate)?;
        if !(0.0..=1.0).contains(&momentum) {
            return Err(Error::value("momentum", momentum, "a number in [0, 1]"));
        }
        if nesterov && momentum == 0.0 {
            return Err(Error::value("nesterov", "True", "False, or a momentum > 0"));
        }
        Ok(Self { learning_rate, momentum, nesterov, scaled_velocity: false })
    }

    /// The same rule with a velocity that sums steps.
    #[must_use]
    pub fn with_scaled_velocity(self, scaled_velocity: bool) -> Self {
        Self { scaled_velocity, ..self }
    }

    /// Length of a step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// The same rule with another learning rate.
    pub fn with_learning_rate(self, learning_rate: f64) -> Result<Self> {
        check_learning_rate(learning_rate)?;
        Ok(Self { learning_rate, ..self })
    }

    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { learning_rate: self.learning_rate * factor, ..self }
    }

    /// Share of the velocity that is kept.
    pub fn momentum(&self) -> f64 {
        self.momentum
    }

    /// Nesterov's lookahead.
    pub fn nesterov(&self) -> bool {
        self.nesterov
    }

    /// Whether the velocity sums steps.
    pub fn scaled_velocity(&self) -> bool {
        self.scaled_velocity
    }

    /// The factors of a gradient that is added to the velocity, and of a velocity that is subtracted from the
    /// parameters.
    pub(crate) fn rates(&self) -> (f64, f64) {
        if self.scaled_velocity { (self.learning_rate, 1.0) } else { (1.0, self.learning_rate) }
    }

    pub(super) fn slots(&self) -> &'static [&'static str] {
        if self.momentum > 0.0 { &["velocity"] } else { &[] }
    }

    /// A step without momentum.
    pub(super) fn descend<T: Element>(&self, parameters: &mut [T], gradient: &[T]) {
        T::sgd(parameters, gradient, self.learning_rate);
    }

    /// A step with momentum.
    pub(super) fn step<T: Element>(&self, velocity: &mut [T], parameters: &mut [T], gradient: &[T]) {
        let with = MomentumStep { rates: self.rates(), momentum: self.momentum, nesterov: self.nesterov };
        T::momentum(parameters, velocity, gradient, &with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_by_hand() {
        // The velocity is 2, then 0.5 * 2 + 3 = 4.
        let plain = 10.0 - 0.1 * 2.0 - 0.1 * 4.0;
        let ahead = 10.0 - 0.1 * (2.0 + 0.5 * 2.0) - 0.1 * (3.0 + 0.5 * 4.0);
        for (nesterov, expected) in [(false, plain), (true, ahead)] {
            let rule = Sgd::new(0.1, 0.5, nesterov).unwrap();
            let (mut p, mut v) = ([10.0_f64], [0.0]);
            rule.step(&mut v, &mut p, &[2.0]);
            rule.step(&mut v, &mut p, &[3.0]);
            assert_eq!(v, [4.0]);
            assert!((p[0] - expected).abs() < 1e-14, "{nesterov}");

            let scaled = rule.with_scaled_velocity(true);
            let (mut p, mut v) = ([10.0_f64], [0.0]);
            scaled.step(&mut v, &mut p, &[2.0]);
            scaled.step(&mut v, &mut p, &[3.0]);
            assert!((v[0] - 0.4).abs() < 1e-15 && (p[0] - expected).abs() < 1e-14, "{nesterov}");
        }
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for (rate, momentum, nesterov, message) in [
            (0.0, 0.0, false, "learning_rate is 0, expected a finite number > 0"),
            (f64::NAN, 0.0, false, "learning_rate is NaN, expected a finite number > 0"),
            (0.1, 1.1, false, "momentum is 1.1, expected a number in [0, 1]"),
            (0.1, 0.0, true, "nesterov is True, expected False, or a momentum > 0"),
        ] {
            assert_eq!(Sgd::new(rate, momentum, nesterov).unwrap_err().to_string(), message);
        }
    }
}
