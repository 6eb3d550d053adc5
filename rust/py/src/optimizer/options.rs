//! The options of steps, which every optimizer has besides the settings of its rule.

use std::collections::BTreeMap;

use fastmlp_core::{Error, Groups, Options, RateSchedule, Role};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::Optimizer;
use crate::error::BindResult;

/// The arguments that define the options.
pub(super) struct OptionArguments<'a> {
    pub(super) clip_norm: Option<f64>,
    pub(super) schedule: Option<&'a str>,
    pub(super) warmup: Option<f64>,
    pub(super) lr_factors: Option<BTreeMap<String, f64>>,
    pub(super) decay_roles: Option<Vec<String>>,
}

impl OptionArguments<'_> {
    /// The options, whose ranges are checked.
    pub(super) fn options(self) -> BindResult<Options> {
        let schedule = match (self.schedule, self.warmup) {
            (Some(name), warmup) => Some(RateSchedule::new(name, warmup)?),
            (None, Some(warmup)) => {
                return Err(Error::value("warmup", warmup, "None without a schedule").into());
            }
            (None, None) => None,
        };
        let mut groups = Groups::default();
        for (name, factor) in self.lr_factors.iter().flatten() {
            groups = groups.with_factor(role("lr_factors", name)?, *factor)?;
        }
        if let Some(names) = self.decay_roles {
            let roles = names.iter().map(|name| role("decay_roles", name));
            groups = groups.with_decay_of(&roles.collect::<BindResult<Vec<_>>>()?);
        }
        Ok(Options::new(self.clip_norm, schedule, groups)?)
    }
}

fn role(argument: &'static str, name: &str) -> BindResult<Role> {
    Role::from_name(name).ok_or_else(|| {
        let names = Role::ALL.map(|role| format!("{:?}", role.name())).join(", ");
        Error::value(argument, format_args!("given for {name:?}"), format!("roles among {names}")).into()
    })
}

/// `lr_factors`: the factors that are not 1; None if all are.
#[allow(clippy::float_cmp, reason = "a factor of 1 leaves a learning rate as it is")]
pub(super) fn lr_factors<'py>(options: &Options, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let dict = PyDict::new(py);
    for role in Role::ALL {
        let factor = options.groups().factor(role);
        if factor != 1.0 {
            dict.set_item(role.name(), factor)?;
        }
    }
    Ok(Some(dict).filter(|dict| !dict.is_empty()))
}

/// `decay_roles`: the roles whose parameters decay; None if all do.
pub(super) fn decay_roles<'py>(options: &Options, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let decaying = |role: &Role| options.groups().decays(*role);
    let names: Vec<_> = Role::ALL.into_iter().filter(decaying).map(Role::name).collect();
    (names.len() < Role::ALL.len()).then(|| PyTuple::new(py, names)).transpose()
}

/// The arguments that are not the defaults, by name.
fn keywords<'py>(options: &Options, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let (dict, schedule) = (PyDict::new(py), options.schedule());
    let set =
        |name, value: Option<Bound<'py, PyAny>>| value.map_or(Ok(()), |value| dict.set_item(name, value));
    let number = |value: f64| value.into_pyobject(py).expect("a float").into_any();
    set("clip_norm", options.clip_norm().map(number))?;
    set("schedule", schedule.map(|schedule| schedule.name().into_pyobject(py).expect("a str").into_any()))?;
    set("warmup", schedule.and_then(RateSchedule::warmup).map(number))?;
    set("lr_factors", lr_factors(options, py)?.map(Bound::into_any))?;
    set("decay_roles", decay_roles(options, py)?.map(Bound::into_any))?;
    Ok(dict)
}

/// The call that makes the same optimizer: its class, the settings of the rule as text, and the
/// options.
pub(super) fn call(optimizer: &Bound<'_, Optimizer>, class: &str, settings: &str) -> BindResult<String> {
    let options = keywords(&optimizer.get().options, optimizer.py())?;
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
    let arguments = (class, settings.into_pyobject(py)?, keywords(&optimizer.get().options, py)?);
    Ok((make, arguments, optimizer.get().state_dict(py)?).into_pyobject(py)?)
}
