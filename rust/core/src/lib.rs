//! Multilayer perceptrons, trained on the CPU.
//!
//! # The model
//!
//! A network maps a row `x` to logits through dense layers `z = a W + b`, with an activation `a = f(z)` after each but
//! the last, whose sums the [`Output`] turns into predictions. The [`Loss`] of a row is one that goes with the output,
//! such as the cross-entropy of a softmax; the loss of a batch is the weighted mean of its rows. The repository's
//! `docs/1_model_and_gradients.md` derives the gradients.
//!
//! # Quick start
//!
//! ```
//! use fastmlp_core::{Activation, Adam, Dataset, Init, Mlp, Names, Network, Rule, Schedule, State};
//! use ndarray::array;
//!
//! # fn main() -> fastmlp_core::Result<()> {
//! let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let y = array![0_i64, 1, 1, 0];
//! let labels = y.view();
//! let xor = Dataset::new(Names::TRAINING, x.view(), &labels, None, None, 2)?;
//!
//! let network = Network::new(&[2, 16, 2], &[Activation::Tanh])?;
//! let mut mlp = Mlp::<f64>::new(network, Init::Auto, 7)?;
//! let rule = Rule::Adam(Adam::new(0.05, 0.9, 0.999, 1e-8)?);
//! let mut state = State::new(&rule, mlp.parameters().len())?;
//! let schedule = Schedule { batch_size: None, shuffle: true, seed: 7, n_threads: 1 };
//! let history = mlp.fit(xor, None, &rule, &mut state, 300, schedule)?;
//! assert_eq!(history.last().unwrap().accuracy, 1.0);
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! ```text
//! error    what can go wrong, grouped by cause
//! numbers  f32 and f64, and vectors of them for each instruction set
//! memory   memory limits, and buffers
//! kernels  the loops that take the time, and the tables of small functions
//! loss     the objective of training, and how its value is reported
//! arch     what a network is: layers, the layout of their parameters, and their initial values
//! data     rows, read in place: inputs, targets, weights, and their order
//! ops      what stages compute: forward, and beside it the two halves of backward
//! plan     a network, compiled: how batches are cut, which kernels it takes
//! run      how a batch is computed, by tiles and threads
//! mlp      the network with its parameters
//! optim    optimizers: one loop over flat vectors each
//! train    steps, epochs of them, and minimisation over all rows
//! file     tensors and text in one file, complete and checked; a network in such a file
//! internals  access to the kernels for programs that measure them
//! ```
//!
//! The order of the list is the order of imports: a module uses only those above it, and so do the modules inside
//! each, in the order in which its `mod.rs` declares them.

mod error;
mod numbers;
mod memory;
mod kernels;
mod loss;
mod arch;
mod data;
mod ops;
mod plan;
mod run;
mod mlp;
mod optim;
mod train;
mod file;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;

pub use arch::{
    BatchNorm, Block, Dense, Dropout, HiddenActivation, Init, InputScale, Layer, LayerNorm, Layout, Network,
    Normalization, Parametric, Periodic, Prelu, Role, Stage,
};
pub use data::{Csr, Dataset, Indices, Inputs, Labels, LegacyRandom, Names, Weights};
pub use error::{Error, Result, Shape};
pub use file::{NetworkFile, Numbers, Tensor, TensorFile};
pub use kernels::{Activation, Element, Output};
pub use loss::{BatchLoss, Loss, LossBatch, Objective, Report};
pub use mlp::Mlp;
pub use numbers::Number;
pub use numbers::simd::check_environment;
pub use optim::{Adam, Groups, Options, RateSchedule, Rule, Sgd, State};
pub use run::{Ask, Interrupt, Never, is_brief};
pub use train::{Ending, EpochRecord, Limits, Minimizer, Schedule, Trainer};
