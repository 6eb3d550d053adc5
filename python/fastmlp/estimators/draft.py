"""A fit trains a draft of the estimator, which takes the estimator's place once it is done.

Whatever ends a fit early, the estimator is as it was before: its network, what was learned of the
data, the state of the optimizer.
"""

from typing import Self

from fastmlp._core import MLP
from fastmlp.estimators.architecture import Architecture
from fastmlp.estimators.course import Course
from fastmlp.estimators.live import LiveParameters


class Drafts(LiveParameters):
    """Makes drafts of an estimator, and lets them take its place."""

    loss_curve_: list[float]

    def _draft(self) -> Self:
        """Return an estimator that knows what this one does, and may be changed in its place."""
        draft = object.__new__(type(self))
        draft.__dict__ = self.__dict__.copy()
        return draft

    def _become(self, draft: Self, course: Course) -> Self:
        """Take the place of what this estimator was.

        The network of one that goes on stays the same object: others may hold it.
        """
        goes_on = draft.loss_curve_ is self.__dict__.get("loss_curve_")
        state, before = vars(draft), self.__dict__.get("_tie")
        # No signal is seen between the two: Python looks for signals after a call, or in a loop.
        self.__dict__ = state
        self.loss_curve_.extend(course.losses)
        if goes_on and before is not None:
            self._move_to(before.network)
        course.warn()
        return self

    def _move_to(self, network: MLP) -> None:
        """Give a network the parameters, and make it the estimator's, if it can be."""
        trained = self.network_
        if Architecture.of(network).is_same(Architecture.of(trained)):
            network.parameters[:] = trained.parameters
            self._set_network(network)
