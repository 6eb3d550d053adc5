//! Loss and gradient of a net with few inputs, one hidden layer and few classes, in two sweeps.
//!
//! Shapes: X `(inputs, n)`, feature-major; W1 `(inputs, hidden)`, b1 `(hidden)`, W2 `(hidden, classes)`,
//! b2 `(classes)`, one after the other in the flat parameters and likewise in the gradient.
//!
//! The forward sweep has rows in lanes: logits of a few vectors of rows stay in registers while the
//! hidden units run by, up to the gradient of the loss with respect to them. The backward sweep has
//! hidden units in lanes: all gradients of a vector of units stay in registers while the rows run by.
//! Hidden values are computed again in the backward sweep, which costs less than keeping them; it would not for tanh
//! and the logistic function, so that networks with these go layer by layer.
//!
//! A softmax does not change when all logits do by the same number, and its gradient sums to 0 over classes. Both
//! sweeps therefore have one class less: logits are those less the last one, the gradient of which is what the
//! others lack to 0.
//!
//! Sums over rows have one order, whatever the instruction set: even rows, odd rows, then both; or lane by lane for
//! the last units, where they have rows in lanes.

mod backward;
mod forward;
mod inference;
mod row;

use super::activation::{Function, Identity, LeakyRelu, Relu};
use super::by_output::losses_by_output;
use super::cross_entropy::cross_entropy_by_class;
use super::vector::{all_below, sum};
use crate::activation::Activation;
use crate::loss::{Bounds, Tally};
use crate::network::Network;
use crate::output::Output;
use crate::scalar::Scalar;
use backward::backward;
use forward::forward;

/// Calls a sweep compiled for the least shape that holds so many inputs and sums.
macro_rules! by_shape {
    ($inputs:expr, $sums:expr, $sweep:ident::<$t:ty, $f:ty>$arguments:tt) => {
        by_shape!(@match $inputs, $sums, $sweep, $t, $f, $arguments, 2: 1 2 3 8; 4: 1 2 3 8; 8: 1 2 3 8;)
    };
    (@match $inputs:expr, $sums:expr, $sweep:ident, $t:ty, $f:ty, $arguments:tt,
     $($least:literal: $one:literal $two:literal $three:literal $eight:literal;)*) => {
        match ($inputs, $sums) {
            $(
                (..=$least, ..=$one) => $sweep::<$t, $least, $one, $f>$arguments,
                (..=$least, ..=$two) => $sweep::<$t, $least, $two, $f>$arguments,
                (..=$least, ..=$three) => $sweep::<$t, $least, $three, $f>$arguments,
                (..=$least, ..=$eight) => $sweep::<$t, $least, $eight, $f>$arguments,
            )*
            _ => unreachable!("the constructor limits the shape"),
        }
    };
}

use by_shape;

/// Most inputs.
const MOST_INPUTS: usize = 8;
/// Most classes.
const MOST_CLASSES: usize = 8;

/// The architecture of a net for which these kernels are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TinyNet {
    inputs: usize,
    hidden: usize,
    classes: usize,
    activation: Activation,
    output: Output,
}

/// A batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a, T> {
    /// X: feature i of row q is `x[i * x_stride + q]`.
    pub(crate) x: &'a [T],
    /// Distance of features, at least the number of rows.
    pub(crate) x_stride: usize,
    /// Classes, one for each row, of a net that ends in a softmax.
    pub(crate) labels: &'a [u32],
    /// Targets, one for each row, of another.
    pub(crate) values: &'a [T],
    /// Weights of the losses, one for each row.
    pub(crate) weights: &'a [T],
}

/// The inputs of some rows, feature-major.
#[derive(Clone, Copy, Debug)]
struct Features<'a, T> {
    /// Feature i of row q is `values[i * stride + q]`.
    values: &'a [T],
    stride: usize,
    /// Number of rows, at most `stride`.
    rows: usize,
}

impl TinyNet {
    /// The network, if it is one of these.
    pub(crate) fn new(network: &Network) -> Option<Self> {
        let cheap = |net: &Self| {
            matches!(net.activation, Activation::Identity | Activation::Relu | Activation::LeakyRelu)
        };
        Self::without_gradient(network).filter(cheap)
    }

    /// The network, if it is one of these as far as [`TinyNet::forward`] goes, for which any activation will do.
    pub(crate) fn without_gradient(network: &Network) -> Option<Self> {
        let &[activation] = network.activations() else { return None };
        let (inputs, classes) = (network.layout().d_in(), network.layout().d_out());
        let output = network.output();
        // The losses of outputs that stand apart take rows of them; one output lies in a row as in a column.
        let fits =
            if output == Output::Softmax { (2..=MOST_CLASSES).contains(&classes) } else { classes == 1 };
        let hidden = network.layout().layers()[0].d_out;
        (inputs <= MOST_INPUTS && fits).then_some(Self { inputs, hidden, classes, activation, output })
    }

    /// Number of parameters.
    fn parameters(&self) -> usize {
        self.hidden * (self.inputs + 1 + self.classes) + self.classes
    }

    /// Sums of a row whose gradients make those of all classes.
    fn free_sums(&self) -> usize {
        if self.output == Output::Softmax { self.classes - 1 } else { self.classes }
    }

    /// Elements of scratch that [`TinyNet::gradient`] needs for `n` rows.
    pub(crate) fn scratch_len<T: Scalar>(&self, n: usize) -> usize {
        self.free_sums() * n.next_multiple_of(T::LANES)
    }

    /// Adds the gradient of the weighted sum of losses to `gradient` and returns that sum.
    ///
    /// # Panics
    /// If a length does not fit or a label is not below the number of classes.
    pub(crate) fn gradient<T: Scalar>(
        &self,
        batch: &Batch<'_, T>,
        parameters: &[T],
        gradient: &mut [T],
        bounds: Bounds,
        scratch: &mut [T],
    ) -> Tally {
        let n = batch.weights.len();
        if n == 0 {
            return Tally::default();
        }
        assert_eq!(parameters.len(), self.parameters(), "parameters");
        assert_eq!(gradient.len(), self.parameters(), "gradient");
        let n_targets = if self.output == Output::Softmax { batch.labels.len() } else { batch.values.len() };
        assert_eq!(n_targets, n, "targets and weights");
        assert!(n <= batch.x_stride, "rows and distance of features");
        assert!((self.inputs - 1) * batch.x_stride + n <= batch.x.len(), "X is too short");
        assert!(self.scratch_len::<T>(n) <= scratch.len(), "scratch is too short");
        let classes = self.classes;
        assert!(all_below(batch.labels, classes), "labels are below {classes}");

        match self.activation {
            Activation::Relu => self.sweep(batch, parameters, gradient, bounds, scratch, &Relu),
            Activation::LeakyRelu => self.sweep(batch, parameters, gradient, bounds, scratch, &LeakyRelu),
            Activation::Identity => self.sweep(batch, parameters, gradient, bounds, scratch, &Identity),
            Activation::Sigmoid | Activation::Tanh => unreachable!("the constructor declines them"),
        }
    }

    fn sweep<T: Scalar, F: Function>(
        &self,
        batch: &Batch<'_, T>,
        parameters: &[T],
        gradient: &mut [T],
        bounds: Bounds,
        d: &mut [T],
        f: &F,
    ) -> Tally {
        let n = batch.weights.len();
        let x = &Features { values: batch.x, stride: batch.x_stride, rows: n };
        by_shape!(
            self.inputs,
            self.free_sums(),
            forward::<T, F>(self, self.free_sums(), x, parameters, d, f)
        );
        let bias = self.parameters() - self.classes;
        let tally = if self.output == Output::Softmax {
            let apart = n.next_multiple_of(T::LANES);
            cross_entropy_by_class(d, apart, batch.labels, batch.weights, &mut gradient[bias..], bounds)
        } else {
            let tally = losses_by_output(self.output, &mut d[..n], batch.values, batch.weights, bounds);
            gradient[bias] += sum(&d[..n]);
            tally
        };
        by_shape!(self.inputs, self.free_sums(), backward::<T, F>(self, batch, parameters, gradient, d, f));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, TinyNet};
    use crate::activation::Activation;
    use crate::kernels::activation::{backward, forward};
    use crate::kernels::by_output::losses_by_output;
    use crate::kernels::cross_entropy::softmax_cross_entropy;
    use crate::kernels::simd::{Isa, with_isa};
    use crate::loss::{Bounds, Tally};
    use crate::network::Network;
    use crate::output::Output;
    use crate::scalar::Scalar;

    fn numbers(seed: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i as f64 + seed) * 12.9898).sin() * 1.3).collect()
    }

    /// The same step with plain loops in `f64`.
    fn plain(
        net: &TinyNet,
        x: &[f64],
        (labels, values): (&[u32], &[f64]),
        weights: &[f64],
        p: &[f64],
    ) -> (Tally, Vec<f64>) {
        let (n, inputs, hidden, classes) = (labels.len(), net.inputs, net.hidden, net.classes);
        let (b1, w2) = (inputs * hidden, (inputs + 1) * hidden);
        let b2 = w2 + hidden * classes;
        let mut g = vec![0.0; p.len()];
        let mut total = Tally::default();
        for q in 0..n {
            let mut h: Vec<f64> = (0..hidden)
                .map(|j| (0..inputs).fold(p[b1 + j], |z, i| z + x[i * n + q] * p[i * hidden + j]))
                .collect();
            forward(net.activation, &mut h);
            let mut d: Vec<f64> = (0..classes)
                .map(|c| (0..hidden).fold(p[b2 + c], |z, j| z + h[j] * p[w2 + j * classes + c]))
                .collect();
            let (at, weights) = (q..=q, &weights[q..=q]);
            let tally = if net.output == Output::Softmax {
                softmax_cross_entropy(&mut d, classes, &labels[at], weights, Bounds::NONE)
            } else {
                losses_by_output(net.output, &mut d, &values[at], weights, Bounds::NONE)
            };
            total.loss += tally.loss;
            total.correct += tally.correct;
            let mut dh: Vec<f64> =
                (0..hidden).map(|j| (0..classes).map(|c| d[c] * p[w2 + j * classes + c]).sum()).collect();
            backward(net.activation, &mut dh, &h);
            for j in 0..hidden {
                (0..inputs).for_each(|i| g[i * hidden + j] += x[i * n + q] * dh[j]);
                g[b1 + j] += dh[j];
                (0..classes).for_each(|c| g[w2 + j * classes + c] += h[j] * d[c]);
            }
            (0..classes).for_each(|c| g[b2 + c] += d[c]);
        }
        (total, g)
    }

    fn check<T: Scalar>(net: &TinyNet, n: usize, tolerance: f64) {
        let narrow = |x: &[f64]| x.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
        let wide = |x: &[T]| x.iter().map(|&x| x.into()).collect::<Vec<f64>>();
        let x = narrow(&numbers(1.0, net.inputs * n));
        // exp makes relative errors of the absolute ones of its sums, which are kept small for it.
        let size = if net.output == Output::Exp { 0.2 } else { 1.0 };
        let p = narrow(&numbers(2.0, net.parameters()).iter().map(|p| p * size).collect::<Vec<_>>());
        let weights = narrow(&(0..n).map(|q| 0.5 + (q % 3) as f64).collect::<Vec<_>>());
        let labels: Vec<u32> = (0..n).map(|q| u32::try_from(q * 7 % net.classes).unwrap()).collect();
        let values = narrow(&(0..n).map(|q| (q % 2) as f64).collect::<Vec<_>>());
        let targets = (&labels[..], &wide(&values)[..]);
        let (want, want_g) = plain(net, &wide(&x), targets, &wide(&weights), &wide(&p));

        // Features further apart than the rows, to see that the stride counts.
        let x_stride = n + 3;
        let mut spread = vec![T::from_f64(f64::NAN); net.inputs * x_stride];
        for (to, from) in spread.chunks_exact_mut(x_stride).zip(x.chunks(n.max(1))) {
            to[..n].copy_from_slice(from);
        }
        let batch = Batch { x: &spread, x_stride, labels: &labels, values: &values, weights: &weights };
        let mut bits: Vec<Vec<u64>> = vec![];
        for isa in Isa::available() {
            let mut g = vec![T::ONE; net.parameters()];
            let tally = with_isa(isa, || {
                let mut scratch = vec![T::from_f64(f64::NAN); net.scratch_len::<T>(n)];
                net.gradient(&batch, &p, &mut g, Bounds::NONE, &mut scratch)
            });
            let context = format!("{net:?} n {n} {isa:?}");
            assert!((tally.loss - want.loss).abs() <= tolerance * (1.0 + want.loss), "{context}");
            assert_eq!(tally.correct, want.correct, "{context}");
            let size = want_g.iter().fold(1.0, |s: f64, g| s.max(g.abs()));
            for (g, want) in g.iter().zip(&want_g) {
                let g: f64 = (*g).into() - 1.0;
                assert!((g - want).abs() <= tolerance * size, "{context}: {g} is not {want}");
            }
            if isa.has_fma() {
                bits.push(g.iter().map(|&g| Into::<f64>::into(g).to_bits()).collect());
            }
        }
        assert!(bits.windows(2).all(|w| w[0] == w[1]), "instruction sets that fuse agree");
    }

    fn check_batches(network: &Network) {
        let net = TinyNet::new(network).expect("in range");
        for n in [0, 1, 2, 8, 15, 16, 17, 33, 64, 101, 300] {
            check::<f64>(&net, n, 1e-12);
            check::<f32>(&net, n, 3e-5);
        }
    }

    #[test]
    fn matches_the_plain_step() {
        for activation in [Activation::Relu, Activation::LeakyRelu, Activation::Identity] {
            for (inputs, hidden, classes) in
                [(2, 100, 3), (1, 1, 2), (3, 16, 4), (4, 17, 2), (5, 9, 5), (8, 33, 8), (7, 8, 3), (2, 40, 7)]
            {
                let network = Network::new(&[inputs, hidden, classes], &[activation]).unwrap();
                check_batches(&network);
            }
            for (inputs, hidden) in [(2, 100), (1, 1), (3, 16), (8, 17)] {
                for output in [Output::Sigmoid, Output::Identity, Output::Exp] {
                    let network = Network::new(&[inputs, hidden, 1], &[activation]).unwrap();
                    check_batches(&network.with_output(output));
                }
            }
        }
    }

    #[test]
    fn other_networks_are_declined() {
        let relu = Activation::Relu;
        for (sizes, activations) in [
            (&[9, 5, 3][..], &[relu][..]),
            (&[2, 5, 1], &[relu]),
            (&[2, 5, 9], &[relu]),
            (&[2, 5, 3], &[Activation::Tanh]),
            (&[2, 5, 5, 3], &[relu, relu]),
            (&[2, 3], &[]),
        ] {
            assert_eq!(TinyNet::new(&Network::new(sizes, activations).unwrap()), None);
        }
        let several = Network::new(&[2, 5, 3], &[relu]).unwrap().with_output(Output::Sigmoid);
        assert_eq!(TinyNet::new(&several), None);
        let tanh = Network::new(&[2, 5, 3], &[Activation::Tanh]).unwrap();
        assert!(TinyNet::without_gradient(&tanh).is_some());
    }
}
