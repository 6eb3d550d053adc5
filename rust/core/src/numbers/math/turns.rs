//! Cosine and sine of an angle in turns, which are periodic without a rounded pi: `cos(2 pi t)` and `sin(2 pi t)`.

use std::f64::consts::TAU;

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// `(-1)^k (2 pi)^(2 k + 1) / (2 k + 1)!`, of the Taylor series of `sin(2 pi y)`.
const SERIES: [f64; 12] = {
    let mut table = [TAU; 12];
    let mut k = 1;
    while k < table.len() {
        table[k] = -table[k - 1] * TAU * TAU / (2 * k * (2 * k + 1)) as f64;
        k += 1;
    }
    table
};

/// Angles are reduced exactly below this many turns, and taken for 0 from there on.
const MOST_TURNS: f64 = (1 << 22) as f64;

/// `(cos(2 pi t), sin(2 pi t))`; NaN for NaN.
///
/// With `r = t - round(t)`, `cos(2 pi r) = sin(2 pi (1/4 - |r|))`, and beyond a quarter of a turn
/// `sin(2 pi r) = sin(2 pi (1/2 - r))`: one series on a quarter of a turn serves both.
#[inline(always)]
pub(crate) fn cosine_and_sine<T: Scalar, V: Simd<T>>(t: V) -> (V, V) {
    let t = V::select(t.abs().gt(V::constant(MOST_TURNS)), V::zero(), t);
    let r = t - t.round();
    let (quarter, half) = (V::constant(0.25), V::constant(0.5));
    let magnitude = r.abs();
    let folded = V::select(magnitude.gt(quarter), (half - magnitude).copysign(r), r);
    (series::<T, V>(quarter - magnitude), series::<T, V>(folded))
}

/// `sin(2 pi y)` for y from -1/4 to 1/4.
#[inline(always)]
fn series<T: Scalar, V: Simd<T>>(y: V) -> V {
    let z = y * y;
    let mut k = T::LIMITS.sine_terms - 1;
    let mut sum = V::constant(SERIES[k]);
    while k > 0 {
        k -= 1;
        sum = sum.mul_add(z, V::constant(SERIES[k]));
    }
    y * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};
    use crate::numbers::simd_fn;

    simd_fn! {
        fn of_slice<T as V>(t: &[T], cosines: &mut [T], sines: &mut [T]) {
            let to = cosines.chunks_mut(T::LANES).zip(sines.chunks_mut(T::LANES));
            for (t, (cosines, sines)) in t.chunks(T::LANES).zip(to) {
                let (cosine, sine) = cosine_and_sine::<T, V>(V::load_front(t));
                cosine.store_front(cosines);
                sine.store_front(sines);
            }
        }
    }

    fn check<T: Scalar>(tolerance: f64) {
        let spread = (-400..=400).map(|i| f64::from(i) / 400.0 + f64::from(i / 7));
        let edges = [0.0, -0.0, 0.25, 0.5, 0.75, 1.0, -0.25, -0.5, 1e-30, 4_194_303.5, 5e6, 1e30, -1e30];
        let t: Vec<T> = spread.chain(edges).map(T::from_f64).collect();
        let mut of_isa = vec![];
        for isa in Isa::available() {
            let (mut cosines, mut sines) = (t.clone(), t.clone());
            with_isa(isa, || of_slice(&t, &mut cosines, &mut sines));
            for (i, &t) in t.iter().enumerate() {
                let t: f64 = t.into();
                // Exact: the angle of the library's functions is small, and right to a unit in the last place.
                let angle = if t.abs() > MOST_TURNS { 0.0 } else { TAU * (t - t.round_ties_even()) };
                let (cosine, sine): (f64, f64) = (cosines[i].into(), sines[i].into());
                assert!((cosine - angle.cos()).abs() <= tolerance, "cos of {t} turns is {cosine}, {isa:?}");
                assert!((sine - angle.sin()).abs() <= tolerance, "sin of {t} turns is {sine}, {isa:?}");
            }
            of_isa.push((isa, [cosines, sines].concat()));
        }
        assert_fusing_agree(&of_isa, "cosines and sines");
    }

    #[test]
    fn both_are_those_of_the_library() {
        check::<f64>(8e-16);
        check::<f32>(2.5e-7);
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let (mut cosine, mut sine) = ([0.0_f64], [0.0]);
        of_slice(&[f64::NAN], &mut cosine, &mut sine);
        assert!(cosine[0].is_nan() && sine[0].is_nan());
    }
}
