//! Access to an optimizer: one training call at a time, and to its state one piece of work at a time.

use std::sync::atomic::Ordering;

use fastmlp_core::{Error, Options, Rule, State};

use super::state::{AnyState, Stateful, counted};
use super::{IN_USE, Optimizer};
use crate::error::BindResult;

/// The right to train with an optimizer, which one call has at a time.
pub(crate) struct Reservation<'a>(&'a Optimizer);

impl Optimizer {
    /// Reserves the optimizer for a call: in the meantime others can read its state between two
    /// loans, but not change it.
    pub(crate) fn reserve(&self) -> BindResult<Reservation<'_>> {
        let _state = self.state();
        if self.is_reserved.swap(true, Ordering::Relaxed) {
            return Err(IN_USE);
        }
        Ok(Reservation(self))
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let _state = self.0.state();
        self.0.is_reserved.store(false, Ordering::Relaxed);
    }
}

impl Reservation<'_> {
    /// The options of its steps.
    pub(crate) fn options(&self) -> Options {
        self.0.options
    }

    /// Lends the state for training a network of `n_parameters`.
    pub(crate) fn lend<T: Stateful>(&self, n_parameters: usize) -> BindResult<Loan<'_, T>> {
        let rule = self.0.rule();
        let mut held = self.0.state();
        let state = match std::mem::replace(&mut *held, AnyState::InUse) {
            AnyState::InUse => return Err(IN_USE),
            AnyState::New => State::new(&rule, n_parameters).map_err(|error| (error, AnyState::New)),
            other => match T::unwrap(other) {
                Ok(state) => match state.check(&rule, n_parameters) {
                    Ok(()) => Ok(state),
                    Err(error) => Err((error, T::wrap(state))),
                },
                // Plain descent keeps only a count, which has no element type.
                Err(other) if rule.slots().is_empty() => {
                    counted(&rule, n_parameters, other.steps()).map_err(|error| (error, other))
                }
                Err(other) => Err((
                    Error::value(
                        "optimizer",
                        "one that trained a network of another dtype",
                        format!("a new one, or its reset(), for a network of {}", T::DTYPE),
                    ),
                    other,
                )),
            },
        };
        match state {
            Ok(state) => Ok(Loan { optimizer: self.0, state: Some(state) }),
            Err((error, before)) => {
                *held = before;
                Err(error.into())
            }
        }
    }
}

/// A state on loan, which is returned when this is dropped.
pub(crate) struct Loan<'a, T: Stateful> {
    optimizer: &'a Optimizer,
    state: Option<State<T>>,
}

impl<T: Stateful> Loan<'_, T> {
    /// The rule as it is now: a callback may have changed the learning rate.
    pub(crate) fn rule(&self) -> Rule {
        self.optimizer.rule()
    }

    pub(crate) fn state(&mut self) -> &mut State<T> {
        self.state.as_mut().expect("a loan has its state until it is dropped")
    }
}

impl<T: Stateful> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            // A state without steps belongs to no network.
            *self.optimizer.state() = if state.steps() == 0 { AnyState::New } else { T::wrap(state) };
        }
    }
}
