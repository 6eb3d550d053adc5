"""Pages of other networks in a browser: each activation, stage and output computes the same."""

import numpy as np
import pytest
from pages import Page
from selenium.webdriver.common.action_chains import ActionChains

from fastmlp import MLP, SGD, Adam, MLPRegressor
from fastmlp._core import ACTIVATIONS
from fastmlp.data import make_spiral
from fastmlp.film import Film

PLANE = "canvas[data-is=plane]"
NETWORKS = {
    **{name: {"activation": name} for name in (*ACTIVATIONS, "prelu")},
    "layer norm": {"activation": "tanh", "normalization": "layer"},
    "parametric": {"activation": ["mish", "relu"], "parametric_activation": True},
    "batch norm": {"activation": ["prelu", "relu"], "normalization": "batch", "input_scale": True},
    "periodic": {"activation": "tanh", "periodic_inputs": 2, "input_scale": True},
    "one periodic": {"activation": "tanh", "periodic_inputs": 1},
}


@pytest.fixture
def data():
    return make_spiral(120, random_state=0)


def predictions(mlp, X):
    """What the network predicts: probabilities, or values."""
    return (mlp.predict if mlp.output in {"identity", "exp"} else mlp.predict_proba)(X).reshape(
        len(X), -1
    )


def agree(browser, mlp):
    """Compare the numbers at some places with those of the network."""
    plane = browser.find(PLANE)
    for right, down in ((-120, 35), (140, -180)):
        ActionChains(browser.driver).move_to_element_with_offset(plane, right, down).perform()
        x = np.array(browser.numbers("[data-is=inputs]"))[:, -1]
        X = x[None].astype(mlp.dtype)
        results = np.array(browser.numbers("[data-is=results]"))
        logits, found = mlp.forward(X)[0], predictions(mlp, X)[0]
        if len(results) > len(logits):  # of one sigmoid two classes are shown
            logits, found = np.append(0, logits), np.array([1 - found[0], found[0]])
        np.testing.assert_allclose(results, np.column_stack([logits, found]), rtol=1e-5, atol=1e-5)
        hidden = np.array(browser.numbers("[data-is=hidden]"))
        sizes = np.cumsum(mlp.layer_sizes[1:-1])[:-1]
        for layer, shown in enumerate(np.split(hidden[:, 1], sizes)):
            np.testing.assert_allclose(shown, mlp.transform(X, layer)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_hidden_layers(browser, data, tmp_path, options):
    mlp = MLP([2, 9, 7, 3], dtype="float64", seed=1, **options)
    film = Film(mlp)
    mlp.fit(*data, optimizer=Adam(0.01), epochs=40, callback=film)
    film.save(tmp_path / "film.html", *data)

    requests, complaints = browser.open(tmp_path / "film.html")
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [
        (tmp_path / "film.html").as_uri()
    ]
    agree(browser, mlp)
    assert browser.complaints() == []


def test_a_layer_is_chosen(browser, data, tmp_path):
    mlp = MLP([2, 9, 7, 3], dtype="float64", seed=1)
    film = Film(mlp)
    mlp.fit(*data, optimizer=Adam(0.01), epochs=40, callback=film)
    film.save(tmp_path / "film.html", *data)
    browser.open(tmp_path / "film.html")

    before = browser.picture(PLANE)
    for layer, width in ((1, 9), (2, 7)):
        browser.run(
            """const select = document.querySelector('[data-is=layer]');
            select.value = arguments[0]; select.dispatchEvent(new Event('change'))""",
            str(layer),
        )
        units = browser.driver.find_elements("css selector", ".units button")
        assert len(units) == width
        units[0].click()
        assert browser.picture(PLANE) != before
        units[0].click()
        assert browser.picture(PLANE) == before
    assert browser.complaints() == []


OUTPUTS = {
    "two classes": ({"output": "sigmoid"}, lambda X, y: (y > 0).astype(float)),
    "values": ({"output": "identity"}, lambda X, y: X[:, 0] ** 2 - X[:, 1]),
    "counts": ({"output": "exp"}, lambda X, y: y.astype(float)),
}


@pytest.mark.parametrize(("options", "target"), OUTPUTS.values(), ids=OUTPUTS)
def test_one_output(browser, data, tmp_path, options, target):
    X, y = data
    y = target(X, y)
    mlp = MLP([2, 9, 1], dtype="float64", seed=1, **options)
    film = Film(mlp)
    mlp.fit(X, y, optimizer=Adam(0.02), epochs=400, callback=film)
    film.save(tmp_path / "film.html", X, y)

    assert browser.open(tmp_path / "film.html")[1] == []
    agree(browser, mlp)
    found = predictions(mlp, X)[:, 0]
    truth = (
        np.mean((found > 0.5) == y)
        if options["output"] == "sigmoid"
        else 1 - np.sum((found - y) ** 2) / np.sum((y - y.mean()) ** 2)
    )
    assert browser.number("[data-is=score]") == pytest.approx(truth, abs=1e-4)
    assert browser.complaints() == []
    browser.keep(f"film-{options['output']}")


def test_an_estimator_and_a_network_without_hidden_layers(browser, data, tmp_path):
    X, y = data
    film = Film()
    with pytest.warns(UserWarning, match="Maximum iterations"):
        MLPRegressor(max_iter=9, random_state=0, callback=film).fit(X, X[:, 0])
    film.save(tmp_path / "estimator.html", X, X[:, 0])
    assert browser.open(tmp_path / "estimator.html")[1] == []

    mlp = MLP([2, 3], dtype="float64", seed=0)
    film = Film(mlp)
    mlp.fit(X, y, optimizer=SGD(0.1), epochs=9, callback=film)
    film.save(tmp_path / "linear.html", X, y)
    assert browser.open(tmp_path / "linear.html")[1] == []
    assert Page(tmp_path / "linear.html").content["films"]["main"]["layers"] == [2, 3]
    assert browser.number("[data-is=epoch]") == 9
