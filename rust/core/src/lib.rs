//! Multilayer perceptrons, trained on the CPU.
//!
//! # The model
//!
//! A network maps a row `x` to logits through dense layers `z = a W + b`, with an activation `a = f(z)` after each but
//! the last, whose sums the [`Output`] turns into predictions. The loss of a row is the one that goes with the output,
//! such as the cross-entropy of a softmax, weighted; the loss of a batch is the weighted mean of its rows. The repository's `docs/1_model_and_gradients.md` derives the gradients.
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
//! scalar      f32 and f64 behind one trait
//! memory      what a process can have at most
//! buffer      aligned memory that is refused politely and never moves
//! error       what can go wrong, grouped by cause
//! layout      where each layer lies in the flat vector of parameters
//! network     the architecture, and how a batch is cut into chunks and tiles
//! activation  activation functions and their derivatives
//! dropout     what a step leaves out of hidden layers
//! init        initial weights
//! kernels     the loops where the time goes, compiled for each instruction set
//! dense       a dense layer, forward and backward
//! output      what becomes of the last layer's sums, and the loss that goes with it
//! loss        what training lowers, and what it adds up on the way
//! rows        which rows a pass goes through
//! inputs      their inputs, dense or sparse, read where they lie
//! dataset     rows to learn from: inputs, targets, weights
//! answers     targets and weights of a tile
//! tile        some rows, forward through all layers and back
//! gradient    the gradient of a batch, shared by several threads
//! inference   passes without a gradient
//! pool        buffers at rest between calls
//! team        threads that share a batch
//! internals   doors to the kernels for programs that measure them
//! interrupt   the wish to stop
//! optim       optimizers: one loop over flat vectors each
//! order       the order of rows in an epoch
//! legacy_random  orders as NumPy's RandomState draws them
//! train       epochs of batches
//! mlp         the network with its parameters
//! tensor_file tensors and text in one file, whole and checked
//! network_file  a network in such a file
//! ```

mod activation;
mod answers;
mod buffer;
mod dataset;
mod dense;
mod dropout;
mod error;
mod gradient;
mod inference;
mod init;
mod inputs;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod interrupt;
mod kernels;
mod layout;
mod legacy_random;
mod loss;
mod memory;
mod mlp;
mod network;
mod network_file;
mod optim;
mod order;
mod output;
mod pool;
mod rows;
mod scalar;
mod team;
mod tensor_file;
mod tile;
mod train;

pub use activation::Activation;
pub use dataset::{Dataset, Labels, Names, Weights};
pub use dropout::Dropout;
pub use error::{Error, Result, Shape};
pub use init::Init;
pub use inputs::{Csr, Indices, Inputs};
pub use interrupt::{Ask, Interrupt, Never, is_brief};
pub use kernels::simd::check_environment;
pub use layout::{Layer, Layout};
pub use legacy_random::LegacyRandom;
pub use loss::{Objective, Report};
pub use mlp::Mlp;
pub use network::Network;
pub use network_file::NetworkFile;
pub use optim::{Adam, Rule, Sgd, State};
pub use output::Output;
pub use scalar::Scalar;
pub use tensor_file::{Numbers, Tensor, TensorFile};
pub use train::{EpochRecord, Schedule, Trainer};
