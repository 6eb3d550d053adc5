//! The functions in 200 bits.

use dashu_float::FBig;
use dashu_float::ops::SquareRoot;

pub(super) type Wide = FBig;

pub(super) fn wide(x: f64) -> Wide {
    Wide::try_from(x).expect("finite").with_precision(200).value()
}

pub(super) fn exp(x: f64) -> Wide {
    wide(x).exp()
}

pub(super) fn sigmoid(x: f64) -> Wide {
    wide(1.0) / (wide(1.0) + exp(-x))
}

pub(super) fn tanh(x: f64) -> Wide {
    if x.abs() < 1e-12 {
        let x = wide(x);
        return &x - &x * &x * &x / wide(3.0);
    }
    let square = exp(2.0 * x);
    (&square - wide(1.0)) / (square + wide(1.0))
}

pub(super) fn ln(x: f64) -> Wide {
    if x == 1.0 { wide(0.0) } else { wide(x).ln() }
}

pub(super) fn elu(z: f64) -> Wide {
    if z > 0.0 {
        wide(z)
    } else if z > -1e-12 {
        let z = wide(z);
        &z + &z * &z / wide(2.0) + &z * &z * &z / wide(6.0)
    } else {
        exp(z) - wide(1.0)
    }
}

pub(super) fn elu_slope(z: f64) -> Wide {
    if z > 0.0 { wide(1.0) } else { exp(z) }
}

/// 1.0507009873554804934193349852946 and its product with 1.6732632423543772848170429916717.
fn selu_scales() -> (Wide, Wide) {
    let scale = wide(1.050_700_987_355_480_5) + wide(3.987_484_766_715_414_5e-17);
    let alpha = wide(1.673_263_242_354_377_2) + wide(1.065_722_254_771_753_1e-16);
    let product = &scale * alpha;
    (scale, product)
}

pub(super) fn selu(z: f64) -> Wide {
    let (above, below) = selu_scales();
    if z > 0.0 { above * elu(z) } else { below * elu(z) }
}

pub(super) fn selu_slope(z: f64) -> Wide {
    let (above, below) = selu_scales();
    if z > 0.0 { above } else { below * exp(z) }
}

pub(super) fn softplus(z: f64) -> Wide {
    let t = exp(-z.abs());
    let ln = if z.abs() > 60.0 { &t - &t * &t / wide(2.0) } else { (wide(1.0) + t).ln() };
    wide(z.max(0.0)) + ln
}

pub(super) fn silu(z: f64) -> Wide {
    wide(z) * sigmoid(z)
}

pub(super) fn silu_slope(z: f64) -> Wide {
    sigmoid(z) * (wide(1.0) + wide(z) * sigmoid(-z))
}

/// `tanh(ln(1 + exp(z)))`, and 1 minus it.
fn tanh_of_softplus(z: f64) -> (Wide, Wide) {
    let two = wide(2.0);
    let t = exp(z);
    let n = &t * (&t + &two);
    let d = &n + &two;
    (n / &d, two / d)
}

pub(super) fn mish(z: f64) -> Wide {
    wide(z) * tanh_of_softplus(z).0
}

pub(super) fn mish_slope(z: f64) -> Wide {
    let (tanh, rest) = tanh_of_softplus(z);
    &tanh + wide(z) * rest * (wide(1.0) + &tanh) * sigmoid(z)
}

/// The density of the normal distribution.
fn density(z: f64) -> Wide {
    let square = wide(z) * wide(z);
    let two_pi = wide(2.0) * (wide(std::f64::consts::PI) + wide(1.224_646_799_147_353_2e-16));
    (square / wide(-2.0)).exp() / two_pi.sqrt()
}

/// The distribution function of the normal distribution.
fn distribution(z: f64) -> Wide {
    let (x, density) = (wide(z.abs()), density(z));
    let beyond = if z.abs() < 4.0 {
        // 1/2 - density (x + x³ / 3 + x⁵ / (3 5) + …)
        let (mut term, mut sum, mut k) = (x.clone(), x.clone(), 1.0);
        let square = &x * &x;
        while term.to_f64().value() > 1e-40 * sum.to_f64().value() {
            k += 2.0;
            term = term * &square / wide(k);
            sum += &term;
        }
        wide(0.5) - density * sum
    } else {
        // Laplace's continued fraction: density / (x + 1 / (x + 2 / (x + …))).
        let mut fraction = x.clone();
        for k in (1..100).rev() {
            fraction = &x + wide(f64::from(k)) / fraction;
        }
        density / fraction
    };
    if z > 0.0 { wide(1.0) - beyond } else { beyond }
}

pub(super) fn gelu(z: f64) -> Wide {
    wide(z) * distribution(z)
}

pub(super) fn gelu_slope(z: f64) -> Wide {
    distribution(z) + wide(z) * density(z)
}
