//! Softmax and cross-entropy of rows, with the gradient and the number of correct predictions.
//! With few classes each lane has one row, with many the lanes have the columns of one row. The choice
//! depends on the number of classes alone, so a row has the same bits whatever the other rows are.

use crate::kernels::lanes::{FEW, transpose, transpose_back};
use crate::kernels::softmax::{exponentials_of_row, greatest};
use crate::kernels::tally::{Bounds, Tally};
use crate::kernels::vector::all_below;
use crate::numbers::Scalar;
use crate::numbers::math::{ample_or_zero, exp_vector, ln_vector};
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Turns logits `(n, classes)` into the gradient of the weighted cross-entropy with respect to them:
/// `d = (softmax(z) - onehot(label)) weight`, and returns the loss `weight (ln Σ exp(z) - z[label])`, with
/// the term in brackets clipped to `bounds`, summed over rows in `f64`.
///
/// # Panics
/// If the shapes do not fit together or a label is not below `classes`.
pub(crate) fn softmax_cross_entropy<T: Scalar>(
    logits: &mut [T],
    classes: usize,
    labels: &[u32],
    weights: &[T],
    bounds: Bounds,
) -> Tally {
    assert_eq!(logits.len(), labels.len() * classes, "logits and labels");
    assert_eq!(labels.len(), weights.len(), "labels and weights");
    assert!(all_below(labels, classes), "labels are below {classes}");
    if classes <= FEW {
        cross_entropy_few(logits, classes, labels, weights, bounds)
    } else {
        cross_entropy_many(logits, classes, labels, weights, bounds)
    }
}

simd_fn! {
    fn cross_entropy_few<T as V>(
        logits: &mut [T],
        classes: usize,
        labels: &[u32],
        weights: &[T],
        bounds: Bounds,
    ) -> Tally {
        let mut tally = Tally::default();
        let mut lanes = [[T::ZERO; 16]; FEW];
        let mut z = [V::zero(); FEW];
        let blocks = logits
            .chunks_mut(classes * T::LANES)
            .zip(labels.chunks(T::LANES))
            .zip(weights.chunks(T::LANES));
        for ((rows, labels), weights) in blocks {
            transpose(rows, classes, &mut lanes);
            for (z, lane) in z[..classes].iter_mut().zip(&lanes) {
                *z = V::load(lane);
            }
            let (label, weight) = (load_labels(labels), V::load_front(weights));
            let (loss, hit) = cross_entropy_lanes::<T, V>(&mut z[..classes], label, weight, bounds);
            for (z, lane) in z[..classes].iter().zip(&mut lanes) {
                z.store(lane);
            }
            transpose_back(&lanes, classes, rows);
            add_lanes(&mut tally, loss, hit, labels.len());
        }
        tally
    }
}

/// The number of hits, counted lane by lane.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
fn count<T: Scalar, V: Simd<T>>(hits: V) -> usize {
    let hits: f64 = hits.sum().into();
    hits as usize
}

/// Adds the first lanes, one per row.
#[inline(always)]
fn add_lanes<T: Scalar, V: Simd<T>>(tally: &mut Tally, loss: V, hit: V, rows: usize) {
    if rows == T::LANES {
        tally.loss += loss.sum().into();
        tally.correct += count::<T, V>(hit);
        return;
    }
    let (mut losses, mut hits) = ([T::ZERO; 16], [T::ZERO; 16]);
    loss.store(&mut losses);
    hit.store(&mut hits);
    for (&loss, &hit) in losses.iter().zip(&hits).take(rows) {
        tally.loss += loss.into();
        tally.correct += usize::from(hit == T::ONE);
    }
}

/// One row in each lane, `z[j]` the logits of class j: turns them into the gradient and returns the
/// weighted loss, and 1 where the label has the first largest logit, else 0.
#[inline(always)]
fn cross_entropy_lanes<T: Scalar, V: Simd<T>>(z: &mut [V], label: V, weight: V, bounds: Bounds) -> (V, V) {
    let one = V::splat(T::ONE);
    let (mut greatest, mut best) = (z[0], V::zero());
    let mut chosen = z[0];
    let mut class = one;
    for z in &z[1..] {
        best = V::select(z.gt(greatest), class, best);
        greatest = V::select(z.gt(greatest), *z, greatest);
        chosen = V::select(label.eq(class), *z, chosen);
        class = class + one;
    }
    let mut sum = V::zero();
    for z in z.iter_mut() {
        *z = exp_vector::<T, V>(*z - greatest);
        sum = sum + *z;
    }
    let scale = weight / sum;
    let mut class = V::zero();
    for z in z.iter_mut() {
        let d = z.mul_add(scale, V::select(label.eq(class), -weight, V::zero()));
        *z = ample_or_zero::<T, V>(d);
        class = class + one;
    }
    let loss = weight * bounds.hold::<T, V>(ln_vector::<T, V>(sum) - (chosen - greatest));
    (loss, V::select(best.eq(label), one, V::zero()))
}

/// [`softmax_cross_entropy`] for at most [`FEW`] classes with class-major logits from which that of the last class,
/// which is not stored, was subtracted: class c of row q is at `z[c * stride + q]`, with `stride` at least the
/// number of rows rounded up to whole vectors. The gradient is stored in the same way. Adds its sums over rows to
/// `bias`, one per class.
pub(super) fn cross_entropy_by_class<T: Scalar>(
    z: &mut [T],
    stride: usize,
    labels: &[u32],
    weights: &[T],
    bias: &mut [T],
    bounds: Bounds,
) -> Tally {
    match bias.len() {
        2 => cross_entropy_of_known::<T, 2>(z, stride, labels, weights, bias, bounds),
        3 => cross_entropy_of_known::<T, 3>(z, stride, labels, weights, bias, bounds),
        _ => cross_entropy_of_known::<T, 0>(z, stride, labels, weights, bias, bounds),
    }
}

/// Vectors of losses that are added up lane by lane before their sum is added in `f64`.
const LOSSES_ADDED: usize = 8;

simd_fn! {
    /// [`cross_entropy_by_class`] for `KNOWN` classes, the logits of which stay in registers, or for any if that is 0.
    fn cross_entropy_of_known<T as V, const KNOWN: usize>(
        z: &mut [T],
        stride: usize,
        labels: &[u32],
        weights: &[T],
        bias: &mut [T],
        bounds: Bounds,
    ) -> Tally {
        let classes = if KNOWN > 0 { KNOWN } else { bias.len() };
        let mut tally = Tally::default();
        let (mut losses, mut hits) = (V::zero(), V::zero());
        let (mut logits, mut sums) = ([V::zero(); FEW], [V::zero(); FEW]);
        let (logits, sums) = (&mut logits[..classes], &mut sums[..classes]);
        let blocks = labels.chunks(T::LANES).zip(weights.chunks(T::LANES));
        for (block, (labels, weights)) in blocks.enumerate() {
            let q = block * T::LANES;
            for (c, logit) in logits[..classes - 1].iter_mut().enumerate() {
                *logit = V::load(&z[c * stride + q..]);
            }
            logits[classes - 1] = V::zero();
            let (label, weight) = (load_labels(labels), V::load_front(weights));
            let (loss, hit) = cross_entropy_lanes::<T, V>(logits, label, weight, bounds);
            for (c, logit) in logits[..classes - 1].iter().enumerate() {
                logit.store(&mut z[c * stride + q..]);
            }
            for (logit, sum) in logits.iter().zip(&mut *sums) {
                *sum = *sum + *logit;
            }
            if labels.len() < T::LANES {
                add_lanes(&mut tally, loss, hit, labels.len());
                continue;
            }
            (losses, hits) = (losses + loss, hits + hit);
            if block % LOSSES_ADDED == LOSSES_ADDED - 1 {
                tally.loss += losses.sum().into();
                losses = V::zero();
            }
        }
        tally.loss += losses.sum().into();
        tally.correct += count::<T, V>(hits);
        for (bias, sum) in bias.iter_mut().zip(sums) {
            *bias += sum.sum();
        }
        tally
    }
}

/// At most one vector of labels.
#[inline(always)]
fn load_labels<T: Scalar, V: Simd<T>>(labels: &[u32]) -> V {
    if labels.len() >= T::LANES {
        // SAFETY: these are at least one vector.
        return unsafe { V::load_u32_ptr(labels.as_ptr()) };
    }
    let mut all = [0; 16];
    all[..labels.len()].copy_from_slice(labels);
    // SAFETY: 16 labels are at least one vector.
    unsafe { V::load_u32_ptr(all.as_ptr()) }
}

simd_fn! {
    fn cross_entropy_many<T as V>(
        logits: &mut [T],
        classes: usize,
        labels: &[u32],
        weights: &[T],
        bounds: Bounds,
    ) -> Tally {
        let mut tally = Tally::default();
        let rows = logits.chunks_exact_mut(classes).zip(labels).zip(weights);
        for ((row, &label), &weight) in rows {
            let label = label as usize;
            let greatest = greatest::<T, V>(row);
            let chosen = row[label];
            let first = chosen == greatest && row[..label].iter().all(|&z| z < greatest);
            let sum = exponentials_of_row::<T, V>(row, V::splat(greatest));
            let scale = V::splat(weight / sum);
            for chunk in row.chunks_mut(T::LANES) {
                ample_or_zero::<T, V>(V::load_front(chunk) * scale).store_front(chunk);
            }
            row[label] -= weight;
            let loss = ln_vector::<T, V>(V::splat(sum)) - V::splat(chosen - greatest);
            let mut losses = [T::ZERO; 16];
            (V::splat(weight) * bounds.hold::<T, V>(loss)).store(&mut losses);
            tally.loss += losses[0].into();
            tally.correct += usize::from(first);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::softmax_cross_entropy;
    use crate::kernels::tally::{Bounds, Tally};
    use crate::numbers::simd::{Isa, with_isa};

    fn logits(n: usize, classes: usize) -> Vec<f64> {
        (0..n * classes).map(|i| ((i * i % 101) as f64 - 50.0) * 0.1).collect()
    }

    const CLASSES: [usize; 10] = [1, 2, 3, 7, 8, 15, 16, 17, 33, 1000];

    #[test]
    fn matches_the_plain_loop() {
        for isa in Isa::available() {
            for classes in CLASSES {
                for n in [0, 1, 7, 8, 9, 17] {
                    let z = logits(n, classes);
                    let labels: Vec<u32> = (0..n).map(|i| u32::try_from(i * 5 % classes).unwrap()).collect();
                    let weights: Vec<f64> = (0..n).map(|i| 0.1 + i as f64 * 0.01).collect();
                    let mut d = z.clone();
                    let tally = with_isa(isa, || {
                        softmax_cross_entropy(&mut d, classes, &labels, &weights, Bounds::NONE)
                    });
                    let mut want = Tally::default();
                    for (i, row) in z.chunks_exact(classes).enumerate() {
                        let label = labels[i] as usize;
                        let sum: f64 = row.iter().map(|z| z.exp()).sum();
                        want.loss -= weights[i] * (row[label].exp() / sum).ln();
                        let first =
                            row.iter().enumerate().fold(0, |b, (j, z)| if *z > row[b] { j } else { b });
                        want.correct += usize::from(first == label);
                        for j in 0..classes {
                            let onehot = if j == label { 1.0 } else { 0.0 };
                            let gradient = (row[j].exp() / sum - onehot) * weights[i];
                            assert!((d[i * classes + j] - gradient).abs() < 1e-15);
                        }
                    }
                    assert!((tally.loss - want.loss).abs() < 1e-12 * (1.0 + want.loss), "{classes} {n}");
                    assert_eq!(tally.correct, want.correct);
                }
            }
        }
    }

    #[test]
    fn ties_go_to_the_first_class() {
        for classes in [3, 20] {
            for (label, correct) in [(0, 1), (1, 0)] {
                let mut z = vec![2.5_f32; classes];
                let tally = softmax_cross_entropy(&mut z, classes, &[label], &[1.0], Bounds::NONE);
                assert_eq!(tally.correct, correct);
            }
        }
    }

    #[test]
    fn far_logits_give_finite_results() {
        for classes in [2, 40] {
            let mut z = vec![-1e4_f32; classes];
            z[1] = 1e4;
            let tally = softmax_cross_entropy(&mut z, classes, &[0], &[1.0], Bounds::NONE);
            assert_eq!(tally, Tally { loss: 2e4, correct: 0, penalty: 0.0 });
            assert_eq!(&z[..2], &[-1.0, 1.0]);
        }
    }

    #[test]
    fn derivatives_that_nothing_depends_on_are_zero() {
        for classes in [2, 40] {
            for gap in [75.0, 95.0] {
                let mut z = vec![-gap; classes];
                z[1] = 0.0;
                softmax_cross_entropy(&mut z, classes, &[1], &[1.0_f32], Bounds::NONE);
                assert_eq!(z, vec![0.0; classes], "{gap}");
            }
            let mut z = vec![-60.0_f32; classes];
            z[1] = 0.0;
            softmax_cross_entropy(&mut z, classes, &[1], &[1.0], Bounds::NONE);
            assert!(z[0] > 0.0);
        }
    }

    #[test]
    fn a_loss_is_held_to_its_bounds() {
        let bounds = Bounds::of_clipped_probabilities::<f64>();
        for classes in [2, 40] {
            for (label, expected) in [(0, -f64::EPSILON.ln()), (1, -(1.0 - f64::EPSILON).ln())] {
                let mut z = vec![-1e4; classes];
                z[1] = 1e4;
                let tally = softmax_cross_entropy(&mut z, classes, &[label], &[3.0], bounds);
                assert!((tally.loss / expected - 3.0).abs() < 1e-14, "{classes} {label}");
            }
            let mut z = vec![f64::NAN; classes];
            assert!(softmax_cross_entropy(&mut z, classes, &[0], &[1.0], bounds).loss.is_nan());
        }
    }

    #[test]
    #[should_panic(expected = "labels are below 3")]
    fn label_outside() {
        softmax_cross_entropy(&mut [0.0_f32; 3], 3, &[3], &[1.0], Bounds::NONE);
    }
}
