//! The crate as its users see it. It is one program, so that the crate is linked once.

mod allocations;
mod common;
mod determinism;
mod divergence;
mod error_paths;
mod gradients;
mod inference;
mod interrupt;
mod properties;
mod views;
