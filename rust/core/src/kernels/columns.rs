//! Rows with a parameter per column: scales, learnable slopes and nonlinearities, forward and backward.
//!
//! Shapes: x, z and their derivatives `(n, d)`, parameters and their gradients `(d,)`. A gradient is a sum over rows,
//! added row by row to its previous value.

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// A function of a value and the parameter of its column.
trait OfColumn {
    fn apply<T: Scalar, V: Simd<T>>(x: V, parameter: V) -> V;
}

/// A function of three numbers: a derivative, or a running sum.
trait OfThree {
    fn apply<T: Scalar, V: Simd<T>>(a: V, b: V, c: V) -> V;
}

struct Times;
impl OfColumn for Times {
    #[inline(always)]
    fn apply<T: Scalar, V: Simd<T>>(x: V, scale: V) -> V {
        x * scale
    }
}

struct Rectified;
impl OfColumn for Rectified {
    #[inline(always)]
    fn apply<T: Scalar, V: Simd<T>>(x: V, slope: V) -> V {
        V::select(x.gt(V::zero()), x, slope * x)
    }
}

/// `d f'(x)` of [`Rectified`], from d, x and the slope.
struct RectifiedBack;
impl OfThree for RectifiedBack {
    #[inline(always)]
    fn apply<T: Scalar, V: Simd<T>>(d: V, x: V, slope: V) -> V {
        V::select(x.gt(V::zero()), d, slope * d)
    }
}

/// `d (1 + a (slope - 1))`
struct PartlySloped;
impl OfThree for PartlySloped {
    #[inline(always)]
    fn apply<T: Scalar, V: Simd<T>>(d: V, slope: V, alpha: V) -> V {
        d * alpha.mul_add(slope - V::splat(T::ONE), V::splat(T::ONE))
    }
}

/// `sum + d x`
struct AddProduct;
impl OfThree for AddProduct {
    #[inline(always)]
    fn apply<T: Scalar, V: Simd<T>>(d: V, x: V, sum: V) -> V {
        d.mul_add(x, sum)
    }
}

/// `sum + d min(x, 0)`
struct AddNegativePart;
impl OfThree for AddNegativePart {
    #[inline(always)]
    fn apply<T: Scalar, V: Simd<T>>(d: V, x: V, sum: V) -> V {
        d.mul_add(V::select(x.gt(V::zero()), V::zero(), x), sum)
    }
}

simd_fn! {
    fn map_columns<T as V; F: OfColumn>(x: &[T], parameters: &[T], z: &mut [T], _f: F) {
        let width = parameters.len();
        for (x, z) in x.chunks_exact(width).zip(z.chunks_exact_mut(width)) {
            let columns = x.chunks_exact(T::LANES).zip(parameters.chunks_exact(T::LANES));
            for ((x, parameter), z) in columns.zip(z.chunks_exact_mut(T::LANES)) {
                F::apply::<T, V>(V::load(x), V::load(parameter)).store(z);
            }
            if !width.is_multiple_of(T::LANES) {
                // A vector that overlaps the one before it takes less time than a part of a vector.
                let start = width.saturating_sub(T::LANES);
                let (x, parameter) = (V::load_front(&x[start..]), V::load_front(&parameters[start..]));
                F::apply::<T, V>(x, parameter).store_front(&mut z[start..]);
            }
        }
    }
}

simd_fn! {
    fn map_back<T as V; F: OfThree>(d: &[T], x: &[T], parameters: &[T], d_x: &mut [T], _f: F) {
        let width = parameters.len();
        let rows = d.chunks_exact(width).zip(x.chunks_exact(width)).zip(d_x.chunks_exact_mut(width));
        for ((d, x), d_x) in rows {
            let columns = d.chunks(T::LANES).zip(x.chunks(T::LANES)).zip(parameters.chunks(T::LANES));
            for (((d, x), parameter), d_x) in columns.zip(d_x.chunks_mut(T::LANES)) {
                F::apply::<T, V>(V::load_front(d), V::load_front(x), V::load_front(parameter)).store_front(d_x);
            }
        }
    }
}

simd_fn! {
    fn add_columns<T as V; F: OfThree>(d: &[T], x: &[T], sums: &mut [T], _f: F) {
        let width = sums.len();
        for (d, x) in d.chunks_exact(width).zip(x.chunks_exact(width)) {
            let columns = d.chunks(T::LANES).zip(x.chunks(T::LANES)).zip(sums.chunks_mut(T::LANES));
            for ((d, x), sum) in columns {
                F::apply::<T, V>(V::load_front(d), V::load_front(x), V::load_front(sum)).store_front(sum);
            }
        }
    }
}

simd_fn! {
    /// `z = x + a (f - x)`, with a number `a` per column; values f become `f - x`.
    pub(crate) fn parametric<T as V>(x: &[T], alphas: &[T], values: &mut [T], z: &mut [T]) {
        let width = alphas.len();
        let rows = x.chunks_exact(width).zip(values.chunks_exact_mut(width)).zip(z.chunks_exact_mut(width));
        for ((x, values), z) in rows {
            let columns = x.chunks(T::LANES).zip(values.chunks_mut(T::LANES)).zip(alphas.chunks(T::LANES));
            for (((x, values), alpha), z) in columns.zip(z.chunks_mut(T::LANES)) {
                let x = V::load_front(x);
                let nonlinearity = V::load_front(values) - x;
                nonlinearity.store_front(values);
                V::load_front(alpha).mul_add(nonlinearity, x).store_front(z);
            }
        }
    }
}

/// `z = x s`, and also its backward pass, `d_x = d_z s`.
pub(crate) fn scale<T: Scalar>(x: &[T], scales: &[T], z: &mut [T]) {
    map_columns(x, scales, z, Times);
}

/// `d_s += sum of the rows of d_z x`
pub(crate) fn add_scale_gradient<T: Scalar>(d_z: &[T], x: &[T], d_s: &mut [T]) {
    add_columns(d_z, x, d_s, AddProduct);
}

/// `z = x` above 0, `a x` below.
pub(crate) fn prelu<T: Scalar>(x: &[T], slopes: &[T], z: &mut [T]) {
    map_columns(x, slopes, z, Rectified);
}

/// `d_x = d_z` where x is above 0, `a d_z` elsewhere.
pub(crate) fn prelu_backward<T: Scalar>(d_z: &[T], x: &[T], slopes: &[T], d_x: &mut [T]) {
    map_back(d_z, x, slopes, d_x, RectifiedBack);
}

/// `d_x = d_z (1 + a (slope - 1))`
pub(crate) fn parametric_backward<T: Scalar>(d_z: &[T], slopes: &[T], alphas: &[T], d_x: &mut [T]) {
    map_back(d_z, slopes, alphas, d_x, PartlySloped);
}

/// `d_a += sum of the rows of d_z min(x, 0)`
pub(crate) fn add_slope_gradient<T: Scalar>(d_z: &[T], x: &[T], d_a: &mut [T]) {
    add_columns(d_z, x, d_a, AddNegativePart);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

    fn numbers<T: Scalar>(seed: f64, count: usize) -> Vec<T> {
        (0..count).map(|i| T::from_f64(((i as f64 + seed) * 12.9898).sin() * 1.3)).collect()
    }

    fn check<T: Scalar>(tolerance: f64) {
        for (n, width) in [(1, 1), (3, 7), (2, 8), (4, 9), (5, 16), (2, 17), (3, 33)] {
            let (x, d, p) =
                (numbers::<T>(1.0, n * width), numbers::<T>(2.0, n * width), numbers::<T>(3.0, width));
            let wide = |values: &[T], i: usize| -> f64 { values[i].into() };
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let (mut scaled, mut rectified, mut back) = (x.clone(), x.clone(), x.clone());
                let (mut d_s, mut d_a) = (p.clone(), p.clone());
                let (mut nonlinear, mut partly, mut sloped) = (d.clone(), x.clone(), x.clone());
                with_isa(isa, || {
                    scale(&x, &p, &mut scaled);
                    prelu(&x, &p, &mut rectified);
                    prelu_backward(&d, &x, &p, &mut back);
                    add_scale_gradient(&d, &x, &mut d_s);
                    add_slope_gradient(&d, &x, &mut d_a);
                    parametric(&x, &p, &mut nonlinear, &mut partly);
                    parametric_backward(&d, &x, &p, &mut sloped);
                });
                let close = |found: T, expected: f64| {
                    assert!((found.into() - expected).abs() <= tolerance, "{n} x {width} {isa:?}");
                };
                for i in 0..n * width {
                    let (x, d, p) = (wide(&x, i), wide(&d, i), wide(&p, i % width));
                    close(scaled[i], x * p);
                    close(rectified[i], x.max(0.0) + p * x.min(0.0));
                    close(back[i], if x > 0.0 { d } else { p * d });
                    close(nonlinear[i], d - x);
                    close(partly[i], (1.0 - p) * x + p * d);
                    close(sloped[i], (1.0 - p + p * x) * d);
                }
                for j in 0..width {
                    let rows = || (0..n).map(|q| (wide(&d, q * width + j), wide(&x, q * width + j)));
                    close(d_s[j], rows().fold(wide(&p, j), |sum, (d, x)| sum + d * x));
                    close(d_a[j], rows().fold(wide(&p, j), |sum, (d, x)| sum + d * x.min(0.0)));
                }
                of_isa.push((isa, [scaled, rectified, back, d_s, d_a, nonlinear, partly, sloped].concat()));
            }
            assert_fusing_agree(&of_isa, &format!("{n} x {width}"));
        }
    }

    #[test]
    fn each_follows_its_formula() {
        check::<f64>(1e-14);
        check::<f32>(1e-5);
    }
}
