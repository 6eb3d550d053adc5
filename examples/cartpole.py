"""CartPole, solved by deep Q-learning: a custom loop around a network and its target network.

Run it with ``python examples/cartpole.py``; it takes some seconds. The network predicts the return
of each action. Eight poles are balanced side by side: one forward pass chooses their actions, one
update learns from transitions drawn from the memory, and the target network follows by a soft
update. Training ends when the greedy policy keeps 100 poles upright for 475 of 500 steps on
average.

V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 2015; H. van
Hasselt, A. Guez and D. Silver, "Deep reinforcement learning with double Q-learning", AAAI 2016;
T. Lillicrap et al., "Continuous control with deep reinforcement learning", ICLR 2016.
"""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

import fastmlp

SOLVED = 475.0  # the mean return over 100 episodes that counts as a solution of CartPole-v1
N_POLES, MAX_STEPS, EXPLORATION_STEPS = 8, 20_000, 2_000
DISCOUNT, TAU, BATCH = 0.99, 0.005, 128

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class CartPole:
    """Poles on carts that are pushed left or right, to be kept upright for 500 steps.

    A. Barto, R. Sutton and C. Anderson, "Neuronlike adaptive elements that can solve difficult
    learning control problems", 1983, with the constants of Gymnasium's CartPole-v1.
    """

    n_steps = 500
    gravity, mass_of_cart, mass_of_pole, half_length = 9.8, 1.0, 0.1, 0.5
    force, seconds_per_step = 10.0, 0.02
    largest_position, largest_angle = 2.4, np.deg2rad(12)

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.rng = rng
        # Position, velocity, angle and angular velocity.
        self.state = np.zeros((n, 4))
        self.steps = np.zeros(n, dtype=np.int64)
        self.restart(np.ones(n, dtype=bool))

    @property
    def observation(self) -> Floats:
        """The states as the network reads them, (n, 4)."""
        return self.state.astype(np.float32)

    def restart(self, which: Bools) -> None:
        """Start new episodes of these poles, nearly upright and at rest."""
        self.state[which] = self.rng.uniform(-0.05, 0.05, size=(which.sum(), 4))
        self.steps[which] = 0

    def step(self, actions: Ints) -> tuple[Bools, Bools]:
        """Push to the left (0) or right (1); returns which poles fell, and which episodes ended."""
        x, velocity, angle, spin = self.state.T
        sine, cosine = np.sin(angle), np.cos(angle)
        mass = self.mass_of_cart + self.mass_of_pole
        moment = self.mass_of_pole * self.half_length
        push = np.where(actions == 1, self.force, -self.force)
        thrust = (push + moment * spin**2 * sine) / mass
        twist = (self.gravity * sine - cosine * thrust) / (
            self.half_length * (4 / 3 - self.mass_of_pole * cosine**2 / mass)
        )
        acceleration = thrust - moment * twist * cosine / mass
        slope = np.column_stack([velocity, acceleration, spin, twist])
        self.state = self.state + self.seconds_per_step * slope
        self.steps += 1
        x, _, angle, _ = np.abs(self.state.T)
        fell = (x > self.largest_position) | (angle > self.largest_angle)
        return fell, fell | (self.steps == self.n_steps)


class Memory:
    """The last transitions, from which batches are drawn."""

    def __init__(self, rng: np.random.Generator, size: int = 50_000) -> None:
        self.rng, self.size, self.n_seen = rng, size, 0
        self.states = np.zeros((size, 4), dtype=np.float32)
        self.next_states = np.zeros_like(self.states)
        self.actions = np.zeros(size, dtype=np.int64)
        self.fell = np.zeros(size, dtype=bool)

    def add(self, states: Floats, actions: Ints, next_states: Floats, fell: Bools) -> None:
        """Store transitions in place of the oldest ones."""
        at = np.arange(self.n_seen, self.n_seen + len(actions)) % self.size
        self.states[at], self.next_states[at] = states, next_states
        self.actions[at], self.fell[at] = actions, fell
        self.n_seen += len(actions)

    def draw(self, n: int) -> tuple[Floats, Ints, Floats, Bools]:
        """Draw a batch."""
        rows = self.rng.integers(min(self.n_seen, self.size), size=n)
        return self.states[rows], self.actions[rows], self.next_states[rows], self.fell[rows]


def learn(
    online: fastmlp.MLP, target: fastmlp.MLP, optimizer: fastmlp.Adam, memory: Memory
) -> None:
    """Make one update towards the returns that the target network predicts.

    A fall costs 1, so that returns lie between -1 and 0; steps earn nothing.
    """
    states, actions, next_states, fell = memory.draw(BATCH)
    rows = np.arange(BATCH)
    next_actions = online.forward(next_states).argmax(axis=1)
    next_q = target.forward(next_states)[rows, next_actions]
    returns = np.where(fell, -1, DISCOUNT * next_q)

    q = online.forward(states)
    d_q = np.zeros_like(q)
    # The derivative of Huber's loss, for the actions that were taken.
    d_q[rows, actions] = (q[rows, actions] - returns).clip(-1, 1) / BATCH
    gradient, _ = online.backward(states, d_q)
    optimizer.step(online, gradient)
    target.soft_update(online, TAU)


def mean_return(policy: fastmlp.MLP, rng: np.random.Generator, n: int = 100) -> float:
    """Return the mean return of the greedy policy over episodes side by side."""
    poles, is_up = CartPole(n, rng), np.ones(n, dtype=bool)
    returns = np.zeros(n)
    while is_up.any():
        _, ended = poles.step(policy.forward(poles.observation).argmax(axis=1))
        returns += is_up
        is_up &= ~ended
    return float(returns.mean())


def main(seed: int = 0) -> float:
    """Train until CartPole is solved, and return the mean return over 100 episodes."""
    rng = np.random.default_rng(seed)
    poles, memory = CartPole(N_POLES, rng), Memory(rng)
    online = fastmlp.MLP([4, 64, 64, 2], output="identity", seed=seed)
    target, optimizer = online.copy(), fastmlp.Adam(learning_rate=0.001)
    mean, start = 0.0, perf_counter()

    print("   steps  mean return of the greedy policy")
    for step in range(1, MAX_STEPS + 1):
        states = poles.observation
        actions = online.forward(states).argmax(axis=1)
        explores = rng.random(N_POLES) < max(0.05, 1 - step / EXPLORATION_STEPS)
        actions = np.where(explores, rng.integers(2, size=N_POLES), actions)
        fell, ended = poles.step(actions)
        memory.add(states, actions, poles.observation, fell)
        poles.restart(ended)
        if memory.n_seen >= 10 * BATCH:
            learn(online, target, optimizer, memory)
        if step % 500 == 0:
            mean = mean_return(online, rng)
            print(f"{step * N_POLES:8}{mean:34.1f}")
            if mean >= SOLVED:
                break

    print(f"mean return {mean:.1f} over 100 episodes after {perf_counter() - start:.1f} s")
    return mean


if __name__ == "__main__":
    main()
