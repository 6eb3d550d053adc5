"""What is measured: the presets, and peers with the defaults of their authors, on one thread."""

import numpy as np

PRESETS = ("fast", "default", "best")
PEERS = ("realmlp", "lightgbm", "boosting", "sklearn")
KINDS = (*PRESETS, *PEERS)


def make(kind, is_regression, seed, epochs=None):
    """Make the estimator of a preset or peer; some networks take another number of epochs."""
    if kind in PRESETS:
        from fastmlp import TabularClassifier, TabularRegressor

        cls = TabularRegressor if is_regression else TabularClassifier
        return cls(kind, max_iter=epochs, random_state=seed, n_jobs=1)
    return PEER[kind](is_regression, seed, epochs)


def fit(kind, model, parts):
    """Train on the training part, with the validation part as each of them has it."""
    import pandas as pd

    train, val = parts["train"], parts["val"]
    if kind in ("best", "sklearn"):
        # They deal rows for validation out themselves, or have no use for them.
        return model.fit(pd.concat([train.X, val.X]), np.concatenate([train.y, val.y]))
    if kind == "lightgbm":
        from lightgbm import early_stopping

        return model.fit(
            train.X,
            train.y,
            eval_set=[(val.X, val.y)],
            callbacks=[early_stopping(50, verbose=False)],
        )
    return model.fit(train.X, train.y, X_val=val.X, y_val=val.y)


def realmlp(is_regression, seed, epochs):
    """RealMLP-TD of its authors, in torch."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    cls = RealMLP_TD_Regressor if is_regression else RealMLP_TD_Classifier
    return cls(device="cpu", n_threads=1, n_epochs=epochs, random_state=seed)


def lightgbm(is_regression, seed, epochs):
    """LightGBM with early stopping."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    cls = LGBMRegressor if is_regression else LGBMClassifier
    return cls(n_estimators=4000, n_jobs=1, random_state=seed, verbose=-1)


def boosting(is_regression, seed, epochs):
    """scikit-learn's boosting with early stopping."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    cls = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    return cls(max_iter=4000, early_stopping=True, n_iter_no_change=50, random_state=seed)


def sklearn(is_regression, seed, epochs):
    """scikit-learn's network with its defaults, after scaling and one-hot encoding."""
    from sklearn.compose import TransformedTargetRegressor, make_column_selector
    from sklearn.compose import make_column_transformer as columns
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    categories = make_column_selector(dtype_include="category")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    front = columns((encoder, categories), remainder=StandardScaler())
    given = {"random_state": seed} if epochs is None else {"random_state": seed, "max_iter": epochs}
    if not is_regression:
        return make_pipeline(front, MLPClassifier(**given))
    scaled = TransformedTargetRegressor(MLPRegressor(**given), transformer=StandardScaler())
    return make_pipeline(front, scaled)


PEER = {"realmlp": realmlp, "lightgbm": lightgbm, "boosting": boosting, "sklearn": sklearn}
