//! Initial parameters. Biases start at 0.
//!
//! | name | distribution of a weight | source |
//! | --- | --- | --- |
//! | `glorot_uniform` | uniform in ±sqrt(6 / (`d_in` + `d_out`)) | Glorot and Bengio, 2010 |
//! | `glorot_normal` | normal, variance 2 / (`d_in` + `d_out`) | Glorot and Bengio, 2010 |
//! | `he_uniform` | uniform in ±sqrt(6 / `d_in`) | He et al., 2015 |
//! | `he_normal` | normal, variance 2 / `d_in` | He et al., 2015 |
//! | `lecun_normal` | normal, variance 1 / `d_in` | LeCun et al., 1998 |
//! | `normal` | normal, standard deviation `init_scale` | |
//! | `auto` | `he_uniform` before `relu` and its relatives, `lecun_normal` before `selu`, else `glorot_uniform` | |
//!
//! Periodic features have drawn parameters as well: frequencies are normal with standard deviation 1, phases uniform over a
//! turn, projections and offsets uniform in ±1/4, as in Holzmueller, Grinsztajn and Steinwart, "Better by default", 2024, but
//! for the frequencies, whose deviation is 0.1 there.
//!
//! Numbers are drawn in double precision, so networks of both types start from the same values.

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::arch::block::{Block, Role};
use crate::arch::hidden::HiddenActivation::{self, Fixed, Prelu};
use crate::arch::layout::Layout;
use crate::error::{Error, Result};
use crate::kernels::{Element, Suits};

/// Standard deviation of `normal` if none is given.
const DEFAULT_SCALE: f64 = 0.01;

/// How weights are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Depending on the activation that follows.
    Auto,
    /// Glorot, uniform.
    GlorotUniform,
    /// Glorot, normal.
    GlorotNormal,
    /// He, uniform.
    HeUniform,
    /// He, normal.
    HeNormal,
    /// LeCun, normal.
    LecunNormal,
    /// Normal with this standard deviation.
    Normal(f64),
}

impl Init {
    /// The initialiser with this name; `scale` belongs to `normal` alone.
    pub fn from_name(name: &str, scale: Option<f64>) -> Result<Self> {
        let init = match name {
            "auto" => Self::Auto,
            "glorot_uniform" => Self::GlorotUniform,
            "glorot_normal" => Self::GlorotNormal,
            "he_uniform" => Self::HeUniform,
            "he_normal" => Self::HeNormal,
            "lecun_normal" => Self::LecunNormal,
            "normal" => Self::Normal(scale.unwrap_or(DEFAULT_SCALE)),
            _ => {
                let expected = r#"one of "auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "normal""#;
                return Err(Error::value("init", format_args!("{name:?}"), expected));
            }
        };
        match (init, scale) {
            (Self::Normal(scale), _) if !(scale.is_finite() && scale >= 0.0) => {
                Err(Error::value("init_scale", scale, "a finite number >= 0"))
            }
            (Self::Normal(_), _) | (_, None) => Ok(init),
            (_, Some(scale)) => {
                let expected = format!("None with init={name:?}: it is the scale of init=\"normal\"");
                Err(Error::value("init_scale", scale, expected))
            }
        }
    }

    /// Draws the parameters of roles without an initial value, and sets all others to it; `activations` has one
    /// entry per hidden layer. Fails if a weight is not finite.
    pub fn fill<T: Element>(
        self,
        layout: &Layout,
        activations: &[HiddenActivation],
        seed: u64,
        parameters: &mut [T],
    ) -> Result<()> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        for block in layout.blocks() {
            let numbers = &mut parameters[block.range()];
            if let Some(initial) = block.role.initial() {
                numbers.fill(T::from_f64(initial));
                continue;
            }
            let draw = match block.role {
                Role::Frequency => Draw::Normal(1.0),
                Role::Phase => Draw::Uniform(0.5),
                Role::Projection | Role::Offset => Draw::Uniform(0.25),
                _ => self.of_weights(block, activations.get(block.index).copied()),
            };
            for number in numbers {
                *number = T::from_f64(draw.next(&mut rng));
            }
        }
        match self {
            Self::Normal(scale) if !T::largest_magnitude(parameters).is_finite() => {
                let expected = format!("a scale that makes finite weights of {}", T::DTYPE);
                Err(Error::value("init_scale", format_args!("{scale:?}"), expected))
            }
            _ => Ok(()),
        }
    }

    /// The distribution of the weights in front of `activation`; `None` is the output layer.
    fn of_weights(self, block: &Block, activation: Option<HiddenActivation>) -> Draw {
        debug_assert_eq!(block.role, Role::Weight);
        let (d_in, d_out) = (block.rows as f64, block.cols as f64);
        match self.resolved(activation) {
            Self::GlorotNormal => Draw::Normal((2.0 / (d_in + d_out)).sqrt()),
            Self::HeUniform => Draw::Uniform((6.0 / d_in).sqrt()),
            Self::HeNormal => Draw::Normal((2.0 / d_in).sqrt()),
            Self::LecunNormal => Draw::Normal((1.0 / d_in).sqrt()),
            Self::Normal(scale) => Draw::Normal(scale),
            Self::GlorotUniform | Self::Auto => Draw::Uniform((6.0 / (d_in + d_out)).sqrt()),
        }
    }

    /// What `Auto` stands for in front of `activation`; `None` is the output layer.
    fn resolved(self, activation: Option<HiddenActivation>) -> Self {
        match (self, activation) {
            (Self::Auto, Some(Fixed(activation))) => match activation.suits() {
                Suits::Glorot => Self::GlorotUniform,
                Suits::He => Self::HeUniform,
                Suits::Lecun => Self::LecunNormal,
            },
            (Self::Auto, Some(Prelu)) => Self::HeUniform,
            (Self::Auto, None) => Self::GlorotUniform,
            (init, _) => init,
        }
    }
}

enum Draw {
    Uniform(f64),
    Normal(f64),
}

impl Draw {
    fn next(&self, rng: &mut Xoshiro256PlusPlus) -> f64 {
        match self {
            Self::Uniform(bound) => bound * (2.0 * rng.random::<f64>() - 1.0),
            Self::Normal(deviation) => deviation * rng.sample::<f64, _>(StandardNormal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Network;
    use crate::kernels::Activation;
    use crate::numbers::Number;

    fn drawn(name: &str, scale: Option<f64>, activation: Activation) -> (Layout, Vec<f64>) {
        let layout = Layout::new(&[300, 200, 10]).unwrap();
        let mut parameters = vec![f64::NAN; layout.n_parameters()];
        let init = Init::from_name(name, scale).unwrap();
        init.fill(&layout, &[activation.into()], 7, &mut parameters).unwrap();
        (layout, parameters)
    }

    #[test]
    fn the_spread_is_the_formulas() {
        let glorot = 2.0_f64 / 500.0;
        let he = 2.0_f64 / 300.0;
        let lecun = 1.0_f64 / 300.0;
        let cases = [
            ("glorot_uniform", None, Activation::Relu, glorot),
            ("glorot_normal", None, Activation::Relu, glorot),
            ("he_uniform", None, Activation::Tanh, he),
            ("he_normal", None, Activation::Tanh, he),
            ("normal", Some(0.5), Activation::Tanh, 0.25),
            ("normal", None, Activation::Tanh, 1e-4),
            ("auto", None, Activation::Relu, he),
            ("auto", None, Activation::LeakyRelu, he),
            ("auto", None, Activation::Gelu, he),
            ("auto", None, Activation::Softplus, he),
            ("auto", None, Activation::Selu, lecun),
            ("lecun_normal", None, Activation::Relu, lecun),
            ("auto", None, Activation::Tanh, glorot),
        ];
        for (name, scale, activation, expected) in cases {
            let (layout, parameters) = drawn(name, scale, activation);
            let first = &parameters[layout.layers()[0].weights()];
            let n = first.len() as f64;
            let mean = first.iter().sum::<f64>() / n;
            let variance = first.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n;
            // Five standard errors: sqrt(2 / n) of the variance of a normal, less for a uniform.
            assert!((variance / expected - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{name} {variance}");
            assert!(mean.abs() < 5.0 * (expected / n).sqrt(), "{name} {mean}");
            for layer in layout.layers() {
                assert!(parameters[layer.biases()].iter().all(|&b| b == 0.0), "{name}");
            }
        }
    }

    #[test]
    fn periodic_features_have_the_spread_of_their_roles() {
        let network = Network::new(&[500, 1], &[]).unwrap().with_periodic_inputs(500).unwrap();
        let layout = network.layout();
        let mut parameters = vec![f64::NAN; layout.n_parameters()];
        Init::Auto.fill(layout, &[], 7, &mut parameters).unwrap();
        let variances = [1.0, 1.0 / 12.0, 1.0 / 48.0, 1.0 / 48.0];
        for (block, expected) in layout.blocks().iter().zip(variances) {
            let numbers = &parameters[block.range()];
            let n = numbers.len() as f64;
            let variance = numbers.iter().map(|x| x.powi(2)).sum::<f64>() / n;
            assert!((variance / expected - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{block:?} {variance}");
        }
    }

    #[test]
    fn both_types_start_from_the_same_values() {
        let (layout, wide) = drawn("normal", None, Activation::Relu);
        let mut narrow = vec![0.0_f32; wide.len()];
        Init::Normal(0.01).fill(&layout, &[Activation::Relu.into()], 7, &mut narrow).unwrap();
        assert!(wide.iter().zip(&narrow).all(|(&w, &n)| f32::from_f64(w) == n));
    }

    #[test]
    fn a_scale_belongs_to_normal_alone() {
        let message = Init::from_name("he_normal", Some(1.0)).unwrap_err().to_string();
        assert_eq!(
            message,
            r#"init_scale is 1, expected None with init="he_normal": it is the scale of init="normal""#
        );
        for scale in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Init::from_name("normal", Some(scale)).is_err());
        }
    }

    #[test]
    fn a_scale_that_makes_infinite_weights_is_refused() {
        let layout = Layout::new(&[3, 2]).unwrap();
        let message = Init::Normal(1e39).fill(&layout, &[], 7, &mut [0.0_f32; 8]).unwrap_err().to_string();
        assert_eq!(message, "init_scale is 1e39, expected a scale that makes finite weights of float32");
        Init::Normal(1e39).fill(&layout, &[], 7, &mut [0.0_f64; 8]).unwrap();
    }
}
