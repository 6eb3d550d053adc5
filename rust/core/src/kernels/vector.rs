//! Sums and checks over whole vectors.

use super::simd::simd_fn;
use crate::scalar::Scalar;

simd_fn! {
    /// `to += from`, number by number.
    pub(crate) fn add<T as V>(to: &mut [T], from: &[T]) {
        assert_eq!(to.len(), from.len());
        let (mut to, mut from) = (to.chunks_exact_mut(T::LANES), from.chunks_exact(T::LANES));
        for (to, from) in to.by_ref().zip(from.by_ref()) {
            (V::load(to) + V::load(from)).store(to);
        }
        let (to, from) = (to.into_remainder(), from.remainder());
        (V::load_part(to) + V::load_part(from)).store_part(to);
    }
}

/// `sums += sum of the rows`, in their order.
///
/// sums: (columns,), rows: (n, columns)
pub(crate) fn add_rows<T: Scalar>(sums: &mut [T], rows: &[T]) {
    for row in rows.chunks_exact(sums.len()) {
        add(sums, row);
    }
}

simd_fn! {
    /// The largest magnitude: 0 of no numbers, NaN if one is NaN or infinite.
    pub(crate) fn largest_magnitude<T as V>(values: &[T]) -> T {
        // 0 times a number is 0, unless the number is infinite or NaN: then it is NaN, and stays so in every sum.
        let (mut probe, mut largest) = (V::zero(), V::zero());
        for chunk in values.chunks(T::LANES) {
            let x = V::load_front(chunk);
            probe = x.mul_add(V::zero(), probe);
            largest = largest.max(x.abs());
        }
        let mut lanes = [T::ZERO; 16];
        largest.store(&mut lanes);
        lanes.into_iter().fold(T::ZERO, T::max) + probe.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{Isa, with_isa};

    #[test]
    fn sums_are_the_plain_loops() {
        for len in [0, 1, 7, 8, 9, 15, 16, 17, 100] {
            let from: Vec<f32> = (0..len).map(|i| 0.1 * i as f32).collect();
            for isa in Isa::available() {
                let mut to = vec![1.0_f32; len];
                with_isa(isa, || add(&mut to, &from));
                assert!(to.iter().zip(&from).all(|(to, from)| *to == 1.0 + from), "{isa:?} {len}");
            }
        }
    }

    #[test]
    fn rows_are_added_in_their_order() {
        let rows: Vec<f32> = (0..21_u8).map(|i| 1.1 * f32::from(i)).collect();
        let mut sums = [0.5_f32; 3];
        add_rows(&mut sums, &rows);
        for (j, sum) in sums.iter().enumerate() {
            assert_eq!(*sum, rows.iter().skip(j).step_by(3).fold(0.5, |sum, x| sum + x));
        }
    }

    #[test]
    fn the_largest_magnitude_is_found_and_what_is_not_finite_too() {
        for isa in Isa::available() {
            for len in [1, 8, 17, 40] {
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
