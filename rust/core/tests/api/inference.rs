//! Passes without a gradient: threads, tiles, and interrupts.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Examples, bits, mlp};
use fastmlp_core::{Activation, Element, Error, Interrupt, Mlp, Never, Result};
use ndarray::{Array2, s};

/// With a special kernel, with one or two hidden layers, and without any.
const NETWORKS: [(&[usize], Activation); 4] = [
    (&[2, 100, 3], Activation::Tanh),
    (&[9, 300, 20], Activation::Relu),
    (&[7, 33, 65, 5], Activation::Sigmoid),
    (&[300, 17], Activation::Relu),
];

/// Enough for several tiles on each of seven threads, and for all threads to pay off.
fn many_rows<T: Element>(mlp: &Mlp<T>) -> usize {
    (100_000_000 / (2 * mlp.parameters().len())).max(7 * 1024) + 1
}

/// Everything that a network computes from rows without a gradient, bit by bit.
fn inferred<T: Element>(mlp: &Mlp<T>, examples: &Examples<T>, n_threads: usize) -> [Vec<u64>; 4] {
    let (n, d_out) = (examples.x.nrows(), mlp.network().layout().d_out());
    let (mut logits, mut probabilities) =
        (Array2::from_elem((n, d_out), T::ZERO), Array2::from_elem((n, 2 * d_out), T::ZERO));
    let mut classes = vec![-1; n];
    let x = examples.x.view();
    mlp.forward(x, logits.view_mut(), n_threads, &Never).unwrap();
    mlp.predict_proba(x, probabilities.slice_mut(s![.., ..;2]), n_threads, &Never).unwrap();
    mlp.predict(x, &mut classes, n_threads, &Never).unwrap();
    let loss = mlp.loss(&examples.weighted(), n_threads, &Never).unwrap();
    [
        bits(logits.as_slice().unwrap()),
        bits(probabilities.as_slice().unwrap()),
        classes.into_iter().map(i64::cast_unsigned).collect(),
        vec![loss.to_bits()],
    ]
}

fn check_threads<T: Element>() {
    for (layer_sizes, activation) in NETWORKS {
        let mlp = mlp::<T>(1, layer_sizes, activation);
        let (d_in, d_out) = (layer_sizes[0], layer_sizes[layer_sizes.len() - 1]);
        let examples = Examples::new(2, many_rows(&mlp), d_in, d_out);
        let alone = inferred(&mlp, &examples, 1);
        for n_threads in [2, 3, 4, 7] {
            assert!(inferred(&mlp, &examples, n_threads) == alone, "{layer_sizes:?}, {n_threads} threads");
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

#[test]
fn a_row_has_the_same_bits_in_any_tile() {
    for (layer_sizes, activation) in NETWORKS {
        let mlp = mlp::<f32>(1, layer_sizes, activation);
        let d_out = layer_sizes[layer_sizes.len() - 1];
        let x = Examples::<f32>::new(2, 2100, layer_sizes[0], d_out).x;
        let probabilities = |first: usize, end: usize| {
            let mut p = Array2::zeros((end - first, d_out));
            mlp.predict_proba(x.slice(s![first..end, ..]), p.view_mut(), 1, &Never).unwrap();
            bits(&p.into_raw_vec_and_offset().0)
        };
        let all = probabilities(0, 2100);
        for n in [1, 2, 3, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025] {
            for first in [0, 1, 13, 2100 - n] {
                let part = &all[first * d_out..(first + n) * d_out];
                assert!(probabilities(first, first + n) == part, "{layer_sizes:?}, {n} rows from {first}");
            }
        }
    }
}

#[test]
fn buffers_of_one_call_serve_any_other() {
    // So wide that a second thread pays off for few rows.
    let layer_sizes = [100, 300, 300, 5];
    let network = || mlp::<f32>(1, &layer_sizes, Activation::Relu);
    let used = network();
    // A thread more with smaller tiles, and then larger tiles for it.
    for (n, n_threads) in [(1, 1), (512, 1), (2, 1), (257, 2), (512, 2), (2000, 3), (1, 2)] {
        let examples = Examples::new(2, n, layer_sizes[0], layer_sizes[3]);
        let found = inferred(&used, &examples, n_threads);
        assert!(found == inferred(&network(), &examples, 1), "{n} rows, {n_threads} threads");
    }
}

/// Stops the caller's thread at once, and counts how often it asks.
#[derive(Default)]
struct StopTheCaller(AtomicUsize);

impl Interrupt for StopTheCaller {
    fn spend(&self, thread: usize, _: usize) -> Result<()> {
        if thread > 0 {
            // Leaves the caller something to do.
            while self.0.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            return Ok(());
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::Interrupted)
    }
}

#[test]
fn one_thread_that_is_stopped_ends_the_call() {
    for (layer_sizes, activation) in NETWORKS {
        let mlp = mlp::<f32>(1, layer_sizes, activation);
        let (d_in, d_out) = (layer_sizes[0], layer_sizes[layer_sizes.len() - 1]);
        let examples = Examples::<f32>::new(2, many_rows(&mlp), d_in, d_out);
        let mut classes = vec![0; examples.x.nrows()];
        let stop = StopTheCaller::default();
        let result = mlp.predict(examples.x.view(), &mut classes, 2, &stop);
        assert!(matches!(result, Err(Error::Interrupted)), "{layer_sizes:?}");
        assert_eq!(stop.0.load(Ordering::Relaxed), 1, "{layer_sizes:?}");
    }
}

#[test]
fn no_thread_is_too_few() {
    let mlp = mlp::<f64>(1, &[2, 3], Activation::Relu);
    let examples = Examples::<f64>::new(2, 4, 2, 3);
    let message = "n_threads is 0, expected a number >= 1";
    let mut out = Array2::zeros((4, 3));
    let results = [
        mlp.forward(examples.x.view(), out.view_mut(), 0, &Never),
        mlp.predict_proba(examples.x.view(), out.view_mut(), 0, &Never),
        mlp.predict(examples.x.view(), &mut [0; 4], 0, &Never),
        mlp.loss(&examples.plain(), 0, &Never).map(drop),
    ];
    for result in results {
        assert_eq!(result.unwrap_err().to_string(), message);
    }
}
