//! Constants of a floating-point format for the series of elementary functions.

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
    /// Terms of the series of the sine on a quarter of a turn to either side.
    pub(super) sine_terms: usize,
    /// Argument from which on `z exp(-z)` is 0.
    pub(super) decayed: f64,
    /// The polynomial for gelu.
    pub(super) gelu: &'static [f64],
    /// Argument below the negative of which gelu and its slope are 0.
    pub(super) gelu_zero: f64,
    /// Steps of a reciprocal that cube the error, before one that squares it.
    pub(super) reciprocal_steps: usize,
    /// The smallest normal number, and the power of two that makes all smaller ones normal.
    pub(super) normal: (f64, i32),
}

impl Limits {
    /// The smallest divisor of `math::reciprocal_vector`.
    pub(crate) fn least_divisor(&self) -> f64 {
        self.normal.0
    }

    /// A number that it can divide by, with some margin.
    pub(crate) fn great_divisor(&self) -> f64 {
        0.25 / self.normal.0
    }

    pub(crate) const F32: Self = Self {
        exp_range: (-105.0, 90.0),
        exp_degree: 7,
        ln_2: (0.693_359_375, -2.121_944_400_546_905_8e-4),
        tanh_one: 10.0,
        ln_terms: 5,
        sine_terms: 7,
        decayed: 110.0,
        gelu: &GELU_F32,
        gelu_zero: 14.6,
        reciprocal_steps: 1,
        normal: (f32::MIN_POSITIVE as f64, 24),
    };
    pub(crate) const F64: Self = Self {
        exp_range: (-747.0, 710.0),
        exp_degree: 13,
        ln_2: (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10),
        tanh_one: 20.0,
        ln_terms: 11,
        sine_terms: 12,
        decayed: 753.0,
        gelu: &GELU_F64,
        gelu_zero: 38.7,
        reciprocal_steps: 2,
        normal: (f64::MIN_POSITIVE, 54),
    };
}

/// The polynomial for gelu (see `math::gelu`): the one that interpolates in 96 of Chebyshev's points, cut where what is
/// left counts for less than a tenth of a unit in the last place; from the constant term on.
const GELU_F32: [f64; 12] = [
    8.116_786_51e-1,
    6.802_358_01e-1,
    4.390_222_17e-1,
    2.082_290_72e-1,
    6.326_191_09e-2,
    5.452_457_73e-3,
    -4.434_785_42e-3,
    -1.469_651_2e-3,
    3.013_615_15e-4,
    2.054_434_02e-4,
    -2.246_220_04e-5,
    -2.126_589_01e-5,
];
/// The same for `f64`.
const GELU_F64: [f64; 24] = [
    8.116_786_517_779_438e-1,
    6.802_358_041_004_127e-1,
    4.390_221_651_412_763_4e-1,
    2.082_289_613_684_087e-1,
    6.326_265_637_799_236e-2,
    5.453_538_256_365_466e-3,
    -4.438_753_887_875_562e-3,
    -1.474_205_356_239_112e-3,
    3.111_609_973_996_778_7e-4,
    2.149_156_280_101_460_4e-4,
    -3.434_547_488_997_521_4e-5,
    -3.107_215_258_953_279_6e-5,
    6.743_263_030_786_235e-6,
    4.443_676_412_047_799e-6,
    -1.667_166_849_684_186_2e-6,
    -5.271_791_974_750_292e-7,
    3.988_852_662_927_821_5e-7,
    1.728_246_847_774_927e-8,
    -8.146_868_604_040_726e-8,
    1.538_878_895_023_157e-8,
    1.242_680_974_726_646_8e-8,
    -5.175_239_834_153_388e-9,
    -1.046_182_649_063_466e-9,
    6.844_383_696_724_675e-10,
];
