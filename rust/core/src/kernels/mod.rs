//! Kernels: the loops where the time goes, as plain functions on slices.
//!
//! | module | what |
//! | --- | --- |
//! | [`simd`] | one vector type an instruction set, chosen at run time |
//! | [`gemm`] | `C = [C +] A B`, packed or thin |
//! | [`math`] | exp, ln, tanh and the logistic function |
//! | [`activation`] | activations, forward and backward |
//! | [`softmax`] | softmax of rows, alone or with cross-entropy and its gradient |
//! | [`optimizer`] | the update rules, one pass each |
//! | [`vector`] | sums and checks over whole vectors |
//!
//! A result depends on the values and the shapes alone, never on the instruction set (AVX-512 and AVX2 with FMA give
//! the same bits), the blocking, or the thread that runs it. A processor without fused multiply-add rounds twice where
//! the others round once, so that its bits differ.

pub(crate) mod activation;
pub(crate) mod gemm;
pub(crate) mod math;
pub(crate) mod optimizer;
pub(crate) mod simd;
pub(crate) mod softmax;
pub(crate) mod vector;
