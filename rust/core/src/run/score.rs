//! How well a network predicts rows: the accuracy of classes and of yes or no, R squared of numbers.

use crate::arch::Network;
use crate::data::{Dataset, Rows};
use crate::error::Result;
use crate::kernels::{Element, Output, first_greatest};
use crate::run::targets::TileTargets;

/// Rows whose targets are read at once.
const ROWS: usize = 256;

/// What rows add to a score.
#[derive(Clone, Debug)]
pub(super) struct Score {
    /// The sum of their weights, and that of those that are right.
    weight: f64,
    right: f64,
    /// For each output the weighted sum of squared errors.
    errors: Vec<f64>,
}

impl Score {
    pub(super) fn zero(d_out: usize) -> Self {
        Self { weight: 0.0, right: 0.0, errors: vec![0.0; d_out] }
    }

    /// Adds rows with these sums of the last layer.
    ///
    /// z: (n, `d_out`)
    pub(super) fn add_rows<T: Element>(&mut self, output: Output, z: &[T], targets: &TileTargets<T>) {
        let d_out = self.errors.len();
        for (i, (z, &weight)) in z.chunks_exact(d_out).zip(targets.weights()).enumerate() {
            let weight: f64 = weight.into();
            self.weight += weight;
            if output == Output::Softmax {
                if first_greatest(z).1 == targets.labels()[i] as usize {
                    self.right += weight;
                }
                continue;
            }
            let pairs = z.iter().zip(&targets.values()[i * d_out..(i + 1) * d_out]);
            if output == Output::Sigmoid {
                let mut each = pairs.map(|(&z, &y)| (z > T::ZERO) == (y.into() > 0.5));
                if each.all(|right| right) {
                    self.right += weight;
                }
                continue;
            }
            for (sum, (&z, &y)) in self.errors.iter_mut().zip(pairs) {
                let (z, y): (f64, f64) = (z.into(), y.into());
                let error = y - if output == Output::Exp { z.exp() } else { z };
                *sum += weight * error * error;
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.weight += other.weight;
        self.right += other.right;
        self.errors.iter_mut().zip(&other.errors).for_each(|(sum, error)| *sum += error);
    }

    /// The weighted share of the rows that are right.
    pub(super) fn accuracy(&self) -> f64 {
        self.right / self.weight
    }

    /// The mean over the outputs of 1 less the squared error over that of the mean target, for the `data` that was added
    /// with the same `scale`. An output whose targets are all the same counts 1 without an error, else 0.
    pub(super) fn r_squared<T: Element>(
        &self,
        network: &Network,
        data: &Dataset<'_, T>,
        scale: f64,
    ) -> Result<f64> {
        let of_mean = squared_deviations(network, data, scale)?;
        let of_outputs = self.errors.iter().zip(of_mean).map(|(&error, of_mean)| match (error, of_mean) {
            (0.0, 0.0) => 1.0,
            (_, 0.0) => 0.0,
            _ => 1.0 - error / of_mean,
        });
        Ok(of_outputs.sum::<f64>() / self.errors.len() as f64)
    }
}

/// For each output the weighted sum of the squared differences of the targets from their mean.
fn squared_deviations<T: Element>(network: &Network, data: &Dataset<'_, T>, scale: f64) -> Result<Vec<f64>> {
    let (n, d_out) = (data.n_rows(), network.layout().d_out());
    let mut targets = TileTargets::new(network, n.min(ROWS))?;
    let mut each = |f: &mut dyn FnMut(usize, f64, f64)| {
        for first in (0..n).step_by(ROWS) {
            targets.read(data, Rows::Range(first, n.min(first + ROWS)), scale);
            for (values, &weight) in targets.values().chunks_exact(d_out).zip(targets.weights()) {
                values.iter().enumerate().for_each(|(j, &y)| f(j, y.into(), weight.into()));
            }
        }
    };
    // The mean is taken from the first row on, so that targets that are all the same have exactly themselves for it.
    let (mut means, mut weights, mut squares) = (vec![f64::NAN; d_out], vec![0.0; d_out], vec![0.0; d_out]);
    each(&mut |j, y, weight| {
        weights[j] += weight;
        if means[j].is_nan() {
            means[j] = y;
        } else if weight > 0.0 {
            means[j] += weight / weights[j] * (y - means[j]);
        }
    });
    each(&mut |j, y, weight| squares[j] += weight * (y - means[j]) * (y - means[j]));
    Ok(squares)
}
