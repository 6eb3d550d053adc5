//! Directions of L-BFGS: what the last steps, and the changes of the gradient along them, say of the curvature. Byrd,
//! Nocedal and Schnabel, "Representations of quasi-Newton matrices and their use in limited memory methods",
//! Mathematical Programming 63 (1994), theorem 2.2.

use crate::error::Result;
use crate::kernels::Element;
use crate::memory::Buffer;
use crate::run::Team;

use super::parts::{MAX_PARTS, part_len, total};

/// Pairs of a step and a change of the gradient that are kept.
const PAIRS: usize = 10;

/// A step, and how the gradient changed along it.
#[derive(Debug)]
struct Pair<T: Element> {
    step: Buffer<T>,
    change: Buffer<T>,
}

/// A number for each pair.
type Numbers = [f64; PAIRS];

/// The last pairs, the oldest first, and their inner products.
#[derive(Debug)]
pub(crate) struct Curvature<T: Element> {
    pairs: Vec<Pair<T>>,
    /// Pairs that are known.
    len: usize,
    /// Step i by change j in row i, for `i <= j`.
    steps_by_changes: [Numbers; PAIRS],
    /// Change i by change j in row i, for `i <= j`.
    changes_by_changes: [Numbers; PAIRS],
    /// Steps and changes by the last gradient.
    by_gradient: [Numbers; 2],
    /// For each part of the vectors and each pair, the products of step and change with the last change and gradient.
    of_parts: Vec<[[[f64; 2]; 2]; PAIRS]>,
}

/// A step that was made.
pub(crate) struct Made<'a, T> {
    /// Its direction, of which it is `length` times.
    pub(crate) direction: &'a [T],
    pub(crate) length: f64,
    /// The gradients before and after it.
    pub(crate) gradients: [&'a [T]; 2],
    /// Their inner products with the direction.
    pub(crate) slopes: [f64; 2],
}

impl<T: Element> Curvature<T> {
    /// Nothing is known of a function of so many numbers.
    pub(crate) fn new(n: usize) -> Result<Self> {
        let zeros = || Buffer::zeros("the steps that L-BFGS keeps", n);
        let pair = |_| Ok(Pair { step: zeros()?, change: zeros()? });
        Ok(Self {
            pairs: (0..PAIRS).map(pair).collect::<Result<_>>()?,
            len: 0,
            steps_by_changes: [[0.0; PAIRS]; PAIRS],
            changes_by_changes: [[0.0; PAIRS]; PAIRS],
            by_gradient: [[0.0; PAIRS]; 2],
            of_parts: vec![[[[0.0; 2]; 2]; PAIRS]; n.div_ceil(part_len(n))],
        })
    }

    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Learns from a step, if the function bends upwards along it, as it does around a minimum. The oldest pair makes
    /// room for a new one.
    pub(crate) fn learn(&mut self, made: &Made<'_, T>, team: &mut Team) -> Result<()> {
        let [before, after] = made.gradients;
        if made.slopes[1] - made.slopes[0] > f64::EPSILON * -made.slopes[0] {
            let Pair { step, change } = self.next_pair();
            let len = part_len(before.len());
            let to = step.chunks_mut(len).zip(change.chunks_mut(len));
            let from = made.direction.chunks(len).zip(before.chunks(len).zip(after.chunks(len)));
            team.share(to.zip(from), |_, ((step, change), (direction, (before, after)))| {
                T::scale(step, direction, made.length);
                T::move_along(change, after, before, -1.0);
                Ok(())
            })?;
        }
        self.measure(after, team)
    }

    /// The pair to write to; the last one, from now on.
    fn next_pair(&mut self) -> &mut Pair<T> {
        if self.len == PAIRS {
            self.pairs.rotate_left(1);
            for products in [&mut self.steps_by_changes, &mut self.changes_by_changes] {
                products.rotate_left(1);
                for row in products {
                    row.rotate_left(1);
                }
            }
            self.len -= 1;
        }
        self.len += 1;
        &mut self.pairs[self.len - 1]
    }

    /// Computes the inner products of all pairs with the last change and with the gradient.
    fn measure(&mut self, gradient: &[T], team: &mut Team) -> Result<()> {
        let Some(last) = self.len.checked_sub(1) else { return Ok(()) };
        let (pairs, len) = (&self.pairs[..self.len], part_len(gradient.len()));
        let change = &pairs[last].change;
        let parts = gradient.chunks(len).zip(change.chunks(len)).zip(&mut self.of_parts);
        team.share(parts.enumerate(), |_, (i, ((gradient, change), products))| {
            let of_part = |vector: &Buffer<T>| {
                T::two_dots(&vector[i * len..i * len + gradient.len()], change, gradient)
            };
            for (pair, products) in pairs.iter().zip(products) {
                *products = [of_part(&pair.step), of_part(&pair.change)];
            }
            Ok(())
        })?;
        for i in 0..=last {
            let sum = |what: usize, by: usize| self.of_parts.iter().map(|part| part[i][what][by]).sum();
            (self.steps_by_changes[i][last], self.changes_by_changes[i][last]) = (sum(0, 0), sum(1, 0));
            (self.by_gradient[0][i], self.by_gradient[1][i]) = (sum(0, 1), sum(1, 1));
        }
        Ok(())
    }

    /// Writes the direction to the minimum of a quadratic function that has this gradient, the last one, and bends as the
    /// steps say: minus the gradient, if nothing is known. Returns its inner products with the gradient and with itself.
    pub(crate) fn direction(&self, gradient: &[T], direction: &mut [T], team: &mut Team) -> Result<[f64; 2]> {
        let (scale, factors) = self.factors();
        let (pairs, len) = (&self.pairs[..self.len], part_len(gradient.len()));
        let mut products = [[0.0; 2]; MAX_PARTS];
        let parts = gradient.chunks(len).zip(direction.chunks_mut(len)).zip(&mut products);
        team.share(parts.enumerate(), |_, (i, ((gradient, direction), products))| {
            let range = i * len..i * len + gradient.len();
            T::scale(direction, gradient, -scale);
            for (pair, factors) in pairs.iter().zip(factors) {
                T::add_two(direction, &pair.step[range.clone()], &pair.change[range.clone()], factors);
            }
            *products = T::two_dots(direction, gradient, direction);
            Ok(())
        })?;
        Ok(total(&products))
    }

    /// The direction is minus the first factor times the gradient, plus each step and each change times its factors.
    ///
    /// With the steps as columns of S, the changes as those of Y, the upper triangle R of `S^T Y` and its diagonal D, the
    /// approximate inverse of the second derivatives is
    /// `scale + S R^-T (D + scale Y^T Y) R^-1 S^T - scale (Y R^-1 S^T + S R^-T Y^T)`.
    fn factors(&self) -> (f64, [[f64; 2]; PAIRS]) {
        let mut factors = [[0.0; 2]; PAIRS];
        let n = self.len;
        if n == 0 {
            return (1.0, factors);
        }
        let (r, yy, [by_steps, by_changes]) =
            (&self.steps_by_changes, &self.changes_by_changes, &self.by_gradient);
        let scale = r[n - 1][n - 1] / yy[n - 1][n - 1];
        // R^-1 S^T g
        let mut w = [0.0; PAIRS];
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| r[i][j] * w[j]).sum();
            w[i] = (by_steps[i] - known) / r[i][i];
        }
        // R^-T ((D + scale Y^T Y) w - scale Y^T g)
        let mut u = [0.0; PAIRS];
        for i in 0..n {
            let bent: f64 = (0..n).map(|j| yy[i.min(j)][i.max(j)] * w[j]).sum();
            let known: f64 = (0..i).map(|j| r[j][i] * u[j]).sum();
            u[i] = (r[i][i] * w[i] + scale * (bent - by_changes[i]) - known) / r[i][i];
        }
        for i in 0..n {
            factors[i] = [-u[i], scale * w[i]];
        }
        (scale, factors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse of the second derivatives as BFGS updates it, in full: Nocedal and Wright, "Numerical Optimization",
    /// 2006, equation 6.17.
    fn updated(inverse: &[Vec<f64>], step: &[f64], change: &[f64]) -> Vec<Vec<f64>> {
        let n = step.len();
        let rho = 1.0 / dot(step, change);
        let left = |i: usize, j: usize| f64::from(u8::from(i == j)) - rho * step[i] * change[j];
        let entry = |i: usize, j: usize| {
            let inner = |k: usize| (0..n).map(|l| inverse[k][l] * left(j, l)).sum::<f64>();
            (0..n).map(|k| left(i, k) * inner(k)).sum::<f64>() + rho * step[i] * step[j]
        };
        (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn vector(n: usize, seed: usize) -> Vec<f64> {
        (0..n).map(|i| (1.7 * (i * i) as f64 + 2.9 * (seed * seed) as f64 + seed as f64).sin()).collect()
    }

    /// The gradient of a quadratic function with curvatures 1, 2, 3, ...
    fn gradient(at: &[f64]) -> Vec<f64> {
        at.iter().zip(1..).map(|(x, bend)| x * f64::from(bend)).collect()
    }

    #[test]
    fn the_direction_is_that_of_the_matrix_in_full() {
        const N: usize = 13;
        let team = &mut Team::new(1);
        let mut curvature = Curvature::<f64>::new(N).unwrap();
        let mut at = vector(N, 0);
        let mut pairs: Vec<(Vec<f64>, Vec<f64>)> = vec![];
        for made in 1..25 {
            let before = gradient(&at);
            let mut direction = vector(N, made);
            // It falls.
            let sign = -dot(&before, &direction).signum();
            for d in &mut direction {
                *d *= sign;
            }
            let length = 0.1 * made as f64;
            at.iter_mut().zip(&direction).for_each(|(x, d)| *x += length * d);
            let after = gradient(&at);
            let slopes = [dot(&before, &direction), dot(&after, &direction)];
            let gradients = [&before[..], &after[..]];
            curvature.learn(&Made { direction: &direction, length, gradients, slopes }, team).unwrap();
            let change = after.iter().zip(&before).map(|(after, before)| after - before).collect();
            pairs.push((direction.iter().map(|d| length * d).collect(), change));
            let kept = &pairs[pairs.len().saturating_sub(PAIRS)..];
            let (step, change) = &pairs[pairs.len() - 1];
            let scale = dot(step, change) / dot(change, change);
            let start = |i, j| if i == j { scale } else { 0.0 };
            let start: Vec<Vec<f64>> = (0..N).map(|i| (0..N).map(|j| start(i, j)).collect()).collect();
            let inverse = kept.iter().fold(start, |inverse, (step, change)| updated(&inverse, step, change));
            let expected: Vec<f64> = inverse.iter().map(|row| -dot(row, &after)).collect();
            let mut direction = vec![0.0; N];
            let products = curvature.direction(&after, &mut direction, team).unwrap();
            for (found, expected) in direction.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-9, "{made}: {direction:?} is not {expected}");
            }
            assert!((products[0] - dot(&direction, &after)).abs() < 1e-12);
            assert!((products[1] - dot(&direction, &direction)).abs() < 1e-12);
        }
    }

    #[test]
    fn steps_along_which_the_function_does_not_bend_upwards_teach_nothing() {
        let team = &mut Team::new(1);
        let mut curvature = Curvature::<f32>::new(2).unwrap();
        let direction = [1.0, 0.0];
        for (slope, bends) in [(-3.0, false), (-2.0, false), (-1.0, true)] {
            let gradients = [&[-2.0, 0.0][..], &[slope, 0.0]];
            let slopes = [-2.0, slope.into()];
            curvature.learn(&Made { direction: &direction, length: 0.5, gradients, slopes }, team).unwrap();
            assert_eq!(curvature.is_empty(), !bends, "{slope}");
        }
        curvature.clear();
        let mut direction = [0.0; 2];
        assert_eq!(curvature.direction(&[3.0, 4.0], &mut direction, team).unwrap(), [-25.0, 25.0]);
        assert_eq!(direction, [-3.0, -4.0]);
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        const N: usize = 100_000;
        let of_threads = [1, 2, 3].map(|n_threads| {
            let team = &mut Team::new(n_threads);
            let mut curvature = Curvature::<f64>::new(N).unwrap();
            let mut direction = vector(N, 1);
            let mut before = vector(N, 0);
            for _ in 0..4 {
                let after: Vec<f64> = before.iter().zip(&direction).map(|(g, d)| g + 0.3 * d).collect();
                let slopes = [dot(&before, &direction), dot(&after, &direction)];
                let gradients = [&before[..], &after[..]];
                let made = Made { direction: &direction, length: 0.5, gradients, slopes };
                curvature.learn(&made, team).unwrap();
                curvature.direction(&after, &mut direction, team).unwrap();
                before = after;
            }
            direction
        });
        assert!(of_threads[0] == of_threads[1] && of_threads[0] == of_threads[2]);
    }
}
