"""jax, one compiled call per step with donated buffers, and its compiled predictions.

All parameters are in one vector, and labels are one-hot: both are faster here than a tree of arrays
and a gather.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benches.compare import lbfgs, peer


def logits(layers, X, activation="relu", dropout=0.0, key=None):
    """Logits of rows."""
    for k, (W, b) in enumerate(layers):
        if k > 0:
            X = jnp.tanh(X) if activation == "tanh" else jax.nn.relu(X)
            if dropout:
                kept = jax.random.bernoulli(jax.random.fold_in(key, k), 1 - dropout, X.shape)
                X = jnp.where(kept, X / (1 - dropout), 0)
        X = X @ W + b
    return X


def cross_entropy(logits, one_hot):
    """Mean over the rows."""
    return -jnp.sum(jax.nn.log_softmax(logits) * one_hot) / len(one_hot)


def sgd(gradient, moments, t, learning_rate):
    """Gradient descent: what to subtract, and no moments."""
    del t
    return learning_rate * gradient, moments


def adam(gradient, moments, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Adam: what to subtract, and the new moments."""
    m = beta_1 * moments[0] + (1 - beta_1) * gradient
    v = beta_2 * moments[1] + (1 - beta_2) * gradient**2
    root = jnp.sqrt(1 - beta_2**t)
    return learning_rate * root / (1 - beta_1**t) * m / (jnp.sqrt(v) + epsilon * root), (m, v)


class Trainer(peer.Trainer):
    """One network in training."""

    name = "jax, one call per step"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets them.
        self.activation = case.activation
        layers = [*zip(problem.weights, problem.biases, strict=True)]
        parameters, self.unravel = ravel_pytree(layers)
        n_moments = 0 if case.optimizer == "sgd" else 2
        moments = tuple(jnp.zeros_like(parameters) for _ in range(n_moments))
        self.state = parameters, moments, jnp.float32(0)
        shape = (case.steps_per_epoch, case.batch_size, -1)
        one_hot = np.eye(case.layer_sizes[-1], dtype=np.float32)[problem.y]
        self.X, self.one_hot = jnp.asarray(problem.X), jnp.asarray(one_hot)
        self.batches = self.X.reshape(shape), self.one_hot.reshape(shape)
        self.compile(self.step_of(case))

    def step_of(self, case):
        """Make the pure function from state and batch to the next state."""
        update = sgd if case.optimizer == "sgd" else adam
        decay = 1 - case.learning_rate * case.weight_decay
        key = jax.random.key(0)

        def loss(parameters, t, X, one_hot):
            drawn = jax.random.fold_in(key, t.astype(int)) if case.dropout else None
            layers = self.unravel(parameters)
            return cross_entropy(logits(layers, X, case.activation, case.dropout, drawn), one_hot)

        def step(state, X, one_hot):
            parameters, moments, t = state
            t += 1
            gradient = jax.grad(loss)(parameters, t, X, one_hot)
            change, moments = update(gradient, moments, t, case.learning_rate)
            return decay * parameters - change, moments, t

        return step

    def compile(self, step):
        """Compile a step."""
        self.step = jax.jit(step, donate_argnums=0)
        self.list = list(zip(*self.batches, strict=True))

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        state, step = self.state, self.step
        for _ in range(epochs):
            for X, one_hot in self.list:
                state = step(state, X, one_hot)
        self.state = jax.block_until_ready(state)

    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        of_rows = logits(self.unravel(self.state[0]), self.X, self.activation)
        return float(cross_entropy(of_rows, self.one_hot))


class Minimizer(lbfgs.OwnGradient):
    """One network, whose squared error is minimised."""

    name = "jax.jit"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets them.
        super().__init__(case, problem)
        with jax.enable_x64(True):
            layers = [*zip(problem.weights, problem.biases, strict=True)]
            _, unravel = ravel_pytree(layers)
            self.X, self.y = jnp.asarray(problem.X), jnp.asarray(problem.y)

            def loss(parameters, X, y):
                error = logits(unravel(parameters), X, case.activation)[:, 0] - y
                return error @ error / (2 * len(y))

            self.compiled = jax.jit(jax.value_and_grad(loss))

    def loss_and_gradient(self, parameters):
        """Compute both in one compiled call."""
        loss, gradient = self.compiled(parameters, self.X, self.y)
        return float(loss), np.asarray(gradient)

    def minimize(self):
        """Minimise in float64, which jax has only where it is enabled."""
        with jax.enable_x64(True):
            return super().minimize()


class Predictor(peer.Predictor):
    """One network that predicts."""

    name = "jax.jit"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets them.
        arrays = jax.device_put((problem.weights, problem.biases))
        layers = list(zip(*arrays, strict=True))
        self.compiled = jax.jit(lambda X: jax.nn.softmax(logits(layers, X, case.activation)))

    def predict_proba(self, X):
        """Compute the probabilities of the classes."""
        return np.asarray(self.compiled(X))
