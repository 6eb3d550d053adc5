//! The state that a rule keeps between steps.

use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::memory::Buffer;

use super::rule::Rule;

/// The state of a rule for one network: its vectors, and the number of steps.
#[derive(Debug)]
pub struct State<T: Element> {
    pub(super) steps: u64,
    pub(super) slots: Vec<Buffer<T>>,
    /// An upper bound of the magnitudes in the first slot: of the velocity of gradient descent, or of the part of
    /// Adam's mean that the user set. `None` after the slots were lent for writing.
    pub(super) bound: Option<f64>,
}

impl<T: Element> State<T> {
    /// The state before the first step on `n_parameters`: all zeros.
    pub fn new(rule: &Rule, n_parameters: usize) -> Result<Self> {
        let zeros = |_: &&str| Buffer::zeros("the optimizer's state", n_parameters);
        let slots = rule.slots().iter().map(zeros).collect::<Result<_>>()?;
        Ok(Self { steps: 0, slots, bound: Some(0.0) })
    }

    /// Steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets the number of steps made.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// The vectors, in the order of [`Rule::slots`].
    pub fn slots(&self) -> impl Iterator<Item = &[T]> {
        self.slots.iter().map(|slot| &**slot)
    }

    /// The vectors, to be set.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.bound = None;
        self.slots.iter_mut().map(|slot| &mut **slot)
    }

    /// Fails if the state belongs to another rule, or to a network of another size.
    pub fn check(&self, rule: &Rule, n_parameters: usize) -> Result<()> {
        if self.slots.len() != rule.slots().len() {
            let found = format_args!("the state of a rule with {} vectors", self.slots.len()).to_string();
            return Err(Error::value("state", found, format!("{}: {:?}", rule.slots().len(), rule.slots())));
        }
        match self.slots.first() {
            Some(slot) if slot.len() != n_parameters => {
                Err(Error::OptimizerState { found: slot.len(), expected: n_parameters })
            }
            _ => Ok(()),
        }
    }

    /// Whether the next step is so short that nothing can overflow, and the bound after that step. A finite parameter
    /// then stays finite, because near the largest number of either type such a step is below rounding.
    pub(super) fn cannot_overflow_in_next_step(&self, rule: &Rule, largest: f64) -> (bool, f64) {
        /// A step that is far longer than any in a training that goes well.
        const LONG: f64 = 1e6;
        /// A number whose square is far from the largest f32.
        const STEEP: f64 = 1e15;
        let held = match (self.bound, self.slots.first()) {
            (Some(bound), _) => bound,
            (None, slot) => slot.map_or(0.0, |slot| T::largest_magnitude(slot).into()),
        };
        match rule {
            Rule::Sgd(rule) => {
                let (into_velocity, rate) = rule.rates();
                let velocity = rule.momentum() * held + into_velocity * largest;
                let short = velocity < STEEP && rate * (into_velocity * largest + velocity) < LONG;
                // An infinite rate turns a gradient of 0 into NaN.
                (short && T::from_f64(rule.learning_rate()).is_finite(), velocity)
            }
            // By Cauchy and Schwarz a mean of gradients is at most `reach` times the root of the mean of their squares;
            // a mean that the user set, or whose squares are below the normal range, may be larger, and is divided by
            // at least epsilon.
            Rule::Adam(rule) => {
                let (b1, b2) = (rule.beta_1(), rule.beta_2());
                let reach = (1.0 - b1) / ((1.0 - b2) * (1.0 - b1 * b1 / b2)).sqrt();
                let foreign = b1 * held;
                let epsilon = rule.epsilon().max(T::LIMITS.least_divisor());
                let longest = rule.learning_rate() * (reach + foreign / epsilon) / (1.0 - b1);
                // The decay of a parameter is no larger than the parameter.
                let decay: f64 = T::from_f64(rule.learning_rate() * rule.weight_decay()).into();
                let short = b1 * b1 < b2 && longest < LONG && largest < STEEP;
                (short && decay <= 1.0, foreign)
            }
        }
    }
}
