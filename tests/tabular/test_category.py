"""Categories become inputs as scikit-learn's encoder says, and free text is told from them."""

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder

from fastmlp.tabular.category import MAX_CATEGORIES, Category, is_free_text
from fastmlp.tabular.values import read_objects


def text(values):
    return read_objects("'a'", values, as_category=True)


def learned(values, weights=None):
    return Category.learn(text(values), weights)


def inputs_of(category, values):
    inputs = np.full((len(values), category.width), np.nan)
    category.write(text(values), inputs)
    return inputs


def as_column(values):
    return np.array(values, dtype=object)[:, None]


def test_three_and_more_have_an_input_each(rng):
    values = rng.choice(["b", "a", "ü", "c"], 50).tolist()
    others = ["a", "ü", "never seen", "b"]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(as_column(values))
    category = learned(values)
    assert category.levels == ("a", "b", "c", "ü")
    np.testing.assert_array_equal(inputs_of(category, others), encoder.transform(as_column(others)))


def test_two_share_an_input():
    category = learned(["no", "yes", None, "no"])
    expected = [[1], [-1], [0], [0]]
    np.testing.assert_array_equal(inputs_of(category, ["no", "yes", None, "other"]), expected)


def test_what_is_missing_is_0_in_all_inputs():
    category = learned(["a", "b", "c", None])
    np.testing.assert_array_equal(inputs_of(category, [None, "c"]), [[0, 0, 0], [0, 0, 1]])


def test_one_that_is_there_or_not_says_something():
    np.testing.assert_array_equal(
        inputs_of(learned(["a", None]), ["a", None, "b"]), [[1], [0], [0]]
    )


@pytest.mark.parametrize("values", [[], [None, None], ["a", "a"]])
def test_a_column_that_says_nothing_is_left_out(values):
    assert learned(values) is None


def many(rng):
    """More categories than have an input, some more frequent than others."""
    return [f"{place:03}" for place in (rng.exponential(60, 3000)).astype(int)]


def test_rare_ones_share_an_input(rng):
    values = many(rng)
    assert len(set(values)) > MAX_CATEGORIES
    encoder = OneHotEncoder(
        max_categories=MAX_CATEGORIES,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    ).fit(as_column(values))
    category = learned(values)
    others = [*values[:200], "never seen"]
    np.testing.assert_array_equal(inputs_of(category, others), encoder.transform(as_column(others)))
    np.testing.assert_array_equal(inputs_of(category, [None]), np.zeros((1, MAX_CATEGORIES)))


def test_weights_count_for_what_is_rare(rng):
    values = many(rng)
    rarest = min(set(values), key=values.count)
    assert rarest not in learned(values).levels
    weights = np.where(np.array(values) == rarest, 1e6, 1.0)
    assert rarest in learned(values, weights).levels


@pytest.mark.parametrize(
    ("values", "is_free"),
    [
        (["a", "b", "c"], True),
        (["a", "b", None], False),  # two categories are no text
        (["a", "b", "c", "a"], False),
        ([*map(str, range(21)), *map(str, range(20))], True),
        ([*map(str, range(21)), *map(str, range(21))], False),
        ([*map(str, range(20)), "0"], False),
        ([*map(str, range(1000)), *["x"] * 999], True),
        ([*map(str, range(1000)), *["x"] * 1003], False),
        ([None] * 5, False),
    ],
)
def test_free_text_is_told_by_how_often_values_occur(values, is_free):
    present = [value for value in values if value is not None]
    assert is_free_text(len(set(present)), len(present)) == is_free
