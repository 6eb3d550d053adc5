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
    pub(super) gelu: (f64, &'static [f64]),
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
        gelu: (GELU_F32.0, &GELU_F32.1),
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
        gelu: (GELU_F64.0, &GELU_F64.1),
        gelu_zero: 38.7,
        reciprocal_steps: 2,
        normal: (f64::MIN_POSITIVE, 54),
    };
}

/// `(c, p)` with `c + v p(v - 1)` for gelu (see `math::gelu`): the polynomial that interpolates in 64 of Chebyshev's points,
/// cut where what is left counts for a sixth of a unit in the last place of `f32`; p from the constant term on.
const GELU_F32: (f64, [f64; 11]) = (
    4.236_117_433_248_031e-1,
    [
        3.090_108_41e-1,
        1.136_817_78e-1,
        1.492_150_28e-3,
        -1.235_473_87e-2,
        -3.474_468_74e-5,
        1.852_291_43e-3,
        -3.116_520_28e-4,
        -2.610_281_52e-4,
        1.177_595_34e-4,
        1.911_645_3e-5,
        -1.764_592_12e-5,
    ],
);
/// The same for `f64`, where a fiftieth is left.
const GELU_F64: (f64, [f64; 27]) = (
    4.236_117_455_028_056_7e-1,
    [
        3.090_108_417_002_437e-1,
        1.136_817_814_991_947_9e-1,
        1.491_919_072_613_488_8e-3,
        -1.235_463_118_426_713_6e-2,
        -3.208_954_962_936_633e-5,
        1.850_562_514_006_042_4e-3,
        -3.224_176_673_220_163_6e-4,
        -2.530_811_280_665_754_6e-4,
        1.362_275_643_974_494_8e-4,
        4.235_361_260_210_908_5e-6,
        -3.044_515_426_376_099e-5,
        1.199_442_791_166_868_3e-5,
        1.456_969_549_067_992_8e-6,
        -3.552_063_718_430_656e-6,
        1.490_861_545_188_892e-6,
        7.388_138_853_794_618e-8,
        -4.224_887_647_754_653e-7,
        2.328_369_606_861_969_8e-7,
        -3.434_887_676_020_495e-8,
        -4.343_802_006_902_757_5e-8,
        4.343_339_407_748_045_5e-8,
        -1.542_164_611_511_893_8e-8,
        -6.576_421_180_021_916e-9,
        8.264_057_729_081_815e-9,
        -1.348_537_766_155_549e-9,
        -1.186_053_086_922_998_3e-9,
        4.176_615_866_652_837_4e-10,
    ],
);
