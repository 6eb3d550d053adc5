//! The same seed gives the same bits, whatever the number of threads and however the epochs are called.

use crate::common::{Examples, bits, mlp};
use fastmlp_core::{Activation, Adam, Element, EpochRecord, Mlp, Never, Rule, Schedule, Sgd, State, Trainer};

/// A training whose result is compared bit by bit.
struct Case {
    activation: Activation,
    layer_sizes: &'static [usize],
    n: usize,
    batch_size: Option<usize>,
}

/// From a single chunk to as many as there can be, and networks so large that threads share the gradient, with a last
/// batch that is smaller than the others.
const CASES: [Case; 8] = [
    Case { activation: Activation::Tanh, layer_sizes: &[1, 1, 2], n: 40, batch_size: None },
    Case { activation: Activation::Relu, layer_sizes: &[2, 100, 3], n: 1050, batch_size: None },
    Case { activation: Activation::Sigmoid, layer_sizes: &[7, 16, 17, 3], n: 2500, batch_size: Some(1000) },
    Case { activation: Activation::Relu, layer_sizes: &[30, 33, 20], n: 1000, batch_size: Some(301) },
    Case { activation: Activation::LeakyRelu, layer_sizes: &[3, 5, 2], n: 10_001, batch_size: None },
    Case { activation: Activation::Relu, layer_sizes: &[50, 300, 129, 4], n: 700, batch_size: Some(256) },
    Case { activation: Activation::Tanh, layer_sizes: &[7, 400, 90, 3], n: 1200, batch_size: None },
    // One input and few units after it: the product for their gradient has a single row.
    Case { activation: Activation::Relu, layer_sizes: &[1, 4, 200, 200, 3], n: 400, batch_size: None },
];

const SEED: u64 = 5;

fn schedule(batch_size: Option<usize>, seed: u64, n_threads: usize) -> Schedule {
    Schedule { batch_size, shuffle: true, seed, n_threads }
}

fn rules() -> [Rule; 5] {
    [
        Rule::Sgd(Sgd::new(0.1, 0.0, false).unwrap()),
        Rule::Sgd(Sgd::new(0.1, 0.9, false).unwrap()),
        Rule::Sgd(Sgd::new(0.1, 0.9, true).unwrap()),
        Rule::Adam(Adam::default()),
        Rule::Adam(Adam::default().with_weight_decay(0.1).unwrap()),
    ]
}

/// The whole result of a training, except the time it took.
#[derive(Debug, PartialEq)]
struct Outcome {
    parameters: Vec<u64>,
    optimizer: Vec<Vec<u64>>,
    history: Vec<[u64; 4]>,
}

impl Outcome {
    fn new<T: Element>(mlp: &Mlp<T>, state: &State<T>, history: &[EpochRecord]) -> Self {
        let figures = |record: &EpochRecord| {
            let (val_loss, val_accuracy) = record.validation.unwrap();
            [record.loss, record.accuracy, val_loss, val_accuracy].map(f64::to_bits)
        };
        Self {
            parameters: bits(mlp.parameters()),
            optimizer: state.slots().map(bits).collect(),
            history: history.iter().map(figures).collect(),
        }
    }
}

impl Case {
    /// Network, training set and validation set, always the same.
    fn start<T: Element>(&self) -> (Mlp<T>, Examples<T>, Examples<T>) {
        let (d_in, d_out) = (self.layer_sizes[0], self.layer_sizes[self.layer_sizes.len() - 1]);
        let mlp = mlp(1, self.layer_sizes, self.activation);
        (mlp, Examples::new(2, self.n, d_in, d_out), Examples::new(3, 200, d_in, d_out))
    }

    fn fit<T: Element>(&self, rule: &Rule, epochs: usize, schedule: Schedule) -> Outcome {
        let (mut mlp, train, validation) = self.start::<T>();
        let mut state = State::new(rule, mlp.parameters().len()).unwrap();
        let validation = Some(validation.weighted());
        let history = mlp.fit(train.weighted(), validation, rule, &mut state, epochs, schedule).unwrap();
        Outcome::new(&mlp, &state, &history)
    }
}

fn check_threads<T: Element>() {
    for case in &CASES {
        for rule in rules() {
            let fit = |n_threads| case.fit::<T>(&rule, 3, schedule(case.batch_size, SEED, n_threads));
            let alone = fit(1);
            for n_threads in [2, 3, 4, 7] {
                assert_eq!(fit(n_threads), alone, "{:?}, {rule:?}, {n_threads} threads", case.layer_sizes);
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_in_single_precision() {
    check_threads::<f32>();
}

#[test]
fn any_number_of_threads_gives_the_same_bits_in_double_precision() {
    check_threads::<f64>();
}

fn check_blocks<T: Element>() {
    let case =
        Case { activation: Activation::Relu, layer_sizes: &[1, 4, 200, 200, 3], n: 4500, batch_size: None };
    let [rule, ..] = rules();
    let fit = |n_threads| case.fit::<T>(&rule, 2, schedule(None, SEED, n_threads));
    let alone = fit(1);
    for n_threads in [2, 3, 7, 12, 30] {
        assert_eq!(fit(n_threads), alone, "{n_threads} threads");
    }
}

#[test]
fn a_batch_so_large_that_it_goes_by_blocks_has_the_same_bits() {
    check_blocks::<f32>();
    check_blocks::<f64>();
}

#[test]
fn a_training_may_pause_between_epochs() {
    const EPOCHS: usize = 5;
    for case in &CASES {
        for rule in rules() {
            let schedule = schedule(case.batch_size, SEED, 2);
            let through = case.fit::<f32>(&rule, EPOCHS, schedule);
            for pause in 0..=EPOCHS {
                let (mut mlp, train, validation) = case.start::<f32>();
                let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
                let validation = Some(validation.weighted());
                let mut trainer = Trainer::new(&mlp, train.weighted(), validation, schedule).unwrap();
                let mut run = |mlp: &mut _, epochs| -> Vec<EpochRecord> {
                    (0..epochs).map(|_| trainer.epoch(mlp, &rule, &mut state, &Never).unwrap()).collect()
                };
                let mut history = run(&mut mlp, pause);
                // The network is used in between, as a callback would.
                mlp.loss(&train.weighted(), 1, &Never).unwrap();
                history.extend(run(&mut mlp, EPOCHS - pause));
                assert_eq!(Outcome::new(&mlp, &state, &history), through, "{rule:?}, pause after {pause}");
            }
        }
    }
}

#[test]
fn another_seed_gives_other_batches() {
    let [rule, ..] = rules();
    for case in CASES.iter().filter(|case| case.batch_size.is_some()) {
        let fit = |seed| case.fit::<f64>(&rule, 1, schedule(case.batch_size, seed, 1)).parameters;
        assert_eq!(fit(SEED), fit(SEED));
        assert_ne!(fit(SEED), fit(SEED + 1));
    }
}

#[test]
fn every_epoch_has_batches_of_its_own() {
    let [rule, ..] = rules();
    for case in CASES.iter().filter(|case| case.batch_size.is_some()) {
        let schedule = schedule(case.batch_size, SEED, 1);
        let (mut mlp, train, _) = case.start::<f64>();
        let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
        for _ in 0..2 {
            // The first epoch of a fit, twice.
            mlp.fit(train.weighted(), None, &rule, &mut state, 1, schedule).unwrap();
        }
        assert_ne!(bits(mlp.parameters()), case.fit::<f64>(&rule, 2, schedule).parameters);
    }
}

#[test]
fn without_shuffling_the_seed_does_not_matter() {
    let [rule, ..] = rules();
    for case in &CASES {
        let fit = |seed| {
            let schedule = Schedule { shuffle: false, ..schedule(case.batch_size, seed, 1) };
            case.fit::<f64>(&rule, 2, schedule)
        };
        assert_eq!(fit(SEED), fit(SEED + 1));
    }
}
