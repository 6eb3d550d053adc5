//! The loss of rows and how well they are predicted, from one pass.

use crate::data::Dataset;
use crate::error::Result;
use crate::kernels::{Element, Output, Tally};
use crate::run::inference::{Inference, Parts};
use crate::run::pass::Pass;
use crate::run::score::Score;
use crate::run::team::Team;

impl<T: Element> Inference<T> {
    /// The losses of all rows, as [`tally`](Self::tally), and beside them the accuracy, weighted, or R squared.
    pub(crate) fn evaluate(
        &self,
        pass: Pass<'_, T>,
        data: &Dataset<'_, T>,
        scale: f64,
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        let network = pass.plan.network();
        // Where all rows weigh the same, the rows that are right are counted with their losses, exactly: a sum of
        // weights would be rounded.
        let is_scored = !network.output().is_probability() || data.is_weighted();
        let parts = Parts::new::<T>(pass.plan, data.n_rows());
        let zero = (Tally::default(), Score::zero(network.layout().d_out()));
        let mut sums = vec![zero.clone(); parts.len()];
        team.share(sums.iter_mut().enumerate(), |thread, (part, (tally, score))| {
            parts.tiles(part).try_for_each(|rows| {
                let score = is_scored.then_some(&mut *score);
                tally.add(self.tally_tile(pass, thread, data, (rows, scale), score)?);
                Ok(())
            })
        })?;
        let (mut tally, mut score) = zero;
        for (of_part, scored) in &sums {
            tally.add(*of_part);
            score.add(scored);
        }
        let value = match network.output() {
            Output::Identity | Output::Exp => score.r_squared(network, data, scale)?,
            Output::Softmax | Output::Sigmoid if is_scored => score.accuracy(),
            Output::Softmax | Output::Sigmoid => tally.correct as f64 / data.n_rows() as f64,
        };
        Ok((tally, value))
    }
}
