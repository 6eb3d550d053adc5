//! Adam, and with decoupled weight decay AdamW.

use crate::error::{Error, Result};
use crate::kernels::{AdamStep, Element};

use super::ranges::{check_decay, check_learning_rate};

/// `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g²`, then
/// `p -= learning_rate (weight_decay p + (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon))` in step `t`.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `learning_rate` | 0.001 | length of a step | finite, > 0 |
/// | `beta_1` | 0.9 | memory of the gradient's mean | [0, 1) |
/// | `beta_2` | 0.999 | memory of its square | [0, 1) |
/// | `epsilon` | 1e-8 | keeps the quotient finite | finite, > 0 |
/// | `epsilon_hat` | false | `(m / (1 - beta_1^t)) sqrt(1 - beta_2^t) / (sqrt(v) + epsilon)` instead | |
/// | `weight_decay` | 0 | pulls every parameter towards 0, or those of [some roles](super::Groups::with_decay_of) | finite, >= 0 |
///
/// Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1, and with
/// `epsilon_hat` the variant at the end of its section 2, which scikit-learn uses; with a weight decay it is `AdamW` of
/// Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, as torch writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    learning_rate: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    epsilon_hat: bool,
    weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            epsilon_hat: false,
            weight_decay: 0.0,
        }
    }
}

impl Adam {
    pub(super) const SLOTS: &'static [&'static str] = &["m", "v"];

    /// Adam without weight decay; checks the ranges of the table above.
    pub fn new(learning_rate: f64, beta_1: f64, beta_2: f64, epsilon: f64) -> Result<Self> {
        check_learning_rate(learning_rate)?;
        check_decay("beta_1", beta_1)?;
        check_decay("beta_2", beta_2)?;
        if !(epsilon.is_finite() && epsilon > 0.0) {
            return Err(Error::value("epsilon", epsilon, "a finite number > 0"));
        }
        Ok(Self { learning_rate, beta_1, beta_2, epsilon, epsilon_hat: false, weight_decay: 0.0 })
    }

    /// The same rule with a weight decay.
    pub fn with_weight_decay(self, weight_decay: f64) -> Result<Self> {
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return Err(Error::value("weight_decay", weight_decay, "a finite number >= 0"));
        }
        Ok(Self { weight_decay, ..self })
    }

    /// The same rule with epsilon added to the root before its correction.
    #[must_use]
    pub fn with_epsilon_hat(self, epsilon_hat: bool) -> Self {
        Self { epsilon_hat, ..self }
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

    pub(super) fn without_decay(self) -> Self {
        Self { weight_decay: 0.0, ..self }
    }

    /// Memory of the gradient's mean.
    pub fn beta_1(&self) -> f64 {
        self.beta_1
    }

    /// Memory of the gradient's square.
    pub fn beta_2(&self) -> f64 {
        self.beta_2
    }

    /// Keeps the quotient finite.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// Whether epsilon is added to the root before its correction.
    pub fn epsilon_hat(&self) -> bool {
        self.epsilon_hat
    }

    /// How strongly every parameter is pulled towards 0.
    pub fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Step number `t`, from 1.
    pub(super) fn step<T: Element>(
        &self,
        t: u64,
        m: &mut [T],
        v: &mut [T],
        parameters: &mut [T],
        gradient: &[T],
    ) {
        let with = AdamStep {
            step: t,
            rate: self.learning_rate,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            epsilon_hat: self.epsilon_hat,
            weight_decay: self.weight_decay,
        };
        T::adam(parameters, m, v, gradient, &with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate() {
        let rule = Adam::default();
        for gradient in [1e-3_f64, 1.0, -1e3] {
            let (mut p, mut m, mut v) = ([0.0], [0.0], [0.0]);
            rule.step(1, &mut m, &mut v, &mut p, &[gradient]);
            assert!((p[0].abs() - 1e-3).abs() < 1e-7, "{gradient}: {}", p[0]);
            assert!(p[0] * gradient < 0.0);
        }
    }

    #[test]
    fn a_tiny_gradient_gives_a_finite_step() {
        let rule = Adam::default();
        let (mut p, mut m, mut v) = ([0.0_f32], [0.0], [0.0]);
        for t in 1..=1_000_000 {
            rule.step(t, &mut m, &mut v, &mut p, &[1e-30]);
        }
        assert!(p[0].is_finite() && p[0] <= 0.0);
    }

    #[test]
    fn weight_decay_comes_beside_the_step() {
        let adam = Adam::new(0.125, 0.9, 0.999, 1e-8).unwrap();
        let decaying = adam.with_weight_decay(0.5).unwrap();
        // Without a gradient only the decay is left.
        let (mut p, mut m, mut v) = ([8.0_f64, -4.0, 0.0], [0.0; 3], [0.0; 3]);
        decaying.step(1, &mut m, &mut v, &mut p, &[0.0; 3]);
        assert_eq!(p, [7.5, -3.75, 0.0]);
        // The moments do not depend on the decay.
        let (mut plain_m, mut plain_v) = (m, v);
        for t in 2..20 {
            let (before, mut plain) = (p, p);
            decaying.step(t, &mut m, &mut v, &mut p, &[0.5, 2.0, -1.0]);
            adam.step(t, &mut plain_m, &mut plain_v, &mut plain, &[0.5, 2.0, -1.0]);
            for i in 0..3 {
                assert!((plain[i] - 0.0625 * before[i] - p[i]).abs() < 1e-14, "{t}");
            }
        }
        assert_eq!((m, v), (plain_m, plain_v));
    }

    #[test]
    fn another_learning_rate_keeps_the_rest() {
        let rule = Adam::new(0.1, 0.8, 0.99, 1e-6).unwrap().with_weight_decay(0.25).unwrap();
        let expected = Adam::new(0.2, 0.8, 0.99, 1e-6).unwrap().with_weight_decay(0.25).unwrap();
        assert_eq!(rule.with_learning_rate(0.2).unwrap(), expected);
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for (rate, beta_1, beta_2, epsilon, message) in [
            (-1.0, 0.9, 0.999, 1e-8, "learning_rate is -1, expected a finite number > 0"),
            (1e-3, 1.0, 0.999, 1e-8, "beta_1 is 1, expected a number in [0, 1)"),
            (1e-3, 0.9, -0.1, 1e-8, "beta_2 is -0.1, expected a number in [0, 1)"),
            (1e-3, 0.9, 0.999, 0.0, "epsilon is 0, expected a finite number > 0"),
        ] {
            assert_eq!(Adam::new(rate, beta_1, beta_2, epsilon).unwrap_err().to_string(), message);
        }
        for (weight_decay, found) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let message = Adam::default().with_weight_decay(weight_decay).unwrap_err().to_string();
            assert_eq!(message, format!("weight_decay is {found}, expected a finite number >= 0"));
        }
    }
}
