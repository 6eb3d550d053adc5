"""The peers, and the checks that they do the same work."""

import math
from dataclasses import replace
from importlib import import_module
from typing import NamedTuple

import numpy as np

from benches.compare import OURS

# The modules of each library.
MODULES = {
    OURS: ("peer_fastmlp", "peer_fastmlp_step"),
    "scikit-learn": ("peer_sklearn",),
    "numpy": ("peer_numpy",),
    "torch": ("peer_torch", "peer_torch_by_hand", "peer_torch_compiled"),
    "jax": ("peer_jax", "peer_jax_loop"),
    "numba": ("peer_numba",),
    "onnxruntime": ("peer_onnxruntime",),
}

# Rounding in float32, and scikit-learn's position of Adam's epsilon, change a loss by less than the
# first; another learning rate, order of rows or activation changes it by more. Other random
# numbers, or a library's deviation from the case, change it by less than the second. If both come
# together, a loss only has to fall.
TOLERANCES = (5e-4, 0.2, math.inf)


class Kinds(NamedTuple):
    """Classes that train, that predict, and that minimise."""

    trainers: tuple
    predictors: tuple
    minimizers: tuple


def kinds_of(libraries):
    """Import the modules of these libraries, and no others: each library must be installed."""
    names = [name for library in MODULES if library in libraries for name in MODULES[library]]
    modules = [import_module(f"benches.compare.{name}") for name in names]
    return Kinds(
        *(
            tuple(getattr(module, name) for module in modules if hasattr(module, name))
            for name in ("Trainer", "Predictor", "Minimizer")
        )
    )


def able(kinds, threads):
    """Choose the peers that can be measured here with this number of threads."""
    return [kind for kind in kinds if not kind.hindrance(threads)]


def left_out(kinds, threads):
    """Name the others, and say why."""
    reasons = {kind.name: kind.hindrance(threads) for kind in kinds}
    return {name: reason for name, reason in reasons.items() if reason}


def trainers(kinds, case, problem, threads):
    """Make every peer's network, train it for a few epochs and compare the losses.

    Raises
    ------
    AssertionError
        If a peer's loss does not fall, or not to where the others' does.
    """
    kinds = able(kinds, threads)
    if case.dropout:
        # Only without it must they all reach the same loss.
        trained(kinds, replace(case, dropout=0.0), problem, threads)
    return trained(kinds, case, problem, threads)


def trained(kinds, case, problem, threads):
    """Make networks of these kinds and compare their losses with ours."""
    made = {kind.name: kind(case, problem, threads) for kind in kinds}
    ours = None
    for kind in kinds:
        trainer = made[kind.name]
        before = trainer.loss()
        trainer.train(case.epochs_to_compare)
        loss = trainer.loss()
        ours = loss if ours is None else ours
        differences = bool(case.dropout) + bool(kind.departure(case))
        if not loss < before:
            raise AssertionError(f"{kind.name} did not learn case {case.name}")
        if not math.isclose(loss, ours, rel_tol=TOLERANCES[differences]):
            raise AssertionError(
                f"{kind.name} trains case {case.name} otherwise: to {loss}, {OURS} to {ours}"
            )
    return made


def predictors(kinds, case, problem, threads):
    """Make every peer's network and compare the probabilities.

    Raises
    ------
    AssertionError
        If a peer computes others.
    """
    made = {kind.name: kind(case, problem, threads) for kind in able(kinds, threads)}
    X = problem.X.copy()  # torch warns of arrays that may not be written to.
    ours = made[OURS].predict_proba(X)
    for name, predictor in made.items():
        P = predictor.predict_proba(X)
        if P.shape != ours.shape or not np.allclose(P, ours, rtol=0, atol=1e-5):
            raise AssertionError(f"{name} predicts otherwise in case {case.name}")
    return made


def minimizers(kinds, case, problem, threads):
    """Make every peer's network, and compare losses and evaluations with ours.

    Returns
    -------
    dict of str to Minimizer
    int
        Evaluations of loss and gradient per call, which all peers make.

    Raises
    ------
    AssertionError
        If a peer arrives elsewhere, or with another number of evaluations.
    """
    made = {kind.name: kind(case, problem, threads) for kind in able(kinds, threads)}
    counted = {name: minimizer.counted() for name, minimizer in made.items()}
    ours = counted[OURS]
    for name, (loss, n_evaluations) in counted.items():
        if n_evaluations != ours[1] or not math.isclose(loss, ours[0], rel_tol=TOLERANCES[0]):
            raise AssertionError(
                f"{name} minimises case {case.name} otherwise: to {loss} in {n_evaluations} "
                f"evaluations, {OURS} to {ours[0]} in {ours[1]}"
            )
    return made, ours[1]
