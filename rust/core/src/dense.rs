//! A dense layer: forward, and beside it the two halves of backward.

use ndarray::{ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis};

use crate::kernels::matmul_add;
use crate::layout::Layer;
use crate::scalar::Scalar;

/// `z = x W + b`
///
/// x: (n, `d_in`), W: (`d_in`, `d_out`), b: (`d_out`,), z: (n, `d_out`)
pub(crate) fn dense_forward<T: Scalar>(
    layer: &Layer,
    parameters: &[T],
    x: ArrayView2<'_, T>,
    mut z: ArrayViewMut2<'_, T>,
) {
    z.assign(&layer.biases_of(parameters));
    matmul_add(x, layer.weights_of(parameters), z);
}

/// `d_W += x^T d_z` and `d_b += sum of the rows of d_z`, into the flat gradient.
///
/// x: (n, `d_in`), `d_z`: (n, `d_out`)
pub(crate) fn dense_backward_parameters<T: Scalar>(
    layer: &Layer,
    x: ArrayView2<'_, T>,
    d_z: ArrayView2<'_, T>,
    gradient: &mut [T],
) {
    let d_w = ArrayViewMut2::from_shape((layer.d_in, layer.d_out), &mut gradient[layer.weights()])
        .expect("the range has d_in * d_out elements");
    matmul_add(x.reversed_axes(), d_z, d_w);
    let mut d_b = ArrayViewMut1::from(&mut gradient[layer.biases()]);
    for row in d_z.axis_iter(Axis(0)) {
        d_b += &row;
    }
}

/// `d_x = d_z W^T`
///
/// `d_z`: (n, `d_out`), W: (`d_in`, `d_out`), `d_x`: (n, `d_in`)
pub(crate) fn dense_backward_input<T: Scalar>(
    layer: &Layer,
    parameters: &[T],
    d_z: ArrayView2<'_, T>,
    mut d_x: ArrayViewMut2<'_, T>,
) {
    d_x.fill(T::ZERO);
    matmul_add(d_z, layer.weights_of(parameters).reversed_axes(), d_x);
}
