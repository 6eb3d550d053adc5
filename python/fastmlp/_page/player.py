"""The HTML of films: the player with all of its parts, and small films beside each other."""

from html import escape

from fastmlp._page.charts import loss_chart
from fastmlp._page.content import Points, Recorded

Texts = dict[str, str]


def player(name: str, film: Recorded, points: Points, texts: Texts) -> str:
    """Lay out the player of a film that the page has under a name."""

    def say(key: str) -> str:
        return escape(texts[f"player.{key}"])

    is_classes = points.class_names is not None
    hidden = film.network.layer_sizes[1:-1]
    has_validation = bool(film.losses["val_loss"])
    labels = {"epoch": "epoch", "loss": "loss", "val_loss": "val_loss"}
    if not has_validation:
        del labels["val_loss"]
    labels["score"] = "accuracy" if is_classes else "r_squared"
    groups = [("all", say("all")), *((str(i), escape(g)) for i, g in enumerate(points.groups))]
    options = "".join(f'<option value="{value}">{label}</option>' for value, label in groups)
    chart = loss_chart(
        film.losses, [texts["player.loss"], texts["player.val_loss"]], texts["player.chart"]
    )
    legend = f'<span class="key train">{say("loss")}</span>'
    legend += f'<span class="key val">{say("val_loss")}</span>' * has_validation
    results = [say("logit"), say("probability")] if is_classes else [say("sum"), say("value")]
    is_scaled = (*points.mean, *points.scale) != (0, 0, 1, 1)
    return f"""
<div class="player" data-film="{name}">
<div class="left">
{_plane(720, texts["player.plane"], focusable=True)}
{_controls(film, texts)}
<figure class="loss">{chart}<figcaption>{legend}</figcaption></figure>
</div>
<div class="right">
{_numbers(labels, texts)}
<label class="choice">{say("points")} <select data-is="group">{options}</select></label>
<h3>{say("place")}</h3>
<p class="hint">{say("place_help")}</p>
<div class="place">
{_table("inputs", [say("feature"), say("x"), *[say("input")] * is_scaled])}
{_table("hidden", [say("unit"), say("sum"), say("activation")]) if hidden else ""}
{_table("results", [say("result"), *results])}
</div>
</div>
{_units(hidden, "units_help" if is_classes else "units_help_values", texts) if hidden else ""}
</div>"""


def small_film(name: str, film: Recorded, title: str, text: str, texts: Texts) -> str:
    """Lay out a film of points with classes that plays in a small plane."""
    labels = ("epoch", "loss", "accuracy")
    return f"""
<figure class="small" data-film="{name}">
<h3>{escape(title)}</h3>{_plane(480, title)}
{_controls(film, texts)}
{_numbers(dict(zip(("epoch", "loss", "score"), labels, strict=True)), texts)}
<figcaption>{escape(text)}</figcaption>
</figure>"""


def still(name: str, caption: str) -> str:
    """Lay out the last frame of a film; of one that the page does not have, the points alone."""
    return f"""
<figure class="small" data-film="{name}">{_plane(480, caption, axes=True)}
<figcaption>{escape(caption)}</figcaption></figure>"""


def _numbers(labels: dict[str, str], texts: Texts) -> str:
    """Lay out numbers that the script fills in, by the keys of their labels."""
    entries = "".join(
        f"<div><dt>{escape(texts[f'player.{label}'])}</dt>"
        f'<dd><data data-is="{name}"></data></dd></div>'
        for name, label in labels.items()
    )
    return f'<dl class="numbers">{entries}</dl>'


def _plane(side: int, label: str, *, axes: bool = False, focusable: bool = False) -> str:
    role = 'tabindex="0" role="application"' if focusable else 'role="img"'
    hair = '<span class="hair" data-is="hair"></span>' if focusable else ""
    canvas = (
        f'<canvas data-is="plane" width="{side}" height="{side}" {role} '
        f'{"data-axes=yes " if axes or focusable else ""}aria-label="{escape(label)}"></canvas>'
    )
    return f'<div class="stage">{canvas}{hair}</div>'


def _controls(film: Recorded, texts: Texts) -> str:
    last = len(film.epochs) - 1
    return (
        '<div class="controls"><button type="button" data-is="play" data-state="play">'
        f"<span>{escape(texts['script.play'])}</span></button>"
        f'<input type="range" data-is="time" min="0" max="{last}" value="{last}" '
        f'aria-label="{escape(texts["player.time"])}"></div>'
    )


def _table(name: str, header: list[str]) -> str:
    cells = "".join(f'<th scope="col">{heading}</th>' for heading in header)
    scroll = ' tabindex="0" role="group"' if name == "hidden" else ""
    return (
        f'<div class="scroll {name}"{scroll}><table data-is="{name}">'
        f"<thead><tr>{cells}</tr></thead><tbody></tbody></table></div>"
    )


def _units(hidden: tuple[int, ...], help_key: str, texts: Texts) -> str:
    def say(key: str) -> str:
        return escape(texts[f"player.{key}"])

    chooser = ""
    if len(hidden) > 1:
        options = "".join(f'<option value="{i}">{i}</option>' for i in range(1, len(hidden) + 1))
        select = f'<select data-is="layer">{options}</select>'
        chooser = f'<label class="choice">{say("layer")} {select}</label>'
    return f"""
<div class="below">
<div class="bar-of-units"><h3>{say("units")}</h3>{chooser}
<button type="button" data-is="all_on">{say("all_on")}</button>
<button type="button" data-is="all_off">{say("all_off")}</button>
<output data-is="off"></output></div>
<p class="hint">{say(help_key)}</p>
<div class="units" data-is="units"></div>
</div>"""
