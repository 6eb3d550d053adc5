//! Sums of columns: the product of a row of ones with a matrix.

use super::epilogue::InRegisters;
use super::tile::{self, Operands, wide_tile_shape};
use crate::numbers::Scalar;

/// `sums += sum of the rows`, in their order.
///
/// sums: (columns,), rows: (n, columns)
///
/// # Panics
/// If `rows` does not consist of whole rows.
pub(crate) fn add_rows<T: Scalar>(sums: &mut [T], rows: &[T]) {
    let columns = sums.len();
    if columns == 0 {
        return;
    }
    assert!(rows.len().is_multiple_of(columns), "whole rows of {columns} numbers");
    let width = wide_tile_shape::<T>(1).cols;
    let on = Operands {
        k: rows.len() / columns,
        a: &T::ONE,
        a_strides: (0, 0),
        b: rows.as_ptr(),
        b_stride: columns,
        b_step: width,
        b_is_padded: false,
        c: sums.as_mut_ptr(),
        c_stride: columns,
        cols: columns,
        start: Some((sums.as_ptr(), columns)),
        epilogue: InRegisters::Nothing,
        b_is_far: false,
        c_is_far: false,
    };
    // SAFETY: a stride of 0 repeats the one; the rows are whole, and the sums are borrowed exclusively.
    unsafe { tile::multiply(1, width / T::LANES, &on) }
}
