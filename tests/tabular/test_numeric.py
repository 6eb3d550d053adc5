"""Numbers are scaled, clipped and put into bins as formulas say, with weights and gaps."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import RobustScaler

from fastmlp.tabular.numeric import Numeric

NAN = np.nan


def learned(values, weights=None, n_bins=0):
    return Numeric.learn("'a'", np.asarray(values, dtype=float), weights, n_bins)


def inputs_of(numeric, values):
    values = np.asarray(values, dtype=float)
    inputs = np.full((len(values), numeric.width), NAN)
    numeric.write("'a'", values, inputs)
    return inputs


def test_scaling_is_scikit_learn_s_and_then_clipped(rng):
    # Quantiles of 4 n + 1 numbers are numbers among them, by every method.
    values = rng.standard_t(2, 401) * 30 - 7
    others = rng.standard_t(2, 100) * 30 - 7
    scaled = RobustScaler().fit(values[:, None]).transform(others[:, None])
    clipped = scaled / np.sqrt(1 + (scaled / 3) ** 2)
    np.testing.assert_allclose(inputs_of(learned(values), others), clipped, rtol=1e-12)
    assert np.abs(clipped).max() < 3


def test_where_the_quartiles_are_equal_the_range_scales():
    values = [5] * 8 + [1, 21]
    # (x - 5) / 10, clipped.
    expected = np.array([-0.4, 1.6]) / np.sqrt(1 + (np.array([-0.4, 1.6]) / 3) ** 2)
    np.testing.assert_allclose(inputs_of(learned(values), [1, 21])[:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("values", [[3.0, 3.0, 3.0], [NAN, NAN], []])
def test_a_column_that_says_nothing_is_left_out(values):
    assert learned(values) is None


def test_a_number_that_is_there_or_not_says_something():
    numeric = learned([3.0, NAN, 3.0])
    expected = [[0, 0], [0, 1], [0, 0]]
    np.testing.assert_array_equal(inputs_of(numeric, [3.0, NAN, 1e308]), expected)


def test_what_is_missing_is_the_median_and_marked_where_training_saw_it():
    numeric = learned([1, 2, NAN, 5, 9, 4])
    assert numeric.centre == 4
    np.testing.assert_array_equal(inputs_of(numeric, [NAN, 4]), [[0, 1], [0, 0]])
    numeric = learned([1, 2, 5, 9, 4])
    np.testing.assert_array_equal(inputs_of(numeric, [NAN, 4]), [[0], [0]])


def test_bins_are_linear_between_quantiles(rng):
    values, others = rng.exponential(size=401), rng.exponential(size=50)
    numeric = learned(values, n_bins=4)
    edges = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])  # numbers among them, as above
    np.testing.assert_allclose(numeric.edges, edges, rtol=1e-12)
    for place in range(4):
        expected = np.interp(others, edges[place : place + 2], [0, 1])
        np.testing.assert_allclose(
            inputs_of(numeric, others)[:, 1 + place], expected, rtol=1e-12, atol=1e-15
        )


def test_few_numbers_are_all_edges():
    assert learned([0, 0, 0, 0, 1, 2], n_bins=6).edges.tolist() == [0, 1, 2]
    assert learned([0, 1], n_bins=48).edges.tolist() == []


def test_a_frequent_number_is_an_edge_and_leaves_the_other_bins_to_the_rest(rng):
    others = rng.random(401)
    values = np.r_[others, np.full(3000, 0.0), np.full(2000, 7.0)]
    # 5 bins of about 1,080 rows: 0 and 7 have more, and 3 bins are left.
    expected = np.quantile(others, [0, 1 / 3, 2 / 3, 1], method="inverted_cdf")
    np.testing.assert_array_equal(learned(values, n_bins=5).edges, [0, *expected, 7])


@given(st.data())
def test_a_weight_counts_as_so_many_rows(data):
    n_rows = data.draw(st.integers(1, 12))
    numbers = st.integers(-3, 3).map(float) | st.just(NAN)
    values = data.draw(arrays(np.float64, n_rows, elements=numbers))
    weights = data.draw(arrays(np.int64, n_rows, elements=st.integers(1, 4)))
    weighted = learned(values, weights.astype(float), n_bins=3)
    repeated = learned(np.repeat(values, weights), n_bins=3)
    assert repr(weighted) == repr(repeated)


# Further from the centre than float64 can say in units of the scale.
@example(np.array([1e-123, 0, 0, 0]), np.full(5, 1e185))
@given(
    arrays(np.float64, st.integers(1, 8), elements=st.floats(allow_infinity=False)),
    arrays(np.float64, 5, elements=st.floats(allow_infinity=False)),
)
def test_whatever_the_numbers_are_inputs_are_finite(values, others):
    numeric = learned(values, n_bins=3)
    if numeric is not None:
        inputs = inputs_of(numeric, others)
        assert np.abs(inputs).max() <= 3


def test_infinity_is_refused_by_its_column():
    message = r"^Input X contains infinity in column 'a'$"
    with pytest.raises(ValueError, match=message):
        learned([1, np.inf])
    with pytest.raises(ValueError, match=message):
        inputs_of(learned([1, 2]), [-np.inf])
