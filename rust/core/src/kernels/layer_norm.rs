//! Normalisation of rows to mean 0 and variance 1, forward and backward.
//!
//! Shapes: x, z and their derivatives `(n, d)`, gains and shifts `(d,)`; the mean of each row and the reciprocal of its
//! deviation are kept, `(n, 2)`. With `h = (x - mean) r`, `r = 1 / sqrt(variance + epsilon)`:
//!
//! ```text
//! z       = g h + s
//! d_g     = sum of the rows of d_z h
//! d_s     = sum of the rows of d_z
//! d_x     = r (d_h - mean(d_h) - h mean(d_h h)),  d_h = d_z g
//! ```
//!
//! Ba, Kiros and Hinton, "Layer normalization", 2016; the variance is that of all values, without Bessel's correction.

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Numbers that are kept per row.
pub(crate) const KEPT: usize = 2;

/// What is added to a variance, as in torch.
const EPSILON: f64 = 1e-5;

/// Most lanes of a vector.
const MOST_LANES: usize = 16;

/// `(x - mean)` of a vector of a row, 0 in the lanes beyond its end.
#[inline(always)]
fn centred<T: Scalar, V: Simd<T>>(x: &[T], mean: V) -> V {
    let difference = V::load_front(x) - mean;
    if x.len() >= T::LANES {
        return difference;
    }
    let mut lanes = [T::ZERO; MOST_LANES];
    difference.store_part(&mut lanes[..x.len()]);
    V::load(&lanes)
}

simd_fn! {
    /// Normalises rows, and writes mean and reciprocal deviation of each to `kept`.
    pub(crate) fn layer_norm<T as V>(x: &[T], gains: &[T], shifts: &[T], z: &mut [T], kept: &mut [T]) {
        let width = gains.len();
        let rows = x.chunks_exact(width).zip(z.chunks_exact_mut(width)).zip(kept.chunks_exact_mut(KEPT));
        for ((x, z), kept) in rows {
            let sum = x.chunks(T::LANES).fold(V::zero(), |sum, x| sum + V::load_front(x)).sum();
            let mean = T::from_f64(sum.into() / width as f64);
            let squares = x.chunks(T::LANES).fold(V::zero(), |sum, x| {
                let x = centred::<T, V>(x, V::splat(mean));
                x.mul_add(x, sum)
            });
            let variance = squares.sum().into() / width as f64;
            let reciprocal = T::from_f64(1.0 / (variance + EPSILON).sqrt());
            kept.copy_from_slice(&[mean, reciprocal]);
            let (mean, reciprocal) = (V::splat(mean), V::splat(reciprocal));
            let parameters = gains.chunks(T::LANES).zip(shifts.chunks(T::LANES));
            for ((x, z), (gain, shift)) in x.chunks(T::LANES).zip(z.chunks_mut(T::LANES)).zip(parameters) {
                let h = (V::load_front(x) - mean) * reciprocal;
                V::load_front(gain).mul_add(h, V::load_front(shift)).store_front(z);
            }
        }
    }
}

simd_fn! {
    /// The derivative with respect to x, from that with respect to z.
    pub(crate) fn layer_norm_backward<T as V>(d_z: &[T], x: &[T], kept: &[T], gains: &[T], d_x: &mut [T]) {
        let width = gains.len();
        let rows = d_z.chunks_exact(width).zip(x.chunks_exact(width)).zip(kept.chunks_exact(KEPT));
        for (((d_z, x), kept), d_x) in rows.zip(d_x.chunks_exact_mut(width)) {
            let (mean, reciprocal) = (V::splat(kept[0]), V::splat(kept[1]));
            let values = || d_z.chunks(T::LANES).zip(x.chunks(T::LANES)).zip(gains.chunks(T::LANES));
            let (mut sum, mut sum_h) = (V::zero(), V::zero());
            for ((d_z, x), gain) in values() {
                let d_h = V::load_front(d_z) * V::load_front(gain);
                sum = sum + d_h;
                sum_h = d_h.mul_add(centred::<T, V>(x, mean) * reciprocal, sum_h);
            }
            let share = |sum: V| V::splat(T::from_f64(sum.sum().into() / width as f64));
            let (mean_d, mean_d_h) = (share(sum), share(sum_h));
            for (((d_z, x), gain), d_x) in values().zip(d_x.chunks_mut(T::LANES)) {
                let h = (V::load_front(x) - mean) * reciprocal;
                let d_h = V::load_front(d_z) * V::load_front(gain);
                ((-h).mul_add(mean_d_h, d_h - mean_d) * reciprocal).store_front(d_x);
            }
        }
    }
}

simd_fn! {
    /// Adds the gradients of gains and shifts, row after row.
    pub(crate) fn add_layer_norm_gradient<T as V>(
        d_z: &[T],
        x: &[T],
        kept: &[T],
        d_gains: &mut [T],
        d_shifts: &mut [T],
    ) {
        let width = d_gains.len();
        for ((d_z, x), kept) in d_z.chunks_exact(width).zip(x.chunks_exact(width)).zip(kept.chunks_exact(KEPT)) {
            let (mean, reciprocal) = (V::splat(kept[0]), V::splat(kept[1]));
            let sums = d_gains.chunks_mut(T::LANES).zip(d_shifts.chunks_mut(T::LANES));
            for ((d_z, x), (d_gain, d_shift)) in d_z.chunks(T::LANES).zip(x.chunks(T::LANES)).zip(sums) {
                let (d, h) = (V::load_front(d_z), (V::load_front(x) - mean) * reciprocal);
                d.mul_add(h, V::load_front(d_gain)).store_front(d_gain);
                (V::load_front(d_shift) + d).store_front(d_shift);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

    fn numbers(seed: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i as f64 + seed) * 12.9898).sin() * 1.3 + 0.4).collect()
    }

    fn normalized(x: &[f64], gains: &[f64], shifts: &[f64]) -> Vec<f64> {
        let width = gains.len();
        let mut z = vec![];
        for x in x.chunks_exact(width) {
            let mean = x.iter().sum::<f64>() / width as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
            let of = |(j, x): (usize, &f64)| gains[j] * (x - mean) / (variance + 1e-5).sqrt() + shifts[j];
            z.extend(x.iter().enumerate().map(of));
        }
        z
    }

    #[test]
    fn values_and_difference_quotients_on_odd_widths() {
        for (n, width) in [(1, 1), (2, 2), (3, 7), (2, 8), (2, 9), (2, 16), (3, 17), (1, 33)] {
            let (x, d) = (numbers(1.0, n * width), numbers(2.0, n * width));
            let (gains, shifts) = (numbers(3.0, width), numbers(4.0, width));
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let (mut z, mut kept, mut d_x) =
                    (vec![0.0; n * width], vec![0.0; n * KEPT], vec![0.0; n * width]);
                let (mut d_gains, mut d_shifts) = (vec![1.0; width], vec![2.0; width]);
                with_isa(isa, || {
                    layer_norm(&x, &gains, &shifts, &mut z, &mut kept);
                    layer_norm_backward(&d, &x, &kept, &gains, &mut d_x);
                    add_layer_norm_gradient(&d, &x, &kept, &mut d_gains, &mut d_shifts);
                });
                let context = format!("{n} x {width} {isa:?}");
                let loss = |x: &[f64], gains: &[f64], shifts: &[f64]| -> f64 {
                    normalized(x, gains, shifts).iter().zip(&d).map(|(z, d)| z * d).sum()
                };
                for (z, expected) in z.iter().zip(normalized(&x, &gains, &shifts)) {
                    assert!((z - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{context}");
                }
                let quotient = |values: &[f64], i: usize, f: &dyn Fn(&[f64]) -> f64| {
                    let at = |step: f64| {
                        let mut moved = values.to_vec();
                        moved[i] += step;
                        f(&moved)
                    };
                    (at(1e-5) - at(-1e-5)) / 2e-5
                };
                for (i, found) in d_x.iter().enumerate() {
                    let expected = quotient(&x, i, &|x| loss(x, &gains, &shifts));
                    assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{context}: d_x[{i}]");
                }
                for j in 0..width {
                    let of_gain = 1.0 + quotient(&gains, j, &|gains| loss(&x, gains, &shifts));
                    let of_shift = 2.0 + quotient(&shifts, j, &|shifts| loss(&x, &gains, shifts));
                    assert!((d_gains[j] - of_gain).abs() < 1e-6, "{context}: d_gains[{j}]");
                    assert!((d_shifts[j] - of_shift).abs() < 1e-6, "{context}: d_shifts[{j}]");
                }
                of_isa.push((isa, [z, kept, d_x, d_gains, d_shifts].concat()));
            }
            assert_fusing_agree(&of_isa, &format!("{n} x {width}"));
        }
    }
}
