"""What was learned of columns, as the tensors of a file."""

from itertools import pairwise
from typing import Any

import numpy as np

from fastmlp._files import Tensors, text_names, text_of, text_tensors, vector
from fastmlp.tabular.category import MAX_CATEGORIES, Category
from fastmlp.tabular.front import Front
from fastmlp.tabular.numeric import Numeric
from fastmlp.tabular.rank import Rank

_LEFT_OUT, _NUMERIC, _CATEGORY = range(3)
_KINDS = "columns.kind"
_CENTRE, _SCALE, _MARKS = "numeric.centre", "numeric.scale", "numeric.marks_missing"
_EDGES, _EDGE_BOUNDS = "numeric.edges", "numeric.edge_bounds"
# Only where a network reads ranks.
_KNOTS, _KNOT_BOUNDS = "rank.knots", "rank.knot_bounds"
# Where this is not there, no number stands beside a rank.
_HAS_NUMBER = "rank.has_number"
_LEVELS, _LEVEL_BOUNDS, _OTHERS = "category.levels", "category.level_bounds", "category.has_others"


def front_tensors(front: Front) -> Tensors:
    """Lay a front out as tensors."""
    numeric = [column for column in front.columns if isinstance(column, Numeric)]
    categories = [column for column in front.columns if isinstance(column, Category)]
    edges = [column.edges for column in numeric]
    levels = [column.levels for column in categories]
    ranks = {}
    if front.ranks is not None:
        knots = [rank.knots for rank in front.ranks.values()]
        ranks[_KNOTS] = np.concatenate([np.empty(0), *knots])
        ranks[_KNOT_BOUNDS] = np.cumsum([0, *map(len, knots)], dtype=np.int64)
        has_number = [rank.beside is not None for rank in front.ranks.values()]
        ranks[_HAS_NUMBER] = np.array(has_number, dtype=np.uint8)
    return {
        **ranks,
        _KINDS: np.array([_kind(column) for column in front.columns], dtype=np.uint8),
        _CENTRE: np.array([column.centre for column in numeric], dtype=np.float64),
        _SCALE: np.array([column.scale for column in numeric], dtype=np.float64),
        _MARKS: np.array([column.marks_missing for column in numeric], dtype=np.uint8),
        _EDGES: np.concatenate([np.empty(0), *edges]),
        _EDGE_BOUNDS: np.cumsum([0, *map(len, edges)], dtype=np.int64),
        **text_tensors(_LEVELS, [level for column in levels for level in column]),
        _LEVEL_BOUNDS: np.cumsum([0, *map(len, levels)], dtype=np.int64),
        _OTHERS: np.array([column.has_others for column in categories], dtype=np.uint8),
    }


def front_of(tensors: Tensors) -> tuple[Front, set[str]]:
    """Get what `front_tensors` laid out, and the names of the tensors.

    Raises
    ------
    ValueError
        If the tensors are no front.
    """
    kinds = vector(tensors, _KINDS, "uint8")
    if (kinds > _CATEGORY).any():
        raise ValueError(f"{_KINDS} must be {_LEFT_OUT}, {_NUMERIC} or {_CATEGORY}, got {kinds}")
    of_numbers = _numeric_of(tensors, int((kinds == _NUMERIC).sum()))
    numeric, ranks = iter(of_numbers), None
    categories = iter(_categories_of(tensors, int((kinds == _CATEGORY).sum())))
    nothing = iter([None] * len(kinds))
    # Each kind in its order, dealt out again.
    sources: tuple[Any, ...] = (nothing, numeric, categories)
    names = {_KINDS, _CENTRE, _SCALE, _MARKS, _EDGES, _EDGE_BOUNDS, _LEVEL_BOUNDS, _OTHERS}
    if _KNOTS in tensors:
        places = np.flatnonzero(kinds == _NUMERIC).tolist()
        ranks = dict(zip(places, _ranks_of(tensors, of_numbers), strict=True))
        names |= {_KNOTS, _KNOT_BOUNDS, _HAS_NUMBER} & tensors.keys()
    columns = [next(sources[kind]) for kind in kinds]
    return Front(columns, ranks), names | text_names(_LEVELS)


def _kind(column: Numeric | Category | None) -> int:
    if isinstance(column, Numeric):
        return _NUMERIC
    return _LEFT_OUT if column is None else _CATEGORY


def _numeric_of(tensors: Tensors, count: int) -> list[Numeric]:
    centres = _finite(tensors, _CENTRE, count)
    scales = _finite(tensors, _SCALE, count)
    if (scales < 0).any():
        raise ValueError(f"{_SCALE} must be >= 0, got {scales.min()}")
    marks = _flags(tensors, _MARKS, count)
    edges = _parts(_finite(tensors, _EDGES), tensors, _EDGE_BOUNDS, count)
    for part in edges:
        if len(part) == 1 or (part[1:] <= part[:-1]).any():
            raise ValueError(f"{_EDGES} must be none, or two or more that rise, got {part}")
    return [Numeric(*found) for found in zip(centres, scales, edges, marks, strict=True)]


def _ranks_of(tensors: Tensors, numeric: list[Numeric]) -> list[Rank]:
    knots = _parts(_finite(tensors, _KNOTS), tensors, _KNOT_BOUNDS, len(numeric))
    for part in knots:
        if len(part) < 2 or (part[1:] < part[:-1]).any():
            raise ValueError(f"{_KNOTS} must be two or more that do not fall, got {part}")
    has_number = [False] * len(numeric)
    if _HAS_NUMBER in tensors:
        has_number = _flags(tensors, _HAS_NUMBER, len(numeric))
    return [
        Rank(part, of.marks_missing, of if has else None)
        for part, of, has in zip(knots, numeric, has_number, strict=True)
    ]


def _categories_of(tensors: Tensors, count: int) -> list[Category]:
    bounds = vector(tensors, _LEVEL_BOUNDS, "int64", count + 1)
    levels = _parts(text_of(tensors, _LEVELS, int(bounds[-1])), tensors, _LEVEL_BOUNDS, count)
    others = _flags(tensors, _OTHERS, count)
    for part, has_others in zip(levels, others, strict=True):
        most = MAX_CATEGORIES - has_others
        if not 1 <= len(part) <= most or sorted(set(part)) != part:
            raise ValueError(f"{_LEVELS} must be 1 to {most} different ones in order, got {part}")
    return [Category(tuple(part), other) for part, other in zip(levels, others, strict=True)]


def _parts(values: Any, tensors: Tensors, name: str, count: int) -> list[Any]:
    """Cut values at bounds."""
    bounds = vector(tensors, name, "int64", count + 1)
    if bounds[0] != 0 or bounds[-1] != len(values) or (bounds[1:] < bounds[:-1]).any():
        raise ValueError(f"{name} must rise from 0 to {len(values)}")
    return [values[start:end] for start, end in pairwise(bounds.tolist())]


def _finite(tensors: Tensors, name: str, length: int | None = None) -> Any:
    values = vector(tensors, name, "float64", length)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite")
    return values


def _flags(tensors: Tensors, name: str, length: int) -> list[bool]:
    values = vector(tensors, name, "uint8", length)
    if (values > 1).any():
        raise ValueError(f"{name} must be 0 or 1, got {values.max()}")
    return [bool(value) for value in values]
