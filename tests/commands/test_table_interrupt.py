"""Ctrl-C ends a training on a table, and what was trained is kept."""

import json
import os
import signal
from contextlib import nullcontext

import pytest

from fastmlp import TabularClassifier
from fastmlp.commands import table_train


@pytest.fixture
def interrupted(train, data, monkeypatch, sigint):
    """Train, and press Ctrl-C so many times after an epoch of a network, both counted from 1."""

    def call(network, epoch, *options, times=1):
        def press(progress):
            told.append(progress.epoch)
            if told.count(1) == network and told[-1] == epoch:
                for _ in range(times):
                    signal.raise_signal(signal.SIGINT)

        told = []
        with monkeypatch.context() as patch:
            patch.setattr(table_train, "networks_bar", lambda: nullcontext(press))
            return train(data, "rooms", "--ignore", "id", *options)

    return call


def test_a_network_that_was_begun_is_kept(interrupted, fastmlp_cli, data, tmp_path, monkeypatch):
    written = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, text: written.append((file, text)))
        status, out, err = interrupted(1, 3)
    assert written == [
        (2, b"\nfastmlp: the current epoch is the last; Ctrl-C again ends at once\n")
    ]
    path = tmp_path / "out" / "model.safetensors"
    assert status == 130
    assert err == (
        f"fastmlp: error: interrupted: {path} has 1 of 1 networks, trained for 4 of 40 epochs\n"
    )
    assert "accuracy" in out
    model = TabularClassifier.load(path)
    assert model.n_iter_ == 4  # that of Ctrl-C was the fourth
    assert len(model.validation_scores_[0]) == 4
    scores = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))["test"]
    assert scores["overall"]["num_samples"] == 48
    assert fastmlp_cli("evaluate", path, data)[0] == 0


def test_networks_that_were_trained_to_the_end_are_kept_alone(interrupted, tmp_path):
    status, _, err = interrupted(3, 5, "--preset", "default")
    assert status == 130
    assert "has 2 of 8 networks, trained for 40 of 40 epochs\n" in err
    model = TabularClassifier.load(tmp_path / "out" / "model.safetensors")
    assert [len(curve) for curve in model.loss_curves_] == [40, 40]


def test_at_the_last_epoch_there_is_nothing_to_interrupt(interrupted, train, data, tmp_path):
    status, out, _ = interrupted(1, 40)
    assert status == 0
    assert "accuracy" in out
    path = tmp_path / "out" / "model.safetensors"
    there = path.read_bytes()
    assert train(data, "rooms", "--ignore", "id", "--overwrite", "--quiet")[0] == 0
    assert path.read_bytes() == there


def test_a_second_time_ends_at_once_and_leaves_no_folder(interrupted, tmp_path):
    status, _, err = interrupted(1, 2, times=2)
    assert status == 130
    assert err.endswith("fastmlp: error: interrupted\n")
    assert not (tmp_path / "out").exists()


def test_before_the_first_epoch_nothing_is_kept(train, data, tmp_path, monkeypatch, sigint):
    fit = TabularClassifier.fit

    def interrupted_fit(*given):
        signal.raise_signal(signal.SIGINT)
        return fit(*given)

    monkeypatch.setattr(TabularClassifier, "fit", interrupted_fit)
    status, _, err = train(data, "rooms", "--quiet")
    assert status == 130
    assert err.endswith("fastmlp: error: interrupted\n")
    assert not (tmp_path / "out").exists()


def test_the_handler_is_as_it_was(interrupted):
    before = signal.getsignal(signal.SIGINT)
    interrupted(1, 2)
    assert signal.getsignal(signal.SIGINT) is before
