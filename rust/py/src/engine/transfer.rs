//! Copies and blends of networks, and layers that training leaves unchanged.

use std::any::Any;
use std::sync::Arc;

use pyo3::prelude::*;

use super::cell::NetworkCell;
use super::interface::{Engine, Transfer};
use crate::error::{BindError, BindResult};
use crate::loss_function::LossFunction;
use crate::optimizer::Stateful;

impl<T: Stateful> Transfer for NetworkCell<T> {
    fn copied(&self, loss_function: Option<&Arc<LossFunction>>) -> BindResult<Box<dyn Engine>> {
        Ok(Box::new(Self::of(self.mlp()?.copied()?, loss_function)))
    }

    fn soft_update(&self, py: Python<'_>, other: &dyn Engine, tau: f64) -> BindResult<()> {
        let any: &dyn Any = other;
        let Some(theirs) = any.downcast_ref::<Self>() else {
            let (found, expected) = (other.dtype(), self.dtype());
            return Err(BindError::Type(format!("other has dtype {found}, expected {expected}")));
        };
        if std::ptr::eq(self, theirs) {
            // The network cannot be read while it is written to.
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
