//! A network in a tensor file: its parameters are a tensor, its architecture is text, and other tensors and text may
//! accompany it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use crate::arch::{Block, Layout, Network, Role};
use crate::error::{Error, Result};
use crate::file::description::{MAX_DEPTH, MAX_WIDTH, from_text, to_text};
use crate::file::tensor::{Numbers, Tensor, TensorFile, json};
use crate::loss::Loss;
use crate::numbers::Number;

const PARAMETERS: &str = "parameters";
const NETWORK: &str = "network";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{HiddenActivation, Normalization};
    use crate::kernels::{Activation, Output};

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
