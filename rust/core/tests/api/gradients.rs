//! Gradients against finite differences of the network in plain loops, and single against double precision.

use crate::common::reference::{Mode, Reference, along, dot, slope};
use crate::common::{Examples, converted, mlp, normals, with_biases};
use fastmlp_core::{
    Activation, Element, HiddenActivation, Mlp, Network, Never, Normalization, Objective, Role,
};
use ndarray::ArrayView2;

const WIDTHS: [usize; 7] = [1, 2, 3, 15, 16, 17, 33];
const BATCHES: [usize; 9] = [1, 2, 3, 15, 16, 17, 33, 100, 300];
/// Activations whose slopes are kept, except gelu.
const KEEPING: [Activation; 5] =
    [Activation::Elu, Activation::Selu, Activation::Silu, Activation::Mish, Activation::Softplus];
/// Activations with special kernels for small networks, and one without.
const SMALL_NETWORKS: [Activation; 6] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Silu,
];
const DEPTHS: std::ops::Range<usize> = 0..5;

/// The results of the crate for one network and one batch.
struct Computed {
    loss: f64,
    /// As `loss()` gives it.
    loss_alone: f64,
    /// Of the weighted loss.
    gradient: Vec<f64>,
    logits: Vec<f64>,
    /// Of `sum(d_logits * logits)`.
    pulled_back: Vec<f64>,
    d_x: Vec<f64>,
}

impl Computed {
    fn new<T: Element>(mlp: &Mlp<T>, examples: &Examples<T>, d_logits: &[T]) -> Self {
        let (n, d_out) = (examples.x.nrows(), mlp.network().layout().d_out());
        let zeros = vec![T::ZERO; mlp.parameters().len()];
        let (mut gradient, mut pulled_back) = (zeros.clone(), zeros);
        let loss = mlp
            .loss_and_grad(&examples.weighted(), Objective::default(), &mut gradient, None, 1, &Never)
            .unwrap();
        let loss_alone = mlp.loss(&examples.weighted(), 1, &Never).unwrap();
        let mut logits = ndarray::Array2::from_elem((n, d_out), T::ZERO);
        mlp.forward(examples.x.view(), logits.view_mut(), 1, &Never).unwrap();
        let mut d_x = vec![T::ZERO; examples.x.len()];
        let d_logits = ArrayView2::from_shape((n, d_out), d_logits).unwrap();
        mlp.backward(examples.x.view(), d_logits, &mut pulled_back, &mut d_x, &Never).unwrap();
        Self {
            loss,
            loss_alone,
            gradient: converted(gradient),
            logits: converted(logits),
            pulled_back: converted(pulled_back),
            d_x: converted(d_x),
        }
    }
}

fn unit(seed: u64, len: usize) -> Vec<f64> {
    let direction = normals::<f64>(seed, len);
    let norm = dot(&direction, &direction).sqrt();
    direction.iter().map(|d| d / norm).collect()
}

/// Checks one network on one batch. A derivative is checked along random directions, one for each block of parameters:
/// a wrong number anywhere shows in one of them.
fn check_against_differences(mlp: &Mlp<f64>, seed: u64, n: usize) {
    let layout = mlp.network().layout();
    let (parameters, examples) = (mlp.parameters(), Examples::new(seed, n, layout.d_in(), layout.d_out()));
    let d_logits = unit(seed + 2, n * layout.d_out());
    let computed = Computed::new(mlp, &examples, &d_logits);

    let x = examples.x.as_slice().unwrap();
    let [training, prediction] =
        [Mode::Train, Mode::Predict].map(|mode| Reference::new(mlp.network(), mode, parameters, x));
    let loss_in = |reference: &Reference<'_>, parameters: &[f64]| {
        reference.loss(parameters, x, examples.classes, &examples.row_weights())
    };
    let loss = |parameters: &[f64]| loss_in(&training, parameters);
    // The differences of numbers near 1 lose 13 digits to a step of 1e-3, less to the extrapolation.
    let check = |what: &str, found: f64, expected: f64| {
        let sizes: Vec<_> = layout.layer_sizes().collect();
        let off = (found - expected).abs();
        let tolerance = 1e-10 + 1e-9 * expected.abs();
        assert!(off < tolerance, "{what} of {sizes:?}, {n} rows: {found:e}, expected {expected:e}");
    };

    check("loss", computed.loss, loss(parameters));
    check("loss()", computed.loss_alone, loss_in(&prediction, parameters));
    for (found, expected) in computed.logits.iter().zip(prediction.logits(parameters, x)) {
        check("logits", *found, expected);
    }
    for block in layout.blocks() {
        let (role, part) = (block.role.name(), block.range());
        let mut direction = vec![0.0; parameters.len()];
        direction[part.clone()].copy_from_slice(&unit(seed + 3, part.len()));
        let expected = slope(|t| loss(&along(parameters, t, &direction)));
        let what = format!("gradient by {role} {}", block.index);
        check(&what, dot(&computed.gradient, &direction), expected);
    }
    let mut direction = unit(seed + 4, parameters.len());
    for block in layout.blocks().iter().filter(|block| !Role::LEARNED.contains(&block.role)) {
        direction[block.range()].fill(0.0);
        assert!(
            computed.pulled_back[block.range()].iter().all(|&d| d == 0.0),
            "{} has no gradient",
            block.role.name()
        );
    }
    let expected = slope(|t| dot(&d_logits, &prediction.logits(&along(parameters, t, &direction), x)));
    check("backward's gradient", dot(&computed.pulled_back, &direction), expected);
    let direction = unit(seed + 5, x.len());
    let expected = slope(|t| dot(&d_logits, &prediction.logits(parameters, &along(x, t, &direction))));
    check("backward's d_x", dot(&computed.d_x, &direction), expected);
}

/// Calls `check` with layer sizes and a batch size. Each width comes before and after each width.
fn for_each_shape(mut check: impl FnMut(u64, &[usize], usize)) {
    for depth in DEPTHS {
        for first in 0..WIDTHS.len() {
            for (stride, n) in BATCHES.into_iter().enumerate() {
                let layers = 0..depth + 2;
                let sizes: Vec<_> = layers.map(|l| WIDTHS[(first + l * stride) % WIDTHS.len()]).collect();
                check((100 * depth + 10 * first + stride) as u64, &sizes, n);
            }
        }
    }
}

fn check_double(activation: Activation) {
    for_each_shape(|seed, sizes, n| check_against_differences(&mlp(seed, sizes, activation), seed, n));
}

#[test]
fn identity() {
    check_double(Activation::Identity);
}

#[test]
fn relu() {
    check_double(Activation::Relu);
}

#[test]
fn leaky_relu() {
    check_double(Activation::LeakyRelu);
}

#[test]
fn sigmoid() {
    check_double(Activation::Sigmoid);
}

#[test]
fn tanh() {
    check_double(Activation::Tanh);
}

/// Every shape for one activation, and a part of the shapes for the others, which take the same code path.
#[test]
fn those_that_keep_their_slopes() {
    check_double(Activation::Gelu);
    for (i, activation) in KEEPING.into_iter().enumerate() {
        for_each_shape(|seed, sizes, n| {
            if seed % 10 == i as u64 {
                check_against_differences(&mlp(seed, sizes, activation), seed, n);
            }
        });
    }
}

#[test]
fn few_inputs_one_hidden_layer_few_classes() {
    for activation in SMALL_NETWORKS {
        for (inputs, classes) in (1..10).flat_map(|inputs| (1..10).map(move |classes| (inputs, classes))) {
            for (hidden, n) in [(1, 2), (7, 33), (100, 17)] {
                let seed = (10 * inputs + classes) as u64;
                check_against_differences(&mlp(seed, &[inputs, hidden, classes], activation), seed, n);
            }
        }
    }
}

#[test]
fn more_rows_than_are_worked_on_at_a_time() {
    for sizes in [&[2, 20, 3][..], &[5, 17, 16, 18]] {
        for activation in [Activation::Relu, Activation::Tanh] {
            check_against_differences(&mlp(1, sizes, activation), 2, 2100);
        }
    }
}

#[test]
fn every_layer_its_own_activation() {
    let widths = [17, 2, 33, 16, 15].into_iter().cycle().take(Activation::ALL.len());
    let sizes: Vec<_> = std::iter::once(3).chain(widths).chain([4]).collect();
    let network = Network::new(&sizes, &Activation::ALL).unwrap();
    for n in BATCHES {
        check_against_differences(&with_biases(7, network.clone()), n as u64, n);
    }
}

/// Every combination of stages beyond dense layers, through chunks (narrow), blocks (wide), segments (batch normalisation)
/// and, but for these, single rows.
#[test]
fn stages_beyond_dense_layers() {
    let learnable = HiddenActivation::Prelu;
    let normalizations = [None, Some(Normalization::Layer), Some(Normalization::Batch)];
    for (a, normalization) in normalizations.into_iter().enumerate() {
        for (b, input_scale) in [false, true].into_iter().enumerate() {
            for (c, activations) in
                [[learnable, Activation::Tanh.into()], [Activation::Relu.into(), learnable]]
                    .into_iter()
                    .enumerate()
            {
                // Two normalised values are nearly a step function: differences say little about its slope. So are the
                // sums of a single input over a batch, as a function of a small weight.
                let (inputs, narrow) = match normalization {
                    None => (1, 2),
                    Some(Normalization::Layer) => (1, 18),
                    Some(Normalization::Batch) => (4, 18),
                };
                for (sizes, batches) in [
                    (&[3, 17, 16, 4][..], &[1, 2, 33, 300][..]),
                    (&[inputs, narrow, 15, 2], &[1, 17]),
                    (&[40, 200, 180, 5], &[1, 70, 300]),
                ] {
                    let network =
                        Network::with_stages(sizes, &activations, normalization, input_scale).unwrap();
                    // The values of two rows are as near to a step.
                    let fewest = if normalization == Some(Normalization::Batch) { 17 } else { 1 };
                    for &n in batches.iter().filter(|&&n| n >= fewest) {
                        let seed = (4 * a + 2 * b + c + n) as u64;
                        check_against_differences(&with_biases(seed, network.clone()), seed, n);
                    }
                }
            }
        }
    }
    for (sizes, periodic_inputs) in [(&[3, 17, 16, 4][..], 1), (&[1, 5, 4, 2], 1), (&[40, 200, 180, 5], 40)] {
        for input_scale in [false, true] {
            let activations = [learnable, Activation::Tanh.into()];
            let network = Network::with_stages(sizes, &activations, None, input_scale).unwrap();
            let network = network.with_periodic_inputs(periodic_inputs).unwrap();
            for n in [1, 33, 70] {
                check_against_differences(&with_biases(n as u64, network.clone()), n as u64, n);
            }
        }
    }
    for (i, activation) in Activation::ALL.into_iter().enumerate() {
        let activations = [activation.into(), Activation::Tanh.into()];
        let normalization = [None, Some(Normalization::Layer), Some(Normalization::Batch)][i % 3];
        for (sizes, n) in [(&[3, 17, 16, 4][..], 1), (&[4, 18, 15, 2], 33), (&[40, 200, 180, 5], 70)] {
            if normalization == Some(Normalization::Batch) && n == 1 {
                continue;
            }
            let network = Network::with_stages(sizes, &activations, normalization, i % 2 == 0).unwrap();
            let network = network.with_parametric_activation(true).unwrap();
            check_against_differences(&with_biases((i + n) as u64, network), n as u64, n);
        }
    }
    let shallow = Network::with_stages(&[3, 2], &[], None, true).unwrap();
    check_against_differences(&with_biases(5, shallow), 5, 20);
}

/// A network and a batch on which no ReLU is so near its kink that rounding could put it on the other side, where the
/// derivative differs.
fn off_the_kinks(seed: u64, sizes: &[usize], activation: Activation, n: usize) -> (Mlp<f32>, Examples<f32>) {
    let draws = (0..).map(|draw| {
        let seed = seed + 1000 * draw;
        (mlp::<f32>(seed, sizes, activation), Examples::new(seed, n, sizes[0], sizes[sizes.len() - 1]))
    });
    let mut clear = draws.filter(|(mlp, examples)| {
        let parameters: Vec<f64> = converted(mlp.parameters().to_vec());
        let x: Vec<f64> = converted(examples.x.clone());
        Reference::new(mlp.network(), Mode::Train, &parameters, &x).margin > 1e-5
    });
    clear.next().unwrap()
}

fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// Rounding errors of a sum of k numbers grow as the square root of k, and a number goes through two sums per layer,
/// one forward and one backward. They are measured against the largest number beside them, and allowed to be twice as
/// large. The softmax of logits up to z is off by z roundings of 1, however near it is to the label, and so are the
/// loss and its derivative with respect to the logits.
fn check_single_precision(seed: u64, sizes: &[usize], activation: Activation, n: usize) {
    let (single, examples) = off_the_kinks(seed, sizes, activation, n);
    let mut double = mlp::<f64>(seed, sizes, activation);
    double.parameters_mut().copy_from_slice(&converted::<_, f64>(single.parameters().to_vec()));
    let d_logits = d_logits_like_the_losses(seed, &examples);
    let found = Computed::new(&single, &examples, &d_logits);
    let expected = Computed::new(&double, &examples.to_double(), &converted::<_, f64>(d_logits));

    let longest_sum = sizes.iter().copied().fold(n, usize::max) as f64;
    let sums = 2.0 * (sizes.len() - 1) as f64;
    let tolerance = 2.0 * sums * longest_sum.sqrt() * f64::from(f32::EPSILON);
    let check = |what: &str, found: &[f64], expected: &[f64], scale: f64| {
        let error = largest(found.iter().zip(expected).map(|(f, e)| f - e));
        let bound = tolerance * scale;
        assert!(error <= bound, "{what}, {activation:?}, {sizes:?}, {n} rows: {error:e} > {bound:e}");
    };
    let largest_of = |values: &[f64]| largest(values.iter().copied());
    let z = 1.0 + largest_of(&expected.logits);
    check("loss", &[found.loss], &[expected.loss], z);
    check("loss()", &[found.loss_alone], &[expected.loss_alone], z);
    check("logits", &found.logits, &expected.logits, largest_of(&expected.logits));
    let scale = largest_of(&expected.pulled_back);
    check("gradient", &found.gradient, &expected.gradient, z * scale);
    check("backward's gradient", &found.pulled_back, &expected.pulled_back, scale);
    check("backward's d_x", &found.d_x, &expected.d_x, largest_of(&expected.d_x));
}

/// As large as the derivative of the weighted loss of an untrained network.
fn d_logits_like_the_losses(seed: u64, examples: &Examples<f32>) -> Vec<f32> {
    let weights = examples.row_weights();
    let total: f64 = weights.iter().sum();
    let n_classes = examples.class_weight.len();
    let numbers = normals::<f64>(seed, weights.len() * n_classes);
    let rows = numbers.chunks(n_classes).zip(&weights);
    converted(rows.flat_map(|(row, weight)| row.iter().map(move |d| d * weight / total)))
}

#[test]
fn single_precision_is_double_precision_rounded() {
    for (i, activation) in Activation::ALL.into_iter().enumerate() {
        for_each_shape(|seed, sizes, n| {
            if !KEEPING.contains(&activation) || seed % 10 == (i % BATCHES.len()) as u64 {
                check_single_precision(seed, sizes, activation, n);
            }
        });
    }
}
