//! The arguments of training, and the loop of `fit` between the core's epochs and Python's callback.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use fastmlp_core::{
    Dataset, EpochRecord, Error, Labels, Mlp, Names, Network, Result, Schedule, Trainer, Weights,
    check_columns,
};
use ndarray::ArrayView2;
use pyo3::prelude::*;

use crate::array::{LabelArray, Matrix, PyScalar, WeightArray, class_weight};
use crate::engine::watched;
use crate::error::{BindError, BindResult};
use crate::history::{Epoch, History};
use crate::optimizer::{Loan, Stateful};

/// Inputs, labels and weights as Python gave them.
pub(crate) struct DataArguments<'a, 'py> {
    pub(crate) x: &'a Bound<'py, PyAny>,
    pub(crate) y: &'a Bound<'py, PyAny>,
    pub(crate) sample_weight: Option<&'a Bound<'py, PyAny>>,
    pub(crate) class_weight: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> DataArguments<'_, 'py> {
    pub(crate) fn py(&self) -> Python<'py> {
        self.x.py()
    }

    /// The arrays, borrowed; `names` are those of X and y.
    pub(crate) fn arrays<T: PyScalar>(&self, names: Names) -> BindResult<DataArrays<'py, T>> {
        Ok(DataArrays {
            names,
            x: Matrix::extract(names.x, self.x)?,
            y: LabelArray::extract(names.y, self.y)?,
            sample_weight: self.sample_weight.map(WeightArray::extract).transpose()?,
            class_weight: self.class_weight.map(class_weight).transpose()?,
        })
    }
}

/// Inputs, labels and weights, borrowed where they lie.
pub(crate) struct DataArrays<'py, T: PyScalar> {
    names: Names,
    x: Matrix<'py, T>,
    y: LabelArray<'py>,
    sample_weight: Option<WeightArray<'py>>,
    class_weight: Option<Vec<f64>>,
}

impl<T: PyScalar> DataArrays<'_, T> {
    /// The addresses that X spans.
    pub(crate) fn span(&self) -> Range<usize> {
        self.x.span()
    }

    /// What can be read detached from the interpreter.
    pub(crate) fn views(&self) -> DataViews<'_, T> {
        DataViews {
            names: self.names,
            x: self.x.view(),
            labels: self.y.view(),
            sample_weight: self.sample_weight.as_ref().map(WeightArray::view),
            class_weight: self.class_weight.as_deref(),
        }
    }
}

/// Views of [`DataArrays`], which need no interpreter.
pub(crate) struct DataViews<'a, T: PyScalar> {
    names: Names,
    x: ArrayView2<'a, T>,
    labels: Box<dyn Labels + 'a>,
    sample_weight: Option<Box<dyn Weights + 'a>>,
    class_weight: Option<&'a [f64]>,
}

impl<T: PyScalar> DataViews<'_, T> {
    /// The data set for a network, checked.
    pub(crate) fn dataset(&self, network: &Network) -> Result<Dataset<'_, T>> {
        let layout = network.layout();
        check_columns(self.names.x, &self.x, layout)?;
        let sample_weight = self.sample_weight.as_deref();
        Dataset::new(self.names, self.x, &*self.labels, sample_weight, self.class_weight, layout.d_out())
    }
}

/// What `fit` is given besides the training set and the optimizer.
pub(crate) struct FitArguments<'a, 'py> {
    pub(crate) validation: Option<DataArguments<'a, 'py>>,
    pub(crate) epochs: usize,
    pub(crate) batch_size: Option<usize>,
    pub(crate) shuffle: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) n_threads: usize,
    pub(crate) callback: Option<&'a Bound<'py, PyAny>>,
}

/// A call of `fit` under way.
pub(crate) struct Training<'a, 'py, T: Stateful> {
    pub(crate) mlp: &'a RwLock<Mlp<T>>,
    pub(crate) loan: Loan<'a, T>,
    pub(crate) arguments: &'a FitArguments<'a, 'py>,
}

impl<T: Stateful> Training<'_, '_, T> {
    /// All epochs in one go where nobody listens; else one by one, and between them the network is at rest for the
    /// callback to use.
    pub(crate) fn run(
        mut self,
        py: Python<'_>,
        train: &DataArrays<'_, T>,
        validation: Option<&DataArrays<'_, T>>,
    ) -> BindResult<History> {
        let (train, validation) = (train.views(), validation.map(DataArrays::views));
        let FitArguments { batch_size, shuffle, seed, n_threads, epochs, .. } = *self.arguments;
        let mlp = self.mlp;
        let mut trainer = py.detach(|| {
            let mut mlp = mlp.write().unwrap_or_else(PoisonError::into_inner);
            let train = train.dataset(mlp.network())?;
            let validation = validation.as_ref().map(|views| views.dataset(mlp.network())).transpose()?;
            let seed = seed.unwrap_or_else(|| mlp.next_seed());
            let schedule = Schedule { batch_size, shuffle, seed, n_threads };
            Trainer::new(&mlp, train, validation, schedule)
        })?;
        let at_once = if self.arguments.callback.is_some() { 1 } else { epochs };
        let mut records = Vec::new();
        while records.len() < epochs {
            self.train(py, &mut trainer, at_once, &mut records)?;
            if let (Some(callback), Some(last)) = (self.arguments.callback, records.last())
                && callback.call1((Epoch::new(records.len(), epochs, last),))?.is_truthy()?
            {
                break;
            }
        }
        Ok(History::from_records(py, &records, validation.is_some()))
    }

    /// Some epochs, detached.
    fn train(
        &mut self,
        py: Python<'_>,
        trainer: &mut Trainer<'_, T>,
        epochs: usize,
        records: &mut Vec<EpochRecord>,
    ) -> BindResult<()> {
        let rule = self.loan.rule();
        let state = self.loan.state();
        let mlp = self.mlp;
        watched(py, |interrupt| {
            let mut mlp = mlp.write().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..epochs {
                let elements = records.len() + 1;
                records.try_reserve(1).map_err(|_| Error::OutOfMemory { what: "the history", elements })?;
                records.push(trainer.epoch(&mut mlp, &rule, state, interrupt)?);
            }
            Ok::<_, BindError>(())
        })
    }
}
