//! The innermost product: a tile of C kept in registers while k runs.
//!
//! Every element of C is one chain of fused multiply-adds over k in rising order, so its bits do not
//! depend on the shape of the tile or on how k is blocked.

use super::epilogue::InRegisters;
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Where the operands of a row of tiles lie. Strides count elements.
///
/// Shapes: A `(rows, k)`, B `(k, cols)`, C `(rows, cols)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands<T> {
    pub(super) k: usize,
    pub(super) a: *const T,
    pub(super) a_strides: (usize, usize),
    pub(super) b: *const T,
    pub(super) b_stride: usize,
    /// Distance in B from one tile to the next.
    pub(super) b_step: usize,
    /// Whether rows of B are padded to whole vectors.
    pub(super) b_is_padded: bool,
    pub(super) c: *mut T,
    pub(super) c_stride: usize,
    pub(super) cols: usize,
    /// What the sums start from, with C's layout but its own stride, which may be 0; if none, they start from
    /// 0.
    pub(super) start: Option<(*const T, usize)>,
    /// What is done with the sums.
    pub(super) epilogue: InRegisters<T>,
    /// Whether to prefetch rows of B.
    pub(super) b_is_far: bool,
    /// Whether to prefetch the tile of C to the right.
    pub(super) c_is_far: bool,
}

impl<T: Scalar> Operands<T> {
    /// Those to the right of so many columns, which are so many tiles.
    #[inline(always)]
    fn right_of(&self, cols: usize, tiles: usize) -> Self {
        Self {
            b: self.b.wrapping_add(tiles * self.b_step),
            c: self.c.wrapping_add(cols),
            cols: self.cols - cols,
            start: self.start.map(|(start, stride)| (start.wrapping_add(cols), stride)),
            epilogue: match self.epilogue {
                InRegisters::ReluChain(outputs) => InRegisters::ReluChain(outputs.wrapping_add(cols)),
                other => other,
            },
            ..*self
        }
    }
}

/// The shape of the largest tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TileShape {
    pub(super) rows: usize,
    /// A whole number of vectors.
    pub(super) cols: usize,
}

impl TileShape {
    /// Width of a panel of A: the rows of a tile, rounded up to the squares that packing transposes.
    pub(super) fn panel_of_a(&self) -> usize {
        self.rows.next_multiple_of(8)
    }
}

/// Steps of k between prefetching a row of B and using it.
const AHEAD: usize = 16;
/// Most vectors in a tile of one row, of two, of three: the sums and what they need stay in 32 registers.
const WIDE_VECTORS: [usize; 3] = [8, 8, 7];
/// Most rows of a wide tile.
pub(super) const FEW_ROWS: usize = WIDE_VECTORS.len();

simd_fn! {
    /// The shape of the largest tile of the instruction set.
    pub(super) fn tile_shape<T as V>() -> TileShape {
        TileShape { rows: V::TILE_ROWS, cols: V::TILE_VECTORS * T::LANES }
    }
}

simd_fn! {
    /// The shape of the largest tile of `rows <=` [`FEW_ROWS`] rows: wide, so that enough sums run in
    /// parallel.
    pub(super) fn wide_tile_shape<T as V>(rows: usize) -> TileShape {
        let vectors = (V::TILE_ROWS * V::TILE_VECTORS / rows).min(WIDE_VECTORS[rows - 1]);
        TileShape { rows: V::TILE_ROWS, cols: vectors * T::LANES }
    }
}

simd_fn! {
    /// `C = start + A B` for a row of tiles of `M` rows and `N` vectors each, the last vector of the last tile perhaps in
    /// part.
    ///
    /// # Safety
    /// All elements of the operands are valid, those of C for writing and not shared; C does not
    /// overlap A or B. `M` and `N` are within [`tile_shape`] or [`wide_tile_shape`].
    unsafe fn tiles<T as V, const M: usize, const N: usize>(on: &Operands<T>) {
        if M > V::TILE_ROWS || M * N > V::TILE_ROWS * V::TILE_VECTORS {
            unreachable!("tiles fit into the registers");
        }
        let mut on = *on;
        loop {
            let last = on.cols - (N - 1) * T::LANES;
            // SAFETY: the caller's promise.
            unsafe { tile::<T, V, M, N>(&on, last.min(T::LANES)) };
            if last <= T::LANES {
                return;
            }
            on = on.right_of(N * T::LANES, 1);
        }
    }
}

/// The first tile of a row of tiles; its last vector has `last` columns.
///
/// # Safety
/// As for [`tiles`].
#[inline(always)]
unsafe fn tile<T: Scalar, V: Simd<T>, const M: usize, const N: usize>(on: &Operands<T>, last: usize) {
    let mut sum = [[V::zero(); N]; M];
    if let Some((start, stride)) = on.start {
        // SAFETY: rows of the start have `cols` elements, `last` of them in the last vector.
        unsafe {
            if stride == 0 {
                sum = [load_row(start, last); M];
            } else {
                for (i, row) in sum.iter_mut().enumerate() {
                    *row = load_row(start.add(i * stride), last);
                }
            }
        }
    }

    if on.c_is_far {
        for i in 0..M {
            for j in 0..N {
                V::prefetch(on.c.wrapping_add(i * on.c_stride + (N + j) * T::LANES));
            }
        }
    }

    // SAFETY: `p < k` and `i < M` stay inside A, and rows of B are as long as what is read: whole vectors
    // if padded, else `cols` elements.
    unsafe {
        let (mut a, mut b) = (on.a, on.b);
        if on.b_is_padded || (!on.b_is_far && last == T::LANES) {
            for _ in 0..on.k {
                let row = load_row(b, T::LANES);
                step(&mut sum, a, on.a_strides.0, &row);
                a = a.wrapping_add(on.a_strides.1);
                b = b.wrapping_add(on.b_stride);
            }
        } else {
            for _ in 0..on.k {
                let row = load_row(b, last);
                // With few rows, reads are long enough for the hardware prefetcher.
                if N <= V::TILE_VECTORS {
                    for j in 0..N {
                        V::prefetch(b.wrapping_add(AHEAD * on.b_stride + j * T::LANES));
                    }
                }
                step(&mut sum, a, on.a_strides.0, &row);
                a = a.wrapping_add(on.a_strides.1);
                b = b.wrapping_add(on.b_stride);
            }
        }
    }

    match on.epilogue {
        InRegisters::Nothing => {}
        InRegisters::Relu => {
            for x in sum.as_flattened_mut() {
                *x = V::zero().max(*x);
            }
        }
        InRegisters::ReluChain(outputs) => {
            for (i, row) in sum.iter_mut().enumerate() {
                // SAFETY: the outputs have C's layout, where row `i` has `cols` elements.
                unsafe {
                    let outputs = outputs.add(i * on.c_stride);
                    for (j, x) in row.iter_mut().enumerate() {
                        let at = outputs.add(j * T::LANES);
                        let y = V::load_front_ptr(at, if j + 1 < N { T::LANES } else { last });
                        *x = V::select(y.gt(V::zero()), *x, V::zero());
                    }
                }
            }
        }
    }

    for (i, row) in sum.iter().enumerate() {
        // SAFETY: as for reading the start.
        unsafe {
            let c = on.c.add(i * on.c_stride);
            for (j, x) in row.iter().enumerate() {
                let at = c.add(j * T::LANES);
                x.store_front_ptr(at, if j + 1 < N { T::LANES } else { last });
            }
        }
    }
}

/// A row of `N` vectors, of which the last has `last` elements.
///
/// # Safety
/// So many elements are valid from `from` on.
#[inline(always)]
unsafe fn load_row<T: Scalar, V: Simd<T>, const N: usize>(from: *const T, last: usize) -> [V; N] {
    let mut row = [V::zero(); N];
    for (j, x) in row.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *x = unsafe { V::load_front_ptr(from.add(j * T::LANES), if j + 1 < N { T::LANES } else { last }) };
    }
    row
}

/// One k: the column of A at `a` times a row of B.
///
/// # Safety
/// `M` elements of A are valid from `a` on, `stride` apart.
#[inline(always)]
unsafe fn step<T: Scalar, V: Simd<T>, const M: usize, const N: usize>(
    sum: &mut [[V; N]; M],
    a: *const T,
    stride: usize,
    b: &[V; N],
) {
    for (i, row) in sum.iter_mut().enumerate() {
        // SAFETY: `i < M`.
        let a = V::splat(unsafe { *a.add(i * stride) });
        for (x, &b) in row.iter_mut().zip(b) {
            *x = a.mul_add(b, *x);
        }
    }
}

/// The product of a row of tiles of `rows` rows and `vectors` vectors, at most [`tile_shape`] or [`wide_tile_shape`];
/// the last tile has the columns that are left.
///
/// # Safety
/// As for [`tiles`].
pub(super) unsafe fn multiply<T: Scalar>(rows: usize, vectors: usize, on: &Operands<T>) {
    let width = vectors * T::LANES;
    let (whole, left) = (on.cols / width, on.cols % width);
    let vectors_left = left.div_ceil(T::LANES);
    // SAFETY: the caller's promise.
    unsafe {
        if vectors_left == 0 || vectors_left == vectors {
            return tiles_of_shape(rows, vectors, on);
        }
        if whole > 0 {
            tiles_of_shape(rows, vectors, &Operands { cols: whole * width, ..*on });
        }
        tiles_of_shape(rows, vectors_left, &on.right_of(whole * width, whole));
    }
}

/// [`tiles`] of a shape.
///
/// # Safety
/// As for it.
unsafe fn tiles_of_shape<T: Scalar>(rows: usize, vectors: usize, on: &Operands<T>) {
    macro_rules! by_shape {
        ($($rows:literal: $($vectors:literal)*;)*) => {
            match (rows, vectors) {
                $($(
                    // SAFETY: the caller's promise.
                    ($rows, $vectors) => unsafe { tiles::<T, $rows, $vectors>(on) },
                )*)*
                shape => unreachable!("no tile of {shape:?} rows and vectors"),
            }
        };
    }
    by_shape! {
        1: 1 2 3 4 5 6 7 8;
        2: 1 2 3 4 5 6 7 8;
        3: 1 2 3 4 5 6 7;
        4: 1 2; 5: 1 2; 6: 1 2; 7: 1 2; 8: 1 2; 9: 1 2; 10: 1 2; 11: 1 2; 12: 1 2; 13: 1 2; 14: 1 2;
    }
}
