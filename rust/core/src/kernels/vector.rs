//! Sums and checks over whole vectors.

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Whether all indices are below a bound. The loop has no early exit, so it is vectorised.
pub(super) fn all_below(indices: &[u32], bound: usize) -> bool {
    let greatest = indices.iter().fold(0, |greatest, &index| index.max(greatest));
    indices.is_empty() || (greatest as usize) < bound
}

simd_fn! {
    /// The sum of numbers, lane by lane.
    pub(super) fn sum<T as V>(values: &[T]) -> T {
        let mut sum = V::zero();
        for values in values.chunks(T::LANES) {
            sum = sum + V::load_front(values);
        }
        sum.sum()
    }
}

simd_fn! {
    /// `to = factor from`, element by element.
    pub(crate) fn scale<T as V>(to: &mut [T], from: &[T], factor: f64) {
        assert_eq!(to.len(), from.len());
        let factor = V::constant(factor);
        for (to, from) in to.chunks_mut(T::LANES).zip(from.chunks(T::LANES)) {
            (factor * V::load_front(from)).store_front(to);
        }
    }
}

simd_fn! {
    /// `to = share from + (1 - share) to`, number by number.
    pub(crate) fn blend<T as V>(to: &mut [T], from: &[T], share: f64) {
        assert_eq!(to.len(), from.len());
        let (share, rest) = (V::constant(share), V::constant(1.0 - share));
        for (to, from) in to.chunks_mut(T::LANES).zip(from.chunks(T::LANES)) {
            share.mul_add(V::load_front(from), rest * V::load_front(to)).store_front(to);
        }
    }
}

simd_fn! {
    /// The sum of the squares of `unit values`, of which whole blocks are added up in `f64`.
    pub(crate) fn squares<T as V>(values: &[T], unit: f64) -> f64 {
        const BLOCK: usize = 1024;
        let unit = V::constant(unit);
        let mut squares = 0.0;
        for block in values.chunks(BLOCK) {
            let mut sums = [V::zero(); STRIDE];
            for stride in block.chunks(STRIDE * T::LANES) {
                for (sum, x) in sums.iter_mut().zip(stride.chunks(T::LANES)) {
                    let x = unit * V::load_front(x);
                    *sum = x.mul_add(x, *sum);
                }
            }
            let sum = sums.into_iter().fold(V::zero(), |total, sum| total + sum);
            squares += sum.sum().into();
        }
        squares
    }
}

/// The largest magnitude so far, lane by lane.
#[derive(Clone, Copy)]
struct Largest<V> {
    magnitude: V,
    /// 0 times a number is 0, unless the number is infinite or NaN: then it is NaN, and stays so in every sum.
    probe: V,
}

/// Vectors that a loop works on at a time: each has its own sums, which are independent of one another. With AVX2,
/// where a vector is two registers, more of them would not stay in registers.
const STRIDE: usize = 2;

impl<V> Largest<V> {
    #[inline(always)]
    fn new<T: Scalar>() -> [Self; STRIDE]
    where
        V: Simd<T>,
    {
        [Self { magnitude: V::zero(), probe: V::zero() }; STRIDE]
    }

    #[inline(always)]
    fn see<T: Scalar>(&mut self, x: V)
    where
        V: Simd<T>,
    {
        self.magnitude = self.magnitude.max(x.abs());
        self.probe = x.mul_add(V::zero(), self.probe);
    }

    /// 0 of no numbers, NaN if one was NaN or infinite.
    #[inline(always)]
    fn of<T: Scalar>(all: [Self; STRIDE]) -> T
    where
        V: Simd<T>,
    {
        let (mut magnitude, mut probe) = (V::zero(), V::zero());
        for part in all {
            magnitude = magnitude.max(part.magnitude);
            probe = probe + part.probe;
        }
        let mut lanes = [T::ZERO; 16];
        magnitude.store(&mut lanes);
        for width in [8, 4, 2, 1] {
            for i in 0..width {
                if lanes[i + width] > lanes[i] {
                    lanes[i] = lanes[i + width];
                }
            }
        }
        lanes[0] + probe.sum()
    }
}

simd_fn! {
    /// The largest magnitude: 0 of no numbers, NaN if one is NaN or infinite.
    pub(crate) fn largest_magnitude<T as V>(values: &[T]) -> T {
        let mut largest = Largest::<V>::new();
        let mut blocks = values.chunks_exact(STRIDE * T::LANES);
        for block in blocks.by_ref() {
            for (k, largest) in largest.iter_mut().enumerate() {
                largest.see(V::load(&block[k * T::LANES..]));
            }
        }
        for rest in blocks.remainder().chunks(T::LANES) {
            largest[0].see(V::load_front(rest));
        }
        Largest::of(largest)
    }
}

simd_fn! {
    /// `gradient += decay weights`, element by element; the sum of the squares of the weights, of which whole blocks
    /// are added up in `f64`, and the largest magnitude in the gradient, NaN if one is NaN or infinite.
    pub(crate) fn penalize<T as V>(gradient: &mut [T], weights: &[T], decay: f64) -> (f64, T) {
        const BLOCK: usize = 1024;
        assert_eq!(gradient.len(), weights.len());
        let decay = V::constant(decay);
        let (mut squares, mut largest) = (0.0, Largest::<V>::new());
        // A sum waits for each addition, so two blocks go side by side.
        for (gradient, weights) in gradient.chunks_mut(STRIDE * BLOCK).zip(weights.chunks(STRIDE * BLOCK)) {
            let mut sums = [V::zero(); STRIDE];
            if gradient.len() == STRIDE * BLOCK {
                for i in (0..BLOCK).step_by(T::LANES) {
                    for (k, (sum, largest)) in sums.iter_mut().zip(&mut largest).enumerate() {
                        let (g, w) = (&mut gradient[k * BLOCK + i..], V::load(&weights[k * BLOCK + i..]));
                        *sum = w.mul_add(w, *sum);
                        let penalized = decay.mul_add(w, V::load(g));
                        penalized.store(g);
                        largest.see(penalized);
                    }
                }
            } else {
                let blocks = gradient.chunks_mut(BLOCK).zip(weights.chunks(BLOCK));
                for ((gradient, weights), sum) in blocks.zip(&mut sums) {
                    for (g, w) in gradient.chunks_mut(T::LANES).zip(weights.chunks(T::LANES)) {
                        let w = V::load_front(w);
                        *sum = w.mul_add(w, *sum);
                        let penalized = decay.mul_add(w, V::load_front(g));
                        penalized.store_front(g);
                        largest[0].see(penalized);
                    }
                }
            }
            for sum in sums {
                squares += sum.sum().into();
            }
        }
        (squares, Largest::of(largest))
    }
}

simd_fn! {
    /// `to += parts[0]`, then `to += parts[1]` and so on, element by element; the largest magnitude of the sums, NaN
    /// if one is NaN or infinite.
    pub(crate) fn sum_into<T as V>(to: &mut [T], parts: &[&[T]]) -> T {
        assert!(parts.iter().all(|part| part.len() == to.len()), "parts as long as their sum");
        let mut largest = Largest::<V>::new();
        let width = STRIDE * T::LANES;
        let full = to.len() / width * width;
        let (blocks, rest) = to.split_at_mut(full);
        for (i, block) in blocks.chunks_exact_mut(width).enumerate() {
            let mut sums = [V::zero(); STRIDE];
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = V::load(&block[k * T::LANES..]);
            }
            for part in parts {
                let part = &part[i * width..(i + 1) * width];
                for (k, sum) in sums.iter_mut().enumerate() {
                    *sum = *sum + V::load(&part[k * T::LANES..]);
                }
            }
            for (k, sum) in sums.into_iter().enumerate() {
                largest[k].see(sum);
                sum.store(&mut block[k * T::LANES..]);
            }
        }
        for (i, rest) in rest.chunks_mut(T::LANES).enumerate() {
            let start = full + i * T::LANES;
            let mut sum = V::load_front(rest);
            for part in parts {
                sum = sum + V::load_front(&part[start..start + rest.len()]);
            }
            largest[0].see(sum);
            sum.store_front(rest);
        }
        Largest::of(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

    #[test]
    fn indices_are_below_what_is_above_the_greatest() {
        assert!(all_below(&[], 0));
        for at in 0..40 {
            let mut indices = [2; 40];
            indices[at] = 7;
            assert!(all_below(&indices, 8) && !all_below(&indices, 7), "{at}");
        }
    }

    #[test]
    fn parts_are_added_in_their_order() {
        for len in [0, 1, 15, 16, 17, 31, 63, 64, 65, 200] {
            let number = |i: usize| (0.7 * i as f32).sin() * 1.5_f32.powf((i % 19) as f32);
            let parts: Vec<Vec<f32>> =
                (0..5).map(|k| (0..len).map(|i| number(7 * i + k)).collect()).collect();
            let start: Vec<f32> = (0..len).map(number).collect();
            for n_parts in 0..=5 {
                let parts: Vec<&[f32]> = parts[..n_parts].iter().map(|part| &part[..]).collect();
                let mut expected = start.clone();
                for part in &parts {
                    expected.iter_mut().zip(*part).for_each(|(to, from)| *to += from);
                }
                let largest = expected.iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
                for isa in Isa::available() {
                    let mut sums = start.clone();
                    assert_eq!(with_isa(isa, || sum_into(&mut sums, &parts)), largest, "{isa:?} {len}");
                    assert_eq!(sums, expected, "{isa:?} {len} {n_parts}");
                }
            }
        }
    }

    #[test]
    fn a_sum_that_is_not_finite_is_found() {
        for isa in Isa::available() {
            for len in [1, 8, 17, 40, 100] {
                for i in 0..len {
                    for (large, found) in [(f64::MAX, false), (0.5 * f64::MAX, true), (f64::NAN, false)] {
                        let (mut sums, mut part) = (vec![1.0; len], vec![-2.0; len]);
                        (sums[i], part[i]) = (large, large);
                        let largest = with_isa(isa, || sum_into(&mut sums, &[&part]));
                        assert_eq!(largest.is_finite(), found, "{isa:?} {len} {i} {large}");
                        assert!(!found || largest == f64::MAX);
                    }
                }
            }
        }
    }

    #[test]
    fn a_penalty_is_added_to_the_gradient() {
        const DECAY: f64 = 0.375;
        for len in [0, 1, 7, 8, 9, 1023, 1024, 1025, 2047, 2048, 2049, 5000] {
            let weights: Vec<f64> = (0..len).map(|i| (0.7 * f64::from(i)).sin()).collect();
            let start: Vec<f64> = (0..len).map(|i| 3.0 * (1.3 * f64::from(i)).cos()).collect();
            let squares: f64 = weights.iter().map(|w| w * w).sum();
            let mut of_isa = vec![];
            for isa in Isa::available() {
                let mut gradient = start.clone();
                let (found, largest) = with_isa(isa, || penalize(&mut gradient, &weights, DECAY));
                assert!((found - squares).abs() <= 1e-12 * squares, "{isa:?} {len}");
                for ((penalized, weight), start) in gradient.iter().zip(&weights).zip(&start) {
                    assert!((penalized - (start + DECAY * weight)).abs() < 1e-15, "{isa:?} {len}");
                }
                assert_eq!(largest, with_isa(isa, || largest_magnitude(&gradient)), "{isa:?} {len}");
                for wrong in [0, start.len() / 2, start.len().saturating_sub(1)] {
                    let mut gradient = start.clone();
                    let Some(number) = gradient.get_mut(wrong) else { continue };
                    *number = f64::INFINITY;
                    let (_, largest) = with_isa(isa, || penalize(&mut gradient, &weights, DECAY));
                    assert!(largest.is_nan(), "{isa:?} {len} {wrong}");
                }
                gradient.push(found);
                of_isa.push((isa, gradient));
            }
            assert_fusing_agree(&of_isa, &format!("{len} numbers"));
        }
    }

    /// Whole blocks are added up one after the other, however many go side by side.
    #[test]
    fn the_penalty_adds_up_block_by_block() {
        let weights: Vec<f32> = (0..5000).map(|i| (0.7 * i as f32).sin()).collect();
        for isa in Isa::available() {
            let of =
                |weights: &[f32]| with_isa(isa, || penalize(&mut vec![0.0; weights.len()], weights, 1.0).0);
            assert_eq!(of(&weights), weights.chunks(1024).map(of).sum::<f64>(), "{isa:?}");
        }
    }

    #[test]
    fn a_blend_has_its_share_of_each_vector() {
        for len in [1, 15, 16, 17, 40, 65] {
            let from: Vec<f64> = (0..len).map(|i| (0.7 * f64::from(i)).sin()).collect();
            let start: Vec<f64> = (0..len).map(|i| (1.3 * f64::from(i)).cos()).collect();
            for share in [0.0, 0.005, 0.5, 1.0] {
                for isa in Isa::available() {
                    let mut to = start.clone();
                    with_isa(isa, || blend(&mut to, &from, share));
                    for ((to, from), start) in to.iter().zip(&from).zip(&start) {
                        let expected = share * from + (1.0 - share) * start;
                        assert!((to - expected).abs() < 1e-15, "{isa:?} {len} {share}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "parts as long as their sum")]
    fn parts_of_another_length() {
        sum_into(&mut [0.0; 2], &[&[0.0; 2], &[0.0; 3]]);
    }

    #[test]
    fn the_largest_magnitude_is_found_and_what_is_not_finite_too() {
        for isa in Isa::available() {
            for len in [1, 8, 17, 40, 100] {
                let mut values = vec![-0.0; len];
                for i in 0..len {
                    for (number, largest) in [(-3.0, 3.0), (f64::MAX, f64::MAX), (f64::MIN, f64::MAX)] {
                        values[i] = number;
                        assert_eq!(
                            with_isa(isa, || largest_magnitude(&values)),
                            largest,
                            "{isa:?} {len} {i}"
                        );
                    }
                    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        values[i] = wrong;
                        assert!(
                            with_isa(isa, || largest_magnitude(&values)).is_nan(),
                            "{isa:?} {len} {i} {wrong}"
                        );
                    }
                    values[i] = 0.5;
                }
            }
            assert_eq!(with_isa(isa, || largest_magnitude::<f32>(&[])), 0.0);
        }
    }
}
