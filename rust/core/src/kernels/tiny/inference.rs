//! Logits or probabilities without a gradient.

use super::forward::forward;
use super::net::{Features, TinyNet, by_shape};
use super::row::forward_row;
use crate::kernels::activation::{Activation, Identity, LeakyRelu, Relu, Sigmoid, Tanh};
use crate::kernels::lanes::columns_of_rows;
use crate::kernels::softmax::{rows_of_classes, softmax};
use crate::numbers::Scalar;
use crate::numbers::math::Map;

impl TinyNet {
    /// Elements of scratch that [`TinyNet::forward`] needs for `n` rows.
    pub(crate) fn forward_scratch_len<T: Scalar>(&self, n: usize) -> usize {
        (self.inputs + self.classes) * n.next_multiple_of(T::LANES)
    }

    /// Writes the logits of rows to `out`, or the softmax of them. A row has the same bits whatever the others are.
    ///
    /// x: (n, inputs), out: (n, classes)
    ///
    /// # Panics
    /// If a length does not fit.
    pub(crate) fn forward<T: Scalar>(
        &self,
        x: &[T],
        parameters: &[T],
        out: &mut [T],
        wants_softmax: bool,
        scratch: &mut [T],
    ) {
        let n = x.len() / self.inputs;
        assert_eq!(x.len(), n * self.inputs, "whole rows");
        assert_eq!(out.len(), n * self.classes, "rows of X and of the result");
        assert_eq!(parameters.len(), self.parameters(), "parameters");
        assert!(self.forward_scratch_len::<T>(n) <= scratch.len(), "scratch is too short");
        match self.activation {
            Activation::Identity => self.infer(x, parameters, out, wants_softmax, scratch, &Identity),
            Activation::Relu => self.infer(x, parameters, out, wants_softmax, scratch, &Relu),
            Activation::LeakyRelu => self.infer(x, parameters, out, wants_softmax, scratch, &LeakyRelu),
            Activation::Sigmoid => self.infer(x, parameters, out, wants_softmax, scratch, &Sigmoid),
            Activation::Tanh => self.infer(x, parameters, out, wants_softmax, scratch, &Tanh),
            _ => unreachable!("the constructor declines them"),
        }
    }

    fn infer<T: Scalar, F: Map>(
        &self,
        x: &[T],
        parameters: &[T],
        out: &mut [T],
        wants_softmax: bool,
        scratch: &mut [T],
        f: &F,
    ) {
        let n = x.len() / self.inputs;
        if n == 1 {
            forward_row(self, x, parameters, out, f);
            if wants_softmax {
                softmax(out, self.classes);
            }
            return;
        }
        let stride = n.next_multiple_of(T::LANES);
        let (features, z) = scratch.split_at_mut(self.inputs * stride);
        columns_of_rows(x, self.inputs, features, stride);
        let x = &Features { values: features, stride, rows: n };
        by_shape!(self.inputs, self.classes, forward::<T, F>(self, self.classes, x, parameters, z, f));
        rows_of_classes(z, stride, out, self.classes, wants_softmax);
    }
}

#[cfg(test)]
mod tests {
    use crate::kernels::activation;
    use crate::kernels::output::Output;
    use crate::kernels::softmax::softmax;
    use crate::kernels::tiny::TinyNet;
    use crate::kernels::tiny::net::MADE_FOR;
    use crate::numbers::Scalar;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

    fn numbers<T: Scalar>(seed: f64, count: usize) -> Vec<T> {
        (0..count).map(|i| T::from_f64(((i as f64 + seed) * 12.9898).sin() * 1.3)).collect()
    }

    /// The logits with plain loops in `f64`.
    fn plain<T: Scalar>(net: &TinyNet, x: &[T], p: &[T]) -> Vec<f64> {
        let (inputs, hidden, classes) = (net.inputs, net.hidden, net.classes);
        let p: Vec<f64> = p.iter().map(|&p| p.into()).collect();
        let (w1, b1) = p.split_at(inputs * hidden);
        let (b1, w2) = b1.split_at(hidden);
        let (w2, b2) = w2.split_at(hidden * classes);
        let mut z = vec![];
        for x in x.chunks_exact(inputs) {
            let sum = |j| (0..inputs).fold(b1[j], |h, i| h + x[i].into() * w1[i * hidden + j]);
            let mut h: Vec<f64> = (0..hidden).map(sum).collect();
            activation::forward(net.activation, &mut h);
            z.extend((0..classes).map(|c| (0..hidden).fold(b2[c], |z, j| z + h[j] * w2[j * classes + c])));
        }
        z
    }

    fn forward<T: Scalar>(net: &TinyNet, x: &[T], p: &[T], wants_softmax: bool) -> Vec<T> {
        let n = x.len() / net.inputs;
        let mut out = vec![T::from_f64(f64::NAN); n * net.classes];
        let mut scratch = vec![T::from_f64(f64::NAN); net.forward_scratch_len::<T>(n)];
        net.forward(x, p, &mut out, wants_softmax, &mut scratch);
        out
    }

    fn check<T: Scalar>(net: &TinyNet, n: usize, tolerance: f64) {
        let (x, p) = (numbers::<T>(1.0, n * net.inputs), numbers::<T>(2.0, net.parameters()));
        for wants_softmax in [false, true] {
            let mut want = plain(net, &x, &p);
            let size = want.iter().fold(1.0, |size: f64, z| size.max(z.abs()));
            if wants_softmax {
                softmax(&mut want, net.classes);
            }
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let context = format!("{net:?} {n} rows, softmax {wants_softmax}, {isa:?}");
                with_isa(isa, || {
                    let all = forward(net, &x, &p, wants_softmax);
                    for (&found, &want) in all.iter().zip(&want) {
                        assert!((found.into() - want).abs() <= tolerance * size, "{context}");
                    }
                    for (x, row) in x.chunks_exact(net.inputs).zip(all.chunks_exact(net.classes)) {
                        assert_eq!(forward(net, x, &p, wants_softmax), row, "{context}, each alone");
                    }
                    of_isa.push((isa, all));
                });
            }
            assert_fusing_agree(&of_isa, &format!("{net:?} {n} rows, softmax {wants_softmax}"));
        }
    }

    #[test]
    fn matches_the_plain_loops_and_each_row_alone() {
        for activation in MADE_FOR {
            for (inputs, hidden, classes) in
                [(2, 100, 3), (1, 1, 2), (3, 16, 4), (4, 17, 2), (5, 9, 5), (8, 33, 8), (7, 8, 6), (2, 40, 7)]
            {
                let net = TinyNet::new([inputs, hidden, classes], activation, Output::Softmax);
                let net = net.expect("in range");
                for n in [0, 1, 2, 8, 15, 16, 17, 33, 64, 101] {
                    check::<f64>(&net, n, 1e-13);
                    check::<f32>(&net, n, 1e-5);
                }
            }
        }
    }
}
