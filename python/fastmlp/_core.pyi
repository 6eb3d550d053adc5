"""The compiled half of fastmlp: the network, its optimizers and its file."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias, final

import numpy as np
from _typeshed import SupportsRead, SupportsWrite
from numpy.typing import NDArray
from typing_extensions import Buffer, disjoint_base

from fastmlp.losses import Loss

FloatArray: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Targets: TypeAlias = NDArray[np.integer] | FloatArray
# SciPy is not a dependency, and its sparse types do not express formats and dtypes.
Inputs: TypeAlias = FloatArray | Any
Activation: TypeAlias = Literal[
    "identity",
    "relu",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "prelu",
]
Output: TypeAlias = Literal["softmax", "sigmoid", "identity", "exp"]
Init: TypeAlias = Literal[
    "auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "normal"
]
Destination: TypeAlias = str | PathLike[str] | SupportsWrite[bytes]
Source: TypeAlias = str | PathLike[str] | SupportsRead[bytes] | Buffer

Normalization: TypeAlias = Literal["layer", "batch"]
LossName: TypeAlias = Literal[
    "cross_entropy",
    "focal",
    "squared_error",
    "absolute_error",
    "huber",
    "quantile",
    "poisson",
    "gamma",
    "tweedie",
]
# Of targets and the last layer's sums: the loss of each row, and its derivative by the sums.
LossFunction: TypeAlias = Callable[[Any, Any], tuple[NDArray[Any], NDArray[Any]]]
_Ending: TypeAlias = Literal["gradient", "loss", "max_iter", "max_fun", "callback", "line_search"]
RateSchedule: TypeAlias = Literal["constant", "cosine", "linear", "one_cycle"]
Role: TypeAlias = Literal[
    "weight",
    "bias",
    "gain",
    "shift",
    "scale",
    "slope",
    "alpha",
    "frequency",
    "phase",
    "projection",
    "offset",
]

_DType: TypeAlias = (
    Literal["float32", "float64"]
    | type[np.float32]
    | type[np.float64]
    | np.dtype[np.float32]
    | np.dtype[np.float64]
)

ACTIVATIONS: tuple[Activation, ...]
__version__: str
build_profile: Literal["debug", "release"]

class DivergenceError(ArithmeticError): ...
class ModelFileError(ValueError): ...

@disjoint_base
class Optimizer:
    @property
    def learning_rate(self) -> float: ...
    @learning_rate.setter
    def learning_rate(self, value: float) -> None: ...
    @property
    def clip_norm(self) -> float | None: ...
    @property
    def schedule(self) -> RateSchedule | None: ...
    @property
    def warmup(self) -> float | None: ...
    @property
    def lr_factors(self) -> dict[Role, float] | None: ...
    def learning_rates(self, n_steps: int) -> NDArray[np.float64]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...
    def step(self, mlp: MLP, gradient: FloatArray) -> None: ...
    def reset(self) -> None: ...

@final
class SGD(Optimizer):
    def __new__(
        cls,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        scaled_velocity: bool = False,
        *,
        clip_norm: float | None = None,
        schedule: RateSchedule | None = None,
        warmup: float | None = None,
        lr_factors: Mapping[Role, float] | None = None,
    ) -> SGD: ...
    @property
    def momentum(self) -> float: ...
    @property
    def nesterov(self) -> bool: ...
    @property
    def scaled_velocity(self) -> bool: ...

class Adam(Optimizer):
    def __new__(
        cls,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_hat: bool = False,
        *,
        clip_norm: float | None = None,
        schedule: RateSchedule | None = None,
        warmup: float | None = None,
        lr_factors: Mapping[Role, float] | None = None,
    ) -> Adam: ...
    @property
    def beta_1(self) -> float: ...
    @property
    def beta_2(self) -> float: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def epsilon_hat(self) -> bool: ...

@final
class AdamW(Adam):
    def __new__(
        cls,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        clip_norm: float | None = None,
        schedule: RateSchedule | None = None,
        warmup: float | None = None,
        lr_factors: Mapping[Role, float] | None = None,
        decay_roles: Sequence[Role] | None = None,
    ) -> AdamW: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def decay_roles(self) -> tuple[Role, ...] | None: ...

@final
class Epoch:
    def __new__(
        cls,
        epoch: int,
        epochs: int,
        loss: float,
        accuracy: float | None,
        val_loss: float | None,
        val_accuracy: float | None,
        seconds: float,
    ) -> Epoch: ...
    @property
    def epoch(self) -> int: ...
    @property
    def epochs(self) -> int: ...
    @property
    def loss(self) -> float: ...
    @property
    def accuracy(self) -> float | Any: ...  # None for a network that does not classify
    @property
    def val_loss(self) -> float | None: ...
    @property
    def val_accuracy(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...

@final
class History:
    def __new__(
        cls,
        loss: NDArray[np.float64],
        accuracy: NDArray[np.float64] | None,
        val_loss: NDArray[np.float64] | None,
        val_accuracy: NDArray[np.float64] | None,
        seconds: NDArray[np.float64],
    ) -> History: ...
    def __len__(self) -> int: ...
    def records(self) -> list[dict[str, Any]]: ...
    def _repr_html_(self) -> str: ...
    @property
    def loss(self) -> NDArray[np.float64]: ...
    @property
    def accuracy(self) -> NDArray[np.float64] | Any: ...  # None, as for Epoch
    @property
    def val_loss(self) -> NDArray[np.float64] | None: ...
    @property
    def val_accuracy(self) -> NDArray[np.float64] | None: ...
    @property
    def seconds(self) -> NDArray[np.float64]: ...

@final
class Minimum:
    def __new__(
        cls, loss: float, ending: _Ending, n_evaluations: int, history: History
    ) -> Minimum: ...
    @property
    def loss(self) -> float: ...
    @property
    def ending(self) -> _Ending: ...
    @property
    def converged(self) -> bool: ...
    @property
    def n_iter(self) -> int: ...
    @property
    def n_evaluations(self) -> int: ...
    @property
    def history(self) -> History: ...

@final
class ParameterBlock:
    @property
    def stage(self) -> int: ...
    @property
    def kind(
        self,
    ) -> Literal[
        "dense", "periodic", "input_scale", "layer_norm", "batch_norm", "prelu", "parametric"
    ]: ...
    @property
    def role(self) -> Role | Literal["mean", "variance"]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def view(self) -> FloatArray: ...

@final
class MLP:
    def __new__(
        cls,
        layer_sizes: Sequence[int],
        activation: Activation | Sequence[Activation] = "relu",
        output: Output | None = None,
        init: Init = "auto",
        init_scale: float | None = None,
        dtype: _DType = "float32",
        seed: int | np.random.Generator | None = None,
        *,
        normalization: Normalization | None = None,
        input_scale: bool = False,
        loss: LossName | Loss | LossFunction | None = None,
        periodic_inputs: int = 0,
        parametric_activation: bool = False,
    ) -> MLP: ...
    @property
    def layer_sizes(self) -> tuple[int, ...]: ...
    @property
    def activation(self) -> Activation | tuple[Activation, ...]: ...
    @property
    def output(self) -> Output: ...
    @property
    def loss_function(self) -> Loss | LossFunction: ...
    @property
    def dtype(self) -> Literal["float32", "float64"]: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def history(self) -> History | None: ...
    def _repr_html_(self) -> str: ...
    @property
    def parameters(self) -> FloatArray: ...
    @property
    def normalization(self) -> Normalization | None: ...
    @property
    def input_scale(self) -> bool: ...
    @property
    def periodic_inputs(self) -> int: ...
    @property
    def parametric_activation(self) -> bool: ...
    @property
    def parameter_blocks(self) -> tuple[ParameterBlock, ...]: ...
    @property
    def weights(self) -> tuple[FloatArray, ...]: ...
    @property
    def biases(self) -> tuple[FloatArray, ...]: ...
    def unflatten(
        self, flat: NDArray[Any]
    ) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]: ...
    def forward(
        self, X: Inputs, out: FloatArray | None = None, n_jobs: int | None = None
    ) -> FloatArray: ...
    def predict_proba(
        self, X: Inputs, out: FloatArray | None = None, n_jobs: int | None = None
    ) -> FloatArray: ...
    def predict(self, X: Inputs, n_jobs: int | None = None) -> NDArray[Any]: ...
    def loss(
        self,
        X: Inputs,
        y: Targets,
        sample_weight: FloatArray | None = None,
        class_weight: FloatArray | Sequence[float] | None = None,
        n_jobs: int | None = None,
    ) -> float: ...
    def evaluate(
        self,
        X: Inputs,
        y: Targets,
        sample_weight: FloatArray | None = None,
        class_weight: FloatArray | Sequence[float] | None = None,
        n_jobs: int | None = None,
    ) -> tuple[float, float]: ...
    def loss_and_grad(
        self,
        X: Inputs,
        y: Targets,
        sample_weight: FloatArray | None = None,
        class_weight: FloatArray | Sequence[float] | None = None,
        dropout: float | Sequence[float] = 0.0,
        seed: int | np.random.Generator | None = None,
        alpha: float = 0.0,
        input_dropout: float = 0.0,
        n_jobs: int | None = None,
    ) -> tuple[float, FloatArray]: ...
    def backward(self, X: FloatArray, d_output: FloatArray) -> tuple[FloatArray, FloatArray]: ...
    def transform(self, X: Inputs, layer: int = -1, n_jobs: int | None = None) -> FloatArray: ...
    def input_gradients(
        self,
        X: Inputs,
        of: Literal["logits", "predictions"] = "logits",
        n_jobs: int | None = None,
    ) -> FloatArray: ...
    def input_vjp(
        self, X: Inputs, d_output: FloatArray, n_jobs: int | None = None
    ) -> FloatArray: ...
    def step(
        self,
        X: Inputs,
        y: Targets,
        optimizer: Optimizer,
        sample_weight: FloatArray | None = None,
        class_weight: FloatArray | Sequence[float] | None = None,
        dropout: float | Sequence[float] = 0.0,
        seed: int | np.random.Generator | None = None,
        alpha: float = 0.0,
        input_dropout: float = 0.0,
    ) -> float: ...
    def fit(
        self,
        X: Inputs,
        y: Targets,
        optimizer: Optimizer | None = None,
        epochs: int = 1000,
        batch_size: int | None = None,
        shuffle: bool = True,
        seed: int | np.random.Generator | np.random.RandomState | None = None,
        sample_weight: FloatArray | None = None,
        class_weight: FloatArray | Sequence[float] | None = None,
        X_val: Inputs | None = None,
        y_val: Targets | None = None,
        dropout: float | Sequence[float] = 0.0,
        n_jobs: int | None = None,
        callback: Callable[[Epoch], bool | None] | None = None,
        alpha: float = 0.0,
        report: Literal["objective", "scikit-learn"] = "objective",
        initial_epoch: int = 0,
        input_dropout: float = 0.0,
    ) -> History: ...
    def minimize(
        self,
        X: Inputs,
        y: Targets,
        sample_weight: FloatArray | None = None,
        class_weight: FloatArray | Sequence[float] | None = None,
        alpha: float = 0.0,
        max_iter: int = 200,
        max_fun: int = 15000,
        tol: float = 1e-4,
        n_jobs: int | None = None,
        callback: Callable[[Epoch], bool | None] | None = None,
    ) -> Minimum: ...
    def copy(self) -> MLP: ...
    def soft_update(self, other: MLP, tau: float) -> None: ...
    def freeze(self, layers: int | Sequence[int] | None = None) -> None: ...
    def unfreeze(self, layers: int | Sequence[int] | None = None) -> None: ...
    @property
    def frozen(self) -> tuple[int, ...]: ...
    def save(self, path: Destination) -> None: ...
    @staticmethod
    def load(path: Source) -> MLP: ...

def _check_loss(name: str, numbers: Sequence[float]) -> None: ...
def save_network(
    path: Destination,
    network: MLP,
    tensors: dict[str, NDArray[Any]],
    metadata: dict[str, str],
) -> None: ...
def load_network(path: Source) -> tuple[MLP, dict[str, NDArray[Any]], dict[str, str]]: ...
