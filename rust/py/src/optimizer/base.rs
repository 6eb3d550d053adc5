//! The class `Optimizer`: a rule, options, and a state for the network it trains. Its methods stand in
//! `methods/optimizer.rs`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastmlp_core::{Adam as AdamRule, Error, Options, Rule, State};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::options::keywords;
use super::state::{AnyState, counted, loaded};
use crate::array::PyScalar;
use crate::error::{BindError, BindResult};
use crate::integer::integer;

#[doc = docstring!("Optimizer")]
#[pyclass(frozen, subclass, module = "fastmlp")]
pub(crate) struct Optimizer {
    rule: Mutex<Rule>,
    options: Options,
    state: Mutex<AnyState>,
    /// Whether a call trains with the optimizer; changed only while `state` is locked.
    pub(super) is_reserved: AtomicBool,
}

pub(super) const IN_USE: BindError =
    BindError::Busy("the optimizer is training a network: wait for that call to return");

impl Default for Optimizer {
    /// Adam, the optimizer of a fit to which none is given.
    fn default() -> Self {
        Self::new(Rule::Adam(AdamRule::default()), Options::default())
    }
}

impl Optimizer {
    pub(crate) fn new(rule: Rule, options: Options) -> Self {
        let (rule, state) = (Mutex::new(rule), Mutex::new(AnyState::New));
        Self { rule, options, state, is_reserved: AtomicBool::new(false) }
    }

    /// The rule as it is now.
    pub(crate) fn rule(&self) -> Rule {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The argument as an optimizer.
    pub(crate) fn extract<'a>(object: &'a Bound<'_, PyAny>) -> BindResult<&'a Self> {
        match object.cast::<Self>() {
            Ok(optimizer) => Ok(optimizer.get()),
            Err(_) => Err(BindError::type_error("optimizer", object, "fastmlp.SGD, Adam or AdamW")),
        }
    }

    /// Sets the learning rate, which counts from the next epoch or step on.
    pub(crate) fn change_learning_rate(&self, value: f64) -> BindResult<()> {
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        *rule = rule.with_learning_rate(value)?;
        Ok(())
    }

    /// The options of its steps.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn state(&self) -> MutexGuard<'_, AnyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for changes, unless a call trains with the optimizer.
    fn free_state(&self) -> BindResult<MutexGuard<'_, AnyState>> {
        let state = self.state();
        if self.is_reserved.load(Ordering::Relaxed) { Err(IN_USE) } else { Ok(state) }
    }

    /// Forgets the state, as if no step had been made.
    pub(crate) fn forget(&self) -> BindResult<()> {
        *self.free_state()? = AnyState::New;
        Ok(())
    }

    /// A copy of the state, for Python.
    pub(crate) fn saved<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        fn fill<T: PyScalar>(dict: &Bound<'_, PyDict>, rule: &Rule, state: &State<T>) -> PyResult<()> {
            dict.set_item("step", state.steps())?;
            for (name, slot) in rule.slots().iter().zip(state.slots()) {
                dict.set_item(name, PyArray1::from_slice(dict.py(), slot))?;
            }
            Ok(())
        }
        let (dict, rule) = (PyDict::new(py), self.rule());
        match &*self.state() {
            AnyState::New => dict.set_item("step", 0)?,
            AnyState::F32(state) => fill(&dict, &rule, state)?,
            AnyState::F64(state) => fill(&dict, &rule, state)?,
            AnyState::InUse => return Err(IN_USE),
        }
        Ok(dict)
    }

    /// Continues from a state that was [saved](Self::saved).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of u64")]
    pub(crate) fn load(&self, dict: &Bound<'_, PyDict>) -> BindResult<()> {
        let rule = self.rule();
        let missing =
            |key: &str| Error::value("state", format!("without {key:?}"), "what state_dict() returns");
        let step = dict.get_item("step")?.ok_or_else(|| missing("step"))?;
        let steps = integer("step", &step, 0..=i128::from(i64::MAX), "an integer >= 0")? as u64;
        if steps == 0 && dict.len() == 1 {
            return self.forget();
        }
        let arrays = rule.slots().iter().map(|name| dict.get_item(name)?.ok_or_else(|| missing(name).into()));
        let arrays: Vec<_> = arrays.collect::<BindResult<_>>()?;
        let state = if arrays.is_empty() {
            Some(AnyState::F64(counted(&rule, 0, steps)?))
        } else if let Some(state) = loaded::<f32>(&rule, steps, &arrays)? {
            Some(AnyState::F32(state))
        } else {
            loaded::<f64>(&rule, steps, &arrays)?.map(AnyState::F64)
        };
        let expected = "one-dimensional float32 or float64 arrays of one length and type";
        let state = state.ok_or_else(|| Error::value("state", "of other arrays", expected))?;
        *self.free_state()? = state;
        Ok(())
    }
}

/// The call that makes the same optimizer: its class, the settings of the rule as text, and the
/// options.
pub(super) fn call(optimizer: &Bound<'_, Optimizer>, class: &str, settings: &str) -> BindResult<String> {
    let options = keywords(optimizer.get().options(), optimizer.py())?;
    let shown = options.iter().map(|(name, value)| Ok(format!(", {name}={}", value.repr()?)));
    Ok(format!("{class}({settings}{})", shown.collect::<PyResult<String>>()?))
}

/// The arguments of pickle: the class, the settings of the rule, the options and the state.
pub(super) fn reduced<'py>(
    optimizer: &Bound<'py, Optimizer>,
    class: Bound<'py, PyType>,
    settings: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> BindResult<Bound<'py, PyTuple>> {
    let py = optimizer.py();
    let make = py.import("copyreg")?.getattr("__newobj_ex__")?;
    let arguments = (class, settings.into_pyobject(py)?, keywords(optimizer.get().options(), py)?);
    Ok((make, arguments, optimizer.get().saved(py)?).into_pyobject(py)?)
}
