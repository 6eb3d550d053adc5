//! A dense layer: forward, and beside it the two halves of backward.

use crate::kernels::{Finish, Matrix, Start};
use crate::layout::Layer;
use crate::scalar::Scalar;

/// Numbers of scratch that the products of a layer need for up to `n` rows.
pub(crate) fn dense_scratch_len<T: Scalar>(layer: &Layer, n: usize) -> usize {
    let Layer { d_in, d_out, .. } = *layer;
    let forward = T::product_scratch_len(n, d_out, d_in);
    let backward = T::product_scratch_len(d_in, d_out, n).max(T::product_scratch_len(n, d_in, d_out));
    forward.max(backward)
}

/// `z = x W + b`
///
/// x: (n, `d_in`), W: (`d_in`, `d_out`), b: (`d_out`,), z: (n, `d_out`)
pub(crate) fn dense_forward<T: Scalar>(
    layer: &Layer,
    parameters: &[T],
    x: &[T],
    z: &mut [T],
    scratch: &mut [T],
) {
    let x = Matrix::new(x, x.len() / layer.d_in, layer.d_in);
    let bias = Start::Rows(&parameters[layer.biases()]);
    T::product(&x, &weights(layer, parameters), z, bias, Finish::Nothing, scratch);
}

/// `d_W += x^T d_z` and `d_b += sum of the rows of d_z`, into the flat gradient.
///
/// x: (n, `d_in`), `d_z`: (n, `d_out`)
pub(crate) fn dense_backward_parameters<T: Scalar>(
    layer: &Layer,
    x: &[T],
    d_z: &[T],
    gradient: &mut [T],
    scratch: &mut [T],
) {
    let n = d_z.len() / layer.d_out;
    let (x, d_sums) = (Matrix::new(x, n, layer.d_in), Matrix::new(d_z, n, layer.d_out));
    let d_w = &mut gradient[layer.weights()];
    T::product(&x.t(), &d_sums, d_w, Start::Given, Finish::Nothing, scratch);
    T::add_rows(&mut gradient[layer.biases()], d_z);
}

/// `d_x = d_z W^T`
///
/// `d_z`: (n, `d_out`), W: (`d_in`, `d_out`), `d_x`: (n, `d_in`)
pub(crate) fn dense_backward_input<T: Scalar>(
    layer: &Layer,
    parameters: &[T],
    d_z: &[T],
    d_x: &mut [T],
    scratch: &mut [T],
) {
    let d_sums = Matrix::new(d_z, d_z.len() / layer.d_out, layer.d_out);
    let weights = weights(layer, parameters).t();
    T::product(&d_sums, &weights, d_x, Start::Zero, Finish::Nothing, scratch);
}

fn weights<'a, T: Scalar>(layer: &Layer, parameters: &'a [T]) -> Matrix<'a, T> {
    Matrix::new(&parameters[layer.weights()], layer.d_in, layer.d_out)
}
