"""Houses in a file, and models of them."""

import pytest
from houses import houses

from fastmlp import cli


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
