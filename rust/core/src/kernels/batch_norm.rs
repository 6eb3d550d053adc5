//! Normalisation of columns to mean 0 and variance 1, forward and backward.
//!
//! Shapes: x, z and their derivatives `(n, d)`; gains, shifts, means and variances `(d,)`. With `h = (x - mean) r`,
//! `r = 1 / sqrt(variance + epsilon)`:
//!
//! ```text
//! z       = g h + s
//! d_g     = sum of the rows of d_z h
//! d_s     = sum of the rows of d_z
//! d_x     = g r (d_z - mean(d_z) - h mean(d_z h))
//! ```
//!
//! The last two means are over all rows of the batch: `d_s` and `d_g`, divided by n. They are 0 if mean and variance are
//! constants.
//!
//! Ioffe and Szegedy, "Batch normalization", 2015; the variance is without Bessel's correction.

use crate::kernels::activation::{Activation, Identity, Relu};
use crate::kernels::gemm::Epilogue;
use crate::numbers::Scalar;
use crate::numbers::math::Map;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// What is added to a variance, as in torch.
const EPSILON: f64 = 1e-5;

/// Rows that are added up in the precision of the network before they are added to a sum in double precision.
const GROUP: usize = 16;

/// Most lanes of a vector.
const MOST_LANES: usize = 16;

/// What columns are normalised with, each `(d,)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormColumns<'a, T> {
    pub(crate) gains: &'a [T],
    pub(crate) shifts: &'a [T],
    pub(crate) means: &'a [T],
    pub(crate) variances: &'a [T],
}

/// What a column adds up.
trait Term {
    fn add<T: Scalar, V: Simd<T>>(sum: V, x: V, mean: V) -> V;
}

struct Deviation;
impl Term for Deviation {
    #[inline(always)]
    fn add<T: Scalar, V: Simd<T>>(sum: V, x: V, mean: V) -> V {
        sum + (x - mean)
    }
}

struct SquaredDeviation;
impl Term for SquaredDeviation {
    #[inline(always)]
    fn add<T: Scalar, V: Simd<T>>(sum: V, x: V, mean: V) -> V {
        let deviation = x - mean;
        deviation.mul_add(deviation, sum)
    }
}

simd_fn! {
    fn add_terms<T as V; F: Term>(x: &[T], columns: (usize, usize), means: &[T], sums: &mut [f64], _f: F) {
        let (width, first) = columns;
        for rows in x.chunks(GROUP * width) {
            let columns = means.chunks(T::LANES).zip(sums.chunks_mut(T::LANES)).enumerate();
            for (i, (means, sums)) in columns {
                let (start, mean) = (first + i * T::LANES, V::load_front(means));
                let mut sum = V::zero();
                for row in rows.chunks_exact(width) {
                    sum = F::add(sum, V::load_front(&row[start..start + means.len()]), mean);
                }
                let mut lanes = [T::ZERO; MOST_LANES];
                sum.store(&mut lanes);
                for (sum, &of_group) in sums.iter_mut().zip(&lanes) {
                    *sum += of_group.into();
                }
            }
        }
    }
}

/// Adds the deviations from the means of some columns. `columns` are the width of x and the first column of means and
/// sums. Rows are added in groups: the sums have the same bits if a matrix is cut between two groups.
pub(crate) fn add_deviations<T: Scalar>(x: &[T], columns: (usize, usize), means: &[T], sums: &mut [f64]) {
    add_terms(x, columns, means, sums, Deviation);
}

/// Adds the squares of the deviations.
pub(crate) fn add_squares<T: Scalar>(x: &[T], columns: (usize, usize), means: &[T], sums: &mut [f64]) {
    add_terms(x, columns, means, sums, SquaredDeviation);
}

simd_fn! {
    /// `1 / sqrt(variance + epsilon)` of each column.
    fn reciprocals<T as V>(variances: &[T], to: &mut [T]) {
        for (variance, to) in variances.chunks(T::LANES).zip(to.chunks_mut(T::LANES)) {
            let deviation = (V::load_front(variance) + V::constant(EPSILON)).sqrt();
            (V::constant(1.0) / deviation).store_front(to);
        }
    }
}

/// Normalises rows, and applies an epilogue. `factors` becomes `g r`, what x is multiplied by.
pub(crate) fn batch_norm<T: Scalar>(
    x: &[T],
    norm: &NormColumns<'_, T>,
    z: &mut [T],
    factors: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    batch_norm_factors(norm, factors);
    if let Epilogue::Activate(Activation::Relu) = epilogue {
        return normalize(x, norm, factors, z, Relu);
    }
    normalize(x, norm, factors, z, Identity);
    epilogue.apply_to_rows(z);
}

/// Vectors of columns whose parameters stay in registers during a loop over rows.
const ABREAST: usize = 4;

simd_fn! {
    /// `z = f(factors (x - means) + shifts)`
    fn normalize<T as V; F: Map>(x: &[T], norm: &NormColumns<'_, T>, factors: &[T], z: &mut [T], f: F) {
        let width = factors.len();
        for start in (0..width).step_by(ABREAST * T::LANES) {
            let columns = start..width.min(start + ABREAST * T::LANES);
            let means = abreast::<T, V>(&norm.means[columns.clone()]);
            let shifts = abreast::<T, V>(&norm.shifts[columns.clone()]);
            let factors = abreast::<T, V>(&factors[columns.clone()]);
            for (x, z) in x.chunks_exact(width).zip(z.chunks_exact_mut(width)) {
                let (x, z) = (&x[columns.clone()], &mut z[columns.clone()]);
                if x.len() == ABREAST * T::LANES {
                    for i in 0..ABREAST {
                        let centred = V::load(&x[i * T::LANES..]) - means[i];
                        let normal = factors[i].mul_add(centred, shifts[i]);
                        f.apply::<T, V>(normal).store(&mut z[i * T::LANES..]);
                    }
                } else {
                    for (i, (x, z)) in x.chunks(T::LANES).zip(z.chunks_mut(T::LANES)).enumerate() {
                        let centred = V::load_front(x) - means[i];
                        let normal = factors[i].mul_add(centred, shifts[i]);
                        f.apply::<T, V>(normal).store_front(z);
                    }
                }
            }
        }
    }
}

/// At most [`ABREAST`] vectors.
#[inline(always)]
fn abreast<T: Scalar, V: Simd<T>>(from: &[T]) -> [V; ABREAST] {
    let mut vectors = [V::zero(); ABREAST];
    for (vector, from) in vectors.iter_mut().zip(from.chunks(T::LANES)) {
        *vector = V::load_front(from);
    }
    vectors
}

simd_fn! {
    /// `factors = g r`
    pub(crate) fn batch_norm_factors<T as V>(norm: &NormColumns<'_, T>, factors: &mut [T]) {
        reciprocals(norm.variances, factors);
        for (factor, gain) in factors.chunks_mut(T::LANES).zip(norm.gains.chunks(T::LANES)) {
            (V::load_front(factor) * V::load_front(gain)).store_front(factor);
        }
    }
}

simd_fn! {
    /// The derivative with respect to x, from that with respect to z, and the means of `d_z h` and then of `d_z`. `scratch`
    /// has two numbers per column.
    pub(crate) fn batch_norm_backward<T as V>(
        d_z: &[T],
        x: &[T],
        norm: &NormColumns<'_, T>,
        d_means: &[T],
        d_x: &mut [T],
        scratch: &mut [T],
    ) {
        let width = norm.gains.len();
        let (factors, slopes) = scratch.split_at_mut(width);
        let (d_squares, d_means) = d_means.split_at(width);
        batch_norm_factors(norm, factors);
        // What `x - mean` is multiplied by: r mean(d_z h).
        reciprocals(norm.variances, slopes);
        for (slope, d_square) in slopes.chunks_mut(T::LANES).zip(d_squares.chunks(T::LANES)) {
            (V::load_front(slope) * V::load_front(d_square)).store_front(slope);
        }
        let rows = d_z.chunks_exact(width).zip(x.chunks_exact(width)).zip(d_x.chunks_exact_mut(width));
        for ((d_z, x), d_x) in rows {
            let values = d_z.chunks(T::LANES).zip(x.chunks(T::LANES)).zip(d_x.chunks_mut(T::LANES));
            let columns = norm.means.chunks(T::LANES).zip(d_means.chunks(T::LANES));
            let columns = columns.zip(factors.chunks(T::LANES).zip(slopes.chunks(T::LANES)));
            for (((d_z, x), d_x), ((mean, d_mean), (factor, slope))) in values.zip(columns) {
                let centred = V::load_front(x) - V::load_front(mean);
                let d = V::load_front(d_z) - V::load_front(d_mean);
                ((-centred).mul_add(V::load_front(slope), d) * V::load_front(factor)).store_front(d_x);
            }
        }
    }
}

simd_fn! {
    /// Adds the gradients of gains and shifts, row after row. `scratch` has a number per column.
    pub(crate) fn add_batch_norm_gradient<T as V>(
        d_z: &[T],
        x: &[T],
        norm: &NormColumns<'_, T>,
        d_gains: &mut [T],
        d_shifts: &mut [T],
        scratch: &mut [T],
    ) {
        let width = d_gains.len();
        reciprocals(norm.variances, scratch);
        for (d_z, x) in d_z.chunks_exact(width).zip(x.chunks_exact(width)) {
            let sums = d_gains.chunks_mut(T::LANES).zip(d_shifts.chunks_mut(T::LANES));
            let columns = norm.means.chunks(T::LANES).zip(scratch.chunks(T::LANES)).zip(sums);
            let values = d_z.chunks(T::LANES).zip(x.chunks(T::LANES));
            for ((d_z, x), ((mean, r), (d_gain, d_shift))) in values.zip(columns) {
                let (d, h) = (V::load_front(d_z), (V::load_front(x) - V::load_front(mean)) * V::load_front(r));
                d.mul_add(h, V::load_front(d_gain)).store_front(d_gain);
                (V::load_front(d_shift) + d).store_front(d_shift);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, with_isa};

    fn numbers(seed: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i as f64 + seed) * 12.9898).sin() * 1.3 + 0.4).collect()
    }

    fn column(x: &[f64], width: usize, j: usize) -> impl Iterator<Item = f64> + Clone {
        x.iter().copied().skip(j).step_by(width)
    }

    /// Mean and variance of a column.
    fn moments(x: &[f64], width: usize, j: usize) -> (f64, f64) {
        let n = column(x, width, j).count() as f64;
        let mean = column(x, width, j).sum::<f64>() / n;
        (mean, column(x, width, j).map(|x| (x - mean).powi(2)).sum::<f64>() / n)
    }

    fn normalized(x: &[f64], gains: &[f64], shifts: &[f64], moments: &[(f64, f64)]) -> Vec<f64> {
        let width = gains.len();
        let of = |(i, x): (usize, &f64)| {
            let (j, (mean, variance)) = (i % width, moments[i % width]);
            gains[j] * (x - mean) / (variance + 1e-5).sqrt() + shifts[j]
        };
        x.iter().enumerate().map(of).collect()
    }

    #[test]
    fn sums_of_columns_do_not_depend_on_where_rows_are_cut() {
        for (n, width) in [(1, 1), (5, 3), (40, 17), (100, 70)] {
            let x = numbers(1.0, n * width);
            let of = |rows_at_a_time: usize, first: usize, count: usize| {
                let means = vec![0.25; count];
                let (mut deviations, mut squares) = (vec![0.0; count], vec![0.0; count]);
                for x in x.chunks(rows_at_a_time * width) {
                    add_deviations(x, (width, first), &means, &mut deviations);
                    add_squares(x, (width, first), &means, &mut squares);
                }
                (deviations, squares)
            };
            let whole = of(n, 0, width);
            assert_eq!(of(16, 0, width), whole);
            assert_eq!(of(48, 0, width), whole);
            let part = of(32, width / 2, width - width / 2);
            assert_eq!((&part.0[..], &part.1[..]), (&whole.0[width / 2..], &whole.1[width / 2..]));
            for j in 0..width {
                let deviations: f64 = column(&x, width, j).map(|x| x - 0.25).sum();
                let squares: f64 = column(&x, width, j).map(|x| (x - 0.25).powi(2)).sum();
                assert!((whole.0[j] - deviations).abs() < 1e-12 * n as f64);
                assert!((whole.1[j] - squares).abs() < 1e-12 * n as f64);
            }
        }
    }

    /// Of a sum over the normalised values with these weights: gradients, and the derivative with respect to x.
    struct Found {
        z: Vec<f64>,
        d_gains: Vec<f64>,
        d_shifts: Vec<f64>,
        d_x: Vec<f64>,
    }

    fn found(x: &[f64], d: &[f64], norm: &NormColumns<'_, f64>, is_constant: bool) -> Found {
        let (width, n) = (norm.gains.len(), (x.len() / norm.gains.len()) as f64);
        let (mut z, mut d_x, mut scratch) = (x.to_vec(), x.to_vec(), vec![0.0; 2 * width]);
        let (mut d_gains, mut d_shifts) = (vec![0.0; width], vec![0.0; width]);
        batch_norm(x, norm, &mut z, &mut scratch[..width], Epilogue::Nothing);
        add_batch_norm_gradient(d, x, norm, &mut d_gains, &mut d_shifts, &mut scratch[..width]);
        let share = if is_constant { 0.0 } else { 1.0 / n };
        let d_means: Vec<_> = d_gains.iter().chain(&d_shifts).map(|sum| sum * share).collect();
        batch_norm_backward(d, x, norm, &d_means, &mut d_x, &mut scratch);
        Found { z, d_gains, d_shifts, d_x }
    }

    #[test]
    fn an_epilogue_is_applied_to_what_was_normalised() {
        // Four vectors of columns go side by side.
        for (n, width) in [(1, 1), (2, 7), (3, 8), (4, 9), (3, 31), (5, 32), (2, 33), (3, 64), (2, 100)] {
            let x = numbers(1.0, n * width);
            let [gains, shifts, means] = [2.0, 3.0, 4.0].map(|seed| numbers(seed, width));
            let variances: Vec<_> = numbers(5.0, width).into_iter().map(f64::abs).collect();
            let norm = NormColumns { gains: &gains, shifts: &shifts, means: &means, variances: &variances };
            for isa in Isa::available() {
                let with = |epilogue: Epilogue<'_, f64>| {
                    let (mut z, mut factors) = (vec![f64::NAN; n * width], vec![f64::NAN; width]);
                    with_isa(isa, || batch_norm(&x, &norm, &mut z, &mut factors, epilogue));
                    z
                };
                let plain = with(Epilogue::Nothing);
                for activation in
                    [Activation::Relu, Activation::LeakyRelu, Activation::Gelu, Activation::Identity]
                {
                    let mut expected = plain.clone();
                    with_isa(isa, || Epilogue::Activate(activation).apply_to_rows(&mut expected));
                    assert_eq!(
                        with(Epilogue::Activate(activation)),
                        expected,
                        "{activation:?} {width} {isa:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn values_and_difference_quotients_on_odd_widths() {
        for (n, width) in [(2, 1), (5, 2), (3, 7), (9, 8), (4, 9), (7, 16), (3, 17), (40, 33), (2, 70)] {
            let (x, d) = (numbers(1.0, n * width), numbers(2.0, n * width));
            let (gains, shifts) = (numbers(3.0, width), numbers(4.0, width));
            let of_batch = |x: &[f64]| (0..width).map(|j| moments(x, width, j)).collect::<Vec<_>>();
            let (means, variances): (Vec<_>, Vec<_>) = of_batch(&x).into_iter().unzip();
            let norm = NormColumns { gains: &gains, shifts: &shifts, means: &means, variances: &variances };
            for is_constant in [false, true] {
                let loss = |x: &[f64], gains: &[f64], shifts: &[f64]| -> f64 {
                    let moments = if is_constant {
                        means.iter().copied().zip(variances.iter().copied()).collect()
                    } else {
                        of_batch(x)
                    };
                    normalized(x, gains, shifts, &moments).iter().zip(&d).map(|(z, d)| z * d).sum()
                };
                let quotient = |values: &[f64], i: usize, f: &dyn Fn(&[f64]) -> f64| {
                    let at = |step: f64| {
                        let mut moved = values.to_vec();
                        moved[i] += step;
                        f(&moved)
                    };
                    (at(1e-5) - at(-1e-5)) / 2e-5
                };
                let mut of_isa = vec![];
                for isa in Isa::available() {
                    let found = with_isa(isa, || found(&x, &d, &norm, is_constant));
                    let context = format!("{n} x {width} {isa:?}, constant: {is_constant}");
                    let close = |found: f64, expected: f64, tolerance: f64| {
                        assert!((found - expected).abs() < tolerance * (1.0 + expected.abs()), "{context}");
                    };
                    let moments: Vec<_> = means.iter().copied().zip(variances.iter().copied()).collect();
                    let z = normalized(&x, &gains, &shifts, &moments);
                    found.z.iter().zip(z).for_each(|(z, expected)| close(*z, expected, 1e-12));
                    for (i, d_x) in found.d_x.iter().enumerate() {
                        close(*d_x, quotient(&x, i, &|x| loss(x, &gains, &shifts)), 1e-4);
                    }
                    for j in 0..width {
                        close(found.d_gains[j], quotient(&gains, j, &|gains| loss(&x, gains, &shifts)), 1e-6);
                        close(
                            found.d_shifts[j],
                            quotient(&shifts, j, &|shifts| loss(&x, &gains, shifts)),
                            1e-6,
                        );
                    }
                    if isa.has_fma() {
                        of_isa.push([found.z, found.d_gains, found.d_shifts, found.d_x].concat());
                    }
                }
                assert!(of_isa.windows(2).all(|pair| pair[0] == pair[1]), "instruction sets that fuse agree");
            }
        }
    }
}
