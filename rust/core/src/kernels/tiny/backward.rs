//! Backward sweep: hidden units in lanes, with all their gradients in registers during the loop over rows.
//!
//! The last units, which do not fill a vector, are computed with rows in lanes instead if that is faster.

#![allow(clippy::needless_range_loop, reason = "several arrays run by one index")]

use std::ops::Range;

use super::net::{Batch, MOST_CLASSES, TinyNet};
use crate::kernels::activation::SignSlope;
use crate::kernels::lanes::{transpose, transpose_back};
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Most inputs and sums for which rows go in pairs where there are 32 registers: with more, they do not hold the gradients
/// of two rows beside the weights, and the even rows go before the odd ones.
const MOST_IN_PAIRS: usize = 6;
/// Where fewer registers hold neither, the gradients of W1 are added up in a second loop, of so many inputs at a time; there
/// is none if there are no more inputs.
const INPUTS: usize = 2;
/// Rows between the two loops, an even number: what the first hands over stays in the level-1 cache.
const ROWS: usize = 32;

/// What a row needs from a vector of units, and what it adds to their gradients.
#[derive(Clone, Copy)]
struct Units<V, const I: usize, const S: usize> {
    w1: [V; I],
    b1: V,
    w2: [V; S],
}

impl<V: Copy, const I: usize, const S: usize> Units<V, I, S> {
    #[inline(always)]
    fn zero<T: Scalar>() -> Self
    where
        V: Simd<T>,
    {
        Self { w1: [V::zero(); I], b1: V::zero(), w2: [V::zero(); S] }
    }
}

/// Room to transpose the rows of W2 that belong to a vector of units, or of its gradient.
struct Transposed<T> {
    lanes: [[T; 16]; MOST_CLASSES],
    rows: [T; 16 * MOST_CLASSES],
}

simd_fn! {
    /// Adds the gradients of W1, b1 and W2 to `gradient`, given that of the sums of [`forward`](super::forward), `d`
    /// `(n_sums, n)` with sums `n` rounded up to whole vectors apart.
    ///
    /// `I` and `S` are the inputs and sums, rounded up: further ones repeat the last one and are dropped. Sizes were
    /// checked by [`TinyNet::gradient`].
    pub(super) fn backward<T as V, const I: usize, const S: usize; F: SignSlope>(
        net: &TinyNet,
        batch: &Batch<'_, T>,
        parameters: &[T],
        gradient: &mut [T],
        d: &[T],
        f: &F,
    ) {
        let mut w2 = Transposed { lanes: [[T::ZERO; 16]; MOST_CLASSES], rows: [T::ZERO; 16 * MOST_CLASSES] };
        let rest = net.hidden % T::LANES;
        let whole = if are_faster_one_by_one::<T>(rest, batch.weights.len()) { net.hidden - rest } else { net.hidden };
        for j in (0..whole).step_by(T::LANES) {
            units::<T, V, F, I, S>(net, batch, parameters, gradient, d, f, &mut w2, j);
        }
        for j in whole..net.hidden {
            unit::<T, V, F, I, S>(net, batch, parameters, gradient, d, f, j);
        }
    }
}

/// Whether so many units are faster one by one than as a vector: a unit takes the time of one row per vector of rows,
/// and of about six rows for its end.
fn are_faster_one_by_one<T: Scalar>(units: usize, rows: usize) -> bool {
    units * (rows.div_ceil(T::LANES) + 6) <= rows
}

/// The gradients of one unit, rows in lanes.
#[inline(always)]
fn unit<T: Scalar, V: Simd<T>, F: SignSlope, const I: usize, const S: usize>(
    net: &TinyNet,
    batch: &Batch<'_, T>,
    parameters: &[T],
    gradient: &mut [T],
    d: &[T],
    f: &F,
    j: usize,
) {
    let (n, hidden, classes, n_sums) = (batch.weights.len(), net.hidden, net.classes, net.free_sums());
    let (b1_at, w2_at) = (net.inputs * hidden + j, (net.inputs + 1) * hidden + j * classes);
    let w2 = &parameters[w2_at..w2_at + classes];
    let of_last = if n_sums < classes { w2[n_sums] } else { T::ZERO };
    let mut weights = Units::<V, I, S>::zero();
    for i in 0..I {
        if i < net.inputs {
            weights.w1[i] = V::splat(parameters[i * hidden + j]);
        }
    }
    weights.b1 = V::splat(parameters[b1_at]);
    for s in 0..S {
        if s < n_sums {
            weights.w2[s] = V::splat(w2[s] - of_last);
        }
    }

    let (x, d_at) = (features::<T, I>(net, batch), sums_of::<T, S>(net, d, n));
    let mut sums = Units::zero();
    for q in (0..n).step_by(T::LANES) {
        let count = (n - q).min(T::LANES);
        // SAFETY: features and sums have n elements from their start on, so `count` are left at q.
        let (x, d) = unsafe { (load_each::<T, V, I>(x, q, count), load_each::<T, V, S>(d_at, q, count)) };
        add(&mut sums, &weights, &x, &d, f);
    }

    for i in 0..I {
        if i < net.inputs {
            gradient[i * hidden + j] += sums.w1[i].sum();
        }
    }
    gradient[b1_at] += sums.b1.sum();
    let of_classes = &mut gradient[w2_at..w2_at + classes];
    let mut of_last = T::ZERO;
    for s in 0..S {
        if s < n_sums {
            let sum = sums.w2[s].sum();
            of_last -= sum;
            of_classes[s] += sum;
        }
    }
    if n_sums < classes {
        of_classes[n_sums] += of_last;
    }
}

/// The rows from `q` on of each of these, at most a vector of them; lanes beyond are 0.
///
/// # Safety
/// All pointers are valid for reading `q + count` elements, `count <=` [`Scalar::LANES`].
#[inline(always)]
unsafe fn load_each<T: Scalar, V: Simd<T>, const N: usize>(
    from: [*const T; N],
    q: usize,
    count: usize,
) -> [V; N] {
    let mut vectors = [V::zero(); N];
    for (to, from) in vectors.iter_mut().zip(from) {
        // SAFETY: promised by the caller.
        *to = unsafe {
            let at = from.add(q);
            V::load_front_ptr(at, count)
        };
    }
    vectors
}

/// Where the features of the batch start; those beyond the last repeat it.
#[inline(always)]
fn features<T: Scalar, const I: usize>(net: &TinyNet, batch: &Batch<'_, T>) -> [*const T; I] {
    let n = batch.weights.len();
    std::array::from_fn(|i| batch.x[i.min(net.inputs - 1) * batch.x_stride..][..n].as_ptr())
}

/// Where the derivatives with respect to the sums of `n` rows start; those beyond the last repeat it.
#[inline(always)]
fn sums_of<T: Scalar, const S: usize>(net: &TinyNet, d: &[T], n: usize) -> [*const T; S] {
    let apart = n.next_multiple_of(T::LANES);
    std::array::from_fn(|s| d[s.min(net.free_sums() - 1) * apart..][..n].as_ptr())
}

/// The gradients of a vector of units from `j` on; the last may be cut by the end of the layer.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // one call, in the loop above
fn units<T: Scalar, V: Simd<T>, F: SignSlope, const I: usize, const S: usize>(
    net: &TinyNet,
    batch: &Batch<'_, T>,
    parameters: &[T],
    gradient: &mut [T],
    d: &[T],
    f: &F,
    transposed: &mut Transposed<T>,
    j: usize,
) {
    let (n, hidden, classes, n_sums) = (batch.weights.len(), net.hidden, net.classes, net.free_sums());
    let count = (hidden - j).min(T::LANES);
    let (b1_at, w2_at) = (net.inputs * hidden, (net.inputs + 1) * hidden);

    // Loops over inputs and sums have lengths known to the compiler, so their values stay in registers.
    let mut weights = Units::<V, I, S>::zero();
    for i in 0..I {
        if i < net.inputs {
            weights.w1[i] = V::load_front(&parameters[i * hidden + j..][..count]);
        }
    }
    weights.b1 = V::load_front(&parameters[b1_at + j..][..count]);
    let w2_range = w2_at + j * classes..w2_at + (j + count) * classes;
    transpose(&parameters[w2_range.clone()], classes, &mut transposed.lanes);
    let of_last = if n_sums < classes { V::load(&transposed.lanes[n_sums]) } else { V::zero() };
    for s in 0..S {
        if s < n_sums {
            weights.w2[s] = V::load(&transposed.lanes[s]) - of_last;
        }
    }

    let (x, d_at) = (features::<T, I>(net, batch), sums_of::<T, S>(net, d, n));

    // Of even rows and of odd ones.
    let mut sums = [Units::zero(); 2];
    // SAFETY: features and sums have n elements from their start on.
    unsafe {
        if V::TILE_VECTORS == 1 && I > INPUTS {
            for q in (0..n).step_by(ROWS) {
                add_rows::<T, V, F, I, S>(&mut sums, &weights, x, d_at, f, q..n.min(q + ROWS));
            }
        } else if V::TILE_VECTORS > 1 && I + S > MOST_IN_PAIRS {
            for (first, sums) in sums.iter_mut().enumerate() {
                for q in (first..n).step_by(2) {
                    add_row::<T, V, F, I, S>(sums, &weights, x, d_at, f, q);
                }
            }
        } else {
            for pair in 0..n / 2 {
                add_row::<T, V, F, I, S>(&mut sums[0], &weights, x, d_at, f, 2 * pair);
                add_row::<T, V, F, I, S>(&mut sums[1], &weights, x, d_at, f, 2 * pair + 1);
            }
            if !n.is_multiple_of(2) {
                add_row::<T, V, F, I, S>(&mut sums[0], &weights, x, d_at, f, n - 1);
            }
        }
    }
    let [even, odd] = sums;

    for i in 0..I {
        if i < net.inputs {
            add_to(even.w1[i] + odd.w1[i], &mut gradient[i * hidden + j..][..count]);
        }
    }
    add_to(even.b1 + odd.b1, &mut gradient[b1_at + j..][..count]);
    let mut of_last = V::zero();
    for s in 0..S {
        if s < n_sums {
            let sum = even.w2[s] + odd.w2[s];
            of_last = of_last - sum;
            sum.store(&mut transposed.lanes[s]);
        }
    }
    if n_sums < classes {
        of_last.store(&mut transposed.lanes[n_sums]);
    }
    let rows = &mut transposed.rows[..count * classes];
    transpose_back(&transposed.lanes, classes, rows);
    for (to, from) in gradient[w2_range].chunks_mut(T::LANES).zip(rows.chunks(T::LANES)) {
        add_to(V::load_front(from), to);
    }

    #[inline(always)]
    fn add_to<T: Scalar, V: Simd<T>>(sum: V, to: &mut [T]) {
        (V::load_front(to) + sum).store_front(to);
    }
}

/// Adds the contribution of row `q`.
///
/// # Safety
/// All pointers are valid for reading `q + 1` elements.
#[inline(always)]
unsafe fn add_row<T: Scalar, V: Simd<T>, F: SignSlope, const I: usize, const S: usize>(
    sums: &mut Units<V, I, S>,
    weights: &Units<V, I, S>,
    x: [*const T; I],
    d: [*const T; S],
    f: &F,
    q: usize,
) {
    // SAFETY: promised by the caller.
    let (x, d) = unsafe { (splat_each::<T, V, I>(x, q), splat_each::<T, V, S>(d, q)) };
    add(sums, weights, &x, &d, f);
}

/// Element `q` of each of these, in all lanes.
///
/// # Safety
/// All pointers are valid for reading `q + 1` elements.
#[inline(always)]
unsafe fn splat_each<T: Scalar, V: Simd<T>, const N: usize>(from: [*const T; N], q: usize) -> [V; N] {
    let mut vectors = [V::zero(); N];
    for (to, from) in vectors.iter_mut().zip(from) {
        // SAFETY: promised by the caller.
        *to = V::splat(unsafe { *from.add(q) });
    }
    vectors
}

/// Adds the contributions of at most [`ROWS`] rows, from an even one on, to the sums of even and of odd rows, in two
/// loops: one over pairs of rows, whose chains of additions run side by side, and one for the gradients of W1.
///
/// # Safety
/// All pointers are valid for reading `rows.end` elements.
#[inline(always)]
unsafe fn add_rows<T: Scalar, V: Simd<T>, F: SignSlope, const I: usize, const S: usize>(
    sums: &mut [Units<V, I, S>; 2],
    weights: &Units<V, I, S>,
    x: [*const T; I],
    d: [*const T; S],
    f: &F,
    rows: Range<usize>,
) {
    let mut back = [V::zero(); ROWS];
    let back = &mut back[..rows.len()];
    let (pairs, last) = back.as_chunks_mut::<2>();
    for (pair, q) in pairs.iter_mut().zip(rows.clone().step_by(2)) {
        let mut z = [weights.b1; 2];
        for (x, w) in x.into_iter().zip(weights.w1) {
            for (r, z) in z.iter_mut().enumerate() {
                // SAFETY: promised by the caller.
                *z = V::splat(unsafe { *x.add(q + r) }).mul_add(w, *z);
            }
        }
        for (r, (back, sums)) in pair.iter_mut().zip(&mut *sums).enumerate() {
            // SAFETY: promised by the caller.
            let d = unsafe { splat_each::<T, V, S>(d, q + r) };
            *back = add_to_last(sums, weights, z[r], &d, f);
        }
    }
    if let [back] = last {
        // SAFETY: promised by the caller.
        let (x, d) = unsafe { (splat_each(x, rows.end - 1), splat_each(d, rows.end - 1)) };
        *back = add_to_last(&mut sums[0], weights, sum_of_unit(weights, &x), &d, f);
    }
    // SAFETY: promised by the caller.
    unsafe { add_to_first::<T, V, I, S>(sums, x, back, rows.start) }
}

/// Adds the contributions of rows from `first` on to the gradients of W1, of a few inputs at a time, whose sums stay in
/// registers.
///
/// # Safety
/// All pointers are valid for reading as many elements from `first` on as `back` has.
#[inline(always)]
unsafe fn add_to_first<T: Scalar, V: Simd<T>, const I: usize, const S: usize>(
    [even, odd]: &mut [Units<V, I, S>; 2],
    x: [*const T; I],
    back: &[V],
    first: usize,
) {
    let (pairs, last) = back.as_chunks::<2>();
    let sums = even.w1.as_chunks_mut::<INPUTS>().0.iter_mut().zip(odd.w1.as_chunks_mut::<INPUTS>().0);
    for ((even, odd), &x) in sums.zip(x.as_chunks::<INPUTS>().0) {
        let (mut of_even, mut of_odd) = (*even, *odd);
        // SAFETY: promised by the caller.
        unsafe {
            for (pair, q) in pairs.iter().zip((first..).step_by(2)) {
                add_products(&mut of_even, x, q, pair[0]);
                add_products(&mut of_odd, x, q + 1, pair[1]);
            }
            if let [back] = last {
                add_products(&mut of_even, x, first + 2 * pairs.len(), *back);
            }
        }
        (*even, *odd) = (of_even, of_odd);
    }
}

/// `sums += x back` for row `q`.
///
/// # Safety
/// All pointers are valid for reading `q + 1` elements.
#[inline(always)]
unsafe fn add_products<T: Scalar, V: Simd<T>, const N: usize>(
    sums: &mut [V; N],
    x: [*const T; N],
    q: usize,
    back: V,
) {
    for (sum, x) in sums.iter_mut().zip(x) {
        // SAFETY: promised by the caller.
        *sum = V::splat(unsafe { *x.add(q) }).mul_add(back, *sum);
    }
}

/// Adds the contribution of some rows: the same row in all lanes for units in lanes, or rows in lanes for the
/// same unit.
#[inline(always)]
fn add<T: Scalar, V: Simd<T>, F: SignSlope, const I: usize, const S: usize>(
    sums: &mut Units<V, I, S>,
    weights: &Units<V, I, S>,
    x: &[V; I],
    d: &[V; S],
    f: &F,
) {
    let z = sum_of_unit(weights, x);
    let back = add_to_last(sums, weights, z, d, f);
    for (sum, x) in sums.w1.iter_mut().zip(x) {
        *sum = x.mul_add(back, *sum);
    }
}

/// The sums of units: `b1 + x W1`.
#[inline(always)]
fn sum_of_unit<T: Scalar, V: Simd<T>, const I: usize, const S: usize>(
    weights: &Units<V, I, S>,
    x: &[V; I],
) -> V {
    let mut z = weights.b1;
    for (x, w) in x.iter().zip(weights.w1) {
        z = x.mul_add(w, z);
    }
    z
}

/// Adds the contribution of some rows to the gradients of b1 and W2, given the sums `z` of their units; returns the
/// derivative with respect to these.
#[inline(always)]
fn add_to_last<T: Scalar, V: Simd<T>, F: SignSlope, const I: usize, const S: usize>(
    sums: &mut Units<V, I, S>,
    weights: &Units<V, I, S>,
    z: V,
    d: &[V; S],
    f: &F,
) -> V {
    let mut back = d[0] * weights.w2[0];
    for (d, w) in d.iter().zip(weights.w2).skip(1) {
        back = d.mul_add(w, back);
    }
    let back = f.chain::<T, V>(back, z);
    sums.b1 = sums.b1 + back;
    for (sum, &d) in sums.w2.iter_mut().zip(d) {
        *sum = f.mul_add::<T, V>(z, d, *sum);
    }
    back
}
