//! Backward sweep: hidden units in lanes, all their gradients in registers while the rows run by.

#![allow(clippy::needless_range_loop, reason = "several arrays run by one index")]

use super::{Batch, TinyNet};
use crate::kernels::activation::Function;
use crate::kernels::lanes::turn;
use crate::kernels::simd::{Simd, simd_fn};
use crate::scalar::Scalar;

/// What a row gives to the gradients of a vector of units.
#[derive(Clone, Copy)]
struct Sums<V, const I: usize, const C: usize> {
    w1: [V; I],
    b1: V,
    w2: [V; C],
}

simd_fn! {
    /// Adds the gradients of W1, b1 and W2 to `gradient`, given that of the logits, `d` `(classes, n)`
    /// with classes `n` rounded up to whole vectors apart.
    ///
    /// `I` and `C` are the inputs and classes, rounded up: what is beyond repeats the last one and is
    /// dropped. Sizes were checked by [`TinyNet::gradient`].
    pub(super) fn backward<T as V, const I: usize, const C: usize; F: Function>(
        net: &TinyNet,
        batch: &Batch<'_, T>,
        parameters: &[T],
        gradient: &mut [T],
        d: &[T],
        f: &F,
    ) {
        for j in (0..net.hidden).step_by(T::LANES) {
            units::<T, V, F, I, C>(net, batch, parameters, gradient, d, f, j);
        }
    }
}

/// The gradients of a vector of units from `j` on; the last may be cut by the end of the layer.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // one call, in the loop above
fn units<T: Scalar, V: Simd<T>, F: Function, const I: usize, const C: usize>(
    net: &TinyNet,
    batch: &Batch<'_, T>,
    parameters: &[T],
    gradient: &mut [T],
    d: &[T],
    f: &F,
    j: usize,
) {
    let (n, hidden, classes) = (batch.weights.len(), net.hidden, net.classes);
    let count = (hidden - j).min(T::LANES);
    let (b1_at, w2_at) = (net.inputs * hidden, (net.inputs + 1) * hidden);

    let mut weights = Sums { w1: [V::zero(); I], b1: V::zero(), w2: [V::zero(); C] };
    for (i, w) in weights.w1[..net.inputs].iter_mut().enumerate() {
        *w = V::load_front(&parameters[i * hidden + j..][..count]);
    }
    weights.b1 = V::load_front(&parameters[b1_at + j..][..count]);
    let w2_range = w2_at + j * classes..w2_at + (j + count) * classes;
    let mut lanes = [[T::ZERO; 16]; C];
    turn(&parameters[w2_range.clone()], classes, &mut lanes);
    for (w, lane) in weights.w2[..classes].iter_mut().zip(&lanes) {
        *w = V::load(lane);
    }

    let mut x = [batch.x.as_ptr(); I];
    for (i, x) in x.iter_mut().enumerate() {
        *x = batch.x[i.min(net.inputs - 1) * batch.x_stride..].as_ptr();
    }
    let apart = n.next_multiple_of(T::LANES);
    let mut d_at = [d.as_ptr(); C];
    for (c, at) in d_at.iter_mut().enumerate() {
        *at = d[c.min(classes - 1) * apart..][..n].as_ptr();
    }

    let mut sums = [Sums { w1: [V::zero(); I], b1: V::zero(), w2: [V::zero(); C] }; 2];
    for pair in 0..n.div_ceil(2) {
        for (odd, sums) in sums.iter_mut().enumerate() {
            let q = 2 * pair + odd;
            if q >= n {
                break;
            }
            // SAFETY: features and classes of d have n elements from their start on, and `q < n`.
            unsafe {
                let mut y = weights.b1;
                for i in 0..I {
                    y = V::splat(*x[i].add(q)).mul_add(weights.w1[i], y);
                }
                let y = f.apply::<T, V>(y);
                let mut d = [V::zero(); C];
                for (d, at) in d.iter_mut().zip(d_at) {
                    *d = V::splat(*at.add(q));
                }
                let mut back = d[0] * weights.w2[0];
                for c in 1..C {
                    back = d[c].mul_add(weights.w2[c], back);
                }
                let back = f.chain::<T, V>(back, y);
                for i in 0..I {
                    sums.w1[i] = V::splat(*x[i].add(q)).mul_add(back, sums.w1[i]);
                }
                sums.b1 = sums.b1 + back;
                for c in 0..C {
                    sums.w2[c] = y.mul_add(d[c], sums.w2[c]);
                }
            }
        }
    }

    let [even, odd] = &sums;
    for i in 0..net.inputs {
        add(even.w1[i] + odd.w1[i], &mut gradient[i * hidden + j..][..count]);
    }
    add(even.b1 + odd.b1, &mut gradient[b1_at + j..][..count]);
    for c in 0..classes {
        (even.w2[c] + odd.w2[c]).store(&mut lanes[c]);
    }
    // The same twice, so that the loop is unrolled where the classes are not rounded up.
    if classes == C {
        add_turned(&lanes, C, &mut gradient[w2_range]);
    } else {
        add_turned(&lanes, classes, &mut gradient[w2_range]);
    }

    #[inline(always)]
    fn add_turned<T: Scalar>(lanes: &[[T; 16]], classes: usize, to: &mut [T]) {
        for (i, row) in to.chunks_exact_mut(classes).enumerate() {
            for (g, lane) in row.iter_mut().zip(lanes) {
                *g += lane[i];
            }
        }
    }

    #[inline(always)]
    fn add<T: Scalar, V: Simd<T>>(sum: V, to: &mut [T]) {
        (V::load_front(to) + sum).store_front(to);
    }
}
