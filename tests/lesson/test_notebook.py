"""The notebook is valid, runs from top to bottom, and says the truth; the example is its script."""

import contextlib
import io
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from chinese import english_in

from fastmlp import lesson
from fastmlp.lesson.catalogue import texts_in
from fastmlp.lesson.notebook import make_script
from fastmlp.model import Model

SEED = 1234
EXAMPLE = Path(__file__).parents[2] / "examples" / "lesson.py"


def read(folder, seed=SEED, language="en"):
    with contextlib.redirect_stdout(io.StringIO()):
        lesson.write_notebook(folder, seed, language)
    return nbformat.read(folder / "lesson.ipynb", nbformat.NO_CONVERT)


def sources(notebook, kind):
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return read(tmp_path_factory.mktemp("english"))


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    return read(tmp_path_factory.mktemp("chinese"), language="zh")


@pytest.fixture(scope="module")
def run(english, tmp_path_factory):
    """The names that the cells leave behind, and what they print."""
    names = {"__name__": "__main__"}
    with (
        contextlib.chdir(tmp_path_factory.mktemp("run")),
        mpl.rc_context({"backend": "agg"}),
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        for source in sources(english, "code"):
            exec(source, names)
    yield names, printed.getvalue()
    plt.close("all")


def printed_numbers(name, text):
    return np.array(re.findall(rf"{name}= *(\S+)", text), dtype=float)


def test_the_example_is_the_script_of_the_notebook():
    script = make_script(SEED)
    if not EXAMPLE.exists() or EXAMPLE.read_text(encoding="utf-8") != script:
        EXAMPLE.write_text(script, encoding="utf-8")
        pytest.fail("examples/lesson.py differed from the notebook and was rewritten")


def test_the_notebook_has_the_cells_of_the_script(english):
    cells = []
    for part in make_script(SEED).split("# %%")[1:]:
        head, _, body = part.partition("\n")
        code = head != " [markdown]"
        cells.append(body.strip() if code else re.sub(r"^# ?", "", body.strip(), flags=re.M))
    assert [cell.source for cell in english.cells] == cells


def test_the_notebook_is_valid(english, chinese):
    for notebook in (english, chinese):
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_the_code_is_the_same_in_all_languages(english, chinese):
    assert sources(chinese, "code") == sources(english, "code")


def test_the_code_has_no_text_in_any_language(english):
    for source in sources(english, "code"):
        assert "#" not in source
        assert '"""' not in source


def test_the_text_is_in_the_language(english, chinese):
    assert "".join(sources(english, "markdown")).isascii()
    text = re.sub("</?(details|summary)>", "", "\n".join(sources(chinese, "markdown")))
    assert english_in(text) == set()
    for source in sources(chinese, "markdown"):
        assert re.search("[一-鿿]", source), source


def test_the_steps_are_those_of_the_lesson(english, chinese):
    for notebook in (english, chinese):
        titles = re.findall(r"^## (\d+)\. \S", "\n".join(sources(notebook, "markdown")), re.M)
        assert titles == [str(number) for number in range(1, 13)]


def test_answers_to_questions_are_folded(english, chinese):
    for notebook, language in ((english, "en"), (chinese, "zh")):
        texts = texts_in(language)
        folded = [source for source in sources(notebook, "markdown") if "<details>" in source]
        assert len(folded) == 9
        for source in folded:
            question, answer = re.fullmatch(
                r"<details>\n<summary>(.*)</summary>\n\n(.*)\n\n</details>", source, re.S
            ).groups()
            keys = [key for key, text in texts.items() if text == " ".join(question.split())]
            name = keys[0].removeprefix("questions.")
            expected = texts[f"answers.{name}"].format(count=603)
            assert " ".join(answer.split()) == expected


def test_every_exercise_has_an_empty_cell_and_a_solution(english):
    cells = english.cells
    *_, solutions = (i for i, cell in enumerate(cells) if "## Solutions" in cell.source)
    exercises, answers = [], []
    for i, cell in enumerate(cells):
        for number in re.findall(r"^### Exercise (\d+)$", cell.source, re.M):
            (exercises if i < solutions else answers).append(number)
            assert cells[i + 1].cell_type == "code"
            assert bool(cells[i + 1].source) == (i >= solutions)
    assert exercises == answers == [str(number) for number in range(1, 7)]


def test_no_line_begins_a_list_by_chance(english, chinese):
    for notebook in (english, chinese):
        for source in sources(notebook, "markdown"):
            assert re.findall(r"^(?:[-+*>|]|\d+[.)]) .*", source, re.M) == []


def test_the_notebook_trains_the_network_of_the_lesson(run, tmp_path):
    names, _ = run
    with contextlib.redirect_stdout(io.StringIO()):
        lesson.run(tmp_path, SEED)
    model = Model.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(names["network"].parameters, model.network.parameters)
    np.testing.assert_array_equal(names["model"].mean, model.mean)


def test_what_the_solutions_say_is_true(run):
    names, printed = run
    assert names["error"] < 1e-6
    assert names["deep_accuracy"] < 0.65
    assert names["network_accuracy"] > 0.95

    assert names["own_loss"] == pytest.approx(names["fit_loss"], abs=1e-3)

    rates = (0.01, 0.1, 1, 10)
    highest = dict(zip(rates, printed_numbers("highest", printed), strict=True))
    last = dict(zip(rates, printed_numbers("last", printed), strict=True))
    start = np.log(3)
    assert last[0.01] > 0.95 * start
    assert 0.5 * start < last[0.1] < 0.7 * start
    assert last[1] < 0.3 < last[10]
    assert highest[10] > 3 * start

    few, _, *many = printed_numbers("small_accuracy", printed)
    assert few < 0.8
    assert min(many) > 0.97


def test_the_plots_have_no_missing_characters(run):
    figures = [plt.figure(number) for number in plt.get_fignums()]
    assert len(figures) == 6
    for figure in figures:
        figure.canvas.draw()  # warns of a missing character, and warnings are errors


def test_a_notebook_has_the_seed_that_was_asked_for(tmp_path):
    assert "seed = 77\n" in "\n".join(sources(read(tmp_path, 77), "code"))


def test_a_notebook_that_exists_is_not_replaced(tmp_path):
    read(tmp_path)
    before = (tmp_path / "lesson.ipynb").read_bytes()
    with pytest.raises(FileExistsError, match=r"lesson\.ipynb exists: move it away, or choose"):
        read(tmp_path, language="zh")
    assert (tmp_path / "lesson.ipynb").read_bytes() == before


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"^language must be one of en, zh, got 'fr'$"):
        read(tmp_path / "new", language="fr")
    assert list(tmp_path.iterdir()) == []
