//! Stochastic gradient descent, with momentum and Nesterov's lookahead.

use crate::error::{Error, Result};
use crate::scalar::Scalar;

use super::{check_decay, check_learning_rate};

/// `v = momentum v + g`, then `p -= learning_rate v`; with Nesterov's lookahead `p -= learning_rate (g + momentum v)`.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `learning_rate` | 0.01 | length of a step | finite, > 0 |
/// | `momentum` | 0 | share of the last step's velocity that is kept | [0, 1) |
/// | `nesterov` | false | take the gradient as if at the end of the step | needs momentum > 0 |
///
/// As torch writes it (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
}

impl Sgd {
    /// Checks the ranges of the table above.
    pub fn new(learning_rate: f64, momentum: f64, nesterov: bool) -> Result<Self> {
        check_learning_rate(learning_rate)?;
        check_decay("momentum", momentum)?;
        if nesterov && momentum == 0.0 {
            return Err(Error::value("nesterov", "True", "False, or a momentum > 0"));
        }
        Ok(Self { learning_rate, momentum, nesterov })
    }

    /// Length of a step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// The same rule with another learning rate.
    pub fn with_learning_rate(self, learning_rate: f64) -> Result<Self> {
        Self::new(learning_rate, self.momentum, self.nesterov)
    }

    /// Share of the velocity that is kept.
    pub fn momentum(&self) -> f64 {
        self.momentum
    }

    /// Nesterov's lookahead.
    pub fn nesterov(&self) -> bool {
        self.nesterov
    }

    pub(super) fn slots(&self) -> &'static [&'static str] {
        if self.momentum > 0.0 { &["velocity"] } else { &[] }
    }

    /// A step without momentum.
    pub(super) fn descend<T: Scalar>(&self, parameters: &mut [T], gradient: &[T]) {
        T::sgd(parameters, gradient, self.learning_rate);
    }

    /// A step with momentum.
    pub(super) fn step<T: Scalar>(&self, velocity: &mut [T], parameters: &mut [T], gradient: &[T]) {
        T::momentum(parameters, velocity, gradient, self.learning_rate, self.momentum, self.nesterov);
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
        }
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for (rate, momentum, nesterov, message) in [
            (0.0, 0.0, false, "learning_rate is 0, expected a finite number > 0"),
            (f64::NAN, 0.0, false, "learning_rate is NaN, expected a finite number > 0"),
            (0.1, 1.0, false, "momentum is 1, expected a number in [0, 1)"),
            (0.1, 0.0, true, "nesterov is True, expected False, or a momentum > 0"),
        ] {
            assert_eq!(Sgd::new(rate, momentum, nesterov).unwrap_err().to_string(), message);
        }
    }
}
