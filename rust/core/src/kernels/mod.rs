//! Products of matrices, the work of a network.

mod reference;

pub(crate) use reference::{all_finite, matmul_add};
