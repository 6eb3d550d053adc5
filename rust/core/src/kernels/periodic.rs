//! Features of inputs that are linear in cosines, forward and backward.
//!
//! An input x has 16 cosines `c = cos(2 pi (f x + p))` and 3 features `V c + o`. Shapes, for m inputs with features among
//! d: x `(n, d)`, z `(n, d + 3 m)`, f and p `(m, 16)`, V `(m, 3, 16)`, o `(m, 3)`. The first d columns of z are x. The
//! backward pass computes the cosines again, which costs less than to keep them.

use std::ops::Range;

use crate::numbers::Scalar;
use crate::numbers::math::cosine_and_sine;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

pub(crate) const COSINES: usize = 16;
pub(crate) const FEATURES: usize = 3;
const PROJECTIONS: usize = COSINES * FEATURES;

/// Where frequencies, phases, projections and offsets of so many inputs lie among the parameters, or in their gradient.
#[inline(always)]
fn parts(inputs: usize) -> [Range<usize>; 4] {
    let mut end = 0;
    [COSINES, COSINES, PROJECTIONS, FEATURES].map(|of_input| {
        let start = end;
        end += inputs * of_input;
        start..end
    })
}

#[inline(always)]
fn split<T>(parameters: &[T], inputs: usize) -> [&[T]; 4] {
    parts(inputs).map(|part| &parameters[part])
}

#[inline(always)]
fn split_mut<T>(gradient: &mut [T], inputs: usize) -> [&mut [T]; 4] {
    gradient.get_disjoint_mut(parts(inputs)).expect("as many as there are parameters")
}

/// Cosines and sines of a vector of turns `f x + p`.
#[inline(always)]
fn waves<T: Scalar, V: Simd<T>>(x: V, frequencies: &[T], phases: &[T]) -> (V, V) {
    cosine_and_sine::<T, V>(V::load(frequencies).mul_add(x, V::load(phases)))
}

simd_fn! {
    /// `z = (x, V cos(2 pi (f x + p)) + o)`
    pub(crate) fn periodic<T as V>(x: &[T], shape: (usize, usize), parameters: &[T], z: &mut [T]) {
        let (d, inputs) = shape;
        let [frequencies, phases, projections, offsets] = split(parameters, inputs);
        for (x, z) in x.chunks_exact(d).zip(z.chunks_exact_mut(d + FEATURES * inputs)) {
            let (copy, features) = z.split_at_mut(d);
            copy.copy_from_slice(x);
            for (j, features) in features.chunks_exact_mut(FEATURES).enumerate() {
                let x = V::splat(x[j]);
                let mut sums = [V::zero(); FEATURES];
                for k in (0..COSINES).step_by(T::LANES) {
                    let at = j * COSINES + k;
                    let (cosines, _) = waves::<T, V>(x, &frequencies[at..], &phases[at..]);
                    for (feature, sum) in sums.iter_mut().enumerate() {
                        let projection = V::load(&projections[j * PROJECTIONS + feature * COSINES + k..]);
                        *sum = cosines.mul_add(projection, *sum);
                    }
                }
                for (feature, sum) in sums.into_iter().enumerate() {
                    features[feature] = offsets[j * FEATURES + feature] + sum.sum();
                }
            }
        }
    }
}

/// The derivative with respect to the turns of some cosines, without the factor `-2 pi`: `(sum of d_z V) sin`.
#[inline(always)]
fn d_turns<T: Scalar, V: Simd<T>>(d_features: [V; FEATURES], projections: &[T], sines: V) -> V {
    let mut d_cosines = V::zero();
    for (feature, d) in d_features.into_iter().enumerate() {
        d_cosines = d.mul_add(V::load(&projections[feature * COSINES..]), d_cosines);
    }
    d_cosines * sines
}

#[inline(always)]
fn splats<T: Scalar, V: Simd<T>>(numbers: &[T]) -> [V; FEATURES] {
    std::array::from_fn(|feature| V::splat(numbers[feature]))
}

simd_fn! {
    /// `d_x`, from the copies of x and from its features.
    pub(crate) fn periodic_backward<T as V>(
        d_z: &[T],
        x: &[T],
        shape: (usize, usize),
        parameters: &[T],
        d_x: &mut [T]
    ) {
        let (d, inputs) = shape;
        let [frequencies, phases, projections, _] = split(parameters, inputs);
        let minus_tau = T::from_f64(-std::f64::consts::TAU);
        let rows = d_z.chunks_exact(d + FEATURES * inputs).zip(x.chunks_exact(d)).zip(d_x.chunks_exact_mut(d));
        for ((d_z, x), d_x) in rows {
            let (d_copy, d_features) = d_z.split_at(d);
            d_x.copy_from_slice(d_copy);
            for (j, d_features) in d_features.chunks_exact(FEATURES).enumerate() {
                let (x, d_features) = (V::splat(x[j]), splats::<T, V>(d_features));
                let mut sum = V::zero();
                for k in (0..COSINES).step_by(T::LANES) {
                    let at = j * COSINES + k;
                    let (_, sines) = waves::<T, V>(x, &frequencies[at..], &phases[at..]);
                    let d_turns = d_turns::<T, V>(d_features, &projections[j * PROJECTIONS + k..], sines);
                    sum = d_turns.mul_add(V::load(&frequencies[at..]), sum);
                }
                d_x[j] += minus_tau * sum.sum();
            }
        }
    }
}

simd_fn! {
    /// Adds the gradient of the parameters, row by row.
    pub(crate) fn add_periodic_gradient<T as V>(
        d_z: &[T],
        x: &[T],
        shape: (usize, usize),
        parameters: &[T],
        sum: &mut [T]
    ) {
        let (d, inputs) = shape;
        let [frequencies, phases, projections, _] = split(parameters, inputs);
        let [d_frequencies, d_phases, d_projections, d_offsets] = split_mut(sum, inputs);
        let minus_tau = V::constant(-std::f64::consts::TAU);
        for (d_z, x) in d_z.chunks_exact(d + FEATURES * inputs).zip(x.chunks_exact(d)) {
            for (j, d_z) in d_z[d..].chunks_exact(FEATURES).enumerate() {
                let (x, d_features) = (V::splat(x[j]), splats::<T, V>(d_z));
                for (d_offset, &d) in d_offsets[j * FEATURES..].iter_mut().zip(d_z) {
                    *d_offset += d;
                }
                for k in (0..COSINES).step_by(T::LANES) {
                    let at = j * COSINES + k;
                    let (cosines, sines) = waves::<T, V>(x, &frequencies[at..], &phases[at..]);
                    let of_projections = j * PROJECTIONS + k;
                    let d_turns = d_turns::<T, V>(d_features, &projections[of_projections..], sines) * minus_tau;
                    let d_phase = &mut d_phases[at..];
                    (V::load(d_phase) + d_turns).store(d_phase);
                    let d_frequency = &mut d_frequencies[at..];
                    d_turns.mul_add(x, V::load(d_frequency)).store(d_frequency);
                    for (feature, d) in d_features.into_iter().enumerate() {
                        let d_projection = &mut d_projections[of_projections + feature * COSINES..];
                        d.mul_add(cosines, V::load(d_projection)).store(d_projection);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

    fn numbers(seed: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i as f64 + seed) * 12.9898).sin()).collect()
    }

    /// The formulas, in double precision: z, `d_x` and the gradient that is added to `sum`.
    fn plain(
        x: &[f64],
        d: usize,
        inputs: usize,
        p: &[f64],
        d_z: &[f64],
        sum: &mut [f64],
    ) -> (Vec<f64>, Vec<f64>) {
        let [frequencies, phases, projections, offsets] = split(p, inputs);
        let [d_frequencies, d_phases, d_projections, d_offsets] = split_mut(sum, inputs);
        let (mut z, mut d_x) = (vec![], vec![]);
        for (x, d_z) in x.chunks(d).zip(d_z.chunks(d + 3 * inputs)) {
            z.extend(x);
            let mut d_row = d_z[..d].to_vec();
            for j in 0..inputs {
                for feature in 0..3 {
                    let d_feature = d_z[d + 3 * j + feature];
                    let mut value = offsets[3 * j + feature];
                    d_offsets[3 * j + feature] += d_feature;
                    for k in 0..16 {
                        let (at, of_projection) = (16 * j + k, 48 * j + 16 * feature + k);
                        let angle = std::f64::consts::TAU * (frequencies[at] * x[j] + phases[at]);
                        value += projections[of_projection] * angle.cos();
                        let d_turns =
                            -std::f64::consts::TAU * d_feature * projections[of_projection] * angle.sin();
                        d_projections[of_projection] += d_feature * angle.cos();
                        d_phases[at] += d_turns;
                        d_frequencies[at] += d_turns * x[j];
                        d_row[j] += d_turns * frequencies[at];
                    }
                    z.push(value);
                }
            }
            d_x.extend(d_row);
        }
        (z, d_x)
    }

    fn check<T: Scalar>(tolerance: f64) {
        for (n, d, inputs) in [(1, 1, 1), (3, 2, 2), (2, 5, 3), (4, 17, 17), (1, 3, 0)] {
            let width = d + 3 * inputs;
            let [x, p, d_z] = [(1.0, n * d), (2.0, inputs * 83), (3.0, n * width)]
                .map(|(seed, count)| numbers(seed, count).into_iter().map(T::from_f64).collect::<Vec<_>>());
            let wide = |values: &[T]| values.iter().map(|&value| value.into()).collect::<Vec<f64>>();
            let mut expected_sum = wide(&p);
            let (expected_z, expected_d_x) =
                plain(&wide(&x), d, inputs, &wide(&p), &wide(&d_z), &mut expected_sum);
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let (mut z, mut d_x, mut sum) = (d_z.clone(), x.clone(), p.clone());
                with_isa(isa, || {
                    periodic(&x, (d, inputs), &p, &mut z);
                    periodic_backward(&d_z, &x, (d, inputs), &p, &mut d_x);
                    add_periodic_gradient(&d_z, &x, (d, inputs), &p, &mut sum);
                });
                for (found, expected) in [(&z, &expected_z), (&d_x, &expected_d_x), (&sum, &expected_sum)] {
                    for (found, expected) in wide(found).into_iter().zip(expected) {
                        assert!((found - expected).abs() <= tolerance, "{n} x {d}, {inputs}, {isa:?}");
                    }
                }
                of_isa.push((isa, [z, d_x, sum].concat()));
            }
            assert_fusing_agree(&of_isa, &format!("{n} x {d}, {inputs}"));
        }
    }

    #[test]
    fn each_follows_its_formula() {
        check::<f64>(1e-13);
        check::<f32>(1e-4);
    }
}
