//! Properties of any network and any data.

use crate::common::reference::log_sum_exp;
use crate::common::{Examples, bits, converted, lasting, mlp, normals};
use fastmlp_core::{Activation, Dataset, Element, Init, Mlp, Names, Network, Never, Objective};
use ndarray::{Array2, Axis, concatenate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Calls `property` with the same 100 values in every run, and with simpler ones if it fails.
fn for_all<S: Strategy>(strategy: S, property: impl Fn(S::Value)) {
    let config =
        Config { cases: 100, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&strategy, |value| {
        property(value);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    layer_sizes: Vec<usize>,
    activation: Activation,
    n: usize,
}

impl Case {
    fn mlp<T: Element>(&self) -> Mlp<T> {
        mlp(self.seed, &self.layer_sizes, self.activation)
    }

    /// `n` rows that fit the network, others for another `stream`.
    fn examples<T: Element>(&self, stream: u64, n: usize) -> Examples<T> {
        Examples::new(self.seed + 1000 * stream, n, self.layer_sizes[0], self.n_classes())
    }

    fn n_classes(&self) -> usize {
        self.layer_sizes[self.layer_sizes.len() - 1]
    }
}

/// Up to three hidden layers; up to several tiles and chunks of rows.
fn cases() -> impl Strategy<Value = Case> {
    let n = prop_oneof![1..40_usize, 1..1500_usize];
    let parts = (0..1000_u64, vec(1..24_usize, 2..6), select(&Activation::ALL[..]), n);
    parts.prop_map(|(seed, layer_sizes, activation, n)| Case { seed, layer_sizes, activation, n })
}

/// The loss, followed by its gradient.
fn loss_and_grad<T: Element>(mlp: &Mlp<T>, data: &Dataset<'_, T>) -> Vec<f64> {
    let mut gradient = vec![T::ZERO; mlp.parameters().len()];
    let loss = mlp.loss_and_grad(data, Objective::default(), &mut gradient, None, 1, &Never).unwrap();
    std::iter::once(loss).chain(converted(gradient)).collect()
}

/// Equal except for roundings in sums of numbers as large as the largest of these, or as 1.
fn assert_close(found: &[f64], expected: &[f64]) {
    let scale = expected.iter().fold(1.0, |scale, value| f64::max(scale, value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-12 * scale, "[{i}] is {found}, expected {expected}");
    }
}

#[test]
fn a_gradient_is_a_weighted_sum_over_rows() {
    for_all((cases(), 1..700_usize), |(case, n_more)| {
        let mlp = case.mlp::<f64>();
        let (first, mut second) = (case.examples(0, case.n), case.examples(1, n_more));
        second.class_weight.clone_from(&first.class_weight);
        let both = Examples {
            x: concatenate![Axis(0), first.x, second.x],
            classes: lasting(concatenate![Axis(0), first.classes, second.classes].to_vec()),
            sample_weight: lasting(concatenate![Axis(0), first.sample_weight, second.sample_weight].to_vec()),
            class_weight: first.class_weight.clone(),
        };
        let weight = |examples: &Examples<f64>| examples.row_weights().iter().sum::<f64>();
        let share = weight(&first) / weight(&both);
        let parts = loss_and_grad(&mlp, &first.weighted()).into_iter();
        let parts = parts.zip(loss_and_grad(&mlp, &second.weighted()));
        let combined: Vec<_> = parts.map(|(a, b)| share * a + (1.0 - share) * b).collect();
        assert_close(&loss_and_grad(&mlp, &both.weighted()), &combined);
    });
}

#[test]
fn rows_count_in_any_order() {
    for_all(cases(), |case| {
        let (mlp, examples) = (case.mlp::<f64>(), case.examples(0, case.n));
        let keys = normals::<f64>(case.seed, case.n);
        let mut rows: Vec<_> = (0..case.n).collect();
        rows.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
        let reordered = examples.select(&rows);
        assert_close(&loss_and_grad(&mlp, &reordered.weighted()), &loss_and_grad(&mlp, &examples.weighted()));
    });
}

#[test]
fn weights_count_relative_to_each_other() {
    for_all((cases(), 1e-3..1e3, -20..20), |(case, factor, exponent)| {
        let (mlp, examples) = (case.mlp::<f64>(), case.examples(0, case.n));
        let scaled = |factor: f64| {
            let weights = examples.sample_weight.mapv(|weight| factor * weight);
            let weights = weights.view();
            let class_weight = Some(&examples.class_weight[..]);
            let (x, classes) = (examples.x.view(), &examples.classes);
            let data =
                Dataset::new(Names::TRAINING, x, classes, Some(&weights), class_weight, case.n_classes());
            loss_and_grad(&mlp, &data.unwrap())
        };
        assert_close(&scaled(factor), &scaled(1.0));
        assert_eq!(bits(&scaled(2.0_f64.powi(exponent))), bits(&scaled(1.0)), "a power of two is exact");
    });
}

#[test]
fn a_row_without_weight_is_as_good_as_absent() {
    for_all(cases(), |case| {
        let (mlp, examples) = (case.mlp::<f64>(), case.examples(0, case.n));
        let counted: Vec<_> = (0..case.n).filter(|&row| examples.sample_weight[row] > 0.0).collect();
        assert_close(
            &loss_and_grad(&mlp, &examples.select(&counted).weighted()),
            &loss_and_grad(&mlp, &examples.weighted()),
        );
    });
}

fn first_of_largest<T: Element>(logits: &[T]) -> i64 {
    let largest = logits.iter().copied().fold(T::NEG_INFINITY, T::max);
    let first = logits.iter().position(|&logit| logit == largest);
    first.unwrap().try_into().unwrap()
}

fn check_predictions<T: Element>(case: &Case) {
    let (mlp, examples) = (case.mlp::<T>(), case.examples::<T>(0, case.n));
    let mut logits = Array2::from_elem((case.n, case.n_classes()), T::ZERO);
    let mut classes = vec![-1; case.n];
    mlp.forward(examples.x.view(), logits.view_mut(), 1, &Never).unwrap();
    mlp.predict(examples.x.view(), &mut classes, 1, &Never).unwrap();
    for (logits, &class) in logits.rows().into_iter().zip(&classes) {
        assert_eq!(class, first_of_largest(logits.as_slice().unwrap()), "{logits}");
    }
}

#[test]
fn the_prediction_is_the_class_of_the_largest_logit() {
    for_all(cases(), |case| {
        check_predictions::<f32>(&case);
        check_predictions::<f64>(&case);
    });
}

/// A network whose logits are these, whatever its one input is.
fn constant<T: Element>(logits: &[f64]) -> Mlp<T> {
    let network = Network::new(&[1, logits.len()], &[]).unwrap();
    let mut mlp = Mlp::<T>::new(network, Init::Normal(0.0), 0).unwrap();
    let biases = mlp.network().layout().layers()[0].biases();
    mlp.parameters_mut()[biases].copy_from_slice(&converted::<f64, T>(logits.to_vec()));
    mlp
}

#[test]
fn of_equal_logits_the_first_is_predicted() {
    for_all(vec(select(&[-1.0, 0.0, 1.0][..]), 1..40), |logits| {
        let mut classes = [-1; 20];
        let x = Array2::from_elem((20, 1), 1.0);
        constant::<f64>(&logits).predict(x.view(), &mut classes, 1, &Never).unwrap();
        assert_eq!(classes, [first_of_largest(&logits); 20]);
    });
}

fn check_softmax<T: Element>(logits: &[f64], epsilon: f64, smallest: f64) {
    let mlp = constant::<T>(logits);
    let n_classes = logits.len();
    let mut p = Array2::from_elem((20, n_classes), T::ZERO);
    mlp.predict_proba(Array2::from_elem((20, 1), T::ONE).view(), p.view_mut(), 1, &Never).unwrap();
    let z: Vec<f64> = converted(mlp.parameters()[n_classes..].to_vec());
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let z: Vec<_> = z.iter().map(|z| z - largest).collect();
    let total: f64 = z.iter().map(|z| z.exp()).sum();
    for p in p.rows() {
        let p: Vec<f64> = converted(p.to_vec());
        let sum = p.iter().sum::<f64>();
        assert!((sum - 1.0).abs() <= 4.0 * n_classes as f64 * epsilon, "{p:?} sum to {sum}");
        for (p, z) in p.iter().zip(&z) {
            // Rounding an exponent causes the same relative change of its exponential.
            let tolerance = (z.abs() + n_classes as f64 + 4.0) * epsilon;
            let expected = z.exp() / total;
            assert!((p - expected).abs() <= tolerance * expected + smallest, "{p}, expected {expected}");
        }
    }
}

#[test]
fn probabilities_are_the_softmax_of_the_logits_and_sum_to_1() {
    let logits = prop_oneof![vec(-5.0..5.0, 1..40), vec(-200.0..200.0, 1..40), vec(-1e4..1e4, 1..10)];
    for_all(logits, |logits| {
        check_softmax::<f32>(&logits, f32::EPSILON.into(), f32::MIN_POSITIVE.into());
        check_softmax::<f64>(&logits, f64::EPSILON, f64::MIN_POSITIVE);
    });
}

fn check_far_apart<T: Element>(logits: &[f64], class: usize) {
    let x = Array2::from_elem((3, 1), T::ONE);
    let classes = lasting(vec![i64::try_from(class).unwrap(); 3]);
    let data = Dataset::new(Names::TRAINING, x.view(), &classes, None, None, logits.len()).unwrap();
    let found = loss_and_grad(&constant::<T>(logits), &data);
    let expected = log_sum_exp(logits) - logits[class];
    assert!((found[0] - expected).abs() <= 1e-6 * 1e4, "{}: {}, expected {expected}", T::DTYPE, found[0]);
    assert!(found.iter().all(|value| value.is_finite()), "{found:?}");
}

#[test]
fn logits_far_apart_give_finite_losses() {
    let extreme = select(&[-1e4, 0.0, 1e4][..]);
    for_all((vec(extreme, 1..9), any::<prop::sample::Index>()), |(logits, class)| {
        let class = class.index(logits.len());
        check_far_apart::<f32>(&logits, class);
        check_far_apart::<f64>(&logits, class);
    });
}
