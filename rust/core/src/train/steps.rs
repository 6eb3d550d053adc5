//! A single step, and whole trainings, of a network.

use crate::arch::Dropout;
use crate::data::Dataset;
use crate::error::Result;
use crate::kernels::Element;
use crate::loss::Objective;
use crate::mlp::{Mlp, check_len};
use crate::optim::{Options, Rule, State};
use crate::run::{Interrupt, Never, Team};
use crate::train::descent::{Descent, take_step};
use crate::train::trainer::{EpochRecord, Schedule, Trainer};

impl<T: Element> Mlp<T> {
    /// One update on all rows of `data`; returns the objective before it. Dropout as for
    /// [`loss_and_grad`](Self::loss_and_grad). A schedule belongs to a whole training and does not apply
    /// here.
    pub fn step(
        &mut self,
        data: &Dataset<'_, T>,
        objective: Objective,
        (rule, options, state): (&Rule, &Options, &mut State<T>),
        dropout: Option<(&Dropout, u64)>,
        interrupt: &dyn Interrupt,
    ) -> Result<f64> {
        state.check(rule, self.parameters().len())?;
        self.with_gradient(data, objective, dropout, interrupt, |parts, gradient, tally, largest| {
            let loss = tally.loss + tally.penalty;
            let descent = Descent { loss, gradient, largest, rate: 1.0 };
            take_step((rule, options, state), parts, descent, &mut Team::new(1), (1, 1))
                .map(|()| loss)
                .map_err(|diverged| data.check_finite().err().unwrap_or(diverged))
        })
    }

    /// One update along the caller's own gradient, which is as long as the parameters.
    pub fn descend(
        &mut self,
        gradient: &[T],
        (rule, options, state): (&Rule, &Options, &mut State<T>),
    ) -> Result<()> {
        state.check(rule, self.parameters().len())?;
        check_len("gradient", gradient.len(), self.parameters().len())?;
        let largest = T::largest_magnitude(gradient).into();
        let descent = Descent { loss: 0.0, gradient, largest, rate: 1.0 };
        take_step((rule, options, state), self.parts_mut(), descent, &mut Team::new(1), (1, 1))
    }

    /// Trains for a number of epochs and returns the record of each.
    pub fn fit<'a>(
        &mut self,
        train: Dataset<'a, T>,
        validation: Option<Dataset<'a, T>>,
        rule: &Rule,
        state: &mut State<T>,
        epochs: usize,
        schedule: Schedule,
    ) -> Result<Vec<EpochRecord>> {
        let mut trainer = Trainer::new(self, train, validation, schedule)?;
        (0..epochs).map(|_| trainer.epoch(self, rule, state, &Never)).collect()
    }
}
