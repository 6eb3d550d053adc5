//! The most probable class of each row.

use crate::kernels::lanes::{FEW, transpose};
use crate::numbers::Scalar;
use crate::numbers::simd_fn;

/// The first index of the largest number of each row of `(classes.len(), n_classes)`; a NaN counts as the largest, as in
/// NumPy.
///
/// # Panics
/// If `z` and `classes` have different numbers of rows.
pub(crate) fn argmax<T: Scalar>(z: &[T], n_classes: usize, classes: &mut [i64]) {
    assert_eq!(z.len(), classes.len() * n_classes, "logits and classes");
    if n_classes <= FEW {
        argmax_few(z, n_classes, classes);
    } else {
        for (class, row) in classes.iter_mut().zip(z.chunks_exact(n_classes)) {
            *class = argmax_of_row(row);
        }
    }
}

simd_fn! {
    /// A row in each lane.
    #[allow(clippy::cast_possible_truncation, reason = "an index of a class")]
    fn argmax_few<T as V>(z: &[T], n_classes: usize, classes: &mut [i64]) {
        let one = V::splat(T::ONE);
        let mut lanes = [[T::ZERO; 16]; FEW];
        for (rows, classes) in z.chunks(n_classes * T::LANES).zip(classes.chunks_mut(T::LANES)) {
            transpose(rows, n_classes, &mut lanes);
            let (mut greatest, mut best) = (V::load(&lanes[0]), V::zero());
            let mut class = one;
            for lane in &lanes[1..n_classes] {
                let z = V::load(lane);
                let first_nan = V::select(greatest.eq(greatest), class, best);
                let or_nan = V::select(z.eq(z), best, first_nan);
                best = V::select(z.gt(greatest), class, or_nan);
                greatest = V::select(z.gt(greatest), z, V::select(z.eq(z), greatest, z));
                class = class + one;
            }
            let mut best_of = [T::ZERO; 16];
            best.store(&mut best_of);
            for (class, &best) in classes.iter_mut().zip(&best_of) {
                *class = Into::<f64>::into(best) as i64;
            }
        }
    }
}

#[allow(clippy::cast_possible_wrap, reason = "an index of a class")]
fn argmax_of_row<T: Scalar>(row: &[T]) -> i64 {
    let is_nan = |x: T| x.partial_cmp(&x).is_none();
    let mut best = 0;
    for (i, &z) in row.iter().enumerate() {
        if z > row[best] || (is_nan(z) && !is_nan(row[best])) {
            best = i;
        }
    }
    best as i64
}

/// The greatest number, and where it comes first; a NaN is passed over unless it stands first.
#[inline(always)]
pub(crate) fn first_greatest<T: Scalar>(row: &[T]) -> (T, usize) {
    let (mut greatest, mut first) = (row[0], 0);
    for (i, &z) in row.iter().enumerate() {
        if z > greatest {
            (greatest, first) = (z, i);
        }
    }
    (greatest, first)
}

#[cfg(test)]
mod tests {
    use super::{argmax, argmax_of_row};
    use crate::numbers::simd::{Isa, with_isa};

    #[test]
    fn a_row_s_is_numpys() {
        assert_eq!(argmax_of_row(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(argmax_of_row(&[1.0, f64::NAN, 3.0, f64::NAN]), 1);
        assert_eq!(argmax_of_row(&[f32::NEG_INFINITY, f32::NEG_INFINITY]), 0);
    }

    #[test]
    fn rows_in_lanes_are_rows() {
        // Few distinct numbers, so that there are ties, and NaN.
        let numbers = [0.0_f32, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1.0];
        for isa in Isa::available() {
            for n_classes in [1, 2, 3, 8, 15, 16, 17] {
                for n in [0, 1, 7, 8, 9, 16, 33] {
                    let z: Vec<_> =
                        (0..n * n_classes).map(|i| numbers[i * i * 7 % 61 % numbers.len()]).collect();
                    let mut classes = vec![-1; n];
                    with_isa(isa, || argmax(&z, n_classes, &mut classes));
                    for (class, row) in classes.iter().zip(z.chunks_exact(n_classes)) {
                        assert_eq!(*class, argmax_of_row(row), "{isa:?} {row:?}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "logits and classes")]
    fn too_few_classes() {
        argmax(&[0.0_f32; 6], 3, &mut [0]);
    }
}
