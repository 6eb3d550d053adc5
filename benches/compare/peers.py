"""The peers, and the checks that they do the same work."""

import math
from dataclasses import replace

import numpy as np

from benches.compare import (
    OURS,
    peer_fastmlp,
    peer_fastmlp_step,
    peer_jax,
    peer_jax_loop,
    peer_numba,
    peer_numpy,
    peer_onnxruntime,
    peer_sklearn,
    peer_torch,
    peer_torch_by_hand,
    peer_torch_compiled,
)

TRAINERS = (
    peer_fastmlp.Trainer,
    peer_fastmlp_step.Trainer,
    peer_sklearn.Trainer,
    peer_numpy.Trainer,
    peer_torch.Trainer,
    peer_torch_by_hand.Trainer,
    peer_torch_compiled.Trainer,
    peer_jax.Trainer,
    peer_jax_loop.Trainer,
    peer_numba.Trainer,
)
PREDICTORS = (
    peer_fastmlp.Predictor,
    peer_sklearn.Predictor,
    peer_numpy.Predictor,
    peer_torch.Predictor,
    peer_jax.Predictor,
    peer_onnxruntime.Predictor,
)

# Rounding in float32, and scikit-learn's position of Adam's epsilon, change a loss by less than the
# first; another learning rate, order of rows or activation changes it by more. Other random
# numbers, or a library's deviation from the case, change it by less than the second. If both come
# together, a loss only has to fall.
TOLERANCES = (5e-4, 0.2, math.inf)


def able(kinds, threads):
    """Choose the peers that can be measured here with this number of threads."""
    return [kind for kind in kinds if not kind.hindrance(threads)]


def left_out(threads):
    """Name the others, and say why."""
    reasons = {kind.name: kind.hindrance(threads) for kind in (*TRAINERS, *PREDICTORS)}
    return {name: reason for name, reason in reasons.items() if reason}


def trainers(case, problem, threads):
    """Make every peer's network, train it for a few epochs and compare the losses.

    Raises
    ------
    AssertionError
        If a peer's loss does not fall, or not to where the others' does.
    """
    kinds = able(TRAINERS, threads)
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


def predictors(case, problem, threads):
    """Make every peer's network and compare the probabilities.

    Raises
    ------
    AssertionError
        If a peer computes others.
    """
    made = {kind.name: kind(case, problem, threads) for kind in able(PREDICTORS, threads)}
    X = problem.X.copy()  # torch warns of arrays that may not be written to.
    ours = made[OURS].predict_proba(X)
    for name, predictor in made.items():
        P = predictor.predict_proba(X)
        if P.shape != ours.shape or not np.allclose(P, ours, rtol=0, atol=1e-5):
            raise AssertionError(f"{name} predicts otherwise in case {case.name}")
    return made
