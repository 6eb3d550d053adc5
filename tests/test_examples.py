"""The examples run as they are and reach the accuracy that they show."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastmlp

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == [
        "cartpole",
        "custom_loop",
        "dask_cluster",
        "digits",
        "lesson",  # by lesson/test_notebook.py
        "many",
        "mpi_job",
        "oscillator",
        "spiral",
    ]


def test_spiral(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert load("spiral").main() >= 0.95

    assert sorted(path.name for path in tmp_path.iterdir()) == ["boundary.png", "history.png"]
    assert "loss before training: 1.09" in capsys.readouterr().out


def test_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert load("digits").main() >= 0.95

    plots = ["confusion.png", "curves.png", "search.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == plots
    assert "accuracy with the defaults: 0.9" in capsys.readouterr().out


def test_many(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    accuracy, ratio = load("many").main()

    assert accuracy >= 0.95
    assert ratio > 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["many.png"]
    assert capsys.readouterr().out.startswith("200 networks in ")


def test_custom_loop(capsys):
    assert load("custom_loop").main() >= 0.95
    assert capsys.readouterr().out.startswith("step    0  focal loss")


@pytest.mark.timeout(600)  # workers start, and import much
def test_dask_cluster(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert load("dask_cluster").main() >= 0.9

    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert "4 shards, " in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="the wheel of mpich is for Linux")
def test_mpi_job(tmp_path):
    mpiexec = Path(sys.executable).parent / "mpiexec"
    command = [mpiexec, "-n", "2", sys.executable, "-m", "mpi4py", EXAMPLES / "mpi_job.py"]
    printed = [
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]

    # The second job finds that all epochs are made.
    assert printed[0].endswith(printed[1])
    assert float(re.search(r"unseen points: ([\d.]+), 2 ranks", printed[1])[1]) >= 0.95
    assert printed[0].startswith("epoch  10  loss 0.")


def test_cartpole(capsys):
    assert load("cartpole").main() >= 475
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["steps", "mean"]
    assert re.match(r"mean return (4[789]\d|500)\.\d over 100 episodes after", lines[-1])


def test_the_cart_goes_on_as_the_equations_of_motion_say(rng):
    cartpole = load("cartpole")
    environment = cartpole.CartPole(1, rng)

    def energy_and_momentum():
        # Of a cart, and of a uniform pole whose middle is half_length from its end.
        _, v, angle, spin = environment.state[0]
        cart, pole, half = 1.0, 0.1, 0.5
        vx, vy = v + half * spin * np.cos(angle), -half * spin * np.sin(angle)
        turning = pole * (2 * half) ** 2 / 12 * spin**2
        kinetic = (cart * v**2 + pole * (vx**2 + vy**2) + turning) / 2
        return kinetic + pole * 9.8 * half * np.cos(angle), cart * v + pole * vx

    # The work of the force, and its impulse, in steps so short that Euler's method is exact enough.
    environment.seconds_per_step = dt = 1e-7
    for state in ([0.3, -0.7, 0.15, 0.9], [-1.0, 0.4, -0.1, -2.0]):
        for action, force in ((0, -10.0), (1, 10.0)):
            environment.state[0] = state
            energy, momentum = energy_and_momentum()
            environment.step(np.array([action]))
            after, momentum_after = energy_and_momentum()
            assert (after - energy) / dt == pytest.approx(force * state[1], abs=1e-4)
            assert (momentum_after - momentum) / dt == pytest.approx(force, abs=1e-4)


def test_oscillator(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert load("oscillator").main() < 1e-3

    assert [path.name for path in tmp_path.iterdir()] == ["oscillator.png"]
    assert capsys.readouterr().out.startswith("iterations        loss")


def test_the_oscillator_has_the_gradient_and_the_solution_it_says(rng):
    oscillator = load("oscillator")
    t = np.linspace(0, 2, 9)[:, None]
    h = 1e-5
    slope = (oscillator.exact(t + h) - oscillator.exact(t - h)) / (2 * h)
    np.testing.assert_allclose(slope, oscillator.exact(t) @ oscillator.A.T, atol=1e-6)
    np.testing.assert_allclose(oscillator.exact(t[:1]), [[1, 0]], atol=1e-15)

    mlp = fastmlp.MLP([1, 5, 2], "tanh", output="identity", dtype="float64", seed=0)
    _, gradient = oscillator.loss_and_grad(mlp, t)
    direction = rng.standard_normal(mlp.n_parameters)
    start, losses = mlp.parameters.copy(), []
    for step in (1e-6, -1e-6):
        mlp.parameters[:] = start + step * direction
        losses.append(oscillator.loss_and_grad(mlp, t)[0])
    assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(gradient @ direction, rel=1e-6)
    mlp.parameters[:] = start
    loss = np.square(oscillator.true_residual(mlp, t)).sum() / len(t)
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_focal_loss_of_the_example_has_the_derivative_it_says(rng):
    focal_loss = load("custom_loop").focal_loss
    logits, y = rng.standard_normal((5, 3)), np.array([0, 1, 2, 2, 0])
    _, derivative = focal_loss(logits, y)
    for i, j in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[i, j] = 1e-6
        slope = (focal_loss(logits + step, y)[0] - focal_loss(logits - step, y)[0]) / 2e-6
        assert derivative[i, j] == pytest.approx(slope, abs=1e-9)
