//! The parameters that predictions of tiny networks are computed with: batch normalisations become part of the dense
//! layers before them.
//!
//! They are computed for each pass, because parameters may be written at any time, also through views.

use crate::arch::Stage;
use crate::error::Result;
use crate::kernels::Element;
use crate::memory::Buffer;
use crate::plan::Plan;
use crate::run::pass::Pass;

/// Buffers for the parameters of a folded network; empty for a network that is not folded.
#[derive(Debug, Default)]
pub(super) struct Folded<T: Element> {
    parameters: Buffer<T>,
    /// One number per unit of the widest layer.
    scratch: Buffer<T>,
}

impl<T: Element> Folded<T> {
    /// Allocates the buffers, if the network is to be folded.
    pub(super) fn reserve(&mut self, plan: &Plan) -> Result<()> {
        let Some(folded) = plan.folded().filter(|_| self.parameters.is_empty()) else { return Ok(()) };
        let widest = plan.steps().iter().map(|step| step.width).max().unwrap_or(0);
        self.parameters = Buffer::zeros("the folded parameters", folded.layout().n_parameters())?;
        self.scratch = Buffer::zeros("the folded parameters", widest)?;
        Ok(())
    }

    /// The pass with the folded network, if there is one.
    pub(super) fn pass<'a>(&'a mut self, pass: Pass<'a, T>) -> Pass<'a, T> {
        let Some(folded) = pass.plan.folded() else { return pass };
        let mut rest = &mut self.parameters[..];
        for (i, step) in pass.plan.steps().iter().enumerate() {
            if matches!(step.stage, Stage::BatchNorm(_)) {
                continue;
            }
            let from = pass.parameters_of(i);
            let (to, others) = rest.split_at_mut(from.len());
            rest = others;
            match pass.plan.steps().get(i + 1).map(|next| next.stage) {
                Some(Stage::BatchNorm(norm)) => {
                    let (biases, scratch) = (from.len() - step.width, &mut self.scratch[..step.width]);
                    let (from, to) = (from.split_at(biases), to.split_at_mut(biases));
                    norm.fold(pass.parameters_of(i + 1), from, to, scratch);
                }
                _ => to.copy_from_slice(from),
            }
        }
        Pass { plan: folded, parameters: &self.parameters, ..pass }
    }
}
