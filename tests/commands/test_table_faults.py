"""Tables and models that are of no use end with status 2 and one line."""

import re

import numpy as np
import pandas as pd
import pytest
from houses import N_ROWS, houses
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier, TabularRegressor

CSV = "a,b,c\n" + "".join(f"{i / 7},{'xy'[i % 2]},{i}\n" for i in range(40))
BAD_TRAINING = {
    "target": (CSV, ["d"], "{file} has no column 'd'; its columns are 'a', 'b', 'c'"),
    "ignored": (CSV, ["a", "--ignore", "d"], "{file} has no column 'd'; its columns are"),
    "both": (CSV, ["a", "--ignore", "a"], "--ignore names the column of --target"),
    "categories": (CSV, ["a", "--categories", "d"], "{file} has no column 'd'; its columns are"),
    "target as category": (
        CSV,
        ["a", "--categories", "a"],
        "--categories names 'a', as --target does",
    ),
    "ignored category": (
        CSV,
        ["a", "--categories", "b", "--ignore", "b"],
        "--categories names 'b', as --ignore does",
    ),
    "no features": (
        CSV,
        ["a", "--ignore", "b", "--ignore", "c"],
        "{file} has no column to learn from beside 'a'",
    ),
    "no rows": ("a,b\n", ["a"], "{file} has no rows below its header"),
    "no targets": ("a,b\n1,\n2,\n", ["b"], "{file} has no value in column 'b'"),
    "one value": (
        "a,b\n1,x\n2,x\n",
        ["b"],
        "{file} has only one value in column 'b', 'x'; expected at least two",
    ),
    "few rows": (
        "a,b\n1,0.5\n2,1.5\n3,0.7\n",
        ["b"],
        "{file} has 3 rows with a target; expected at least 5, of which one is held out for the "
        "scores",
    ),
    "constant": (
        "a,b\n" + "".join(f"1,{i / 7}\n" for i in range(40)),
        ["b"],
        "{file} has no column to learn from: each has one value at most",
    ),
    "text below a number": (
        "a,b\n1,2\n2,few\n",
        ["b", "--task", "regression"],
        "{file} has text values in column 'b', such as 'few'; a regression needs numbers",
    ),
    "text": (
        CSV,
        ["b", "--task", "regression"],
        "{file} has text values in column 'b', such as 'x'; a regression needs numbers",
    ),
    "names": (
        "a,b\n" + "".join(f"{i},x{i}\n" for i in range(40)),
        ["b"],
        "{file} has 40 different values in the 40 rows of column 'b'; expected classes, each with "
        "several rows, or numbers",
    ),
    "infinite": (CSV.replace("39\n", "inf\n"), ["c"], "{file} has an infinite number in column"),
    "infinite feature": (
        CSV.replace("39\n", "inf\n"),
        ["a"],
        "{file}: Input X contains infinity in column 'c'",
    ),
    "free text": (
        "a,b\n" + "".join(f"x{i},{i / 7}\n" for i in range(40)),
        ["b"],
        "{file}: X has no column to learn from",
    ),
    "lesson's": (CSV, ["b", "--hidden", "3"], "--hidden needs --preset lesson"),
    "resume": (CSV, ["b", "--resume"], "--resume needs --preset lesson"),
    "task": (
        CSV,
        ["b", "--preset", "lesson", "--task", "regression"],
        "--task is not for --preset lesson",
    ),
    "ignore": (
        CSV,
        ["b", "--preset", "lesson", "--ignore", "a"],
        "--ignore is not for --preset lesson",
    ),
    "time": (
        CSV,
        ["b", "--preset", "lesson", "--max-time", "3"],
        "--max-time is not for --preset lesson",
    ),
    "encoding": (
        CSV,
        ["b", "--preset", "lesson", "--encoding", "utf-8"],
        "--encoding is not for the lesson's network, which reads UTF-8",
    ),
    "no encoding": (CSV, ["b", "--encoding", "hex"], "'hex' is not the name of an encoding"),
    "no time": (CSV, ["b", "--max-time", "0"], "'--max-time': 0.0 is not in the range x>0"),
    "preset": (CSV, ["b", "--preset", "huge"], "'--preset': 'huge' is not one of"),
}


@pytest.mark.parametrize(("text", "options", "message"), BAD_TRAINING.values(), ids=BAD_TRAINING)
def test_bad_input_ends_with_status_2_and_one_line(train, tmp_path, text, options, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    status, out, err = train(path, *options)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"fastmlp: error: [^\n]+\n", err)
    assert message.format(file=path) in err
    assert not (tmp_path / "out").exists()


def test_a_parquet_file_that_cannot_be_read_is_refused(train, tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_text(CSV)
    status, out, err = train(path, "b")
    assert (status, out) == (2, "")
    assert err.startswith(f"fastmlp: error: {path} is no readable Parquet file: ")
    assert err.count("\n") == 1


def test_columns_that_no_estimator_reads_are_refused(train, fastmlp_cli, models, tmp_path):
    path = tmp_path / "nested.parquet"
    frame = houses().assign(size=[[1, 2]] * N_ROWS)
    frame.to_parquet(path)
    calls = (
        (train(path, "price"), "of type ndarray; --ignore leaves a column out\n"),
        (fastmlp_cli("predict", models["price"], path), "of type ndarray\n"),
    )
    for done, end in calls:
        assert done[:2] == (2, "")
        assert done[2].startswith(f"fastmlp: error: {path}: each value of column 'size' of X must")
        assert done[2].endswith(end)


def test_lists_as_a_target_are_refused(train, tmp_path):
    path = tmp_path / "nested.parquet"
    houses().assign(price=[[1, 2]] * N_ROWS).to_parquet(path)
    status, out, err = train(path, "price")
    assert (status, out) == (2, "")
    expected = "has values of type ndarray in column 'price', expected classes or numbers"
    assert err == f"fastmlp: error: {path} {expected}\n"


def other_models(tmp_path):
    """Write estimators that the command line does not take."""
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60.0)
    quick = {"max_iter": 1, "hidden_layer_sizes": (2,)}
    frame = pd.DataFrame(X, columns=["a", "b"])
    estimators = {
        "array": TabularRegressor("fast", **quick).fit(X, y),
        "two": TabularRegressor("fast", **quick).fit(frame, np.column_stack([y, y])),
        "nameless": TabularRegressor("fast", **quick).fit(frame, y),
    }
    with pytest.warns(ConvergenceWarning):
        estimators["sklearn"] = MLPClassifier(**quick).fit(X, y > 30)
    paths = {name: tmp_path / f"{name}.safetensors" for name in estimators}
    for name, estimator in estimators.items():
        estimator.save(paths[name])
    return paths


BAD_USE = {
    "array": ("predict", "array", [], "{model} holds no names of columns: it was trained on an"),
    "outputs": ("predict", "two", [], "{model} predicts several numbers per row; expected one"),
    "other": (
        "evaluate",
        "sklearn",
        [],
        "{model} is a file of MLPClassifier; expected one of TabularClassifier, TabularRegressor",
    ),
    "nameless": ("evaluate", "nameless", [], "{model} names no target; --target is needed"),
    "no columns": ("predict", "nameless", [], "{data} has no column 'a'; its columns are 'id',"),
    "keep": ("predict", "price", ["--keep", "x"], "{data} has no column 'x'; its columns are"),
    "kept twice": (
        "predict",
        "price",
        ["--keep", "id", "--keep", "id"],
        "--keep must name other columns than those of the predictions, each once: got id, id, p",
    ),
    "target": ("evaluate", "price", ["--target", "x"], "{data} has no column 'x'; its columns"),
    "text": (
        "evaluate",
        "price",
        ["--target", "wanted"],
        "{data} has text values in column 'wanted', such as 'yes'; a regression needs numbers",
    ),
    "classes": (
        "evaluate",
        "wanted",
        ["--target", "heating"],
        "{data} has class '{heating}' in column 'heating', which is not one of 'no', 'yes'",
    ),
}


@pytest.mark.parametrize(("command", "model", "options", "message"), BAD_USE.values(), ids=BAD_USE)
def test_bad_use_of_models_ends_with_status_2_and_one_line(
    fastmlp_cli, data, models, tmp_path, command, model, options, message
):
    path = (models | other_models(tmp_path))[model]
    status, out, err = fastmlp_cli(command, path, data, *options)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"fastmlp: error: [^\n]+\n", err)
    heating = houses()["heating"].dropna().iloc[0]
    assert message.format(model=path, data=data, heating=heating) in err


def test_text_in_a_column_of_numbers_is_refused(fastmlp_cli, models, tmp_path):
    path = tmp_path / "a.csv"
    frame = houses()
    frame["size"] = frame["size"].astype(object)
    frame.loc[5, "size"] = "big"
    frame.to_csv(path, index=False)
    status, out, err = fastmlp_cli("predict", models["price"], path)
    assert (status, out) == (2, "")
    assert err == (
        f"fastmlp: error: {path} has text in column 'size', which had numbers or dates in "
        "training, such as 'big'; --missing names marks of missing values\n"
    )
