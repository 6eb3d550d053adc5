"""Columns become inputs side by side; those that cannot are named."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastmlp.tabular.front import learn_front
from fastmlp.tabular.table import read_frame

TEXT = [f"note {row}" for row in range(30)]


def front_of(frame, is_category=(), n_bins=0):
    mask = np.isin(range(frame.shape[1]), is_category)
    return learn_front(read_frame(frame), mask, None, n_bins)


def test_inputs_stand_in_the_order_of_the_columns():
    frame = pl.DataFrame({"a": ["x", "y", "x"], "b": [1, 2, 4], "c": ["u", "v", None]})
    front = front_of(frame)
    inputs = front.inputs(read_frame(frame), "float32")
    assert inputs.dtype == np.float32
    assert front.width() == inputs.shape[1] == 3
    np.testing.assert_array_equal(inputs[:, [0, 2]], [[1, 1], [-1, -1], [1, 0]])
    assert (np.diff(inputs[:, 1]) > 0).all()


def test_columns_of_text_are_named_and_left_out():
    frame = pd.DataFrame({"note": TEXT, "size": range(30), "id": TEXT[::-1]})
    message = (
        "These columns of text are left out, since most of their values occur once: they are no "
        "categories. Name them in categorical_features (on the command line --categories) if they "
        "are: 'note', 'id'"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        front = front_of(frame)
    assert [column is None for column in front.columns] == [True, False, True]
    assert front.inputs(read_frame(frame), "float64").shape == (30, 1)


def test_without_another_column_text_is_an_error():
    message = r"^X has no column to learn from: 'note': most of their values occur once: "
    with pytest.raises(ValueError, match=message):
        front_of(pd.DataFrame({"note": TEXT}))


def test_text_that_the_caller_names_is_taken():
    assert front_of(pd.DataFrame({"note": TEXT}), [0]).width() == 30


def test_numbers_that_the_caller_names_are_categories():
    front = front_of(pd.DataFrame({"code": [3.0, 1, 2, np.nan]}), [0])
    assert front.columns[0].levels == ("1", "2", "3")
    inputs = front.inputs(read_frame(pl.DataFrame({"code": ["1", None, "3", "4"]})), "float32")
    np.testing.assert_array_equal(inputs, [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize("values", [[7, 7, 7], [None, None, None], ["a", "a", "a"]], ids=repr)
def test_a_column_of_one_value_has_no_input(values):
    frame = pd.DataFrame({"a": values, "b": [1, 2, 3]})
    front = front_of(frame)
    assert front.columns[0] is None
    later = pd.DataFrame({"a": ["else", None, "a"], "b": [1, 2, 3]})
    np.testing.assert_array_equal(
        front.inputs(read_frame(later), "float64"), front.inputs(read_frame(frame), "float64")
    )


def test_a_table_that_says_nothing_has_one_input_that_is_0():
    frame = pd.DataFrame({"a": [1, 1]})
    np.testing.assert_array_equal(front_of(frame).inputs(read_frame(frame), "float64"), [[0], [0]])


def test_numbers_that_became_text_are_refused():
    front = front_of(pd.DataFrame({"a": [1, 2]}))
    message = r"^column 'a' of X held numbers in training, and now has text such as 'x'$"
    with pytest.raises(ValueError, match=message):
        front.inputs(read_frame(pd.DataFrame({"a": [None, "x"]})), "float64")


def test_where_all_is_missing_the_dtype_does_not_matter():
    front = front_of(pd.DataFrame({"a": [1.0, 2.0, np.nan]}))
    for nothing in (
        pd.DataFrame({"a": [None, None]}),
        pd.DataFrame({"a": pd.Categorical([None, None])}),
        pl.DataFrame({"a": [None, None]}),
        pl.DataFrame({"a": pl.Series([None, None], dtype=pl.String)}),
    ):
        np.testing.assert_array_equal(
            front.inputs(read_frame(nothing), "float64"), [[0, 1], [0, 1]]
        )
