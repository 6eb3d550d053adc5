//! The crates, behind a common interface.

use fastmlp_core::Element;
use fastmlp_core::internals::{Operand, product};

/// `c = a b`, with scratch for those that need it.
type Product<T> = fn(Operand<'_, T>, Operand<'_, T>, &mut [T], &mut [T]);

/// A product of one element type by one crate.
pub struct Peer<T> {
    pub name: &'static str,
    pub product: Product<T>,
    /// Elements of C from which on the crate does not claim to be fast.
    pub most_elements: usize,
}

/// An element type in which all peers compute.
pub trait Compared: Element {
    const NAME: &'static str;
    fn peers() -> Vec<Peer<Self>>;
}

/// Distances of neighbours in a column and in a row.
fn strides<T>(operand: &Operand<'_, T>) -> (isize, isize) {
    let (rows, cols) = (operand.rows as isize, operand.cols as isize);
    if operand.is_transposed { (1, rows) } else { (cols, 1) }
}

macro_rules! element {
    ($t:ident, $matrixmultiply:ident, $dtype:ident, $plan:ident) => {
        impl Compared for $t {
            const NAME: &'static str = stringify!($t);

            fn peers() -> Vec<Peer<Self>> {
                let everywhere = usize::MAX;
                vec![
                    Peer {
                        name: "fastmlp",
                        product: |a, b, c, scratch| product(a, b, None, c, scratch),
                        most_elements: everywhere,
                    },
                    Peer {
                        name: "private-gemm-x86",
                        product: |a, b, c, _| {
                            use private_gemm_x86::{Accum, DType, DstKind, IType, InstrSet, gemm};
                            let ((a_row, a_col), (b_row, b_col)) = (strides(&a), strides(&b));
                            let wide = is_x86_feature_detected!("avx512f");
                            let (null, one) = (std::ptr::null(), 1.0 as $t);
                            // SAFETY: strides and sizes are those of the slices; the CPU has the instruction
                            // set.
                            unsafe {
                                gemm(
                                    DType::$dtype,
                                    IType::U64,
                                    if wide { InstrSet::Avx512 } else { InstrSet::Avx256 },
                                    a.rows,
                                    b.cols,
                                    a.cols,
                                    c.as_mut_ptr().cast(),
                                    b.cols as isize,
                                    1,
                                    null,
                                    null,
                                    DstKind::Full,
                                    Accum::Replace,
                                    a.data.as_ptr().cast(),
                                    a_row,
                                    a_col,
                                    false,
                                    null,
                                    0,
                                    b.data.as_ptr().cast(),
                                    b_row,
                                    b_col,
                                    false,
                                    (&raw const one).cast(),
                                    1,
                                );
                            }
                        },
                        most_elements: everywhere,
                    },
                    Peer {
                        name: "gemm",
                        product: |a, b, c, _| {
                            let ((a_row, a_col), (b_row, b_col)) = (strides(&a), strides(&b));
                            // SAFETY: strides and sizes are those of the slices.
                            unsafe {
                                gemm::gemm::<$t>(
                                    a.rows,
                                    b.cols,
                                    a.cols,
                                    c.as_mut_ptr(),
                                    1,
                                    b.cols as isize,
                                    false,
                                    a.data.as_ptr(),
                                    a_col,
                                    a_row,
                                    b.data.as_ptr(),
                                    b_col,
                                    b_row,
                                    0.0,
                                    1.0,
                                    false,
                                    false,
                                    false,
                                    gemm::Parallelism::None,
                                );
                            }
                        },
                        most_elements: everywhere,
                    },
                    Peer {
                        name: "matrixmultiply",
                        product: |a, b, c, _| {
                            let ((a_row, a_col), (b_row, b_col)) = (strides(&a), strides(&b));
                            // SAFETY: strides and sizes are those of the slices.
                            unsafe {
                                matrixmultiply::$matrixmultiply(
                                    a.rows,
                                    a.cols,
                                    b.cols,
                                    1.0,
                                    a.data.as_ptr(),
                                    a_row,
                                    a_col,
                                    b.data.as_ptr(),
                                    b_row,
                                    b_col,
                                    0.0,
                                    c.as_mut_ptr(),
                                    b.cols as isize,
                                    1,
                                );
                            }
                        },
                        most_elements: everywhere,
                    },
                    Peer {
                        name: "nano-gemm",
                        // It prefers columns: the transpose of C is the transpose of B times that of A.
                        product: |a, b, c, _| {
                            let ((a_row, a_col), (b_row, b_col)) = (strides(&a), strides(&b));
                            let (m, n, k) = (b.cols, a.rows, a.cols);
                            let plan = nano_gemm::Plan::<$t>::$plan(m, n, k, b_col == 1);
                            // SAFETY: strides and sizes are those of the slices and of the plan.
                            unsafe {
                                plan.execute_unchecked(
                                    m,
                                    n,
                                    k,
                                    c.as_mut_ptr(),
                                    1,
                                    m as isize,
                                    b.data.as_ptr(),
                                    b_col,
                                    b_row,
                                    a.data.as_ptr(),
                                    a_col,
                                    a_row,
                                    0.0,
                                    1.0,
                                    false,
                                    false,
                                );
                            }
                        },
                        most_elements: 64 * 64,
                    },
                ]
            }
        }
    };
}

element!(f32, sgemm, F32, new_f32_impl);
element!(f64, dgemm, F64, new_f64_impl);
