"""How networks for tables are made and trained, by preset and size of the data.

Most of it is RealMLP-TD-S [1]_: steps that do not depend on the width, a learnable scale per input,
Adam with a short memory, label smoothing. Dropout and weight decay are those of RealMLP-TD, but
several networks have no weight decay: their mean gains more from differences between them than each
loses. Bins for numbers take the place of RealMLP-TD's embeddings (see `numeric`), two hidden layers
that of three, and 16 epochs with one decay of the learning rate that of 256 with four.

Of several networks that predict numbers, all but the first quarter have RealMLP-TD's periodic
features, parametric activation, weight decay and learning rate instead, and read ranks and scaled
numbers in place of bins (see `rank`): the mean gains from the difference. The first frequencies of
one such network are those of RealMLP-TD, and those of the next ten times as large, because some
tables need the ones and some the others; networks of 512 units do better with three times as large
ones than with the former. 24 epochs suffice.

References
----------
.. [1] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and
   boosted trees on tabular data", NeurIPS 2024.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple


class Preset(NamedTuple):
    """What a preset stands for."""

    # At least one of each kind.
    n_members: int
    # Of networks with periodic features, to which the frequencies go in turn.
    hidden_layer_sizes: tuple[int, ...]
    frequencies: tuple[float, ...]


PRESETS = {
    "fast": Preset(1, (256, 256), (0.1, 1.0)),
    "default": Preset(8, (256, 256), (0.1, 1.0)),
    "best": Preset(16, (512, 512), (0.3, 1.0)),
}
# One of so many networks has bins, and the others have periodic features.
_NETWORKS_PER_BINS = 4
# At least so many epochs, and so many steps. Periodic features need more of both.
_EPOCHS, _STEPS = 16, 120
_LONGER = 1.5
# Fewer rows than this are trained on all at once, in float64, and none of them validates.
# Chance would make another network of a row that is there twice than of one of twice the weight.
FEW_ROWS = 100
_FEW: dict[str, Any] = {
    "dtype": "float64",
    "dropout": 0.0,
    "label_smoothing": 0.0,
    "alpha": 10.0,
    "n_bins": 8,
}
# Rows of a batch: the first of these that has at least so many rows.
_BATCH_SIZES = ((1_024, 64), (8_192, 128), (30_000, 256), (100_000, 512))
_LARGEST_BATCH = 1_024
# A column has so many bins, or none.
_FEWEST_BINS, _MOST_BINS = 8, 48
_ROWS_PER_BIN = 12
# Inputs that are bins, and numbers of all rows in them, are at most so many.
_MOST_BIN_INPUTS = 1_024
_MOST_BIN_NUMBERS = 2**26


@dataclass(frozen=True)
class Recipe:
    """All that a fit needs to know besides the data."""

    activation: str
    learning_rate_init: float = 0.04
    # Of the learning rate, see `AdamW`.
    schedule: str = "cosine"
    hidden_layer_sizes: tuple[int, ...] = (256, 256)
    weight_decay: float = 0.02
    dropout: float = 0.15
    label_smoothing: float = 0.1
    # Of an L2 penalty, see `MLP.fit`.
    alpha: float = 0.0
    n_members: int = 1
    max_iter: int = 1
    batch_size: int = 1
    n_bins: int = 0
    # Standard deviation of the first frequencies of periodic features, which go with a parametric
    # activation; 0 for a network without both. `choose` sets it.
    frequency: float = 0.0
    dtype: str = "float32"
    # Of networks with periodic features, in turn; none if there are no such networks.
    periodic: "tuple[Recipe, ...]" = ()

    @property
    def is_periodic(self) -> bool:
        """Whether networks of this recipe have periodic features."""
        return self.frequency > 0

    @property
    def kinds(self) -> set[bool]:
        """What `is_periodic` is for any of the networks."""
        return {self.of(member).is_periodic for member in range(self.n_members)}

    def of(self, member: int) -> "Recipe":
        """Return the recipe of a network, by its number."""
        n_with_bins = -(-self.n_members // _NETWORKS_PER_BINS)
        if not self.periodic or member < n_with_bins:
            return self
        return self.periodic[(member - n_with_bins) % len(self.periodic)]


def choose(base: Recipe, preset: str, given: dict[str, Any], n_rows: int, n_columns: int) -> Recipe:
    """Complete a recipe for data of this size.

    Parameters
    ----------
    base : Recipe
        What suits the kind of target.
    preset : {'fast', 'default', 'best'}
        How many networks to train.
    given : dict
        Fields of the recipe that the caller chose; None leaves the choice here.
    n_rows, n_columns : int
        Rows to train on, and columns of the table.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    batch_size = min(chosen.pop("batch_size", _batch_size(n_rows)), n_rows)
    periodic = base.periodic if n_rows >= FEW_ROWS else ()
    fields: dict[str, Any] = {"dtype": "float32", "n_bins": _n_bins(n_rows, n_columns)}
    if n_rows < FEW_ROWS:
        batch_size = n_rows
        fields = _FEW
    n_members = chosen.setdefault("n_members", max(PRESETS[preset].n_members, 1 + bool(periodic)))
    if n_members > 1:
        fields = fields | {"weight_decay": 0.0}
    epochs = max(_EPOCHS, -(-_STEPS * batch_size // n_rows))
    fields = fields | {"batch_size": batch_size, "max_iter": epochs}
    of_periodic = {
        "batch_size": batch_size,
        "max_iter": math.ceil(_LONGER * epochs),
        "hidden_layer_sizes": PRESETS[preset].hidden_layer_sizes,
    }
    fields["periodic"] = tuple(
        replace(each, frequency=frequency, **(of_periodic | chosen))
        for each in periodic
        for frequency in PRESETS[preset].frequencies
    )
    return replace(base, **(fields | chosen))


def _batch_size(n_rows: int) -> int:
    return next((size for most, size in _BATCH_SIZES if n_rows <= most), _LARGEST_BATCH)


def _n_bins(n_rows: int, n_columns: int) -> int:
    by_memory = _MOST_BIN_NUMBERS // (n_rows * n_columns)
    by_rows = n_rows // _ROWS_PER_BIN
    n_bins = min(_MOST_BINS, by_rows, _MOST_BIN_INPUTS // n_columns, by_memory)
    return n_bins if n_bins >= _FEWEST_BINS else 0
