//! Optimizers: a rule, and the state it keeps for one network.
//!
//! A rule is one loop over the flat vectors of parameters, gradient and state.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// How parameters follow their gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam.
    Adam(Adam),
}

impl Rule {
    /// A bound of how far one step moves a parameter when no gradient is larger than `gradient`, with room to spare.
    pub(crate) fn reach(&self, gradient: f64) -> f64 {
        const ROOM: f64 = 8.0;
        match self {
            Self::Sgd(rule) => ROOM * rule.learning_rate() * gradient / (1.0 - rule.momentum()),
            // The mean of gradients over the root of the mean of their squares.
            Self::Adam(rule) => ROOM * rule.learning_rate() / (1.0 - rule.beta_2()).sqrt() + 0.0 * gradient,
        }
    }

    /// Length of a step.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(rule) => rule.learning_rate(),
            Self::Adam(rule) => rule.learning_rate(),
        }
    }

    /// The same rule with another learning rate.
    pub fn with_learning_rate(&self, learning_rate: f64) -> Result<Self> {
        Ok(match self {
            Self::Sgd(rule) => Self::Sgd(rule.with_learning_rate(learning_rate)?),
            Self::Adam(rule) => Self::Adam(rule.with_learning_rate(learning_rate)?),
        })
    }

    /// Names of the vectors the rule keeps between steps, each as long as the parameters.
    pub fn slots(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd(rule) => rule.slots(),
            Self::Adam(_) => Adam::SLOTS,
        }
    }
}

/// The state of a rule for one network: its vectors, and how many steps it made.
#[derive(Debug)]
pub struct State<T: Scalar> {
    steps: u64,
    slots: Vec<Buffer<T>>,
}

impl<T: Scalar> State<T> {
    /// Before the first step on `n_parameters`: all zeros.
    pub fn new(rule: &Rule, n_parameters: usize) -> Result<Self> {
        let zeros = |_: &&str| Buffer::zeros("the optimizer's state", n_parameters);
        let slots = rule.slots().iter().map(zeros).collect::<Result<_>>()?;
        Ok(Self { steps: 0, slots })
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
        self.slots.iter_mut().map(|slot| &mut **slot)
    }

    /// An error if it belongs to another rule, or to a network of another size.
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

    /// One step: the parameters follow the gradient.
    pub(crate) fn step(&mut self, rule: &Rule, parameters: &mut [T], gradient: &[T]) {
        self.steps += 1;
        match (rule, &mut self.slots[..]) {
            (Rule::Sgd(rule), []) => rule.descend(parameters, gradient),
            (Rule::Sgd(rule), [velocity]) => rule.step(velocity, parameters, gradient),
            (Rule::Adam(rule), [m, v]) => rule.step(self.steps, m, v, parameters, gradient),
            _ => unreachable!("the state was made for the rule"),
        }
    }
}

fn check_learning_rate(value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::value("learning_rate", value, "a finite number > 0"))
}

fn check_decay(name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::value(name, value, "a number in [0, 1)"))
}
