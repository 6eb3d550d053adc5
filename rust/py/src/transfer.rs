//! From one network to another: copies and blends; and layers that training leaves as they are.

use std::any::Any;

use pyo3::prelude::*;

use crate::engine::{Engine, Shared};
use crate::error::{BindError, BindResult};
use crate::integer::position;
use crate::optimizer::Stateful;

/// What a network of either type gives to another, takes from it, or keeps from training.
pub(crate) trait Transfer: Any {
    /// A network of its own with the same parameters, randomness and frozen layers.
    fn copied(&self) -> BindResult<Box<dyn Engine>>;
    /// Parameters that move towards those of another network.
    fn soft_update(&self, py: Python<'_>, other: &dyn Engine, tau: f64) -> BindResult<()>;
    /// The layers that training leaves as they are, in their order.
    fn frozen(&self) -> BindResult<Vec<usize>>;
    /// Lets training leave these layers as they are besides those that are frozen already, or no longer.
    fn freeze(&self, py: Python<'_>, layers: &[usize], is_frozen: bool) -> BindResult<()>;
}

impl<T: Stateful> Transfer for Shared<T> {
    fn copied(&self) -> BindResult<Box<dyn Engine>> {
        Ok(Self::of(self.mlp()?.copied()?))
    }

    fn soft_update(&self, py: Python<'_>, other: &dyn Engine, tau: f64) -> BindResult<()> {
        let any: &dyn Any = other;
        let Some(theirs) = any.downcast_ref::<Self>() else {
            let (found, expected) = (other.dtype(), self.dtype());
            return Err(BindError::Type(format!("other has dtype {found}, expected {expected}")));
        };
        if std::ptr::eq(self, theirs) {
            // Which no one can read while it is written to, and whose blend with itself it is.
            let copy = theirs.mlp()?.copied()?;
            return self.change(py, |mlp| Ok(mlp.soft_update(&copy, tau)?));
        }
        self.change(py, |mlp| Ok(mlp.soft_update(&*theirs.mlp()?, tau)?))
    }

    fn frozen(&self) -> BindResult<Vec<usize>> {
        Ok(self.mlp()?.frozen().to_vec())
    }

    fn freeze(&self, py: Python<'_>, layers: &[usize], is_frozen: bool) -> BindResult<()> {
        self.change(py, |mlp| {
            let mut frozen = mlp.frozen().to_vec();
            frozen.retain(|layer| !layers.contains(layer));
            if is_frozen {
                frozen.extend(layers);
            }
            Ok(mlp.set_frozen(&frozen)?)
        })
    }
}

/// `layers` of `freeze`: one or more of `n`, counted from the end where negative; None is all of them.
pub(crate) fn layers(object: Option<&Bound<'_, PyAny>>, n: usize) -> BindResult<Vec<usize>> {
    let Some(object) = object else { return Ok((0..n).collect()) };
    let Ok(items) = object.try_iter() else {
        if object.hasattr("__index__")? {
            return Ok(vec![position("layers", object, n, "layer")?]);
        }
        let expected = "None, an integer or a sequence of integers";
        return Err(BindError::type_error("layers", object, expected));
    };
    items.map(|item| position("layers", &item?, n, "layer")).collect()
}
