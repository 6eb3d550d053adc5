//! Parts of long vectors, for which threads compute sums. They depend on the length alone, and so does the order of the
//! sums: the bits do not depend on the number of threads.

use crate::error::Result;
use crate::kernels::Element;
use crate::run::Team;

/// Fewest numbers of a part.
pub(super) const MIN_PART: usize = 1 << 14;
/// The most parts.
pub(super) const MAX_PARTS: usize = 64;

/// Numbers of each part of a vector, except the last part, which has the rest.
pub(super) fn part_len(len: usize) -> usize {
    len.div_ceil(MAX_PARTS).max(MIN_PART)
}

/// The inner products of a vector with two others.
pub(crate) fn inner_products<T: Element>(x: &[T], a: &[T], b: &[T], team: &mut Team) -> Result<[f64; 2]> {
    let len = part_len(x.len());
    let mut products = [[0.0; 2]; MAX_PARTS];
    let parts = x.chunks(len).zip(a.chunks(len)).zip(b.chunks(len));
    team.share(products.iter_mut().zip(parts), |_, (products, ((x, a), b))| {
        *products = T::two_dots(x, a, b);
        Ok(())
    })?;
    Ok(total(&products))
}

/// The sum of two numbers of each part, in the order of the parts.
pub(super) fn total(of_parts: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|i| of_parts.iter().map(|of_part| of_part[i]).sum())
}

/// `to = from + factor along`.
pub(crate) fn move_along<T: Element>(
    to: &mut [T],
    from: &[T],
    along: &[T],
    factor: f64,
    team: &mut Team,
) -> Result<()> {
    let len = part_len(to.len());
    let parts = to.chunks_mut(len).zip(from.chunks(len)).zip(along.chunks(len));
    team.share(parts, |_, ((to, from), along)| {
        T::move_along(to, from, along, factor);
        Ok(())
    })
}
