//! What stands between the dense layers: activations, fixed or learnable, and normalisations.

use crate::error::{Error, Result};
use crate::kernels::Activation;

/// The activation of a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiddenActivation {
    /// A function that never changes.
    Fixed(Activation),
    /// `z` above 0, and below it `a z` with a learnable slope `a` per unit.
    Prelu,
}

impl From<Activation> for HiddenActivation {
    fn from(fixed: Activation) -> Self {
        Self::Fixed(fixed)
    }
}

impl HiddenActivation {
    /// Every activation, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Activation::ALL.into_iter().map(Self::Fixed).chain([Self::Prelu])
    }

    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed(fixed) => fixed.name(),
            Self::Prelu => "prelu",
        }
    }

    /// The activation with this name.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::all().find(|activation| activation.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(|activation| format!("{:?}", activation.name())).collect();
            Error::value("activation", format_args!("{name:?}"), format!("one of {}", names.join(", ")))
        })
    }
}

/// What the sums of a hidden layer are normalised over, before the activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// The values of each row.
    Layer,
}

impl Normalization {
    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layer => "layer",
        }
    }

    /// The normalisation with this name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "layer" => Ok(Self::Layer),
            _ => Err(Error::value("normalization", format_args!("{name:?}"), r#"None or "layer""#)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_activation() {
        for activation in HiddenActivation::all() {
            assert_eq!(HiddenActivation::from_name(activation.name()).unwrap(), activation);
        }
        let unknown = HiddenActivation::from_name("step").unwrap_err().to_string();
        assert!(
            unknown.starts_with(r#"activation is "step", expected one of "identity", "relu", "#),
            "{unknown}"
        );
    }
}
