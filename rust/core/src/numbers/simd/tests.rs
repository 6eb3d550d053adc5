//! Every operation on every instruction set, lane by lane, against plain arithmetic.

use super::{Isa, with_isa};

/// Runs `check` once for each instruction set of this CPU.
fn on_each_isa(check: impl Fn(Isa)) {
    for isa in Isa::available() {
        with_isa(isa, || check(isa));
    }
}

macro_rules! operations {
    ($module:ident, $real:ty, $lanes:literal) => {
        mod $module {
            use super::*;

            const LANES: usize = $lanes;
            type Lanes = [$real; LANES];

            const A: [$real; 16] =
                [0.0, -0.0, 1.0, -1.5, 2.5, 3.5, -7.25, 1e-3, 1e10, -1e-10, 5.0, -5.0, 0.1, 0.3, -0.7, 42.0];
            const B: [$real; 16] =
                [1.0, 2.0, -3.0, 0.5, 2.5, 4.0, -7.5, 1e3, 1e-10, 1.0, 5.0, 5.0, 0.2, -0.3, 0.7, 0.25];

            fn lanes(of: &[$real; 16], from: usize) -> Lanes {
                std::array::from_fn(|i| of[(from + i) % 16])
            }

            simd_fn! {
                fn apply<T as V>(op: usize, a: &[T], b: &[T], out: &mut [T]) {
                    let (x, y) = (V::load(a), V::load(b));
                    let result = match op {
                        0 => x + y,
                        1 => x - y,
                        2 => x * y,
                        3 => x / y,
                        4 => -x,
                        5 => x.max(y),
                        6 => x.min(y),
                        7 => x.abs().sqrt(),
                        8 => x.abs(),
                        9 => x.copysign(y),
                        10 => x.min(V::constant(100.0)).round(),
                        11 => V::select(x.gt(y), x, V::zero()),
                        12 => V::select(x.eq(y), V::splat(T::ONE), V::zero()),
                        13 => (x.abs() + V::constant(1e-3)).split2().0,
                        14 => (x.abs() + V::constant(1e-3)).split2().1,
                        15 => V::splat(x.sum()),
                        16 => V::mul_add_where(x.gt(y), x, y, V::splat(T::ONE)),
                        17 => V::splat(T::from_f64(V::bits(x.gt(y)) as f64)),
                        _ => x.mul_add(y, x),
                    };
                    result.store(out);
                }
            }

            fn expected(op: usize, a: &Lanes, b: &Lanes, fma: bool) -> Lanes {
                std::array::from_fn(|i| {
                    let (x, y) = (a[i], b[i]);
                    let shifted = x.abs() + 1e-3;
                    match op {
                        0 => x + y,
                        1 => x - y,
                        2 => x * y,
                        3 => x / y,
                        4 => -x,
                        5 => {
                            if x > y {
                                x
                            } else {
                                y
                            }
                        }
                        6 => {
                            if x < y {
                                x
                            } else {
                                y
                            }
                        }
                        7 => x.abs().sqrt(),
                        8 => x.abs(),
                        9 => x.copysign(y),
                        10 => x.min(100.0).round_ties_even(),
                        11 => {
                            if x > y {
                                x
                            } else {
                                0.0
                            }
                        }
                        12 => {
                            if x == y {
                                1.0
                            } else {
                                0.0
                            }
                        }
                        13 => shifted / shifted.log2().floor().exp2(),
                        14 => shifted.log2().floor(),
                        15 => {
                            let mut s = *a;
                            for width in [8, 4, 2, 1] {
                                for i in 0..width.min(LANES / 2) {
                                    if width < LANES {
                                        s[i] += s[i + width];
                                    }
                                }
                            }
                            s[0]
                        }
                        16 if x > y && fma => x.mul_add(y, 1.0),
                        16 if x > y => x * y + 1.0,
                        16 => 1.0,
                        17 => a
                            .iter()
                            .zip(b)
                            .rev()
                            .fold(0.0, |bits, (x, y)| 2.0 * bits + if x > y { 1.0 } else { 0.0 }),
                        _ if fma => x.mul_add(y, x),
                        _ => x * y + x,
                    }
                })
            }

            #[test]
            fn operations_match_plain_arithmetic() {
                on_each_isa(|isa| {
                    for from in 0..16 {
                        let (a, b) = (lanes(&A, from), lanes(&B, from));
                        for op in 0..19 {
                            let mut out = [0.0; LANES];
                            apply(op, &a, &b, &mut out);
                            let want = expected(op, &a, &b, isa.has_fma());
                            for i in 0..LANES {
                                assert_eq!(
                                    // -0 rounds to a zero of either sign
                                    if op == 10 { (out[i] + 0.0).to_bits() } else { out[i].to_bits() },
                                    if op == 10 { (want[i] + 0.0).to_bits() } else { want[i].to_bits() },
                                    "operation {op} of {} and {} on {isa:?}",
                                    a[i],
                                    b[i],
                                );
                            }
                        }
                    }
                });
            }

            simd_fn! {
                fn copy_part<T as V>(from: &[T], to: &mut [T]) {
                    V::load_part(from).store(to);
                }
            }
            simd_fn! {
                fn write_part<T as V>(from: &[T], to: &mut [T]) {
                    V::load(from).store_part(to);
                }
            }

            #[test]
            fn parts_touch_their_elements_only() {
                on_each_isa(|_| {
                    let a = lanes(&A, 2);
                    for count in 0..=LANES {
                        let mut out = [9.0; LANES];
                        copy_part(&a[..count], &mut out);
                        for i in 0..LANES {
                            assert_eq!(out[i], if i < count { a[i] } else { 0.0 });
                        }
                        let mut out = [9.0; LANES];
                        write_part(&a, &mut out[..count]);
                        for i in 0..LANES {
                            assert_eq!(out[i], if i < count { a[i] } else { 9.0 });
                        }
                    }
                });
            }

            simd_fn! {
                fn scale<T as V>(x: &[T], n: &[T], out: &mut [T]) {
                    V::load(x).scale2(V::load(n)).store(out);
                }
            }

            #[test]
            fn scaling_rounds_once() {
                let digits = <$real>::MANTISSA_DIGITS.cast_signed();
                on_each_isa(|_| {
                    for n in [
                        0,
                        1,
                        -1,
                        60,
                        -60,
                        <$real>::MAX_EXP - 1,
                        <$real>::MAX_EXP,
                        <$real>::MIN_EXP,
                        <$real>::MIN_EXP - 5,
                        <$real>::MIN_EXP - digits + 1,
                        <$real>::MIN_EXP - digits - 1,
                    ] {
                        for x in [0.7 as $real, 0.9, 1.0, 1.1, 1.4] {
                            let mut out = [0.0; LANES];
                            scale(&[x; LANES], &[n as $real; LANES], &mut out);
                            // One rounding: the steps before the last are exact.
                            let half = (2.0 as $real).powi(n / 2);
                            let want = x * half * (2.0 as $real).powi(n - n / 2);
                            assert_eq!(out, [want; LANES], "{x} * 2^{n}");
                        }
                    }
                });
            }

            simd_fn! {
                fn transpose<T as V>(square: &[T], stride: usize, to: &mut [T]) {
                    let rows = std::array::from_fn(|i| square[i % V::SQUARE * stride..].as_ptr());
                    assert!(square.len() >= V::SQUARE * stride && to.len() >= V::SQUARE * stride);
                    // SAFETY: both slices hold the square, as asserted.
                    unsafe { V::transpose_ptr(rows, to.as_mut_ptr(), stride) }
                }
            }

            #[test]
            fn transpose_swaps_rows_and_columns() {
                on_each_isa(|_| {
                    let side = LANES / 2;
                    let stride = side + 3;
                    let square: Vec<$real> = (0..side * stride).map(|i| i as $real).collect();
                    let mut out = vec![-1.0; side * stride];
                    transpose(&square, stride, &mut out);
                    for i in 0..side {
                        for j in 0..stride {
                            let want = if j < side { square[j * stride + i] } else { -1.0 };
                            assert_eq!(out[i * stride + j], want);
                        }
                    }
                });
            }

            simd_fn! {
                fn from_u32<T as V>(from: &[u32], out: &mut [T]) {
                    assert!(from.len() >= T::LANES);
                    // SAFETY: the slice is long enough.
                    unsafe { V::load_u32_ptr(from.as_ptr()) }.store(out);
                }
            }

            #[test]
            fn whole_numbers_are_exact() {
                on_each_isa(|_| {
                    let whole: [u32; LANES] =
                        std::array::from_fn(|i| (1 << 24) - 1 - 77 * u32::try_from(i).unwrap());
                    let mut out = [0.0; LANES];
                    from_u32(&whole, &mut out);
                    assert_eq!(out, whole.map(|x| x as $real));
                });
            }
        }
    };
}

use crate::numbers::simd_fn;
operations!(single, f32, 16);
operations!(double, f64, 8);
