"""Sections that the docstrings of both estimators share."""

from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import TypeVar

_Estimator = TypeVar("_Estimator", bound=type)

PARAMETERS = """\
hidden_layer_sizes : array-like of int, int or str, default=(100,)
    Width of each hidden layer, at least 1; empty for a network without hidden layers. In a search
    one value can be an int, for a single hidden layer, or text: '64-32' is (64, 32), and '64x3' is
    (64, 64, 64).
activation : str or sequence of str, default='relu'
    Activation of the hidden layers: one name, or a sequence with one name per hidden layer.
    'identity', 'logistic', 'tanh' and 'relu' are scikit-learn's; 'sigmoid' is another name for
    'logistic'. 'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'softplus' and 'prelu' are
    those of `MLP`, which has their formulas. If all of them are scikit-learn's, initial parameters
    are drawn as scikit-learn draws them, otherwise as `MLP` does with ``init="auto"``.
solver : {'lbfgs', 'sgd', 'adam', 'adamw'}, default='adam'
    The solver that trains the network. 'sgd', 'adam' and 'adamw' use batches in random order;
    'lbfgs' uses all rows in each step, which suits small data. 'adamw' is 'adam' with decoupled
    weight decay.
alpha : float, default=0.0001
    Strength of the L2 penalty, >= 0: half of it times the sum of the squared weights, divided by
    the total sample weight of the batch (its number of rows without `sample_weight`), is added to
    the loss.
batch_size : int or 'auto', default='auto'
    Number of rows per batch; 'auto' is 200, or all rows if there are fewer. Not for 'lbfgs'.
learning_rate : str, default='constant'
    How the learning rate develops from `learning_rate_init`: 'constant', 'invscaling', 'adaptive',
    'plateau', 'cosine', 'linear' or 'one_cycle', see Notes. As in scikit-learn, 'invscaling' and
    'adaptive' are for 'sgd', and mean 'constant' for 'adam'. The last four are for all solvers but
    'lbfgs'.
learning_rate_init : float, default=0.001
    The learning rate, > 0: the first one of 'invscaling', 'adaptive' and 'plateau', the largest one
    of 'cosine', 'linear' and 'one_cycle'. Not for 'lbfgs'.
power_t : float, default=0.5
    Exponent of 'invscaling', >= 0.
max_iter : int, default=200
    Maximum number of epochs, or of iterations of 'lbfgs'.
shuffle : bool, default=True
    Whether to draw a new order of rows for each epoch. Not for 'lbfgs'.
random_state : int, RandomState or Generator instance, or None, default=None
    Source of the initial parameters, the validation split, the orders of rows and the masks of
    dropout. With an int every call gives the same network, with None a different one.
tol : float, default=0.0001
    Smallest change that counts as progress, >= 0: the loss must fall, or the validation score must
    rise, by more than this. For 'lbfgs', the largest entry of a gradient that counts as 0.
verbose : bool, default=False
    Whether to show the epochs or iterations and their losses: as a bar in terminals, as a bar and a
    curve in notebooks, and elsewhere as a line for each.
warm_start : bool, default=False
    Whether `fit` continues from the current parameters.
momentum : float, default=0.9
    Momentum of 'sgd', from 0 to 1.
nesterovs_momentum : bool, default=True
    Whether 'sgd' uses Nesterov's momentum.
early_stopping : bool, default=False
    Whether to hold out rows for validation, monitor the score on them in place of the loss, and end
    with the parameters of the best score. Not for 'lbfgs'.
validation_fraction : float, default=0.1
    Fraction of the rows that `early_stopping` holds out, in [0, 1).
beta_1 : float, default=0.9
    Decay rate of the mean of the gradients in 'adam' and 'adamw', in [0, 1).
beta_2 : float, default=0.999
    Decay rate of the mean of their squares in 'adam' and 'adamw', in [0, 1).
epsilon : float, default=1e-08
    Added to the denominator in 'adam' and 'adamw' for numerical stability: > 0.
n_iter_no_change : int, default=10
    Training stops after more than this many consecutive epochs without progress; `numpy.inf`
    disables this. Not for 'lbfgs'.
max_fun : int, default=15000
    Maximum number of evaluations of the loss by 'lbfgs'.
dropout : float or array-like of float, default=0.0
    Fraction of the activations of each hidden layer that are left out at random in each step of
    training, in [0, 1), or an array-like with one fraction per hidden layer. The others are divided
    by the fraction that is kept, so that the expectation of the sums is unchanged. Not for 'lbfgs'.
input_dropout : float, default=0.0
    The same fraction for the inputs.
normalization : {'layer', 'batch'} or None, default=None
    Normalises the sums of every hidden layer before the activation, with a learnable gain and shift
    per unit: 'layer' the sums of each row, 'batch' the sums of each unit. The latter are normalised
    over the rows of a batch in training, whatever their weights, and with running means and
    variances in prediction. 'batch' is not for 'lbfgs'.
weight_decay : float or None, default=None
    Coefficient of the decoupled weight decay of 'adamw', >= 0: each step multiplies every weight by
    ``1 - learning_rate * weight_decay``. None is 0.01. Biases, gains, shifts and slopes do not
    decay. Only for 'adamw'.
clip_norm : float or None, default=None
    Largest Euclidean norm of a gradient, > 0: a longer gradient is scaled down to this norm before
    the step. None disables clipping. Not for 'lbfgs'.
warmup : float or None, default=None
    Fraction of the steps of `max_iter` epochs during which the learning rate rises, in [0, 1). None
    is 0.3 for 'one_cycle' and 0 for the others. Not for 'lbfgs'.
max_time : float or None, default=None
    Limit of the training time in seconds, > 0. The epoch, or iteration of 'lbfgs', during which it
    is reached is the last one; a ConvergenceWarning says so. None is no limit.
dtype : {'float32', 'float64'} or None, default=None
    Type of the parameters, to which `X` is converted. None follows `X`: float32 is trained in
    float32, all else in float64. float32 is up to twice as fast.
n_jobs : int or None, default=None
    Largest number of threads for a batch, or for the rows of a prediction: None is 1, -1 all cores,
    -2 all but one. A few rows are computed by one thread. The results have the same bits for every
    number of threads.
scoring : str, callable or None, default=None
    What `early_stopping` monitors on the rows for validation: 'loss' for the loss, which must fall,
    the name of one of scikit-learn's scorers, or a callable ``scorer(estimator, X, y)``, which also
    takes `sample_weight` if there are weights. None is accuracy for a classifier and R squared for
    a regressor. The score is recorded for `X_val` of `fit` without `early_stopping`, too. A
    callable is called in Python after each epoch; the loss, accuracy and R squared take one pass of
    the network.
callback : callable or None, default=None
    Called after each epoch, or iteration of 'lbfgs', as ``callback(info)`` with a `FitInfo` of
    `fastmlp.estimators`; if it returns True, training ends there.
keep_every : int or None, default=None
    Number of epochs from one whose parameters are kept for `staged_predict` to the next: 1 keeps
    all of them, None keeps none. Each takes as much memory as the network."""

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
    Position, from 1, of the first of the largest scores in `validation_scores_`; None without rows
    for validation. After `early_stopping` the parameters are those of this epoch.
staged_epochs_ : list of int
    Epochs that `staged_predict` uses: positions in `loss_curve_`, from 1.
t_ : int
    Number of rows that training has processed, each counted once per epoch; 0 for 'lbfgs'.
coefs_ : list of ndarray of shape (n_inputs, n_outputs)
    Weights of each layer: views of the network, so that values written to them take effect at once.
    An array that replaces one of them is copied into the network at its next use.
intercepts_ : list of ndarray of shape (n_outputs,)
    Biases of each layer, likewise.
network_ : MLP
    The network. Gains, shifts and slopes that it learns are among its `parameter_blocks`.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the features, if those of training were all text.
n_iter_ : int
    Number of epochs or iterations of the last fit.
n_layers_ : int
    Number of layers of units, including input and output.
n_outputs_ : int
    Number of outputs of the network."""

NOTES = """\
With parameters that scikit-learn has, results agree with its results to rounding.
docs/4_scikit_learn.md lists the differences and their reasons.

The learning rate for each value of `learning_rate`::

    constant    learning_rate_init
    invscaling  learning_rate_init / (t_ + 1)**power_t, from epoch to epoch
    adaptive    divided by 5 where training would otherwise stop, until it is at most 1e-6
    plateau     divided by 10 where training would otherwise stop, until it is at most 1e-6
    cosine      from learning_rate_init to 0 along half a period of a cosine
    linear      from learning_rate_init to 0 along a straight line
    one_cycle   from learning_rate_init / 25 up to it, and down to a 250000th of it, each along half
                a period of a cosine

'plateau' counts epochs without progress as PyTorch's ``ReduceLROnPlateau(factor=0.1,
patience=n_iter_no_change, threshold=tol, threshold_mode="abs")`` does.

The last three change from step to step, and are planned for all steps of `max_iter` epochs;
`Optimizer` has the formulas. All of these epochs are trained, whatever the loss does, unless
`early_stopping` ends training; reaching the last epoch is no cause for a warning. Each call of
`partial_fit` trains the next epoch of the plan."""

SECTIONS = {"parameters": PARAMETERS, "attributes": ATTRIBUTES, "notes": NOTES}


def described(sections: Mapping[str, str]) -> Callable[[_Estimator], _Estimator]:
    """Make a decorator that puts sections into the docstring of a class, where it names them."""

    def decorate(estimator: _Estimator) -> _Estimator:
        if estimator.__doc__ is not None:  # as it is under `python -OO`
            estimator.__doc__ = cleandoc(estimator.__doc__) % sections
        return estimator

    return decorate
