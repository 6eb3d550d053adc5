//! Slabs: parts of a step that threads share.

use crate::kernels::Element;

use super::options::Controls;
use super::rule::Rule;

/// Numbers of a clipped gradient that are scaled at a time: they stay in the level-1 cache.
const CLIPPED: usize = 2048;

/// The slabs of a step, one after another.
pub(crate) struct Slabs<'a, T> {
    len: usize,
    rest: Option<Slab<'a, T>>,
}

impl<'a, T> Slabs<'a, T> {
    /// Slabs of `len` numbers; the last one has the rest.
    pub(super) fn new(whole: Slab<'a, T>, len: usize) -> Self {
        Self { len, rest: Some(whole) }
    }
}

impl<'a, T> Iterator for Slabs<'a, T> {
    type Item = Slab<'a, T>;

    fn next(&mut self) -> Option<Slab<'a, T>> {
        let (slab, rest) = self.rest.take()?.split_at(self.len);
        self.rest = Some(rest).filter(|rest| !rest.parameters.is_empty());
        Some(slab)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.rest.as_ref().map_or(0, |rest| rest.parameters.len().div_ceil(self.len));
        (n, Some(n))
    }
}

impl<T> DoubleEndedIterator for Slabs<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let (rest, slab) = match rest.parameters.len().div_ceil(self.len) {
            0 | 1 => (None, rest),
            n => {
                let (rest, slab) = rest.split_at((n - 1) * self.len);
                (Some(rest), slab)
            }
        };
        self.rest = rest;
        Some(slab)
    }
}

impl<T> ExactSizeIterator for Slabs<'_, T> {}

/// Some numbers of the parameters, and those of the gradient and the state that belong to them.
pub(crate) struct Slab<'a, T> {
    pub(super) rule: Rule,
    pub(super) controls: Controls<'a>,
    /// Number of the step, from 1.
    pub(super) t: u64,
    /// Where it begins in the flat vector.
    pub(super) start: usize,
    pub(super) parameters: &'a mut [T],
    pub(super) gradient: &'a [T],
    /// Empty if the rule has fewer slots.
    pub(super) slots: [&'a mut [T]; 2],
}

impl<T> Slab<'_, T> {
    /// The first `len` numbers, or all, and the rest.
    fn split_at(self, len: usize) -> (Self, Self) {
        fn cut<T>(values: &mut [T], len: usize) -> (&mut [T], &mut [T]) {
            values.split_at_mut(len.min(values.len()))
        }
        let Self { rule, controls, t, start, parameters, gradient, slots: [first, second] } = self;
        let len = len.min(parameters.len());
        let (gradient, gradient_rest) = gradient.split_at(len);
        let (parameters, parameters_rest) = cut(parameters, len);
        let ((first, first_rest), (second, second_rest)) = (cut(first, len), cut(second, len));
        let slots = [first_rest, second_rest];
        let rest = Self {
            rule,
            controls,
            t,
            start: start + len,
            parameters: parameters_rest,
            gradient: gradient_rest,
            slots,
        };
        (Self { rule, controls, t, start, parameters, gradient, slots: [first, second] }, rest)
    }
}

impl<T: Element> Slab<'_, T> {
    /// Takes the step for these numbers, group by group.
    pub(crate) fn apply(self) {
        let Some(groups) = self.controls.groups else { return self.take_clipped() };
        let mut rest = self;
        for (len, treatment) in groups.runs(rest.start..rest.start + rest.parameters.len()) {
            let (group, others) = rest.split_at(len);
            let rule = group.rule.treating(treatment);
            Slab { rule, ..group }.take_clipped();
            rest = others;
        }
    }

    /// Takes the step along the clipped gradient, which is not written to memory.
    #[allow(clippy::float_cmp, reason = "a factor of 1 leaves a gradient as it is")]
    fn take_clipped(self) {
        let factor = self.controls.gradient;
        if factor == 1.0 {
            return self.take();
        }
        let (mut clipped, mut rest) = ([T::ZERO; CLIPPED], self);
        while !rest.parameters.is_empty() {
            let (part, others) = rest.split_at(CLIPPED);
            let gradient = &mut clipped[..part.gradient.len()];
            T::scale(gradient, part.gradient, factor);
            Slab { gradient, ..part }.take();
            rest = others;
        }
    }

    fn take(self) {
        let Self { rule, t, parameters, gradient, slots: [first, second], .. } = self;
        match rule {
            Rule::Sgd(rule) if rule.slots().is_empty() => rule.descend(parameters, gradient),
            Rule::Sgd(rule) => rule.step(first, parameters, gradient),
            Rule::Adam(rule) => rule.step(t, first, second, parameters, gradient),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Adam, Groups, Sgd, State};
    use super::*;
    use crate::arch::{Layout, Role};
    use crate::numbers::Number;

    fn rules() -> [Rule; 4] {
        [
            Rule::Sgd(Sgd::new(0.1, 0.0, false).unwrap()),
            Rule::Sgd(Sgd::new(0.1, 0.9, true).unwrap()),
            Rule::Sgd(Sgd::new(0.1, 0.9, false).unwrap().with_scaled_velocity(true)),
            Rule::Adam(Adam::default().with_weight_decay(0.1).unwrap()),
        ]
    }

    fn wave(len: usize, frequency: f64) -> Vec<f32> {
        (0..len).map(|i| f32::from_f64((frequency * i as f64).cos())).collect()
    }

    /// Three steps on parameters of a network, each of at most `n` slabs; the parameters.
    fn trained(rule: &Rule, controls: Controls<'_>, gradients: &[Vec<f32>], n: usize) -> Vec<f32> {
        let len = gradients[0].len();
        let (mut parameters, mut state) = (wave(len, 0.3), State::new(rule, len).unwrap());
        for gradient in gradients {
            let mut step = state.begin((rule, controls), &mut parameters, gradient, 1.0).unwrap();
            step.slabs(n).for_each(Slab::apply);
            assert!(step.finish());
        }
        parameters
    }

    #[test]
    fn each_group_follows_a_rule_of_its_own() {
        let layout = Layout::new(&[70, 30, 5]).unwrap();
        let groups = Groups::default().with_factor(Role::Bias, 0.25).unwrap().with_decay_of(&[Role::Weight]);
        let controls = Controls { groups: groups.of(layout.blocks()), ..Controls::NONE };
        let gradients: Vec<_> = (1..=3).map(|t| wave(layout.n_parameters(), t.into())).collect();
        for rule in rules() {
            let slow = rule.with_learning_rate(0.25 * rule.learning_rate()).unwrap();
            let of_biases = if let Rule::Adam(adam) = slow { Rule::Adam(adam.without_decay()) } else { slow };
            let weights = trained(&rule, Controls::NONE, &gradients, 1);
            let biases = trained(&of_biases, Controls::NONE, &gradients, 1);
            for n in [1, 2, 7] {
                let all = trained(&rule, controls, &gradients, n);
                for layer in layout.layers() {
                    assert_eq!(all[layer.weights()], weights[layer.weights()], "{rule:?} {n}");
                    assert_eq!(all[layer.biases()], biases[layer.biases()], "{rule:?} {n}");
                }
            }
        }
    }

    #[test]
    fn a_clipped_step_follows_a_shorter_gradient_at_a_rate_of_the_schedule() {
        let controls = Controls { rate: 0.5, gradient: 0.3, groups: None };
        for len in [1, 17, CLIPPED, 3 * CLIPPED + 5] {
            let gradients: Vec<_> = (1..=3).map(|t| wave(len, t.into())).collect();
            let shorter = |all: &Vec<f32>| all.iter().map(|x| 0.3_f32 * x).collect::<Vec<_>>();
            let shorter: Vec<_> = gradients.iter().map(shorter).collect();
            for rule in rules() {
                let slow = rule.with_learning_rate(0.5 * rule.learning_rate()).unwrap();
                let expected = trained(&slow, Controls::NONE, &shorter, 1);
                for n in [1, 3] {
                    assert_eq!(trained(&rule, controls, &gradients, n), expected, "{rule:?} {len} {n}");
                }
            }
        }
    }

    #[test]
    fn a_group_that_overflows_takes_the_step_of_all_back() {
        let layout = Layout::new(&[70, 30, 5]).unwrap();
        let groups = Groups::default().with_factor(Role::Bias, 1e30).unwrap();
        let controls = Controls { groups: groups.of(layout.blocks()), ..Controls::NONE };
        let len = layout.n_parameters();
        for rule in rules() {
            let rule = rule.with_learning_rate(1e12).unwrap();
            let (mut parameters, mut state) = (wave(len, 0.3), State::new(&rule, len).unwrap());
            let mut step = state.begin((&rule, controls), &mut parameters, &[1.0; 2285], 1.0).unwrap();
            step.slabs(2).for_each(Slab::apply);
            assert!(!step.finish());
            assert!(parameters == wave(len, 0.3) && state.steps() == 0, "{rule:?}");
        }
    }
}
