//! How the rows of an epoch are cut into batches.

use std::ops::Range;

/// The batches of an epoch, as ranges of positions in its order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    n: usize,
    size: usize,
    count: usize,
}

impl Batches {
    /// Batches of `size` rows, the last of which has the rest of `n`. A rest of fewer than `least` rows joins the batch
    /// before it, as in `gen_batches` of scikit-learn.
    pub(super) fn new(n: usize, size: usize, least: usize) -> Self {
        let joins = n > size && (1..least).contains(&(n % size));
        Self { n, size, count: n.div_ceil(size) - usize::from(joins) }
    }

    pub(super) fn count(self) -> usize {
        self.count
    }

    /// The positions of batch `i`.
    pub(super) fn range(self, i: usize) -> Range<usize> {
        let end = if i + 1 == self.count { self.n } else { (i + 1) * self.size };
        i * self.size..end
    }

    /// Numbers of rows: one for the first batch and, as all others are as long, one for the last.
    pub(super) fn lengths(self) -> [usize; 2] {
        [0, self.count - 1].map(|i| self.range(i).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_all_rows_and_only_a_short_rest_changes_their_size() {
        for (n, size, least) in
            (1..20).flat_map(|n| (1..=n).flat_map(move |size| [(n, size, 1), (n, size, 2)]))
        {
            let batches = Batches::new(n, size, least.min(size));
            let ranges: Vec<_> = (0..batches.count()).map(|i| batches.range(i)).collect();
            assert!(ranges.iter().cloned().flatten().eq(0..n));
            let (last, others) = ranges.split_last().unwrap();
            assert!(others.iter().all(|range| range.len() == size));
            let joins = least == 2 && size >= 2 && n > size && n % size == 1;
            let rest = if n % size == 0 { size } else { n % size };
            assert_eq!(last.len(), if joins { size + 1 } else { rest }, "{n} rows by {size}");
            assert_eq!(batches.lengths(), [ranges[0].len(), last.len()]);
        }
    }
}
