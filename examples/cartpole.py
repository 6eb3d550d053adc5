"""CartPole, solved by deep Q-learning: a loop of one's own around a network and its target.

Run it with ``python examples/cartpole.py``; it takes some seconds. The network gives the expected
return of each action. A step of the environment, one row forward to choose an action, and an update
on rows that were drawn from the past take turns; the target network follows by soft updates.

V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 2015; H. van
Hasselt, A. Guez and D. Silver, "Deep reinforcement learning with double Q-learning", AAAI 2016;
T. Lillicrap et al., "Continuous control with deep reinforcement learning", ICLR 2016.
"""

from math import cos, pi, sin
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

import fastmlp

SOLVED, LAST = 195.0, 100  # the mean return that counts as solved, over so many last episodes
MAX_EPISODES = 1000
DISCOUNT, TAU, BATCH = 0.99, 0.01, 64


class CartPole:
    """A pole on a cart that is pushed left or right, to be kept upright for 200 steps.

    A. Barto, R. Sutton and C. Anderson, "Neuronlike adaptive elements that can solve difficult
    learning control problems", 1983, with the constants of Gymnasium's CartPole-v0.
    """

    n_steps = 200
    gravity, mass_of_cart, mass_of_pole, half_length = 9.8, 1.0, 0.1, 0.5
    force, seconds_per_step = 10.0, 0.02
    largest_position, largest_angle = 2.4, 12 * 2 * pi / 360

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def reset(self) -> NDArray[np.float32]:
        """Begin an episode: position, velocity, angle and angular velocity are nearly 0."""
        self.state = self.rng.uniform(-0.05, 0.05, size=4).tolist()
        self.steps = 0
        return np.array(self.state, dtype=np.float32)

    def step(self, action: int) -> tuple[NDArray[np.float32], bool, bool]:
        """Push to the left (0) or right (1): the new state, whether all is lost, and the end."""
        x, velocity, angle, spin = self.state
        mass = self.mass_of_cart + self.mass_of_pole
        moment = self.mass_of_pole * self.half_length
        push = self.force if action == 1 else -self.force
        thrust = (push + moment * spin**2 * sin(angle)) / mass
        twist = (self.gravity * sin(angle) - cos(angle) * thrust) / (
            self.half_length * (4 / 3 - self.mass_of_pole * cos(angle) ** 2 / mass)
        )
        acceleration = thrust - moment * twist * cos(angle) / mass
        dt = self.seconds_per_step
        self.state = [
            x + dt * velocity,
            velocity + dt * acceleration,
            angle + dt * spin,
            spin + dt * twist,
        ]
        self.steps += 1
        is_out = abs(self.state[0]) > self.largest_position
        is_lost = is_out or abs(self.state[2]) > self.largest_angle
        is_over = is_lost or self.steps == self.n_steps
        return np.array(self.state, dtype=np.float32), is_lost, is_over


class Memory:
    """The last transitions, of which batches are drawn."""

    def __init__(self, rng: np.random.Generator, size: int = 20_000) -> None:
        self.rng, self.n_seen = rng, 0
        self.states = np.zeros((size, 4), dtype=np.float32)
        self.next_states = np.zeros_like(self.states)
        self.actions = np.zeros(size, dtype=np.int64)
        self.goes_on = np.zeros(size, dtype=np.float32)

    def add(
        self,
        state: NDArray[np.float32],
        action: int,
        next_state: NDArray[np.float32],
        is_lost: bool,
    ) -> None:
        """Keep one transition in place of the oldest."""
        at = self.n_seen % len(self.actions)
        self.states[at], self.next_states[at] = state, next_state
        self.actions[at], self.goes_on[at] = action, not is_lost
        self.n_seen += 1

    def draw(self, n: int) -> tuple[NDArray[np.float32] | NDArray[np.int64], ...]:
        """Draw a batch."""
        rows = self.rng.integers(min(self.n_seen, len(self.actions)), size=n)
        return self.states[rows], self.actions[rows], self.next_states[rows], self.goes_on[rows]


def learn(
    online: fastmlp.MLP,
    target: fastmlp.MLP,
    optimizer: fastmlp.Adam,
    batch: tuple[NDArray[np.float32] | NDArray[np.int64], ...],
) -> None:
    """Make one update towards the returns that the target network expects."""
    states, actions, next_states, goes_on = batch
    rows = np.arange(len(actions))
    next_actions = online.forward(next_states).argmax(axis=1)
    next_q = target.forward(next_states)[rows, next_actions]
    returns = np.where(goes_on, DISCOUNT * next_q, -1)

    q = online.forward(states)
    d_q = np.zeros_like(q)
    # Huber's loss of the action that was taken; the others have no say.
    d_q[rows, actions] = (q[rows, actions] - returns).clip(-1, 1) / len(rows)
    gradient, _ = online.backward(states, d_q)
    optimizer.step(online, gradient)
    target.soft_update(online, TAU)


def main(seed: int = 0) -> float:
    """Train until CartPole is solved, and return the mean return over the last episodes."""
    rng = np.random.default_rng(seed)
    environment, memory = CartPole(rng), Memory(rng)
    online = fastmlp.MLP([4, 64, 64, 2], output="identity", seed=seed)
    target, optimizer = online.copy(), fastmlp.Adam(learning_rate=0.001)
    returns: list[int] = []
    start = perf_counter()

    print("episodes   steps  mean return of the last 25")
    while len(returns) < MAX_EPISODES and (
        len(returns) < LAST or np.mean(returns[-LAST:]) < SOLVED
    ):
        state, is_over = environment.reset(), False
        explore = max(0.01, 1 - len(returns) / 50)
        while not is_over:
            if rng.random() < explore:
                action = int(rng.integers(2))
            else:
                action = int(online.forward(state[None]).argmax())
            next_state, is_lost, is_over = environment.step(action)
            memory.add(state, action, next_state, is_lost)
            state = next_state
            if memory.n_seen >= 10 * BATCH:
                learn(online, target, optimizer, memory.draw(BATCH))
        returns.append(environment.steps)
        if len(returns) % 25 == 0:
            print(f"{len(returns):8}{memory.n_seen:8}{np.mean(returns[-25:]):28.1f}")

    mean = float(np.mean(returns[-LAST:]))
    seconds = perf_counter() - start
    print(
        f"mean return {mean:.1f} over the last {LAST} of {len(returns)} episodes, {seconds:.1f} s"
    )
    return mean


if __name__ == "__main__":
    main()
