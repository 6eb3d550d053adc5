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
    /// The frequencies of the cosines of each input, `(inputs, cosines)`.
    Frequency,
    /// Their phases in turns, `(inputs, cosines)`.
    Phase,
    /// What the cosines of each input count for in each of its features, `(inputs, features * cosines)`.
    Projection,
    /// What is added to the features of each input, `(inputs, features)`.
    Offset,
    /// The factors of normalised values, `(d,)`.
    Gain,
    /// What is added to normalised values, `(d,)`.
    Shift,
    /// The factor of each input, `(d,)`.
    Scale,
    /// The slope of an activation below 0, `(d,)`.
    Slope,
    /// How much of its nonlinearity a parametric activation has, `(d,)`.
    Alpha,
    /// The running mean of the values that a batch normalisation takes, `(d,)`.
    Mean,
    /// Their running variance, `(d,)`.
    Variance,
}

impl Role {
    /// Every role whose parameters are learned: they have a gradient, and optimizers update them. The others are running
    /// statistics, which are kept among the parameters so that everything that copies, stores or averages these includes
    /// them; their gradient is 0.
    pub const LEARNED: [Self; 11] = [
        Self::Weight,
        Self::Bias,
        Self::Gain,
        Self::Shift,
        Self::Scale,
        Self::Slope,
        Self::Alpha,
        Self::Frequency,
        Self::Phase,
        Self::Projection,
        Self::Offset,
    ];

    /// The [learned](Self::LEARNED) role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::LEARNED.into_iter().find(|role| role.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
            Self::Frequency => "frequency",
            Self::Phase => "phase",
            Self::Projection => "projection",
            Self::Offset => "offset",
            Self::Gain => "gain",
            Self::Shift => "shift",
            Self::Scale => "scale",
            Self::Slope => "slope",
            Self::Alpha => "alpha",
            Self::Mean => "mean",
            Self::Variance => "variance",
        }
    }

    /// The name of all blocks of the role together.
    fn plural(self) -> &'static str {
        match self {
            Self::Weight => "weights",
            Self::Bias => "biases",
            Self::Frequency => "frequencies",
            Self::Phase => "phases",
            Self::Projection => "projections",
            Self::Offset => "offsets",
            Self::Gain => "gains",
            Self::Shift => "shifts",
            Self::Scale => "scales",
            Self::Slope => "slopes",
            Self::Alpha => "alphas",
            Self::Mean => "means",
            Self::Variance => "variances",
        }
    }

    /// The initial value of all of a block's parameters; none if they are drawn.
    pub(crate) fn initial(self) -> Option<f64> {
        match self {
            Self::Weight | Self::Frequency | Self::Phase | Self::Projection | Self::Offset => None,
            Self::Bias | Self::Shift | Self::Mean => Some(0.0),
            Self::Gain | Self::Scale | Self::Alpha | Self::Variance => Some(1.0),
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
        matches!(self.role, Role::Weight | Role::Frequency | Role::Phase | Role::Projection | Role::Offset)
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
