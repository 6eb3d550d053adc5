//! Rows to learn from, read where they lie.
//!
//! Inputs, labels and weights are views with any strides; nothing is copied but the rows of one tile at a time.

use ndarray::{ArrayView1, ArrayView2};

use crate::arch::Masks;
use crate::arch::Network;
use crate::data::inputs::Inputs;
use crate::data::rows::Rows;
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::kernels::Output;

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
    /// No rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The weight of a row.
    fn get(&self, row: usize) -> f64;
}

impl<T: Element> Weights for ArrayView1<'_, T> {
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
pub struct Dataset<'a, T: Element> {
    names: Names,
    x: Inputs<'a, T>,
    targets: Targets<'a, T>,
    sample_weight: Option<&'a dyn Weights>,
    class_weight: Option<&'a [f64]>,
    total_weight: f64,
}

/// What the network should make of rows.
#[derive(Clone, Copy)]
enum Targets<'a, T> {
    /// A class of so many each.
    Classes(&'a dyn Labels, usize),
    /// A number for each output, of a kind that this output can be.
    Values(ArrayView2<'a, T>, Output),
}

impl<'a, T: Element> Dataset<'a, T> {
    /// Rows that belong to classes. Checks all of it, reading labels and weights once.
    ///
    /// The weight of a row is `sample_weight[row] * class_weight[label]`; what is not given counts as 1.
    pub fn new(
        names: Names,
        x: impl Into<Inputs<'a, T>>,
        labels: &'a dyn Labels,
        sample_weight: Option<&'a dyn Weights>,
        class_weight: Option<&'a [f64]>,
        n_classes: usize,
    ) -> Result<Self> {
        let x = x.into();
        let n = check_rows(names, &x)?;
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
        Self {
            names,
            x,
            targets: Targets::Classes(labels, n_classes),
            sample_weight,
            class_weight,
            total_weight: 0.0,
        }
        .weighed()
    }

    /// Rows with a number for each output, `(n, d_out)`. Checks all of it, reading targets and weights once.
    pub fn with_values(
        names: Names,
        x: impl Into<Inputs<'a, T>>,
        values: ArrayView2<'a, T>,
        sample_weight: Option<&'a dyn Weights>,
        output: Output,
    ) -> Result<Self> {
        let x = x.into();
        let n = check_rows(names, &x)?;
        if values.nrows() != n {
            let expected = format!("({n}, d_out), one row a row of {}", names.x);
            return Err(Error::shape(names.y, values.shape(), expected));
        }
        check_sample_weight(sample_weight, n)?;
        for ((row, column), &found) in values.indexed_iter() {
            let found = found.into();
            if let Some(expected) = output.complaint(found) {
                return Err(Error::Target { name: names.y, row, column, found, expected });
            }
        }
        Self {
            names,
            x,
            targets: Targets::Values(values, output),
            sample_weight,
            class_weight: None,
            total_weight: 0.0,
        }
        .weighed()
    }

    /// The same with its total weight, which must be a normal number.
    fn weighed(self) -> Result<Self> {
        let total_weight = self.weight(Rows::Range(0, self.n_rows()));
        match total_weight {
            0.0 => Err(Error::NoWeight { name: self.names.y }),
            total if total.is_normal() => Ok(Self { total_weight, ..self }),
            total => {
                let found = format_args!("such that all weights sum to {total:?}").to_string();
                let name = if self.sample_weight.is_some() { "sample_weight" } else { "class_weight" };
                Err(Error::value(name, found, "weights whose sum is a normal number"))
            }
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.x.nrows()
    }

    /// The inputs, `(n, d_in)`.
    pub(crate) fn x(&self) -> Inputs<'a, T> {
        self.x
    }

    /// An error unless the columns are the inputs of a network, and the targets what its outputs can be.
    pub(crate) fn check(&self, network: &Network) -> Result<()> {
        let layout = network.layout();
        self.x.check_columns(self.names.x, layout)?;
        let (d_out, output) = (layout.d_out(), network.output());
        match self.targets {
            Targets::Classes(_, n) if output == Output::Softmax => {
                if n == d_out {
                    return Ok(());
                }
                Err(Error::value("n_classes", n, format!("{d_out}, the outputs of the network")))
            }
            Targets::Values(values, of) if of == output => {
                if values.ncols() == d_out {
                    return Ok(());
                }
                let expected = format!("(n, {d_out}), one column an output");
                Err(Error::shape(self.names.y, values.shape(), expected))
            }
            Targets::Classes(..) => Err(Error::value(self.names.y, "classes", "numbers, one an output")),
            Targets::Values(..) => {
                Err(Error::value(self.names.y, "numbers", "those of the network's output"))
            }
        }
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
            if let Targets::Classes(labels, n) = self.targets {
                labels.read(Rows::Range(row, row + 1), last(n), &mut label);
            }
            sum += self.row_weight(row, label[0]);
        });
        sum
    }

    /// Targets of `rows`, and their weights times `scale`: `labels` or `values` take the targets, the other is empty.
    pub(crate) fn read(
        &self,
        rows: Rows<'_>,
        scale: f64,
        (labels, values): (&mut [u32], &mut [T]),
        weights: &mut [T],
    ) {
        match self.targets {
            Targets::Classes(all, n) => all.read(rows, last(n), labels),
            Targets::Values(all, output) => rows.for_each(|i, row| {
                let d_out = all.ncols();
                for (to, &from) in values[i * d_out..(i + 1) * d_out].iter_mut().zip(all.row(row)) {
                    // Checked once; its owner may have overwritten it.
                    *to = if output.complaint(from.into()).is_none() { from } else { T::ZERO };
                }
            }),
        }
        if self.sample_weight.is_none() && self.class_weight.is_none() {
            weights.fill(T::from_f64(scale));
        } else {
            let label = |i: usize| labels.get(i).copied().unwrap_or(0);
            rows.for_each(|i, row| weights[i] = T::from_f64(scale * self.row_weight(row, label(i))));
        }
    }

    /// An error if a batch would have a single row where the network needs several: with `batch_size` rows in each batch,
    /// or all of them in one.
    pub(crate) fn check_batches(&self, network: &Network, batch_size: Option<usize>) -> Result<()> {
        let n = self.n_rows();
        let leaves_one = |size: usize| size == 1 || n % size == 1;
        match batch_size {
            _ if !network.needs_batches() => Ok(()),
            _ if n == 1 => {
                let expected = r#"at least two rows: normalization="batch" takes the variance of each batch"#;
                Err(Error::shape(self.names.x, &self.x.shape(), expected))
            }
            Some(size) if leaves_one(size) => {
                let better = (size + 1..n).find(|&size| !leaves_one(size)).unwrap_or(n);
                let expected = format!(
                    "one that leaves no batch of a single row, such as {better}: normalization=\"batch\" takes the \
                     variance of each batch"
                );
                Err(Error::value("batch_size", format_args!("{size} for {n} rows"), expected))
            }
            _ => Ok(()),
        }
    }

    /// [`Error::NotFinite`] with the first input that is NaN or infinite, if there is one.
    pub(crate) fn check_finite(&self) -> Result<()> {
        self.x.check_finite(self.names.x)
    }

    fn row_weight(&self, row: usize, label: u32) -> f64 {
        let of_sample = self.sample_weight.map_or(1.0, |weights| weights.get(row));
        let of_class = self.class_weight.map_or(1.0, |weights| weights[label as usize]);
        of_sample * of_class
    }
}

/// The last of `n` classes. Labels are checked once, and may be overwritten by their owner afterwards: one that is no
/// class any more counts as the last one.
#[allow(clippy::cast_possible_truncation, reason = "classes are fewer than 2^32")]
fn last(n: usize) -> u32 {
    (n - 1) as u32
}

/// Some rows of a batch to learn from.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a, 'd, T: Element> {
    pub(crate) data: &'a Dataset<'d, T>,
    pub(crate) rows: Rows<'a>,
    /// Multiplies their weights.
    pub(crate) scale: f64,
    /// Position of the first of them in the batch, on which the masks depend.
    pub(crate) first: usize,
    pub(crate) masks: Masks<'a>,
}

impl<'a, 'd, T: Element> Examples<'a, 'd, T> {
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
}

fn is_weight(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// Number of rows, at least one.
fn check_rows<T: Element>(names: Names, x: &Inputs<'_, T>) -> Result<usize> {
    match x.nrows() {
        0 => Err(Error::shape(names.x, &x.shape(), "at least one row")),
        n => Ok(n),
    }
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
