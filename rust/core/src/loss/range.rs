//! Which numbers a target can be.

/// A range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetRange {
    /// Any finite number.
    Finite,
    /// From 0 to 1.
    Probability,
    /// Finite, >= 0.
    NotNegative,
    /// Finite, > 0.
    Positive,
}

impl TargetRange {
    pub(crate) fn contains(self, target: f64) -> bool {
        match self {
            Self::Finite => target.is_finite(),
            Self::Probability => (0.0..=1.0).contains(&target),
            Self::NotNegative => target.is_finite() && target >= 0.0,
            Self::Positive => target.is_finite() && target > 0.0,
        }
    }

    /// What targets are required to be.
    pub(crate) fn requirement(self) -> &'static str {
        match self {
            Self::Finite => "finite numbers",
            Self::Probability => "numbers from 0 to 1",
            Self::NotNegative => "finite numbers >= 0",
            Self::Positive => "finite numbers > 0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TargetRange::{Finite, NotNegative, Positive, Probability};

    #[test]
    fn targets_out_of_range_are_found() {
        for (range, good, bad) in [
            (Probability, [0.0, 1.0], [-0.1, f64::NAN]),
            (Finite, [-1e300, 1.0], [f64::INFINITY, f64::NAN]),
            (NotNegative, [0.0, 7.0], [-1e-9, f64::INFINITY]),
            (Positive, [1e-300, 7.0], [0.0, f64::INFINITY]),
        ] {
            assert!(good.iter().all(|&y| range.contains(y)), "{range:?}");
            assert!(bad.iter().all(|&y| !range.contains(y)), "{range:?}");
        }
    }
}
