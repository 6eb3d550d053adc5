"""NumPy with every array allocated beforehand, and all parameters in one vector for the update."""

from itertools import pairwise

import numpy as np

from benches.compare import lbfgs, peer


class Trainer(peer.Trainer):
    """One network in training."""

    name = "numpy"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        self.problem, self.activation = problem, case.activation
        self.learning_rate = np.float32(case.learning_rate)
        self.decay = np.float32(1 - case.learning_rate * case.weight_decay)
        self.update = {"sgd": self.sgd, "adam": self.adam, "adamw": self.adamw}[case.optimizer]
        self.keep = np.float32(1 - case.dropout)
        self.random = np.random.default_rng(0).random
        shapes = list(pairwise(case.layer_sizes))
        self.parameters = np.empty(sum(d * h + h for d, h in shapes), np.float32)
        self.gradient, self.m, self.v, self.s, self.r = np.zeros(
            (5, len(self.parameters)), np.float32
        )
        self.t = 0
        self.W, self.b = views(self.parameters, shapes)
        self.d_W, self.d_b = views(self.gradient, shapes)
        for view, start in zip(
            (*self.W, *self.b), (*problem.weights, *problem.biases), strict=True
        ):
            view[...] = start

        n, n_classes = case.batch_size, case.layer_sizes[-1]
        one_hot = np.eye(n_classes, dtype=np.float32)[problem.y]
        self.batches = [
            (problem.X[i : i + n], one_hot[i : i + n]) for i in range(0, case.n_rows, n)
        ]
        self.H = [np.empty((n, h), np.float32) for h in case.layer_sizes[1:]]
        self.d_H = [np.empty_like(h) for h in self.H]
        self.active = [np.empty(h.shape, bool) for h in self.H]
        self.uniform = [np.empty_like(h) for h in self.H]
        self.row, self.picked = np.empty((n, 1), np.float32), np.empty_like(self.H[-1])

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        for _ in range(epochs):
            for X, one_hot in self.batches:
                self.step(X, one_hot)

    def step(self, X, one_hot):
        """One update; returns the loss before it."""
        W, H, d_H, last = self.W, self.H, self.d_H, len(self.W) - 1
        inputs = [X, *H[:-1]]
        for k in range(last + 1):
            np.dot(inputs[k], W[k], out=H[k])
            H[k] += self.b[k]
            if k < last and self.activation == "tanh":
                np.tanh(H[k], out=H[k])
            elif k < last:
                np.maximum(H[k], 0, out=H[k])
                if self.keep < 1:
                    self.drop(k)

        P = H[last]
        P -= P.max(axis=1, keepdims=True, out=self.row)
        np.multiply(P, one_hot, out=self.picked)
        np.exp(P, out=P)
        P.sum(axis=1, keepdims=True, out=self.row)
        P /= self.row
        loss = (np.log(self.row).sum() - self.picked.sum()) / len(X)

        np.subtract(P, one_hot, out=d_H[last])
        d_H[last] *= np.float32(1 / len(X))
        for k in range(last, -1, -1):
            np.dot(inputs[k].T, d_H[k], out=self.d_W[k])
            d_H[k].sum(axis=0, out=self.d_b[k])
            if k > 0:
                np.dot(d_H[k], W[k].T, out=d_H[k - 1])
                if self.activation == "tanh":
                    np.multiply(H[k - 1], H[k - 1], out=self.uniform[k - 1])
                    np.subtract(1, self.uniform[k - 1], out=self.uniform[k - 1])
                    d_H[k - 1] *= self.uniform[k - 1]
                    continue
                np.greater(H[k - 1], 0, out=self.active[k - 1])
                d_H[k - 1] *= self.active[k - 1]
                if self.keep < 1:
                    d_H[k - 1] *= 1 / self.keep
        self.update()
        return loss

    def drop(self, k):
        """Set some units of a hidden layer to 0, and scale the others up."""
        self.random(out=self.uniform[k], dtype=np.float32)
        np.less(self.uniform[k], self.keep, out=self.active[k])
        self.H[k] *= self.active[k]
        self.H[k] *= 1 / self.keep

    def sgd(self):
        """Gradient descent."""
        self.gradient *= self.learning_rate
        self.parameters -= self.gradient

    def adam(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        """Adam, with both corrections of the bias folded into two scalars."""
        self.t += 1
        g, m, v, s, r = self.gradient, self.m, self.v, self.s, self.r
        root = np.sqrt(1 - beta_2**self.t)
        m *= np.float32(beta_1)
        np.multiply(g, np.float32(1 - beta_1), out=s)
        m += s
        v *= np.float32(beta_2)
        np.multiply(g, g, out=s)
        s *= np.float32(1 - beta_2)
        v += s
        np.sqrt(v, out=s)
        s += np.float32(epsilon * root)
        np.divide(m, s, out=r)
        r *= np.float32(self.learning_rate * root / (1 - beta_1**self.t))
        self.parameters -= r

    def adamw(self):
        """Adam after a decay of every parameter."""
        self.parameters *= self.decay
        self.adam()

    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        return peer.cross_entropy(self.W, self.b, self.problem.X, self.problem.y, self.activation)


class Predictor(peer.Predictor):
    """One network that predicts, with every array but the result allocated beforehand."""

    name = "numpy"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        self.layers = list(zip(problem.weights, problem.biases, strict=True))
        self.H = [np.empty((case.n_rows, h), np.float32) for h in case.layer_sizes[1:-1]]
        self.row = np.empty((case.n_rows, 1), np.float32)

    def predict_proba(self, X):
        """Compute the probabilities of the classes."""
        for (W, b), H in zip(self.layers[:-1], self.H, strict=True):
            np.dot(X, W, out=H)
            H += b
            X = np.maximum(H, 0, out=H)
        W, b = self.layers[-1]
        P = X @ W
        P += b
        P -= P.max(axis=1, keepdims=True, out=self.row)
        np.exp(P, out=P)
        P /= P.sum(axis=1, keepdims=True, out=self.row)
        return P


class Minimizer(lbfgs.OwnGradient):
    """One network, whose squared error is minimised."""

    name = "numpy"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        super().__init__(case, problem)
        self.X, self.y = problem.X, problem.y[:, None]
        self.parameters, self.gradient = np.empty((2, len(self.start)))
        self.W, self.b = views(self.parameters, self.shapes)
        self.d_W, self.d_b = views(self.gradient, self.shapes)
        self.H, self.d_H = ([np.empty((case.n_rows, h)) for _, h in self.shapes] for _ in range(2))

    def loss_and_gradient(self, parameters):
        """Compute both into arrays allocated beforehand."""
        W, H, d_H, last = self.W, self.H, self.d_H, len(self.W) - 1
        self.parameters[:] = parameters
        inputs = [self.X, *H[:-1]]
        for k in range(last + 1):
            np.dot(inputs[k], W[k], out=H[k])
            H[k] += self.b[k]
            if k < last:
                np.tanh(H[k], out=H[k])
        error = H[last]
        error -= self.y
        loss = np.vdot(error, error) / (2 * len(error))
        np.multiply(error, 1 / len(error), out=d_H[last])
        for k in range(last, -1, -1):
            np.dot(inputs[k].T, d_H[k], out=self.d_W[k])
            d_H[k].sum(axis=0, out=self.d_b[k])
            if k > 0:
                np.dot(d_H[k], W[k].T, out=d_H[k - 1])
                H[k - 1] *= H[k - 1]
                np.subtract(1, H[k - 1], out=H[k - 1])
                d_H[k - 1] *= H[k - 1]
        return loss, self.gradient


def views(vector, shapes):
    """Weights and biases as views of one vector."""
    W, b, start = [], [], 0
    for d, h in shapes:
        W.append(vector[start : start + d * h].reshape(d, h))
        b.append(vector[start + d * h : start + d * h + h])
        start += d * h + h
    return W, b
