//! The source of the orders of rows: a seed, or the state of NumPy's legacy generator.

use fastmlp_core::LegacyRandom;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::error::{BindError, BindResult};
use crate::integer::seed as integer_seed;

/// The argument `seed` of a fit.
pub(crate) enum Shuffling<'py> {
    /// An integer, given or drawn, or none.
    Seed(Option<u64>),
    /// A `numpy.random.RandomState`, and its current state.
    Random(Bound<'py, PyAny>, Box<LegacyRandom>),
}

impl<'py> Shuffling<'py> {
    pub(crate) fn extract(seed: Option<&Bound<'py, PyAny>>) -> BindResult<Self> {
        match seed.filter(|seed| seed.hasattr("get_state").unwrap_or(false)) {
            Some(state) => Ok(Self::Random(state.clone(), Box::new(read(state)?))),
            None => Ok(Self::Seed(integer_seed(seed)?)),
        }
    }

    /// The integer, if it is one.
    pub(crate) fn seed(&self) -> Option<u64> {
        match self {
            Self::Seed(seed) => *seed,
            Self::Random(..) => None,
        }
    }

    /// The current random state, if there is one.
    pub(crate) fn random(&self) -> Option<&LegacyRandom> {
        match self {
            Self::Seed(_) => None,
            Self::Random(_, random) => Some(random),
        }
    }

    /// Advances the random state, if there is one, to its state after the shuffles.
    pub(crate) fn advance(&self, random: Option<&LegacyRandom>) -> BindResult<()> {
        if let (Self::Random(state, _), Some(random)) = (self, random) {
            let now = state.call_method1("get_state", (true,))?;
            let key = PyArray1::from_slice(state.py(), random.key());
            let rest = (now.get_item(3)?, now.get_item(4)?);
            state.call_method1("set_state", (("MT19937", key, random.position(), rest.0, rest.1),))?;
        }
        Ok(())
    }
}

/// The state of a `RandomState`.
fn read(state: &Bound<'_, PyAny>) -> BindResult<LegacyRandom> {
    let wrong = || BindError::type_error("seed", state, "an integer, or a RandomState with MT19937");
    let (name, key, position) = state
        .call_method1("get_state", (true,))
        .and_then(|state| Ok((state.get_item(0)?, state.get_item(1)?, state.get_item(2)?)))
        .map_err(|_| wrong())?;
    if !name.eq("MT19937")? {
        return Err(wrong());
    }
    let key: PyReadonlyArray1<'_, u32> = key.extract().map_err(|_| wrong())?;
    let key = key.as_slice().map_err(|_| wrong())?;
    Ok(LegacyRandom::new(key, position.extract().map_err(|_| wrong())?)?)
}
