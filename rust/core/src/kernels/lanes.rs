//! Rows of few columns, transposed so that each lane holds a row, and back.

use crate::numbers::Scalar;
use crate::numbers::simd_fn;

/// Most columns of such rows.
pub(super) const FEW: usize = 16;

/// Calls a function compiled for the number of columns if the rows fill a vector. Its loops, whose lengths are then
/// known, become shuffles of registers.
macro_rules! by_columns {
    ($columns:ident, $rows:ident, $function:ident::<$t:ty>$arguments:tt) => {
        by_columns!(@match $columns, $rows, $function, $t, $arguments, 2 3 4 5 6 7 8 10)
    };
    (@match $columns:ident, $rows:ident, $function:ident, $t:ty, $arguments:tt, $($known:literal)*) => {
        match $columns {
            $($known if $rows.len() == $known * <$t>::LANES => $function::<$t, $known>$arguments,)*
            _ => $function::<$t, 0>$arguments,
        }
    };
}

/// Rows into lanes.
#[inline(always)]
pub(super) fn transpose<T: Scalar>(rows: &[T], columns: usize, lanes: &mut [[T; 16]]) {
    by_columns!(columns, rows, transpose_known::<T>(rows, columns, lanes));
}

/// Lanes into rows.
#[inline(always)]
pub(super) fn transpose_back<T: Scalar>(lanes: &[[T; 16]], columns: usize, rows: &mut [T]) {
    by_columns!(columns, rows, transpose_back_known::<T>(lanes, columns, rows));
}

/// [`transpose`] of a vector of rows of `KNOWN` columns, or of any rows if that is 0.
#[inline(always)]
fn transpose_known<T: Scalar, const KNOWN: usize>(rows: &[T], columns: usize, lanes: &mut [[T; 16]]) {
    let (count, columns) = if KNOWN > 0 { (T::LANES, KNOWN) } else { (rows.len() / columns, columns) };
    let (rows, lanes) = (&rows[..count * columns], &mut lanes[..columns]);
    for i in 0..count {
        for (c, lane) in lanes.iter_mut().enumerate() {
            lane[i] = rows[i * columns + c];
        }
    }
}

/// [`transpose_back`] to a vector of rows of `KNOWN` columns, or to any rows if that is 0.
#[inline(always)]
fn transpose_back_known<T: Scalar, const KNOWN: usize>(lanes: &[[T; 16]], columns: usize, rows: &mut [T]) {
    let (count, columns) = if KNOWN > 0 { (T::LANES, KNOWN) } else { (rows.len() / columns, columns) };
    let (lanes, rows) = (&lanes[..columns], &mut rows[..count * columns]);
    for i in 0..count {
        for (c, lane) in lanes.iter().enumerate() {
            rows[i * columns + c] = lane[i];
        }
    }
}

simd_fn! {
    /// Rows `(n, columns)` to columns, `stride` apart, which is at least n rounded up to whole vectors. Lanes
    /// beyond the rows have no meaning.
    pub(super) fn columns_of_rows<T as V>(rows: &[T], columns: usize, to: &mut [T], stride: usize) {
        let mut lanes = [[T::ZERO; 16]; FEW];
        for (block, rows) in rows.chunks(columns * T::LANES).enumerate() {
            transpose(rows, columns, &mut lanes);
            for (c, lane) in lanes[..columns].iter().enumerate() {
                V::load(lane).store(&mut to[c * stride + block * T::LANES..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, columns_of_rows, transpose, transpose_back};
    use crate::numbers::Scalar;
    use crate::numbers::simd::{Isa, with_isa};

    fn check<T: Scalar>() {
        for columns in 1..=FEW {
            for n in 0..=T::LANES {
                let rows: Vec<T> = (0..n * columns).map(|i| T::from_f64(i as f64)).collect();
                let mut lanes = [[T::ZERO; 16]; FEW];
                transpose(&rows, columns, &mut lanes);
                for (i, row) in rows.chunks_exact(columns).enumerate() {
                    assert!(row.iter().zip(&lanes).all(|(x, lane)| *x == lane[i]), "{columns} {n}");
                }
                let mut back = vec![T::ONE; rows.len()];
                transpose_back(&lanes, columns, &mut back);
                assert_eq!(back, rows);
            }
        }
    }

    #[test]
    fn there_and_back() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn rows_of_several_vectors() {
        for isa in Isa::available() {
            for columns in [1, 2, 3, 9, 16] {
                for n in [0_usize, 1, 15, 16, 17, 40] {
                    let rows: Vec<f32> = (0..n * columns).map(|i| i as f32).collect();
                    let stride = n.next_multiple_of(16);
                    let mut to = vec![-1.0; columns * stride];
                    with_isa(isa, || columns_of_rows(&rows, columns, &mut to, stride));
                    for (i, row) in rows.chunks_exact(columns).enumerate() {
                        assert!(
                            row.iter().enumerate().all(|(c, x)| *x == to[c * stride + i]),
                            "{columns} {n}"
                        );
                    }
                }
            }
        }
    }
}
