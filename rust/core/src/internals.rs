//! Access to the kernels for programs that measure them. This is not part of the public interface: it changes
//! with the kernels.

use crate::kernels::Activation;
use crate::kernels::Element;
use crate::kernels::{Epilogue, Matrix, Start};

/// A matrix in memory: row-major, or the transpose of a row-major one.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    /// All elements.
    pub data: &'a [T],
    /// Rows, transposed or not.
    pub rows: usize,
    /// Columns, transposed or not.
    pub cols: usize,
    /// Whether columns are contiguous rather than rows.
    pub is_transposed: bool,
}

impl<T> Operand<'_, T> {
    fn view(&self) -> Matrix<'_, T> {
        if self.is_transposed {
            Matrix::new(self.data, self.cols, self.rows).t()
        } else {
            Matrix::new(self.data, self.rows, self.cols)
        }
    }
}

/// `c = a b`, or `c = f(bias + a b)` for a layer. `scratch` holds [`product_scratch_len`] numbers.
pub fn product<T: Element>(
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    layer: Option<(&[T], Activation)>,
    c: &mut [T],
    scratch: &mut [T],
) {
    let (start, epilogue) = match layer {
        None => (Start::Zero, Epilogue::Nothing),
        Some((bias, activation)) => (Start::Rows(bias), Epilogue::Activate(activation)),
    };
    T::product(&a.view(), &b.view(), c, start, epilogue, scratch);
}

/// Numbers of scratch that a product (m, k) (k, n) needs.
pub fn product_scratch_len<T: Element>(m: usize, n: usize, k: usize) -> usize {
    T::product_scratch_len(m, n, k)
}
