//! Losses of classes beside the plain cross-entropy, with the gradient: row by row, the columns of a row in lanes.
//!
//! With `p = softmax(z)` and `L[k] = ln(1 / p[k])`, for a row of class `y`:
//!
//! ```text
//! smoothed   l = sum_k t[k] L[k]          d[j] = p[j] sum_k t[k] - t[j]
//! focal      l = (1 - p[y])^g L[y]        d[j] = f (p[j] - [j = y]),  f = (1 - p[y])^g (1 + g p[y] L[y] / (1 - p[y]))
//! ```
//!
//! where `t[k] = c[k] s / K`, and for the class of the row `c[y] (1 - s)` more, with the weights `c` of the `K` classes.

use crate::kernels::argmax::first_greatest;
use crate::kernels::tally::Tally;
use crate::kernels::vector::all_below;
use crate::numbers::Scalar;
use crate::numbers::math::{ample_or_zero, exp_vector, ln_1p_vector, ln_vector};
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// A loss of classes other than the cross-entropy, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ClassLoss<'a, T> {
    /// The cross-entropy of targets of which this share is spread over all classes, each by its weight; no weights are
    /// weights of 1.
    Smoothed(f64, &'a [T]),
    /// The focal loss with this exponent.
    Focal(f64),
}

/// Turns logits `(n, classes)` into the gradient of the weighted losses with respect to them, and returns the losses,
/// summed over rows in `f64`.
///
/// # Panics
/// If the shapes do not fit together or a label is not below `classes`.
pub(crate) fn class_losses<T: Scalar>(
    loss: ClassLoss<'_, T>,
    logits: &mut [T],
    classes: usize,
    labels: &[u32],
    weights: &[T],
) -> Tally {
    assert_eq!(logits.len(), labels.len() * classes, "logits and labels");
    assert_eq!(labels.len(), weights.len(), "labels and weights");
    assert!(all_below(labels, classes), "labels are below {classes}");
    match loss {
        ClassLoss::Smoothed(share, class_weights) => {
            assert!(class_weights.is_empty() || class_weights.len() == classes, "a weight per class");
            smoothed(logits, classes, labels, weights, share, class_weights)
        }
        ClassLoss::Focal(gamma) => focal(logits, classes, labels, weights, gamma),
    }
}

/// What both losses need of a row, whose logits became `exp(z - max(z))`.
struct RowSums<T> {
    /// `exp(z[y] - max(z))`, and the sum of the others' exponentials.
    of_label: T,
    of_others: T,
    /// `max(z) - z[y]`
    gap: T,
    /// Whether the label has the first greatest logit.
    is_right: bool,
}

impl<T: Scalar> RowSums<T> {
    #[inline(always)]
    fn of<V: Simd<T>>(row: &mut [T], label: usize) -> Self {
        let (greatest, first) = first_greatest(row);
        let gap = greatest - row[label];
        for chunk in row.chunks_mut(T::LANES) {
            exp_vector::<T, V>(V::load_front(chunk) - V::splat(greatest)).store_front(chunk);
        }
        let of_label = row[label];
        row[label] = T::ZERO;
        let mut sum = V::zero();
        for chunk in row.chunks(T::LANES) {
            sum = sum + V::load_front(chunk);
        }
        row[label] = of_label;
        Self { of_label, of_others: sum.sum(), gap, is_right: first == label }
    }

    fn total(&self) -> T {
        self.of_label + self.of_others
    }

    /// `ln(1 / p[y])`, exact in relative terms where `p[y]` is nearly 1.
    #[inline(always)]
    fn log_loss<V: Simd<T>>(&self) -> T {
        let near = ln_1p_vector::<T, V>(V::splat(self.of_others));
        let far = ln_vector::<T, V>(V::splat(self.total())) + V::splat(self.gap);
        lane(V::select(V::splat(self.gap).eq(V::zero()), near, far))
    }
}

/// The number that stands in all lanes.
#[inline(always)]
fn lane<T: Scalar, V: Simd<T>>(x: V) -> T {
    let mut lanes = [T::ZERO; 16];
    x.store(&mut lanes);
    lanes[0]
}

simd_fn! {
    fn smoothed<T as V>(
        logits: &mut [T],
        classes: usize,
        labels: &[u32],
        weights: &[T],
        share: f64,
        class_weights: &[T],
    ) -> Tally {
        let mut tally = Tally::default();
        let spread = T::from_f64(share / classes as f64);
        let of_class = |class: usize| class_weights.get(class).copied().unwrap_or(T::ONE);
        let mut all = T::ZERO;
        (0..classes).for_each(|class| all += spread * of_class(class));
        for ((row, &label), &weight) in logits.chunks_exact_mut(classes).zip(labels).zip(weights) {
            let label = label as usize;
            let (greatest, _) = first_greatest(row);
            // Σ t[k] (max(z) - z[k]) of the share that is spread.
            let mut below = T::ZERO;
            for (class, &z) in row.iter().enumerate() {
                below += spread * of_class(class) * (greatest - z);
            }
            let sums = RowSums::of::<V>(row, label);
            let own = T::from_f64(1.0 - share) * of_class(label);
            let ln_total = lane(ln_vector::<T, V>(V::splat(sums.total())));
            let loss = own * sums.log_loss::<V>() + (below + all * ln_total);
            let scale = weight * (own + all) / sums.total();
            let spread_of = |class: usize| weight * spread * of_class(class);
            for (class, e) in row.iter_mut().enumerate() {
                *e = *e * scale - spread_of(class);
            }
            row[label] -= weight * own;
            for chunk in row.chunks_mut(T::LANES) {
                ample_or_zero::<T, V>(V::load_front(chunk)).store_front(chunk);
            }
            tally.loss += (weight * loss).into();
            tally.correct += usize::from(sums.is_right);
        }
        tally
    }
}

simd_fn! {
    fn focal<T as V>(
        logits: &mut [T],
        classes: usize,
        labels: &[u32],
        weights: &[T],
        gamma: f64,
    ) -> Tally {
        let mut tally = Tally::default();
        let exponent = T::from_f64(gamma);
        for ((row, &label), &weight) in logits.chunks_exact_mut(classes).zip(labels).zip(weights) {
            let label = label as usize;
            let sums = RowSums::of::<V>(row, label);
            let (p, wrong) = (sums.of_label / sums.total(), sums.of_others / sums.total());
            let log_loss = sums.log_loss::<V>();
            let power = lane(exp_vector::<T, V>(V::splat(exponent) * ln_vector::<T, V>(V::splat(wrong))));
            // 0 to the power of 0 is 1; and ln(1 / p) / (1 - p) goes to 1 where p does.
            let is_certain = wrong == T::ZERO;
            let modulation = match (is_certain, gamma == 0.0) {
                (false, _) => power,
                (true, true) => T::ONE,
                (true, false) => T::ZERO,
            };
            let ratio = if is_certain { T::ONE } else { log_loss / wrong };
            let factor = weight * modulation * (T::ONE + exponent * p * ratio);
            let scale = V::splat(factor / sums.total());
            for chunk in row.chunks_mut(T::LANES) {
                ample_or_zero::<T, V>(V::load_front(chunk) * scale).store_front(chunk);
            }
            row[label] = -(factor * wrong);
            tally.loss += (weight * modulation * log_loss).into();
            tally.correct += usize::from(sums.is_right);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cross_entropy::softmax_cross_entropy;
    use crate::kernels::tally::Bounds;
    use crate::numbers::simd::{Isa, with_isa};

    const CLASSES: [usize; 8] = [1, 2, 3, 8, 9, 16, 17, 1000];

    fn softmax(row: &[f64]) -> Vec<f64> {
        let sum: f64 = row.iter().map(|z| z.exp()).sum();
        row.iter().map(|z| z.exp() / sum).collect()
    }

    /// Loss and derivative of a row, as the formulas say.
    fn plain(loss: ClassLoss<'_, f64>, row: &[f64], label: usize) -> (f64, Vec<f64>) {
        let (p, k) = (softmax(row), row.len() as f64);
        match loss {
            ClassLoss::Smoothed(share, weights) => {
                let of_class = |j: usize| weights.get(j).copied().unwrap_or(1.0);
                let own = |j: usize| if j == label { of_class(j) * (1.0 - share) } else { 0.0 };
                let t: Vec<f64> = (0..row.len()).map(|j| of_class(j) * share / k + own(j)).collect();
                let all: f64 = t.iter().sum();
                let loss = t.iter().zip(&p).map(|(t, p)| -t * p.ln()).sum();
                (loss, p.iter().zip(&t).map(|(p, t)| p * all - t).collect())
            }
            ClassLoss::Focal(gamma) => {
                let (own, wrong) = (p[label], 1.0 - p[label]);
                let slope = |j: usize| {
                    let onehot = if j == label { 1.0 } else { 0.0 };
                    let outer = gamma * wrong.powf(gamma - 1.0) * own * own.ln() - wrong.powf(gamma);
                    outer * (onehot - p[j])
                };
                (-wrong.powf(gamma) * own.ln(), (0..row.len()).map(slope).collect())
            }
        }
    }

    #[test]
    fn matches_the_formulas() {
        for isa in Isa::available() {
            for classes in CLASSES {
                let class_weights: Vec<f64> = (0..classes).map(|k| 0.5 + (k % 4) as f64).collect();
                let mut losses =
                    vec![ClassLoss::Smoothed(0.1, &[]), ClassLoss::Smoothed(0.7, &class_weights)];
                if classes > 1 {
                    losses.extend([0.5, 1.0, 2.0, 5.0].map(ClassLoss::Focal));
                }
                for loss in losses {
                    for n in [0_usize, 1, 5] {
                        let z: Vec<f64> =
                            (0..n * classes).map(|i| ((i * i % 101) as f64 - 50.0) * 0.05).collect();
                        let labels: Vec<u32> =
                            (0..n).map(|i| u32::try_from(i * 5 % classes).unwrap()).collect();
                        let weights: Vec<f64> = (0..n).map(|i| 0.1 + i as f64).collect();
                        let mut d = z.clone();
                        let tally = with_isa(isa, || class_losses(loss, &mut d, classes, &labels, &weights));
                        let mut expected = 0.0;
                        for (i, row) in z.chunks_exact(classes).enumerate() {
                            let (l, slopes) = plain(loss, row, labels[i] as usize);
                            expected += weights[i] * l;
                            for (d, slope) in d[i * classes..].iter().zip(slopes) {
                                let error = (d - weights[i] * slope).abs();
                                assert!(error < 1e-13 * (1.0 + slope.abs()), "{loss:?} {d} {slope}");
                            }
                        }
                        assert!(
                            (tally.loss - expected).abs() < 1e-12 * (1.0 + expected),
                            "{loss:?} {classes}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_share_and_an_exponent_they_are_the_cross_entropy() {
        for classes in CLASSES {
            for loss in [ClassLoss::Smoothed(0.0, &[]), ClassLoss::Focal(0.0)] {
                let z: Vec<f64> = (0..3 * classes).map(|i| ((i * i % 101) as f64 - 50.0) * 0.1).collect();
                let labels = [0, 0, u32::try_from(classes - 1).unwrap()];
                let weights = [1.0, 0.5, 2.0];
                let (mut ours, mut theirs) = (z.clone(), z);
                let tally = class_losses(loss, &mut ours, classes, &labels, &weights);
                let plain = softmax_cross_entropy(&mut theirs, classes, &labels, &weights, Bounds::NONE);
                assert!((tally.loss - plain.loss).abs() < 1e-13 * (1.0 + plain.loss), "{loss:?}");
                assert_eq!(tally.correct, plain.correct);
                assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-14), "{loss:?}");
            }
        }
    }

    #[test]
    fn far_logits_give_finite_results() {
        for loss in [ClassLoss::Smoothed(0.1, &[]), ClassLoss::Focal(0.5), ClassLoss::Focal(2.0)] {
            for classes in [2, 40] {
                for label in [0, 1] {
                    let mut z = vec![-1e4_f32; classes];
                    z[1] = 1e4;
                    let tally = class_losses(loss, &mut z, classes, &[label], &[1.0]);
                    assert!(tally.loss.is_finite() && tally.loss >= 0.0, "{loss:?} {}", tally.loss);
                    assert!(z.iter().all(|d| d.is_finite()), "{loss:?}");
                }
            }
        }
    }

    #[test]
    fn a_logit_that_is_nan_makes_a_loss_that_is_nan() {
        for loss in [ClassLoss::Smoothed(0.1, &[]), ClassLoss::Focal(2.0)] {
            for place in [0, 2] {
                let mut z = [1.0_f64, 2.0, 3.0];
                z[place] = f64::NAN;
                assert!(class_losses(loss, &mut z, 3, &[0], &[1.0]).loss.is_nan(), "{loss:?} {place}");
            }
        }
    }
}
