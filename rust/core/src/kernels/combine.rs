//! Inner products and linear combinations of whole vectors.

use crate::numbers::simd_fn;

/// Numbers whose products are added up in the element type; the sums of such blocks are added up in `f64`.
const BLOCK: usize = 1024;
/// Vectors that a loop works on at a time, each with sums of its own.
const STRIDE: usize = 2;

simd_fn! {
    /// The inner products of a vector with two others.
    pub(super) fn two_dots<T as V>(x: &[T], a: &[T], b: &[T]) -> [f64; 2] {
        assert!(x.len() == a.len() && x.len() == b.len());
        let mut dots = [0.0; 2];
        for ((x, a), b) in x.chunks(BLOCK).zip(a.chunks(BLOCK)).zip(b.chunks(BLOCK)) {
            let mut sums = [[V::zero(); 2]; STRIDE];
            let width = STRIDE * T::LANES;
            for ((x, a), b) in x.chunks(width).zip(a.chunks(width)).zip(b.chunks(width)) {
                let vectors = x.chunks(T::LANES).zip(a.chunks(T::LANES)).zip(b.chunks(T::LANES));
                for (((x, a), b), sums) in vectors.zip(&mut sums) {
                    let x = V::load_front(x);
                    sums[0] = x.mul_add(V::load_front(a), sums[0]);
                    sums[1] = x.mul_add(V::load_front(b), sums[1]);
                }
            }
            for (i, dot) in dots.iter_mut().enumerate() {
                let sum = sums.into_iter().fold(V::zero(), |total, sums| total + sums[i]);
                *dot += sum.sum().into();
            }
        }
        dots
    }
}

simd_fn! {
    /// `to = from + factor along`, element by element.
    pub(super) fn move_along<T as V>(to: &mut [T], from: &[T], along: &[T], factor: f64) {
        assert!(to.len() == from.len() && to.len() == along.len());
        let factor = V::constant(factor);
        let from = from.chunks(T::LANES).zip(along.chunks(T::LANES));
        for (to, (from, along)) in to.chunks_mut(T::LANES).zip(from) {
            factor.mul_add(V::load_front(along), V::load_front(from)).store_front(to);
        }
    }
}

simd_fn! {
    /// `to += factors[0] a + factors[1] b`, element by element.
    pub(super) fn add_two<T as V>(to: &mut [T], a: &[T], b: &[T], factors: [f64; 2]) {
        assert!(to.len() == a.len() && to.len() == b.len());
        let [of_a, of_b] = [V::constant(factors[0]), V::constant(factors[1])];
        for (to, (a, b)) in to.chunks_mut(T::LANES).zip(a.chunks(T::LANES).zip(b.chunks(T::LANES))) {
            let sum = of_a.mul_add(V::load_front(a), V::load_front(to));
            of_b.mul_add(V::load_front(b), sum).store_front(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

    const LENGTHS: [usize; 10] = [0, 1, 7, 8, 9, 17, 1023, 1024, 1025, 5000];

    fn vector(len: usize, pace: f64) -> Vec<f64> {
        (0..len).map(|i| (pace * i as f64).sin()).collect()
    }

    fn near(found: f64, expected: f64, len: usize) -> bool {
        (found - expected).abs() <= 1e-15 * (len + 1) as f64
    }

    #[test]
    fn two_inner_products_at_once() {
        for len in LENGTHS {
            let (x, a, b) = (vector(len, 0.7), vector(len, 1.1), vector(len, 2.3));
            let plain = |y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let found = with_isa(isa, || two_dots(&x, &a, &b));
                for (found, expected) in found.into_iter().zip([plain(&a), plain(&b)]) {
                    assert!(near(found, expected, len), "{isa:?} {len}: {found} is not {expected}");
                }
                of_isa.push((isa, found.to_vec()));
            }
            assert_fusing_agree(&of_isa, &format!("{len} numbers"));
        }
    }

    /// Sums of blocks are added up in f64: a long vector loses no more than a short one.
    #[test]
    fn long_vectors_keep_their_digits() {
        let ones = vec![1.0_f32; (1 << 24) + 1000];
        for isa in Isa::available() {
            let dots = with_isa(isa, || two_dots(&ones, &ones, &ones));
            assert_eq!(dots, [ones.len() as f64; 2], "{isa:?}");
        }
    }

    #[test]
    fn a_step_along_a_vector_and_a_sum_of_two() {
        for len in LENGTHS {
            let (x, a, b) = (vector(len, 0.7), vector(len, 1.1), vector(len, 2.3));
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let (mut moved, mut sum) = (vec![0.0; len], x.clone());
                with_isa(isa, || move_along(&mut moved, &x, &a, -0.3));
                with_isa(isa, || add_two(&mut sum, &a, &b, [0.2, -1.7]));
                for i in 0..len {
                    assert!(near(moved[i], x[i] - 0.3 * a[i], 1), "{isa:?} {len}");
                    assert!(near(sum[i], x[i] + 0.2 * a[i] - 1.7 * b[i], 2), "{isa:?} {len}");
                }
                moved.append(&mut sum);
                of_isa.push((isa, moved));
            }
            assert_fusing_agree(&of_isa, &format!("{len} numbers"));
        }
    }
}
