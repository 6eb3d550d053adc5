//! Predictions of outputs that stand apart from one another: see [`Output`] for the formulas.

use crate::kernels::output::Output;
use crate::numbers::Scalar;
use crate::numbers::math::{exp_vector, sigmoid_vector};
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// What makes a prediction of a sum.
trait Link {
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V;
}

struct Sigmoid;
struct Exp;

impl Link for Sigmoid {
    #[inline(always)]
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V {
        sigmoid_vector::<T, V>(z)
    }
}

impl Link for Exp {
    #[inline(always)]
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V {
        exp_vector::<T, V>(z)
    }
}

/// Sums become predictions, in place.
///
/// # Panics
/// For [`Output::Softmax`].
pub(crate) fn predict_by_output<T: Scalar>(output: Output, z: &mut [T]) {
    match output {
        Output::Softmax => unreachable!("its outputs belong together"),
        Output::Identity => {}
        Output::Sigmoid => predictions(z, &Sigmoid),
        Output::Exp => predictions(z, &Exp),
    }
}

simd_fn! {
    fn predictions<T as V; L: Link>(z: &mut [T], link: &L) {
        for z in z.chunks_mut(T::LANES) {
            link.predict::<T, V>(V::load_front(z)).store_front(z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, with_isa};

    #[test]
    fn matches_the_formulas() {
        let plain = |output: Output, z: f64| match output {
            Output::Softmax => unreachable!(),
            Output::Identity => z,
            Output::Sigmoid => 1.0 / (1.0 + (-z).exp()),
            Output::Exp => z.exp(),
        };
        for isa in Isa::available() {
            for output in [Output::Sigmoid, Output::Identity, Output::Exp] {
                for n in [0, 1, 7, 8, 9, 40] {
                    let z: Vec<f64> = (0..n).map(|i| 3.0 * (f64::from(i) * 1.7).sin()).collect();
                    let mut p = z.clone();
                    with_isa(isa, || predict_by_output(output, &mut p));
                    for (p, z) in p.iter().zip(z) {
                        assert!((p - plain(output, z)).abs() < 1e-13, "{output:?} {z}");
                    }
                }
            }
        }
    }
}
