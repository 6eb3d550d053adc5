//! Kernels: the loops that take the time, as plain functions on slices.
//!
//! | module | what |
//! | --- | --- |
//! | [`activation`] | activations, forward and backward |
//! | [`output`] | how the last layer's sums become predictions |
//! | [`tally`] | what a pass over rows adds up |
//! | [`mask`] | which values dropout drops |
//! | [`vector`] | sums and checks over whole vectors |
//! | [`combine`] | inner products and linear combinations of whole vectors |
//! | [`lanes`] | rows of few columns, transposed so that each lane holds a row |
//! | [`gather`] | rows in any order, copied |
//! | [`sparse_rows`] | rows without the numbers that are 0 |
//! | [`gemm`] | `C = f(start + A B)`, packed or thin |
//! | [`dropout`] | random masks, a function of key and position |
//! | [`argmax`] | the most probable class of each row |
//! | [`softmax`] | softmax of rows |
//! | [`cross_entropy`] | softmax and cross-entropy of rows, with the gradient |
//! | [`row_loss`] | the table of losses whose outputs stand apart |
//! | [`value_losses`] | those losses of rows, with the gradient |
//! | [`class_losses`] | losses of classes beside the plain cross-entropy, with the gradient |
//! | [`given_losses`] | losses that were computed elsewhere, weighted |
//! | [`by_output`] | predictions of outputs that stand apart |
//! | [`sparse`] | products of sparse rows with weights |
//! | [`columns`] | rows with a parameter per column |
//! | [`periodic`] | features of inputs that are linear in cosines |
//! | [`layer_norm`] | rows to mean 0 and variance 1 |
//! | [`batch_norm`] | columns to mean 0 and variance 1 |
//! | [`optimizer`] | the update rules, one pass each |
//! | [`tiny`] | networks with few inputs, one hidden layer and few classes, as a whole |
//!
//! Kernels know numbers and the tables of small functions, and nothing of networks or data.
//!
//! A result depends on the values and the shapes alone, never on the blocking or the thread that runs it, nor on the
//! instruction set among those that fuse a product with a sum (AVX-512, AVX2 with FMA, and what is compiled for
//! aarch64). The portable set of x86 rounds twice where they round once, so its bits differ.

mod activation;
mod output;
mod tally;
mod mask;
mod vector;
mod combine;
mod lanes;
mod gather;
mod sparse_rows;
mod gemm;
mod dropout;
mod argmax;
mod softmax;
mod cross_entropy;
mod row_loss;
mod value_losses;
mod class_losses;
mod given_losses;
mod by_output;
mod sparse;
mod columns;
mod periodic;
mod layer_norm;
mod batch_norm;
mod optimizer;
mod tiny;

use std::ops::Range;

use ndarray::ArrayView2;

use crate::error::Result;
use crate::numbers::Scalar;

pub use activation::Activation;
pub(crate) use activation::Suits;
pub(crate) use argmax::first_greatest;
pub(crate) use batch_norm::NormColumns;
pub(crate) use class_losses::ClassLoss;
pub(crate) use gemm::{Epilogue, Matrix, Start};
pub(crate) use layer_norm::KEPT as LAYER_NORM_KEPT;
pub(crate) use mask::{Key, Mask};
pub(crate) use optimizer::{AdamStep, MomentumStep};
pub use output::Output;
pub(crate) use periodic::{COSINES as PERIODIC_COSINES, FEATURES as PERIODIC_FEATURES};
pub(crate) use sparse_rows::SparseRows;
pub(crate) use tally::{Bounds, Tally};
pub(crate) use tiny::{Batch, TinyNet};
pub(crate) use value_losses::ValueLoss;

/// A number that a network can be made of: `f32` or `f64`.
pub trait Element: Scalar + Kernels {}

impl Element for f32 {}
impl Element for f64 {}

macro_rules! kernels {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)? = $kernel:path;)*) => {
        /// The kernels of an element type.
        ///
        /// A generic function is compiled again in every crate that calls it, and there are many kernels: through
        /// this trait they are compiled once, in this crate.
        #[allow(private_interfaces, reason = "a trait of this crate, hidden behind `Element`")]
        #[allow(unreachable_pub, reason = "as above")]
        pub trait Kernels: Sized {
            $($(#[$doc])* fn $name($($arg: $type),*) $(-> $out)?;)*
        }

        kernels!(@impl f32; $($name($($arg: $type),*) $(-> $out)? = $kernel;)*);
        kernels!(@impl f64; $($name($($arg: $type),*) $(-> $out)? = $kernel;)*);
    };
    (@impl $t:ty; $($name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)? = $kernel:path;)*) => {
        #[allow(private_interfaces, reason = "as for the trait")]
        impl Kernels for $t {
            $(fn $name($($arg: $type),*) $(-> $out)? {
                $kernel($($arg),*)
            })*
        }
    };
}

kernels! {
    /// `c = f(start + a b)`, row-major; `scratch` holds [`product_scratch_len`](Self::product_scratch_len) numbers.
    fn product(
        a: &Matrix<'_, Self>,
        b: &Matrix<'_, Self>,
        c: &mut [Self],
        start: Start<'_, Self>,
        epilogue: Epilogue<'_, Self>,
        scratch: &mut [Self]
    ) = gemm::gemm;
    /// Numbers of scratch that a product (m, k) (k, n) needs; never fewer for more rows.
    fn product_scratch_len(m: usize, n: usize, k: usize) -> usize = gemm::scratch_len::<Self>;
    /// `z = f(z)`.
    fn activate(activation: Activation, z: &mut [Self]) = activation::forward;
    /// `z = f(z)` and `slopes = f'(z)`, for an activation that keeps its slope.
    fn activate_keeping(
        activation: Activation,
        z: &mut [Self],
        slopes: &mut [Self]
    ) = activation::forward_keeping;
    /// `d = d slopes`.
    fn times(d: &mut [Self], slopes: &[Self]) = activation::times;
    /// The elements of rows that a mask keeps, scaled; 0 for the others. The first row is row `first_row` of a batch.
    fn dropout(x: &mut [Self], cols: usize, mask: &Mask, first_row: usize) = dropout::dropout;
    /// Rows of logits become rows of probabilities.
    fn softmax(z: &mut [Self], n_classes: usize) = softmax::softmax;
    /// The first greatest of each row of logits.
    fn argmax(z: &[Self], n_classes: usize, classes: &mut [i64]) = argmax::argmax;
    /// Losses of rows; their logits become the derivative of the sum of the losses.
    fn softmax_cross_entropy(
        z: &mut [Self],
        n_classes: usize,
        labels: &[u32],
        weights: &[Self],
        bounds: Bounds
    ) -> Tally = cross_entropy::softmax_cross_entropy;
    /// The same of another loss of classes.
    fn class_losses(
        loss: ClassLoss<'_, Self>,
        z: &mut [Self],
        n_classes: usize,
        labels: &[u32],
        weights: &[Self]
    ) -> Tally = class_losses::class_losses;
    /// Losses of rows with independent outputs; their sums become the derivative of the sum of the losses.
    fn value_losses(
        loss: ValueLoss<'_>,
        z: &mut [Self],
        targets: &[Self],
        weights: &[Self],
        bounds: Bounds
    ) -> Tally = value_losses::value_losses;
    /// Weighted losses, and derivatives of them, that were computed elsewhere.
    fn given_losses(
        losses: &[Self],
        d_raw: &[Self],
        weights: &[Self],
        d: &mut [Self]
    ) -> Tally = given_losses::given_losses;
    /// Sums become predictions, if outputs are independent.
    fn predict_by_output(output: Output, z: &mut [Self]) = by_output::predict_by_output;
    /// Stores rows of a matrix without their zeros.
    fn compress_rows(
        from: &ArrayView2<'_, Self>,
        rows: &[u32],
        to: &mut SparseRows<Self>
    ) -> Result<()> = sparse_rows::compress_rows;
    /// How many numbers are not 0.
    fn count_nonzeros(numbers: &[Self]) -> usize = sparse_rows::count_nonzeros;
    /// `z = b + x W`, for sparse rows.
    fn sparse_product(z: &mut [Self], x: &SparseRows<Self>, w: &[Self], b: &[Self]) = sparse::sparse_product;
    /// `d_w += x^T d_z`, for sparse rows and some rows of the weights.
    fn add_sparse_gradient(
        d_w: &mut [Self],
        rows: &Range<usize>,
        x: &SparseRows<Self>,
        d_z: &[Self]
    ) = sparse::add_sparse_gradient;
    /// `z = x s`, with a scale per column.
    fn scale_columns(x: &[Self], scales: &[Self], z: &mut [Self]) = columns::scale;
    /// `d_s += sum of the rows of d_z x`
    fn add_scale_gradient(d_z: &[Self], x: &[Self], d_s: &mut [Self]) = columns::add_scale_gradient;
    /// `z = x` above 0, `a x` below, with a slope per column.
    fn prelu(x: &[Self], slopes: &[Self], z: &mut [Self]) = columns::prelu;
    /// `d_x = d_z` where x is above 0, `a d_z` elsewhere.
    fn prelu_backward(d_z: &[Self], x: &[Self], slopes: &[Self], d_x: &mut [Self]) = columns::prelu_backward;
    /// `d_a += sum of the rows of d_z min(x, 0)`
    fn add_slope_gradient(d_z: &[Self], x: &[Self], d_a: &mut [Self]) = columns::add_slope_gradient;
    /// `z = x + a (f - x)`, with a number `a` per column; values f become `f - x`.
    fn parametric(x: &[Self], alphas: &[Self], values: &mut [Self], z: &mut [Self]) = columns::parametric;
    /// `d_x = d_z (1 + a (slope - 1))`
    fn parametric_backward(
        d_z: &[Self],
        slopes: &[Self],
        alphas: &[Self],
        d_x: &mut [Self]
    ) = columns::parametric_backward;
    /// `z = (x, features of its first columns)`, for rows of (width, columns with features).
    fn periodic(
        x: &[Self],
        shape: (usize, usize),
        parameters: &[Self],
        z: &mut [Self]
    ) = periodic::periodic;
    /// The derivative with respect to x.
    fn periodic_backward(
        d_z: &[Self],
        x: &[Self],
        shape: (usize, usize),
        parameters: &[Self],
        d_x: &mut [Self]
    ) = periodic::periodic_backward;
    /// Adds the gradient of the parameters.
    fn add_periodic_gradient(
        d_z: &[Self],
        x: &[Self],
        shape: (usize, usize),
        parameters: &[Self],
        sum: &mut [Self]
    ) = periodic::add_periodic_gradient;
    /// Rows to mean 0 and variance 1, times gains, plus shifts; `kept` receives what the backward pass needs.
    fn layer_norm(
        x: &[Self],
        gains: &[Self],
        shifts: &[Self],
        z: &mut [Self],
        kept: &mut [Self]
    ) = layer_norm::layer_norm;
    /// The derivative with respect to what was normalised.
    fn layer_norm_backward(
        d_z: &[Self],
        x: &[Self],
        kept: &[Self],
        gains: &[Self],
        d_x: &mut [Self]
    ) = layer_norm::layer_norm_backward;
    /// Adds the gradients of gains and shifts.
    fn add_layer_norm_gradient(
        d_z: &[Self],
        x: &[Self],
        kept: &[Self],
        d_gains: &mut [Self],
        d_shifts: &mut [Self]
    ) = layer_norm::add_layer_norm_gradient;
    /// Adds the deviations from the means of some columns, of (width, first).
    fn add_deviations(
        x: &[Self],
        columns: (usize, usize),
        means: &[Self],
        sums: &mut [f64]
    ) = batch_norm::add_deviations;
    /// Adds their squares.
    fn add_squares(
        x: &[Self],
        columns: (usize, usize),
        means: &[Self],
        sums: &mut [f64]
    ) = batch_norm::add_squares;
    /// Columns from given means and variances to mean 0 and variance 1, times gains, plus shifts; then an epilogue.
    /// `factors` becomes what x is multiplied by.
    fn batch_norm(
        x: &[Self],
        norm: &NormColumns<'_, Self>,
        z: &mut [Self],
        factors: &mut [Self],
        epilogue: Epilogue<'_, Self>
    ) = batch_norm::batch_norm;
    /// What x is multiplied by.
    fn batch_norm_factors(norm: &NormColumns<'_, Self>, factors: &mut [Self]) = batch_norm::batch_norm_factors;
    /// The derivative with respect to what was normalised, by means and variances of the batch.
    fn batch_norm_backward(
        d_z: &[Self],
        x: &[Self],
        norm: &NormColumns<'_, Self>,
        d_means: &[Self],
        d_x: &mut [Self],
        scratch: &mut [Self]
    ) = batch_norm::batch_norm_backward;
    /// Adds the gradients of gains and shifts.
    fn add_batch_norm_gradient(
        d_z: &[Self],
        x: &[Self],
        norm: &NormColumns<'_, Self>,
        d_gains: &mut [Self],
        d_shifts: &mut [Self],
        scratch: &mut [Self]
    ) = batch_norm::add_batch_norm_gradient;
    /// `gradient += decay weights`; the sum of the squares of the weights, and the largest magnitude in the gradient, NaN
    /// if a number is not finite.
    fn penalize(gradient: &mut [Self], weights: &[Self], decay: f64) -> (f64, Self) = vector::penalize;
    /// `to = factor from`.
    fn scale(to: &mut [Self], from: &[Self], factor: f64) = vector::scale;
    /// `to = share from + (1 - share) to`.
    fn blend(to: &mut [Self], from: &[Self], share: f64) = vector::blend;
    /// The sum of the squares of `unit values`.
    fn squares(values: &[Self], unit: f64) -> f64 = vector::squares;
    /// The inner products of a vector with two others.
    fn two_dots(x: &[Self], a: &[Self], b: &[Self]) -> [f64; 2] = combine::two_dots;
    /// `to = from + factor along`.
    fn move_along(to: &mut [Self], from: &[Self], along: &[Self], factor: f64) = combine::move_along;
    /// `to += factors[0] a + factors[1] b`.
    fn add_two(to: &mut [Self], a: &[Self], b: &[Self], factors: [f64; 2]) = combine::add_two;
    /// The loss of a batch, and its gradient added to `gradient`, for a network that is a [`TinyNet`].
    fn tiny_gradient(
        net: &TinyNet,
        batch: &Batch<'_, Self>,
        parameters: &[Self],
        gradient: &mut [Self],
        bounds: Bounds,
        scratch: &mut [Self]
    ) -> Tally = TinyNet::gradient;
    /// Logits of rows, or their softmax, for a network that is a [`TinyNet`].
    fn tiny_forward(
        net: &TinyNet,
        x: &[Self],
        parameters: &[Self],
        out: &mut [Self],
        softmax: bool,
        scratch: &mut [Self]
    ) = TinyNet::forward;
    /// Numbers of scratch that [`tiny_forward`](Self::tiny_forward) needs for `n` rows.
    fn tiny_forward_scratch_len(net: &TinyNet, n: usize) -> usize = TinyNet::forward_scratch_len::<Self>;
    /// Numbers of scratch that [`tiny_gradient`](Self::tiny_gradient) needs for `n` rows.
    fn tiny_scratch_len(net: &TinyNet, n: usize) -> usize = TinyNet::scratch_len::<Self>;
    /// A step of gradient descent.
    fn sgd(parameters: &mut [Self], gradient: &[Self], rate: f64) = optimizer::sgd;
    /// A step of gradient descent with momentum.
    fn momentum(
        parameters: &mut [Self],
        velocity: &mut [Self],
        gradient: &[Self],
        with: &MomentumStep
    ) = optimizer::momentum;
    /// A step of Adam.
    fn adam(
        parameters: &mut [Self],
        m: &mut [Self],
        v: &mut [Self],
        gradient: &[Self],
        with: &AdamStep
    ) = optimizer::adam;
    /// Copies rows of a matrix.
    fn gather_rows(from: &ArrayView2<'_, Self>, rows: &[u32], to: &mut [Self]) = gather::gather_rows;
    /// `to += parts[0]`, then `parts[1]` and so on; the largest magnitude of the sums, NaN if one is not finite.
    fn sum_into(to: &mut [Self], parts: &[&[Self]]) -> Self = vector::sum_into;
    /// `sums += sum of the rows`.
    fn add_rows(sums: &mut [Self], rows: &[Self]) = gemm::add_rows;
    /// The largest magnitude, NaN if a number is not finite.
    fn largest_magnitude(values: &[Self]) -> Self = vector::largest_magnitude;
}
