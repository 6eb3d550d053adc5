"""The measures of scikit-learn, and rows to compare them on."""

import warnings

import numpy as np
import sklearn.metrics
from hypothesis import strategies as st

from fastmlp import metrics


def assert_agrees(name, *args, **options):
    """Compare a measure with scikit-learn's of the same name, to 1e-12; both may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = getattr(metrics, name)(*args, **options)
        truth = getattr(sklearn.metrics, name)(*args, **options)
    np.testing.assert_allclose(value, truth, rtol=1e-12, atol=1e-12)
    assert type(value) is type(truth) or isinstance(truth, int | np.floating)


@st.composite
def generators(draw):
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


def weights(rng, n):
    """None, or weights of which some are 0 but not all."""
    if rng.random() < 0.3:
        return None
    drawn = rng.integers(0, 3, n) * rng.random()
    drawn[rng.integers(n)] += 0.5
    return drawn


def labels(rng, n, n_classes):
    """Classes of some kind, not all of which need be there; often one alone."""
    codes = rng.integers(0, n_classes, n)
    kinds = [codes, codes.astype(np.int8), codes.astype(float), np.array(list("abcdefg"))[codes]]
    return kinds[rng.integers(len(kinds))]


def tied(rng, shape):
    """Numbers with many ties, 0 and 1 among them, or with none."""
    return (
        np.round(rng.random(shape), rng.integers(0, 4)) if rng.random() < 0.7 else rng.random(shape)
    )


def probabilities(rng, n, n_classes):
    """Rows that sum to 1; some are certain."""
    drawn = rng.random((n, n_classes)) + 0.01
    drawn /= drawn.sum(axis=1, keepdims=True)
    certain = rng.random(n) < 0.3
    drawn[certain] = np.eye(n_classes)[drawn[certain].argmax(axis=1)]
    return drawn
