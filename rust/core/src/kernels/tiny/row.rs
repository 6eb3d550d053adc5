//! Forward for one row: hidden units in lanes, then classes.
//!
//! A sum has the same order as with rows in lanes, and hence the same bits.

use super::net::TinyNet;
use crate::numbers::math::Map;
use crate::numbers::simd_fn;

simd_fn! {
    /// Writes the logits of the row `x` to `z`. Sizes were checked by [`TinyNet::forward`].
    pub(super) fn forward_row<T as V; F: Map>(net: &TinyNet, x: &[T], parameters: &[T], z: &mut [T], f: &F) {
        let (hidden, classes) = (net.hidden, net.classes);
        let (w1, rest) = parameters.split_at(net.inputs * hidden);
        let (b1, rest) = rest.split_at(hidden);
        let (w2, b2) = rest.split_at(hidden * classes);
        let mut sums = V::load_part(b2);
        let mut units = [T::ZERO; 16];
        let blocks = b1.chunks(T::LANES).zip(w2.chunks(T::LANES * classes));
        for (block, (b1, w2)) in blocks.enumerate() {
            let mut h = V::load_front(b1);
            for (&x, w1) in x.iter().zip(w1.chunks_exact(hidden)) {
                h = V::splat(x).mul_add(V::load_front(&w1[block * T::LANES..]), h);
            }
            f.apply::<T, V>(h).store(&mut units);
            for (&unit, w2) in units.iter().zip(w2.chunks_exact(classes)) {
                sums = V::splat(unit).mul_add(V::load_part(w2), sums);
            }
        }
        sums.store_part(z);
    }
}
