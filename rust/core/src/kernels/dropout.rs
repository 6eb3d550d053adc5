//! Inverted dropout, in place: forward on activations and, with the same mask, backward on their derivatives.
//!
//! A random word that depends on (key, row, column) alone decides whether a value stays. Hence a mask need not be
//! stored, and is the same however rows are cut into tiles, for both element types and for every instruction set.

use crate::kernels::mask::Mask;
use crate::numbers::simd_fn;

/// Columns whose words are computed together: one vector of words.
const BLOCK: usize = 16;

simd_fn! {
    /// Drops the values that `mask` selects in the rows from number `first_row` on, and multiplies the others by
    /// its scale.
    ///
    /// x: (n, columns)
    #[allow(clippy::cast_possible_truncation)] // no row has 2^32 columns
    pub(crate) fn dropout<T as V>(x: &mut [T], columns: usize, mask: &Mask, first_row: usize) {
        let scale = T::from_f64(mask.scale());
        for (i, x) in x.chunks_exact_mut(columns).enumerate() {
            let row = mask.row(first_row + i);
            for (block, x) in x.chunks_mut(BLOCK).enumerate() {
                let mut factors = [T::ZERO; BLOCK];
                for (lane, factor) in factors.iter_mut().enumerate() {
                    let stays = row.keeps((block * BLOCK + lane) as u32);
                    *factor = if stays { scale } else { T::ZERO };
                }
                for (x, factors) in x.chunks_mut(T::LANES).zip(factors.chunks(T::LANES)) {
                    let factors = V::load(factors);
                    // A dropped value is 0 even where 0 times the value would not be.
                    let kept = V::select(factors.gt(V::zero()), V::load_front(x) * factors, V::zero());
                    kept.store_front(x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::mask::{Key, Words};
    use crate::kernels::sparse_rows::SparseRows;
    use crate::numbers::Scalar;
    use crate::numbers::simd::{Isa, with_isa};

    const ROWS: usize = 64;
    const COLUMNS: usize = 100;

    /// Numbers other than 0.
    fn numbers<T: Scalar>(rows: usize, columns: usize) -> Vec<T> {
        (0..rows * columns).map(|i| T::from_f64((i as f64).sin() + 2.0)).collect()
    }

    /// 1 for the values of a matrix that stay, 0 for the others.
    fn kept(rate: f64, key: Key) -> Vec<f64> {
        let mut x = vec![1.0_f64; ROWS * COLUMNS];
        dropout(&mut x, COLUMNS, &Mask::new(rate, key), 0);
        x.into_iter().map(|x| f64::from(u8::from(x > 0.0))).collect()
    }

    /// The words' definition, in arithmetic that cannot overflow.
    fn plain_word(key: Key, row: usize, column: usize) -> u64 {
        let modulo = |x: u64| x % (1 << 32);
        let [start, middle] = key.child(row as u64).halves().map(u64::from);
        let mut z = modulo(start + column as u64 * 2_654_435_769);
        z = modulo((z ^ (z >> 16)) * 2_146_121_005) ^ middle;
        z = modulo((z ^ (z >> 15)) * 2_221_713_035);
        z ^ (z >> 16)
    }

    fn check_definition<T: Scalar>() {
        let key = Key::new(3);
        for rate in [0.15, 0.5, 0.9] {
            let mask = Mask::new(rate, key);
            for columns in [1, 7, 8, 15, 16, 17, 33, 100] {
                let (first_row, x) = (5, numbers::<T>(6, columns));
                let scale = T::from_f64(mask.scale());
                let stays =
                    |i: usize| plain_word(key, first_row + i / columns, i % columns) <= mask.last.into();
                for isa in Isa::available() {
                    let mut dropped = x.clone();
                    with_isa(isa, || dropout(&mut dropped, columns, &mask, first_row));
                    for (i, (&x, &dropped)) in x.iter().zip(&dropped).enumerate() {
                        let expected = if stays(i) { x * scale } else { T::ZERO };
                        assert!(dropped == expected, "{isa:?} {} {rate} {columns} {i}", T::DTYPE);
                    }
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_and_type_leaves_out_the_same() {
        check_definition::<f32>();
        check_definition::<f64>();
    }

    #[test]
    fn tiles_of_any_rows_make_the_same() {
        let mask = Mask::new(0.3, Key::new(4));
        for columns in [1, 16, 37] {
            let x = numbers::<f32>(23, columns);
            let mut whole = x.clone();
            dropout(&mut whole, columns, &mask, 0);
            for tile in [1, 2, 7, 22, 23] {
                let mut tiles = x.clone();
                for (i, rows) in tiles.chunks_mut(tile * columns).enumerate() {
                    dropout(rows, columns, &mask, i * tile);
                }
                assert_eq!(tiles, whole, "{columns} {tile}");
            }
        }
    }

    #[test]
    fn sparse_rows_have_the_same_masks() {
        let mask = Mask::new(0.4, Key::new(11));
        // Column 1 comes twice, column 3 never.
        let (data, indices) = ([2.0, -1.0, 0.5, 3.0, 1.5], [4, 1, 0, 1, 2]);
        let mut dense = [0.5, 2.0, 1.5, 0.0, 2.0].repeat(ROWS);
        dropout(&mut dense, 5, &mask, 7);
        let mut rows = SparseRows::default();
        rows.reserve(ROWS, 0, None).unwrap();
        for _ in 0..ROWS {
            let (columns, values) = rows.room(5).unwrap();
            columns.copy_from_slice(&indices);
            values.copy_from_slice(&data);
            rows.end_row(5);
        }
        rows.drop_out(&mask, 7);
        let mut sparse = vec![0.0_f64; ROWS * 5];
        for (i, row) in sparse.chunks_mut(5).enumerate() {
            rows.entries(rows.row(i)).for_each(|(j, x)| row[j] += x);
        }
        assert!(dense.iter().zip(&sparse).all(|(x, y)| (x - y).abs() < 1e-14));
        assert!(sparse.contains(&0.0) && sparse.iter().any(|&x| x > 0.0));
    }

    #[test]
    fn a_rate_of_0_is_the_identity() {
        let x = numbers::<f32>(ROWS, COLUMNS);
        let mut same = x.clone();
        dropout(&mut same, COLUMNS, &Mask::new(0.0, Key::new(5)), 0);
        assert_eq!(same, x);
    }

    #[test]
    fn what_is_left_out_is_0_whatever_it_was() {
        for isa in Isa::available() {
            for wrong in [f32::NAN, f32::INFINITY] {
                let mut x = [wrong; COLUMNS];
                with_isa(isa, || dropout(&mut x, COLUMNS, &Mask::new(0.5, Key::new(6)), 0));
                let zeros = x.iter().filter(|&&x| x == 0.0).count();
                assert!(0 < zeros && zeros < COLUMNS, "{isa:?} {wrong}");
                assert!(x.iter().all(|x| *x == 0.0 || !x.is_finite()));
            }
        }
    }

    #[test]
    fn as_many_stay_as_the_rate_says() {
        const KEYS: u32 = 500;
        for rate in [0.01, 0.15, 0.5, 0.9] {
            let n = (ROWS * COLUMNS) as f64;
            let (mean, variance) = (n * (1.0 - rate), n * rate * (1.0 - rate));
            let (mut sum, mut squares) = (0.0, 0.0);
            for seed in 0..KEYS {
                let deviation = kept(rate, Key::new(seed.into())).iter().sum::<f64>() - mean;
                sum += deviation;
                squares += deviation * deviation / variance;
            }
            // Five standard deviations of a normal and of a chi-square distribution.
            let keys = f64::from(KEYS);
            assert!(sum.abs() < 5.0 * (keys * variance).sqrt(), "{rate}: {sum}");
            assert!((squares - keys).abs() < 5.0 * (2.0 * keys).sqrt(), "{rate}: {squares}");
        }
    }

    /// Fails if two series of zeros and ones, of mean `keep`, are correlated by more than chance allows.
    fn check_uncorrelated<'a>(what: &str, keep: f64, pairs: impl Iterator<Item = (&'a f64, &'a f64)>) {
        let (mut sum, mut n) = (0.0, 0.0);
        for (x, y) in pairs {
            sum += (x - keep) * (y - keep);
            n += 1.0;
        }
        let deviation = f64::sqrt(n) * keep * (1.0 - keep);
        assert!(sum.abs() < 5.0 * deviation, "{what} with {keep}: {} deviations", sum / deviation);
    }

    #[test]
    fn what_stays_here_says_nothing_of_what_stays_there() {
        for rate in [0.15, 0.5] {
            let (keep, root) = (1.0 - rate, Key::new(7));
            let steps: Vec<Vec<f64>> = (0..50).map(|step| kept(rate, root.child(step))).collect();
            let check = |what: &str, far: usize| {
                let pairs = steps.iter().flat_map(|step| step.iter().zip(&step[far..]));
                check_uncorrelated(what, keep, pairs);
            };
            for columns in 1..=32 {
                check(&format!("{columns} columns further"), columns);
            }
            for rows in 1..=8 {
                check(&format!("{rows} rows further"), rows * COLUMNS);
                check(&format!("{rows} rows and a column further"), rows * COLUMNS + 1);
            }
            let next = steps.iter().zip(&steps[1..]).flat_map(|(one, other)| one.iter().zip(other));
            check_uncorrelated("in the next step", keep, next);
            let other: Vec<_> = (0..50).map(|step| kept(rate, Key::new(8).child(step))).collect();
            let pairs = steps.iter().zip(&other).flat_map(|(one, other)| one.iter().zip(other));
            check_uncorrelated("with the next seed", keep, pairs);
            let deeper: Vec<_> = (0..50).map(|step| kept(rate, root.child(step).child(0))).collect();
            let pairs = steps.iter().zip(&deeper).flat_map(|(one, other)| one.iter().zip(other));
            check_uncorrelated("in a child", keep, pairs);
        }
    }

    #[test]
    fn every_byte_of_the_words_is_as_likely() {
        // 2^18 words of rows of three columns and of 2^12.
        for (rows, columns) in [(1 << 18, 3), (1 << 6, 1 << 12)] {
            let key = Key::new(9);
            let words = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
            let mut counts = [[0.0; 256]; 4];
            for (row, column) in words {
                for (counts, byte) in counts.iter_mut().zip(Words::new(key, row).word(column).to_le_bytes()) {
                    counts[usize::from(byte)] += 1.0;
                }
            }
            let expected = rows as f64 * f64::from(columns) / 256.0;
            for (place, counts) in counts.iter().enumerate() {
                let chi_square: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
                // 255 degrees of freedom, and five standard deviations.
                assert!((chi_square - 255.0).abs() < 113.0, "{columns} columns, byte {place}: {chi_square}");
            }
        }
    }

    #[test]
    fn no_word_comes_twice_in_a_row() {
        let mut words: Vec<u32> =
            (0..1 << 20).map(|column| Words::new(Key::new(10), 0).word(column)).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 1 << 20);
    }
}
