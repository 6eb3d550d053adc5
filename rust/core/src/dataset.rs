//! Rows to learn from, read where they lie.
//!
//! Inputs, labels and weights are views with any strides; nothing is copied but the rows of one tile at a time.

use ndarray::{ArrayView1, ArrayView2};

use crate::dropout::Masks;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::scalar::Scalar;

/// The rows of a data set that a pass goes through, in this order.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by the public traits below, hidden there")]
pub enum Rows<'a> {
    /// From the first to before the second.
    Range(usize, usize),
    /// These.
    Index(&'a [u32]),
}

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range(start, end) => end - start,
            Self::Index(rows) => rows.len(),
        }
    }

    /// Those at positions `start..end` of these.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        match self {
            Self::Range(first, _) => Self::Range(first + start, first + end),
            Self::Index(rows) => Self::Index(&rows[start..end]),
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

/// Class indices of any integer type.
pub trait Labels: Sync {
    /// Number of rows.
    fn len(&self) -> usize;
    /// No rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The label of a row.
    fn get(&self, row: usize) -> i128;
    /// The labels of `rows`, held to 0 to `last`.
    #[doc(hidden)]
    fn read(&self, rows: Rows<'_>, last: u32, labels: &mut [u32]);
}

impl<I: Copy + Sync + Into<i128>> Labels for ArrayView1<'_, I> {
    fn len(&self) -> usize {
        self.len()
    }
    fn get(&self, row: usize) -> i128 {
        self[row].into()
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to the classes")]
    fn read(&self, rows: Rows<'_>, last: u32, labels: &mut [u32]) {
        let held = |label: I| label.into().clamp(0, last.into()) as u32;
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
    /// No rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The weight of a row.
    fn get(&self, row: usize) -> f64;
}

impl<T: Scalar> Weights for ArrayView1<'_, T> {
    fn len(&self) -> usize {
        self.len()
    }
    fn get(&self, row: usize) -> f64 {
        self[row].into()
    }
}

/// What the arguments of a data set are called, so that an error names the one that is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The inputs.
    pub x: &'static str,
    /// The labels.
    pub y: &'static str,
}

impl Names {
    /// `X` and `y`.
    pub const TRAINING: Self = Self { x: "X", y: "y" };
    /// `X_val` and `y_val`.
    pub const VALIDATION: Self = Self { x: "X_val", y: "y_val" };
}

/// Inputs with their labels and weights, checked: every label is a class, every weight finite and not negative, and at
/// least one row counts.
pub struct Dataset<'a, T: Scalar> {
    names: Names,
    x: ArrayView2<'a, T>,
    labels: &'a dyn Labels,
    sample_weight: Option<&'a dyn Weights>,
    class_weight: Option<&'a [f64]>,
    n_classes: usize,
    total_weight: f64,
}

impl<'a, T: Scalar> Dataset<'a, T> {
    /// Checks all of it, reading labels and weights once.
    ///
    /// The weight of a row is `sample_weight[row] * class_weight[label]`; what is not given counts as 1.
    pub fn new(
        names: Names,
        x: ArrayView2<'a, T>,
        labels: &'a dyn Labels,
        sample_weight: Option<&'a dyn Weights>,
        class_weight: Option<&'a [f64]>,
        n_classes: usize,
    ) -> Result<Self> {
        let n = x.nrows();
        if n == 0 {
            return Err(Error::shape(names.x, x.shape(), "at least one row"));
        }
        if labels.len() != n {
            return Err(Error::shape(
                names.y,
                &[labels.len()],
                format!("({n},), one label a row of {}", names.x),
            ));
        }
        check_class_weight(class_weight, n_classes)?;
        check_sample_weight(sample_weight, n)?;
        let valid = 0..n_classes as i128;
        for row in 0..n {
            let found = labels.get(row);
            if !valid.contains(&found) {
                return Err(Error::Label { name: names.y, row, found, n_classes });
            }
        }
        let mut dataset =
            Self { names, x, labels, sample_weight, class_weight, n_classes, total_weight: n as f64 };
        dataset.total_weight = dataset.weight(Rows::Range(0, n));
        match dataset.total_weight {
            0.0 => Err(Error::NoWeight { name: names.y }),
            total if total.is_normal() => Ok(dataset),
            total => {
                let found = format_args!("such that all weights sum to {total:?}").to_string();
                let name = if sample_weight.is_some() { "sample_weight" } else { "class_weight" };
                Err(Error::value(name, found, "weights whose sum is a normal number"))
            }
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.x.nrows()
    }

    /// The inputs, `(n, d_in)`.
    pub fn x(&self) -> ArrayView2<'_, T> {
        self.x
    }

    /// An error unless the columns are the inputs of a network and the classes its outputs.
    pub(crate) fn check(&self, layout: &Layout) -> Result<()> {
        check_columns(self.names.x, &self.x, layout)?;
        if self.n_classes == layout.d_out() {
            return Ok(());
        }
        Err(Error::value(
            "n_classes",
            self.n_classes,
            format!("{}, the outputs of the network", layout.d_out()),
        ))
    }

    /// Sum of the weights of all rows.
    pub(crate) fn total_weight(&self) -> f64 {
        self.total_weight
    }

    /// Sum of the weights of `rows`.
    pub(crate) fn weight(&self, rows: Rows<'_>) -> f64 {
        if self.sample_weight.is_none() && self.class_weight.is_none() {
            return rows.len() as f64;
        }
        let mut sum = 0.0;
        let mut label = [0];
        rows.for_each(|_, row| {
            self.labels.read(Rows::Range(row, row + 1), self.last_class(), &mut label);
            sum += self.row_weight(row, label[0]);
        });
        sum
    }

    /// Labels of `rows`, and their weights times `scale`.
    pub(crate) fn read(&self, rows: Rows<'_>, scale: f64, labels: &mut [u32], weights: &mut [T]) {
        self.labels.read(rows, self.last_class(), labels);
        if self.sample_weight.is_none() && self.class_weight.is_none() {
            weights.fill(T::from_f64(scale));
        } else {
            rows.for_each(|i, row| weights[i] = T::from_f64(scale * self.row_weight(row, labels[i])));
        }
    }

    /// [`Error::NotFinite`] with the first input that is NaN or infinite, if there is one.
    pub(crate) fn check_finite(&self) -> Result<()> {
        match self.x.indexed_iter().find(|(_, value)| !value.is_finite()) {
            Some(((row, column), &found)) => {
                Err(Error::NotFinite { name: self.names.x, row, column, found: found.into() })
            }
            None => Ok(()),
        }
    }

    /// Labels are checked once, and may be overwritten by their owner afterwards: one that is no class any more counts
    /// as the nearest.
    #[allow(clippy::cast_possible_truncation, reason = "classes are fewer than 2^32")]
    fn last_class(&self) -> u32 {
        (self.n_classes - 1) as u32
    }

    fn row_weight(&self, row: usize, label: u32) -> f64 {
        let of_sample = self.sample_weight.map_or(1.0, |weights| weights.get(row));
        let of_class = self.class_weight.map_or(1.0, |weights| weights[label as usize]);
        of_sample * of_class
    }
}

/// Some rows of a batch to learn from.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a, 'd, T: Scalar> {
    pub(crate) data: &'a Dataset<'d, T>,
    pub(crate) rows: Rows<'a>,
    /// Multiplies their weights.
    pub(crate) scale: f64,
    /// Position of the first of them in the batch, on which the masks depend.
    pub(crate) first: usize,
    pub(crate) masks: Masks<'a>,
}

impl<'a, 'd, T: Scalar> Examples<'a, 'd, T> {
    /// All of a batch.
    pub(crate) fn batch(data: &'a Dataset<'d, T>, rows: Rows<'a>, scale: f64, masks: Masks<'a>) -> Self {
        Self { data, rows, scale, first: 0, masks }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Those at positions `start..end` of these.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        Self { rows: self.rows.slice(start, end), first: self.first + start, ..*self }
    }

    /// Their labels and weights.
    pub(crate) fn read(&self, labels: &mut [u32], weights: &mut [T]) {
        self.data.read(self.rows, self.scale, labels, weights);
    }
}

fn is_weight(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

fn check_class_weight(weights: Option<&[f64]>, n_classes: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != n_classes {
        return Err(Error::shape(
            "class_weight",
            &[weights.len()],
            format!("({n_classes},), one weight a class"),
        ));
    }
    match weights.iter().find(|&&weight| !is_weight(weight)) {
        Some(weight) => Err(Error::value("class_weight", weight, "finite numbers >= 0")),
        None => Ok(()),
    }
}

fn check_sample_weight(weights: Option<&dyn Weights>, n: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != n {
        return Err(Error::shape(
            "sample_weight",
            &[weights.len()],
            format!("({n},), one weight a row of X"),
        ));
    }
    match (0..n).find(|&row| !is_weight(weights.get(row))) {
        Some(row) => Err(Error::SampleWeight { row, found: weights.get(row) }),
        None => Ok(()),
    }
}

/// `rows` of `x` where they lie, if they lie there row after row without gaps.
pub(crate) fn in_place<'x, T: Scalar>(x: &'x ArrayView2<'_, T>, rows: Rows<'_>) -> Option<&'x [T]> {
    match (rows, x.as_slice()) {
        (Rows::Range(start, end), Some(all)) => Some(&all[start * x.ncols()..end * x.ncols()]),
        _ => None,
    }
}

/// Copies `rows` of `x` to `buffer`, row after row.
pub(crate) fn gather<T: Scalar>(x: &ArrayView2<'_, T>, rows: Rows<'_>, buffer: &mut [T]) {
    let d = x.ncols();
    if let Some(all) = x.as_slice() {
        rows.for_each(|i, row| {
            for (to, from) in buffer[i * d..(i + 1) * d].iter_mut().zip(&all[row * d..(row + 1) * d]) {
                *to = *from;
            }
        });
    } else {
        rows.for_each(|i, row| {
            for (to, from) in buffer[i * d..(i + 1) * d].iter_mut().zip(x.row(row)) {
                *to = *from;
            }
        });
    }
}

/// Copies `rows` of `x` to `buffer`, column after column.
pub(crate) fn gather_columns<T: Scalar>(x: &ArrayView2<'_, T>, rows: Rows<'_>, buffer: &mut [T]) {
    let (d, n) = (x.ncols(), rows.len());
    for (j, to) in buffer.chunks_exact_mut(n).take(d).enumerate() {
        match x.as_slice() {
            Some(all) => rows.for_each(|i, row| to[i] = all[row * d + j]),
            None => rows.for_each(|i, row| to[i] = x[[row, j]]),
        }
    }
}

/// [`Error::Shape`] unless `x` has a column for each input of a network.
pub fn check_columns<T: Scalar>(name: &'static str, x: &ArrayView2<'_, T>, layout: &Layout) -> Result<()> {
    if x.ncols() == layout.d_in() {
        return Ok(());
    }
    Err(Error::shape(name, x.shape(), format!("(n, {})", layout.d_in())))
}
