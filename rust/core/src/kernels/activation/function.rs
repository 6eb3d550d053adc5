//! The interface of the table's functions to the loops, and the loops.

use crate::numbers::Scalar;
use crate::numbers::math::Map;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// A function whose derivative is computed from its output. `Map::apply` is the function.
pub(crate) trait FromOutput: Map {
    /// `d f'(z)` where the output is y.
    fn chain<T: Scalar, V: Simd<T>>(&self, d: V, y: V) -> V;
}

/// A function that keeps the sign of its input, on which alone its derivative depends:
/// [`chain`](FromOutput::chain) may be given z instead of y.
pub(crate) trait SignSlope: FromOutput {
    /// `f(z) d + sum` for a finite d.
    #[inline(always)]
    fn mul_add<T: Scalar, V: Simd<T>>(&self, z: V, d: V, sum: V) -> V {
        self.apply::<T, V>(z).mul_add(d, sum)
    }
}

/// A function whose derivative, the slope, cannot be computed from the output: it is computed with the value and
/// kept.
pub(crate) trait KeepsSlope: Map {
    /// Whether a loop computes two vectors at a time. Where one is a single chain of operations, a processor then has
    /// something to do while it waits; where one has several chains, two do not fit into the registers.
    const IN_PAIRS: bool;

    /// `(f(z), f'(z))`
    fn with_slope<T: Scalar, V: Simd<T>>(&self, z: V) -> (V, V);
}

simd_fn! {
    /// `d = d f'(z)` for the first `cols` elements of every `stride`, where the outputs are `keep y`.
    pub(super) fn chain<T as V; F: FromOutput>(d: &mut [T], y: &[T], keep: T, stride: usize, cols: usize, f: F) {
        let keep = V::splat(keep);
        for (d, y) in d.chunks_mut(stride).zip(y.chunks(stride)) {
            for (d, y) in d[..cols].chunks_mut(T::LANES).zip(y[..cols].chunks(T::LANES)) {
                f.chain::<T, V>(V::load_front(d), keep * V::load_front(y)).store_front(d);
            }
        }
    }
}

simd_fn! {
    /// `z = f(z)` and `slopes = f'(z)`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub(super) fn keep_slopes<T as V; F: KeepsSlope>(z: &mut [T], slopes: &mut [T], f: F) {
        assert_eq!(z.len(), slopes.len(), "z and slopes");
        let paired = if F::IN_PAIRS { z.len() / (2 * T::LANES) * (2 * T::LANES) } else { 0 };
        let ((z, z_rest), (slopes, slopes_rest)) = (z.split_at_mut(paired), slopes.split_at_mut(paired));
        for (z, slopes) in z.chunks_exact_mut(2 * T::LANES).zip(slopes.chunks_exact_mut(2 * T::LANES)) {
            let (z, other_z) = z.split_at_mut(T::LANES);
            let (slopes, other_slopes) = slopes.split_at_mut(T::LANES);
            let (value, slope) = f.with_slope::<T, V>(V::load(z));
            let (other_value, other_slope) = f.with_slope::<T, V>(V::load(other_z));
            value.store(z);
            other_value.store(other_z);
            slope.store(slopes);
            other_slope.store(other_slopes);
        }
        for (z, slopes) in z_rest.chunks_mut(T::LANES).zip(slopes_rest.chunks_mut(T::LANES)) {
            let (value, slope) = f.with_slope::<T, V>(V::load_front(z));
            value.store_front(z);
            slope.store_front(slopes);
        }
    }
}

simd_fn! {
    /// `d = d slopes`
    ///
    /// # Panics
    /// If the lengths differ.
    pub(crate) fn times<T as V>(d: &mut [T], slopes: &[T]) {
        assert_eq!(d.len(), slopes.len(), "derivatives and slopes");
        for (d, slopes) in d.chunks_mut(T::LANES).zip(slopes.chunks(T::LANES)) {
            (V::load_front(d) * V::load_front(slopes)).store_front(d);
        }
    }
}
