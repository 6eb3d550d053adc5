"""Estimators of odd content, and forged files: `load` reads what `save` accepts, or refuses it."""

import copy
import io
import json
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLP, MLPClassifier, MLPRegressor, ModelFileError
from fastmlp._core import load_network, save_network

rng = np.random.default_rng(8)
X = rng.standard_normal((12, 2))
POSITIVE = [
    *(0.5, 1, True, np.float32(0.25), np.float64(1e-3), np.longdouble("0.1")),
    *(np.int8(3), np.uint64(7)),
]
COUNTS = [1, 3, np.int16(2), np.uint8(2), True]
THIRD = Fraction(1, 3)
PARAMETERS = {
    "activation": ["relu", "tanh", "identity", np.str_("logistic"), "prelu", ["gelu"], ("relu",)],
    "solver": ["adam", "sgd", "adamw", np.str_("lbfgs")],
    "alpha": [0, np.float16(0.5), *POSITIVE],
    "batch_size": ["auto", 5, np.int64(4)],
    "learning_rate_init": POSITIVE,
    "max_iter": COUNTS,
    "shuffle": [True, np.False_],
    "random_state": [0, np.int32(5), None, np.random.RandomState(0), np.random.mtrand._rand],
    "tol": [0.0, *POSITIVE],
    "verbose": [False, 0],
    "warm_start": [True, np.True_, False],
    "early_stopping": [False, True, np.True_],
    "validation_fraction": [0.3, np.float32(0.4)],
    "n_iter_no_change": [2, np.inf, np.int8(3)],
    "learning_rate": ["constant", "invscaling", "cosine", np.str_("plateau")],
    "dropout": [0, 0.5, np.float32(0.25), (0.5,), [np.float64(0.25)], np.array([0.125]), (0,)],
    "input_dropout": [0, 0.25, np.float16(0.5)],
    "normalization": [None, "layer", np.str_("layer"), "batch"],
    "clip_norm": [None, *POSITIVE],
    "warmup": [None, 0, 0.25],
    "max_time": [None, 1e9, 100],
    "dtype": [None, "float32", np.str_("float64")],
    "n_jobs": [None, 1, -1, np.int8(2)],
    "scoring": [None, "loss", np.str_("loss")],
    "keep_every": [None, 1, np.int8(2)],
}
LABELS = [
    *([5], ["only"], [True], [0.0], [np.longdouble(2)]),
    *([0, 1], [-3, 7, 9], [False, True], [1.0, 2.0, 3.0], ["a", "bcd", "ü\ud800"]),
    *(np.array([1, 2], dtype) for dtype in ("i1", "u1", "<i2", ">i4", "u8", "f2", ">f4", "g")),
    np.array([0, 2**64 - 1], np.uint64),
    np.array([2.0, 2.0**50]),
    np.array(["", "x\0y", "z"], object),
]
parameters = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in PARAMETERS.items()}
)
sizes = st.sampled_from(
    [
        (),
        3,
        (4,),
        [2, 3],
        np.array([3, 2]),
        np.int64(3),
        range(1, 3),
        pd.Series([2]),
        (np.uint8(2),),
        "3",
        np.str_("2x2"),
    ]
)


def trained(estimator, X, y):
    """Train it; combinations that are refused are not a matter of files."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return estimator.fit(X, y)
        except (ValueError, TypeError):
            return None


def plain(parameter):
    """The value of a parameter after it was in a file."""
    if isinstance(parameter, np.random.RandomState):
        return None
    if hasattr(parameter, "__len__") and not isinstance(parameter, str):
        return tuple(map(plain, parameter))
    return float(parameter) if isinstance(parameter, np.longdouble | Fraction) else parameter


def assert_comes_back(estimator, X):
    """Save and load it: everything that training found, and predictions, have the same bits."""
    file = io.BytesIO()
    estimator.save(file)
    loaded = type(estimator).load(file.getvalue())
    expected = {name: plain(value) for name, value in estimator.get_params().items()}
    assert loaded.get_params() == expected
    for name in (
        *("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_"),
        *("validation_loss_curve_", "best_iteration_", "staged_epochs_"),
    ):
        ours, theirs = getattr(loaded, name, "none"), getattr(estimator, name, "none")
        assert repr(ours) == repr(theirs), name
    calls = ["predict"]
    if isinstance(estimator, MLPClassifier):
        calls.append("predict_proba")
        assert loaded.classes_.dtype == estimator.classes_.dtype
        assert loaded.classes_.tolist() == estimator.classes_.tolist()
    for call in calls:
        ours, theirs = (getattr(it, call)(X) for it in (loaded, estimator))
        if sp.issparse(theirs):
            ours, theirs = ours.toarray(), theirs.toarray()
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert ours.tolist() == theirs.tolist()
    again = io.BytesIO()
    loaded.save(again)
    assert type(estimator).load(again.getvalue()).get_params() == expected
    return loaded


@given(parameters, sizes, st.sampled_from(LABELS), st.sampled_from(["f4", "f8"]), st.data())
@settings(max_examples=60)
def test_a_classifier_that_is_saved_is_loaded(given, sizes, labels, dtype, data):
    y = np.asarray(labels)[np.arange(12) % len(labels)]
    clf = trained(MLPClassifier(sizes, **given), X.astype(dtype), y)
    if clf is not None:
        change(clf, data)
        saved_or_refused(clf, X.astype(dtype))


@given(parameters, sizes, st.integers(2, 4), st.booleans(), st.data())
@settings(max_examples=25)
def test_a_classifier_of_several_labels_that_is_saved_is_loaded(given, sizes, n, sparse, data):
    y = np.random.default_rng(n).integers(2, size=(12, n))
    clf = trained(MLPClassifier(sizes, **given), X, sp.csr_matrix(y) if sparse else y)
    if clf is not None:
        change(clf, data)
        saved_or_refused(clf, X)


@given(
    parameters, sizes, st.integers(1, 3), st.sampled_from(["squared_error", "poisson"]), st.data()
)
@settings(max_examples=40)
def test_a_regressor_that_is_saved_is_loaded(given, sizes, n, loss, data):
    y = np.random.default_rng(n).poisson(2.0, (12, n)).astype(float)
    names = ["a", "ü" * 9 + "\ud800"]
    # As objects: arrow, which pandas takes for text where it is installed, has no lone surrogates.
    columns = pd.Index(names, dtype=object)
    frame = pd.DataFrame(X, columns=columns) if data.draw(st.booleans()) else X
    reg = trained(MLPRegressor(loss, sizes, **given), frame, y)
    if reg is not None:
        change(reg, data)
        saved_or_refused(reg, frame)


def change(estimator, data):
    """Change a parameter after the fit, to a good value or another one, and what was found."""
    names = sorted(PARAMETERS)
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2)):
        odd = st.sampled_from(
            [-1, "x", None, 1j, b"x", np.nan, [1], {}, print, np.zeros(2), 10**5000, THIRD]
        )
        estimator.set_params(**{name: data.draw(st.sampled_from(PARAMETERS[name]) | odd)})
    if data.draw(st.booleans()):
        curve = st.lists(st.sampled_from([1.0, np.nan, np.inf, np.float32(0.5), 2]), max_size=3)
        estimator.loss_curve_ = data.draw(curve)
    if data.draw(st.booleans()):
        odd = [np.nan, np.inf, -np.inf, np.float64(1.5), np.longdouble("0.25")]
        estimator.loss_ = data.draw(st.sampled_from(odd))


def saved_or_refused(estimator, X):
    file = io.BytesIO()
    try:
        estimator.save(file)
    except ValueError as error:
        if not str(error).startswith("the estimator cannot be saved: "):
            raise
        assert not file.getvalue()
        return
    # What was found is a list of floats afterwards.
    estimator.loss_curve_ = [float(loss) for loss in estimator.loss_curve_]
    estimator.loss_ = float(estimator.loss_)
    assert_comes_back(estimator, X)


def test_what_the_property_tests_save_is_most_of_it():
    """A test that refused everything would prove nothing."""
    for labels in LABELS:
        y = np.asarray(labels)[np.arange(12) % len(labels)]
        assert_comes_back(trained(MLPClassifier((3,), max_iter=2), X, y), X)
    for name, values in PARAMETERS.items():
        for value in values:
            given = {"max_iter": 1, "hidden_layer_sizes": (2,), name: value}
            assert_comes_back(trained(MLPClassifier(**given), X, np.arange(12) % 3), X)


# === Forged files: each value in turn becomes another one, with a right checksum ===

ODD = [
    *(None, True, -1, 0, 2, 10**30, 0.5, -0.5, "x", "1", "", [], [1], ["a"], [[]], {}, {"a": 1}),
    *({"float": "nan"}, {"float": "inf"}, {"float": "x"}, "adam", "MLPRegressor", "<i8", "|O", "U"),
]
ARRAYS = [
    *(np.zeros(0), np.zeros(1), np.ones(3), np.ones((2, 2)), np.array(1.0)),
    *(np.full(3, np.nan), np.ones(3, np.float32), np.array([0, 1, 2]), np.array([-1, 0, 1])),
    *(np.array([0, 9]), np.array([2**63 - 1, -(2**63)]), np.arange(3, dtype=np.uint8)),
    *(np.full(4, 255, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.uint8)),
]


def made(kind):
    y = np.arange(12) % 3
    frame = pd.DataFrame(X, columns=["a", "b"])
    estimators = {
        "numbers": MLPClassifier(
            (3,),
            max_iter=3,
            early_stopping=True,
            validation_fraction=0.3,
            class_weight={0: 1.0, 1: 2, 2: 0.5},
            keep_every=2,
        ),
        "text": MLPClassifier((3,), max_iter=3),
        "labels": MLPClassifier((3,), max_iter=3, class_weight=[{0: 1.0, 1: 2.0}] * 3),
        "regressor": MLPRegressor("poisson", (3,), max_iter=3),
    }
    targets = {
        "numbers": y,
        "text": np.array(["a", "b", "ü"])[y],
        "labels": np.eye(3, dtype=int)[y],
        "regressor": y,
    }
    return trained(estimators[kind], frame, targets[kind])


def places(value, place=()):
    """All paths in an object: the keys and indices to each value."""
    yield place
    items = value.items() if isinstance(value, dict) else []
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from places(inner, (*place, key))


def forged(content):
    """The content with one value replaced, one missing, or one more."""
    for place in places(content):
        for odd in ODD:
            other = copy.deepcopy(content)
            if not place:
                yield place, odd
                continue
            *way, last = place
            inside = other
            for key in way:
                inside = inside[key]
            inside[last] = odd
            yield place, other
        if place:
            del inside[last]
            yield place, other
    for place in ((), ("parameters",), ("found",)):
        other = copy.deepcopy(content)
        inside = other
        for key in place:
            inside = inside[key]
        if isinstance(inside, dict):
            inside["colour"] = 1
            yield place, other


def assert_sound_or_refused(kind, content):
    """Load it: it is refused, or it is an estimator that works like any other."""
    try:
        loaded = kind.load(content)
    except ModelFileError:
        return False
    loaded.save(io.BytesIO())
    frame = pd.DataFrame(X, columns=getattr(loaded, "feature_names_in_", None))
    predicted = loaded.predict(frame)
    predicted = predicted.toarray() if sp.issparse(predicted) else predicted
    assert len(predicted) == 12
    assert repr(loaded)
    assert all(type(loss) is float for loss in loaded.loss_curve_)
    loaded.set_params(early_stopping=False, max_iter=2, n_iter_no_change=2, warm_start=True)
    loaded.set_params(solver="sgd", hidden_layer_sizes=loaded.network_.layer_sizes[1:-1])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", (ConvergenceWarning, UserWarning))
        try:
            loaded.fit(frame, predicted if len(np.unique(predicted)) > 2 else some(loaded))
        except ValueError as error:
            refusals = (
                *("diverge", "non-finite", "warm_start can only be used", "y must be >= 0"),
                "class_weight",
            )
            if not any(text in str(error) for text in refusals):
                raise
    return True


def some(estimator):
    classes = getattr(estimator, "classes_", np.arange(3))
    if getattr(estimator, "out_activation_", None) == "logistic" and len(classes) > 2:
        return np.eye(len(classes), dtype=int)[np.arange(12) % len(classes)]
    return classes[np.arange(12) % len(classes)]


@pytest.mark.parametrize("kind", ["numbers", "text", "labels", "regressor"])
def test_every_forged_text_is_sound_or_refused(kind):
    estimator = made(kind)
    file = io.BytesIO()
    estimator.save(file)
    network, tensors, metadata = load_network(file.getvalue())
    content = json.loads(metadata["estimator"])
    assert_sound_or_refused(type(estimator), file.getvalue())
    counts = [0, 0]
    for _, other in forged(content):
        file = io.BytesIO()
        save_network(file, network, tensors, {"estimator": json.dumps(other)})
        counts[assert_sound_or_refused(type(estimator), file.getvalue())] += 1
    assert min(counts) > 50


@pytest.mark.parametrize("kind", ["numbers", "text", "labels", "regressor"])
def test_every_forged_tensor_is_sound_or_refused(kind):
    estimator = made(kind)
    file = io.BytesIO()
    estimator.save(file)
    network, tensors, metadata = load_network(file.getvalue())
    for name in [*tensors, "colour"]:
        for odd in [*ARRAYS, None]:
            other = {**tensors, name: odd}
            if odd is None:
                del other[name]
            file = io.BytesIO()
            save_network(file, network, other, metadata)
            is_sound = assert_sound_or_refused(type(estimator), file.getvalue())
            assert not (is_sound and name == "colour" and odd is not None)


def test_another_network_is_sound_or_refused():
    for kind in ("numbers", "text", "labels", "regressor"):
        estimator = made(kind)
        file = io.BytesIO()
        estimator.save(file)
        _, tensors, metadata = load_network(file.getvalue())
        for sizes in ([2, 3, 3], [2, 3, 1], [2, 4, 3], [3, 3, 3], [2, 3], [2, 3, 3, 3]):
            for output in ("softmax", "sigmoid", "identity", "exp"):
                for activation in ("relu", "tanh", "leaky_relu"):
                    file = io.BytesIO()
                    network = MLP(sizes, activation=activation, output=output, seed=0)
                    save_network(file, network, tensors, metadata)
                    if sizes[0] == 2:
                        assert_sound_or_refused(type(estimator), file.getvalue())
                    else:
                        with pytest.raises(ModelFileError):
                            type(estimator).load(file.getvalue())
