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
    /// Adam or `AdamW`.
    Adam(Adam),
}

impl Rule {
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
    /// A bound of the magnitudes in the first slot: of the velocity of gradient descent, of what of Adam's mean was set
    /// from outside. None if somebody may just have set them.
    bound: Option<f64>,
}

impl<T: Scalar> State<T> {
    /// Before the first step on `n_parameters`: all zeros.
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

    /// One step: the parameters follow the gradient, whose largest magnitude is known. False, and nothing is changed,
    /// if a parameter or the state would not stay finite.
    ///
    /// Only a step so long that it might overflow needs memory: for a copy of what it changes.
    pub(crate) fn step(
        &mut self,
        rule: &Rule,
        parameters: &mut [T],
        gradient: &[T],
        largest: f64,
    ) -> Result<bool> {
        if self.is_next_step_tame(rule, largest) {
            self.apply(rule, parameters, gradient);
            return Ok(true);
        }
        let before = copied(parameters)?;
        let slots = self.slots().map(copied).collect::<Result<Vec<_>>>()?;
        self.apply(rule, parameters, gradient);
        let is_finite = |values: &[T]| T::largest_magnitude(values).is_finite();
        if is_finite(parameters) && self.slots().all(is_finite) {
            return Ok(true);
        }
        self.steps -= 1;
        self.bound = None;
        parameters.copy_from_slice(&before);
        for (slot, before) in self.slots.iter_mut().zip(&slots) {
            slot.copy_from_slice(before);
        }
        Ok(false)
    }

    /// Whether the next step is so short that nothing can overflow: a parameter that is finite stays so, for next to the
    /// largest number of either type such a step is less than rounding. Carries the bound on to that step.
    fn is_next_step_tame(&mut self, rule: &Rule, largest: f64) -> bool {
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
                let velocity = rule.momentum() * held + largest;
                self.bound = Some(velocity);
                // An infinite rate makes NaN of a gradient of 0.
                let rate = rule.learning_rate();
                T::from_f64(rate).is_finite() && velocity < STEEP && rate * (largest + velocity) < LONG
            }
            // By Cauchy and Schwarz a mean of gradients is at most `reach` times the root of the mean of their squares;
            // a mean that was set from outside may be larger, and is divided by epsilon at least.
            Rule::Adam(rule) => {
                let (b1, b2) = (rule.beta_1(), rule.beta_2());
                let reach = (1.0 - b1) / ((1.0 - b2) * (1.0 - b1 * b1 / b2)).sqrt();
                let foreign = b1 * held;
                self.bound = Some(foreign);
                // An epsilon that the type rounds to 0 makes NaN of a gradient of 0.
                let epsilon: f64 = T::from_f64(rule.epsilon()).into();
                let longest = rule.learning_rate() * (reach + foreign / epsilon) / (1.0 - b1);
                // What is taken from a parameter as decay is no larger than the parameter.
                let decay: f64 = T::from_f64(rule.learning_rate() * rule.weight_decay()).into();
                b1 * b1 < b2 && epsilon > 0.0 && decay <= 1.0 && longest < LONG && largest < STEEP
            }
        }
    }

    fn apply(&mut self, rule: &Rule, parameters: &mut [T], gradient: &[T]) {
        self.steps += 1;
        match (rule, &mut self.slots[..]) {
            (Rule::Sgd(rule), []) => rule.descend(parameters, gradient),
            (Rule::Sgd(rule), [velocity]) => rule.step(velocity, parameters, gradient),
            (Rule::Adam(rule), [m, v]) => rule.step(self.steps, m, v, parameters, gradient),
            _ => unreachable!("the state was made for the rule"),
        }
    }
}

fn copied<T: Scalar>(values: &[T]) -> Result<Buffer<T>> {
    let mut copy = Buffer::zeros("a step that might overflow", values.len())?;
    copy.copy_from_slice(values);
    Ok(copy)
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
