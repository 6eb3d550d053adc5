//! Outputs of hidden layers, and derivatives with respect to inputs.

use pyo3::prelude::*;

use super::cell::NetworkCell;
use super::interface::Inside;
use crate::error::BindResult;
use crate::inputs::InputArray;
use crate::matrix::Matrix;
use crate::optimizer::Stateful;
use crate::out::zeros;

impl<T: Stateful> Inside for NetworkCell<T> {
    fn transform<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        layer: usize,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>> {
        let input = InputArray::<T>::attached("X", x, |n| self.is_brief(n))?;
        let rows = input.view("X")?;
        rows.check_columns("X", self.layout())?;
        let n = rows.nrows();
        let mut out = zeros::<T, 2>(x.py(), [n, self.layout().layers()[layer].d_out])?;
        let to = out.slice_mut();
        self.infer(x.py(), n, |mlp, interrupt| mlp.transform(rows, layer, to, n_threads, interrupt))?;
        Ok(out.into_any())
    }

    fn input_gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        of_predictions: bool,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>> {
        let (d_in, d_out) = (self.layout().d_in(), self.layout().d_out());
        // Rows go forward once, and back once per output.
        let n_passes = |n: usize| n.saturating_mul(d_out + 1);
        let input = InputArray::<T>::attached("X", x, |n| self.is_brief(n_passes(n)))?;
        let rows = input.view("X")?;
        rows.check_columns("X", self.layout())?;
        let n = rows.nrows();
        let mut out = zeros::<T, 3>(x.py(), [n, d_out, d_in])?;
        let to = out.slice_mut();
        self.infer(x.py(), n_passes(n), |mlp, interrupt| {
            mlp.input_gradients(rows, of_predictions, to, n_threads, interrupt)
        })?;
        Ok(out.into_any())
    }

    fn input_vjp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>> {
        let (input, d_output) =
            (InputArray::<T>::borrowed("X", x)?, Matrix::<T>::extract("d_output", d_output)?);
        let (rows, d_logits) = (input.view("X")?, d_output.view());
        rows.check_columns("X", self.layout())?;
        let n = rows.nrows();
        let mut d_x = zeros::<T, 2>(x.py(), [n, self.layout().d_in()])?;
        let to = d_x.slice_mut();
        self.infer(x.py(), n.saturating_mul(2), |mlp, interrupt| {
            mlp.input_vjp(rows, d_logits, to, n_threads, interrupt)
        })?;
        Ok(d_x.into_any())
    }
}
