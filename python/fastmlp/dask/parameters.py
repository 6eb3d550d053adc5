"""Parameters of rounds, which the estimators have beside those for data in memory."""

from collections.abc import Callable
from inspect import Parameter, cleandoc, signature
from numbers import Integral, Real
from typing import Any, TypeVar

from distributed import Client
from sklearn.utils._param_validation import Interval, StrOptions

_Estimator = TypeVar("_Estimator", bound=type)

_COUNT = Interval(Integral, 1, None, closed="left")
# Of rounds, with their ranges.
CONSTRAINTS: dict[str, list[Any]] = {
    "sync_every": [StrOptions({"auto"}), _COUNT],
    "n_shards": [_COUNT, None],
    "outer_optimizer": [StrOptions({"nesterov"}), None],
    "outer_lr": [Interval(Real, 0, None, closed="neither")],
    "outer_momentum": [Interval(Real, 0, 1, closed="left")],
    "block_size": [str, _COUNT],
    "client": [Client, None],
}
_DEFAULTS: dict[str, Any] = {
    "sync_every": "auto",
    "n_shards": None,
    "outer_optimizer": "nesterov",
    "outer_lr": 1.0,
    "outer_momentum": 0.6,
    "block_size": "128 MiB",
    "client": None,
}

_PARAMETERS = """\
**parameters : object
    Those of `{local}`, with the same names and defaults. {but}
    `n_jobs` is the number of threads of one task.
sync_every : int or 'auto', default='auto'
    Most steps that a shard trains before the copies are averaged, which is one round. 'auto' is
    what is estimated to take a second, or a hundredth of the training if that is less. It depends
    on shapes alone. A round never goes beyond a block.
n_shards : int, default=None
    Copies of the network that are trained at a time. The result depends on it, and not on the
    number of workers: fix it for the same result on every cluster. None is the number of threads
    of the cluster, or of the partitions if there are fewer.
outer_optimizer : {{'nesterov'}} or None, default='nesterov'
    How a round goes on from the average of the copies: with Nesterov's momentum, or not at all.
    Momentum pays with many steps per round.
outer_lr : float, default=1.0
    Learning rate of the outer step, > 0.
outer_momentum : float, default=0.6
    Momentum of the outer step, in [0, 1).
{further}block_size : str or int, default='128 MiB'
    Bytes of features that a task has in memory at once, but at least one partition. Rows are
    shuffled within blocks.
client : distributed.Client, default=None
    The client of the cluster. None is the current one.

    .. note:: A pickle has no client."""

_ATTRIBUTES = """\
estimator_ : {local}
    The fitted estimator for data in memory. Its attributes, such as `loss_curve_`, can be read from
    this one too.
n_shards_ : int
    Number of shards of the last fit.
n_rounds_ : int
    Rounds per epoch of the last fit, or of its last network."""


def extends(
    local: Any, but: str, further: dict[str, tuple[Any, str]] | None = None
) -> Callable[[_Estimator], _Estimator]:
    """Make a decorator that gives a class the parameters of an estimator and those of rounds.

    Parameters
    ----------
    local : type
        The estimator for data in memory.
    but : str
        What the parameters of the estimator cannot be.
    further : dict of str to (object, str), default=None
        Further parameters: the default and the description of each.
    """
    named = {} if further is None else further

    def decorate(estimator: _Estimator) -> _Estimator:
        theirs = signature(local.__init__)
        defaults = {**_DEFAULTS, **{name: default for name, (default, _) in named.items()}}
        own = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default)
            for name, default in defaults.items()
        ]
        whole = theirs.replace(parameters=[*theirs.parameters.values(), *own])

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            bound = whole.bind(self, *args, **kwargs)
            bound.apply_defaults()
            self.__dict__.update({k: v for k, v in bound.arguments.items() if k != "self"})

        __init__.__signature__ = whole  # type: ignore[attr-defined]
        estimator.__init__ = __init__  # type: ignore[misc]
        if estimator.__doc__ is not None:  # as it is under `python -OO`
            names = {
                "local": local.__name__,
                "but": but,
                "further": "".join(description for _, description in named.values()),
            }
            estimator.__doc__ = cleandoc(estimator.__doc__) % {
                "parameters": _PARAMETERS.format(**names),
                "attributes": _ATTRIBUTES.format(**names),
            }
        return estimator

    return decorate
