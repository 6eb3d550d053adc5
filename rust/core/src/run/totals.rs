//! Totals of a gradient: its largest magnitude, and the penalty of the weights.

use std::sync::Mutex;

use crate::kernels::Element;
use crate::plan::Piece;
use crate::run::pass::Pass;
use crate::run::sync::{lock, unlocked};

/// The largest magnitude that any thread has seen.
#[derive(Default)]
pub(super) struct Largest(Mutex<f64>);

impl Largest {
    pub(super) fn see<T: Element>(&self, seen: T) {
        let seen: f64 = seen.into();
        let mut largest = lock(&self.0);
        // Once NaN it stays NaN.
        if seen.is_nan() || seen > *largest {
            *largest = seen;
        }
    }

    pub(super) fn magnitude(self) -> f64 {
        unlocked(self.0)
    }
}

/// Adds the penalty's share to a piece of the gradient, unless it is frozen, and sees its largest magnitude; returns the
/// sum of the squares of the piece's weights.
pub(super) fn penalize<T: Element>(
    pass: Pass<'_, T>,
    piece: &Piece,
    gradient: &mut [T],
    decay: f64,
    largest: &Largest,
) -> f64 {
    let (start, len) = (piece.start, piece.part.penalized);
    let (weights, others) = gradient.split_at_mut(len);
    let (squares, of_weights) = T::penalize(weights, &pass.parameters[start..start + len], decay);
    if pass.plan.frozen().has(piece.step) {
        gradient.fill(T::ZERO);
        return squares;
    }
    largest.see(of_weights);
    largest.see(T::largest_magnitude(others));
    squares
}
