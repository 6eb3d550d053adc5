//! Forward sweep: rows in lanes, with their sums in registers during the loop over hidden units.

use super::net::{Features, TinyNet};
use crate::numbers::Scalar;
use crate::numbers::math::Map;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

simd_fn! {
    /// Writes sums of rows to `z`, class-major `(n_sums, n)`, with classes `n` rounded up to whole vectors
    /// apart; the lanes beyond n have no meaning. The sums are the logits or, if there is one sum less than there
    /// are classes, the logits of the others minus that of the last class.
    ///
    /// `I` and `S` are the inputs and sums, rounded up: inputs beyond are 0, sums beyond are
    /// dropped. Sizes were checked by [`TinyNet`].
    pub(super) fn forward<T as V, const I: usize, const S: usize; F: Map>(
        net: &TinyNet,
        n_sums: usize,
        x: &Features<'_, T>,
        parameters: &[T],
        z: &mut [T],
        f: &F,
    ) {
        let n = x.rows;
        let mut q = 0;
        // Vectors of rows share the broadcast weights if there are registers for their inputs and sums.
        if 4 * (I + S + 1) <= V::TILE_ROWS * V::TILE_VECTORS {
            while q + 3 * T::LANES < n {
                rows::<T, V, F, I, S, 4>(net, n_sums, x, parameters, z, f, q);
                q += 4 * T::LANES;
            }
        }
        if V::TILE_VECTORS > 1 {
            while q + T::LANES < n {
                rows::<T, V, F, I, S, 2>(net, n_sums, x, parameters, z, f, q);
                q += 2 * T::LANES;
            }
        }
        while q < n {
            rows::<T, V, F, I, S, 1>(net, n_sums, x, parameters, z, f, q);
            q += T::LANES;
        }
    }
}

/// `R` vectors of rows from row `q` on; the last may be cut by the end of the batch.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // three calls, in the loops above
fn rows<T: Scalar, V: Simd<T>, F: Map, const I: usize, const S: usize, const R: usize>(
    net: &TinyNet,
    n_sums: usize,
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
    let mut w1 = [b1.as_ptr(); I];
    for (i, w1) in w1[..net.inputs].iter_mut().enumerate() {
        *w1 = parameters[i * hidden..][..hidden].as_ptr();
    }

    let mut sums = [[V::zero(); S]; R];
    for sums in &mut sums {
        for (sum, b) in sums.iter_mut().zip(of_sums::<T, V, S>(b2, n_sums)) {
            *sum = b;
        }
    }
    for (j, (w2, &b1)) in w2.chunks_exact(classes).zip(b1).enumerate() {
        let mut h = [V::splat(b1); R];
        for (x, w1) in x.iter().zip(w1) {
            // SAFETY: each points to as many weights as b1 has numbers.
            let w = V::splat(unsafe { *w1.add(j) });
            for (h, x) in h.iter_mut().zip(x) {
                *h = x.mul_add(w, *h);
            }
        }
        for h in &mut h {
            *h = f.apply::<T, V>(*h);
        }
        for (s, w) in of_sums::<T, V, S>(w2, n_sums).into_iter().enumerate() {
            for (sums, h) in sums.iter_mut().zip(&h) {
                sums[s] = h.mul_add(w, sums[s]);
            }
        }
    }

    let apart = n.next_multiple_of(T::LANES);
    for (r, sums) in sums.iter().enumerate() {
        for (s, sum) in sums[..n_sums].iter().enumerate() {
            sum.store(&mut z[s * apart + q + r * T::LANES..]);
        }
    }
}

/// The contributions of classes to the sums: their own, minus that of the last class if it has no sum.
#[inline(always)]
fn of_sums<T: Scalar, V: Simd<T>, const S: usize>(of_classes: &[T], n_sums: usize) -> [V; S] {
    let last = if n_sums < of_classes.len() { V::splat(of_classes[n_sums]) } else { V::zero() };
    let mut of_sums = [V::zero(); S];
    for (s, of_sum) in of_sums.iter_mut().enumerate() {
        *of_sum = V::splat(of_classes[s.min(n_sums - 1)]) - last;
    }
    of_sums
}
