//! Training that diverges ends with a message, and changes neither the network nor the state.

use crate::common::{Examples, bits, message, mlp, schedule, sgd};
use fastmlp_core::{
    Activation, Adam, Dataset, Init, Mlp, Names, Network, Never, Objective, Options, Rule, State,
};
use ndarray::{Array2, array};

const LAYER_SIZES: [usize; 3] = [2, 5, 3];

#[test]
fn a_step_that_diverges_is_not_applied() {
    const EXPECTED: &str = "training diverged: WHAT is not finite in epoch 1, batch 1; the network keeps the \
                            parameters it had before that batch: lower the learning rate, standardise X";
    let examples = Examples::<f64>::new(2, 6, 2, 3);
    let rule = Rule::Adam(Adam::default());
    let check = |mut mlp: Mlp<f64>, data: Dataset<'_, f64>, rule: &Rule, what: &str| {
        let before = bits(mlp.parameters());
        let mut state = State::new(rule, before.len()).unwrap();
        let expected = EXPECTED.replace("WHAT", what);
        assert_eq!(
            message(mlp.step(
                &data,
                Objective::default(),
                (rule, &Options::default(), &mut state),
                None,
                &Never
            )),
            expected
        );
        assert_eq!(message(mlp.fit(data, None, rule, &mut state, 1, schedule(None))), expected);
        assert_eq!((bits(mlp.parameters()), state.steps()), (before, 0));
        assert!(state.slots().flatten().all(|&value| value == 0.0));
    };

    let mut too_large = mlp::<f64>(1, &LAYER_SIZES, Activation::Tanh);
    too_large.parameters_mut().fill(f64::MAX);
    check(too_large, examples.plain(), &rule, "the loss");
    let wide = Examples { x: &examples.x * 1e3, ..Examples::new(2, 6, 2, 3) };
    let linear = mlp::<f64>(1, &LAYER_SIZES, Activation::Identity);
    check(linear, wide.plain(), &sgd(f64::MAX, 0.9), "the step");

    // Hidden values are 0, and so are the logits; their derivative is 1e200 times 1e200.
    let linear = Network::new(&LAYER_SIZES, &[Activation::Identity]).unwrap();
    let mut steep = Mlp::<f64>::zeros(linear, 0).unwrap();
    let last = steep.network().layout().layers()[1].weights();
    steep.parameters_mut()[last].iter_mut().enumerate().for_each(|(i, w)| *w = 1e200 * i as f64);
    let far = Examples { x: &examples.x * 1e200, ..examples };
    check(steep, far.plain(), &rule, "the gradient");
}

#[test]
fn a_training_that_diverges_keeps_the_last_whole_step() {
    let linear = || mlp::<f64>(1, &LAYER_SIZES, Activation::Identity);
    let (mut mlp, examples) = (linear(), Examples::<f64>::new(2, 6, 2, 3));
    let first_batch = examples.select(&[0, 1, 2]);
    // The step leads to weights that are finite and whose products are not.
    let rule = sgd(1e200, 0.0);
    let n_parameters = mlp.parameters().len();
    let mut state = State::new(&rule, n_parameters).unwrap();
    let result = mlp.fit(examples.plain(), None, &rule, &mut state, 2, schedule(Some(3)));
    assert_eq!(
        message(result),
        "training diverged: the loss is not finite in epoch 1, batch 2; the network keeps the parameters it \
         had before that batch: lower the learning rate, standardise X"
    );
    assert_eq!(state.steps(), 1);

    let mut one_step = linear();
    let mut state = State::new(&rule, n_parameters).unwrap();
    one_step
        .step(
            &first_batch.plain(),
            Objective::default(),
            (&rule, &Options::default(), &mut state),
            None,
            &Never,
        )
        .unwrap();
    assert_eq!(bits(mlp.parameters()), bits(one_step.parameters()));
}

#[test]
fn a_step_that_would_overflow_changes_neither_the_network_nor_the_state() {
    let steep =
        |learning_rate, beta_1, beta_2| Rule::Adam(Adam::new(learning_rate, beta_1, beta_2, 1e-8).unwrap());
    // The first two steps pass: the mean of gradients is then far larger than the root of the mean of squares.
    for (first, then) in [
        (steep(1e20, 0.9, 0.0), steep(1e20, 0.9, 0.0)),
        (sgd(1e-10, 0.9), sgd(1e5, 0.9)),
        (sgd(1e-10, 0.0), sgd(1e300, 0.0)),
    ] {
        let mut mlp = Mlp::<f32>::new(Network::new(&[1, 2], &[]).unwrap(), Init::Normal(0.0), 0).unwrap();
        let mut state = State::new(&first, mlp.parameters().len()).unwrap();
        let labels = array![0_i64, 1];
        let labels = labels.view();
        let mut step = |x: [f32; 2], rule: &Rule| {
            mlp.parameters_mut().fill(0.0);
            let x = array![[x[0]], [x[1]]];
            let data = Dataset::new(Names::TRAINING, x.view(), &labels, None, None, 2).unwrap();
            let before: Vec<Vec<f32>> = state.slots().map(<[f32]>::to_vec).collect();
            let result =
                mlp.step(&data, Objective::default(), (rule, &Options::default(), &mut state), None, &Never);
            let same = state.slots().zip(&before).all(|(slot, before)| slot == before);
            (result.map_err(|error| error.to_string()), same, mlp.parameters().to_vec())
        };
        step([1e15, 0.0], &first).0.unwrap();
        let (result, same_state, parameters) = step([1e-12, 1e-12], &then);
        if let Err(message) = result {
            assert!(
                message.starts_with("training diverged: the step is not finite in epoch 1, batch 1;"),
                "{message}"
            );
            assert!(same_state && parameters.iter().all(|&p| p == 0.0), "{then:?}");
        } else {
            assert!(parameters.iter().all(|p| p.is_finite()), "{then:?}");
        }
    }
}

#[test]
fn a_decay_that_overshoots_is_applied_as_long_as_it_is_finite() {
    let rule = |weight_decay| {
        Rule::Adam(Adam::new(0.5, 0.9, 0.999, 1e-8).unwrap().with_weight_decay(weight_decay).unwrap())
    };
    let examples = Examples { x: Array2::zeros((4, 2)), ..Examples::<f32>::new(2, 4, 2, 3) };
    // From p to p - learning_rate weight_decay p: towards 0, beyond it, and out of the range of the type.
    for (weight_decay, factor) in [(1.0, Some(0.5)), (3.0, Some(-0.5)), (1e3, None), (f64::MAX, None)] {
        let mut mlp = Mlp::<f32>::zeros(Network::new(&[2, 3], &[]).unwrap(), 0).unwrap();
        let weights = mlp.network().layout().layers()[0].weights();
        let large = 2_f32.powi(126);
        mlp.parameters_mut()[weights.clone()].fill(large);
        let mut state = State::new(&rule(weight_decay), mlp.parameters().len()).unwrap();
        let result = mlp.step(
            &examples.plain(),
            Objective::default(),
            (&rule(weight_decay), &Options::default(), &mut state),
            None,
            &Never,
        );
        assert_eq!(result.is_ok(), factor.is_some(), "{weight_decay}");
        let expected = factor.unwrap_or(1.0) * large;
        assert!(mlp.parameters()[weights].iter().all(|&p| p == expected), "{weight_decay}");
        assert_eq!(state.steps(), u64::from(factor.is_some()));
    }
}
