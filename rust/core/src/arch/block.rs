//! Blocks of parameters, named by their role.

use std::ops::Range;

/// What the parameters of a block are for. Initial values, the penalty, names in messages and in files, and shapes in
/// Python depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The matrix of a dense layer, `(d_in, d_out)`.
    Weight,
    /// What a dense layer adds to its sums, `(d_out,)`.
    Bias,
    /// The factors of normalised values, `(d,)`.
    Gain,
    /// What is added to normalised values, `(d,)`.
    Shift,
    /// The factor of each input, `(d,)`.
    Scale,
    /// The slope of an activation below 0, `(d,)`.
    Slope,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [Self::Weight, Self::Bias, Self::Gain, Self::Shift, Self::Scale, Self::Slope];

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
            Self::Gain => "gain",
            Self::Shift => "shift",
            Self::Scale => "scale",
            Self::Slope => "slope",
        }
    }

    /// The name of all blocks of the role together.
    fn plural(self) -> &'static str {
        match self {
            Self::Weight => "weights",
            Self::Bias => "biases",
            Self::Gain => "gains",
            Self::Shift => "shifts",
            Self::Scale => "scales",
            Self::Slope => "slopes",
        }
    }

    /// The initial value of all of a block's parameters; none for weights, which are drawn.
    pub(crate) fn initial(self) -> Option<f64> {
        match self {
            Self::Weight => None,
            Self::Bias | Self::Shift => Some(0.0),
            Self::Gain | Self::Scale => Some(1.0),
            // He et al., "Delving deep into rectifiers", 2015, section 2.1; as in torch.
            Self::Slope => Some(0.25),
        }
    }
}

/// Parameters of one role that belong to one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Number of the stage, from 0.
    pub stage: usize,
    /// What they are for.
    pub role: Role,
    /// Position among the blocks of the same role.
    pub index: usize,
    /// Rows of a matrix; 1 for a vector.
    pub rows: usize,
    /// Columns of a matrix; the length of a vector.
    pub cols: usize,
    pub(super) start: usize,
}

impl Block {
    /// Its range in the flat vector, row after row.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.rows * self.cols
    }

    /// Whether it is a matrix, and not a vector.
    pub fn is_matrix(&self) -> bool {
        self.role == Role::Weight
    }

    /// The name of number `i` of the block: `weights[0][2, 1]`.
    pub(crate) fn place(&self, i: usize) -> String {
        let (name, index) = (self.role.plural(), self.index);
        if self.is_matrix() {
            format!("{name}[{index}][{}, {}]", i / self.cols, i % self.cols)
        } else {
            format!("{name}[{index}][{i}]")
        }
    }
}
