"""NumPy with every array made beforehand, and all parameters in one vector for the update."""

from itertools import pairwise

import numpy as np

NAME = "numpy"


class Trainer:
    """One network in training."""

    def __init__(self, case, problem):
        self.problem, self.learning_rate = problem, np.float32(case.learning_rate)
        self.update = {"sgd": self.sgd, "adam": self.adam}[case.optimizer]
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
            if k < last:
                np.maximum(H[k], 0, out=H[k])

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
                np.greater(H[k - 1], 0, out=self.active[k - 1])
                d_H[k - 1] *= self.active[k - 1]
        self.update()
        return loss

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

    def loss(self):
        """Cross-entropy over all rows, now."""
        H = self.problem.X
        for k, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            H = H @ W + b
            if k < len(self.W) - 1:
                H = np.maximum(H, 0)
        H = H - H.max(axis=1, keepdims=True)
        log_p = H - np.log(np.exp(H).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(len(H)), self.problem.y].mean())


def views(vector, shapes):
    """Weights and biases as views of one vector."""
    W, b, start = [], [], 0
    for d, h in shapes:
        W.append(vector[start : start + d * h].reshape(d, h))
        b.append(vector[start + d * h : start + d * h + h])
        start += d * h + h
    return W, b
