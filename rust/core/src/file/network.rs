//! A network in a tensor file: its parameters are a tensor, its architecture is text, and other tensors and text may
//! accompany it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Map, Value};

use crate::arch::{Block, HiddenActivation, Layout, Network, Normalization, Role};
use crate::error::{Error, Result};
use crate::file::tensor::{Numbers, Tensor, TensorFile, json};
use crate::kernels::Output;
use crate::loss::Loss;
use crate::numbers::Number;

const PARAMETERS: &str = "parameters";
const NETWORK: &str = "network";
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
const MAX_WIDTH: usize = 1 << 24;
/// Depth of the text: keys, and lists below them.
const MAX_DEPTH: usize = 2;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkFile {
    /// The architecture.
    pub network: Network,
    /// All parameters.
    pub parameters: Numbers,
    /// The [state](crate::Mlp::seeds) of the network's random stream.
    pub seeds: u64,
    /// The [layers](crate::Mlp::frozen) that training leaves unchanged, in ascending order.
    pub frozen: Vec<usize>,
    /// Tensors that accompany the network, by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Text that accompanies the network, by key.
    pub metadata: BTreeMap<String, String>,
}

impl NetworkFile {
    /// Writes the file whole or not at all, as [`TensorFile::save`] does; parameters that are not finite are refused.
    pub fn save(self, path: &Path) -> Result<()> {
        self.into_tensors()?.save(path)
    }

    /// Writes the bytes of the file in pieces, as [`TensorFile::save_to`] does; `name` is for errors.
    pub fn save_to(self, to: impl Write, name: &Path) -> Result<()> {
        self.into_tensors()?.save_to(to, name)
    }

    fn into_tensors(self) -> Result<TensorFile> {
        let Self { network, parameters, seeds, frozen, mut tensors, mut metadata } = self;
        check_parameters(network.layout(), &[parameters.len()], &parameters)?;
        if let Some((place, value, expected)) = unfit(network.layout(), &parameters) {
            return Err(Error::value("parameters", format!("{value} at {place}"), expected));
        }
        if let Some(width) = network.layout().layer_sizes().find(|&width| width > MAX_WIDTH) {
            return Err(Error::Unsavable {
                reason: format!("a layer is {width} wide, expected at most {MAX_WIDTH}"),
            });
        }
        if *network.loss() == Loss::Function {
            let reason = "the loss is a function, which a file cannot hold: pickle the network, or save its parameters with numpy.save".to_owned();
            return Err(Error::Unsavable { reason });
        }
        let text = to_text(&network, seeds, &frozen);
        if let Some(excess) = json::excess(text.as_bytes(), MAX_DEPTH) {
            return Err(Error::Unsavable { reason: format!("its network: {excess}") });
        }
        let taken = |name: &str| Error::Unsavable { reason: format!("{name:?} is the network's own name") };
        let shape = vec![parameters.len()];
        if tensors.insert(PARAMETERS.into(), Tensor { shape, numbers: parameters }).is_some() {
            return Err(taken(PARAMETERS));
        }
        if metadata.insert(NETWORK.into(), text).is_some() {
            return Err(taken(NETWORK));
        }
        Ok(TensorFile { tensors, metadata })
    }

    /// Reads a file and checks everything in it before use.
    pub fn load(path: &Path) -> Result<Self> {
        Self::checked(TensorFile::load(path)?, path)
    }

    /// Reads the bytes of a file, as [`TensorFile::read`] does.
    pub fn read(path: &Path, from: impl Read, size: Option<u64>) -> Result<Self> {
        Self::checked(TensorFile::read(path, from, size)?, path)
    }

    fn checked(file: TensorFile, path: &Path) -> Result<Self> {
        Self::from_tensors(file)
            .map_err(|reason| Error::ModelFile { path: path.display().to_string(), reason })
    }

    /// The network in a file, or the reason why the file has none.
    pub fn from_tensors(TensorFile { mut tensors, mut metadata }: TensorFile) -> Result<Self, String> {
        let text = metadata.remove(NETWORK).ok_or("it holds no network")?;
        let Tensor { shape, numbers: parameters } =
            tensors.remove(PARAMETERS).ok_or("it holds no parameters")?;
        let (network, seeds, frozen) =
            from_text(&text).map_err(|reason| format!("its network is not one: {reason}"))?;
        check_parameters(network.layout(), &shape, &parameters).map_err(|error| error.to_string())?;
        if let Some((place, value, expected)) = unfit(network.layout(), &parameters) {
            return Err(format!("parameters is {value} at {place}, expected {expected}"));
        }
        Ok(Self { network, parameters, seeds, frozen, tensors, metadata })
    }
}

fn check_parameters(layout: &Layout, shape: &[usize], parameters: &Numbers) -> Result<()> {
    if matches!(parameters, Numbers::I64(_) | Numbers::U8(_)) {
        return Err(Error::value("parameters", "of integers", "F32 or F64"));
    }
    if shape == [layout.n_parameters()] && parameters.len() == layout.n_parameters() {
        return Ok(());
    }
    Err(Error::shape("parameters", shape, format!("({},)", layout.n_parameters())))
}

/// The first parameter that is not finite, or else the first negative variance: its name, its value and what is expected.
fn unfit(layout: &Layout, parameters: &Numbers) -> Option<(String, f64, &'static str)> {
    match parameters {
        Numbers::F32(values) => unfit_among(layout, values),
        Numbers::F64(values) => unfit_among(layout, values),
        Numbers::I64(_) | Numbers::U8(_) => None,
    }
}

fn unfit_among<T: Number>(layout: &Layout, values: &[T]) -> Option<(String, f64, &'static str)> {
    let value = |i: usize| -> f64 { values[i].into() };
    let not_finite = || (0..values.len()).find(|&i| !value(i).is_finite()).map(|i| (i, "finite numbers"));
    let variances = layout.blocks().iter().filter(|block| block.role == Role::Variance);
    let negative = || variances.flat_map(Block::range).find(|&i| value(i) < 0.0).map(|i| (i, "numbers >= 0"));
    let (i, expected) = not_finite().or_else(negative)?;
    Some((layout.place(i), value(i), expected))
}

fn to_text(network: &Network, seeds: u64, frozen: &[usize]) -> String {
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

fn from_text(text: &str) -> Result<(Network, u64, Vec<usize>), String> {
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

    fn example() -> NetworkFile {
        let network = Network::new(&[2, 3, 1], &[Activation::Tanh]).unwrap().with_output(Output::Exp);
        let parameters = Numbers::F64((0..13).map(f64::from).collect());
        let tensor = Tensor { shape: vec![1, 2], numbers: Numbers::F32(vec![1.0, 2.0]) };
        let (tensors, metadata) = ([("mean".into(), tensor)].into(), [("note".into(), "text".into())].into());
        NetworkFile { network, parameters, seeds: u64::MAX, frozen: vec![1], tensors, metadata }
    }

    fn changed(change: impl FnOnce(&mut TensorFile)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        example().save(&path).unwrap();
        let mut file = TensorFile::load(&path).unwrap();
        change(&mut file);
        NetworkFile::from_tensors(file).unwrap_err()
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        example().save(&path).unwrap();
        assert_eq!(NetworkFile::load(&path).unwrap(), example());
    }

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

    #[test]
    fn a_loss_that_is_a_function_is_not_saved() {
        let network = Network::new(&[2, 3], &[]).unwrap().with_output(Output::Identity);
        let network = network.with_loss(Loss::Function).unwrap();
        let file = NetworkFile { network, parameters: Numbers::F64(vec![0.0; 9]), ..example() };
        let error = file.save(Path::new("no/such/folder/model")).unwrap_err().to_string();
        let reason = "the loss is a function, which a file cannot hold: pickle the network, or save its parameters with numpy.save";
        assert_eq!(error, format!("the file could not be read back: {reason}"));
    }

    #[test]
    fn a_network_that_is_none_is_refused() {
        let with = |from: &'static str, to: &'static str| {
            changed(move |file| {
                let text = file.metadata.get_mut(NETWORK).unwrap();
                assert!(text.contains(from), "{text}");
                *text = text.replace(from, to);
            })
        };
        for (error, reason) in [
            (with("[2,3,1]", "[2,0,1]"), "layer_sizes is [2,0,1], expected widths from 1 to 16777216"),
            (with("[2,3,1]", "[2,16777217,1]"), "layer_sizes is [2,16777217,1], expected widths from"),
            (with("[2,3,1]", "[2,3.0,1]"), "layer_sizes is [2,3.0,1], expected widths from"),
            (with("[2,3,1]", "[13]"), "layer_sizes is [13], expected at least two widths"),
            (with("[2,3,1]", "[2,4,1]"), "parameters has shape (13,), expected (17,)"),
            (with("[\"tanh\"]", "\"tanh\""), "activation is \"tanh\", expected one name per hidden"),
            (with("\"tanh\"", "\"step\""), "activation is \"step\", expected one of"),
            (with("[\"tanh\"]", "[]"), "activation is a sequence of 0, expected one name"),
            (with("\"exp\"", "\"log\""), "output is \"log\", expected one of"),
            (with("18446744073709551615", "-1"), "seeds is -1, expected a number from 0 to"),
            (
                with("\"seeds\"", "\"seed\""),
                "its keys are [\"activation\", \"layer_sizes\", \"output\", \"seed\"]",
            ),
            (with("}", ""), "its network is not one: EOF while parsing"),
            (changed(|file| drop(file.metadata.remove(NETWORK))), "it holds no network"),
            (changed(|file| drop(file.tensors.remove(PARAMETERS))), "it holds no parameters"),
        ] {
            assert!(error.contains(reason), "{error} against {reason}");
        }
    }

    #[test]
    fn parameters_that_are_not_finite_are_neither_loaded_nor_saved() {
        for (i, place) in
            [(0, "weights[0][0, 0]"), (4, "weights[0][1, 1]"), (7, "biases[0][1]"), (12, "biases[1][0]")]
        {
            let spoil = |numbers: &mut Numbers| {
                let Numbers::F64(values) = numbers else { unreachable!() };
                values[i] = f64::NEG_INFINITY;
            };
            let reason = format!("parameters is -inf at {place}, expected finite numbers");
            assert_eq!(changed(|file| spoil(&mut file.tensors.get_mut(PARAMETERS).unwrap().numbers)), reason);
            let mut file = example();
            spoil(&mut file.parameters);
            assert_eq!(file.save(Path::new("no/such/folder/model")).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn a_variance_below_0_is_neither_loaded_nor_saved() {
        let hidden = [HiddenActivation::Prelu];
        let network = Network::with_stages(&[2, 3, 1], &hidden, Some(Normalization::Batch), false).unwrap();
        let parameters = Numbers::F64(vec![-1.0; network.layout().n_parameters()]);
        let file = NetworkFile { network, parameters, ..example() };
        let reason = "parameters is -1 at variances[0][0], expected numbers >= 0";
        assert_eq!(file.clone().save(Path::new("no/such/folder/model")).unwrap_err().to_string(), reason);
        let good = Numbers::F64(vec![1.0; file.parameters.len()]);
        let mut tensors = NetworkFile { parameters: good, ..file.clone() }.into_tensors().unwrap();
        tensors.tensors.get_mut(PARAMETERS).unwrap().numbers = file.parameters;
        assert_eq!(NetworkFile::from_tensors(tensors).unwrap_err(), reason);
    }

    #[test]
    fn names_of_the_network_s_own_are_refused() {
        let mut file = example();
        file.metadata.insert(NETWORK.into(), String::new());
        let error = file.save(Path::new("no/such/folder/model")).unwrap_err().to_string();
        assert_eq!(error, "the file could not be read back: \"network\" is the network's own name");
    }

    #[test]
    fn a_network_too_wide_to_be_loaded_is_not_saved() {
        let network = Network::new(&[MAX_WIDTH + 1, 1], &[]).unwrap();
        let parameters = Numbers::F32(vec![0.0; network.layout().n_parameters()]);
        let file = NetworkFile { network, parameters, ..example() };
        let error = file.save(Path::new("no/such/folder/model")).unwrap_err().to_string();
        let expected = "the file could not be read back: a layer is 16777217 wide, expected at most 16777216";
        assert_eq!(error, expected);
    }
}
