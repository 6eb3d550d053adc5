"""Ranks of numbers are those of scikit-learn's transformer, with weights and gaps."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer

from fastmlp.tabular.numeric import Numeric
from fastmlp.tabular.rank import Rank

NAN = np.nan


def learned(values, weights=None, has_number=False):
    values = np.asarray(values, dtype=float)
    column = Numeric.learn("'a'", values, weights, 0)
    return Rank.learn(column, values, weights, has_number=has_number)


def inputs_of(rank, values):
    inputs = np.full((len(values), rank.width), NAN)
    rank.write("'a'", np.asarray(values, dtype=float), inputs)
    return inputs


@pytest.mark.parametrize("digits", [9, 0])
def test_ranks_are_those_of_scikit_learn(digits, rng):
    # Quantiles of 271 numbers at ten equal distances are numbers among them, by every method.
    values = np.round(2 * rng.standard_t(2, 271) - 7, digits)
    others = np.round(2 * rng.standard_t(2, 100) - 7, digits)
    theirs = QuantileTransformer(n_quantiles=10, output_distribution="normal", subsample=None)
    expected = np.clip(theirs.fit(values[:, None]).transform(others[:, None]), -4, 4)

    found = inputs_of(learned(values), others)

    # Theirs sends the smallest and the greatest number to the end, where others may share them.
    inside = (values.min() < others) & (others < values.max())
    assert inside.sum() > 90
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(inputs_of(learned(values), [-1e300, 1e300]), [[-4], [4]])


def test_a_value_that_many_rows_share_has_the_middle_of_their_ranks():
    # Of ten knots the first four are 0, and the last six 1.
    found = inputs_of(learned([0] * 40 + [1] * 60), [0, 1])
    np.testing.assert_allclose(found[:, 0], norm.ppf([3 / 9 / 2, (4 / 9 + 1) / 2]))


def test_weights_count_as_rows():
    values, counts = np.arange(20.0), np.arange(20) % 4 + 1
    weighted = learned(values, counts.astype(float))
    repeated = learned(np.repeat(values, counts))
    np.testing.assert_array_equal(weighted.knots, repeated.knots)


def test_what_is_missing_is_0_and_marked_where_training_saw_it():
    np.testing.assert_array_equal(inputs_of(learned([1, NAN, 5, 9]), [NAN]), [[0, 1]])
    np.testing.assert_array_equal(inputs_of(learned([1, 5, 9]), [NAN]), [[0]])


def test_the_scaled_number_stands_beside_the_rank(rng):
    values = np.append(rng.standard_normal(50), NAN)
    both, alone = learned(values, has_number=True), learned(values)
    assert (both.width, alone.width) == (3, 2)
    column = Numeric.learn("'a'", values, None, 0)
    expected = np.empty((51, column.width))
    column.write("'a'", values, expected)
    found = inputs_of(both, values)
    np.testing.assert_array_equal(found[:, [0, 2]], inputs_of(alone, values))
    np.testing.assert_array_equal(found[:, 1:], expected)


def test_an_infinite_number_is_named():
    with pytest.raises(ValueError, match=r"^Input X contains infinity in column 'a'$"):
        inputs_of(learned([1, 5, 9]), [np.inf])
