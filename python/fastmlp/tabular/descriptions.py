"""Parts of the docstrings that both estimators have."""

SECTIONS = {
    "columns": """\
preset : {'fast', 'default', 'best'}, default='default'
    Networks whose mean is the prediction: one, eight or sixteen, and for a regressor at least two.
categorical_features : 'from_dtype' or array-like of bool, int or str, default='from_dtype'
    Columns of numbers that are categories: a mask, places, or names of a frame's columns. Text
    and columns of a category dtype are categories anyway.""",
    "network": """\
scoring : str, callable or None, default=None
    What chooses the epoch of each network on its rows for validation, higher being better: 'loss',
    which is minus the loss of training, a name of scikit-learn's, or a callable
    ``scorer(estimator, X, y)`` to which `X` is the inputs that the columns became. None is the
    accuracy of a classifier; of a regressor R squared for the squared error, and minus the loss for
    other losses.
n_members : int, default=None
    The number of networks, at least 1, in place of the preset's.
max_time : float, default=None
    Seconds that a fit may take, > 0: fewer epochs take the place of those that would not end in
    time. What is learned of the columns comes first, and an epoch is never cut short.
hidden_layer_sizes : array-like of int, int or str, default=None
    Width of each hidden layer, at least 1, written as for `MLPClassifier`: '64x3' is (64, 64, 64).
    None is two of 256, and two of 512 for the networks with periodic features that a regressor has
    with the preset 'best'.
learning_rate : {'constant', 'cosine', 'linear', 'one_cycle'}, default=None
    How the learning rate changes over the steps of a fit; None is 'cosine'.
learning_rate_init : float, default=None
    Largest learning rate, > 0, in a parametrisation that suits every width. None is 0.04, and 0.2
    for the networks with periodic features that a regressor has.
weight_decay : float, default=None
    Decay of the weights, >= 0. None is 0.02 for one network and for those with periodic features,
    and 0 for the others of several.
dropout : float, default=None
    Share of each hidden layer's outputs that a training step leaves out, in [0, 1). None is
    0.15, and 0 for fewer than 100 rows.""",
    "training": """\
batch_size : int, default=None
    Rows of a step, at least 1. None is 64 to 1,024 by the number of rows. With fewer than 100
    rows a step has them all.
max_iter : int, default=None
    Epochs, at least 1. None is 16, or more where 16 would have fewer than 120 steps, and half as
    many again for networks with periodic features.
validation_fraction : float, default=0.2
    Share of the rows, in (0, 0.5], that choose the epoch of a network where there is no
    `X_val`. Each network has other ones. With fewer than 100 rows all train, to the last epoch.
random_state : int, RandomState or Generator instance, or None, default=None
    Source of the folds for validation and of the seed of each network.
n_jobs : int, default=None
    Threads: the networks share them. None is 1, -1 all processors. Results do not depend on it.""",
    "networks": """\
networks_ : list of MLP
    The networks. Their inputs are what the columns became.
loss_curves_ : list of list of float
    Loss of each network on its training rows after each epoch.""",
    "found": """\
n_iter_ : int
    Epochs of the network that has most.
n_features_in_ : int
    Number of columns.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Names of the columns, if those of training were all text.
target_name_ : str or None
    Name of the series that `y` was, such as that of a frame's column.""",
}
