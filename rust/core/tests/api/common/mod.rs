//! Networks and examples drawn from a seed, and what they are trained by.

pub(crate) mod reference;

use fastmlp_core::{
    Activation, Dataset, Element, Init, Mlp, Names, Network, Result, Role, Rule, Schedule, Sgd,
};
use ndarray::{Array2, ArrayView1};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Standard normal numbers; the same for both types, but for rounding.
pub(crate) fn normals<T: Element>(seed: u64, len: usize) -> Vec<T> {
    let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    rng.sample_iter(StandardNormal).take(len).map(T::from_f64).collect()
}

/// A network with `activation` after every hidden layer, and no parameter 0.
pub(crate) fn mlp<T: Element>(seed: u64, layer_sizes: &[usize], activation: Activation) -> Mlp<T> {
    let network = Network::new(layer_sizes, &vec![activation; layer_sizes.len() - 2]).unwrap();
    with_biases(seed, network)
}

/// A network with initial weights drawn from `seed`, and all other parameters too.
pub(crate) fn with_biases<T: Element>(seed: u64, network: Network) -> Mlp<T> {
    let mut mlp = Mlp::<T>::new(network, Init::Auto, seed).unwrap();
    for block in mlp.network().layout().blocks().to_vec() {
        let numbers = &mut mlp.parameters_mut()[block.range()];
        let drawn = normals::<T>(seed + 1, numbers.len());
        match block.role {
            Role::Weight => {}
            Role::Bias => numbers.copy_from_slice(&drawn),
            // Low ones: differences say little about the slope of a fast oscillation.
            Role::Frequency => {
                numbers.iter_mut().zip(drawn).for_each(|(number, drawn)| *number = T::from_f64(0.15) * drawn);
            }
            Role::Variance => {
                let drawn = drawn.iter().map(|&drawn| T::from_f64((0.3 * drawn.into()).exp()));
                numbers.iter_mut().zip(drawn).for_each(|(number, drawn)| *number = drawn);
            }
            _ => {
                numbers.iter_mut().zip(drawn).for_each(|(number, drawn)| *number += T::from_f64(0.3) * drawn);
            }
        }
    }
    mlp
}

/// A view that data sets can keep; the program never gives the numbers back.
pub(crate) fn lasting<A>(values: Vec<A>) -> ArrayView1<'static, A> {
    ArrayView1::from(&*values.leak())
}

/// A class as an index.
pub(crate) fn index(class: i64) -> usize {
    usize::try_from(class).unwrap()
}

/// Rows with classes and weights.
pub(crate) struct Examples<T> {
    pub(crate) x: Array2<T>,
    pub(crate) classes: ArrayView1<'static, i64>,
    pub(crate) sample_weight: ArrayView1<'static, f64>,
    pub(crate) class_weight: Vec<f64>,
}

impl<T: Element> Examples<T> {
    /// Normal inputs, uniform classes, and weights from 0.5 to 1.5; every fifth row has weight 0.
    pub(crate) fn new(seed: u64, n: usize, d_in: usize, n_classes: usize) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let x = Array2::from_shape_vec((n, d_in), normals(seed + 1, n * d_in)).unwrap();
        let last = i64::try_from(n_classes).unwrap() - 1;
        let classes = (0..n).map(|_| rng.random_range(0..=last)).collect();
        let mut weight = || 0.5 + rng.random::<f64>();
        let sample_weight = (0..n).map(|row| if row % 5 == 4 { 0.0 } else { weight() }).collect();
        let class_weight = (0..n_classes).map(|_| weight()).collect();
        Self { x, classes: lasting(classes), sample_weight: lasting(sample_weight), class_weight }
    }

    /// All rows have weight 1.
    pub(crate) fn plain(&self) -> Dataset<'_, T> {
        Dataset::new(Names::TRAINING, self.x.view(), &self.classes, None, None, self.class_weight.len())
            .unwrap()
    }

    /// With the weights of samples and classes.
    pub(crate) fn weighted(&self) -> Dataset<'_, T> {
        Dataset::new(
            Names::TRAINING,
            self.x.view(),
            &self.classes,
            Some(&self.sample_weight),
            Some(&self.class_weight),
            self.class_weight.len(),
        )
        .unwrap()
    }

    /// The weight of each row in [`weighted`](Self::weighted).
    pub(crate) fn row_weights(&self) -> Vec<f64> {
        let of_class = |&class| self.class_weight[index(class)];
        self.classes.iter().map(of_class).zip(&self.sample_weight).map(|(c, s)| c * s).collect()
    }

    /// The same in double precision.
    pub(crate) fn to_double(&self) -> Examples<f64> {
        let &Self { ref x, classes, sample_weight, ref class_weight } = self;
        Examples { x: x.mapv(Into::into), classes, sample_weight, class_weight: class_weight.clone() }
    }

    /// These rows, in this order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        Self {
            x: self.x.select(ndarray::Axis(0), rows),
            classes: lasting(rows.iter().map(|&row| self.classes[row]).collect()),
            sample_weight: lasting(rows.iter().map(|&row| self.sample_weight[row]).collect()),
            class_weight: self.class_weight.clone(),
        }
    }
}

/// The same numbers in the other precision: exact from `f32` to `f64`.
pub(crate) fn converted<T: Element, U: Element>(values: impl IntoIterator<Item = T>) -> Vec<U> {
    values.into_iter().map(|value| U::from_f64(value.into())).collect()
}

/// The bits of a number, which distinguish 0 from -0.
pub(crate) fn bits<T: Element>(values: &[T]) -> Vec<u64> {
    values.iter().map(|&value| value.into().to_bits()).collect()
}

/// What an error says.
pub(crate) fn message<R>(result: Result<R>) -> String {
    result.err().expect("an error").to_string()
}

/// Descent, with momentum or without.
pub(crate) fn sgd(learning_rate: f64, momentum: f64) -> Rule {
    Rule::Sgd(Sgd::new(learning_rate, momentum, false).unwrap())
}

/// Training on one thread, in the order of the rows.
pub(crate) fn schedule(batch_size: Option<usize>) -> Schedule {
    Schedule { batch_size, shuffle: false, seed: 0, n_threads: 1 }
}
