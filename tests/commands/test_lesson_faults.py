"""Whatever is wrong with a command or a file ends with one line and status 2."""

import re

import pytest
from lesson_files import LESSON, write_csv

from fastmlp.model import Model

TRAIN = ["train", "{spiral}", *LESSON, "--target", "color", "--output", "{tmp}/out"]
BAD_INPUT = {
    "command": (["trian"], "No such command 'trian'"),
    "option": (["train", "--traget", "x"], "No such option.*--traget"),
    "argument": (["predict"], "Missing argument 'MODEL'"),
    "target": (["train", "{spiral}"], "Missing option '--target'"),
    "no file": (["train", "none.csv", "--target", "a"], "'FILE': File 'none.csv' does not exist"),
    "folder": (["train", "{tmp}", *LESSON, "--target", "a"], "'FILE': File '{tmp}' is a directory"),
    "input": (
        ["train", "-", *LESSON, "--target", "a"],
        "- is not for the lesson's network, which r",
    ),
    "input of predict": (["predict", "{model}", "-"], "- is not for the lesson's network, which r"),
    "input of evaluate": (["evaluate", "{model}", "-"], "- is not for the lesson's network, which"),
    "column": (["train", "{spiral}", *LESSON, "--target", "colour"], "no column 'colour'.*'color'"),
    "text": (["train", "{text}", *LESSON, "--target", "b"], "'a'.*'ten'"),
    "not text": (["train", "{model}", *LESSON, "--target", "b"], "{model}"),
    "one class": (["train", "{same}", *LESSON, "--target", "b"], "class"),
    "hidden": ([*TRAIN, "--hidden", "10,0"], "'--hidden': '10,0' is not integers > 0 separated"),
    "hidden text": ([*TRAIN, "--hidden", "ten"], "'--hidden': 'ten' is not integers > 0"),
    "activation": ([*TRAIN, "--activation", "step"], "'--activation': 'step' is not one of"),
    "init scale": ([*TRAIN, "--init-scale", "-1"], "init_scale"),
    "rate": ([*TRAIN, "--learning-rate", "0"], "learning_rate"),
    "infinite rate": ([*TRAIN, "--learning-rate", "inf"], "learning_rate"),
    "rate text": ([*TRAIN, "--learning-rate", "fast"], "'--learning-rate': 'fast' is not a valid"),
    "momentum": ([*TRAIN, "--momentum", "1.5"], "momentum"),
    "adam": ([*TRAIN, "--optimizer", "adam", "--momentum", "0.5"], "need --optimizer sgd"),
    "nesterov": ([*TRAIN, "--nesterov"], "nesterov"),
    "sgd decay": ([*TRAIN, "--weight-decay", "0.1"], "--weight-decay needs --optimizer adamw"),
    "decay": ([*TRAIN, "--optimizer", "adamw", "--weight-decay", "-1"], "weight_decay is -1"),
    "dropout": ([*TRAIN, "--dropout", "1"], "'--dropout': 1.0 is not in the range 0<=x<1"),
    "epochs": ([*TRAIN, "--epochs", "0"], "'--epochs': 0 is not in the range x>=1"),
    "huge epochs": ([*TRAIN, "--epochs", str(2**63)], f"'--epochs': {2**63} is greater than"),
    "batch": ([*TRAIN, "--batch-size", "-5"], "'--batch-size': -5 is not in the range"),
    "huge batch": ([*TRAIN, "--batch-size", "9" * 30], "'--batch-size': 9+ is greater than"),
    "fractions": ([*TRAIN, "--fractions", "0.7,0.3"], "--fractions: must be three numbers"),
    "sum": ([*TRAIN, "--fractions", "0.7,0.3,0.3"], "that sum to 1, got 0.7, 0.3, 0.3"),
    "jobs": ([*TRAIN, "--n-jobs", "0"], "'--n-jobs': 0 is neither from 1"),
    "huge jobs": ([*TRAIN, "--n-jobs", "-65537"], "'--n-jobs': -65537 is neither"),
    "seed": ([*TRAIN, "--seed", "-1"], "'--seed': -1 is not in the range"),
    "size": ([*TRAIN, "--hidden", "16777216,16777216"], "memory"),
    "width": ([*TRAIN, "--hidden", "10,16777217"], "'--hidden': 16777217 is greater than 16777216"),
    "divergence": ([*TRAIN, "--learning-rate", "1e30"], "finite|diverge"),
    "output": (
        ["train", "{spiral}", *LESSON, "--target", "color", "--output", "{spiral}"],
        "is a file",
    ),
    "output below": (
        ["train", "{spiral}", *LESSON, "--target", "color", "--output", "{spiral}/out"],
        "{spiral}/out: Not a directory",
    ),
    "demo output": (["demo", "--output", "{spiral}/out"], "{spiral}/out: Not a directory"),
    "language": (["demo", "--lang", "fr"], "'--lang': 'fr' is not one of 'en', 'zh'"),
    "not a model": (["evaluate", "{spiral}", "{spiral}"], "{spiral} is not a model file"),
    "damaged model": (["predict", "{damaged}", "{spiral}"], "{damaged} is not a model file"),
    "no model": (
        ["predict", "{tmp}/none", "{spiral}"],
        "'MODEL': File '{tmp}/none' does not exist",
    ),
    "features": (["predict", "{model}", "{text}"], "{text}.*no column 'X1'"),
    "class": (["evaluate", "{model}", "{other}"], "{other}.*'c9'"),
    "far": (
        ["predict", "{model}", "{far}"],
        "{far}, row 1 below the header: feature 'X2' is 1e.60, not",
    ),
    "predict output": (
        ["predict", "{model}", "{spiral}", "--output", "{tmp}/none/answers.csv"],
        "{tmp}/none/answers.csv",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_ends_with_status_2_and_one_line(
    fastmlp_cli, spiral_csv, model_file, tmp_path, arguments, message
):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(model_file.read_bytes()[:-1])
    places = {
        "spiral": spiral_csv,
        "model": model_file,
        "tmp": tmp_path,
        "damaged": damaged,
        "text": write_csv(tmp_path / "text.csv", "ab", [(1, "x"), ("ten", "y")]),
        "same": write_csv(tmp_path / "same.csv", "ab", [(1, "x"), (2, "x")]),
        "other": write_csv(tmp_path / "other.csv", ["X1", "X2", "color"], [(0, 0, "c9")]),
        "far": write_csv(tmp_path / "far.csv", ["X1", "X2"], [(0, 1e60)]),
    }
    patterns = {name: re.escape(str(path)) for name, path in places.items()}
    status, _, err = fastmlp_cli(*(argument.format(**places) for argument in arguments))

    assert status == 2
    assert re.fullmatch(r"fastmlp: error: [^\n]+\n", err)
    assert re.search(message.format(**patterns), err), err
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_model_without_a_target_needs_one(fastmlp_cli, spiral_csv, model_file, tmp_path):
    model = Model.load(model_file)
    path = tmp_path / "nameless.safetensors"
    Model(model.network, model.mean, model.scale, model.feature_names, model.class_names).save(path)
    assert fastmlp_cli("evaluate", path, spiral_csv)[::2] == (
        2,
        f"fastmlp: error: {path} names no target; --target is needed\n",
    )
    assert fastmlp_cli("evaluate", path, spiral_csv, "--target", "color")[0] == 0
