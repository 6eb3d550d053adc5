"""The peers, and the check that they all do the same work.

A peer is a module with a ``NAME`` and a class ``Trainer(case, problem)`` that has two methods:
``train(epochs)`` and ``loss()``, the cross-entropy over all rows at that moment.
"""

import math

from benches.compare import (
    peer_fastmlp,
    peer_fastmlp_step,
    peer_numpy,
    peer_sklearn,
    peer_torch,
    peer_torch_by_hand,
)

OURS = peer_fastmlp.NAME
PEERS = (
    peer_fastmlp,
    peer_fastmlp_step,
    peer_numpy,
    peer_sklearn,
    peer_torch,
    peer_torch_by_hand,
)

# Two ways to round in float32, and scikit-learn's place for Adam's epsilon, part the losses by
# less; another learning rate, order of rows or activation parts them by more.
SAME_LOSS = 1e-3


def check_same_training(case, problem, epochs=5):
    """Raise unless every peer, from the same start, arrives at the same loss."""
    losses = {}
    for peer in PEERS:
        trainer = peer.Trainer(case, problem)
        before = trainer.loss()
        trainer.train(epochs)
        losses[peer.NAME] = trainer.loss()
        if not losses[peer.NAME] < before:
            raise AssertionError(f"{peer.NAME} did not learn case {case.title}")
    for name, loss in losses.items():
        if not math.isclose(loss, losses[OURS], rel_tol=SAME_LOSS):
            raise AssertionError(f"{name} trains case {case.title} otherwise: {losses}")
