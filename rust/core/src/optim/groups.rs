//! Parameters that a step treats in the same way: those of blocks whose roles have the same settings.

use std::ops::Range;

use crate::arch::{Block, Role};
use crate::error::{Error, Result};

/// How a step treats the parameters of a role.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Treatment {
    /// The factor of their learning rate.
    pub(super) rate: f64,
    /// Whether they decay, if the rule has a weight decay.
    pub(super) decays: bool,
}

/// A factor of the learning rate for each role, initially 1, and whether its parameters decay, which initially
/// all do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Groups([Treatment; Role::ALL.len()]);

impl Default for Groups {
    fn default() -> Self {
        Self([Treatment { rate: 1.0, decays: true }; Role::ALL.len()])
    }
}

impl Groups {
    /// The same groups with another factor for a role: finite, > 0.
    pub fn with_factor(mut self, role: Role, factor: f64) -> Result<Self> {
        if !(factor.is_finite() && factor > 0.0) {
            let found = format!("{factor} for {:?}", role.name());
            return Err(Error::value("lr_factors", found, "a finite number > 0"));
        }
        self.0[role as usize].rate = factor;
        Ok(self)
    }

    /// The same groups, with decay only for the parameters of these roles.
    #[must_use]
    pub fn with_decay_of(mut self, roles: &[Role]) -> Self {
        for role in Role::ALL {
            self.0[role as usize].decays = roles.contains(&role);
        }
        self
    }

    /// The factor of a role's learning rate.
    pub fn factor(&self, role: Role) -> f64 {
        self.0[role as usize].rate
    }

    /// Whether the parameters of a role decay.
    pub fn decays(&self, role: Role) -> bool {
        self.0[role as usize].decays
    }

    /// The groups of a network with these blocks; none if a step treats all parameters as the rule says.
    pub(crate) fn of<'a>(&'a self, blocks: &'a [Block]) -> Option<Grouping<'a>> {
        (*self != Self::default()).then_some(Grouping { groups: self, blocks })
    }
}

/// The groups of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grouping<'a> {
    groups: &'a Groups,
    blocks: &'a [Block],
}

impl<'a> Grouping<'a> {
    /// The largest factor of any role.
    pub(super) fn largest_factor(self) -> f64 {
        self.groups.0.iter().fold(0.0, |largest, treatment| treatment.rate.max(largest))
    }

    /// How to treat the parameters of a range: consecutive runs of the given lengths.
    pub(super) fn runs(self, range: Range<usize>) -> impl Iterator<Item = (usize, Treatment)> + 'a {
        let treatment = move |block: &Block| self.groups.0[block.role as usize];
        let mut start = range.start;
        self.blocks.chunk_by(move |a, b| treatment(a) == treatment(b)).filter_map(move |run| {
            let end = run[run.len() - 1].range().end.min(range.end);
            let len = end.checked_sub(start).filter(|len| *len > 0)?;
            start = end;
            Some((len, treatment(&run[0])))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{HiddenActivation, Network, Normalization};

    #[test]
    fn runs_cover_every_range_and_follow_the_roles() {
        let hidden = [HiddenActivation::Prelu; 2];
        let network = Network::with_stages(&[3, 5, 4, 2], &hidden, Some(Normalization::Layer), true).unwrap();
        let (blocks, n) = (network.layout().blocks(), network.layout().n_parameters());
        let groups = Groups::default().with_factor(Role::Bias, 0.5).unwrap().with_decay_of(&[Role::Weight]);
        let groups = groups.with_factor(Role::Scale, 6.0).unwrap();
        let grouping = groups.of(blocks).unwrap();
        assert_eq!(grouping.largest_factor(), 6.0);
        let role_of = |i: usize| blocks.iter().find(|block| block.range().contains(&i)).unwrap().role;
        for (start, end) in [(0, n), (0, 1), (2, 3), (3, n - 1), (7, 30), (n - 1, n), (5, 5)] {
            let runs: Vec<_> = grouping.runs(start..end).collect();
            let each = runs.iter().flat_map(|(len, treatment)| std::iter::repeat_n(*treatment, *len));
            let expected = (start..end).map(role_of).map(|role| groups.0[role as usize]);
            assert!(each.eq(expected), "{start}..{end}");
            assert!(runs.windows(2).all(|pair| pair[0].1 != pair[1].1), "{runs:?}");
        }
    }

    #[test]
    fn settings_as_at_first_make_no_groups() {
        let groups = Groups::default().with_factor(Role::Gain, 1.0).unwrap().with_decay_of(&Role::ALL);
        assert!(groups.of(&[]).is_none());
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for (factor, found) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let message = Groups::default().with_factor(Role::Bias, factor).unwrap_err().to_string();
            assert_eq!(message, format!(r#"lr_factors is {found} for "bias", expected a finite number > 0"#));
        }
    }
}
