"""Films hold what training did, and their pages hold the film."""

import re

import numpy as np
import pytest
from pages import Page, decode

from fastmlp import MLP, SGD, Adam, MLPClassifier, MLPRegressor
from fastmlp.data import make_spiral
from fastmlp.film import Film


@pytest.fixture
def data():
    return make_spiral(90, random_state=0)


def train(mlp, data, film, epochs=20, **options):
    return mlp.fit(*data, optimizer=Adam(), epochs=epochs, callback=film, **options)


def network(sizes=(2, 6, 3), **options):
    return MLP(sizes, dtype="float64", seed=0, **options)


def test_a_film_has_the_parameters_of_its_epochs(data):
    mlp = network()
    film = Film(mlp)
    snapshots = [mlp.parameters.copy()]

    def both(epoch):
        snapshots.append(mlp.parameters.copy())
        film(epoch)

    history = train(mlp, data, both)

    np.testing.assert_array_equal(film.epochs, range(21))
    np.testing.assert_array_equal(film.parameters, snapshots)
    recorded = film.recorded()
    np.testing.assert_array_equal(recorded.losses["loss"], history.loss)
    assert recorded.losses["val_loss"] == []


def test_training_is_the_same_with_a_film(data):
    watched, alone = network(), network()
    train(watched, data, Film(watched))
    train(alone, data, None)
    np.testing.assert_array_equal(watched.parameters, alone.parameters)


@pytest.mark.parametrize("stop", [3, 40, 1200, 3000])
def test_a_film_of_any_length_is_short_and_has_both_ends(data, stop):
    mlp = network()
    film = Film(mlp, frames=10)
    train(mlp, data, lambda epoch: film(epoch) or epoch.epoch == stop, epochs=10_000)

    epochs = film.epochs
    assert epochs[[0, -1]].tolist() == [0, stop]
    gaps = np.diff(epochs)
    assert (gaps >= 1).all()
    assert (gaps <= np.maximum(1, np.ceil(epochs[1:] / 9))).all()
    assert len(epochs) <= 2 + 10 * (2 + np.log(max(stop, 10) / 10))

    shown = film.recorded()
    assert min(9, stop + 1) <= len(shown.epochs) <= 10
    assert shown.epochs[[0, -1]].tolist() == [0, stop]
    np.testing.assert_array_equal(shown.parameters[-1], mlp.parameters)
    shares = np.linspace(0, 1, len(shown.epochs)) ** 2
    if stop > 1000:
        np.testing.assert_allclose(shown.epochs / stop, shares, atol=0.06)


def test_a_second_training_starts_the_film_over(data):
    mlp = network()
    film = Film(mlp)
    train(mlp, data, film)
    between = mlp.parameters.copy()
    history = train(mlp, data, film, epochs=5)

    np.testing.assert_array_equal(film.epochs, range(6))
    np.testing.assert_array_equal(film.parameters[0], between)
    np.testing.assert_array_equal(film.recorded().losses["loss"], history.loss)


def test_a_training_that_goes_on_continues_the_film(data):
    mlp = network()
    film = Film(mlp)
    train(mlp, data, film, epochs=5)
    train(mlp, data, film, epochs=9, initial_epoch=5)
    np.testing.assert_array_equal(film.epochs, range(10))
    assert len(film.recorded().losses["loss"]) == 9


def test_epochs_without_finite_parameters_are_left_out():
    mlp = network()
    film = Film(mlp)
    mlp.parameters[0] = np.nan
    film(type("Info", (), {"epoch": 1, "loss": np.nan, "val_loss": None}))
    assert film.epochs.tolist() == [0]


@pytest.mark.parametrize("stages", [{}, {"normalization": "layer"}, {"normalization": "batch"}])
def test_the_numbers_of_a_page_are_the_parameters(data, tmp_path, stages):
    mlp = network((2, 6, 5, 3), activation=["prelu", "tanh"], input_scale=True, **stages)
    film = Film(mlp)
    train(mlp, data, film, epochs=200)
    film.save(tmp_path / "film.html", *data)

    (shown,) = Page(tmp_path / "film.html").content["films"].values()
    recorded = film.recorded()
    assert shown["epochs"] == recorded.epochs.tolist()
    assert 40 <= len(shown["epochs"]) <= 48
    decoded, half_a_step = decode(shown)
    error = np.abs(decoded - recorded.parameters)
    rounding = 1e-8 * np.abs(recorded.parameters)  # of the ends, which have nine digits
    assert (error <= half_a_step + rounding).all()
    assert error.max() < 1e-6


def test_the_parameters_that_a_page_shows_give_the_predictions(data, tmp_path):
    mlp = network()
    film = Film(mlp)
    train(mlp, data, film, epochs=300)
    truth = mlp.forward(data[0])
    film.save(tmp_path / "film.html", *data)

    decoded, _ = decode(Page(tmp_path / "film.html").content["films"]["main"])
    mlp.parameters[:] = decoded[-1]
    np.testing.assert_allclose(mlp.forward(data[0]), truth, rtol=0, atol=1e-5)


def test_a_page_is_one_file_that_asks_for_nothing(data, tmp_path):
    mlp = network()
    film = Film(mlp)
    train(mlp, data, film, X_val=data[0][:9], y_val=data[1][:9])
    film.save(
        tmp_path / "film.html",
        *data,
        X_val=data[0][:9],
        y_val=data[1][:9],
        class_names=["</script>", "<b>", "&amp;"],
        feature_names=["<i>", "$x$"],
        title="<mine> & yours",
    )
    page = Page(tmp_path / "film.html")
    assert [address for address in page.addresses if not re.match(r"#|data:,$", address)] == []
    assert "://" not in page.source
    policy = "default-src 'none'; style-src 'unsafe-inline';"
    assert policy in page.source.replace("&#x27;", "'")
    assert page.size < 100_000
    assert "<mine> & yours" in page.text
    assert page.content["classes"] == ["</script>", "<b>", "&amp;"]
    assert page.content["features"] == ["<i>", "$x$"]
    assert page.content["points"]["sizes"] == [90, 9]
    assert len(page.ids) == len(set(page.ids))
    for tag, attributes in page.labelled:
        assert attributes.get("aria-label") or tag == "select", attributes


def test_the_same_training_gives_the_same_page(data, tmp_path):
    for name in ("one", "two"):
        mlp = network()
        film = Film(mlp)
        train(mlp, data, film)
        film.save(tmp_path / name, *data)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_estimator_for_classes(data, tmp_path, solver):
    X, y = data
    labels = np.array(["green", "blue", "red"])[y]
    film = Film()
    estimator = MLPClassifier((7,), solver=solver, max_iter=30, random_state=0, callback=film)
    estimator.fit(X, labels)

    assert film.epochs[0] == 1
    np.testing.assert_array_equal(film.parameters[-1], estimator.network_.parameters)
    film.save(tmp_path / "film.html", X, labels)
    content = Page(tmp_path / "film.html").content
    assert content["classes"] == ["blue", "green", "red"]
    names = np.array(content["classes"])[content["points"]["targets"]]
    np.testing.assert_array_equal(names, labels)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_estimator_for_two_classes_and_one_for_values(data, tmp_path):
    X, y = data
    film = Film()
    MLPClassifier((7,), max_iter=5, random_state=0, callback=film).fit(X, y > 0)
    film.save(tmp_path / "two.html", X, y > 0)
    two = Page(tmp_path / "two.html").content
    assert two["classes"] == two["outputs"] == ["False", "True"]
    assert two["films"]["main"]["output"] == "sigmoid"

    squares = X[:, 0] ** 2
    regressor = MLPRegressor(hidden_layer_sizes=(7,), max_iter=5, random_state=0, callback=film)
    regressor.fit(X, squares)
    film.save(tmp_path / "values.html", X, squares)
    values = Page(tmp_path / "values.html").content
    assert values["classes"] is None
    assert values["films"]["main"]["output"] == "identity"
    np.testing.assert_allclose(values["points"]["targets"], squares, rtol=1e-5)


def test_a_film_of_a_training_that_diverges(data, tmp_path):
    mlp = network()
    film = Film(mlp)
    with pytest.raises(ArithmeticError):
        mlp.fit(*data, optimizer=SGD(learning_rate=1e200), epochs=100, callback=film)
    film.save(tmp_path / "film.html", *data)
    decoded, _ = decode(Page(tmp_path / "film.html").content["films"]["main"])
    assert np.isfinite(decoded).all()


def test_of_many_points_some_are_drawn(tmp_path):
    X, y = make_spiral(9_000, random_state=0)
    film = Film(mlp := network())
    train(mlp, (X, y), film, epochs=2)
    film.save(tmp_path / "film.html", X, y, X_val=X[:5], y_val=y[:5])
    content = Page(tmp_path / "film.html").content["points"]
    assert content["sizes"] == [2000, 5]
    assert content["targets"][-5:] == y[:5].tolist()
    counts = np.bincount(content["targets"][:2000])
    np.testing.assert_allclose(counts, 2000 / 3, atol=2)


def fitted(data, mlp):
    film = Film(mlp)
    train(mlp, data, film, epochs=2)
    return film


def values(data):
    return fitted((data[0], data[0][:, 1]), network((2, 3, 1), output="identity"))


@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value):RuntimeWarning")
@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (
            lambda data: Film("network"),
            TypeError,
            "network must be an MLP or None, got str",
        ),
        (lambda data: Film(frames=1), ValueError, "frames must be an integer >= 2, got 1"),
        (lambda data: Film(frames="9"), ValueError, "frames must be an integer >= 2, got '9'"),
        (
            lambda data: Film(network((3, 2))),
            ValueError,
            "a film needs a network with two inputs, got 3",
        ),
        (
            lambda data: Film(network((2, 3, 2), output="identity")),
            ValueError,
            "a film needs a network for classes or with one output, got 2 outputs 'identity'",
        ),
        (
            lambda data: train(network(), data, Film()),
            TypeError,
            "Film() records estimators: for MLP.fit it must be Film(network)",
        ),
        (
            lambda data: MLPClassifier(callback=Film(network())).fit(*data),
            TypeError,
            "Film(network) records MLP.fit: for an estimator it must be Film()",
        ),
        (
            lambda data: Film(network()).save("film.html", *data),
            ValueError,
            "the film is empty: give it to a training as its callback",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", data[0], data[1] + 1),
            ValueError,
            "y must be classes out of 0, 1, 2, got 3",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", data[0], data[1].astype(str)),
            ValueError,
            "y must be classes out of 0, 1, 2, got '0'",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", data[0], data[1] + 0.5),
            ValueError,
            "y must be classes out of 0, 1, 2, got 0.5",
        ),
        (
            lambda data: values(data).save("film.html", data[0], data[0][:, 0] / 0),
            ValueError,
            "y must be finite, got nan in row 0, column 0",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", *data, X_val=data[0]),
            ValueError,
            "X_val and y_val must be given together, got one of them",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", *data, class_names=["a"]),
            ValueError,
            "class_names must be 3 names, got ('a',)",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", *data, feature_names=["a"]),
            ValueError,
            "feature_names must be two names, got ('a',)",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", data[0][:, :1], data[1]),
            ValueError,
            "X must hold points of two features, got shape (90, 1)",
        ),
        (
            lambda data: fitted(data, network()).save("film.html", *data, language="tlh"),
            ValueError,
            "language must be one of en, zh, got 'tlh'",
        ),
    ],
)
def test_bad_input(data, tmp_path, monkeypatch, act, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        act(data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_unknown_class_is_refused(data, tmp_path):
    film = Film()
    MLPClassifier(max_iter=1, callback=film).fit(*data)
    with pytest.raises(ValueError, match=r"^y must be classes out of 0, 1, 2, got 9$"):
        film.save(tmp_path / "film.html", data[0], np.full(90, 9))
