//! The operations of a network: arrays are borrowed, and the core is called detached from the interpreter.

use std::sync::PoisonError;

use fastmlp_core::{Inputs, Names, Numbers, Objective, State};
use ndarray::ArrayViewMut2;
use pyo3::prelude::*;

use super::cell::NetworkCell;
use super::interface::Engine;
use crate::array::{check_apart, view_of};
use crate::data::DataArguments;
use crate::detached::watched;
use crate::dropout::SeededDropout;
use crate::error::BindResult;
use crate::history::History;
use crate::inputs::InputArray;
use crate::matrix::{Matrix, Vector};
use crate::minimization::{MinimizeArguments, minimize};
use crate::minimum::Minimum;
use crate::optimizer::{Optimizer, Stateful};
use crate::out::{Out, zeros};
use crate::tensor::copied;
use crate::training::{FitArguments, Training};

impl<T: Stateful> Engine for NetworkCell<T> {
    fn dtype(&self) -> &'static str {
        T::DTYPE
    }

    fn parameters<'py>(&self, owner: Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        let (start, len) = (self.parameters_ptr(), self.layout().n_parameters());
        // SAFETY: the parameters never move, and the owner keeps this engine, and with it the parameters, alive.
        unsafe { view_of::<T>(owner, start, len) }.into_any()
    }

    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        predicts: bool,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>> {
        let py = x.py();
        // Inspecting `out` may run Python code.
        let input = InputArray::<T>::attached("X", x, |n| out.is_none() && self.is_brief(n))?;
        let rows = input.view("X")?;
        rows.check_columns("X", self.layout())?;
        let shape = [rows.nrows(), self.layout().d_out()];
        let write = |to: ArrayViewMut2<'_, T>| {
            self.infer(py, shape[0], |mlp, interrupt| {
                if predicts {
                    mlp.predict_proba(rows, to, n_threads, interrupt)
                } else {
                    mlp.forward(rows, to, n_threads, interrupt)
                }
            })
        };
        let Some(out) = out else {
            let mut result = zeros::<T, 2>(py, shape)?;
            write(result.view_mut())?;
            return Ok(result.into_any());
        };
        let (of_x, of_parameters) = (input.spans(), self.parameters_span());
        let parameters = (&of_parameters, "the network's parameters");
        let inputs: Vec<_> = of_x.iter().map(|span| (span, "X")).chain([parameters]).collect();
        write(Out::<T>::extract(out, shape, &inputs)?.view_mut())?;
        Ok(out.clone())
    }

    fn predict<'py>(&self, x: &Bound<'py, PyAny>, n_threads: usize) -> BindResult<Bound<'py, PyAny>> {
        let py = x.py();
        if !self.network.output().is_probability() {
            return self.forward(x, None, true, n_threads);
        }
        let input = InputArray::<T>::attached("X", x, |n| self.is_brief(n))?;
        let rows = input.view("X")?;
        rows.check_columns("X", self.layout())?;
        let n = rows.nrows();
        let predict =
            |to: &mut [i64]| self.infer(py, n, |mlp, interrupt| mlp.predict(rows, to, n_threads, interrupt));
        if self.network.has_classes() {
            let mut classes = zeros::<i64, 1>(py, [n])?;
            predict(classes.slice_mut())?;
            return Ok(classes.into_any());
        }
        let mut likely = zeros::<i64, 2>(py, [n, self.layout().d_out()])?;
        predict(likely.slice_mut())?;
        Ok(likely.into_any())
    }

    fn loss(&self, data: &DataArguments<'_, '_>, n_threads: usize) -> BindResult<f64> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        let views = arrays.views()?;
        let _evaluation = self.evaluation();
        self.infer(data.py(), views.n_rows(), |mlp, interrupt| {
            let dataset = views.dataset(mlp.network())?;
            mlp.loss(&dataset, n_threads, interrupt)
        })
    }

    fn evaluate(&self, data: &DataArguments<'_, '_>, n_threads: usize) -> BindResult<(f64, f64)> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        let views = arrays.views()?;
        self.infer(data.py(), views.n_rows(), |mlp, interrupt| {
            let dataset = views.dataset(mlp.network())?;
            mlp.evaluate(&dataset, n_threads, interrupt)
        })
    }

    fn loss_and_grad<'py>(
        &self,
        data: &DataArguments<'_, 'py>,
        objective: Objective,
        dropout: &SeededDropout,
        n_threads: usize,
    ) -> BindResult<(f64, Bound<'py, PyAny>)> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        let views = arrays.views()?;
        let mut gradient = zeros::<T, 1>(data.py(), [self.layout().n_parameters()])?;
        let to = gradient.slice_mut();
        let _evaluation = self.evaluation();
        let loss = self.read(data.py(), |mlp, interrupt| {
            let dataset = views.dataset(mlp.network())?;
            mlp.loss_and_grad(&dataset, objective, to, dropout.masks(|| 0), n_threads, interrupt)
        })?;
        Ok((loss, gradient.into_any()))
    }

    fn backward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = x.py();
        let (x, d_output) = (Matrix::<T>::extract("X", x)?, Matrix::<T>::extract("d_output", d_output)?);
        let (rows, d_logits) = (x.view(), d_output.view());
        Inputs::from(rows).check_columns("X", self.layout())?;
        let mut gradient = zeros::<T, 1>(py, [self.layout().n_parameters()])?;
        let mut d_x = zeros::<T, 2>(py, [rows.nrows(), rows.ncols()])?;
        let (to, d_to) = (gradient.slice_mut(), d_x.slice_mut());
        self.read(py, |mlp, interrupt| mlp.backward(rows, d_logits, to, d_to, interrupt))?;
        Ok((gradient.into_any(), d_x.into_any()))
    }

    fn step(
        &self,
        data: &DataArguments<'_, '_>,
        objective: Objective,
        optimizer: &Optimizer,
        dropout: &SeededDropout,
    ) -> BindResult<f64> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        self.check_inputs_apart(&arrays)?;
        let views = arrays.views()?;
        let _claim = self.claim()?;
        let reservation = optimizer.reserve()?;
        let mut loan = reservation.lend::<T>(self.layout().n_parameters())?;
        let (rule, options) = (loan.rule(), reservation.options());
        let state: &mut State<T> = loan.state();
        watched(data.py(), |interrupt| {
            let mut mlp = self.mlp.write().unwrap_or_else(PoisonError::into_inner);
            let dataset = views.dataset(mlp.network())?;
            let masks = dropout.masks(|| mlp.next_seed());
            Ok(mlp.step(&dataset, objective, (&rule, &options, state), masks, interrupt)?)
        })
    }

    fn descend(&self, gradient: &Bound<'_, PyAny>, optimizer: &Optimizer) -> BindResult<()> {
        let vector = Vector::<T>::extract("gradient", gradient, self.layout().n_parameters())?;
        let parameters = self.parameters_span();
        check_apart("gradient", &vector.span(), &parameters, "the network's parameters")?;
        let _claim = self.claim()?;
        let reservation = optimizer.reserve()?;
        let mut loan = reservation.lend::<T>(self.layout().n_parameters())?;
        let (rule, options) = (loan.rule(), reservation.options());
        let (values, state) = (vector.view()?, loan.state());
        Ok(gradient.py().detach(|| {
            let mut mlp = self.mlp.write().unwrap_or_else(PoisonError::into_inner);
            mlp.descend(values, (&rule, &options, state))
        })?)
    }

    fn fit(
        &self,
        data: &DataArguments<'_, '_>,
        optimizer: &Optimizer,
        arguments: &FitArguments<'_, '_>,
    ) -> BindResult<Py<History>> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        self.check_inputs_apart(&arrays)?;
        let validation = arguments.validation.as_ref();
        let validation =
            validation.map(|data| data.arrays::<T>(Names::VALIDATION, &self.network)).transpose()?;
        if let Some(validation) = &validation {
            self.check_inputs_apart(validation)?;
        }
        let _claim = self.claim()?;
        let n_parameters = self.layout().n_parameters();
        let optimizer = optimizer.reserve()?;
        // An optimizer whose state does not fit is refused before the data is read.
        drop(optimizer.lend::<T>(n_parameters)?);
        let has_accuracy = self.network.output().is_probability();
        Training { mlp: &self.mlp, optimizer, n_parameters, has_accuracy, arguments }.run(
            data.py(),
            &arrays,
            validation.as_ref(),
        )
    }

    fn minimize(
        &self,
        data: &DataArguments<'_, '_>,
        arguments: &MinimizeArguments<'_, '_>,
    ) -> BindResult<Minimum> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        self.check_inputs_apart(&arrays)?;
        let _claim = self.claim()?;
        let has_accuracy = self.network.output().is_probability();
        minimize(data.py(), &self.mlp, &arrays, has_accuracy, arguments)
    }

    fn snapshot(&self) -> BindResult<(Numbers, u64)> {
        let mlp = self.mlp()?;
        Ok((T::numbers(copied(mlp.parameters().iter())?), mlp.seeds()))
    }
}
