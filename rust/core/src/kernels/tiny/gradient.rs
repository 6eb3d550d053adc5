//! Loss and gradient: the forward sweep, the losses, the backward sweep.

use super::backward::backward;
use super::forward::forward;
use super::net::{Batch, Features, TinyNet, by_shape};
use crate::kernels::activation::{Activation, Identity, LeakyRelu, Relu, SignSlope};
use crate::kernels::cross_entropy::cross_entropy_by_class;
use crate::kernels::output::Output;
use crate::kernels::tally::{Bounds, Tally};
use crate::kernels::value_losses::{ValueLoss, value_losses};
use crate::kernels::vector::{all_below, sum};
use crate::numbers::Scalar;

impl TinyNet {
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
            _ => unreachable!("`has_gradient` is false for them"),
        }
    }

    fn sweep<T: Scalar, F: SignSlope>(
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
            let loss = ValueLoss::canonical(self.output);
            let tally = value_losses(loss, &mut d[..n], batch.values, batch.weights, bounds);
            gradient[bias] += sum(&d[..n]);
            tally
        };
        by_shape!(self.inputs, self.free_sums(), backward::<T, F>(self, batch, parameters, gradient, d, f));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, Output, TinyNet, ValueLoss, value_losses};
    use crate::kernels::activation::Activation;
    use crate::kernels::activation::{backward_rows, forward};
    use crate::kernels::cross_entropy::softmax_cross_entropy;
    use crate::kernels::tally::{Bounds, Tally};
    use crate::numbers::Scalar;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

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
                let loss = ValueLoss::canonical(net.output);
                value_losses(loss, &mut d, &values[at], weights, Bounds::NONE)
            };
            total.loss += tally.loss;
            total.correct += tally.correct;
            let mut dh: Vec<f64> =
                (0..hidden).map(|j| (0..classes).map(|c| d[c] * p[w2 + j * classes + c]).sum()).collect();
            backward_rows(net.activation, &mut dh, &h, 1.0, hidden, hidden);
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
        // exp turns absolute errors of its sums into relative ones, so the sums are kept small.
        let size = if net.output == Output::Exp { 0.2 } else { 1.0 };
        let p = narrow(&numbers(2.0, net.parameters()).iter().map(|p| p * size).collect::<Vec<_>>());
        let weights = narrow(&(0..n).map(|q| 0.5 + (q % 3) as f64).collect::<Vec<_>>());
        let labels: Vec<u32> = (0..n).map(|q| u32::try_from(q * 7 % net.classes).unwrap()).collect();
        let values = narrow(&(0..n).map(|q| (q % 2) as f64).collect::<Vec<_>>());
        let targets = (&labels[..], &wide(&values)[..]);
        let (want, want_g) = plain(net, &wide(&x), targets, &wide(&weights), &wide(&p));

        // The distance of features exceeds the number of rows, to test the stride.
        let x_stride = n + 3;
        let mut spread = vec![T::from_f64(f64::NAN); net.inputs * x_stride];
        for (to, from) in spread.chunks_exact_mut(x_stride).zip(x.chunks(n.max(1))) {
            to[..n].copy_from_slice(from);
        }
        let batch = Batch { x: &spread, x_stride, labels: &labels, values: &values, weights: &weights };
        let mut of_isa = vec![];
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
            of_isa.push((isa, g));
        }
        assert_fusing_agree(&of_isa, &format!("{net:?} n {n}"));
    }

    fn check_batches(widths: [usize; 3], activation: Activation, output: Output) {
        let net = TinyNet::new(widths, activation, output).expect("in range");
        assert!(net.has_gradient());
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
                check_batches([inputs, hidden, classes], activation, Output::Softmax);
            }
            for (inputs, hidden) in [(2, 100), (1, 1), (3, 16), (8, 17)] {
                for output in [Output::Sigmoid, Output::Identity, Output::Exp] {
                    check_batches([inputs, hidden, 1], activation, output);
                }
            }
        }
    }

    #[test]
    fn other_networks_are_declined() {
        let relu = Activation::Relu;
        for (widths, output) in [
            ([9, 5, 3], Output::Softmax),
            ([2, 5, 1], Output::Softmax),
            ([2, 5, 9], Output::Softmax),
            ([2, 5, 3], Output::Sigmoid),
        ] {
            assert_eq!(TinyNet::new(widths, relu, output), None);
        }
        assert_eq!(TinyNet::new([2, 5, 3], Activation::Gelu, Output::Softmax), None);
        let tanh = TinyNet::new([2, 5, 3], Activation::Tanh, Output::Softmax).unwrap();
        assert!(!tanh.has_gradient());
    }
}
