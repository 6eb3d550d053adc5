//! Inputs, targets and weights of a call: its arguments, borrowed, and as a data set of the core.

use std::ops::Range;

use fastmlp_core::{Dataset, Error, Inputs, Names, Network, Result, Weights};
use pyo3::prelude::*;

use crate::array::PyScalar;
use crate::columns::{WeightArray, class_weight};
use crate::error::BindResult;
use crate::inputs::InputArray;
use crate::targets::{TargetArray, TargetViews};

/// Inputs, labels and weights as Python gave them.
pub(crate) struct DataArguments<'a, 'py> {
    pub(crate) x: &'a Bound<'py, PyAny>,
    pub(crate) y: &'a Bound<'py, PyAny>,
    pub(crate) sample_weight: Option<&'a Bound<'py, PyAny>>,
    pub(crate) class_weight: Option<&'a Bound<'py, PyAny>>,
}

impl<'a, 'py> DataArguments<'a, 'py> {
    /// The validation set, if there is one: both or none of its arrays are given.
    pub(crate) fn validation(
        x_val: Option<&'a Bound<'py, PyAny>>,
        y_val: Option<&'a Bound<'py, PyAny>>,
        class_weight: Option<&'a Bound<'py, PyAny>>,
    ) -> BindResult<Option<Self>> {
        match (x_val, y_val) {
            (Some(x), Some(y)) => Ok(Some(Self { x, y, sample_weight: None, class_weight })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::value("y_val", "None", "the labels of X_val").into()),
            (None, Some(_)) => Err(Error::value("X_val", "None", "the inputs of y_val").into()),
        }
    }

    pub(crate) fn py(&self) -> Python<'py> {
        self.x.py()
    }

    /// The arrays, borrowed; `names` are those of X and y.
    pub(crate) fn arrays<T: PyScalar>(
        &self,
        names: Names,
        network: &Network,
    ) -> BindResult<DataArrays<'_, 'py, T>> {
        if !network.has_classes() && self.class_weight.is_some() {
            return Err(Error::value("class_weight", "given", "None for a network without classes").into());
        }
        Ok(DataArrays {
            names,
            x: InputArray::borrowed(names.x, self.x)?,
            y: TargetArray::extract(names.y, self.y, network)?,
            sample_weight: self.sample_weight.map(WeightArray::extract).transpose()?,
            class_weight: self.class_weight.map(class_weight).transpose()?,
        })
    }
}

/// Inputs, labels and weights, borrowed in place.
pub(crate) struct DataArrays<'a, 'py, T: PyScalar> {
    names: Names,
    x: InputArray<'a, 'py, T>,
    y: TargetArray<'py, T>,
    sample_weight: Option<WeightArray<'py>>,
    class_weight: Option<Vec<f64>>,
}

impl<T: PyScalar> DataArrays<'_, '_, T> {
    /// The names of the arrays, and their ranges of addresses.
    pub(crate) fn spans(&self) -> Vec<(&'static str, Range<usize>)> {
        let weights = self.sample_weight.as_ref().map(|weights| ("sample_weight", weights.span()));
        let x = self.x.spans().into_iter().map(|span| (self.names.x, span));
        x.chain([(self.names.y, self.y.span())]).chain(weights).collect()
    }

    /// Views that can be read detached from the interpreter.
    pub(crate) fn views(&self) -> BindResult<DataViews<'_, T>> {
        Ok(DataViews {
            names: self.names,
            x: self.x.view(self.names.x)?,
            targets: self.y.view(),
            sample_weight: self.sample_weight.as_ref().map(WeightArray::view),
            class_weight: self.class_weight.as_deref(),
        })
    }
}

/// Views of [`DataArrays`], which need no interpreter.
pub(crate) struct DataViews<'a, T: PyScalar> {
    names: Names,
    x: Inputs<'a, T>,
    targets: TargetViews<'a, T>,
    sample_weight: Option<Box<dyn Weights + 'a>>,
    class_weight: Option<&'a [f64]>,
}

impl<T: PyScalar> DataViews<'_, T> {
    /// Number of rows of X.
    pub(crate) fn n_rows(&self) -> usize {
        self.x.nrows()
    }

    /// The data set for a network, checked.
    pub(crate) fn dataset(&self, network: &Network) -> Result<Dataset<'_, T>> {
        let (layout, names) = (network.layout(), self.names);
        let x = self.x.view();
        x.check_columns(names.x, layout)?;
        let sample_weight = self.sample_weight.as_deref();
        match &self.targets {
            TargetViews::Classes(labels) => {
                Dataset::new(names, x, &**labels, sample_weight, self.class_weight, layout.d_out())
            }
            TargetViews::Values(values, is_vector) => {
                let data = Dataset::with_values(names, x, values.view(), sample_weight, network)?;
                Ok(if *is_vector { data.with_vector_of_targets() } else { data })
            }
        }
    }
}
