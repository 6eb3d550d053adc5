//! A step in progress: it can be taken slab by slab, in any order and on several threads.

use crate::error::Result;
use crate::kernels::Element;
use crate::memory::Buffer;
use crate::run::slab_len;

use super::groups::Grouping;
use super::options::Controls;
use super::rule::Rule;
use super::slab::{Slab, Slabs};
use super::state::State;

/// A step in progress: first all its slabs are applied, then it is finished.
#[must_use = "call `finish`, or the state does not count the step"]
pub(crate) struct Step<'a, T: Element> {
    rule: Rule,
    controls: Controls<'a>,
    state: &'a mut State<T>,
    parameters: &'a mut [T],
    gradient: &'a [T],
    /// Copies of the parameters and the state's vectors, for a step that might overflow.
    before: Option<Vec<Buffer<T>>>,
    /// The bound of the state once the step is finished.
    bound: f64,
}

impl<T: Element> State<T> {
    /// One step along the gradient, whose largest magnitude is given. Returns false, and changes nothing, if a
    /// parameter or the state would not stay finite.
    #[cfg(test)]
    pub(crate) fn step(
        &mut self,
        rule: &Rule,
        parameters: &mut [T],
        gradient: &[T],
        largest: f64,
    ) -> Result<bool> {
        let mut step = self.begin((rule, Controls::NONE), parameters, gradient, largest)?;
        step.slabs(1).for_each(Slab::apply);
        Ok(step.finish())
    }

    /// Begins a step whose slabs are then applied, on one thread or several. `finish` tells whether it succeeded.
    ///
    /// Only a step large enough to risk overflow needs memory, for a copy of what it changes.
    pub(crate) fn begin<'a>(
        &'a mut self,
        (rule, controls): (&Rule, Controls<'a>),
        parameters: &'a mut [T],
        gradient: &'a [T],
        largest: f64,
    ) -> Result<Step<'a, T>> {
        let rule = rule.scaled(controls.rate);
        // No group takes longer steps than with the largest factor.
        let fastest = rule.scaled(controls.groups.map_or(1.0, Grouping::largest_factor));
        let (cannot_overflow, bound) =
            self.cannot_overflow_in_next_step(&fastest, controls.gradient * largest);
        Step::new((rule, controls), self, parameters, gradient, cannot_overflow, bound)
    }
}

impl<'a, T: Element> Step<'a, T> {
    fn new(
        (rule, controls): (Rule, Controls<'a>),
        state: &'a mut State<T>,
        parameters: &'a mut [T],
        gradient: &'a [T],
        cannot_overflow: bool,
        bound: f64,
    ) -> Result<Self> {
        let all = || std::iter::once(&*parameters).chain(state.slots());
        let before = if cannot_overflow { None } else { Some(all().map(copied).collect::<Result<_>>()?) };
        Ok(Self { rule, controls, state, parameters, gradient, before, bound })
    }

    /// The step in at most `n` slabs, which threads may share.
    pub(crate) fn slabs(&mut self, n: usize) -> Slabs<'_, T> {
        let len = slab_len::<T>(self.parameters.len(), n);
        let mut slots = self.state.slots.iter_mut();
        let mut slot = || slots.next().map_or(&mut [][..], |slot| &mut **slot);
        let slots = [slot(), slot()];
        let (rule, t) = (self.rule, self.state.steps + 1);
        let (controls, parameters, gradient) = (self.controls, &mut *self.parameters, self.gradient);
        Slabs::new(Slab { rule, controls, t, start: 0, parameters, gradient, slots }, len)
    }

    /// Ends the step. Returns false, and restores everything, if a parameter or the state did not stay
    /// finite.
    pub(crate) fn finish(self) -> bool {
        let Self { state, parameters, before, bound, .. } = self;
        let is_finite = |values: &[T]| T::largest_magnitude(values).is_finite();
        if before.is_none() || (is_finite(parameters) && state.slots().all(is_finite)) {
            state.steps += 1;
            state.bound = Some(bound);
            return true;
        }
        let after = std::iter::once(parameters).chain(state.slots.iter_mut().map(|slot| &mut **slot));
        for (after, before) in after.zip(before.iter().flatten()) {
            after.copy_from_slice(before);
        }
        false
    }
}

fn copied<T: Element>(values: &[T]) -> Result<Buffer<T>> {
    let mut copy = Buffer::zeros("a step that might overflow", values.len())?;
    copy.copy_from_slice(values);
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::{Adam, Sgd};
    use super::*;

    fn rules() -> [Rule; 5] {
        [
            Rule::Sgd(Sgd::new(0.1, 0.0, false).unwrap()),
            Rule::Sgd(Sgd::new(0.1, 0.9, false).unwrap()),
            Rule::Sgd(Sgd::new(0.1, 0.9, true).unwrap()),
            Rule::Adam(Adam::default()),
            Rule::Adam(Adam::default().with_weight_decay(0.1).unwrap()),
        ]
    }

    fn numbers<T: Element>(len: usize, frequency: f64) -> Vec<T> {
        (0..len).map(|i| T::from_f64((frequency * i as f64).cos())).collect()
    }

    /// Parameters and the state's vectors after three steps that `take` takes.
    fn trained<T: Element>(
        rule: &Rule,
        len: usize,
        mut take: impl FnMut(&mut State<T>, &mut [T], &[T]),
    ) -> Vec<Vec<f64>> {
        let (mut parameters, mut state) = (numbers(len, 0.3), State::new(rule, len).unwrap());
        for t in 1..=3 {
            take(&mut state, &mut parameters, &numbers(len, f64::from(t)));
        }
        assert_eq!(state.steps(), 3);
        let plain = |values: &[T]| values.iter().map(|&value| value.into()).collect();
        std::iter::once(&parameters[..]).chain(state.slots()).map(plain).collect()
    }

    fn check_slabs<T: Element>() {
        for rule in rules() {
            for len in [1, 15, 16, 17, 31, 100, 603] {
                let whole = trained::<T>(&rule, len, |state, parameters, gradient| {
                    assert!(state.step(&rule, parameters, gradient, 1.0).unwrap());
                });
                for n in [1, 2, 3, 7, 1000] {
                    let backwards = trained::<T>(&rule, len, |state, parameters, gradient| {
                        let mut step =
                            state.begin((&rule, Controls::NONE), parameters, gradient, 1.0).unwrap();
                        let slabs: Vec<_> = step.slabs(n).collect();
                        assert!(slabs.len() <= n);
                        slabs.into_iter().rev().for_each(Slab::apply);
                        assert!(step.finish());
                    });
                    assert_eq!(backwards, whole, "{rule:?} {len} {n}");
                    let from_both_ends = trained::<T>(&rule, len, |state, parameters, gradient| {
                        let mut step =
                            state.begin((&rule, Controls::NONE), parameters, gradient, 1.0).unwrap();
                        let mut slabs = step.slabs(n);
                        let mut left = slabs.len();
                        while let Some(slab) = if left % 3 == 1 { slabs.next() } else { slabs.next_back() } {
                            slab.apply();
                            left -= 1;
                            assert_eq!(slabs.len(), left);
                        }
                        assert!(step.finish());
                    });
                    assert_eq!(from_both_ends, whole, "{rule:?} {len} {n}");
                    let together = trained::<T>(&rule, len, |state, parameters, gradient| {
                        let mut step =
                            state.begin((&rule, Controls::NONE), parameters, gradient, 1.0).unwrap();
                        let slabs = Mutex::new(step.slabs(n));
                        let work = || {
                            while let Some(slab) = { slabs.lock().unwrap().next() } {
                                slab.apply();
                            }
                        };
                        std::thread::scope(|scope| {
                            scope.spawn(work);
                            work();
                        });
                        assert!(step.finish());
                    });
                    assert_eq!(together, whole, "{rule:?} {len} {n}");
                }
            }
        }
    }

    #[test]
    fn slabs_make_the_whole_step() {
        check_slabs::<f32>();
        check_slabs::<f64>();
    }

    #[test]
    fn slabs_are_whole_cache_lines() {
        let rule = Rule::Adam(Adam::default());
        for len in [1, 16, 100, 603] {
            let mut state = State::<f32>::new(&rule, len).unwrap();
            let (mut parameters, gradient) = (Buffer::zeros("test", len).unwrap(), vec![0.0; len]);
            let mut step = state.begin((&rule, Controls::NONE), &mut parameters, &gradient, 1.0).unwrap();
            let mut seen = 0;
            for Slab { parameters, gradient, slots, .. } in step.slabs(3) {
                assert!(slots.iter().all(|slot| slot.len() == parameters.len()));
                assert_eq!(gradient.len(), parameters.len());
                assert!(parameters.as_ptr().addr().is_multiple_of(64));
                assert!(slots.iter().all(|slot| slot.as_ptr().addr().is_multiple_of(64)));
                seen += parameters.len();
            }
            assert_eq!(seen, len);
        }
    }

    #[test]
    fn a_step_that_overflows_in_one_slab_is_taken_back_in_all() {
        const LEN: usize = 100;
        for rule in rules() {
            let rule = rule.with_learning_rate(1e14).unwrap();
            let (mut parameters, mut state) = (vec![0.5_f32; LEN], State::new(&rule, LEN).unwrap());
            // The large one is too much for a parameter of gradient descent, its square for Adam's state.
            for (steep, fits) in [(1e-20, true), (1e25, false), (1e-20, true)] {
                let mut gradient = [1e-20; LEN];
                gradient[70] = steep;
                let (before, steps) = (parameters.clone(), state.steps());
                let slots: Vec<_> = state.slots().map(<[f32]>::to_vec).collect();
                let mut step =
                    state.begin((&rule, Controls::NONE), &mut parameters, &gradient, steep.into()).unwrap();
                step.slabs(3).for_each(Slab::apply);
                assert_eq!(step.finish(), fits, "{rule:?} {steep}");
                assert_eq!(state.steps(), steps + u64::from(fits));
                let same = parameters == before && state.slots().eq(slots.iter().map(|slot| &slot[..]));
                assert_eq!(same, !fits, "{rule:?} {steep}");
            }
        }
    }
}
