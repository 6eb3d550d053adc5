//! One training step, and inference, through the public interface on one thread.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fastmlp_core::{
    Activation, Adam, Dataset, Init, Labels, Mlp, Names, Network, Never, Objective, Options, Rule, Sgd, State,
};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A ReLU network and its training. The names are those of the comparison with other libraries.
struct Case {
    name: &'static str,
    layer_sizes: &'static [usize],
    batch_size: usize,
    rule: Rule,
}

fn cases() -> [Case; 5] {
    let sgd = Rule::Sgd(Sgd::new(1e-3, 0.0, false).expect("in range"));
    let adam = Rule::Adam(Adam::default());
    [
        Case { name: "a", layer_sizes: &[2, 100, 3], batch_size: 1050, rule: sgd },
        Case { name: "b", layer_sizes: &[2, 100, 3], batch_size: 32, rule: adam },
        Case { name: "c", layer_sizes: &[2, 100, 3], batch_size: 200, rule: adam },
        Case { name: "d", layer_sizes: &[30, 64, 64, 2], batch_size: 64, rule: adam },
        Case { name: "e", layer_sizes: &[784, 256, 256, 10], batch_size: 128, rule: adam },
    ]
}

fn network(layer_sizes: &[usize]) -> Mlp<f32> {
    let activations = vec![Activation::Relu; layer_sizes.len() - 2];
    let network = Network::new(layer_sizes, &activations).expect("a network");
    Mlp::new(network, Init::Auto, 0).expect("memory")
}

/// Normal inputs.
fn inputs(n: usize, d_in: usize) -> Array2<f32> {
    let rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let numbers = rng.sample_iter(StandardNormal).take(n * d_in).collect();
    Array2::from_shape_vec((n, d_in), numbers).expect("n rows of d_in numbers")
}

/// Uniform classes.
fn labels(n: usize, n_classes: usize) -> Array1<i64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let n_classes = i64::try_from(n_classes).expect("few classes");
    (0..n).map(|_| rng.random_range(0..n_classes)).collect()
}

fn title(layer_sizes: &[usize]) -> String {
    layer_sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for Case { name, layer_sizes, batch_size, rule } in cases() {
        let mut mlp = network(layer_sizes);
        let layout = mlp.network().layout();
        let (x, y) = (inputs(batch_size, layout.d_in()), labels(batch_size, layout.d_out()));
        let y: &dyn Labels = &y.view();
        let data =
            Dataset::new(Names::TRAINING, x.view(), y, None, None, layout.d_out()).expect("valid data");
        let mut state = State::new(&rule, layout.n_parameters()).expect("memory");
        group.throughput(Throughput::Elements(batch_size as u64));
        let id = BenchmarkId::new(format!("{name}: {}", title(layer_sizes)), batch_size);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                mlp.step(&data, Objective::default(), (&rule, &Options::default(), &mut state), None, &Never)
                    .expect("a step")
            });
        });
    }
    group.finish();
}

fn predict(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("predict");
    for layer_sizes in [&[2, 100, 3][..], &[784, 256, 256, 10]] {
        let mlp = network(layer_sizes);
        for n in [1, 10_000] {
            let x = inputs(n, layer_sizes[0]);
            let mut classes = vec![0; n];
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new(title(layer_sizes), n), |bencher| {
                bencher
                    .iter(|| mlp.predict(black_box(x.view()), &mut classes, 1, &Never).expect("predictions"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, step, predict);
criterion_main!(benches);
