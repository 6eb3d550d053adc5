//! Softmax of rows.
//! With few classes each lane has one row, with many the lanes have the columns of one row. The choice
//! depends on the number of classes alone, so a row has the same bits whatever the other rows are.

use crate::kernels::lanes::{FEW, transpose, transpose_back};
use crate::numbers::Scalar;
use crate::numbers::math::exp_vector;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Rows that are faster one by one than in lanes.
const FEW_ROWS: usize = 2;

/// `x = softmax(x)` for every row of the matrix `(x.len() / classes, classes)`.
///
/// # Panics
/// If `x` does not consist of whole rows.
pub(crate) fn softmax<T: Scalar>(x: &mut [T], classes: usize) {
    assert!(classes > 0 && x.len().is_multiple_of(classes), "whole rows of {classes} classes");
    if classes <= FEW { softmax_few(x, classes) } else { softmax_many(x, classes) }
}

simd_fn! {
    fn softmax_few<T as V>(x: &mut [T], classes: usize) {
        if x.len() <= FEW_ROWS * classes {
            for row in x.chunks_exact_mut(classes) {
                softmax_of_row::<T, V>(row);
            }
            return;
        }
        let mut lanes = [[T::ZERO; 16]; FEW];
        for rows in x.chunks_mut(classes * T::LANES) {
            transpose(rows, classes, &mut lanes);
            let mut z = [V::zero(); FEW];
            for (z, lane) in z[..classes].iter_mut().zip(&lanes) {
                *z = V::load(lane);
            }
            let (sum, _) = exponentials::<T, V>(&mut z[..classes]);
            for (z, lane) in z[..classes].iter().zip(&mut lanes) {
                (*z / sum).store(lane);
            }
            transpose_back(&lanes, classes, rows);
        }
    }
}

/// One row, with the bits that it has in a lane.
#[inline(always)]
fn softmax_of_row<T: Scalar, V: Simd<T>>(row: &mut [T]) {
    let mut greatest = row[0];
    for &z in &row[1..] {
        greatest = if greatest > z { greatest } else { z };
    }
    for chunk in row.chunks_mut(T::LANES) {
        exp_vector::<T, V>(V::load_part(chunk) - V::splat(greatest)).store_part(chunk);
    }
    let mut sum = T::ZERO;
    for &exponential in &*row {
        sum += exponential;
    }
    for chunk in row.chunks_mut(T::LANES) {
        (V::load_part(chunk) / V::splat(sum)).store_part(chunk);
    }
}

/// Writes class-major logits, or their softmax, as rows, `(n, classes)`. Class c of row q is `z[c * stride + q]`,
/// `stride` at least the number of rows rounded up to whole vectors.
///
/// # Panics
/// If there are none or more than 8 classes.
pub(super) fn rows_of_classes<T: Scalar>(
    z: &[T],
    stride: usize,
    out: &mut [T],
    classes: usize,
    wants_softmax: bool,
) {
    macro_rules! by_classes {
        ($($known:literal)*) => {
            match classes {
                $($known => rows_of_known_classes::<T, $known>(z, stride, out, wants_softmax),)*
                _ => unreachable!("1 to 8 classes"),
            }
        };
    }
    by_classes!(1 2 3 4 5 6 7 8);
}

simd_fn! {
    /// The loops have known lengths, so logits stay in registers.
    fn rows_of_known_classes<T as V, const C: usize>(z: &[T], stride: usize, out: &mut [T], wants_softmax: bool) {
        let mut lanes = [[T::ZERO; 16]; C];
        for (block, rows) in out.chunks_mut(C * T::LANES).enumerate() {
            let mut logits = [V::zero(); C];
            for (c, logit) in logits.iter_mut().enumerate() {
                *logit = V::load(&z[c * stride + block * T::LANES..]);
            }
            if wants_softmax {
                let (sum, _) = exponentials::<T, V>(&mut logits);
                for logit in &mut logits {
                    *logit = *logit / sum;
                }
            }
            for (logit, lane) in logits.iter().zip(&mut lanes) {
                logit.store(lane);
            }
            transpose_back(&lanes, C, rows);
        }
    }
}

/// Exponentials of the logits minus the largest one, in place; returns their sum and the largest logit.
#[inline(always)]
fn exponentials<T: Scalar, V: Simd<T>>(z: &mut [V]) -> (V, V) {
    let mut greatest = z[0];
    for z in &z[1..] {
        greatest = greatest.max(*z);
    }
    let mut sum = V::zero();
    for z in z {
        *z = exp_vector::<T, V>(*z - greatest);
        sum = sum + *z;
    }
    (sum, greatest)
}

simd_fn! {
    fn softmax_many<T as V>(x: &mut [T], classes: usize) {
        for row in x.chunks_exact_mut(classes) {
            let greatest = greatest::<T, V>(row);
            let sum = exponentials_of_row::<T, V>(row, V::splat(greatest));
            for chunk in row.chunks_mut(T::LANES) {
                (V::load_front(chunk) / V::splat(sum)).store_front(chunk);
            }
        }
    }
}

/// The greatest element of a row of at least one vector.
#[inline(always)]
pub(super) fn greatest<T: Scalar, V: Simd<T>>(row: &[T]) -> T {
    let mut greatest = V::load(&row[row.len() - T::LANES..]);
    for chunk in row.chunks_exact(T::LANES) {
        greatest = greatest.max(V::load(chunk));
    }
    let mut lanes = [T::ZERO; 16];
    greatest.store(&mut lanes);
    let mut result = lanes[0];
    for &x in &lanes[1..T::LANES] {
        result = if x > result { x } else { result };
    }
    result
}

/// Exponentials of a row less `greatest`, in place, and their sum.
#[inline(always)]
pub(super) fn exponentials_of_row<T: Scalar, V: Simd<T>>(row: &mut [T], greatest: V) -> T {
    let mut sum = V::zero();
    for chunk in row.chunks_mut(T::LANES) {
        exp_vector::<T, V>(V::load_front(chunk) - greatest).store_front(chunk);
        sum = sum + V::load_front(chunk);
    }
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::softmax;
    use crate::numbers::simd::{Isa, with_isa};

    /// Softmax of one row, the plain way.
    fn plain(row: &[f64]) -> Vec<f64> {
        let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|z| (z - greatest).exp()).sum();
        row.iter().map(|z| (z - greatest).exp() / sum).collect()
    }

    #[test]
    fn matches_the_plain_loop_and_each_row_alone() {
        for isa in Isa::available() {
            for classes in [1, 2, 3, 7, 8, 10, 15, 16, 17, 33, 1000] {
                for n in [0, 1, 2, 3, 7, 8, 9, 17] {
                    let z: Vec<f64> = (0..n * classes).map(|i| ((i * i % 101) as f64 - 50.0) * 0.1).collect();
                    let mut p = z.clone();
                    with_isa(isa, || softmax(&mut p, classes));
                    for (z, p) in z.chunks_exact(classes).zip(p.chunks_exact(classes)) {
                        let truth = plain(z);
                        assert!(p.iter().zip(&truth).all(|(p, q)| (p - q).abs() < 1e-15), "{isa:?}");
                        let mut alone = z.to_vec();
                        with_isa(isa, || softmax(&mut alone, classes));
                        assert_eq!(alone, p, "{isa:?} {classes} {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_in_its_row() {
        for n in [2, 5, 20] {
            let mut p = vec![0.5_f32; n * 3];
            p[4] = f32::NAN;
            softmax(&mut p, 3);
            for (i, row) in p.chunks_exact(3).enumerate() {
                assert_eq!(row.iter().all(|p| p.is_nan()), i == 1, "{n} rows: {row:?}");
            }
        }
    }
}
