//! The product of a column and a row: what a single output hands back. It takes the time of writing C.

use super::epilogue::Epilogue;
use super::{Matrix, Start};
use crate::kernels::activation::Activation;
use crate::numbers::Scalar;
use crate::numbers::simd_fn;

/// Whether [`multiply`] is for this product.
pub(super) fn is_outer<T>(a: &Matrix<'_, T>, b: &Matrix<'_, T>, start: Start<'_, T>) -> bool {
    a.cols() == 1 && b.is_row_contiguous() && matches!(start, Start::Zero)
}

/// `C = f(0 + A B)` for a product that [`is_outer`].
pub(super) fn multiply<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    if let Epilogue::Chain(Activation::Relu, outputs, _) = epilogue {
        // The sign of an output suffices, whatever it was multiplied by.
        return rows::<T, true>(a, b, c, outputs);
    }
    rows::<T, false>(a, b, c, &[]);
    epilogue.apply(c, b.cols(), 0..a.rows(), 0..b.cols());
}

simd_fn! {
    /// Row after row; if the product `IS_MASKED`, it becomes 0 where the outputs, which have C's layout, are 0.
    fn rows<T as V, const IS_MASKED: bool>(a: &Matrix<'_, T>, b: &Matrix<'_, T>, c: &mut [T], outputs: &[T]) {
        let n = b.cols();
        assert!(c.len() == a.rows() * n && (!IS_MASKED || outputs.len() == c.len()), "C and the outputs");
        let whole = n - n % T::LANES;
        for (i, row) in c.chunks_exact_mut(n).enumerate() {
            // SAFETY: the row of A has this element; B, the row of C and that of the outputs have n from here on.
            unsafe {
                let x = V::splat(*a.at(i, 0));
                let (b, row, outputs) = (b.at(0, 0), row.as_mut_ptr(), outputs.as_ptr().wrapping_add(i * n));
                for j in (0..whole).step_by(T::LANES) {
                    put::<T, V, IS_MASKED>(x, b.add(j), row.add(j), outputs.wrapping_add(j), T::LANES);
                }
                if whole < n {
                    let outputs = outputs.wrapping_add(whole);
                    put::<T, V, IS_MASKED>(x, b.add(whole), row.add(whole), outputs, n - whole);
                }
            }
        }

        /// At most a vector of a row.
        ///
        /// # Safety
        /// All pointers are valid for `count` elements, the outputs if the product is masked.
        #[inline(always)]
        unsafe fn put<T: Scalar, V: Simd<T>, const IS_MASKED: bool>(
            x: V,
            b: *const T,
            c: *mut T,
            outputs: *const T,
            count: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe {
                // Added to 0, as in every other product: there is no -0.
                let mut product = x.mul_add(V::load_front_ptr(b, count), V::zero());
                if IS_MASKED {
                    let is_on = V::load_front_ptr(outputs, count).gt(V::zero());
                    product = V::select(is_on, product, V::zero());
                }
                product.store_front_ptr(c, count);
            }
        }
    }
}
