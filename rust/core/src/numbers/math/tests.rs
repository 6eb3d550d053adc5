//! Accuracy against a wider reference: `f64` for `f32`, 200 bits for `f64`.

use dashu_float::FBig;

use super::{
    Map, ample_or_zero, exp_vector, ln_vector, map, normal_or_zero, reciprocal_vector, sigmoid_vector,
    tanh_vector,
};
use crate::numbers::Scalar;
use crate::numbers::simd::{Isa, Simd, assert_fusing_agree, with_isa};

macro_rules! slice_functions {
    ($($(#[$doc:meta])* $name:ident, $map:ident, $vector:ident;)*) => {
        $(
            struct $map;

            impl Map for $map {
                #[inline(always)]
                fn apply<T: Scalar, V: Simd<T>>(&self, x: V) -> V {
                    $vector::<T, V>(x)
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
    /// `x = tanh(x)`.
    tanh, Tanh, tanh_vector;
    /// `x = 1 / (1 + exp(-x))`.
    sigmoid, Sigmoid, sigmoid_vector;
    /// `x = 1 / x`, for x from 0 to an eighth of the greatest number.
    reciprocal, Reciprocal, reciprocal_vector;
    /// 0 in place of what is below the normal range.
    normal, Normal, normal_or_zero;
    /// 0 in place of what may get there.
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

#[allow(clippy::type_complexity, reason = "a table")]
const SINGLE: [Case<fn(&mut [f32]), fn(f64) -> f64>; 4] = [
    ("exp", exp::<f32>, f64::exp),
    ("ln", ln::<f32>, f64::ln),
    ("tanh", tanh::<f32>, f64::tanh),
    ("sigmoid", sigmoid::<f32>, sigmoid_f64),
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

type Wide = FBig;

fn wide(x: f64) -> Wide {
    Wide::try_from(x).expect("finite").with_precision(200).value()
}

fn exp_wide(x: f64) -> Wide {
    wide(x).exp()
}

fn sigmoid_wide(x: f64) -> Wide {
    wide(1.0) / (wide(1.0) + exp_wide(-x))
}

fn tanh_wide(x: f64) -> Wide {
    if x.abs() < 1e-12 {
        let x = wide(x);
        return &x - &x * &x * &x / wide(3.0);
    }
    let square = exp_wide(2.0 * x);
    (&square - wide(1.0)) / (square + wide(1.0))
}

fn ln_wide(x: f64) -> Wide {
    if x == 1.0 { wide(0.0) } else { wide(x).ln() }
}

#[allow(clippy::type_complexity, reason = "a table")]
const DOUBLE: [Case<fn(&mut [f64]), fn(f64) -> Wide>; 4] = [
    ("exp", exp::<f64>, exp_wide),
    ("ln", ln::<f64>, ln_wide),
    ("tanh", tanh::<f64>, tanh_wide),
    ("sigmoid", sigmoid::<f64>, sigmoid_wide),
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
            _ => *x > 0.0,
        };
        let x: Vec<f64> = arguments(name).into_iter().filter(inside).collect();
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
fn special_values_f64() {
    let inf = f64::INFINITY;
    #[allow(clippy::type_complexity, reason = "a table")]
    let cases: [(fn(&mut [f64]), [(f64, f64); 7]); 4] = [
        (
            exp,
            [
                (inf, inf),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (709.8, inf),
                (-746.0, 0.0),
                (1e300, inf),
                (0.0, 1.0),
            ],
        ),
        (
            ln,
            [
                (inf, inf),
                (-inf, f64::NAN),
                (f64::NAN, f64::NAN),
                (0.0, -inf),
                (-0.0, -inf),
                (-5e-324, f64::NAN),
                (1.0, 0.0),
            ],
        ),
        (
            tanh,
            [
                (inf, 1.0),
                (-inf, -1.0),
                (f64::NAN, f64::NAN),
                (-0.0, -0.0),
                (1e300, 1.0),
                (5e-324, 5e-324),
                (-21.0, -1.0),
            ],
        ),
        (
            sigmoid,
            [
                (inf, 1.0),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (0.0, 0.5),
                (-800.0, 0.0),
                (800.0, 1.0),
                (-0.0, 0.5),
            ],
        ),
    ];
    for isa in Isa::available() {
        for (function, pairs) in cases {
            let mut y = pairs.map(|(x, _)| x);
            with_isa(isa, || function(&mut y));
            for ((x, want), y) in pairs.into_iter().zip(y) {
                let same = y.to_bits() == want.to_bits() || (y.is_nan() && want.is_nan());
                assert!(same, "f({x:e}) = {y:e}, not {want:e}, on {isa:?}");
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
