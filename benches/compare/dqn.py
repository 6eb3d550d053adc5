"""The loop of deep Q-learning beside torch and jax: ``python -m benches.compare.dqn``, one thread.

A step of the loop chooses an action for one state and, all steps or every tenth, makes an update on
128 transitions: the target network forward, the online network forward and back, Adam, and the
target network after it. The environment is left out, and so are the random numbers: states,
transitions and the rows of each batch are drawn beforehand, the same for all.
"""

from importlib.util import find_spec
from itertools import cycle, islice, pairwise

import numpy as np

from benches.compare import OURS
from benches.compare.alone import measured_alone
from benches.compare.report import FOOT, block, heading
from benches.compare.setting import setting
from benches.compare.timing import record

SIZES = (4, 120, 84, 2)
N_TRANSITIONS, N_BATCHES, BATCH = 10_000, 500, 128
LEARNING_RATE, DISCOUNT, TAU = 2.5e-4, 0.99, 0.005
# Steps of the loop from one update to the next, and how the target network follows.
CASES = {
    "every step": ("an update per step, soft updates of the target", 1),
    "every tenth": ("an update per ten steps, soft updates of the target", 10),
}


class Problem:
    """Initial parameters, transitions and batches."""

    def __init__(self):
        rng = np.random.default_rng(0)
        shapes = list(pairwise(SIZES))
        single = {"dtype": np.float32}
        self.weights = [(rng.standard_normal(s) * np.sqrt(2 / s[0])).astype("f4") for s in shapes]
        self.biases = [np.zeros(h, **single) for _, h in shapes]
        self.states = rng.standard_normal((N_TRANSITIONS, 4), **single)
        self.next_states = rng.standard_normal((N_TRANSITIONS, 4), **single)
        self.actions = rng.integers(2, size=N_TRANSITIONS)
        self.goes_on = (rng.random(N_TRANSITIONS) < 0.95).astype("f4")
        self.batches = rng.integers(N_TRANSITIONS, size=(N_BATCHES, BATCH))


class Learner:
    """An online and a target network; a work of `benches.compare.timing`."""

    def __init__(self, problem, every):
        self.problem, self.every = problem, every
        self.batches = cycle(self.prepared(problem.batches))
        self.observed = cycle(problem.states[:1000, None])
        self.n_done = 0

    def __call__(self, n_steps):
        """Make so many steps of the loop."""
        for state in islice(self.observed, n_steps):
            self.act(state)
            self.n_done += 1
            if self.n_done % self.every == 0:
                self.learn(next(self.batches))
        self.wait()

    def wait(self):
        """Wait until all is computed."""


class FastMLP(Learner):
    """fastmlp, with the gradient of a loss of one's own."""

    def __init__(self, problem, every):
        import fastmlp

        super().__init__(problem, every)
        self.online = fastmlp.MLP(SIZES, output="identity")
        parameters = zip(problem.weights, problem.biases, strict=True)
        self.online.parameters[:] = np.concatenate([a.ravel() for both in parameters for a in both])
        self.target = self.online.copy()
        self.adam = fastmlp.Adam(LEARNING_RATE)
        self.rows, self.d_q = np.arange(BATCH), np.zeros((BATCH, 2), np.float32)

    def prepared(self, batches):
        """Leave the batches as they are."""
        return list(batches)

    def act(self, state):
        """Choose the action with the largest return."""
        return int(self.online.forward(state).argmax())

    def learn(self, rows):
        """Make one update."""
        problem, online, target = self.problem, self.online, self.target
        states, actions = problem.states.take(rows, axis=0), problem.actions.take(rows)
        best = target.forward(problem.next_states.take(rows, axis=0)).max(axis=1)
        wanted = 1 + DISCOUNT * problem.goes_on.take(rows) * best
        chosen = self.rows, actions
        error = online.forward(states)[chosen] - wanted
        self.d_q.fill(0)
        self.d_q[chosen] = 2 / BATCH * error
        gradient, _ = online.backward(states, self.d_q)
        self.adam.step(online, gradient)
        target.soft_update(online, TAU)

    def returns(self, states):
        """Compute the returns of both actions."""
        return self.online.forward(states)


class Torch(Learner):
    """torch as its users write it, with a fused optimizer and a fused soft update."""

    def __init__(self, problem, every):
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        super().__init__(problem, every)
        self.online, self.target = self.network(), self.network()
        self.target.requires_grad_(False)
        parameters = list(self.online.parameters())
        self.adam = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
        self.moving = list(self.target.parameters()), [p.detach() for p in parameters]
        self.memory = [
            torch.tensor(array)
            for array in (problem.states, problem.actions, problem.next_states, problem.goes_on)
        ]

    def network(self):
        """Make a network with the initial parameters."""
        modules = []
        for weight, bias in zip(self.problem.weights, self.problem.biases, strict=True):
            linear = self.torch.nn.Linear(*weight.shape)
            tensors = self.torch.tensor(weight.T), self.torch.tensor(bias)
            linear.load_state_dict(dict(zip(("weight", "bias"), tensors, strict=True)))
            modules += [linear, self.torch.nn.ReLU()]
        return self.torch.nn.Sequential(*modules[:-1])

    def prepared(self, batches):
        """Make tensors of the batches."""
        return [self.torch.tensor(rows) for rows in batches]

    def act(self, state):
        """Choose the action with the largest return."""
        with self.torch.inference_mode():
            return int(self.online(self.torch.from_numpy(state)).argmax())

    def learn(self, rows):
        """Make one update."""
        torch = self.torch
        states, actions, next_states, goes_on = (array[rows] for array in self.memory)
        with torch.no_grad():
            wanted = 1 + DISCOUNT * goes_on * self.target(next_states).max(dim=1).values
        chosen = self.online(states).gather(1, actions[:, None]).squeeze(1)
        loss = torch.nn.functional.mse_loss(chosen, wanted)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        torch._foreach_lerp_(*self.moving, TAU)

    def returns(self, states):
        """Compute the returns of both actions."""
        with self.torch.inference_mode():
            return self.online(self.torch.tensor(states)).numpy()


class Jax(Learner):
    """jax, with one compiled call to act and one to learn, whose buffers are donated."""

    def __init__(self, problem, every):
        import jax
        from jax.flatten_util import ravel_pytree

        from benches.compare.peer_jax import adam, logits

        self.jax = jax
        super().__init__(problem, every)
        layers = [*zip(problem.weights, problem.biases, strict=True)]
        parameters, unravel = ravel_pytree(layers)
        zeros = jax.numpy.zeros_like(parameters)
        # Donated buffers are its own.
        target = jax.numpy.array(parameters, copy=True)
        self.state = parameters, target, (zeros, zeros.copy()), jax.numpy.float32(0)
        names = ("states", "actions", "next_states", "goes_on")
        self.memory = tuple(jax.device_put(getattr(problem, name)) for name in names)

        def loss(parameters, target, batch):
            states, actions, next_states, goes_on = batch
            best = logits(unravel(target), next_states).max(axis=1)
            q = logits(unravel(parameters), states)
            chosen = q[jax.numpy.arange(BATCH), actions]
            return ((chosen - 1 - DISCOUNT * goes_on * best) ** 2).mean()

        def learn(state, memory, rows):
            parameters, target, moments, t = state
            t += 1
            gradient = jax.grad(loss)(parameters, target, [array[rows] for array in memory])
            change, moments = adam(gradient, moments, t, LEARNING_RATE)
            parameters -= change
            return parameters, target + TAU * (parameters - target), moments, t

        def returns(parameters, states):
            return logits(unravel(parameters), states)

        self.compiled = jax.jit(learn, donate_argnums=0)
        self.best = jax.jit(lambda parameters, state: returns(parameters, state).argmax())
        self.of = returns

    def prepared(self, batches):
        """Make arrays of the batches."""
        return [self.jax.device_put(rows) for rows in batches]

    def act(self, state):
        """Choose the action with the largest return."""
        return int(self.best(self.state[0], state))

    def learn(self, rows):
        """Make one update."""
        self.state = self.compiled(self.state, self.memory, rows)

    def wait(self):
        """Wait until all is computed."""
        self.jax.block_until_ready(self.state)

    def returns(self, states):
        """Compute the returns of both actions."""
        return np.asarray(self.of(self.state[0], states))


KINDS = {OURS: FastMLP, "torch, eager": Torch, "jax, one call per step": Jax}
LIBRARIES = {"torch, eager": "torch", "jax, one call per step": "jax"}


def missing():
    """Name the kinds whose library is not installed."""
    return [name for name, library in LIBRARIES.items() if find_spec(library) is None]


def learners(every):
    """Make one of each kind whose library is installed, after all have done the same."""
    problem = Problem()
    kinds = {name: kind for name, kind in KINDS.items() if name not in missing()}
    made = {name: kind(problem, every) for name, kind in kinds.items()}
    for learner in made.values():
        learner(100 * every)
    results = {name: learner.returns(problem.states[:100]) for name, learner in made.items()}
    for name, result in results.items():
        if not np.allclose(result, results[OURS], rtol=1e-3, atol=1e-3):
            raise RuntimeError(f"{name} learns something else than {OURS}")
    return made


def run(effort):
    """Measure and print every case."""
    left_out = dict.fromkeys(missing(), "it is not installed")
    libraries = [library for name, library in LIBRARIES.items() if name not in left_out]
    run = {"setting": setting(libraries), "left out": left_out, "threads": 1}
    print(heading(run), flush=True)
    for name, (title, every) in CASES.items():
        print(block(record(name, title, "step", learners(every), effort)), flush=True)
    print(FOOT)


def main():
    """Measure in a process of its own."""
    measured_alone("benches.compare.dqn", run)


if __name__ == "__main__":
    main()
