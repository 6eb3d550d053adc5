//! Steps of case b of the comparison, as many as the first argument says, for `benches.instructions` to count.

use fastmlp_core::{Activation, Adam, Dataset, Init, Mlp, Names, Network, Rule, Schedule, State};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

const N_ROWS: usize = 1024;
const BATCH_SIZE: usize = 32;

fn main() -> fastmlp_core::Result<()> {
    let epochs = std::env::args().nth(1).and_then(|epochs| epochs.parse().ok()).expect("a number of epochs");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let x = Array2::from_shape_simple_fn((N_ROWS, 2), || rng.sample::<f32, _>(StandardNormal));
    let y = Array1::from_shape_simple_fn(N_ROWS, || rng.random_range(0_i64..3));
    let labels = y.view();
    let data = Dataset::new(Names::TRAINING, x.view(), &labels, None, None, 3)?;

    let mut mlp = Mlp::new(Network::new(&[2, 100, 3], &[Activation::Relu])?, Init::Auto, 0)?;
    let rule = Rule::Adam(Adam::default());
    let mut state = State::new(&rule, mlp.parameters().len())?;
    let schedule = Schedule { batch_size: Some(BATCH_SIZE), shuffle: true, seed: 0, n_threads: 1 };
    mlp.fit(data, None, &rule, &mut state, epochs, schedule)?;
    Ok(())
}
