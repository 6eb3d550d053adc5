//! Infinities, NaN, zeros, and what is out of range.

use super::{
    elu, elu_slope, exp, gelu, gelu_slope, ln, mish, mish_slope, selu, selu_slope, sigmoid, silu, silu_slope,
    softplus, softplus_slope, tanh,
};
use crate::numbers::simd::{Isa, with_isa};

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn special_values_f64() {
    let inf = f64::INFINITY;
    #[allow(clippy::type_complexity, reason = "a table")]
    let cases: [(fn(&mut [f64]), [(f64, f64); 7]); 16] = [
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
        (
            elu,
            [
                (inf, inf),
                (-inf, -1.0),
                (f64::NAN, f64::NAN),
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1e4, -1.0),
                (1e300, 1e300),
            ],
        ),
        (
            selu,
            [
                (inf, inf),
                (-inf, -1.758_099_340_847_376_8),
                (f64::NAN, f64::NAN),
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1e4, -1.758_099_340_847_376_8),
                (1e300, 1.050_700_987_355_480_5e300),
            ],
        ),
        (
            gelu,
            [
                (inf, inf),
                (-inf, -0.0),
                (f64::NAN, f64::NAN),
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1e4, -0.0),
                (1e300, 1e300),
            ],
        ),
        (
            silu,
            [
                (inf, inf),
                (-inf, -0.0),
                (f64::NAN, f64::NAN),
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1e4, -0.0),
                (1e300, 1e300),
            ],
        ),
        (
            mish,
            [
                (inf, inf),
                (-inf, -0.0),
                (f64::NAN, f64::NAN),
                (0.0, 0.0),
                (-0.0, -0.0),
                (-1e4, -0.0),
                (1e300, 1e300),
            ],
        ),
        (
            softplus,
            [
                (inf, inf),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (0.0, std::f64::consts::LN_2),
                (-0.0, std::f64::consts::LN_2),
                (-1e4, 0.0),
                (1e300, 1e300),
            ],
        ),
        (
            elu_slope,
            [
                (inf, 1.0),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (0.0, 1.0),
                (-0.0, 1.0),
                (-1e4, 0.0),
                (1e300, 1.0),
            ],
        ),
        (
            selu_slope,
            [
                (inf, 1.050_700_987_355_480_5),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (0.0, 1.758_099_340_847_376_8),
                (-0.0, 1.758_099_340_847_376_8),
                (-1e4, 0.0),
                (1e300, 1.050_700_987_355_480_5),
            ],
        ),
        (
            gelu_slope,
            [
                (inf, 1.0),
                (-inf, -0.0),
                (f64::NAN, f64::NAN),
                (700.0, 1.0),
                (1e10, 1.0),
                (-1e4, -0.0),
                (1e300, 1.0),
            ],
        ),
        (
            silu_slope,
            [
                (inf, 1.0),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (700.0, 1.0),
                (1e10, 1.0),
                (-1e4, 0.0),
                (1e300, 1.0),
            ],
        ),
        (
            mish_slope,
            [
                (inf, 1.0),
                (-inf, -0.0),
                (f64::NAN, f64::NAN),
                (700.0, 1.0),
                (1e10, 1.0),
                (-1e4, -0.0),
                (1e300, 1.0),
            ],
        ),
        (
            softplus_slope,
            [
                (inf, 1.0),
                (-inf, 0.0),
                (f64::NAN, f64::NAN),
                (0.0, 0.5),
                (-0.0, 0.5),
                (-1e4, 0.0),
                (1e300, 1.0),
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
