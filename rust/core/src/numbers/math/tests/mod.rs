//! Accuracy against a wider reference: `f64` for `f32`, 200 bits for `f64`.

mod special;
mod wide;

use super::{
    Map, ample_or_zero, elu_vector, exp_m1_vector, exp_vector, gelu_vector, ln_1p_vector, ln_vector, map,
    mish_vector, normal_or_zero, reciprocal_vector, selu_vector, sigmoid_vector, silu_vector,
    softplus_vector, tanh_vector,
};
use crate::numbers::Scalar;
use crate::numbers::simd::{Isa, Simd, assert_fusing_agree, with_isa};
use wide::{Wide, wide};

macro_rules! slice_functions {
    ($($(#[$doc:meta])* $name:ident, $map:ident, $vector:ident $(, $part:tt)?;)*) => {
        $(
            struct $map;

            impl Map for $map {
                #[inline(always)]
                fn apply<T: Scalar, V: Simd<T>>(&self, x: V) -> V {
                    $vector::<T, V>(x)$(.$part)?
                }
            }

            $(#[$doc])*
            fn $name<T: Scalar>(x: &mut [T]) {
                map(x, x.len().max(1), x.len(), $map);
            }
        )*
    };
}

slice_functions! {
    /// `x = exp(x)`.
    exp, Exp, exp_vector;
    /// `x = ln(x)`; -inf for 0, NaN below.
    ln, Ln, ln_vector;
    /// `x = exp(x) - 1`.
    exp_m1, ExpM1, exp_m1_vector;
    /// `x = ln(1 + x)`, for x from 0.
    ln_1p, Ln1p, ln_1p_vector;
    /// `x = tanh(x)`.
    tanh, Tanh, tanh_vector;
    /// `x = 1 / (1 + exp(-x))`.
    sigmoid, Sigmoid, sigmoid_vector;
    /// The relatives of `max(0, x)`, and their slopes.
    elu, Elu, elu_vector, 0;
    elu_slope, EluSlope, elu_vector, 1;
    selu, Selu, selu_vector, 0;
    selu_slope, SeluSlope, selu_vector, 1;
    gelu, Gelu, gelu_vector, 0;
    gelu_slope, GeluSlope, gelu_vector, 1;
    silu, Silu, silu_vector, 0;
    silu_slope, SiluSlope, silu_vector, 1;
    mish, Mish, mish_vector, 0;
    mish_slope, MishSlope, mish_vector, 1;
    softplus, Softplus, softplus_vector, 0;
    softplus_slope, SoftplusSlope, softplus_vector, 1;
    /// `x = 1 / x`, for x from 0 to an eighth of the greatest number.
    reciprocal, Reciprocal, reciprocal_vector;
    /// 0 in place of numbers below the normal range.
    normal, Normal, normal_or_zero;
    /// 0 in place of numbers whose products may get there.
    ample, Ample, ample_or_zero;
}

/// Units in the last place of `want`, where `want` is rounded to `f32`.
fn ulps_f32(got: f32, want: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation)]
    let nearest = want as f32;
    if nearest.is_nan() || nearest.is_infinite() || want == 0.0 {
        let same = got.to_bits() == nearest.to_bits() || (got.is_nan() && nearest.is_nan());
        return if same { 0.0 } else { f64::INFINITY };
    }
    if got.is_infinite() {
        return f64::INFINITY;
    }
    let exponent = want.abs().log2().floor().max(-126.0);
    (f64::from(got) - want).abs() / (exponent - 23.0).exp2()
}

fn sigmoid_f64(x: f64) -> f64 {
    if x > 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

type Case<F, R> = (&'static str, F, R);

/// The function in double precision, which [`f64_is_accurate`] checks.
fn double(function: fn(&mut [f64]), x: f64) -> f64 {
    let mut x = [x];
    function(&mut x);
    x[0]
}

#[allow(clippy::type_complexity, reason = "a table")]
const SINGLE: [Case<fn(&mut [f32]), fn(f64) -> f64>; 10] = [
    ("exp", exp::<f32>, f64::exp),
    ("ln", ln::<f32>, f64::ln),
    ("tanh", tanh::<f32>, f64::tanh),
    ("sigmoid", sigmoid::<f32>, sigmoid_f64),
    ("elu", elu::<f32>, |z| if z > 0.0 { z } else { z.exp_m1() }),
    ("selu", selu::<f32>, |z| double(selu, z)),
    ("gelu", gelu::<f32>, |z| double(gelu, z)),
    ("silu", silu::<f32>, |z| double(silu, z)),
    ("mish", mish::<f32>, |z| double(mish, z)),
    ("softplus", softplus::<f32>, |z| z.max(0.0) + (-z.abs()).exp().ln_1p()),
];

/// The greatest error over the bit patterns `from`, `from + step`, ….
fn greatest_error_f32(step: u32) {
    for isa in Isa::available() {
        with_isa(isa, || {
            for (name, function, reference) in SINGLE {
                let mut worst = (0.0, 0.0);
                let mut patterns = (0..=u32::MAX).step_by(step as usize);
                loop {
                    let x: Vec<f32> = patterns.by_ref().take(4093).map(f32::from_bits).collect();
                    if x.is_empty() {
                        break;
                    }
                    let mut y = x.clone();
                    function(&mut y);
                    for (&x, &y) in x.iter().zip(&y) {
                        let error = ulps_f32(y, reference(f64::from(x)));
                        if error > worst.0 {
                            worst = (error, x);
                        }
                    }
                }
                assert!(worst.0 <= 2.0, "{name} f32 {isa:?}: {} ulp at {:e}", worst.0, worst.1);
            }
        });
    }
}

#[test]
fn f32_is_accurate_on_a_sample() {
    greatest_error_f32(4001);
}

#[test]
#[ignore = "all 2^32 arguments take minutes: `make test-exhaustive`"]
fn f32_is_accurate_everywhere() {
    greatest_error_f32(1);
}

#[allow(clippy::type_complexity, reason = "a table")]
const DOUBLE: [Case<fn(&mut [f64]), fn(f64) -> Wide>; 10] = [
    ("exp", exp::<f64>, wide::exp),
    ("ln", ln::<f64>, wide::ln),
    ("tanh", tanh::<f64>, wide::tanh),
    ("sigmoid", sigmoid::<f64>, wide::sigmoid),
    ("elu", elu::<f64>, wide::elu),
    ("selu", selu::<f64>, wide::selu),
    ("gelu", gelu::<f64>, wide::gelu),
    ("silu", silu::<f64>, wide::silu),
    ("mish", mish::<f64>, wide::mish),
    ("softplus", softplus::<f64>, wide::softplus),
];

#[allow(clippy::type_complexity, reason = "a table")]
const SLOPES: [Case<fn(&mut [f64]), fn(f64) -> Wide>; 6] = [
    ("elu", elu_slope::<f64>, wide::elu_slope),
    ("selu", selu_slope::<f64>, wide::selu_slope),
    ("gelu", gelu_slope::<f64>, wide::gelu_slope),
    ("silu", silu_slope::<f64>, wide::silu_slope),
    ("mish", mish_slope::<f64>, wide::mish_slope),
    ("softplus", softplus_slope::<f64>, wide::sigmoid),
];

/// Arguments of every magnitude, and many where the functions are neither 0 nor constant.
fn arguments(name: &str) -> Vec<f64> {
    let mut x = vec![0.0, 1.0, 0.5, 2.0, f64::MIN_POSITIVE, 5e-324, 1e-310];
    x.extend((-1000..=300).map(|e| 1.37 * 10_f64.powf(f64::from(e) * 0.3)).filter(|x| *x > 0.0));
    if name == "ln" {
        x.extend((1..1500).map(|i| f64::from(i) * 0.002));
        return x;
    }
    x.extend((1..1500).map(|i| f64::from(i) * 0.4999));
    x.extend((1..1500).map(|i| f64::from(i) * 0.0133));
    x.extend((1..700).map(|i| 700.0 + f64::from(i) * 0.07));
    let negative: Vec<f64> = x.iter().map(|x| -x).collect();
    x.extend(negative);
    x
}

#[test]
fn f64_is_accurate() {
    for (name, function, reference) in DOUBLE {
        // Results beyond the range are checked by `special_values`.
        let inside = |x: &f64| match name {
            "exp" => (-745.0..709.7).contains(x),
            "sigmoid" => (-745.0..745.0).contains(x),
            "tanh" => x.abs() < 1000.0,
            "ln" => *x > 0.0,
            _ => x.abs() < 800.0,
        };
        // The wide references of the other functions are too slow for all arguments.
        let step = if matches!(name, "exp" | "ln" | "tanh" | "sigmoid") { 1 } else { 23 };
        let x: Vec<f64> = arguments(name).into_iter().filter(inside).step_by(step).collect();
        let want: Vec<Wide> = x.iter().map(|&x| reference(x)).collect();
        for isa in Isa::available() {
            let mut y = x.clone();
            with_isa(isa, || function(&mut y));
            let mut worst = (0.0, 0.0);
            for ((&x, &y), want) in x.iter().zip(&y).zip(&want) {
                let nearest = want.to_f64().value();
                let exponent = nearest.abs().max(f64::MIN_POSITIVE).log2().floor();
                let difference = (wide(y) - want).to_f64().value().abs();
                // In two steps, since the unit itself may be below the normal range.
                let error = difference * 2_f64.powi(52) / exponent.exp2();
                if error > worst.0 {
                    worst = (error, x);
                }
            }
            assert!(worst.0 <= 2.0, "{name} f64 {isa:?}: {} ulp at {:e}", worst.0, worst.1);
        }
    }
}

#[test]
fn slopes_are_accurate() {
    for (name, function, reference) in SLOPES {
        let x = arguments(name).into_iter().filter(|x| x.abs() < 800.0).step_by(31);
        let x: Vec<f64> = x.chain((0..200).map(|i| -2.0 + f64::from(i) * 0.01)).collect();
        let want: Vec<Wide> = x.iter().map(|&x| reference(x)).collect();
        for isa in Isa::available() {
            let mut y = x.clone();
            with_isa(isa, || function(&mut y));
            for ((&x, &y), want) in x.iter().zip(&y).zip(&want) {
                let error = (wide(y) - want).to_f64().value().abs();
                // Terms of about 1/2 cancel at the zeros of slopes.
                let bound = 1e-14 * want.to_f64().value().abs() + 2e-16;
                assert!(error <= bound, "slope of {name} {isa:?} at {x:e}: {y:e} is off by {error:e}");
            }
        }
    }
}

/// The greatest error of reciprocals of `x`, of which none is NaN, against those of a division.
fn check_reciprocals<T: Scalar>(x: &[T], least_normal: f64) {
    let mut of_isa = vec![];
    for isa in Isa::available() {
        let mut y = x.to_vec();
        with_isa(isa, || reciprocal(&mut y));
        for (&x, &y) in x.iter().zip(&y) {
            let (x, y): (f64, f64) = (x.into(), y.into());
            let want = 1.0 / x.max(least_normal);
            let unit = want.log2().floor().exp2() * T::EPSILON.into();
            assert!((y - want).abs() <= 2.0 * unit, "1 / {x:e} = {y:e}, not {want:e}, on {isa:?}");
        }
        of_isa.push((isa, y));
    }
    assert_fusing_agree(&of_isa, "reciprocals");
}

#[test]
fn reciprocals_are_accurate() {
    let single = (0..2_f32.powi(125).to_bits()).step_by(1009).map(f32::from_bits);
    check_reciprocals::<f32>(&single.collect::<Vec<_>>(), f32::MIN_POSITIVE.into());
    let double = (0..2_f64.powi(1021).to_bits()).step_by(4_611_686_018_427_387);
    check_reciprocals::<f64>(&double.map(f64::from_bits).collect::<Vec<_>>(), f64::MIN_POSITIVE);
    let mut nan = [f32::NAN];
    reciprocal(&mut nan);
    assert!(nan[0].is_nan());
}

/// Compares with a function of the standard library, to 4 units in the last place.
fn check_beside<T: Scalar>(function: fn(&mut [T]), reference: fn(f64) -> f64, x: impl Iterator<Item = f64>) {
    let x: Vec<T> = x.map(T::from_f64).collect();
    let mut of_isa = vec![];
    for isa in Isa::available() {
        let mut y = x.clone();
        with_isa(isa, || function(&mut y));
        for (&x, &y) in x.iter().zip(&y) {
            let (x, y): (f64, f64) = (x.into(), y.into());
            let (want, epsilon) = (reference(x), T::EPSILON.into());
            assert!(
                (y - want).abs() <= 4.0 * epsilon * want.abs(),
                "f({x:e}) = {y:e}, not {want:e}, on {isa:?}"
            );
        }
        of_isa.push((isa, y));
    }
    assert_fusing_agree(&of_isa, "near 1");
}

#[test]
fn logarithms_and_exponentials_near_1_are_accurate() {
    let sizes = || (-300..=18).map(|e| 1.37 * 10_f64.powf(f64::from(e) * 0.1));
    let both = || sizes().flat_map(|x| [x, -x]);
    check_beside::<f32>(ln_1p, f64::ln_1p, sizes());
    check_beside::<f64>(ln_1p, f64::ln_1p, sizes());
    check_beside::<f32>(exp_m1, f64::exp_m1, both());
    check_beside::<f64>(exp_m1, f64::exp_m1, both());
}

#[test]
fn small_numbers_become_zero() {
    for isa in Isa::available() {
        with_isa(isa, || {
            let least = f32::MIN_POSITIVE;
            let mut x = [least, -least, least / 2.0, -least / 2.0, 0.0, f32::INFINITY, 1.0];
            let mut y = x.map(|x| x * 2_f32.powi(24));
            let kept = [least, -least, 0.0, 0.0, 0.0, f32::INFINITY, 1.0];
            normal(&mut x);
            assert_eq!(x, kept);
            ample(&mut y);
            assert_eq!(y, kept.map(|x| x * 2_f32.powi(24)));
            let mut nan = [f64::NAN; 2];
            normal(&mut nan[..1]);
            ample(&mut nan[1..]);
            assert!(nan.iter().all(|x| x.is_nan()));
        });
    }
}

/// All instruction sets that fuse give the same bits.
#[test]
fn bits_do_not_depend_on_the_instruction_set() {
    let x: Vec<f32> = (0..=u32::MAX).step_by(9973).map(f32::from_bits).filter(|x| !x.is_nan()).collect();
    for (name, function, _) in SINGLE {
        let of_isa: Vec<_> = Isa::available()
            .map(|isa| {
                let mut y = x.clone();
                with_isa(isa, || function(&mut y));
                (isa, y)
            })
            .collect();
        assert_fusing_agree(&of_isa, name);
    }
}
