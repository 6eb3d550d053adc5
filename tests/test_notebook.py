"""A notebook that is run as Jupyter runs it, in a kernel without ipywidgets."""

import textwrap

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

CELLS = [
    """
    import sys
    sys.modules["ipywidgets"] = sys.modules["matplotlib"] = None  # as if they were not installed
    import fastmlp
    from fastmlp.data import make_spiral
    from fastmlp.progress import Progress
    X, y = make_spiral(90, 3, random_state=0)
    mlp = fastmlp.MLP([2, 20, 3], dtype="float64", seed=0)
    """,
    "history = mlp.fit(X, y, epochs=200, X_val=X, y_val=y, callback=Progress())",
    """
    estimator = fastmlp.MLPClassifier((5,), max_iter=30, random_state=0, verbose=True)
    estimator.set_params(callback=lambda info: info.epoch == 20).fit(X, y);
    """,
    "mlp",
    "history",
    "print(f'{history.loss[-1]:.3f}', f'{estimator.loss_:.4g}')",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(source).strip()) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder = tmp_path_factory.mktemp("notebook")
    kernel = nbformat.NotebookNode(name="python3", display_name="Python 3", language="python")
    notebook.metadata.kernelspec = kernel
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder))  # no startup files, no history of the user's
        ExecutePreprocessor(timeout=100).preprocess(notebook, {"metadata": {"path": str(folder)}})
    return notebook


@pytest.fixture
def outputs(notebook):
    return [cell.outputs for cell in notebook.cells]


def test_there_is_no_warning_and_no_text_but_that_printed(outputs):
    streams = [[o for o in cell if o.output_type == "stream"] for cell in outputs]
    assert streams[:-1] == [[]] * (len(CELLS) - 1)
    assert [stream.name for stream in streams[-1]] == ["stdout"]


@pytest.mark.parametrize(
    ("cell", "state", "n_curves"), [(1, "epoch 200/200", 2), (2, "epoch 20/30", 1)]
)
def test_a_fit_leaves_the_last_state_of_its_bar_and_a_curve(outputs, cell, state, n_curves):
    loss = outputs[-1][0].text.split()[cell - 1]
    [shown] = outputs[cell]
    assert shown.data["text/plain"].startswith(f"{state} loss {loss}")
    assert f"</progress> {state} loss {loss}" in shown.data["text/html"]
    assert shown.data["text/html"].count("<polyline") == n_curves


def test_networks_and_histories_are_shown_as_html(outputs):
    assert "<td>relu</td>" in outputs[3][0].data["text/html"]
    assert "lowest" in outputs[4][0].data["text/html"]
    assert outputs[4][0].data["text/plain"].startswith("History(200 epochs")


def test_nbconvert_keeps_bar_and_curve_in_a_page(notebook):
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert '<progress max="200" value="200"' in page or '<progress value="200" max="200"' in page
    assert page.count("<polyline") == 2 + 1 + 2
