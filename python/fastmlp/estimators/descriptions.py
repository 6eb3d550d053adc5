"""What the docstrings of both estimators have in common, written once."""

from inspect import cleandoc
from typing import TypeVar

_Estimator = TypeVar("_Estimator", bound=type)

PARAMETERS = """\
hidden_layer_sizes : array-like of int, int or str, default=(100,)
    Width of each hidden layer, at least 1; empty for a network without one. One value for a search
    is an int, for a single layer, or text: '64-32' is (64, 32), '64x3' is (64, 64, 64).
activation : str or sequence of str, default='relu'
    Activation of the hidden layers: one name, or a sequence with one per hidden layer. Those of
    scikit-learn are 'identity', 'logistic', 'tanh' and 'relu'; 'sigmoid' is another name for
    'logistic', and 'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'softplus' and 'prelu' are
    those of `MLP`, which has their formulas. If scikit-learn has all of them, initial parameters
    are its draws, and else those of `MLP` with ``init="auto"``.
solver : {'lbfgs', 'sgd', 'adam', 'adamw'}, default='adam'
    What trains the network. 'sgd', 'adam' and 'adamw' go through batches in random order; 'lbfgs'
    looks at all rows in each step, which suits small data. 'adamw' is 'adam' with decoupled weight
    decay.
alpha : float, default=0.0001
    Penalty on weights, >= 0: half of it times the sum of their squares, divided by the weight
    of the batch (of its rows if there is no `sample_weight`), is added to the loss.
batch_size : int or 'auto', default='auto'
    Rows of a batch; 'auto' is 200, or all if there are fewer. Not for 'lbfgs'.
learning_rate : str, default='constant'
    How the learning rate goes on from `learning_rate_init`: 'constant', 'invscaling', 'adaptive',
    'plateau', 'cosine', 'linear' or 'one_cycle', see Notes. As in scikit-learn 'invscaling' and
    'adaptive' are for 'sgd', and mean 'constant' for 'adam'. The last four are for all solvers but
    'lbfgs'.
learning_rate_init : float, default=0.001
    The learning rate, > 0: the first one of 'invscaling', 'adaptive' and 'plateau', the largest
    one of 'cosine', 'linear' and 'one_cycle'. Not for 'lbfgs'.
power_t : float, default=0.5
    Exponent of 'invscaling', >= 0.
max_iter : int, default=200
    Most epochs, or most iterations of 'lbfgs'.
shuffle : bool, default=True
    Whether to draw a new order of rows for each epoch. Not for 'lbfgs'.
random_state : int, RandomState or Generator instance, or None, default=None
    Source of initial parameters, of the validation split, of the orders of rows and of the masks
    of dropout. An int gives the same network each time, None another one.
tol : float, default=0.0001
    What counts as progress, >= 0: the loss has to fall, or the validation score to rise, by
    more. For 'lbfgs' the largest entry of a gradient that counts as 0.
verbose : bool, default=False
    Whether to print the loss of each epoch or iteration.
warm_start : bool, default=False
    Whether `fit` goes on from the parameters that are there.
momentum : float, default=0.9
    Momentum of 'sgd', from 0 to 1.
nesterovs_momentum : bool, default=True
    Whether the momentum of 'sgd' looks ahead, as Nesterov's does.
early_stopping : bool, default=False
    Whether to keep rows back for validation, watch the score on them in place of the loss, and end
    with the parameters of the best one. Not for 'lbfgs'.
validation_fraction : float, default=0.1
    Share of rows for `early_stopping`, in [0, 1).
beta_1 : float, default=0.9
    Memory of the gradient's mean in 'adam' and 'adamw', in [0, 1).
beta_2 : float, default=0.999
    Memory of the mean of its square in 'adam' and 'adamw', in [0, 1).
epsilon : float, default=1e-08
    Keeps the quotient in 'adam' and 'adamw' finite: > 0.
n_iter_no_change : int, default=10
    Training stops when there was no progress in more epochs than this one after another; infinity
    never stops it. Not for 'lbfgs'.
max_fun : int, default=15000
    Most evaluations of the loss by 'lbfgs'.
dropout : float or array-like of float, default=0.0
    Share of each hidden layer's activations that is left out at random in training, in [0, 1), or
    an array-like with one per hidden layer. The others are divided by the share that is kept, so
    that sums keep their expectation. Not for 'lbfgs'.
input_dropout : float, default=0.0
    The same for the inputs.
normalization : {'layer'} or None, default=None
    'layer' normalises the sums of every hidden layer, row by row, before the activation, with a
    learnable gain and shift per unit.
weight_decay : float or None, default=None
    What a step of 'adamw' takes from every weight, times the learning rate: >= 0. None is 0.01.
    Biases, gains, shifts and slopes do not decay. Only for 'adamw'.
clip_norm : float or None, default=None
    The largest Euclidean norm of a gradient, > 0: a longer one is made as long as this before the
    step. None clips nothing. Not for 'lbfgs'.
warmup : float or None, default=None
    Share of the steps of `max_iter` epochs in which the learning rate rises, in [0, 1). None is 0.3
    for 'one_cycle' and else 0. Not for 'lbfgs'.
max_time : float or None, default=None
    Seconds of training, > 0. The epoch, or iteration of 'lbfgs', in which they are over is the last
    one; a ConvergenceWarning says so. None is no limit.
dtype : {'float32', 'float64'} or None, default=None
    Type of the parameters, to which `X` is converted. None follows `X`: float32 is trained in
    float32, all else in float64. float32 is up to twice as fast.
n_jobs : int or None, default=None
    Threads that share a batch, or the rows of a prediction, at most: None is 1, -1 all cores, -2
    all but one. Few rows have one thread. Results have the same bits for each number.
scoring : str, callable or None, default=None
    What `early_stopping` watches on the rows for validation: 'loss' for the loss, which has to
    fall, the name of one of scikit-learn's scorers, or a callable ``scorer(estimator, X, y)``,
    which also takes `sample_weight` if there are weights. None is accuracy for a classifier and R
    squared for a regressor. The score is recorded for `X_val` of `fit` without `early_stopping`,
    too. A callable is called in Python after each epoch; the loss, accuracy and R squared take one
    pass of the network.
callback : callable or None, default=None
    Called after each epoch, or iteration of 'lbfgs', as ``callback(info)`` with a `FitInfo` of
    `fastmlp.estimators`; if it returns True, training ends there.
keep_every : int or None, default=None
    Epochs from one whose parameters are kept to the next, for `staged_predict`: 1 keeps each, None
    keeps none. One epoch takes as much memory as the network."""

ATTRIBUTES = """\
loss_ : float
    Loss of the last epoch or iteration.
best_loss_ : float or None
    Smallest loss; None with `early_stopping`.
loss_curve_ : list of float
    Loss of each epoch or iteration.
validation_loss_curve_ : list of float or None
    Loss on the rows for validation after each epoch, without the penalty; None without such rows.
best_validation_score_ : float or None
    Largest validation score; None without rows for validation.
best_iteration_ : int or None
    The first place of the largest score in `validation_scores_`, from 1; None without rows for
    validation. After `early_stopping` the parameters are those of this epoch.
staged_epochs_ : list of int
    Epochs that `staged_predict` predicts by: places in `loss_curve_`, from 1.
t_ : int
    Rows that training went through, each counted once per epoch; 0 for 'lbfgs'.
coefs_ : list of ndarray of shape (n_inputs, n_outputs)
    Weights of each layer: views of the network, so that what is written to them counts at
    once. An array put in the place of one is copied into the network at its next use.
intercepts_ : list of ndarray of shape (n_outputs,)
    Biases of each layer, likewise.
network_ : MLP
    The network. Gains, shifts and slopes that it learns are among its `parameter_blocks`.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the features, if those of training were all text.
n_iter_ : int
    Epochs or iterations of the last fit.
n_layers_ : int
    Layers of units, input and output included.
n_outputs_ : int
    Outputs of the network."""

NOTES = """\
Results follow scikit-learn's to rounding where it has the parameters. docs/4_scikit_learn.md has
what differs and why.

Learning rates, of `learning_rate`::

    constant    learning_rate_init
    invscaling  learning_rate_init / (t_ + 1)**power_t, from epoch to epoch
    adaptive    divided by 5 where training would else stop, until it is at most 1e-6
    plateau     divided by 10 where training would else stop, until it is at most 1e-6
    cosine      from learning_rate_init to 0 along half a period of a cosine
    linear      from learning_rate_init to 0 along a straight line
    one_cycle   from learning_rate_init / 25 up to it, and down to a 250000th of it, each along half
                a period of a cosine

'plateau' counts epochs without progress as PyTorch's ``ReduceLROnPlateau(factor=0.1,
patience=n_iter_no_change, threshold=tol, threshold_mode="abs")`` does.

The last three change from step to step, and are planned for all steps of `max_iter` epochs;
`Optimizer` has the formulas. Training goes through all of these epochs, whatever becomes of the
loss, unless `early_stopping` ends it, and their end is no cause for a warning. Each call of
`partial_fit` is the next epoch of the plan."""

_SECTIONS = {"parameters": PARAMETERS, "attributes": ATTRIBUTES, "notes": NOTES}


def described(estimator: _Estimator) -> _Estimator:
    """Put the common sections into the docstring of a class, where it names them."""
    if estimator.__doc__ is not None:  # as it is under `python -OO`
        estimator.__doc__ = cleandoc(estimator.__doc__) % _SECTIONS
    return estimator
