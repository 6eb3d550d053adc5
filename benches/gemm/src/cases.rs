//! The products of networks as they are trained.

/// A product (m, k) (k, n), its operands row-major or transposed.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a_is_transposed: bool,
    pub b_is_transposed: bool,
}

/// `forward` is a layer's product with its weights, `d_W` that of its input and the derivative of its sums,
/// `d_x` that of these and the weights.
const fn layer(name: &'static str, pass: &str, rows: usize, d_in: usize, d_out: usize) -> Case {
    let case = Case { name, m: rows, n: d_out, k: d_in, a_is_transposed: false, b_is_transposed: false };
    match pass.as_bytes() {
        b"forward" => case,
        b"d_W" => Case { m: d_in, k: rows, a_is_transposed: true, ..case },
        b"d_x" => Case { n: d_in, k: d_out, b_is_transposed: true, ..case },
        _ => panic!("no such pass"),
    }
}

/// Networks are named as in the comparison of whole steps.
pub const CASES: &[Case] = &[
    layer("b forward", "forward", 32, 2, 100),
    layer("b forward, logits", "forward", 32, 100, 3),
    layer("b d_W, logits", "d_W", 32, 100, 3),
    layer("b d_x, logits", "d_x", 32, 100, 3),
    layer("d forward 1", "forward", 64, 30, 64),
    layer("d forward 2", "forward", 64, 64, 64),
    layer("d forward, logits", "forward", 64, 64, 2),
    layer("d d_W 1", "d_W", 64, 30, 64),
    layer("d d_W 2", "d_W", 64, 64, 64),
    layer("d d_W, logits", "d_W", 64, 64, 2),
    layer("d d_x 2", "d_x", 64, 64, 64),
    layer("d d_x, logits", "d_x", 64, 64, 2),
    layer("e forward 1", "forward", 128, 784, 256),
    layer("e forward 2", "forward", 128, 256, 256),
    layer("e forward, logits", "forward", 128, 256, 10),
    layer("e d_W 1", "d_W", 128, 784, 256),
    layer("e d_W 2", "d_W", 128, 256, 256),
    layer("e d_W, logits", "d_W", 128, 256, 10),
    layer("e d_x 1", "d_x", 128, 784, 256),
    layer("e d_x 2", "d_x", 128, 256, 256),
    layer("e d_x, logits", "d_x", 128, 256, 10),
    layer("e forward 1, half a batch", "forward", 64, 784, 256),
    layer("e d_W 1, half a batch", "d_W", 64, 784, 256),
    layer("e d_x 2, half a batch", "d_x", 64, 256, 256),
    layer("e forward 1, one row", "forward", 1, 784, 256),
    layer("f forward", "forward", 256, 256, 256),
    layer("f d_W", "d_W", 256, 256, 256),
    layer("f d_x", "d_x", 256, 256, 256),
    layer("g forward 1", "forward", 512, 1024, 4096),
    layer("g forward 2", "forward", 512, 4096, 4096),
    layer("g forward, logits", "forward", 512, 4096, 1000),
    layer("g d_W 1", "d_W", 512, 1024, 4096),
    layer("g d_W 2", "d_W", 512, 4096, 4096),
    layer("g d_W, logits", "d_W", 512, 4096, 1000),
    layer("g d_x 2", "d_x", 512, 4096, 4096),
    layer("g d_x, logits", "d_x", 512, 4096, 1000),
];
