//! Rows to learn from, read in place.
//!
//! Inputs, labels and weights are views with any strides; only the rows of one tile at a time are copied.

use ndarray::ArrayView2;

use crate::arch::Network;
use crate::data::columns::{Labels, Weights};
use crate::data::inputs::Inputs;
use crate::data::rows::Rows;
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::loss::TargetRange;

/// Rows whose weights are read at once.
const WEIGHT_ROWS: usize = 128;

/// The names of the arguments of a data set, for errors.
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

/// Inputs with their labels and weights, checked: every label is a class, every weight is finite and not negative, and
/// at least one row has a weight > 0.
pub struct Dataset<'a, T: Element> {
    names: Names,
    x: Inputs<'a, T>,
    targets: Targets<'a, T>,
    sample_weight: Option<&'a dyn Weights>,
    class_weight: Option<&'a [f64]>,
    total_weight: f64,
    /// Whether the caller's targets have one dimension, which a loss of the caller's sees.
    targets_are_vector: bool,
}

/// What the network should make of rows.
#[derive(Clone, Copy)]
enum Targets<'a, T> {
    /// A class of so many each.
    Classes(&'a dyn Labels, usize),
    /// Numbers in a range: one per output, or as many as the loss wants.
    Values(ArrayView2<'a, T>, TargetRange),
}

impl<'a, T: Element> Dataset<'a, T> {
    /// Rows that belong to classes. Checks everything, reading labels and weights once.
    /// The weight of a row is `sample_weight[row] * class_weight[label]`; weights that are not given count as
    /// 1.
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
                format!("({n},), one label per row of {}", names.x),
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
            targets_are_vector: false,
        }
        .weighed()
    }

    /// Rows with numbers for targets, such as the loss of a network wants them. Checks all of it, reading targets and
    /// weights once.
    ///
    /// values: (n, [`n_targets`](crate::Loss::n_targets))
    pub fn with_values(
        names: Names,
        x: impl Into<Inputs<'a, T>>,
        values: ArrayView2<'a, T>,
        sample_weight: Option<&'a dyn Weights>,
        network: &Network,
    ) -> Result<Self> {
        let (x, range) = (x.into(), network.loss().range());
        let n = check_rows(names, &x)?;
        if values.nrows() != n {
            let expected = format!("({n}, d_out), one row per row of {}", names.x);
            return Err(Error::shape(names.y, values.shape(), expected));
        }
        check_sample_weight(sample_weight, n)?;
        for ((row, column), &found) in values.indexed_iter() {
            let found = found.into();
            if !range.contains(found) {
                let expected = range.requirement();
                return Err(Error::Target { name: names.y, row, column, found, expected });
            }
        }
        Self {
            names,
            x,
            targets: Targets::Values(values, range),
            sample_weight,
            class_weight: None,
            total_weight: 0.0,
            targets_are_vector: false,
        }
        .weighed()
    }

    /// The same, with targets that have one dimension where the caller sees them.
    #[must_use]
    pub fn with_vector_of_targets(self) -> Self {
        Self { targets_are_vector: true, ..self }
    }

    /// Whether the caller's targets have one dimension.
    pub(crate) fn targets_are_vector(&self) -> bool {
        self.targets_are_vector
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
        let d_out = layout.d_out();
        match self.targets {
            Targets::Classes(_, n) if network.has_classes() => {
                if n == d_out {
                    return Ok(());
                }
                Err(Error::value("n_classes", n, format!("{d_out}, the outputs of the network")))
            }
            Targets::Values(values, range) if !network.has_classes() && range == network.loss().range() => {
                match network.loss().n_targets(d_out) {
                    Some(n) if n != values.ncols() => {
                        let expected = network.loss().shape_of_targets(d_out);
                        Err(Error::shape(self.names.y, values.shape(), expected))
                    }
                    _ => Ok(()),
                }
            }
            Targets::Classes(..) => Err(Error::value(self.names.y, "classes", "numbers, one per output")),
            Targets::Values(..) => {
                Err(Error::value(self.names.y, "numbers", "those of the network's output and loss"))
            }
        }
    }

    /// Targets of a row that are numbers.
    pub(crate) fn n_targets(&self) -> usize {
        match self.targets {
            Targets::Classes(..) => 0,
            Targets::Values(values, _) => values.ncols(),
        }
    }

    /// Whether rows have weights, which may differ.
    pub(crate) fn is_weighted(&self) -> bool {
        self.sample_weight.is_some() || self.class_weight.is_some()
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
        self.weigh(rows, self.class_weight, |_, weight| sum += weight);
        sum
    }

    /// The classes of `rows`, which have classes.
    pub(crate) fn read_labels(&self, rows: Rows<'_>, labels: &mut [u32]) {
        if let Targets::Classes(all, n) = self.targets {
            all.read(rows, last(n), labels);
        }
    }

    /// The targets of `rows`, which have numbers: `width` of each, where a single one is repeated.
    pub(crate) fn read_values(&self, rows: Rows<'_>, width: usize, values: &mut [T]) {
        let Targets::Values(all, range) = self.targets else { return };
        // Checked once; its owner may have overwritten it.
        let held = |value: T| if range.contains(value.into()) { value } else { T::ONE };
        if let (1, 1, Some(all)) = (width, all.ncols(), all.as_slice()) {
            return rows.for_each(|i, row| values[i] = held(all[row]));
        }
        rows.for_each(|i, row| {
            let to = &mut values[i * width..(i + 1) * width];
            if all.ncols() == width {
                to.iter_mut().zip(all.row(row)).for_each(|(to, &from)| *to = held(from));
            } else {
                to.fill(held(all[[row, 0]]));
            }
        });
    }

    /// The weights of `rows` times `scale`.
    pub(crate) fn read_weights(&self, rows: Rows<'_>, scale: f64, weights: &mut [T]) {
        self.read_own_weights(rows, scale, self.class_weight, weights);
    }

    /// The weights of `rows` without those of their classes, times `scale`.
    pub(crate) fn read_sample_weights(&self, rows: Rows<'_>, scale: f64, weights: &mut [T]) {
        self.read_own_weights(rows, scale, None, weights);
    }

    fn read_own_weights(&self, rows: Rows<'_>, scale: f64, class_weight: Option<&[f64]>, weights: &mut [T]) {
        if self.sample_weight.is_none() && class_weight.is_none() {
            return weights.fill(T::from_f64(scale));
        }
        self.weigh(rows, class_weight, |i, weight| weights[i] = T::from_f64(scale * weight));
    }

    /// The weight of each class; none if all weigh 1.
    pub(crate) fn class_weight(&self) -> Option<&'a [f64]> {
        self.class_weight
    }

    /// Calls `f` with the position of each row and its weight.
    #[inline(always)]
    fn weigh(&self, rows: Rows<'_>, class_weight: Option<&[f64]>, mut f: impl FnMut(usize, f64)) {
        let (mut of_samples, mut labels) = ([1.0; WEIGHT_ROWS], [0; WEIGHT_ROWS]);
        for start in (0..rows.len()).step_by(WEIGHT_ROWS) {
            let block = rows.slice(start, rows.len().min(start + WEIGHT_ROWS));
            let of_samples = &mut of_samples[..block.len()];
            if let Some(sample_weight) = self.sample_weight {
                sample_weight.read(block, of_samples);
            }
            match class_weight {
                Some(of_classes) => {
                    let labels = &mut labels[..block.len()];
                    self.read_labels(block, labels);
                    let each = of_samples.iter().zip(labels).enumerate();
                    each.for_each(|(i, (of_sample, label))| {
                        f(start + i, of_sample * of_classes[*label as usize]);
                    });
                }
                None => of_samples.iter().enumerate().for_each(|(i, &of_sample)| f(start + i, of_sample)),
            }
        }
    }

    /// Fails if there are too few rows for a batch in training.
    pub(crate) fn check_batch(&self, network: &Network) -> Result<()> {
        let least = network.least_rows();
        if self.n_rows() >= least {
            return Ok(());
        }
        let expected = format!("at least {least} rows: {}", Network::WHY_SEVERAL_ROWS);
        Err(Error::shape(self.names.x, &self.x.shape(), expected))
    }

    /// [`Error::NotFinite`] with the first input that is NaN or infinite, if there is one.
    pub(crate) fn check_finite(&self) -> Result<()> {
        self.x.check_finite(self.names.x)
    }
}

/// The last of `n` classes. Labels are checked once, and their owner may overwrite them afterwards: a label that is
/// no longer a class counts as the last class.
#[allow(clippy::cast_possible_truncation, reason = "classes are fewer than 2^32")]
fn last(n: usize) -> u32 {
    (n - 1) as u32
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
            format!("({n_classes},), one weight per class"),
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
            format!("({n},), one weight per row of X"),
        ));
    }
    let mut block = [0.0; WEIGHT_ROWS];
    for start in (0..n).step_by(WEIGHT_ROWS) {
        let end = n.min(start + WEIGHT_ROWS);
        let block = &mut block[..end - start];
        weights.read(Rows::Range(start, end), block);
        if let Some(i) = block.iter().position(|&weight| !is_weight(weight)) {
            return Err(Error::SampleWeight { row: start + i, found: block[i] });
        }
    }
    Ok(())
}
