//! Dispatch from a stage to the operation of its kind.

use crate::arch::Stage;
use crate::kernels::Element;
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part};

/// The one match on the kind of a stage, made once per stage and tile and never inside a loop over numbers.
macro_rules! on_each {
    ($stage:expr, $of:ident => $do:expr) => {
        match $stage {
            Stage::Dense($of) => $do,
            Stage::Periodic($of) => $do,
            Stage::InputScale($of) => $do,
            Stage::LayerNorm($of) => $do,
            Stage::BatchNorm($of) => $do,
            Stage::Prelu($of) => $do,
            Stage::Parametric($of) => $do,
        }
    };
}

impl Operation for Stage {
    fn width(&self) -> usize {
        on_each!(self, stage => stage.width())
    }

    fn kept(&self) -> usize {
        on_each!(self, stage => stage.kept())
    }

    fn flops(&self) -> usize {
        on_each!(self, stage => stage.flops())
    }

    fn parts(&self) -> Vec<Part> {
        on_each!(self, stage => stage.parts())
    }

    fn scratch_len<T: Element>(&self, n: usize, forward_only: bool) -> usize {
        on_each!(self, stage => stage.scratch_len::<T>(n, forward_only))
    }

    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>) {
        on_each!(self, stage => stage.forward(parameters, io));
    }

    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>) {
        on_each!(self, stage => stage.backward(parameters, io));
    }

    fn gradient<T: Element>(&self, io: Gradient<'_, T>) {
        on_each!(self, stage => stage.gradient(io));
    }
}
