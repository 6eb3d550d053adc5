"""The optimizer of a fit by SGD, Adam or AdamW: made of the parameters, or going on."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp._core import SGD, Adam, AdamW, Optimizer
from fastmlp.estimators.parameters import PLANNED

# Below this, "adaptive" and "plateau" give up.
SMALLEST_RATE = 1e-6


class Optimizers:
    """Makes the optimizer, and says at which rate it goes on."""

    solver: str
    learning_rate: str
    learning_rate_init: float
    power_t: float
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    weight_decay: float | None
    clip_norm: float | None
    warmup: float | None

    t_: int

    _optimizer: Optimizer
    _validate_params: Callable[[], None]
    # What its learning rate follows from.
    _optimizer_rate: tuple[Any, ...]

    @property
    def _is_planned(self) -> bool:
        """Whether the learning rate is planned for all steps of a fit, and ends it."""
        return self.learning_rate in PLANNED

    def _next_optimizer(self, incremental: bool) -> Optimizer:
        """Return the optimizer that goes on, with the parameters that the estimator has now."""
        by_epochs = self.solver == "sgd" or self.learning_rate == "plateau"
        rate = (self.learning_rate_init, by_epochs and self.learning_rate)
        last, last_rate = getattr(self, "_optimizer", None), getattr(self, "_optimizer_rate", rate)
        self._optimizer_rate = rate
        optimizer = self._make_optimizer()
        if not incremental or last is None:
            return optimizer
        if type(last) is not type(optimizer) or rate != last_rate:
            # Which `partial_fit` leaves to its first call, for it takes longer than a small batch.
            self._validate_params()
        if type(last) is not type(optimizer):
            return optimizer
        state = last.state_dict()
        if isinstance(optimizer, Adam) or ("velocity" in state) == (self.momentum > 0):
            optimizer.load_state_dict(state)
        if rate[1] == "invscaling":
            optimizer.learning_rate = self._scaled_rate(self.t_)
        elif rate == last_rate:
            # Which "adaptive" and "plateau" may have made smaller.
            optimizer.learning_rate = last.learning_rate
        return optimizer

    def _make_optimizer(self) -> Optimizer:
        options: dict[str, Any] = {"clip_norm": self.clip_norm}
        if self._is_planned or self.warmup:
            options["schedule"] = self.learning_rate if self._is_planned else "constant"
            options["warmup"] = self.warmup
        if self.solver == "sgd":
            return SGD(
                self.learning_rate_init,
                self.momentum,
                nesterov=self.nesterovs_momentum and self.momentum > 0,
                scaled_velocity=True,
                **options,
            )
        moments = (self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)
        if self.solver == "adam":
            return Adam(*moments, epsilon_hat=True, **options)
        if self.weight_decay is not None:
            options["weight_decay"] = self.weight_decay
        return AdamW(*moments, decay_roles=("weight",), **options)

    def _scaled_rate(self, t: int) -> float:
        """Return the learning rate of learning_rate="invscaling" after `t` samples."""
        with np.errstate(over="ignore"):
            divisor = np.float64(t + 1) ** self.power_t
        # The optimizer takes no rate of 0, which a large power_t would come to.
        return float(max(self.learning_rate_init / divisor, np.finfo(np.float64).tiny))

    def _slows_down(self) -> bool:
        """Say whether training without progress goes on at a smaller rate, and does not end."""
        adapts = self.solver == "sgd" and self.learning_rate == "adaptive"
        return adapts or self.learning_rate == "plateau"

    def _slower_rate(self, rate: float) -> float:
        """Return that rate."""
        return rate * 0.1 if self.learning_rate == "plateau" else rate / 5.0


class Progress(NamedTuple):
    """What learning_rate="plateau" counts as progress, as PyTorch's ReduceLROnPlateau does.

    The value to fall short of is that of the last epoch with progress, so that many small steps add
    up: a loss, or a score with its sign changed.
    """

    best: float = np.inf

    def after(self, value: float, tol: float) -> tuple[Self, bool]:
        """Return where it stands after an epoch, and whether that was one without progress."""
        if value < self.best - tol:
            return type(self)(value), False
        return self, True
