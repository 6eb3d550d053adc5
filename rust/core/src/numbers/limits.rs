//! What the series of elementary functions need to know of a floating-point format.

/// Bounds and lengths of series that depend on the floating point format.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by the public trait Scalar, hidden there")]
pub struct Limits {
    /// Arguments beyond which exp is 0 or infinite.
    pub(super) exp_range: (f64, f64),
    /// Degree of the Taylor polynomial of exp on `[-ln 2 / 2, ln 2 / 2]`.
    pub(super) exp_degree: usize,
    /// ln 2 in two parts; the first times a small whole number is exact.
    pub(super) ln_2: (f64, f64),
    /// Argument from which on tanh is 1.
    pub(super) tanh_one: f64,
    /// Terms of the series of the inverse hyperbolic tangent on `[0, 0.172]`.
    pub(super) ln_terms: usize,
    /// Steps of a reciprocal that leave the third power of the error, before one that leaves the second.
    pub(super) reciprocal_steps: usize,
    /// The least normal number, and the power of two that makes all lesser ones normal.
    pub(super) normal: (f64, i32),
}

impl Limits {
    /// The least number that `math::reciprocal_vector` divides by.
    pub(crate) fn least_divisor(&self) -> f64 {
        self.normal.0
    }

    /// A number that it can divide by, and some more besides.
    pub(crate) fn great_divisor(&self) -> f64 {
        0.25 / self.normal.0
    }

    pub(crate) const F32: Self = Self {
        exp_range: (-105.0, 90.0),
        exp_degree: 7,
        ln_2: (0.693_359_375, -2.121_944_400_546_905_8e-4),
        tanh_one: 10.0,
        ln_terms: 5,
        reciprocal_steps: 1,
        normal: (f32::MIN_POSITIVE as f64, 24),
    };
    pub(crate) const F64: Self = Self {
        exp_range: (-747.0, 710.0),
        exp_degree: 13,
        ln_2: (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10),
        tanh_one: 20.0,
        ln_terms: 11,
        reciprocal_steps: 2,
        normal: (f64::MIN_POSITIVE, 54),
    };
}
