//! Clipping: a gradient whose norm is too large is scaled down before the step.

use crate::error::Result;
use crate::kernels::Element;
use crate::run::Team;

use super::parts::{MAX_PARTS, part_len};

/// The factor of a gradient with this norm that makes the norm at most `most`: `min(1, most / (norm + 1e-6))`, as
/// `torch.nn.utils.clip_grad_norm_` does (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
/// networks", 2013, algorithm 1).
pub(crate) fn clip_factor(norm: f64, most: f64) -> f64 {
    (most / (norm + 1e-6)).min(1.0)
}

/// The Euclidean norm of a gradient whose largest magnitude, a finite one, is known; infinite if it is out of the range of
/// f64. Its bits do not depend on the number of threads.
pub(crate) fn norm<T: Element>(gradient: &[T], largest: f64, team: &mut Team) -> Result<f64> {
    // A power of two, so that its product with the gradient is exact, and is at most about 1: no square overflows, and
    // squares that underflow are negligible beside the largest one.
    let inverse = 1.0 / largest.max(T::LIMITS.least_divisor());
    let unit = power_of_two_near(inverse.max(f64::MIN_POSITIVE));
    let len = part_len(gradient.len());
    let mut squares = [0.0; MAX_PARTS];
    team.share(squares.iter_mut().zip(gradient.chunks(len)), |_, (squares, part)| {
        *squares = T::squares(part, unit);
        Ok(())
    })?;
    Ok(squares.iter().sum::<f64>().sqrt() / unit)
}

/// The largest power of two that is not above a positive normal number.
fn power_of_two_near(number: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    f64::from_bits(number.to_bits() & EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::super::parts::MIN_PART;
    use super::*;

    fn check<T: Element>(len: usize, size: f64, tolerance: f64) {
        let gradient: Vec<T> = (0..len).map(|i| T::from_f64(size * (0.7 * i as f64).cos())).collect();
        let plain = |x: &T| -> f64 { (*x).into() };
        let largest = gradient.iter().map(plain).fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let relative = |x: &T| (plain(x) / largest).powi(2);
        let expected = gradient.iter().map(relative).sum::<f64>().sqrt() * largest;
        let alone = norm(&gradient, largest, &mut Team::new(1)).unwrap();
        assert!((alone / expected - 1.0).abs() < tolerance, "{len} {size}: {alone} is not {expected}");
        for n_threads in [2, 3] {
            assert_eq!(norm(&gradient, largest, &mut Team::new(n_threads)).unwrap(), alone);
        }
    }

    #[test]
    fn the_norm_of_numbers_of_every_size_on_every_number_of_threads() {
        for len in [1, 15, 16, 17, 1023, 1025, MIN_PART + 1, MAX_PARTS * MIN_PART + 7] {
            for size in [1e-30, 1e-3, 1.0, 7.0, 1e30] {
                check::<f32>(len, size, 1e-6);
                check::<f64>(len, size, 1e-14);
            }
        }
        for size in [1e-300, 1e300] {
            check::<f64>(1000, size, 1e-14);
        }
    }

    #[test]
    fn the_norm_of_zeros_and_one_that_is_out_of_range() {
        let team = &mut Team::new(1);
        assert_eq!(norm(&[0.0_f32; 40], 0.0, team).unwrap(), 0.0);
        assert_eq!(norm(&[f64::MAX; 40], f64::MAX, team).unwrap(), f64::INFINITY);
        assert!(
            (norm(&[f32::MAX; 4], f32::MAX.into(), team).unwrap() / 2.0 - f64::from(f32::MAX)).abs() < 1e30
        );
    }

    #[test]
    fn a_short_gradient_stays_as_it_is() {
        assert_eq!(clip_factor(0.0, 1.0), 1.0);
        assert_eq!(clip_factor(0.999, 1.0), 1.0);
        assert!((clip_factor(4.0, 1.0) - 0.25).abs() < 1e-6);
    }
}
