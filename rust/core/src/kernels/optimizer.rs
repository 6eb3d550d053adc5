//! Update rules of optimizers: one pass over parameters, gradient and state, all of one length.
//!
//! Moments and velocities below the normal range are 0. Step counts start at 1. Constants are `f64` and are combined before they are rounded to `T`.

use crate::numbers::Scalar;
use crate::numbers::math::{normal_or_zero, reciprocal_vector};
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// The numbers of a step with momentum.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by the public trait Kernels, hidden there")]
pub struct MomentumStep {
    /// The factors of a gradient before it is added to the velocity, and of the velocity before it is subtracted.
    pub(crate) rates: (f64, f64),
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
}

/// The numbers of a step of Adam.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by the public trait Kernels, hidden there")]
pub struct AdamStep {
    /// Number of the step, from 1.
    pub(crate) step: u64,
    pub(crate) rate: f64,
    pub(crate) beta_1: f64,
    pub(crate) beta_2: f64,
    pub(crate) epsilon: f64,
    pub(crate) epsilon_hat: bool,
    pub(crate) weight_decay: f64,
}

/// `p = p - rate g`: stochastic gradient descent.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn sgd<T: Scalar>(p: &mut [T], g: &[T], rate: f64) {
    assert_eq!(p.len(), g.len(), "parameters and gradient");
    sgd_loop(p, g, rate);
}

/// `v = momentum v + a g; p = p - b v`, or with Nesterov's lookahead `p = p - b (a g + momentum v)`, with the
/// [rates](MomentumStep::rates) a and b.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn momentum<T: Scalar>(p: &mut [T], v: &mut [T], g: &[T], with: &MomentumStep) {
    assert!(p.len() == g.len() && v.len() == g.len(), "parameters, velocity and gradient");
    momentum_loop(p, v, g, with);
}

/// Step number `step` of Adam: with `m = beta_1 m + (1 - beta_1) g` and `v = beta_2 v + (1 - beta_2) g²`,
/// `p = p - (rate decay p + rate / (1 - beta_1^t) m / (sqrt(v) / sqrt(1 - beta_2^t) + epsilon))`.
///
/// With `epsilon_hat`, epsilon is added to `sqrt(v)` before the division. The divisor is at least the smallest normal
/// number, and epsilon at most a sixteenth of the largest. `rate decay` is used as it is: subtracted from 1, it would
/// lose most of its digits in single precision. The powers of beta are taken in double precision, where they stay
/// exact enough for millions of steps.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn adam<T: Scalar>(p: &mut [T], m: &mut [T], v: &mut [T], g: &[T], with: &AdamStep) {
    assert!(
        p.len() == g.len() && m.len() == g.len() && v.len() == g.len(),
        "parameters, moments and gradient"
    );
    adam_loop(p, m, v, g, with);
}

/// `1 - beta^step`, the sum of the weights in a mean.
///
/// Computing a power takes as long as Adam's step on fifty parameters. It is at most `exp(-step (1 - beta))`; if that
/// is less than 2^-54, the difference to 1 is below rounding.
fn correction(beta: f64, step: u64) -> f64 {
    let steps = step as f64;
    if steps * (1.0 - beta) > 40.0 { 1.0 } else { 1.0 - beta.powf(steps) }
}

simd_fn! {
    fn sgd_loop<T as V>(p: &mut [T], g: &[T], rate: f64) {
        let rate = V::constant(-rate);
        let (mut p, mut g) = (p.chunks_exact_mut(T::LANES), g.chunks_exact(T::LANES));
        for (p, g) in p.by_ref().zip(g.by_ref()) {
            rate.mul_add(V::load(g), V::load(p)).store(p);
        }
        let (p, g) = (p.into_remainder(), g.remainder());
        rate.mul_add(V::load_part(g), V::load_part(p)).store_part(p);
    }
}

simd_fn! {
    fn momentum_loop<T as V>(
        p: &mut [T],
        v: &mut [T],
        g: &[T],
        with: &MomentumStep,
    ) {
        let (into_velocity, out_of_velocity) = with.rates;
        let (into_velocity, rate) = (V::constant(into_velocity), V::constant(-out_of_velocity));
        let (momentum, nesterov) = (V::constant(with.momentum), with.nesterov);
        let chunks = p.chunks_mut(T::LANES).zip(v.chunks_mut(T::LANES)).zip(g.chunks(T::LANES));
        for ((p, v), g) in chunks {
            let gradient = into_velocity * V::load_front(g);
            let velocity = normal_or_zero::<T, V>(momentum.mul_add(V::load_front(v), gradient));
            velocity.store_front(v);
            let direction = if nesterov { momentum.mul_add(velocity, gradient) } else { velocity };
            rate.mul_add(direction, V::load_front(p)).store_front(p);
        }
    }
}

simd_fn! {
    fn adam_loop<T as V>(p: &mut [T], m: &mut [T], v: &mut [T], g: &[T], with: &AdamStep) {
        let factors = AdamFactors::<V>::of::<T>(with);
        let (mut p, mut g) = (p.chunks_exact_mut(T::LANES), g.chunks_exact(T::LANES));
        let (mut m, mut v) = (m.chunks_exact_mut(T::LANES), v.chunks_exact_mut(T::LANES));
        for (((p, m), v), g) in p.by_ref().zip(m.by_ref()).zip(v.by_ref()).zip(g.by_ref()) {
            let (mean, square, parameters) =
                factors.step::<T>(V::load(p), (V::load(m), V::load(v)), V::load(g));
            mean.store(m);
            square.store(v);
            parameters.store(p);
        }
        let (p, m, v, g) = (p.into_remainder(), m.into_remainder(), v.into_remainder(), g.remainder());
        let (mean, square, parameters) =
            factors.step::<T>(V::load_part(p), (V::load_part(m), V::load_part(v)), V::load_part(g));
        mean.store_part(m);
        square.store_part(v);
        parameters.store_part(p);
    }
}

/// The factors of a step of Adam, in all lanes.
struct AdamFactors<V> {
    beta_1: V,
    beta_2: V,
    rest_1: V,
    rest_2: V,
    root: V,
    epsilon: V,
    rate: V,
    decay: V,
}

impl<V> AdamFactors<V> {
    #[inline(always)]
    fn of<T: Scalar>(with: &AdamStep) -> Self
    where
        V: Simd<T>,
    {
        let root = 1.0 / correction(with.beta_2, with.step).sqrt();
        let epsilon = if with.epsilon_hat { with.epsilon * root } else { with.epsilon };
        Self {
            beta_1: V::constant(with.beta_1),
            beta_2: V::constant(with.beta_2),
            rest_1: V::constant(1.0 - with.beta_1),
            rest_2: V::constant(1.0 - with.beta_2),
            root: V::constant(root),
            epsilon: V::constant(epsilon.min(T::LIMITS.great_divisor())),
            rate: V::constant(with.rate / correction(with.beta_1, with.step)),
            decay: V::constant(with.rate * with.weight_decay),
        }
    }

    /// The moments and the parameters after a step.
    #[inline(always)]
    fn step<T: Scalar>(&self, parameters: V, (mean, square): (V, V), gradient: V) -> (V, V, V)
    where
        V: Simd<T>,
    {
        let mean = normal_or_zero::<T, V>(self.beta_1.mul_add(mean, self.rest_1 * gradient));
        let square = self.beta_2.mul_add(square, self.rest_2 * gradient * gradient);
        let square = normal_or_zero::<T, V>(square);
        let divisor = square.sqrt().mul_add(self.root, self.epsilon);
        let change = self.rate * mean * reciprocal_vector::<T, V>(divisor);
        (mean, square, parameters - self.decay.mul_add(parameters, change))
    }
}

#[cfg(test)]
mod tests {
    use super::{AdamStep, MomentumStep, adam, correction, momentum, sgd};
    use crate::numbers::simd::{Isa, with_isa};

    fn gradient(step: u64, count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i as f64 + 1.0) * step as f64 * 0.7).sin()).collect()
    }

    fn close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        for (x, y) in got.iter().zip(want) {
            assert!((x - y).abs() <= 1e-14, "{x} is not {y}");
        }
    }

    fn on_shapes(check: impl Fn(usize)) {
        for isa in Isa::available() {
            with_isa(isa, || [0, 1, 7, 8, 9, 40].into_iter().for_each(&check));
        }
    }

    #[test]
    fn sgd_and_momentum_follow_their_formulas() {
        on_shapes(|n| {
            for (mu, nesterov, scaled) in [
                (0.0, false, false),
                (0.9, false, false),
                (0.9, true, false),
                (0.9, false, true),
                (0.9, true, true),
            ] {
                let (mut p, mut v) = (vec![1.0; n], vec![0.0; n]);
                let (mut want_p, mut want_v) = (p.clone(), v.clone());
                for step in 1..5 {
                    let (g, rate) = (gradient(step, n), 0.1 / step as f64);
                    if mu == 0.0 {
                        sgd(&mut p, &g, rate);
                    } else {
                        let rates = if scaled { (rate, 1.0) } else { (1.0, rate) };
                        let with = MomentumStep { rates, momentum: mu, nesterov };
                        momentum(&mut p, &mut v, &g, &with);
                    }
                    let (a, b) = if scaled { (rate, 1.0) } else { (1.0, rate) };
                    for i in 0..n {
                        want_v[i] = mu * want_v[i] + a * g[i];
                        want_p[i] -= b * if nesterov { mu * want_v[i] + a * g[i] } else { want_v[i] };
                    }
                }
                close(&p, &want_p);
            }
        });
    }

    #[test]
    fn adam_follows_its_formula() {
        for (weight_decay, epsilon, epsilon_hat) in
            [(0.0, 1e-8, false), (0.25, 1e-8, false), (0.0, 0.1, false), (0.25, 0.1, true)]
        {
            adam_follows_its_formula_with(weight_decay, epsilon, epsilon_hat);
        }
    }

    fn adam_follows_its_formula_with(weight_decay: f64, epsilon: f64, epsilon_hat: bool) {
        on_shapes(|n| {
            let (beta_1, beta_2) = (0.9, 0.999);
            let first = AdamStep { step: 1, rate: 0.01, beta_1, beta_2, epsilon, epsilon_hat, weight_decay };
            let (mut p, mut m, mut v) = (vec![1.0; n], vec![0.0; n], vec![0.0; n]);
            let (mut want, mut want_m, mut want_v) = (p.clone(), m.clone(), v.clone());
            for step in 1..6 {
                let g = gradient(step, n);
                adam(&mut p, &mut m, &mut v, &g, &AdamStep { step, ..first });
                for i in 0..n {
                    want_m[i] = 0.9 * want_m[i] + 0.1 * g[i];
                    want_v[i] = 0.999 * want_v[i] + 0.001 * g[i] * g[i];
                    let mean = want_m[i] / (1.0 - 0.9_f64.powf(step as f64));
                    let seen = 1.0 - 0.999_f64.powf(step as f64);
                    want[i] -= 0.01 * weight_decay * want[i];
                    want[i] -= 0.01
                        * if epsilon_hat {
                            mean * seen.sqrt() / (want_v[i].sqrt() + epsilon)
                        } else {
                            mean / ((want_v[i] / seen).sqrt() + epsilon)
                        };
                }
            }
            close(&p, &want);
            close(&m, &want_m);
            close(&v, &want_v);
        });
    }

    #[test]
    fn what_decays_becomes_zero_and_not_subnormal() {
        for isa in Isa::available() {
            with_isa(isa, || {
                let (mut p, mut m, mut v) = ([1.0_f32; 3], [1e-3; 3], [1e-6; 3]);
                let (beta_1, beta_2, epsilon) = (0.5, 0.5, 1e-8);
                let with = MomentumStep { rates: (1.0, 0.1), momentum: 0.5, nesterov: false };
                let (mut q, mut velocity) = ([1.0_f32; 3], [1e-3; 3]);
                for step in 1..200 {
                    let step = AdamStep {
                        step,
                        rate: 1e-3,
                        beta_1,
                        beta_2,
                        epsilon,
                        epsilon_hat: false,
                        weight_decay: 0.0,
                    };
                    adam(&mut p, &mut m, &mut v, &[0.0; 3], &step);
                    momentum(&mut q, &mut velocity, &[0.0; 3], &with);
                    let all = m.iter().chain(&v).chain(&velocity);
                    assert!(all.into_iter().all(|x| *x == 0.0 || x.is_normal()), "{isa:?} {step:?}");
                }
                assert_eq!((m, v, velocity), ([0.0; 3], [0.0; 3], [0.0; 3]));
            });
        }
    }

    #[test]
    fn a_correction_is_1_as_soon_as_it_may_be() {
        for beta in [0.0_f64, 0.5, 0.9, 0.999, 1.0 - 1e-9] {
            for step in [1, 2, 30, 79, 80, 81, 399, 400, 401, 39_999, 40_001, 10_u64.pow(12), u64::MAX] {
                assert_eq!(correction(beta, step), 1.0 - beta.powf(step as f64), "{beta} {step}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "parameters and gradient")]
    fn lengths_that_differ() {
        sgd(&mut [0.0; 2], &[0.0; 3], 0.1);
    }
}
