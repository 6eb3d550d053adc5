//! A view with any strides gives the same bits as its contiguous copy, for every argument that is a view.

use crate::common::{Examples, bits, mlp};
use fastmlp_core::{
    Activation, Adam, Dataset, Element, Labels, Mlp, Names, Never, Objective, Rule, Schedule, State, Trainer,
    Weights,
};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, s};

/// Rows: within one tile, and in several tiles and chunks.
const ROWS: [usize; 4] = [1, 2, 17, 1500];
const LAYER_SIZES: [usize; 3] = [3, 17, 4];
/// With one of them the network has special kernels, with the other it has not.
const ACTIVATIONS: [Activation; 2] = [Activation::Relu, Activation::Tanh];

/// Calls `check` with views that equal `x` but have other memory layouts. The numbers between them are NaN.
fn for_each_view<T: Element>(x: &Array2<T>, mut check: impl FnMut(&str, ArrayView2<'_, T>)) {
    let nan = T::from_f64(f64::NAN);
    let (n, d) = x.dim();
    check("row by row", x.view());

    let mut by_column = Array2::from_elem((d, n), nan);
    by_column.assign(&x.t());
    check("column by column", by_column.t());

    let mut backwards = Array2::from_elem((n, d), nan);
    backwards.slice_mut(s![..;-1, ..;-1]).assign(x);
    check("backwards", backwards.slice(s![..;-1, ..;-1]));

    let mut rows_apart = Array2::from_elem((2 * n, d), nan);
    rows_apart.slice_mut(s![..;2, ..]).assign(x);
    check("every second row", rows_apart.slice(s![..;2, ..]));

    let mut apart = Array2::from_elem((3 * n + 1, 2 * d + 1), nan);
    apart.slice_mut(s![1..;3, 1..;2]).assign(x);
    check("every third row, every second column", apart.slice(s![1..;3, 1..;2]));

    let mut transposed_apart = Array2::from_elem((2 * d, 2 * n), nan);
    transposed_apart.slice_mut(s![..;-2, ..;2]).assign(&x.t());
    check(
        "every second column, backwards, transposed",
        transposed_apart.slice(s![..;-2, ..;2]).reversed_axes(),
    );
}

/// Everything that a network computes from `x`, bit by bit.
fn computed<T: Element>(mlp: &Mlp<T>, examples: &Examples<T>, x: ArrayView2<'_, T>) -> Vec<Vec<u64>> {
    let n = x.nrows();
    let mut logits = Array2::from_elem((n, mlp.network().layout().d_out()), T::ZERO);
    let mut probabilities = logits.clone();
    let mut classes = vec![-1; n];
    mlp.forward(x, logits.view_mut(), 1, &Never).unwrap();
    mlp.predict_proba(x, probabilities.view_mut(), 1, &Never).unwrap();
    mlp.predict(x, &mut classes, 1, &Never).unwrap();

    let data = Dataset::new(
        Names::TRAINING,
        x,
        &examples.classes,
        Some(&examples.sample_weight),
        Some(&examples.class_weight),
        LAYER_SIZES[2],
    );
    let mut gradient = vec![T::ZERO; mlp.parameters().len()];
    let loss =
        mlp.loss_and_grad(&data.unwrap(), Objective::default(), &mut gradient, None, 1, &Never).unwrap();
    let (mut pulled_back, mut d_x) = (gradient.clone(), vec![T::ZERO; x.len()]);
    mlp.backward(x, probabilities.view(), &mut pulled_back, &mut d_x, &Never).unwrap();
    vec![
        bits(&logits.into_raw_vec_and_offset().0),
        bits(&probabilities.into_raw_vec_and_offset().0),
        classes.into_iter().map(i64::cast_unsigned).collect(),
        vec![loss.to_bits()],
        bits(&gradient),
        bits(&pulled_back),
        bits(&d_x),
    ]
}

fn check_inputs<T: Element>() {
    for mlp in ACTIVATIONS.map(|activation| mlp::<T>(1, &LAYER_SIZES, activation)) {
        for n in ROWS {
            let examples = Examples::new(2, n, LAYER_SIZES[0], LAYER_SIZES[2]);
            let expected = computed(&mlp, &examples, examples.x.view());
            for_each_view(&examples.x, |layout, x| {
                assert_eq!(computed(&mlp, &examples, x), expected, "{n} rows, {layout}");
            });
        }
    }
}

#[test]
fn inputs() {
    check_inputs::<f32>();
    check_inputs::<f64>();
}

#[test]
fn equal_rows_need_no_memory_of_their_own() {
    let mlp = mlp::<f32>(1, &LAYER_SIZES, Activation::Relu);
    let examples = Examples::<f32>::new(2, 300, LAYER_SIZES[0], LAYER_SIZES[2]);
    let repeated = examples.x.row(0);
    let repeated = repeated.broadcast((300, LAYER_SIZES[0])).unwrap();
    let copy = repeated.to_owned();
    assert_eq!(computed(&mlp, &examples, repeated), computed(&mlp, &examples, copy.view()));
}

#[test]
fn training_inputs() {
    let examples = Examples::<f32>::new(2, 500, LAYER_SIZES[0], LAYER_SIZES[2]);
    let trained = |activation, x: ArrayView2<'_, f32>| {
        let mut mlp = mlp::<f32>(1, &LAYER_SIZES, activation);
        let rule = Rule::Adam(Adam::default());
        let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
        let data = Dataset::new(Names::TRAINING, x, &examples.classes, None, None, LAYER_SIZES[2]).unwrap();
        let schedule = Schedule { batch_size: Some(300), shuffle: true, seed: 3, n_threads: 2 };
        let mut trainer = Trainer::new(&mlp, data, None, schedule).unwrap();
        let record = trainer.epoch(&mut mlp, &rule, &mut state, &Never).unwrap();
        (record.loss.to_bits(), bits(mlp.parameters()))
    };
    for activation in ACTIVATIONS {
        let expected = trained(activation, examples.x.view());
        for_each_view(&examples.x, |layout, x| assert_eq!(trained(activation, x), expected, "{layout}"));
    }
}

#[test]
fn outputs() {
    let mlp = mlp::<f64>(1, &LAYER_SIZES, Activation::Sigmoid);
    for n in ROWS {
        let examples = Examples::<f64>::new(2, n, LAYER_SIZES[0], LAYER_SIZES[2]);
        let check = |out: ArrayViewMut2<'_, f64>, expected: &mut Option<Vec<u64>>| {
            let mut out = out;
            mlp.forward(examples.x.view(), out.view_mut(), 1, &Never).unwrap();
            let found = bits(&out.iter().copied().collect::<Vec<_>>());
            assert_eq!(&found, expected.get_or_insert(found.clone()), "strides {:?}", out.strides());
        };
        let d_out = LAYER_SIZES[2];
        let mut expected = None;
        check(Array2::zeros((n, d_out)).view_mut(), &mut expected);
        check(Array2::zeros((d_out, n)).view_mut().reversed_axes(), &mut expected);
        let mut apart = Array2::from_elem((2 * n, 3 * d_out), 7.0);
        check(apart.slice_mut(s![..;-2, 1..;3]), &mut expected);
        assert_eq!(
            apart.iter().filter(|&&value| value == 7.0).count(),
            5 * n * d_out,
            "the rest is left alone"
        );
    }
}

#[test]
fn derivatives_with_respect_to_the_logits() {
    let mlp = mlp::<f64>(1, &LAYER_SIZES, Activation::LeakyRelu);
    for n in ROWS {
        let x = Examples::<f64>::new(2, n, LAYER_SIZES[0], LAYER_SIZES[2]).x;
        let d_logits = Examples::<f64>::new(3, n, LAYER_SIZES[2], 1).x;
        let pulled_back = |d_logits: ArrayView2<'_, f64>| {
            let (mut gradient, mut d_x) = (vec![0.0; mlp.parameters().len()], vec![0.0; x.len()]);
            mlp.backward(x.view(), d_logits, &mut gradient, &mut d_x, &Never).unwrap();
            (bits(&gradient), bits(&d_x))
        };
        let expected = pulled_back(d_logits.view());
        for_each_view(&d_logits, |layout, d_logits| assert_eq!(pulled_back(d_logits), expected, "{layout}"));
    }
}

#[test]
fn labels_of_any_integer_type_and_weights_of_either_precision() {
    let mlp = mlp::<f64>(1, &LAYER_SIZES, Activation::Tanh);
    let examples = Examples::<f64>::new(2, 200, LAYER_SIZES[0], LAYER_SIZES[2]);
    let classes: Array1<u8> = examples.classes.mapv(|class| u8::try_from(class).unwrap());
    // Halves are the same in both precisions.
    let weights: Array1<f32> = classes.mapv(|class| 0.5 + f32::from(class));
    let loss = |labels: &dyn Labels, weights: &dyn Weights| {
        let x = examples.x.view();
        let data = Dataset::new(Names::TRAINING, x, labels, Some(weights), None, LAYER_SIZES[2]).unwrap();
        mlp.loss(&data, 1, &Never).unwrap().to_bits()
    };
    let expected = loss(&classes.view(), &weights.view());
    let wide = weights.mapv(f64::from);
    assert_eq!(loss(&classes.mapv(i8::try_from).mapv(Result::unwrap).view(), &wide.view()), expected);
    assert_eq!(loss(&classes.mapv(i16::from).view(), &wide.view()), expected);
    assert_eq!(loss(&classes.mapv(u32::from).view(), &wide.view()), expected);
    assert_eq!(loss(&classes.mapv(i64::from).view(), &wide.view()), expected);
    assert_eq!(loss(&classes.mapv(u64::from).view(), &wide.view()), expected);

    let backwards = classes.slice(s![..;-1]).to_owned();
    let mut apart = Array1::from_elem(3 * 200, f32::NAN);
    apart.slice_mut(s![..;3]).assign(&weights);
    assert_eq!(loss(&backwards.slice(s![..;-1]), &apart.slice(s![..;3])), expected);
}
