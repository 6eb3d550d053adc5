//! A dense layer: forward, and beside it the two halves of backward; for sparse inputs too.

use std::ops::Range;

use crate::arch::Layer;
use crate::data::Csr;
use crate::data::Rows;
use crate::kernels::Activation;
use crate::kernels::Element;
use crate::kernels::{Finish, Matrix, Start};

/// Numbers of scratch that the products of a layer need for up to `n` rows.
pub(crate) fn dense_scratch_len<T: Element>(layer: &Layer, n: usize) -> usize {
    let Layer { d_in, d_out, .. } = *layer;
    let forward = T::product_scratch_len(n, d_out, d_in);
    let backward = T::product_scratch_len(d_in, d_out, n).max(T::product_scratch_len(n, d_in, d_out));
    forward.max(backward)
}

/// `z = x W + b`, finished.
///
/// x: (n, `d_in`), W: (`d_in`, `d_out`), b: (`d_out`,), z: (n, `d_out`)
pub(crate) fn dense_forward<T: Element>(
    layer: &Layer,
    parameters: &[T],
    x: &[T],
    z: &mut [T],
    finish: Finish<'_, T>,
    scratch: &mut [T],
) {
    let x = Matrix::new(x, x.len() / layer.d_in, layer.d_in);
    let bias = Start::Rows(&parameters[layer.biases()]);
    T::product(&x, &weights(layer, parameters), z, bias, finish, scratch);
}

/// Rows of `d_W = [d_W +] x^T d_z`, and after the last of them `d_b = [d_b +] sum of the rows of d_z`.
///
/// x: (n, `d_in`), `d_z`: (n, `d_out`), `d_w`: (rows, `d_out`), with the biases behind the last row
pub(crate) fn dense_backward_parameters<T: Element>(
    layer: &Layer,
    rows: &Range<usize>,
    x: &[T],
    d_z: &[T],
    d_w: &mut [T],
    start: Start<'_, T>,
    scratch: &mut [T],
) {
    let n = d_z.len() / layer.d_out;
    let (x, d_sums) = (Matrix::new(x, n, layer.d_in), Matrix::new(d_z, n, layer.d_out));
    let (d_w, d_b) = d_w.split_at_mut(rows.len() * layer.d_out);
    T::product(&x.t().slab(rows.clone()), &d_sums, d_w, start, Finish::Nothing, scratch);
    if rows.end == layer.d_in {
        if matches!(start, Start::Zero) {
            d_b.fill(T::ZERO);
        }
        T::add_rows(d_b, d_z);
    }
}

/// `d_x = d_z W^T`, finished.
///
/// `d_z`: (n, `d_out`), W: (`d_in`, `d_out`), `d_x`: (n, `d_in`)
pub(crate) fn dense_backward_input<T: Element>(
    layer: &Layer,
    parameters: &[T],
    d_z: &[T],
    d_x: &mut [T],
    finish: Finish<'_, T>,
    scratch: &mut [T],
) {
    let d_sums = Matrix::new(d_z, d_z.len() / layer.d_out, layer.d_out);
    let weights = weights(layer, parameters).t();
    T::product(&d_sums, &weights, d_x, Start::Zero, finish, scratch);
}

/// `a = f(x W + b)` for rows of a sparse x.
///
/// x: (n, `d_in`), W: (`d_in`, `d_out`), b: (`d_out`,), a: (n, `d_out`)
pub(crate) fn sparse_forward<T: Element>(
    layer: &Layer,
    parameters: &[T],
    (x, rows): (&Csr<'_, T>, Rows<'_>),
    a: &mut [T],
    activation: Option<Activation>,
) {
    let (weights, biases) = (&parameters[layer.weights()], &parameters[layer.biases()]);
    rows.for_each(|i, row| {
        let z = &mut a[i * layer.d_out..(i + 1) * layer.d_out];
        z.copy_from_slice(biases);
        T::add_sparse_product(z, x.row(row), weights);
    });
    if let Some(f) = activation {
        T::activate(f, a);
    }
}

/// As [`dense_backward_parameters`], for rows of a sparse x.
pub(crate) fn sparse_backward_parameters<T: Element>(
    layer: &Layer,
    slab: &Range<usize>,
    (x, rows): (&Csr<'_, T>, Rows<'_>),
    d_z: &[T],
    d_w: &mut [T],
    start: Start<'_, T>,
) {
    if matches!(start, Start::Zero) {
        d_w.fill(T::ZERO);
    }
    let (d_w, d_b) = d_w.split_at_mut(slab.len() * layer.d_out);
    rows.for_each(|i, row| {
        T::add_sparse_outer(d_w, slab, x.row(row), &d_z[i * layer.d_out..(i + 1) * layer.d_out]);
    });
    if slab.end == layer.d_in {
        T::add_rows(d_b, d_z);
    }
}

fn weights<'a, T: Element>(layer: &Layer, parameters: &'a [T]) -> Matrix<'a, T> {
    Matrix::new(&parameters[layer.weights()], layer.d_in, layer.d_out)
}
