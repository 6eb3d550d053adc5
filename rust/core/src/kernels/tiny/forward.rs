//! Forward sweep: rows in lanes, their logits in registers while the hidden units run by.

use super::{Features, TinyNet};
use crate::kernels::activation::Function;
use crate::kernels::simd::{Simd, simd_fn};
use crate::scalar::Scalar;

simd_fn! {
    /// Writes the logits to `z`, class-major `(classes, n)`, with classes `n` rounded up to whole vectors
    /// apart; the lanes beyond n hold nothing of meaning.
    ///
    /// `I` and `C` are the inputs and classes, rounded up: inputs beyond are 0, classes beyond are
    /// dropped. Sizes were checked by [`TinyNet`].
    pub(super) fn forward<T as V, const I: usize, const C: usize; F: Function>(
        net: &TinyNet,
        x: &Features<'_, T>,
        parameters: &[T],
        z: &mut [T],
        f: &F,
    ) {
        let n = x.rows;
        let mut q = 0;
        // Vectors of rows share the broadcast weights where there are registers for their inputs and sums.
        if 4 * (I + C + 1) <= V::TILE_ROWS * V::TILE_VECTORS {
            while q + 3 * T::LANES < n {
                rows::<T, V, F, I, C, 4>(net, x, parameters, z, f, q);
                q += 4 * T::LANES;
            }
        }
        if V::TILE_VECTORS > 1 {
            while q + T::LANES < n {
                rows::<T, V, F, I, C, 2>(net, x, parameters, z, f, q);
                q += 2 * T::LANES;
            }
        }
        while q < n {
            rows::<T, V, F, I, C, 1>(net, x, parameters, z, f, q);
            q += T::LANES;
        }
    }
}

/// `R` vectors of rows from row `q` on; the last may be cut by the end of the batch.
#[inline(always)]
fn rows<T: Scalar, V: Simd<T>, F: Function, const I: usize, const C: usize, const R: usize>(
    net: &TinyNet,
    features: &Features<'_, T>,
    parameters: &[T],
    z: &mut [T],
    f: &F,
    q: usize,
) {
    let (n, hidden, classes) = (features.rows, net.hidden, net.classes);
    let (b1, rest) = parameters[net.inputs * hidden..].split_at(hidden);
    let (w2, b2) = rest.split_at(hidden * classes);
    let mut x = [[V::zero(); R]; I];
    for (i, x) in x[..net.inputs].iter_mut().enumerate() {
        let feature = &features.values[i * features.stride..][..n];
        for (r, x) in x.iter_mut().enumerate() {
            *x = V::load_front(&feature[q + r * T::LANES..]);
        }
    }
    let mut w1 = [b1; I];
    for (i, w1) in w1[..net.inputs].iter_mut().enumerate() {
        *w1 = &parameters[i * hidden..][..hidden];
    }

    let mut sums = [[V::zero(); C]; R];
    for sums in &mut sums {
        for (sum, &b) in sums.iter_mut().zip(b2) {
            *sum = V::splat(b);
        }
    }
    for (j, w2) in w2.chunks_exact(classes).enumerate() {
        let mut h = [V::splat(b1[j]); R];
        for (x, w1) in x.iter().zip(w1) {
            let w = V::splat(w1[j]);
            for (h, x) in h.iter_mut().zip(x) {
                *h = x.mul_add(w, *h);
            }
        }
        for h in &mut h {
            *h = f.apply::<T, V>(*h);
        }
        for c in 0..C {
            let w = V::splat(w2[c.min(classes - 1)]);
            for (sums, h) in sums.iter_mut().zip(&h) {
                sums[c] = h.mul_add(w, sums[c]);
            }
        }
    }

    let apart = n.next_multiple_of(T::LANES);
    for (r, sums) in sums.iter().enumerate() {
        for (c, sum) in sums[..classes].iter().enumerate() {
            sum.store(&mut z[c * apart + q + r * T::LANES..]);
        }
    }
}
