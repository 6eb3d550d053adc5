"""The page of the lesson: its steps, the player of its training, and what there is to touch."""

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import ACTIVATIONS, MLP
from fastmlp._drawing import activation_curves
from fastmlp._page.charts import activation_picture
from fastmlp._page.content import Points, Recorded, describe_film, describe_network, describe_points
from fastmlp._page.document import document
from fastmlp._page.encode import doubles
from fastmlp._page.player import player, small_film, still
from fastmlp.lesson.narrator import Facts, Narrator, Paragraph, Picture, Step, Table


class Check(NamedTuple):
    """A network in float64, the rows of its loss, and the gradient there."""

    network: MLP
    X: NDArray[np.float64]
    y: NDArray[np.int64]
    class_weight: NDArray[np.float64]
    gradient: NDArray[Any]


class Shown(NamedTuple):
    """What the page shows beside the text.

    Attributes
    ----------
    films : dict of str to Recorded
        ``"main"``, ``"linear_boundary"``, and the failures by their names.
    points : Points
    check : Check
    seed : int
    language : str
    """

    films: dict[str, Recorded]
    points: Points
    check: Check
    seed: int
    language: str


_FAILURES = ("zeros", "rate", "linear", "dead")


def write_page(path: Path, say: Narrator, shown: Shown) -> None:
    """Write the page of what was said and shown."""
    names = shown.points.class_names
    assert names is not None
    page = document(
        language=shown.language,
        title=say("page.title"),
        body=_body(say, shown),
        data={
            "films": {name: describe_film(film) for name, film in shown.films.items()},
            "gradient": _describe_check(shown.check),
            **describe_points(shown.points, names),
        },
        texts=say.texts,
    )
    path.write_text(page, encoding="utf-8")


def _body(say: Narrator, shown: Shown) -> str:
    main = shown.films["main"]
    n_points = sum(len(y) for _, y in shown.points.groups.values())
    lead = say("page.lead", points=f"{n_points:,}", parameters=main.network.n_parameters)
    contents = "".join(
        f'<li><a href="#step-{step.name}">{escape(step.title)}</a></li>' for step in say.steps
    )
    steps = "".join(_step(number, step, say, shown) for number, step in enumerate(say.steps, 1))
    failures = "".join(
        small_film(
            name,
            shown.films[name],
            say(f"failures.{name}"),
            say(f"failures.{name}_text"),
            say.texts,
        )
        for name in _FAILURES
    )
    return f"""<header>
<h1>{escape(say("page.title"))}</h1>
<p class="lead">{escape(lead)}</p>
</header>
<section id="player">{player("main", main, shown.points, say.texts)}</section>
<nav aria-label="{escape(say("page.steps"))}"><ol>{contents}</ol></nav>
{steps}
<section class="step" id="failures"><div class="number" aria-hidden="true">!</div>
<div class="content"><h2>{escape(say("page.failures"))}</h2>
<p>{escape(say("page.failures_text"))}</p>
<div class="films">{failures}</div></div></section>
<footer>{escape(say("page.footer", seed=shown.seed))}</footer>"""


def _step(number: int, step: Step, say: Narrator, shown: Shown) -> str:
    # The picture follows the first paragraph, so that it can stand beside the rest.
    first, *rest = step.blocks
    rest.sort(key=lambda block: not isinstance(block, Picture))
    blocks = "".join(_block(block, say, shown) for block in (first, *rest))
    if step.name == "gradient":
        blocks += _check(say, shown.check)
    if step.name == "training":
        blocks += f'<p><a href="#player">{escape(say("page.watch"))}</a></p>'
    if f"questions.{step.name}" in say.texts:
        answer = say(f"answers.{step.name}", count=shown.check.network.n_parameters)
        question = say(f"questions.{step.name}")
        blocks += f"<details><summary>{escape(question)}</summary><p>{escape(answer)}</p></details>"
    return f"""
<section class="step" id="step-{step.name}"><div class="number" aria-hidden="true">{number}</div>
<div class="content"><h2>{escape(step.title)}</h2>{blocks}</div></section>"""


def _block(block: Paragraph | Table | Facts | Picture, say: Narrator, shown: Shown) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Facts):
        entries = (f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in block.entries)
        return f'<dl class="facts">{"".join(entries)}</dl>'
    caption = say(f"figures.{block.name}")
    if block.name == "activations":
        return _activations(caption)
    return still(block.name, caption)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(entry)}</th>' for entry in table.header)
    body, style = "", ""
    for row in table.rows:
        if row is None:
            style = ' class="rule"'
            continue
        first, *others = (escape(entry) for entry in row)
        cells = "".join(f"<td>{entry}</td>" for entry in others)
        body += f'<tr{style}><th scope="row">{first}</th>{cells}</tr>'
        style = ""
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _activations(caption: str) -> str:
    x = np.linspace(-4, 4, 49)
    figures = "".join(
        f"<figure>{activation_picture(x, activation_curves(name, x), name)}"
        f"<figcaption>{name}</figcaption></figure>"
        for name in ACTIVATIONS
    )
    frame = (
        '<svg width="0" height="0" aria-hidden="true" style="position:absolute">'
        '<clipPath id="frame"><rect x="4" y="4" width="112" height="84"/></clipPath></svg>'
    )
    return f'{frame}<div class="activations">{figures}</div><p class="hint">{escape(caption)}</p>'


def _describe_check(check: Check) -> dict[str, Any]:
    return describe_network(check.network) | {
        "parameters": doubles(check.network.parameters),
        "gradient": doubles(check.gradient),
        "X": doubles(check.X),
        "y": check.y.tolist(),
        "weights": check.class_weight[check.y].tolist(),
    }


def _check(say: Narrator, check: Check) -> str:
    def text(key: str, **values: object) -> str:
        return escape(say(f"check.{key}", **values))

    entries = "".join(
        f'<dt>{text(key)}</dt><dd{style}><data data-is="{key}"></data></dd>'
        for key, style in (
            ("value", ""),
            ("above", ""),
            ("below", ""),
            ("slope", ' class="strong"'),
            ("backpropagation", ' class="strong"'),
        )
    )
    last = check.network.n_parameters - 1
    return f"""
<div class="card" data-gradient>
<h3>{text("title")}</h3><p class="hint">{text("help")}</p>
<div class="check">
<div class="cells" data-is="cells" tabindex="0" role="slider" aria-label="{text("cells")}"
 aria-valuemin="0" aria-valuemax="{last}" aria-valuenow="0"></div>
<div>
<dl><dt>{text("name")}</dt><dd><code data-is="name"></code></dd>{entries}</dl>
<label>{text("step")} <span data-is="step_value"></span>
<input type="range" data-is="step" min="1" max="13" value="6"></label>
<p>{text("error", count=last + 1)}: <strong><data data-is="error"></data></strong></p>
<p class="hint">{text("step_help")}</p>
</div></div></div>"""
