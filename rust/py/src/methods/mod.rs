//! The methods of the classes that take each other: their signatures.

mod mlp;
mod optimizer;
