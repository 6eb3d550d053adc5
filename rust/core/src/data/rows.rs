//! Which rows of a data set a pass goes through.

/// The rows of a data set that a pass goes through, in this order.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by the public traits below, hidden there")]
pub enum Rows<'a> {
    /// From the first, up to but without the second.
    Range(usize, usize),
    /// The rows with these indices.
    Index(&'a [u32]),
}

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range(start, end) => end - start,
            Self::Index(rows) => rows.len(),
        }
    }

    /// The rows at positions `start..end` of these.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        match self {
            Self::Range(first, _) => Self::Range(first + start, first + end),
            Self::Index(rows) => Self::Index(&rows[start..end]),
        }
    }

    /// The row at a position.
    pub(crate) fn at(&self, i: usize) -> usize {
        match self {
            Self::Range(start, _) => start + i,
            Self::Index(rows) => rows[i] as usize,
        }
    }

    /// Calls `f` with (position, row) of each.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, usize)) {
        match self {
            Self::Range(start, end) => (*start..*end).enumerate().for_each(|(i, row)| f(i, row)),
            Self::Index(rows) => {
                rows.iter().enumerate().for_each(|(i, &row)| f(i, row as usize));
            }
        }
    }
}
