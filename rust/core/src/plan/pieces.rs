//! The pieces of a gradient that threads share.

use crate::ops::{Operation, Part};
use crate::plan::step::Step;

/// A part of the gradient of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Number of the step.
    pub(crate) step: usize,
    pub(crate) part: Part,
    /// Where it begins in the flat vector.
    pub(crate) start: usize,
}

impl Piece {
    /// Neighbouring pieces of one step as a piece.
    pub(super) fn joined(pieces: &[Self]) -> Self {
        let (first, last) = (&pieces[0], &pieces[pieces.len() - 1]);
        let part = Part {
            rows: first.part.rows.start..last.part.rows.end,
            len: pieces.iter().map(|piece| piece.part.len).sum(),
            penalized: pieces.iter().map(|piece| piece.part.penalized).sum(),
        };
        Self { step: first.step, part, start: first.start }
    }
}

/// All pieces, in the order of the flat vector.
pub(super) fn pieces_of(steps: &[Step]) -> Vec<Piece> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        for part in step.stage.parts() {
            let len = part.len;
            pieces.push(Piece { step: i, part, start });
            start += len;
        }
    }
    pieces
}

/// A flat vector, piece by piece.
pub(crate) struct Pieces<'a, T> {
    pieces: std::slice::Iter<'a, Piece>,
    rest: &'a mut [T],
}

impl<'a, T> Pieces<'a, T> {
    /// The pieces of a vector as long as the parameters.
    pub(crate) fn of(pieces: &'a [Piece], vector: &'a mut [T]) -> Self {
        Self { pieces: pieces.iter(), rest: vector }
    }
}

impl<'a, T> Iterator for Pieces<'a, T> {
    type Item = (&'a Piece, &'a mut [T]);

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.next()?;
        let (numbers, rest) = std::mem::take(&mut self.rest).split_at_mut(piece.part.len);
        self.rest = rest;
        Some((piece, numbers))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.pieces.size_hint()
    }
}

impl<T> DoubleEndedIterator for Pieces<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.next_back()?;
        let rest = std::mem::take(&mut self.rest);
        let (rest, numbers) = rest.split_at_mut(rest.len() - piece.part.len);
        self.rest = rest;
        Some((piece, numbers))
    }
}

impl<T> ExactSizeIterator for Pieces<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{HiddenActivation, Layer, Network, Normalization};
    use crate::kernels::Activation;
    use crate::plan::step::steps_of;

    fn networks() -> Vec<Network> {
        let plain = |sizes: &[usize]| Network::new(sizes, &vec![Activation::Relu; sizes.len() - 2]).unwrap();
        let hidden = [HiddenActivation::Prelu; 2];
        let with_stages = |normalization| {
            Network::with_stages(&[784, 256, 300, 10], &hidden, Some(normalization), true).unwrap()
        };
        vec![
            plain(&[2, 100, 3]),
            plain(&[784, 256, 256, 10]),
            plain(&[3, 5000, 2]),
            plain(&[100_000, 2]),
            with_stages(Normalization::Layer),
            with_stages(Normalization::Batch),
        ]
    }

    #[test]
    fn pieces_cover_the_vector_in_order_and_penalise_the_weights() {
        for network in networks() {
            let layout = network.layout();
            let (mut end, mut penalized) = (0, vec![]);
            for piece in pieces_of(&steps_of(&network)) {
                assert_eq!(piece.start, end);
                penalized.extend(end..end + piece.part.penalized);
                end += piece.part.len;
            }
            assert_eq!(end, layout.n_parameters());
            let weights: Vec<_> = layout.layers().iter().flat_map(Layer::weights).collect();
            assert!(penalized == weights);
        }
    }

    #[test]
    fn pieces_are_the_same_from_either_end() {
        for network in networks() {
            let pieces = pieces_of(&steps_of(&network));
            let len = network.layout().n_parameters();
            let cut = |from_the_back: bool| {
                let mut numbers: Vec<usize> = (0..len).collect();
                let all = Pieces::of(&pieces, &mut numbers);
                assert_eq!(all.len(), pieces.len());
                let owned = |(piece, of): (&Piece, &mut [usize])| (piece.clone(), of.to_vec());
                let mut all: Vec<_> =
                    if from_the_back { all.rev().map(owned).collect() } else { all.map(owned).collect() };
                if from_the_back {
                    all.reverse();
                }
                all
            };
            let (forward, backward) = (cut(false), cut(true));
            assert!(forward == backward);
            assert_eq!(forward.iter().map(|(_, of)| of.len()).sum::<usize>(), len);
        }
    }
}
