//! Labels and weights that calls read in place, whatever their types.

use std::ops::Range;

use fastmlp_core::{Labels, Weights};
use ndarray::Ix1;
use numpy::{PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::array::{as_array, borrow, check_dimensions, dtype_error, span, untyped};
use crate::ending::is_instance;
use crate::error::{BindError, BindResult};

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident, $trait:ident, $($variant:ident($type:ty)),+) => {
        $(#[$doc])*
        pub(crate) enum $name<'py> {
            $($variant(PyReadonlyArray<'py, $type, Ix1>)),+
        }

        impl<'py> $name<'py> {
            /// The array of one of these types in one dimension.
            fn from_array(name: &'static str, array: &Bound<'py, PyUntypedArray>) -> BindResult<Option<Self>> {
                $(if array.dtype().is_equiv_to(&numpy::dtype::<$type>(array.py())) {
                    return Ok(Some(Self::$variant(borrow(name, array, String::new)?)));
                })+
                Ok(None)
            }

            /// The range of its addresses.
            pub(crate) fn span(&self) -> Range<usize> {
                match self {
                    $(Self::$variant(array) => span(array.as_untyped())),+
                }
            }

            /// The numbers, read in place.
            pub(crate) fn view(&self) -> Box<dyn $trait + '_> {
                match self {
                    $(Self::$variant(array) => Box::new(array.as_array())),+
                }
            }
        }
    };
}

columns! {
    /// Labels of any integer type.
    LabelArray, Labels,
    I8(i8), I16(i16), I32(i32), I64(i64), U8(u8), U16(u16), U32(u32), U64(u64)
}

columns! {
    /// Weights of either floating-point type.
    WeightArray, Weights,
    F32(f32), F64(f64)
}

impl<'py> LabelArray<'py> {
    /// The array `name`, if it holds integers in one dimension.
    pub(crate) fn extract(name: &'static str, object: &Bound<'py, PyAny>) -> BindResult<Self> {
        let array = &untyped(name, object, || as_array(name, "int64"))?;
        check_dimensions(name, array, 1, "one dimension, (n,)")?;
        let cast = format!("{name}.astype(numpy.int64)");
        Self::from_array(name, array)?.ok_or_else(|| dtype_error(name, array, "an integer type", &cast))
    }
}

impl<'py> WeightArray<'py> {
    /// The array `sample_weight`, if it holds floating-point numbers in one dimension.
    pub(crate) fn extract(object: &Bound<'py, PyAny>) -> BindResult<Self> {
        let name = "sample_weight";
        let array = &untyped(name, object, || as_array(name, "float64"))?;
        check_dimensions(name, array, 1, "one dimension, (n,)")?;
        let cast = format!("{name}.astype(numpy.float64)");
        Self::from_array(name, array)?.ok_or_else(|| dtype_error(name, array, "float32 or float64", &cast))
    }
}

/// `class_weight`: one number per class.
pub(crate) fn class_weight(object: &Bound<'_, PyAny>) -> BindResult<Vec<f64>> {
    let wrong = || BindError::type_error("class_weight", object, "a sequence of numbers, one per class");
    if is_instance(object, &object.py().get_type::<PyMapping>())? {
        return Err(wrong());
    }
    let numbers = object.try_iter().map_err(|_| wrong())?;
    numbers.map(|number| number.and_then(|number| number.extract()).map_err(|_| wrong())).collect()
}
