"""Numbers that are not finite are refused before they become a class, a score or a weight."""

import numpy as np
import pytest
import scipy.sparse

import fastmlp

LAYOUTS_OF_ROWS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "CSR": scipy.sparse.csr_array,
}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("layout", LAYOUTS_OF_ROWS)
@pytest.mark.parametrize("n", [1, 3000])
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_no_class_follows_from_what_is_not_finite(value, layout, n, output, activation, dtype, rng):
    """Not even if an activation turns it into a finite number."""
    mlp = fastmlp.MLP([3, 8, 2], activation=activation, output=output, dtype=dtype, seed=0)
    X = rng.standard_normal((n, 3)).astype(dtype)
    good = mlp.predict(LAYOUTS_OF_ROWS[layout](X))
    assert good.shape[0] == n
    X[n - 1, 1] = value
    X = LAYOUTS_OF_ROWS[layout](X)
    found = {"nan": "NaN"}.get(str(value), str(value))
    for n_jobs in (1, 2):
        with pytest.raises(ValueError, match=rf"^X\[{n - 1}, 1\] is {found}, expected finite num"):
            mlp.predict(X, n_jobs=n_jobs)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_no_class_follows_from_sums_that_overflow(output, dtype):
    mlp = fastmlp.MLP([2, 2, 2], activation="identity", output=output, dtype=dtype, seed=0)
    mlp.weights[0][...] = [[2.0, 0.0], [0.0, 2.0]]
    mlp.weights[1][...] = [[1.0, 1.0], [-1.0, 1.0]]
    large = np.finfo(dtype).max
    # An infinite sum is still larger than 0, and the first of two that are equal.
    assert mlp.predict(np.array([[large, 0.0]], dtype)).ravel()[0] == (output == "sigmoid")
    message = (
        r"^X is a matrix for which the network's sums are NaN, expected finite parameters, and "
        r"inputs for which no sum overflows$"
    )
    with pytest.raises(ValueError, match=message):
        mlp.predict(np.array([[0.0, 0.0], [large, large]], dtype))
    mlp.biases[1][0] = np.nan
    with pytest.raises(ValueError, match=message):
        mlp.predict(np.zeros((1, 2), dtype))


@pytest.mark.parametrize("output", ["identity", "exp"])
def test_numbers_that_follow_from_it_show_it(output, dtype):
    mlp = fastmlp.MLP([2, 2], output=output, dtype=dtype, seed=0)
    X = np.array([[0.0, 0.0], [np.nan, 0.0]], dtype)
    np.testing.assert_array_equal(np.isnan(mlp.predict(X)), [[False] * 2, [True] * 2])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("layout", LAYOUTS_OF_ROWS)
def test_a_validation_set_is_refused_before_training(value, layout, dtype, rng):
    mlp, adam = fastmlp.MLP([3, 8, 2], dtype=dtype, seed=0), fastmlp.Adam()
    X = rng.standard_normal((20, 3)).astype(dtype)
    X_val, y = X.copy(), rng.integers(2, size=20)
    X_val[4, 2] = value
    start = mlp.parameters.copy()
    with pytest.raises(ValueError, match=r"^X_val\[4, 2\] is (NaN|inf), expected finite numbers$"):
        mlp.fit(X, y, adam, epochs=3, X_val=LAYOUTS_OF_ROWS[layout](X_val), y_val=y)
    np.testing.assert_array_equal(mlp.parameters, start)
    assert adam.state_dict() == {"step": 0}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("output", ["sigmoid", "identity", "exp"])
def test_targets_of_a_validation_set_are_refused_before_training(value, output, dtype):
    mlp = fastmlp.MLP([3, 2], output=output, dtype=dtype, seed=0)
    X, y = np.zeros((4, 3), dtype), np.ones((4, 2), dtype)
    y_val, start = y.copy(), mlp.parameters.copy()
    y_val[1, 0] = value
    with pytest.raises(ValueError, match=r"^y_val\[1, 0\] is (NaN|inf), expected "):
        mlp.fit(X, y, epochs=3, X_val=X, y_val=y_val)
    np.testing.assert_array_equal(mlp.parameters, start)


def test_a_scale_that_makes_infinite_weights_is_refused():
    message = r"^init_scale is 1e39, expected a scale that makes finite weights of float32$"
    with pytest.raises(ValueError, match=message):
        fastmlp.MLP([3, 2], init="normal", init_scale=1e39, seed=0)
    wide = fastmlp.MLP([3, 2], init="normal", init_scale=1e39, dtype="float64", seed=0)
    assert np.isfinite(wide.parameters).all()
    message = r"^init_scale is 1.7e308, expected a scale that makes finite weights of float64$"
    with pytest.raises(ValueError, match=message):
        fastmlp.MLP([30, 20], init="normal", init_scale=1.7e308, dtype="float64", seed=0)
