//! The state of an optimizer, for networks of either element type.

use fastmlp_core::{Error, Rule, State};
use numpy::{PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{PyScalar, borrow, untyped};
use crate::error::BindResult;

/// The state of either element type.
pub(crate) enum AnyState {
    /// Before the first step.
    New,
    /// Of a network of float32.
    F32(State<f32>),
    /// Of a network of float64.
    F64(State<f64>),
    /// Lent to a call that trains.
    InUse,
}

impl AnyState {
    pub(super) fn steps(&self) -> u64 {
        match self {
            Self::F32(state) => state.steps(),
            Self::F64(state) => state.steps(),
            Self::New | Self::InUse => 0,
        }
    }
}

/// A state after some steps, with vectors of zeros.
pub(super) fn counted<T: PyScalar>(
    rule: &Rule,
    n_parameters: usize,
    steps: u64,
) -> fastmlp_core::Result<State<T>> {
    let mut state = State::new(rule, n_parameters)?;
    state.set_steps(steps);
    Ok(state)
}

/// Element types whose state can be wrapped in [`AnyState`].
pub(crate) trait Stateful: PyScalar {
    fn wrap(state: State<Self>) -> AnyState;
    /// The state, or the argument if it is not of this type.
    fn unwrap(state: AnyState) -> Result<State<Self>, AnyState>;
}

impl Stateful for f32 {
    fn wrap(state: State<Self>) -> AnyState {
        AnyState::F32(state)
    }
    fn unwrap(state: AnyState) -> Result<State<Self>, AnyState> {
        if let AnyState::F32(state) = state { Ok(state) } else { Err(state) }
    }
}

impl Stateful for f64 {
    fn wrap(state: State<Self>) -> AnyState {
        AnyState::F64(state)
    }
    fn unwrap(state: AnyState) -> Result<State<Self>, AnyState> {
        if let AnyState::F64(state) = state { Ok(state) } else { Err(state) }
    }
}

/// A state with these vectors, if all have this type and the same length.
pub(super) fn loaded<T: PyScalar>(
    rule: &Rule,
    steps: u64,
    arrays: &[Bound<'_, PyAny>],
) -> BindResult<Option<State<T>>> {
    fn vector<'py, T: PyScalar>(array: &Bound<'py, PyAny>) -> Option<PyReadonlyArray1<'py, T>> {
        let array = untyped("state", array, String::new).ok().filter(|array| array.ndim() == 1)?;
        borrow("state", &array, String::new).ok()
    }
    let Some(arrays) = arrays.iter().map(vector::<T>).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let len = arrays[0].as_array().len();
    if arrays.iter().any(|array| array.as_array().len() != len) {
        return Ok(None);
    }
    for (name, array) in rule.slots().iter().zip(&arrays) {
        // The moment of squares is never negative.
        let least = if *name == "v" { 0.0 } else { f64::NEG_INFINITY };
        let wrong = |value: &&T| !value.is_finite() || Into::<f64>::into(**value) < least;
        if let Some(&value) = array.as_array().iter().find(wrong) {
            let expected = if least == 0.0 { "finite numbers >= 0" } else { "finite numbers" };
            return Err(Error::value("state", format_args!("{value:?} in {name:?}"), expected).into());
        }
    }
    let mut state = counted(rule, len, steps)?;
    for (slot, array) in state.slots_mut().zip(&arrays) {
        for (to, &from) in slot.iter_mut().zip(array.as_array()) {
            *to = from;
        }
    }
    Ok(Some(state))
}
