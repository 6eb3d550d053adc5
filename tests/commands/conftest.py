"""Houses and the spiral in files, and models of them."""

import pytest
from houses import houses
from lesson_files import LESSON, write_csv

from fastmlp import cli
from fastmlp.data import make_spiral


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Return a file of houses."""
    path = tmp_path_factory.mktemp("data") / "houses.csv"
    houses().to_csv(path, index=False)
    return path


@pytest.fixture
def train(fastmlp_cli, tmp_path):
    """Train one network on a file, into the folder "out"."""

    def call(path, target, *options):
        fixed = ["--target", target, "--preset", "fast", "--output", tmp_path / "out"]
        return fastmlp_cli("train", path, *fixed, *options)

    return call


@pytest.fixture(scope="session")
def models(data, tmp_path_factory):
    """Return the model files of a classifier and of a regressor."""
    folder = tmp_path_factory.mktemp("models")
    for target, other in (("wanted", "price"), ("price", "wanted")):
        given = ["--target", target, "--ignore", other, "--ignore", "id", "--preset", "fast"]
        given += ["--quiet", "--output", folder / target]
        assert cli.run([str(argument) for argument in ["train", data, *given]]) == 0
    return {name: folder / name / "model.safetensors" for name in ("wanted", "price")}


@pytest.fixture(scope="session")
def spiral_csv(tmp_path_factory):
    """Return a file of the spiral."""
    X, arms = make_spiral(random_state=1)
    rows = [(*x, f"c{arm + 1}") for x, arm in zip(X.tolist(), arms, strict=True)]
    return write_csv(tmp_path_factory.mktemp("spiral") / "spiral.csv", ["X1", "X2", "color"], rows)


@pytest.fixture(scope="session")
def trained(spiral_csv, tmp_path_factory):
    """Return the folder of a training with the default options."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = ["train", spiral_csv, *LESSON, "--target", "color", "--output", folder, "--quiet"]
    assert cli.run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def model_file(trained):
    """Return the model file of that training."""
    return trained / "model.safetensors"
