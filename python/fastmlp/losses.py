"""The losses that `MLP` can minimise.

The loss of a row is a function of its target and of the sums ``z`` of the last layer, from which
the network's `output` computes the prediction ``p``. The loss of a batch is the weighted mean over
its rows, as PyTorch's ``reduction="mean"`` with weights; the loss of a row with several outputs is
the sum over them. ``MLP(..., loss=Huber(1.35))`` takes an object; ``loss="huber"`` is the same loss
with default parameters. A loss can also be a function of your own, see the Notes of `MLP`.

===============  ====================  =========================================================
class            name                  outputs, the default first
===============  ====================  =========================================================
`CrossEntropy`   ``cross_entropy``     ``"softmax"``, ``"sigmoid"``; the loss of both
`Focal`          ``focal``             ``"softmax"``, ``"sigmoid"``
`SquaredError`   ``squared_error``     ``"identity"``, whose loss it is, and ``"exp"``
`AbsoluteError`  ``absolute_error``    ``"identity"``
`Huber`          ``huber``             ``"identity"``
`Quantile`       ``quantile``          ``"identity"``
`Poisson`        ``poisson``           ``"exp"``, whose loss it is
`Gamma`          ``gamma``             ``"exp"``
`Tweedie`        ``tweedie``           ``"exp"``
===============  ====================  =========================================================
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from fastmlp._core import _check_loss

__all__ = [
    "AbsoluteError",
    "CrossEntropy",
    "Focal",
    "Gamma",
    "Huber",
    "Loss",
    "Poisson",
    "Quantile",
    "SquaredError",
    "Tweedie",
]


@dataclass(frozen=True)
class Loss:
    """Base of all losses; it cannot be used by itself."""

    _name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Turn the fields into plain floats, and refuse what is out of range."""
        for field in fields(self):
            value = getattr(self, field.name)
            object.__setattr__(self, field.name, self._converted(field.name, value))
        _check_loss(*self._description())

    @staticmethod
    def _converted(name: str, value: Any) -> Any:
        return _number(name, value, "a number")

    def _description(self) -> tuple[str, tuple[float, ...]]:
        """Name and numbers, as the engine takes them."""
        return self._name, tuple(getattr(self, field.name) for field in fields(self))


def _number(name: str, value: Any, expected: str) -> float:
    if hasattr(value, "__float__") or hasattr(value, "__index__"):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{name} is too large for a float, expected {expected}") from None
        except TypeError:  # of an array of several numbers
            pass
    raise TypeError(f"{name} is of type {type(value).__name__}, expected {expected}")


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy: of classes, or of a yes or no for each output.

    The default loss of the outputs softmax and sigmoid. Without label smoothing::

        softmax   l = -log(p[y])
        sigmoid   l = sum(-y log(p) - (1 - y) log(1 - p))

    Label smoothing by ``s`` moves targets towards their mean. For ``K`` classes, with class weights
    ``c``, it is that of PyTorch's ``CrossEntropyLoss``; for a sigmoid, for which PyTorch has none,
    it is that of Keras's ``BinaryCrossentropy``::

        softmax   l = -(1 - s) c[y] log(p[y]) - s / K * sum(c * log(p))
        sigmoid   y (1 - s) + s / 2 in place of y

    The mean over the rows of classes divides by the sum of ``c[y]``.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The amount of smoothing, >= 0 and < 1.

    Raises
    ------
    TypeError
        If `label_smoothing` is not a number.
    ValueError
        If it is out of its range.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.MLP([4, 16, 3], loss=fastmlp.losses.CrossEntropy(label_smoothing=0.1)).output
    'softmax'
    """

    label_smoothing: float = 0.0

    _name: ClassVar[str] = "cross_entropy"


@dataclass(frozen=True)
class Focal(Loss):
    """Focal loss: the cross-entropy, with less weight on rows that are predicted well already.

    With the probability ``q`` of the true label, which is ``p[y]`` for classes, and ``p`` or
    ``1 - p`` for a yes or no, it is [1]_::

        l = -(1 - q)**gamma * log(q)

    summed over the outputs of a sigmoid. A target ``y`` of a sigmoid that is between 0 and 1 has
    ``y`` times the loss of 1 plus ``1 - y`` times the loss of 0. ``gamma=0`` is the cross-entropy.

    Parameters
    ----------
    gamma : float, default=2.0
        The exponent: finite, >= 0.

    Raises
    ------
    TypeError
        If `gamma` is not a number.
    ValueError
        If it is out of its range.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal loss for dense object
       detection", ICCV 2017.
    """

    gamma: float = 2.0

    _name: ClassVar[str] = "focal"


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared error, ``sum((p - y)**2) / 2``: the default loss of the output identity.

    It is half of PyTorch's ``MSELoss``, and equal to scikit-learn's ``"squared_error"`` except that
    it is summed over outputs. With the output exp, ``p = exp(z)``, it suits positive targets whose
    errors do not grow with them.
    """

    _name: ClassVar[str] = "squared_error"


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """Absolute error, ``sum(abs(z - y))``: PyTorch's ``L1Loss``, summed over outputs.

    It is smallest at the median of the targets. Its derivative is the sign of the error, and 0 for
    an error of 0.
    """

    _name: ClassVar[str] = "absolute_error"


@dataclass(frozen=True)
class Huber(Loss):
    """Huber loss: quadratic in small errors, linear in large ones.

    PyTorch's ``HuberLoss``, summed over outputs [1]_::

        l = (z - y)**2 / 2                          where abs(z - y) <= delta
        l = delta * (abs(z - y) - delta / 2)        beyond

    Parameters
    ----------
    delta : float, default=1.0
        Error beyond which the loss is linear, in the units of `y`: finite, > 0.

    Raises
    ------
    TypeError
        If `delta` is not a number.
    ValueError
        If it is out of its range.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical
       Statistics 35, 1964.
    """

    delta: float = 1.0

    _name: ClassVar[str] = "huber"


@dataclass(frozen=True)
class Quantile(Loss):
    """Pinball loss: each output predicts a quantile of the target.

    The network has one output per level, and every row has one target for all of them: `y` has
    shape (n,) or (n, 1). For an output with level ``q`` the loss is, as in scikit-learn [1]_::

        l = q (y - z)            where y >= z
        l = (1 - q) (z - y)      else

    Its derivative is ``-q`` or ``1 - q``, and 0 at ``y = z``. Outputs of different levels may
    cross: a higher quantile is not forced to be above a lower one.

    Parameters
    ----------
    levels : float or sequence of float, default=(0.5,)
        The levels, one per output: > 0, < 1. A number is one level.

    Raises
    ------
    TypeError
        If `levels` is neither a number nor a sequence of numbers.
    ValueError
        If a level is out of its range, or there is none.

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.MLP([4, 16, 3], loss=fastmlp.losses.Quantile([0.1, 0.5, 0.9])).output
    'identity'
    """

    levels: tuple[float, ...] = (0.5,)

    _name: ClassVar[str] = "quantile"

    @staticmethod
    def _converted(name: str, value: Any) -> Any:
        # Their order would be arbitrary.
        is_sequence = not isinstance(value, str | Set | Mapping)
        try:
            items = list(value) if is_sequence else None
        except TypeError:
            items = None
        if items is None:
            return (_number(name, value, "a number or a sequence of numbers"),)
        levels = tuple(_number(f"{name}[{i}]", level, "a number") for i, level in enumerate(items))
        if not levels:
            raise ValueError(f"{name} is empty, expected one level per output")
        return levels

    def _description(self) -> tuple[str, tuple[float, ...]]:
        return self._name, self.levels


@dataclass(frozen=True)
class Poisson(Loss):
    """Half the Poisson deviance, for counts: the default loss of the output exp.

    With the prediction ``p = exp(z)`` and ``0 log(0) = 0`` it is scikit-learn's ``HalfPoissonLoss``
    [1]_; PyTorch's ``PoissonNLLLoss`` differs by a term that depends only on `y`::

        l = sum(y log(y / p) - y + p)

    Targets are >= 0.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, "Generalized linear models", second edition, 1989.
    """

    _name: ClassVar[str] = "poisson"


@dataclass(frozen=True)
class Gamma(Loss):
    """Half the gamma deviance, for positive targets whose errors grow with them.

    With the prediction ``p = exp(z)`` it is scikit-learn's ``HalfGammaLoss`` up to a constant
    [1]_::

        l = sum(log(p / y) + y / p - 1)

    Targets are > 0.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, "Generalized linear models", second edition, 1989.
    """

    _name: ClassVar[str] = "gamma"


@dataclass(frozen=True)
class Tweedie(Loss):
    """Half the Tweedie deviance, for a variance that is a power of the mean.

    With the prediction ``m = exp(z)`` it is scikit-learn's ``HalfTweedieLoss`` up to a constant
    [1]_::

        l = max(y, 0)**(2 - p) / ((1 - p) (2 - p)) - y m**(1 - p) / (1 - p) + m**(2 - p) / (2 - p)

    summed over outputs. A power between 1 and 2 suits targets that are often 0 and otherwise
    positive, such as the cost of claims. Powers of 0, 1 and 2 are `SquaredError`, `Poisson` and
    `Gamma`.

    Parameters
    ----------
    power : float, default=1.5
        The power ``p``: finite, <= 0 or >= 1. Targets must be > 0 for powers from 2 on, >= 0 for
        powers from 1 on, and can be any numbers for powers <= 0.

    Raises
    ------
    TypeError
        If the power is not a number.
    ValueError
        If it is out of its range.

    References
    ----------
    .. [1] B. Jørgensen, "The theory of dispersion models", 1997.
    """

    power: float = 1.5

    _name: ClassVar[str] = "tweedie"


_NAMED = {
    loss._name: loss
    for loss in (
        CrossEntropy,
        Focal,
        SquaredError,
        AbsoluteError,
        Huber,
        Quantile,
        Poisson,
        Gamma,
        Tweedie,
    )
}

# The default loss of each output, for which it is the canonical link.
_CANONICAL: dict[str, Loss] = {
    "softmax": CrossEntropy(),
    "sigmoid": CrossEntropy(),
    "identity": SquaredError(),
    "exp": Poisson(),
}


def _of_output(output: str) -> Loss:
    """Return the loss that an output has if none is given."""
    return _CANONICAL[output]


def _of(name: str, numbers: list[float]) -> Loss:
    """Make the loss that the engine describes."""
    loss: Any = _NAMED[name]
    return loss(numbers) if name == "quantile" else loss(*numbers)  # type: ignore[no-any-return]
