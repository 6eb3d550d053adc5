//! The plain loops: what every faster kernel is tested against.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::scalar::Scalar;

/// `c += a b`, sum after sum, each over the inner index in its order.
///
/// a: (m, k), b: (k, n), c: (m, n); any strides.
pub(crate) fn matmul_add<T: Scalar>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>, mut c: ArrayViewMut2<'_, T>) {
    for (a_row, mut c_row) in a.rows().into_iter().zip(c.rows_mut()) {
        for (&a, b_row) in a_row.iter().zip(b.rows()) {
            match (c_row.as_slice_mut(), b_row.as_slice()) {
                (Some(c), Some(b)) => c.iter_mut().zip(b).for_each(|(c, &b)| *c += a * b),
                _ => c_row.iter_mut().zip(b_row).for_each(|(c, &b)| *c += a * b),
            }
        }
    }
}

/// No number is NaN or infinite.
pub(crate) fn all_finite<T: Scalar>(values: &[T]) -> bool {
    values.iter().all(|value| value.is_finite())
}
