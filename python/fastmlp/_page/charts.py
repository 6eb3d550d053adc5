"""Small charts in SVG, coloured by the style sheet of the page."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 470, 10, 172
_MOST_POINTS = 200  # of a curve: every other pixel of the chart


def loss_chart(losses: dict[str, list[float]], names: Sequence[str], label: str) -> str:
    """Draw losses against epochs, with a cursor that the script moves.

    Parameters
    ----------
    losses : dict of str to list of float
        Curves, each the losses of the epochs 1, 2, ...; empty ones are left out.
    names : sequence of str
        Their names in the legend.
    label : str
        What the chart shows, for those who do not see it.
    """
    curves = [
        (name, np.asarray(values), style)
        for name, values, style in zip(names, losses.values(), ("train", "val"), strict=True)
        if values
    ]
    last = max(len(values) for _, values, _ in curves)
    finite = np.concatenate([values[np.isfinite(values)] for _, values, _ in curves])
    low, high = min(0.0, float(finite.min())), float(finite.max())
    high = high if high > low else low + 1.0

    def height(value: float) -> float:
        return _BOTTOM - (value - low) / (high - low) * (_BOTTOM - _TOP)

    marks = [
        f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{height(v):.1f}" y2="{height(v):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{height(v) + 4:.1f}" text-anchor="end">{v:g}</text>'
        for v in round_steps(low, high)
    ]
    marks += [
        f'<text x="{_across(e, last):.1f}" y="{_BOTTOM + 18}" '
        f'text-anchor="{"end" if e == last else "middle"}">{e:,.0f}</text>'
        for e in round_steps(0, last)
        if e == int(e)
    ]
    paths = []
    for name, values, style in curves:
        picks = np.unique(np.linspace(0, len(values) - 1, _MOST_POINTS).astype(int))
        picks = picks[np.isfinite(values[picks])]
        spots = [(_across(i + 1, last), height(values[i])) for i in picks]
        paths.append(
            f'<path class="{style}" d="{path_through(spots)}"><title>{escape(name)}</title></path>'
        )
    cursor = (
        f'<g class="cursor" data-is="cursor" data-left="{_LEFT}" data-right="{_RIGHT}" '
        f'data-last="{last}" data-width="{_WIDTH}" transform="translate({_RIGHT} 0)">'
        f'<line y1="{_TOP - 6}" y2="{_BOTTOM}"/><circle cy="{_TOP - 4}" r="4"/></g>'
    )
    return (
        f'<svg class="chart" data-is="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(marks)}{"".join(paths)}{cursor}</svg>'
    )


def activation_picture(
    x: NDArray[np.float64], curves: Sequence[NDArray[np.float64]], label: str
) -> str:
    """Draw a function and its derivative from -4 to 4."""

    def spot(u: float, v: float) -> tuple[float, float]:
        return 60 + 14 * u, 54 - 20 * v

    paths = []
    for values, style in zip(curves, ("value", "slope"), strict=True):
        spots = [spot(*uv) for uv in zip(x, values, strict=True)]
        paths.append(f'<path class="{style}" d="{path_through(spots)}"/>')
    return (
        f'<svg class="activation" viewBox="0 0 120 92" role="img" aria-label="{escape(label)}">'
        '<path class="axis" d="M4 54H116M60 4V88M58 34h4M74 52v4M46 52v4M58 74h4"/>'
        f'<g clip-path="url(#frame)">{"".join(reversed(paths))}</g></svg>'
    )


def path_through(spots: Sequence[tuple[float, float]]) -> str:
    """Return the path of a line through spots, in tenths of a unit."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)


def round_steps(low: float, high: float) -> list[float]:
    """Return three to six round numbers between two."""
    raw = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step + 1e-9))
    return [float(f"{k * step:.6g}") for k in range(first, last + 1)]


def _across(epoch: float, last: int) -> float:
    return _LEFT + epoch / last * (_RIGHT - _LEFT)
