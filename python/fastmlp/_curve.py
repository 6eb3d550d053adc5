"""The losses of a training as a small SVG picture, for notebooks; no plotting library is needed."""

import math
from typing import NamedTuple

# Blue and vermilion of `fastmlp.plotting`, which the colour-blind can distinguish.
_COLORS = ("#0072B2", "#D55E00")
_WIDTH, _HEIGHT = 360, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 350, 22, 108
_MOST_POINTS = 600  # per curve


class _Point(NamedTuple):
    epoch: int
    loss: float
    val_loss: float | None


class LossCurve:
    """The curves of the loss and the validation loss over the epochs.

    Of many epochs it keeps some, evenly spaced, so that no training is too long to draw.
    """

    def __init__(self) -> None:
        self._points: list[_Point] = []
        self._last: _Point | None = None
        self._step = 1

    def add(self, epoch: int, loss: float, val_loss: float | None) -> None:
        """Add the next epoch."""
        self._last = _Point(epoch, loss, val_loss)
        if epoch % self._step == 0:
            self._points.append(self._last)
        if len(self._points) > _MOST_POINTS:
            self._step *= 2
            self._points = [point for point in self._points if point.epoch % self._step == 0]

    def svg(self, last_epoch: int) -> str:
        """Draw the curves over an axis that ends with this epoch."""
        points = self._points
        if self._last is not None and points[-1:] != [self._last]:
            points = [*points, self._last]
        curves = {"loss": [(epoch, loss) for epoch, loss, _ in points]}
        curves["validation loss"] = [
            (epoch, val_loss) for epoch, _, val_loss in points if val_loss is not None
        ]
        return _svg({name: _finite(curve) for name, curve in curves.items()}, last_epoch)


def _finite(curve: list[tuple[int, float]]) -> list[tuple[int, float]]:
    return [(epoch, value) for epoch, value in curve if math.isfinite(value)]


def _svg(curves: dict[str, list[tuple[int, float]]], last_epoch: int) -> str:
    values = [value for curve in curves.values() for _, value in curve]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high:  # a scale to see the one value on
        low, high = min(low, 0.0), max(high, 0.0)
    across, up = (_RIGHT - _LEFT) / max(last_epoch - 1, 1), (_BOTTOM - _TOP) / ((high - low) or 1)
    # Text and axes have the colour of the notebook's text, be it dark or light.
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        'aria-label="loss curve" font-family="sans-serif" font-size="11" fill="currentColor">',
        f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="currentColor" '
        'stroke-opacity="0.4"/>',
        _text(_LEFT - 4, _TOP + 8, "end", f"{high:.3g}"),
        _text(_LEFT - 4, _BOTTOM, "end", f"{low:.3g}"),
        _text(_LEFT, _BOTTOM + 14, "start", "1"),
        _text((_LEFT + _RIGHT) // 2, _BOTTOM + 14, "middle", "epoch"),
        _text(_RIGHT, _BOTTOM + 14, "end", f"{last_epoch:,}"),
    ]
    start = _LEFT
    for color, (name, curve) in zip(_COLORS, curves.items(), strict=True):
        if not curve:
            continue
        places = [
            f"{_LEFT + (epoch - 1) * across:.1f},{_BOTTOM - (value - low) * up:.1f}"
            for epoch, value in curve
        ]
        parts += [
            f'<polyline points="{" ".join(places)}" fill="none" stroke="{color}" '
            'stroke-width="1.5"/>',
            f'<g fill="{color}">{_dot(*places)}{_text(start, 12, "start", name)}</g>',
        ]
        start += 7 * len(name) + 14
    return "".join([*parts, "</svg>"])


def _dot(place: str, *others: str) -> str:
    """Return a dot in place of a line that has one point alone."""
    x, y = place.split(",")
    return "" if others else f'<circle cx="{x}" cy="{y}" r="2.5"/>'


def _text(x: int, y: int, anchor: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
