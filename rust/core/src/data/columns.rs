//! Labels and weights of rows: columns of any numeric type, with any stride.

use ndarray::ArrayView1;

use crate::data::rows::Rows;
use crate::kernels::Element;

/// Class indices of any integer type.
pub trait Labels: Sync {
    /// Number of rows.
    fn len(&self) -> usize;
    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The label of a row.
    fn get(&self, row: usize) -> i128;
    /// The labels of `rows`, `last` for those that are not from 0 to `last`.
    #[doc(hidden)]
    fn read(&self, rows: Rows<'_>, last: u32, labels: &mut [u32]);
}

impl<I: Copy + Sync + Into<i128> + TryInto<u32>> Labels for ArrayView1<'_, I> {
    fn len(&self) -> usize {
        self.len()
    }
    fn get(&self, row: usize) -> i128 {
        self[row].into()
    }
    fn read(&self, rows: Rows<'_>, last: u32, labels: &mut [u32]) {
        let held = |label: I| label.try_into().unwrap_or(last).min(last);
        match self.as_slice() {
            Some(all) => rows.for_each(|i, row| labels[i] = held(all[row])),
            None => rows.for_each(|i, row| labels[i] = held(self[row])),
        }
    }
}

/// A weight for each row, of either floating-point type.
pub trait Weights: Sync {
    /// Number of rows.
    fn len(&self) -> usize;
    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The weights of `rows`.
    #[doc(hidden)]
    fn read(&self, rows: Rows<'_>, weights: &mut [f64]);
}

impl<T: Element> Weights for ArrayView1<'_, T> {
    fn len(&self) -> usize {
        self.len()
    }
    fn read(&self, rows: Rows<'_>, weights: &mut [f64]) {
        match self.as_slice() {
            Some(all) => rows.for_each(|i, row| weights[i] = all[row].into()),
            None => rows.for_each(|i, row| weights[i] = self[row].into()),
        }
    }
}
