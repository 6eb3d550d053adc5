//! The network in plain loops and double precision: the truth the crate is tested against.

use fastmlp_core::{
    Activation, BatchNorm, Dense, HiddenActivation, InputScale, LayerNorm, Network, Parametric, Periodic,
    Prelu, Stage,
};
use ndarray::ArrayView1;

use super::index;

/// What mean and variance of a batch normalisation are: those of the rows, or the running ones.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Train,
    Predict,
}

/// A network as a function that is smooth in parameters and inputs.
///
/// A ReLU stays on the side of its kink where it was when the reference was made. The derivatives at that point
/// are those of the network, and differences around it never straddle a kink.
pub(crate) struct Reference<'a> {
    network: &'a Network,
    /// For each hidden sum, in the order they are computed, whether it is above 0.
    sides: Vec<bool>,
    /// The smallest distance of a hidden sum from 0.
    pub(crate) margin: f64,
    mode: Mode,
}

impl<'a> Reference<'a> {
    /// The reference around `parameters` and `x`.
    ///
    /// x: (n, `d_in`), row after row
    pub(crate) fn new(network: &'a Network, mode: Mode, parameters: &[f64], x: &[f64]) -> Self {
        let (mut sides, mut margin) = (Vec::new(), f64::INFINITY);
        forward(network, mode, parameters, x, |z| {
            sides.push(z > 0.0);
            margin = f64::min(margin, z.abs());
            z > 0.0
        });
        Self { network, sides, margin, mode }
    }

    /// Logits of the rows of `x`, row after row.
    pub(crate) fn logits(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        let mut sides = self.sides.iter();
        forward(self.network, self.mode, parameters, x, |_| *sides.next().unwrap())
    }

    /// Weighted mean of the rows' cross-entropies.
    pub(crate) fn loss(
        &self,
        parameters: &[f64],
        x: &[f64],
        classes: ArrayView1<'_, i64>,
        weights: &[f64],
    ) -> f64 {
        let logits = self.logits(parameters, x);
        let rows = logits.chunks(logits.len() / classes.len());
        let losses = rows.zip(classes).map(|(z, &class)| log_sum_exp(z) - z[index(class)]);
        losses.zip(weights).map(|(loss, weight)| weight * loss).sum::<f64>() / weights.iter().sum::<f64>()
    }
}

/// `ln(sum(exp(z)))`
pub(crate) fn log_sum_exp(z: &[f64]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + z.iter().map(|z| (z - largest).exp()).sum::<f64>().ln()
}

/// `f'(0)`: central differences with two steps, extrapolated so that the error is of fourth order in the step
/// (Richardson, 1911).
pub(crate) fn slope(f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1e-3;
    let central = |h: f64| (f(h) - f(-h)) / (2.0 * h);
    (4.0 * central(STEP / 2.0) - central(STEP)) / 3.0
}

/// `start + t * direction`
pub(crate) fn along(start: &[f64], t: f64, direction: &[f64]) -> Vec<f64> {
    start.iter().zip(direction).map(|(s, d)| s + t * d).collect()
}

/// Element product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Logits; `is_above` is called with every hidden sum and returns on which side of 0 it counts.
fn forward(
    network: &Network,
    mode: Mode,
    parameters: &[f64],
    x: &[f64],
    mut is_above: impl FnMut(f64) -> bool,
) -> Vec<f64> {
    let layout = network.layout();
    let (mut a, mut n_dense) = (x.to_vec(), 0);
    for (i, stage) in layout.stages().iter().enumerate() {
        let blocks = layout.blocks().iter().filter(|block| block.stage == i);
        let blocks: Vec<_> = blocks.map(|block| &parameters[block.range()]).collect();
        a = match *stage {
            Stage::Dense(Dense { d_in, d_out }) => {
                n_dense += 1;
                dense(&a, (blocks[0], blocks[1]), d_in, d_out)
            }
            Stage::Periodic(Periodic { d_in, inputs }) => periodic(&a, &blocks, d_in, inputs),
            Stage::InputScale(InputScale { width }) => {
                a.iter().enumerate().map(|(i, x)| x * blocks[0][i % width]).collect()
            }
            Stage::LayerNorm(LayerNorm { width }) => layer_norm(&a, blocks[0], blocks[1], width),
            Stage::BatchNorm(BatchNorm { width }) => batch_norm(&a, &blocks, width, mode),
            Stage::Prelu(Prelu { width }) => {
                let slope = |(i, x): (usize, &f64)| x * if is_above(*x) { 1.0 } else { blocks[0][i % width] };
                a.iter().enumerate().map(slope).collect()
            }
            Stage::Parametric(Parametric { width, activation }) => {
                let blend = |(i, x): (usize, &f64)| {
                    let alpha = blocks[0][i % width];
                    (1.0 - alpha) * x + alpha * activate(activation, *x, is_above(*x))
                };
                a.iter().enumerate().map(blend).collect()
            }
        };
        let ends_layer = n_dense > 0 && matches!(layout.stages().get(i + 1), Some(Stage::Dense(_)));
        let ends_layer = ends_layer && !network.parametric_activation();
        if let (true, HiddenActivation::Fixed(activation)) = (ends_layer, hidden(network, n_dense)) {
            for z in &mut a {
                *z = activate(activation, *z, is_above(*z));
            }
        }
    }
    a
}

/// The activation after dense layer number `n_dense`, from 1.
fn hidden(network: &Network, n_dense: usize) -> HiddenActivation {
    network.activations().get(n_dense.wrapping_sub(1)).copied().unwrap_or(HiddenActivation::Prelu)
}

fn dense(a: &[f64], (weights, biases): (&[f64], &[f64]), d_in: usize, d_out: usize) -> Vec<f64> {
    let mut z = Vec::with_capacity(a.len() / d_in * d_out);
    for row in a.chunks(d_in) {
        let first = z.len();
        z.extend_from_slice(biases);
        for (a, weights) in row.iter().zip(weights.chunks(d_out)) {
            for (z, weight) in z[first..].iter_mut().zip(weights) {
                *z += a * weight;
            }
        }
    }
    z
}

/// Each row, and behind it three features of each of its first `inputs` numbers.
fn periodic(a: &[f64], blocks: &[&[f64]], d_in: usize, inputs: usize) -> Vec<f64> {
    let [frequencies, phases, projections, offsets] = *blocks else { unreachable!("four blocks") };
    let feature = |j: usize, feature: usize, x: f64| {
        let of_cosine = |k: usize| {
            let turns = frequencies[16 * j + k] * x + phases[16 * j + k];
            projections[48 * j + 16 * feature + k] * (std::f64::consts::TAU * turns).cos()
        };
        offsets[3 * j + feature] + (0..16).map(of_cosine).sum::<f64>()
    };
    let mut z = vec![];
    for row in a.chunks(d_in) {
        z.extend(row);
        z.extend((0..3 * inputs).map(|i| feature(i / 3, i % 3, row[i / 3])));
    }
    z
}

fn layer_norm(a: &[f64], gains: &[f64], shifts: &[f64], width: usize) -> Vec<f64> {
    let normalized = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / width as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let numbers = row.iter().zip(gains).zip(shifts);
        numbers
            .map(|((x, gain), shift)| gain * (x - mean) / (variance + 1e-5).sqrt() + shift)
            .collect::<Vec<_>>()
    };
    a.chunks(width).flat_map(normalized).collect()
}

fn batch_norm(a: &[f64], blocks: &[&[f64]], width: usize, mode: Mode) -> Vec<f64> {
    let &[gains, shifts, means, variances] = blocks else { unreachable!("four blocks") };
    let column = |j: usize| a.iter().skip(j).step_by(width);
    let n = (a.len() / width) as f64;
    let moments = |j: usize| match mode {
        Mode::Predict => (means[j], variances[j]),
        Mode::Train => {
            let mean = column(j).sum::<f64>() / n;
            (mean, column(j).map(|x| (x - mean).powi(2)).sum::<f64>() / n)
        }
    };
    let moments: Vec<_> = (0..width).map(moments).collect();
    let normalized = |(i, x): (usize, &f64)| {
        let (j, (mean, variance)) = (i % width, moments[i % width]);
        gains[j] * (x - mean) / (variance + 1e-5).sqrt() + shifts[j]
    };
    a.iter().enumerate().map(normalized).collect()
}

fn activate(activation: Activation, z: f64, is_above: bool) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Relu => f64::from(u8::from(is_above)) * z,
        Activation::LeakyRelu => z * if is_above { 1.0 } else { 0.01 },
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Tanh => z.tanh(),
        Activation::Elu => elu(z, is_above),
        Activation::Selu => {
            1.050_700_987_355_480_5 * if is_above { z } else { 1.673_263_242_354_377_2 * elu(z, false) }
        }
        Activation::Gelu => 0.5 * z * (1.0 + erf(z / std::f64::consts::SQRT_2)),
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::Mish => z * softplus(z).tanh(),
        Activation::Softplus => softplus(z),
    }
}

fn elu(z: f64, is_above: bool) -> f64 {
    if is_above { z } else { z.exp_m1() }
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// Abramowitz and Stegun, 7.1.6.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, 0.0);
    for k in 1..300 {
        sum += term;
        term *= 2.0 * x * x / f64::from(2 * k + 1);
        if term.abs() < 1e-20 {
            break;
        }
    }
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}
