//! The source of the orders of rows: a seed, or the state of NumPy's legacy generator.

use fastmlp_core::LegacyRandom;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::{BindError, BindResult};
use crate::integer::seed as integer_seed;

/// The argument `seed` of a fit.
pub(crate) enum Shuffling<'py> {
    /// An integer, given or drawn, or none.
    Seed(Option<u64>),
    /// A `numpy.random.RandomState`, its current state, and what that holds of normal numbers, which
    /// no shuffle changes.
    Random { state: Bound<'py, PyAny>, random: Box<LegacyRandom>, normal: [Bound<'py, PyAny>; 2] },
}

impl<'py> Shuffling<'py> {
    pub(crate) fn extract(seed: Option<&Bound<'py, PyAny>>) -> BindResult<Self> {
        match seed.filter(|seed| seed.hasattr("get_state").unwrap_or(false)) {
            Some(state) => {
                let (random, normal) = read(state)?;
                Ok(Self::Random { state: state.clone(), random: Box::new(random), normal })
            }
            None => Ok(Self::Seed(integer_seed(seed)?)),
        }
    }

    /// The integer, if it is one.
    pub(crate) fn seed(&self) -> Option<u64> {
        match self {
            Self::Seed(seed) => *seed,
            Self::Random { .. } => None,
        }
    }

    /// The current random state, if there is one.
    pub(crate) fn random(&self) -> Option<&LegacyRandom> {
        match self {
            Self::Seed(_) => None,
            Self::Random { random, .. } => Some(random),
        }
    }

    /// Advances the random state, if there is one, to its state after the shuffles.
    pub(crate) fn advance(&self, random: Option<&LegacyRandom>) -> BindResult<()> {
        if let (Self::Random { state, normal: [has_normal, normal], .. }, Some(random)) = (self, random) {
            // NumPy reads a list in a tenth of the time that it takes for an array.
            let key = PyList::new(state.py(), random.key())?;
            let all = ("MT19937", key, random.position(), has_normal, normal);
            state.call_method1("set_state", (all,))?;
        }
        Ok(())
    }
}

/// The state of a `RandomState`: that of its integers, and that of its normal numbers.
fn read<'py>(state: &Bound<'py, PyAny>) -> BindResult<(LegacyRandom, [Bound<'py, PyAny>; 2])> {
    let wrong = || BindError::type_error("seed", state, "an integer, or a RandomState with MT19937");
    let all = state.call_method1("get_state", (true,)).map_err(|_| wrong())?;
    let item = |k: usize| all.get_item(k).map_err(|_| wrong());
    if !item(0)?.eq("MT19937")? {
        return Err(wrong());
    }
    let key: PyReadonlyArray1<'_, u32> = item(1)?.extract().map_err(|_| wrong())?;
    let key = key.as_slice().map_err(|_| wrong())?;
    let random = LegacyRandom::new(key, item(2)?.extract().map_err(|_| wrong())?)?;
    Ok((random, [item(3)?, item(4)?]))
}
