"""The wheel and the source distribution are complete, and the wheel works with NumPy alone."""

import hashlib
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import fastmlp
from fastmlp import _core

ROOT = Path(__file__).parents[1]

# Building takes minutes where nothing is built yet.
pytestmark = pytest.mark.timeout(1200)


def run(*command, cwd=ROOT, **options):
    """Run a command; if it fails, fail with its whole output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this tree, in the target directory that the installed build has filled."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "maturin", "build", "--release", "--out", str(folder))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"fastmlp-{fastmlp.__version__}.dist-info/METADATA")
    return HeaderParser().parsestr(text.decode())


def test_wheel_serves_every_python_from_3_11_on(wheel):
    name, version, python, abi, _platform = wheel.stem.split("-")
    assert (name, version, python, abi) == ("fastmlp", fastmlp.__version__, "cp311", "abi3")


def test_wheel_is_small(wheel):
    assert wheel.stat().st_size < 6_000_000


def test_wheel_holds_the_package_and_nothing_else(names):
    package = {name for name in names if name.startswith("fastmlp/")}
    binary = "fastmlp/_core.pyd" if os.name == "nt" else "fastmlp/_core.abi3.so"
    kinds = {".py", ".pyi", ".toml", ".txt", ".css", ".js"}
    sources = (path for path in (ROOT / "python").rglob("*") if path.suffix in kinds)
    expected = {path.relative_to(ROOT / "python").as_posix() for path in sources}
    assert package == expected | {binary, "fastmlp/py.typed"}
    assert "fastmlp/_core.pyi" in package

    dist_info = f"fastmlp-{fastmlp.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"fastmlp", dist_info}
    assert {
        f"{dist_info}/licenses/LICENSE-MIT",
        f"{dist_info}/licenses/LICENSE-APACHE",
        f"{dist_info}/entry_points.txt",
    } <= names


def test_wheel_holds_the_binary_under_test(wheel):
    """The wheel is built from the sources as they are now, so the tests ran no stale binary."""
    tested = Path(_core.__file__)
    assert [path for path in tested.parent.glob("_core*") if path.suffix in {".so", ".pyd"}] == [
        tested
    ]
    with zipfile.ZipFile(wheel) as archive:
        built = archive.read(f"fastmlp/{tested.name}")
    assert hashlib.sha256(built).digest() == hashlib.sha256(tested.read_bytes()).digest()


def test_metadata(metadata):
    assert metadata["License-Expression"] == "MIT OR Apache-2.0"
    assert set(metadata.get_all("License-File")) == {"LICENSE-MIT", "LICENSE-APACHE"}
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"] == fastmlp.__doc__.splitlines()[0].rstrip(".")
    assert metadata["Description-Content-Type"].startswith("text/markdown")
    extras = {"all", "bench", "bench-tables", "dask", "mpi", "test"}
    assert set(metadata.get_all("Provides-Extra")) == extras
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert required == ["numpy>=2.0"]


TRAIN = """
import sys
import numpy as np
import fastmlp
from fastmlp.data import make_spiral

X, y = make_spiral(random_state=0)
X = X.astype(np.float32)
mlp = fastmlp.MLP([2, 100, 3], seed=0)
history = mlp.fit(X, y, optimizer=fastmlp.SGD(learning_rate=1.0), epochs=1000)
assert history.loss[-1] < history.loss[0]
assert np.mean(mlp.predict(X) == y) > 0.95, history.accuracy[-1]
foreign = {"pandas", "sklearn", "scipy", "matplotlib", "click", "tqdm"} & set(sys.modules)
assert not foreign, foreign
"""


def test_wheel_installs_into_an_empty_environment_and_trains_there(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = str(folder / "python")
    run(python, "-m", "pip", "install", str(wheel), cwd=tmp_path)

    listed = run(python, "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    installed = {line.split("==")[0].split(" @")[0] for line in listed.splitlines()}
    assert installed - {"pip", "setuptools"} == {"fastmlp", "numpy"}

    run(python, "-I", "-W", "error", "-c", TRAIN, cwd=tmp_path)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "maturin", "sdist", "--out", str(folder))
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"fastmlp-{fastmlp.__version__}"


def test_sdist_holds_the_sources_and_nothing_that_was_built(sdist):
    files = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}
    assert {
        "pyproject.toml",
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "PKG-INFO",
        "python/fastmlp/_core.pyi",
        "python/fastmlp/py.typed",
        "rust/core/src/lib.rs",
        "rust/py/src/lib.rs",
    } <= files
    folders = {file.split("/")[0] for file in files if "/" in file}
    assert folders <= {"benches", "docs", "examples", "fuzz", "python", "rust", "tests"}
    assert [file for file in files if file.startswith(".")] == []
    assert [file for file in files if file.endswith((".so", ".pyd", ".rlib", ".pyc"))] == []
