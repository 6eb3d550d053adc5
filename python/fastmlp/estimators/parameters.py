"""What the parameters that both estimators have may be, and which of them go together."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from fastmlp.estimators.architecture import ACTIVATIONS, hidden_activations, hidden_sizes

# Learning rates that change from step to step, as planned for all epochs of a fit.
PLANNED = ("cosine", "linear", "one_cycle")
STOCHASTIC = ("sgd", "adam", "adamw")

_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_SHARE = Interval(Real, 0, 1, closed="left")
_MOST_JOBS = 2**16
_COUNT = Interval(Integral, 1, None, closed="left")

# For the methods of scikit-learn's that validate parameters.
CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", _COUNT, str],
    "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
    "solver": [StrOptions({"lbfgs", *STOCHASTIC})],
    "alpha": [_NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [
        StrOptions({"constant", "invscaling", "adaptive", *PLANNED, "plateau"}),
    ],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_NOT_NEGATIVE],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state", np.random.Generator],
    "tol": [_NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [_SHARE],
    "beta_1": [_SHARE],
    "beta_2": [_SHARE],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [_COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    "dropout": ["array-like", _SHARE],
    "input_dropout": [_SHARE],
    "normalization": [StrOptions({"layer"}), None],
    "weight_decay": [_NOT_NEGATIVE, None],
    "clip_norm": [_POSITIVE, None],
    "warmup": [_SHARE, None],
    "max_time": [_POSITIVE, None],
    "dtype": [StrOptions({"float32", "float64"}), None],
    "n_jobs": [
        Interval(Integral, 1, _MOST_JOBS, closed="both"),
        Interval(Integral, -_MOST_JOBS, -1, closed="both"),
        None,
    ],
    "scoring": [str, callable, None],
    "callback": [callable, None],
    "keep_every": [_COUNT, None],
}

# The solvers that can honour a parameter, where it asks for anything.
_SOLVERS: dict[str, tuple[str, ...]] = {
    "dropout": STOCHASTIC,
    "input_dropout": STOCHASTIC,
    "weight_decay": ("adamw",),
    "clip_norm": STOCHASTIC,
    "warmup": STOCHASTIC,
}
# scikit-learn's solvers take its own names, also those that have no use for them.
_RATES: dict[str, tuple[str, ...]] = {
    "invscaling": ("sgd", "adam", "lbfgs"),
    "adaptive": ("sgd", "adam", "lbfgs"),
    **dict.fromkeys((*PLANNED, "plateau"), STOCHASTIC),
}


def check_parameters(estimator: Any) -> None:
    """Raise a ValueError for parameters that do not go together."""
    n_hidden = len(hidden_sizes(estimator.hidden_layer_sizes))
    hidden_activations(estimator.activation, n_hidden)
    dropout_rates(estimator.dropout, n_hidden)
    asked = {name: solvers for name, solvers in _SOLVERS.items() if _asks(getattr(estimator, name))}
    if estimator.learning_rate in _RATES:
        asked["learning_rate"] = _RATES[estimator.learning_rate]
    for name, solvers in asked.items():
        if estimator.solver not in solvers:
            raise ValueError(
                f"{name}={getattr(estimator, name)!r} is for solver {_listed(solvers)}, got "
                f"solver={estimator.solver!r}"
            )


def dropout_rates(dropout: Any, n_hidden: int) -> float | list[float]:
    """Return one rate for all hidden layers, or a list with one for each."""
    if np.ndim(dropout) == 0:
        return float(dropout)
    rates = [float(rate) for rate in dropout]
    if len(rates) != n_hidden:
        raise ValueError(
            "dropout must be one number, or have one number per hidden layer, of which there are "
            f"{n_hidden}; got {dropout!r}"
        )
    if not all(0 <= rate < 1 for rate in rates):
        raise ValueError(f"dropout must be in [0, 1), got {dropout!r}")
    return rates


def _asks(value: Any) -> bool:
    return value is not None and bool(np.any(value))


def _listed(names: tuple[str, ...]) -> str:
    *others, last = [repr(name) for name in names]
    return f"{', '.join(others)} or {last}" if others else last
