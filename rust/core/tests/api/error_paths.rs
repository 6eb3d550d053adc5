//! Every error, with its exact message; and nothing was changed.

use std::fs;
use std::path::Path;

use crate::common::{Examples, bits, lasting, message, mlp, schedule, sgd};
use fastmlp_core::{
    Activation, Adam, Dataset, Init, Labels, Mlp, Names, Network, Never, Numbers, Objective, Options, Rule,
    Schedule, Sgd, State, Tensor, TensorFile, Trainer, Weights,
};
use ndarray::{Array2, ArrayView2, array};

const LAYER_SIZES: [usize; 3] = [2, 5, 3];

fn network() -> Mlp<f64> {
    mlp(1, &LAYER_SIZES, Activation::Tanh)
}

#[test]
fn calls_refuse_arrays_of_the_wrong_shape_and_write_nothing() {
    let mlp = network();
    let x = Array2::<f64>::zeros((4, 2));
    let wide = Array2::<f64>::zeros((4, 3));
    let mut out = Array2::from_elem((4, 3), 7.0);
    let mut classes = [7; 4];
    let (mut gradient, mut d_x) = (vec![7.0; mlp.parameters().len()], vec![7.0; 8]);
    let wrong_x = "X has shape (4, 3), expected (n, 2)";
    assert_eq!(message(mlp.forward(wide.view(), out.view_mut(), 1, &Never)), wrong_x);
    assert_eq!(message(mlp.predict_proba(wide.view(), out.view_mut(), 1, &Never)), wrong_x);
    assert_eq!(message(mlp.predict(wide.view(), &mut classes, 1, &Never)), wrong_x);
    let d_logits = wide.view();
    assert_eq!(message(mlp.backward(wide.view(), d_logits, &mut gradient, &mut d_x, &Never)), wrong_x);

    let mut narrow = Array2::from_elem((4, 2), 7.0);
    let wrong_out = "out has shape (4, 2), expected (4, 3)";
    assert_eq!(message(mlp.forward(x.view(), narrow.view_mut(), 1, &Never)), wrong_out);
    assert_eq!(message(mlp.predict_proba(x.view(), narrow.view_mut(), 1, &Never)), wrong_out);
    let d_logits = ArrayView2::from_shape((3, 4), wide.as_slice().unwrap()).unwrap();
    assert_eq!(
        message(mlp.backward(x.view(), d_logits, &mut gradient, &mut d_x, &Never)),
        "d_output has shape (3, 4), expected (4, 3)"
    );

    let untouched = out.iter().chain(&narrow).chain(&gradient).chain(&d_x).all(|&value| value == 7.0);
    assert!(untouched && classes == [7; 4]);
}

/// The message about a data set of three rows with three classes.
fn refused(labels: &dyn Labels, sample_weight: Option<&[f64]>, class_weight: Option<&[f64]>) -> String {
    let x = Array2::<f64>::zeros((3, 2));
    let weights = sample_weight.map(|weights| lasting(weights.to_vec()));
    let weights = weights.as_ref().map(|weights| weights as &dyn Weights);
    message(Dataset::new(Names::TRAINING, x.view(), labels, weights, class_weight, 3))
}

#[test]
fn a_data_set_has_a_label_a_row() {
    let (none, three) = (Array2::<f64>::zeros((0, 2)), Array2::<f64>::zeros((3, 2)));
    let labels = lasting(vec![0_i64; 2]);
    let of = |names, x: &Array2<f64>| message(Dataset::new(names, x.view(), &labels, None, None, 3));
    assert_eq!(of(Names::TRAINING, &none), "X has shape (0, 2), expected at least one row");
    assert_eq!(of(Names::VALIDATION, &none), "X_val has shape (0, 2), expected at least one row");
    assert_eq!(of(Names::TRAINING, &three), "y has shape (2,), expected (3,), one label per row of X");
    assert_eq!(
        of(Names::VALIDATION, &three),
        "y_val has shape (2,), expected (3,), one label per row of X_val"
    );
}

#[test]
fn a_label_is_a_class() {
    let expected = |found: &str| format!("y[1] is {found}, expected a class index from 0 to 2");
    assert_eq!(refused(&array![0_i64, -1, 7].view(), None, None), expected("-1"));
    assert_eq!(refused(&array![0_u8, 3, 7].view(), None, None), expected("3"));
    assert_eq!(refused(&array![0, i64::MIN, 7].view(), None, None), expected("-9223372036854775808"));
    assert_eq!(refused(&array![0, u64::MAX, 7].view(), None, None), expected("18446744073709551615"));
}

#[test]
fn weights_are_finite_and_some_row_counts() {
    let labels = array![0_i64, 1, 1];
    let of_samples = |weights: &[f64]| refused(&labels.view(), Some(weights), None);
    let of_classes = |weights: &[f64]| refused(&labels.view(), None, Some(weights));
    for (found, printed) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let row = format!("sample_weight[1] is {printed}, expected a finite number >= 0");
        assert_eq!(of_samples(&[1.0, found, -1.0]), row);
        let class = format!("class_weight is {printed}, expected finite numbers >= 0");
        assert_eq!(of_classes(&[1.0, found, 1.0]), class);
    }
    let shape = "sample_weight has shape (2,), expected (3,), one weight per row of X";
    assert_eq!(of_samples(&[1.0, 1.0]), shape);
    assert_eq!(of_classes(&[1.0, 1.0]), "class_weight has shape (2,), expected (3,), one weight per class");
    let nothing = "the weights of y sum to 0, expected at least one row with a weight > 0";
    assert_eq!(of_samples(&[0.0; 3]), nothing);
    assert_eq!(of_classes(&[0.0, 0.0, 1.0]), nothing);
    assert_eq!(
        of_samples(&[f64::MAX; 3]),
        "sample_weight is such that all weights sum to inf, expected weights whose sum is a normal number"
    );
}

#[test]
fn parameters_outside_their_range() {
    let name = message(Activation::from_name("swish"));
    let choices = r#""identity", "relu", "leaky_relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "mish", "softplus""#;
    assert_eq!(name, format!(r#"activation is "swish", expected one of {choices}"#));
    assert_eq!(
        message(Network::new(&LAYER_SIZES, &[])),
        "activation is a sequence of 0, expected one name, or a sequence of 1 name, one per hidden layer"
    );
    let widths = message(Network::new(&[2, 0, 3], &[Activation::Tanh]));
    assert_eq!(widths, "layer_sizes is [2, 0, 3], expected widths >= 1");
    assert_eq!(
        message(Init::from_name("xavier", None)),
        r#"init is "xavier", expected one of "auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "normal""#
    );
    let rate = message(Sgd::new(0.1, 0.9, false).unwrap().with_learning_rate(f64::INFINITY));
    assert_eq!(rate, "learning_rate is inf, expected a finite number > 0");
    let decay = message(Adam::new(1e-3, f64::NAN, 0.999, 1e-8));
    assert_eq!(decay, "beta_1 is NaN, expected a number in [0, 1)");
}

#[test]
fn a_batch_has_rows() {
    let (mut mlp, examples) = (network(), Examples::new(2, 6, 2, 3));
    let (before, rule) = (bits(mlp.parameters()), sgd(0.1, 0.0));
    let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
    let result = mlp.fit(examples.plain(), None, &rule, &mut state, 1, schedule(Some(0)));
    assert_eq!(message(result), "batch_size is 0, expected None or a number >= 1");
    assert_eq!(bits(mlp.parameters()), before);
}

#[test]
fn an_optimizer_belongs_to_one_network() {
    let (mut mlp, examples) = (network(), Examples::new(2, 6, 2, 3));
    let before = bits(mlp.parameters());
    for rule in [sgd(0.1, 0.9), Rule::Adam(Adam::default())] {
        let mut state = State::new(&rule, 7).unwrap();
        let expected = "the optimizer holds the state of 7 parameters and the network has 33: make a new \
                        optimizer, or call its reset()";
        assert_eq!(
            message(mlp.step(
                &examples.plain(),
                Objective::default(),
                (&rule, &Options::default(), &mut state),
                None,
                &Never
            )),
            expected
        );
        let result = mlp.fit(examples.plain(), None, &rule, &mut state, 1, schedule(None));
        assert_eq!(message(result), expected);
        assert_eq!(state.steps(), 0);
    }
    assert_eq!(bits(mlp.parameters()), before);
}

#[test]
fn inputs_of_training_are_finite() {
    let rule = sgd(0.1, 0.9);
    for (found, printed) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let (mut mlp, mut examples) = (network(), Examples::<f64>::new(2, 6, 2, 3));
        examples.x[[4, 1]] = found;
        examples.x[[5, 0]] = f64::NAN;
        let before = bits(mlp.parameters());
        let mut state = State::new(&rule, before.len()).unwrap();
        let expected = format!("X[4, 1] is {printed}, expected finite numbers");
        assert_eq!(
            message(mlp.step(
                &examples.plain(),
                Objective::default(),
                (&rule, &Options::default(), &mut state),
                None,
                &Never
            )),
            expected
        );
        let mut trainer = Trainer::new(&mlp, examples.plain(), None, schedule(None)).unwrap();
        assert_eq!(message(trainer.epoch(&mut mlp, &rule, &mut state, &Never)), expected);
        assert_eq!(bits(mlp.parameters()), before, "{printed}");
    }
}

#[test]
fn memory_that_cannot_be_had() {
    // More than any address space holds, and a size that a count of bytes can still express.
    let network = Network::new(&[1 << 30, 1 << 28], &[]).unwrap();
    let expected = format!("no memory for {} numbers (the parameters)", (1_u64 << 58) + (1 << 28));
    // On Linux the message also says how much there is.
    assert!(message(Mlp::<f64>::zeros(network, 0)).starts_with(&expected));
    let rule = Rule::Adam(Adam::default());
    let state = message(State::<f32>::new(&rule, 1 << 60));
    assert!(state.starts_with(&format!("no memory for {} numbers (the optimizer's state)", 1_u64 << 60)));
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let path_shown = path.display();
    let reason = fs::read(&path).unwrap_err();
    assert_eq!(message(TensorFile::load(&path)), format!("{path_shown}: {reason}"));

    for (content, reason) in [
        (&b""[..], "it is cut short"),
        (&[0xff; 64], "its header has 18446744073709551615 bytes, expected at most 1048576"),
        (b"\x02\0\0\0\0\0\0\0{}", "its format is not named, expected \"fastmlp-1\" or \"fastmlp-2\""),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(message(TensorFile::load(&path)), format!("{path_shown} is not a model file: {reason}"));
    }
}

#[test]
fn a_file_that_cannot_be_written_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fs::write(&path, "before").unwrap();
    let numbers = Numbers::F32(vec![0.0; 3]);
    let wrong = Tensor { shape: vec![2, 2], numbers };
    let file = TensorFile { tensors: [("w".into(), wrong)].into(), ..TensorFile::default() };
    let expected = "tensors has shape (2, 2), expected extents that multiply to 3";
    assert_eq!(message(file.save(&path)), expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");

    let missing = folder.path().join("missing").join("model.safetensors");
    let saved = message(TensorFile::default().save(&missing));
    assert!(saved.starts_with(&format!("{}: ", missing.display())), "{saved}");
    assert!(!Path::exists(&missing));
}

#[test]
fn a_data_set_must_fit_the_network_and_a_buffer_its_result() {
    let mut mlp = network();
    let before = bits(mlp.parameters());
    let (x, labels) = (Array2::<f64>::zeros((4, 3)), array![0_i64, 1, 2, 0]);
    let (columns, labels) = (x.view(), labels.view());
    let set = |n_classes| Dataset::new(Names::TRAINING, columns, &labels, None, None, n_classes).unwrap();
    let rule = sgd(0.1, 0.0);
    let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
    let mut gradient = vec![7.0; mlp.parameters().len()];
    let wrong_x = "X has shape (4, 3), expected (n, 2)";
    assert_eq!(message(mlp.loss(&set(3), 1, &Never)), wrong_x);
    assert_eq!(
        message(mlp.loss_and_grad(&set(3), Objective::default(), &mut gradient, None, 1, &Never)),
        wrong_x
    );
    assert_eq!(
        message(mlp.step(
            &set(3),
            Objective::default(),
            (&rule, &Options::default(), &mut state),
            None,
            &Never
        )),
        wrong_x
    );
    assert_eq!(message(mlp.fit(set(3), None, &rule, &mut state, 1, schedule(None))), wrong_x);

    let x = Array2::<f64>::zeros((4, 2));
    let wide = Dataset::new(Names::TRAINING, x.view(), &labels, None, None, 4).unwrap();
    let wrong_classes = "n_classes is 4, expected 3, the outputs of the network";
    assert_eq!(message(mlp.loss(&wide, 1, &Never)), wrong_classes);
    assert_eq!(message(mlp.fit(wide, None, &rule, &mut state, 1, schedule(None))), wrong_classes);

    let fitting = || Dataset::new(Names::TRAINING, x.view(), &labels, None, None, 3).unwrap();
    let (short, len) = (gradient.len() - 1, gradient.len());
    assert_eq!(
        message(mlp.loss_and_grad(&fitting(), Objective::default(), &mut gradient[..short], None, 1, &Never)),
        format!("gradient has shape ({short},), expected ({len},)")
    );
    assert_eq!(message(mlp.predict(x.view(), &mut [7; 3], 1, &Never)), "out has shape (3,), expected (4,)");
    assert_eq!(
        message(mlp.backward(x.view(), Array2::zeros((4, 3)).view(), &mut gradient, &mut [7.0; 5], &Never)),
        "d_x has shape (5,), expected (8,)"
    );
    assert_eq!(
        message(mlp.step(
            &fitting(),
            Objective::default(),
            (&sgd(0.1, 0.9), &Options::default(), &mut state),
            None,
            &Never
        )),
        r#"state is the state of a rule with 0 vectors, expected 1: ["velocity"]"#
    );
    let no_threads = Schedule { n_threads: 0, ..schedule(None) };
    assert_eq!(
        message(mlp.fit(fitting(), None, &rule, &mut state, 1, no_threads)),
        "n_threads is 0, expected a number >= 1"
    );
    assert!(gradient.iter().all(|&value| value == 7.0) && bits(mlp.parameters()) == before);
}

#[test]
fn weights_too_small_to_divide_by_are_refused() {
    let (x, labels) = (Array2::<f64>::zeros((2, 2)), array![0_i64, 1]);
    let (labels, tiny) = (labels.view(), array![1e-310, 0.0]);
    let tiny = tiny.view();
    let set = |samples: Option<&dyn Weights>, classes: Option<&[f64]>| {
        message(Dataset::new(Names::TRAINING, x.view(), &labels, samples, classes, 2))
    };
    let sum = "such that all weights sum to 1e-310, expected weights whose sum is a normal number";
    assert_eq!(set(Some(&tiny), None), format!("sample_weight is {sum}"));
    assert_eq!(set(None, Some(&[1e-310, 0.0])), format!("class_weight is {sum}"));
}
