use super::{Activation, backward_rows, forward, forward_keeping, times};
use crate::numbers::Number;
use crate::numbers::simd::{Isa, assert_fusing_agree, with_isa};

/// The formulas, in the standard library's functions.
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu => z.max(0.01 * z),
        Activation::Tanh => z.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Elu => z.max(0.0) + z.min(0.0).exp_m1(),
        Activation::Selu => {
            1.050_700_987_355_480_5 * (z.max(0.0) + 1.673_263_242_354_377_2 * z.min(0.0).exp_m1())
        }
        Activation::Gelu => {
            // z (1/2 + the density times (z + z³ / 3 + z⁵ / (3 5) + …))
            let (mut term, mut sum) = (z, 0.0);
            for k in 1..300 {
                sum += term;
                term *= z * z / f64::from(2 * k + 1);
            }
            z * (0.5 + sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt())
        }
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::Mish => z * z.exp().ln_1p().tanh(),
        Activation::Softplus => z.exp().ln_1p(),
    }
}

/// Away from the kink at 0, a difference quotient is the derivative.
fn slope(activation: Activation, z: f64) -> f64 {
    (value(activation, z + 1e-6) - value(activation, z - 1e-6)) / 2e-6
}

fn inputs(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i as f64 - 10.3) * 0.37).collect()
}

/// `z = f(z)` and `d = d f'(z)`, as a network computes them.
fn there_and_back(activation: Activation, z: &mut [f64], d: &mut [f64]) {
    if activation.keeps_slope() {
        let mut slopes = vec![f64::NAN; z.len()];
        forward_keeping(activation, z, &mut slopes);
        times(d, &slopes);
    } else {
        forward(activation, z);
        backward_rows(activation, d, z, 1.0, z.len().max(1), z.len());
    }
}

#[test]
fn values_and_derivatives() {
    for isa in Isa::available() {
        for activation in Activation::ALL {
            for count in [0, 1, 7, 8, 9, 15, 16, 17, 24, 33] {
                let z = inputs(count);
                let (mut y, mut d) = (z.clone(), vec![2.0; count]);
                with_isa(isa, || there_and_back(activation, &mut y, &mut d));
                for i in 0..count {
                    let context = format!("{activation:?} {isa:?} {}", z[i]);
                    let off = (y[i] - value(activation, z[i])).abs();
                    assert!(off < 1e-15 + 1e-15 * z[i].abs(), "{context}: {off:e}");
                    assert!((d[i] - 2.0 * slope(activation, z[i])).abs() < 1e-8, "{context}");
                }
            }
        }
    }
}

#[test]
fn values_are_the_same_with_and_without_slopes() {
    for isa in Isa::available() {
        for activation in Activation::ALL.into_iter().filter(|activation| activation.keeps_slope()) {
            let z: Vec<f32> = inputs(100).into_iter().map(f32::from_f64).collect();
            let (mut alone, mut kept, mut slopes) = (z.clone(), z.clone(), z.clone());
            with_isa(isa, || {
                forward(activation, &mut alone);
                forward_keeping(activation, &mut kept, &mut slopes);
            });
            assert_eq!(alone, kept, "{activation:?} {isa:?}");
        }
    }
}

#[test]
fn instruction_sets_that_fuse_agree() {
    for activation in Activation::ALL {
        let of_isa = |isa| {
            let (mut z, mut d) = (inputs(100), vec![1.0; 100]);
            with_isa(isa, || there_and_back(activation, &mut z, &mut d));
            (isa, [z, d].concat())
        };
        assert_fusing_agree(&Isa::available().map(of_isa).collect::<Vec<_>>(), activation.name());
    }
}

#[test]
fn derivatives_behind_dropout_are_those_of_the_output_before() {
    for isa in Isa::available() {
        for activation in Activation::ALL.into_iter().filter(|activation| !activation.keeps_slope()) {
            let x = inputs(33);
            let mut y = x.clone();
            forward(activation, &mut y);
            // Every third value is dropped, in the backward pass too.
            let scale = |i: usize| if i.is_multiple_of(3) { 0.0 } else { 4.0 };
            y.iter_mut().enumerate().for_each(|(i, y)| *y *= scale(i));
            let mut d: Vec<f64> = (0..33).map(|i| 0.5 * scale(i)).collect();
            with_isa(isa, || backward_rows(activation, &mut d, &y, 0.25, 33, 33));
            for i in 0..33 {
                let expected = 0.5 * scale(i) * slope(activation, x[i]);
                assert!((d[i] - expected).abs() < 1e-8, "{activation:?} {isa:?} {i}");
            }
        }
    }
}

#[test]
fn a_value_as_small_as_can_be_is_still_above_0() {
    for isa in Isa::available() {
        for activation in [Activation::Relu, Activation::LeakyRelu] {
            let mut d = [1.0_f32];
            with_isa(isa, || backward_rows(activation, &mut d, &[f32::from_bits(1)], 0.25, 1, 1));
            assert_eq!(d, [1.0], "{activation:?} {isa:?}");
        }
    }
}

#[test]
fn nan_stays_nan() {
    for isa in Isa::available() {
        for activation in Activation::ALL {
            let (mut z, mut slopes) = ([f32::NAN; 3], [0.0; 3]);
            with_isa(isa, || {
                if activation.keeps_slope() {
                    forward_keeping(activation, &mut z, &mut slopes);
                } else {
                    forward(activation, &mut z);
                }
            });
            assert!(z.iter().all(|z| z.is_nan()), "{activation:?} {isa:?}");
        }
    }
}

#[test]
fn a_name_leads_back_to_its_activation() {
    for activation in Activation::ALL {
        assert_eq!(Activation::from_name(activation.name()).unwrap(), activation);
    }
    let unknown = Activation::from_name("swish").unwrap_err().to_string();
    let known = r#""identity", "relu", "leaky_relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "mish", "softplus""#;
    assert_eq!(unknown, format!(r#"activation is "swish", expected one of {known}"#));
}

#[test]
fn far_out_every_value_stays_finite() {
    for activation in Activation::ALL {
        let (mut z, mut d) = ([-1e4, 1e4], [1.0; 2]);
        there_and_back(activation, &mut z, &mut d);
        assert!(z.iter().chain(&d).all(|value| value.is_finite()), "{activation:?}");
    }
}
