//! Shares of a gradient: neighbouring pieces that a thread computes as one product.

use std::ops::Range;

use crate::plan::pieces::{Piece, Pieces};

/// Shares of a step for each of several threads, so that a late thread leaves some to the others.
const SHARES_A_THREAD: usize = 2;
/// Most numbers of a share of several pieces: between two products a call asks whether to go on.
const MOST_NUMBERS: usize = 1 << 22;

/// All pieces of a gradient in shares, in their order. The larger a product is, the less often its operands are packed; the
/// bits do not depend on it.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    n_threads: usize,
    /// Each share as a piece.
    joined: Vec<Piece>,
    /// The pieces of each.
    pieces: Vec<Range<usize>>,
}

impl Shares {
    /// Joins the pieces of each step for a team of so many threads.
    pub(crate) fn join(&mut self, pieces: &[Piece], n_threads: usize) {
        if self.n_threads == n_threads {
            return;
        }
        *self = Self { n_threads, ..Self::default() };
        let wanted = if n_threads == 1 { 1 } else { SHARES_A_THREAD * n_threads };
        let mut start = 0;
        for of_step in pieces.chunk_by(|a, b| a.step == b.step) {
            let numbers: usize = of_step.iter().map(|piece| piece.part.len).sum();
            let n_shares = numbers.div_ceil(MOST_NUMBERS).max(wanted);
            for share in of_step.chunks(of_step.len().div_ceil(n_shares)) {
                self.joined.push(Piece::joined(share));
                self.pieces.push(start..start + share.len());
                start += share.len();
            }
        }
    }

    /// The shares of some steps with their parts of a vector as long as the parameters of these, and their pieces.
    pub(crate) fn of<'a, T: Send>(
        &'a self,
        steps: &Range<usize>,
        vector: &'a mut [T],
    ) -> impl DoubleEndedIterator<Item = (&'a Piece, &'a mut [T], Range<usize>)> + ExactSizeIterator + Send
    {
        let before = |step: usize| self.joined.partition_point(|share| share.step < step);
        let shares = before(steps.start)..before(steps.end);
        let pieces = self.pieces[shares.clone()].iter();
        Pieces::of(&self.joined[shares], vector)
            .zip(pieces)
            .map(|((share, numbers), pieces)| (share, numbers, pieces.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Network;
    use crate::kernels::Activation;
    use crate::plan::pieces::pieces_of;
    use crate::plan::step::steps_of;

    #[test]
    fn shares_cover_the_pieces_of_each_step_in_order() {
        let sizes = [1024, 4096, 4096, 1000];
        let steps = steps_of(&Network::new(&sizes, &[Activation::Relu; 2]).unwrap());
        let pieces = pieces_of(&steps);
        let mut shares = Shares::default();
        for (n_threads, of_steps) in [(1, [2, 4, 1]), (2, [4, 4, 4]), (3, [6, 6, 6]), (8, [16, 16, 16])] {
            shares.join(&pieces, n_threads);
            let (mut end, mut n_pieces) = (0, 0);
            for (share, of_share) in shares.joined.iter().zip(&shares.pieces) {
                assert_eq!((share.start, of_share.start), (end, n_pieces));
                let total = |of: fn(&Piece) -> usize| pieces[of_share.clone()].iter().map(of).sum::<usize>();
                assert_eq!(share.part.len, total(|piece| piece.part.len));
                assert_eq!(share.part.penalized, total(|piece| piece.part.penalized));
                assert_eq!(share.part.rows.len(), total(|piece| piece.part.rows.len()));
                (end, n_pieces) = (end + share.part.len, of_share.end);
            }
            assert_eq!(n_pieces, pieces.len());
            for (step, n_shares) in of_steps.into_iter().enumerate() {
                let (step, mut vector) = (step..step + 1, vec![0_u8; steps[step].parameters.len()]);
                let found = shares.of(&step, &mut vector);
                assert_eq!(found.len(), n_shares, "{n_threads} threads, step {step:?}");
                assert_eq!(found.map(|(_, numbers, _)| numbers.len()).sum::<usize>(), vector.len());
            }
        }
    }
}
