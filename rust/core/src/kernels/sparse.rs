//! Products of a sparse row with weights: the row's part of a dense layer, forward and backward.

use std::ops::Range;

use crate::kernels::sparse_row::SparseRow;
use crate::numbers::simd_fn;

/// Vectors of sums that stay in registers during the loop over a row.
const ABREAST: usize = 4;

simd_fn! {
    /// `z += x W`
    ///
    /// x: a row of `d_in`, w: (`d_in`, `d_out`), z: (`d_out`,)
    pub(crate) fn add_sparse_product<T as V>(z: &mut [T], x: SparseRow<'_, T>, w: &[T]) {
        let d_out = z.len();
        for (block, z) in z.chunks_mut(ABREAST * T::LANES).enumerate() {
            let mut sums = [V::zero(); ABREAST];
            for (sum, z) in sums.iter_mut().zip(z.chunks(T::LANES)) {
                *sum = V::load_front(z);
            }
            for k in 0..x.len() {
                let Some((j, x)) = x.entry(k) else { continue };
                let (x, w) = (V::splat(x), &w[j * d_out + block * ABREAST * T::LANES..][..z.len()]);
                if w.len() == ABREAST * T::LANES {
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = x.mul_add(V::load(&w[i * T::LANES..]), *sum);
                    }
                } else {
                    for (sum, w) in sums.iter_mut().zip(w.chunks(T::LANES)) {
                        *sum = x.mul_add(V::load_front(w), *sum);
                    }
                }
            }
            for (sum, z) in sums.into_iter().zip(z.chunks_mut(T::LANES)) {
                sum.store_front(z);
            }
        }
    }
}

simd_fn! {
    /// `d_w += x^T d_z` for some rows of `d_w`, which are columns of x.
    ///
    /// x: a row of `d_in`, `d_z`: (`d_out`,), `d_w`: (rows, `d_out`)
    pub(crate) fn add_sparse_outer<T as V>(d_w: &mut [T], rows: &Range<usize>, x: SparseRow<'_, T>, d_z: &[T]) {
        let d_out = d_z.len();
        for k in 0..x.len() {
            let Some((j, x)) = x.entry(k).filter(|(j, _)| rows.contains(j)) else { continue };
            let (x, d_w) = (V::splat(x), &mut d_w[(j - rows.start) * d_out..][..d_out]);
            for (d_w, d_z) in d_w.chunks_mut(T::LANES).zip(d_z.chunks(T::LANES)) {
                x.mul_add(V::load_front(d_z), V::load_front(d_w)).store_front(d_w);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::sparse_row::Indices;
    use crate::numbers::simd::{Isa, with_isa};

    #[test]
    fn matches_the_dense_product() {
        // Column 4 occurs twice, column 1 never.
        let (data, indices) = ([2.0, -1.0, 0.5, 3.0], [4, 0, 4, 2]);
        let x = SparseRow { data: &data, indices: Indices::I32(&indices), columns: 5, dropout: None };
        let dense = [-1.0, 0.0, 3.0, 0.0, 2.5];
        for isa in Isa::available() {
            for d_out in [1, 7, 8, 9, 31, 32, 33, 70] {
                let w: Vec<f64> = (0..5 * d_out).map(|i| (i as f64).sin()).collect();
                let mut z = vec![1.0; d_out];
                with_isa(isa, || add_sparse_product(&mut z, x, &w));
                for (c, z) in z.iter().enumerate() {
                    let expected: f64 = 1.0 + (0..5).map(|j| dense[j] * w[j * d_out + c]).sum::<f64>();
                    assert!((z - expected).abs() < 1e-14);
                }
                let d_z: Vec<f64> = (0..d_out).map(|c| (c as f64).cos()).collect();
                let mut d_w = vec![0.5; 3 * d_out];
                with_isa(isa, || add_sparse_outer(&mut d_w, &(2..5), x, &d_z));
                for (i, d_w) in d_w.iter().enumerate() {
                    assert!((d_w - (0.5 + dense[2 + i / d_out] * d_z[i % d_out])).abs() < 1e-14);
                }
            }
        }
    }
}
