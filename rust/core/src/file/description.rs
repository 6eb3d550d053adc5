//! The description of a network as text: its architecture, the state of its random stream and its frozen layers.

use serde_json::{Map, Value};

use crate::arch::{HiddenActivation, Network, Normalization};
use crate::error::{Error, Result};
use crate::file::tensor::json;
use crate::kernels::Output;
use crate::loss::Loss;

/// The keys of every network.
const KEYS: [&str; 4] = ["activation", "layer_sizes", "output", "seeds"];
/// Further keys of networks with stages beyond dense layers and fixed activations.
const STAGE_KEYS: [&str; 3] = ["format", "input_scale", "normalization"];
/// What `format` is among these: the version of the description. The format of the file is another number.
const DESCRIPTION_VERSION: u64 = 2;
/// Of networks with periodic features, beside all others.
const PERIODIC_INPUTS: &str = "periodic_inputs";
const PARAMETRIC_ACTIVATION: &str = "parametric_activation";
/// Of networks whose loss is not the one that goes with the output, beside all others.
const LOSS: &str = "loss";
/// Of networks with frozen layers, beside all others.
const FROZEN: &str = "frozen";
/// Widest layer.
pub(super) const MAX_WIDTH: usize = 1 << 24;
/// Depth of the text: keys, and lists below them.
pub(super) const MAX_DEPTH: usize = 2;

/// The text.
pub(super) fn to_text(network: &Network, seeds: u64, frozen: &[usize]) -> String {
    let activation: Vec<_> = network.activations().iter().map(|activation| activation.name()).collect();
    let layer_sizes: Vec<_> = network.layout().layer_sizes().collect();
    let mut object = serde_json::json!({
        "activation": activation,
        "layer_sizes": layer_sizes,
        "output": network.output().name(),
        "seeds": seeds
    });
    if !network.is_plain() {
        object["format"] = serde_json::json!(DESCRIPTION_VERSION);
        object["input_scale"] = serde_json::json!(network.input_scale());
        object["normalization"] = serde_json::json!(network.normalization().map(Normalization::name));
    }
    if network.periodic_inputs() > 0 {
        object[PERIODIC_INPUTS] = serde_json::json!(network.periodic_inputs());
    }
    if network.parametric_activation() {
        object[PARAMETRIC_ACTIVATION] = serde_json::json!(true);
    }
    if !network.has_canonical_loss() {
        object[LOSS] = serde_json::json!(loss_to_text(network.loss()));
    }
    if !frozen.is_empty() {
        object[FROZEN] = serde_json::json!(frozen);
    }
    object.to_string()
}

/// Architecture, random state and frozen layers of a text, or the reason why it is none.
pub(super) fn from_text(text: &str) -> Result<(Network, u64, Vec<usize>), String> {
    if let Some(excess) = json::excess(text.as_bytes(), MAX_DEPTH) {
        return Err(excess);
    }
    let mut object: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let loss = object.remove(LOSS).map(|loss| loss_from_text(&loss)).transpose()?;
    let frozen = object.remove(FROZEN);
    let periodic_inputs = object.remove(PERIODIC_INPUTS).map_or(Ok(0), |count| periodic_from(&count))?;
    let parametric_activation =
        object.remove(PARAMETRIC_ACTIVATION).map_or(Ok(false), |flag| parametric_from(&flag))?;
    let has_all = |keys: &[&str]| keys.iter().all(|&key| object.contains_key(key));
    let has_stages = object.len() == KEYS.len() + STAGE_KEYS.len() && has_all(&STAGE_KEYS);
    if !(has_all(&KEYS) && (object.len() == KEYS.len() || has_stages)) {
        let found: Vec<_> = object.keys().collect();
        return Err(format!("its keys are {found:?}, expected {KEYS:?}, or {STAGE_KEYS:?} besides"));
    }
    let wrong = |key: &str, expected: &str| format!("{key} is {}, expected {expected}", object[key]);
    let widths = format!("widths from 1 to {MAX_WIDTH}");
    let width = |value: &Value| {
        let width = usize::try_from(value.as_u64()?).ok()?;
        (1..=MAX_WIDTH).contains(&width).then_some(width)
    };
    let layer_sizes: Vec<_> =
        list(&object["layer_sizes"], width).ok_or_else(|| wrong("layer_sizes", &widths))?;
    let names = list(&object["activation"], |name| name.as_str().map(str::to_owned));
    let names = names.ok_or_else(|| wrong("activation", "one name per hidden layer"))?;
    let output = object["output"].as_str().ok_or_else(|| wrong("output", "a name"))?;
    let seeds = object["seeds"].as_u64().ok_or_else(|| wrong("seeds", "a number from 0 to 2**64 - 1"))?;
    let (mut input_scale, mut normalization) = (false, None);
    if has_stages {
        if object["format"].as_u64() != Some(DESCRIPTION_VERSION) {
            return Err(wrong("format", "2"));
        }
        input_scale = object["input_scale"].as_bool().ok_or_else(|| wrong("input_scale", "true or false"))?;
        let name = &object["normalization"];
        if !name.is_null() {
            normalization = Some(name.as_str().ok_or_else(|| wrong("normalization", "null or a name"))?);
        }
    }
    let network = || {
        let activations =
            names.iter().map(|name| HiddenActivation::from_name(name)).collect::<Result<Vec<_>>>()?;
        let normalization = normalization.map(Normalization::from_name).transpose()?;
        let network = Network::with_stages(&layer_sizes, &activations, normalization, input_scale)?
            .with_periodic_inputs(periodic_inputs)?
            .with_parametric_activation(parametric_activation)?;
        if has_stages && network.is_plain() {
            let expected = "1 for a network of dense layers and fixed activations alone";
            return Err(Error::value("format", DESCRIPTION_VERSION, expected));
        }
        let network = network.with_output(Output::from_name(output)?);
        let Some(loss) = loss else { return Ok(network) };
        let network = network.with_loss(loss)?;
        if network.has_canonical_loss() {
            return Err(Error::value("loss", "that of the output", "none in this case"));
        }
        Ok(network)
    };
    let network = network().map_err(|error: Error| error.to_string())?;
    let frozen =
        frozen.map_or(Ok(Vec::new()), |frozen| frozen_from(&frozen, network.layout().layers().len()))?;
    Ok((network, seeds, frozen))
}

/// The numbers of some of a network's layers, at least one, in their order.
fn frozen_from(value: &Value, n_layers: usize) -> Result<Vec<usize>, String> {
    let number = |value: &Value| usize::try_from(value.as_u64()?).ok().filter(|&layer| layer < n_layers);
    list(value, number).filter(|layers| !layers.is_empty() && layers.is_sorted_by(|a, b| a < b)).ok_or_else(
        || format!("frozen is {value}, expected numbers of its {n_layers} layers, in their order"),
    )
}

/// How many inputs have periodic features, at least one.
fn periodic_from(value: &Value) -> Result<usize, String> {
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|&count| count > 0);
    count.ok_or_else(|| format!("periodic_inputs is {value}, expected a number >= 1"))
}

/// Whether activations have a learnable nonlinearity, which is written only where they have.
fn parametric_from(value: &Value) -> Result<bool, String> {
    let flag = value.as_bool().filter(|&is_parametric| is_parametric);
    flag.ok_or_else(|| format!("parametric_activation is {value}, expected true"))
}

/// The name, then the numbers, each the shortest text that stands for it: not every reader of JSON gives back the last
/// bit of a number.
fn loss_to_text(loss: &Loss) -> Vec<String> {
    let name = loss.name().unwrap_or_default().to_owned();
    [name].into_iter().chain(loss.numbers().iter().map(f64::to_string)).collect()
}

fn loss_from_text(value: &Value) -> Result<Loss, String> {
    let wrong = || format!("loss is {value}, expected a name, and numbers as text");
    let texts = list(value, |text| text.as_str().map(str::to_owned)).ok_or_else(wrong)?;
    let (name, numbers) = texts.split_first().ok_or_else(wrong)?;
    let numbers: Vec<f64> =
        numbers.iter().map(|number| number.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    let loss = Loss::from_name(name, &numbers).map_err(|error| error.to_string())?;
    // One way to write a loss.
    if loss_to_text(&loss) == texts { Ok(loss) } else { Err(wrong()) }
}

fn list<T>(value: &Value, f: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(f).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;

    #[test]
    fn stages_beyond_dense_layers_are_saved_and_loaded() {
        let hidden = [HiddenActivation::Prelu, Activation::Relu.into()];
        for normalization in [None, Some(Normalization::Layer), Some(Normalization::Batch)] {
            for input_scale in [false, true] {
                let network =
                    Network::with_stages(&[2, 3, 4, 1], &hidden, normalization, input_scale).unwrap();
                for frozen in [vec![], vec![2], vec![0, 1, 2]] {
                    let again = from_text(&to_text(&network, 7, &frozen)).unwrap();
                    assert_eq!(again, (network.clone(), 7, frozen));
                }
            }
        }
        let periodic = Network::with_stages(&[2, 3, 4, 1], &hidden, None, true).unwrap();
        let periodic = periodic.with_periodic_inputs(2).unwrap();
        let text = to_text(&periodic, 7, &[]);
        assert_eq!(from_text(&text).unwrap(), (periodic, 7, vec![]));
        for (from, to, reason) in [
            (
                "\"periodic_inputs\":2",
                "\"periodic_inputs\":0",
                "periodic_inputs is 0, expected a number >= 1",
            ),
            (
                "\"periodic_inputs\":2",
                "\"periodic_inputs\":true",
                "periodic_inputs is true, expected a number",
            ),
            (
                "\"periodic_inputs\":2",
                "\"periodic_inputs\":3",
                "periodic_inputs is 3, expected at most the width",
            ),
        ] {
            let error = from_text(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.starts_with(reason), "{error} against {reason}");
        }
        let parametric = Network::new(&[2, 3, 4, 1], &[Activation::Mish, Activation::Relu]).unwrap();
        let parametric = parametric.with_parametric_activation(true).unwrap();
        let text = to_text(&parametric, 7, &[]);
        assert_eq!(from_text(&text).unwrap(), (parametric, 7, vec![]));
        let never = text.replacen("\"parametric_activation\":true", "\"parametric_activation\":false", 1);
        assert_eq!(from_text(&never).unwrap_err(), "parametric_activation is false, expected true");
        let scaled = to_text(&Network::with_stages(&[2, 1], &[], None, true).unwrap(), 0, &[0]);
        for (from, to, reason) in [
            ("true", "false", "format is 2, expected 1 for a network of dense layers"),
            ("true", "1", "input_scale is 1, expected true or false"),
            ("null", "\"rows\"", "normalization is \"rows\", expected None, \"layer\" or \"batch\""),
            ("null", "2", "normalization is 2, expected null or a name"),
            ("\"format\":2", "\"format\":3", "format is 3, expected 2"),
            ("\"format\":2,", "", "its keys are"),
            ("[0]", "[]", "frozen is [], expected numbers of its 1 layers, in their order"),
            ("[0]", "[1]", "frozen is [1], expected numbers of its 1 layers"),
            ("[0]", "[0,0]", "frozen is [0,0], expected numbers of its 1 layers"),
            ("[0]", "0", "frozen is 0, expected numbers of its 1 layers"),
        ] {
            let error = from_text(&scaled.replacen(from, to, 1)).unwrap_err();
            assert!(error.starts_with(reason), "{error} against {reason}");
        }
    }

    #[test]
    fn a_loss_is_saved_and_loaded_to_the_last_bit() {
        let levels = vec![0.1, 1.0 / 3.0, 1.0 - f64::EPSILON];
        let plain = || Network::new(&[2, 3], &[]).unwrap();
        let identity = || plain().with_output(Output::Identity);
        let exp = || plain().with_output(Output::Exp);
        for network in [
            plain().with_loss(Loss::Focal { gamma: 0.7 }).unwrap(),
            plain().with_loss(Loss::CrossEntropy { label_smoothing: 1e-300 }).unwrap(),
            identity().with_loss(Loss::Quantile { levels }).unwrap(),
            identity().with_loss(Loss::AbsoluteError).unwrap(),
            exp().with_loss(Loss::Tweedie { power: 4.0 / 3.0 }).unwrap(),
            Network::with_stages(&[2, 3], &[], None, true)
                .unwrap()
                .with_loss(Loss::Focal { gamma: 2.5 })
                .unwrap(),
        ] {
            let again = from_text(&to_text(&network, 7, &[0])).unwrap();
            assert_eq!(again, (network, 7, vec![0]));
        }
        assert!(!to_text(&identity(), 7, &[]).contains("loss"));

        let huber = to_text(&identity().with_loss(Loss::Huber { delta: 1.5 }).unwrap(), 0, &[]);
        for (from, to, reason) in [
            ("\"1.5\"", "1.5", "loss is [\"huber\",1.5], expected a name, and numbers as text"),
            ("\"1.5\"", "\"1.50\"", "loss is [\"huber\",\"1.50\"], expected a name"),
            ("\"1.5\"", "\"-1\"", "delta is -1, expected a finite number > 0"),
            ("\"huber\",\"1.5\"", "", "loss is [], expected a name"),
            ("\"huber\",\"1.5\"", "\"gamma\"", "loss is \"gamma\", expected one for the output \"identity\""),
            ("\"huber\",\"1.5\"", "\"squared_error\"", "loss is that of the output, expected none"),
            ("\"huber\",\"1.5\"", "\"hinge\"", "loss is \"hinge\", expected one of"),
        ] {
            let error = from_text(&huber.replacen(from, to, 1)).unwrap_err();
            assert!(error.starts_with(reason), "{error} against {reason}");
        }
    }
}
