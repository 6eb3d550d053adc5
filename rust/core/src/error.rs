//! What can go wrong, grouped by cause.
//!
//! | group | meaning | class in Python |
//! | --- | --- | --- |
//! | shape, value | an argument does not fit; nothing was changed | `ValueError` |
//! | training | the step was not applied; the last parameters stand | `DivergenceError`, `KeyboardInterrupt`, `ValueError` for inputs that are not finite |
//! | memory | the system refused a buffer, or has less memory than the call needs | `MemoryError` |
//! | file | reading or writing failed, or the content is not valid | `OSError`, `ModelFileError` |
//! Messages name the argument as Python spells it, and say what was found and what was expected.

use std::fmt;

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The one error type of the crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // === Shape ===
    /// An array has the wrong number of dimensions or the wrong extent.
    #[error("{name} has shape {}, expected {expected}", Shape(found))]
    Shape {
        /// The argument.
        name: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The shape it should have, in words a user understands: `(n, 2)`.
        expected: String,
    },

    // === Value ===
    /// A parameter is outside its range.
    #[error("{name} is {found}, expected {expected}")]
    Value {
        /// The argument.
        name: &'static str,
        /// Its value, printed.
        found: String,
        /// The range or the choices.
        expected: String,
    },
    /// A label is not the index of a class.
    #[error(
        "{name}[{row}] is {found}, expected a class index from 0 to {}",
        n_classes - 1
    )]
    Label {
        /// The argument that holds the labels.
        name: &'static str,
        /// The first row that is wrong.
        row: usize,
        /// The value found there.
        found: i128,
        /// Number of outputs of the network.
        n_classes: usize,
    },
    /// A target is not a possible output of the network.
    #[error("{name}[{row}, {column}] is {found}, expected {expected}")]
    Target {
        /// The argument that holds the targets.
        name: &'static str,
        /// The first row that is wrong.
        row: usize,
        /// The first output of that row that is wrong.
        column: usize,
        /// The value found there.
        found: f64,
        /// The range.
        expected: &'static str,
    },
    /// A row's weight is negative or not finite.
    #[error("sample_weight[{row}] is {found}, expected a finite number >= 0")]
    SampleWeight {
        /// The first row that is wrong.
        row: usize,
        /// The value found there.
        found: f64,
    },
    /// No row has a weight, so there is no weighted mean.
    #[error("the weights of {name} sum to 0, expected at least one row with a weight > 0")]
    NoWeight {
        /// The labels whose rows have no weight.
        name: &'static str,
    },
    /// An optimizer was used with another network than the one its state belongs to.
    #[error(
        "the optimizer holds the state of {found} parameters and the network has {expected}: \
         make a new optimizer, or call its reset()"
    )]
    OptimizerState {
        /// Parameters the state belongs to.
        found: usize,
        /// Parameters of the network.
        expected: usize,
    },

    /// Tensors or text that a file cannot hold.
    #[error("the file could not be read back: {reason}")]
    Unsavable {
        /// What is wrong with them.
        reason: String,
    },

    // === Training ===
    /// A loss, a gradient or a step is not finite; the step was not applied.
    #[error(
        "training diverged: {what} is not finite in epoch {epoch}, batch {batch}; the network keeps the \
         parameters it had before that batch: lower the learning rate, standardise X"
    )]
    Diverged {
        /// `the loss`, `the gradient` or `the step`.
        what: &'static str,
        /// From 1.
        epoch: usize,
        /// From 1, within the epoch.
        batch: usize,
    },
    /// A loss or a gradient is not finite where a minimisation is to begin.
    #[error(
        "minimisation cannot begin: {what} is not finite at the parameters of the network: standardise X, lower \
         alpha or start from other parameters"
    )]
    NoStart {
        /// `the loss`, `the gradient` or `the square of the gradient`.
        what: &'static str,
    },
    /// The input of training holds NaN or infinity.
    #[error("{name}[{row}, {column}] is {found}, expected finite numbers")]
    NotFinite {
        /// The argument.
        name: &'static str,
        /// The first row that is wrong.
        row: usize,
        /// The first column of that row that is wrong.
        column: usize,
        /// The value found there.
        found: f64,
    },
    /// A loss of the caller's own failed; the step under way was not applied.
    #[error("the loss function failed: {0}")]
    LossFunction(Box<dyn std::error::Error + Send + Sync>),
    /// A loss of the caller's own returned numbers that are not finite; the step under way was not applied.
    #[error("{0}")]
    LossNotFinite(String),
    /// The caller asked to stop; the current step was not applied.
    #[error("interrupted")]
    Interrupted,

    // === Memory ===
    /// The system has no memory left, or the size exceeds the address space.
    #[error("no memory for {elements} numbers ({what})")]
    OutOfMemory {
        /// What the buffer is for.
        what: &'static str,
        /// Its length.
        elements: usize,
    },

    /// The system might grant the memory, but would kill the process that uses it.
    #[error(
        "no memory for {elements} numbers ({what}): {} in all, and this process can have {}",
        Gibibytes(*bytes), Gibibytes(*limit)
    )]
    TooLarge {
        /// What the buffer is for.
        what: &'static str,
        /// Its length.
        elements: usize,
        /// The memory of the process including the buffer, in bytes.
        bytes: u64,
        /// The limit of its memory, in bytes.
        limit: u64,
    },

    // === File ===
    /// The operating system reported an error.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The content of a file is not valid.
    #[error("{path} is not a model file: {reason}")]
    ModelFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// A parameter outside its range.
    pub fn value(name: &'static str, found: impl fmt::Display, expected: impl Into<String>) -> Self {
        Self::Value { name, found: found.to_string(), expected: expected.into() }
    }

    /// An array of the wrong shape.
    pub fn shape(name: &'static str, found: &[usize], expected: impl Into<String>) -> Self {
        Self::Shape { name, found: found.to_vec(), expected: expected.into() }
    }
}

/// Prints a number of bytes in GiB.
struct Gibibytes(u64);

impl fmt::Display for Gibibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} GiB", self.0 as f64 / f64::from(1 << 30))
    }
}

/// Prints a shape as NumPy does: `()`, `(3,)`, `(3, 2)`.
pub struct Shape<'a>(pub &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [n] => write!(f, "({n},)"),
            extents => {
                f.write_str("(")?;
                for (i, extent) in extents.iter().enumerate() {
                    write!(f, "{}{extent}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}
