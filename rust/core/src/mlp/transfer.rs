//! Copies and blends of networks, and layers that training leaves unchanged.

use crate::arch::Layout;
use crate::data::Seeds;
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::mlp::model::Mlp;
use crate::plan::Plan;

impl<T: Element> Mlp<T> {
    /// A network with the same parameters, random state, loss function and frozen layers.
    pub fn copied(&self) -> Result<Self> {
        let mut copy = Self::zeros(self.network().clone(), 0)?;
        copy.parameters.copy_from_slice(&self.parameters);
        copy.seeds = Seeds::new(self.seeds());
        copy.loss_function.clone_from(&self.loss_function);
        copy.plan.freeze(self.frozen());
        Ok(copy)
    }

    /// Replaces the parameters, frozen ones too, by `tau` times those of another network with the same layers plus
    /// `1 - tau` times their old values.
    pub fn soft_update(&mut self, other: &Self, tau: f64) -> Result<()> {
        if !(0.0..=1.0).contains(&tau) {
            return Err(Error::value("tau", tau, "a number from 0 to 1"));
        }
        let [mine, theirs] = [&*self, other].map(|mlp| mlp.network().layout());
        if mine != theirs {
            let described = |layout: &Layout| {
                let sizes: Vec<_> = layout.layer_sizes().collect();
                format!("layers {sizes:?} and {} parameters", layout.n_parameters())
            };
            let expected = format!("one with the {} of this one", described(mine));
            return Err(Error::value("other", format!("a network with {}", described(theirs)), expected));
        }
        if tau == 1.0 {
            // Also if an old value is not finite.
            self.parameters.copy_from_slice(&other.parameters);
        } else {
            T::blend(&mut self.parameters, &other.parameters, tau);
        }
        Ok(())
    }

    /// Calls `f` with the parameters, and with the gradient set to 0 where they are frozen.
    pub(crate) fn with_trained_part<R>(
        &mut self,
        gradient: &[T],
        f: impl FnOnce((&Plan, &mut [T]), &[T]) -> Result<R>,
    ) -> Result<R> {
        if self.frozen().is_empty() {
            return f(self.parts_mut(), gradient);
        }
        let mut trained = self.take_gradient()?;
        trained.copy_from_slice(gradient);
        self.plan.frozen().clear(self.plan.pieces(), &mut trained);
        let result = f(self.parts_mut(), &trained);
        self.gradient = Some(trained);
        result
    }

    /// The layers that training leaves unchanged, in ascending order.
    pub fn frozen(&self) -> &[usize] {
        self.plan.frozen().layers()
    }

    /// Makes training leave these layers unchanged, and no others: the weights, biases, normalisation and slopes of a
    /// layer, and with the first layer the scale of the inputs. Their gradient becomes 0.
    pub fn set_frozen(&mut self, layers: &[usize]) -> Result<()> {
        let n = self.network().layout().layers().len();
        if let Some(&layer) = layers.iter().find(|&&layer| layer >= n) {
            return Err(Error::value("layers", layer, format!("numbers of {n} layers, from 0")));
        }
        self.plan.freeze(layers);
        Ok(())
    }
}
