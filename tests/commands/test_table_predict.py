"""`fastmlp predict` gives the estimator's answers for files of every kind."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from houses import FILES, houses

from fastmlp import MLP, TabularClassifier, TabularRegressor
from fastmlp.model import Model


@pytest.mark.parametrize(("name", "write"), FILES.values(), ids=FILES)
def test_predictions_are_those_of_the_estimator(fastmlp_cli, models, tmp_path, name, write):
    path = tmp_path / name
    path.write_bytes(write(houses(seed=1)))
    frame = houses(seed=1)

    status, out, err = fastmlp_cli("predict", models["wanted"], path)
    assert (status, err) == (0, "")
    model = TabularClassifier.load(models["wanted"])
    X = frame[model.feature_names_in_]
    header, *rows = csv.reader(io.StringIO(out))
    assert header == ["class", "probability_no", "probability_yes"]
    assert [row[0] for row in rows] == model.predict(X).tolist()
    probabilities = np.array([row[1:] for row in rows], dtype=float)
    np.testing.assert_array_equal(probabilities, model.predict_proba(X))

    status, out, err = fastmlp_cli("predict", models["price"], path)
    assert (status, err) == (0, "")
    header, *rows = out.splitlines()
    assert header == "prediction"
    model = TabularRegressor.load(models["price"])
    assert [float(row) for row in rows] == model.predict(X).tolist()


def test_columns_are_kept_as_the_file_writes_them(fastmlp_cli, data, models, tmp_path):
    output = tmp_path / "answers.csv"
    given = ["--keep", "id", "--keep", "heating", "--keep", "built", "--output", output]
    assert fastmlp_cli("predict", models["price"], data, *given) == (0, "", "")
    answers = pd.read_csv(output, dtype=str, keep_default_na=False)
    frame = houses()
    assert list(answers) == ["id", "heating", "built", "prediction"]
    assert answers["id"].tolist() == frame["id"].tolist()
    assert answers["heating"].tolist() == frame["heating"].fillna("").tolist()
    assert answers["built"].tolist() == frame["built"].astype(str).tolist()


def test_missing_values_stop_no_prediction(fastmlp_cli, models, tmp_path):
    names = TabularRegressor.load(models["price"]).feature_names_in_.tolist()
    path = tmp_path / "empty.csv"
    path.write_text(f"{','.join(names)}\n" + f"{',' * (len(names) - 1)}\n" * 2)
    for name in models:
        status, out, err = fastmlp_cli("predict", models[name], path)
        assert (status, err) == (0, "")
        first, second = out.splitlines()[1:]
        assert first == second


def test_categories_that_look_like_numbers_are_found_again(train, fastmlp_cli, tmp_path):
    """A file to predict from may have those alone that pandas would make numbers of."""
    frame = pd.DataFrame({"code": ["007", "7", "x", "1e3"] * 30, "y": [0.5, 1.5, 2.5, 3.5] * 30})
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    assert train(path, "y", "--quiet") == (0, "", "")
    model = tmp_path / "out" / "model.safetensors"
    path.write_text("code\n007\n7\n1e3\n")
    status, out, err = fastmlp_cli("predict", model, path)
    assert (status, err) == (0, "")
    answers = [float(line) for line in out.splitlines()[1:]]
    assert answers == pytest.approx([0.5, 1.5, 3.5], abs=0.4)


def test_the_lesson_keeps_columns_too(fastmlp_cli, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("id,a,b\n01,1,2\n02,2,3\n")
    model = tmp_path / "model.safetensors"
    Model(MLP([2, 2], seed=0), [0, 0], [1, 1], "ab", ["no", "yes"]).save(model)
    plain = fastmlp_cli("predict", model, path)
    assert plain[::2] == (0, "")
    kept = ["id", "01", "02"]
    expected = [f"{a},{b}" for a, b in zip(kept, plain[1].splitlines(), strict=True)]
    status, out, err = fastmlp_cli("predict", model, path, "--keep", "id")
    assert (status, out.splitlines(), err) == (0, expected, "")


@pytest.mark.parametrize("name", ["wanted", "price"])
def test_json_has_an_object_per_row_with_the_columns_of_the_csv(
    fastmlp_cli, data, models, tmp_path, name
):
    given = ["predict", models[name], data, "--keep", "heating"]
    header, *rows = csv.reader(io.StringIO(fastmlp_cli(*given)[1]))
    status, out, err = fastmlp_cli(*given, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert [[str(value) for value in row.values()] for row in found] == rows
    assert all(list(row) == header for row in found)
    assert isinstance(list(found[0].values())[-1], float)
    assert len(out.splitlines()) == len(rows) + 2
    path = tmp_path / "answers.json"
    assert fastmlp_cli(*given, "--json", "--output", path) == (0, "", "")
    assert path.read_text(encoding="utf-8") == out


def test_the_lesson_s_numbers_in_json_have_the_digits_of_its_precision(fastmlp_cli, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("a,b\n1,2\n2,3\n")
    model = tmp_path / "model.safetensors"
    Model(MLP([2, 2], dtype="float32", seed=0), [0, 0], [1, 1], "ab", ["no", "yes"]).save(model)
    rows = json.loads(fastmlp_cli("predict", model, path, "--json")[1])
    expected = Model.load(model).predict_proba(np.array([[1.0, 2.0], [2.0, 3.0]]))
    np.testing.assert_array_equal(
        np.array([[row["probability_no"], row["probability_yes"]] for row in rows], np.float32),
        expected,
    )
    assert all(len(str(row["probability_no"])) <= 12 for row in rows)
