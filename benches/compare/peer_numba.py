"""numba: many steps in one compiled call, products by BLAS and everything else in fused loops."""

from itertools import pairwise

import numba
import numpy as np

from benches.compare import lbfgs, peer
from benches.compare.peer_numpy import views
from benches.compare.subnormals import flushed_to_zero

compiled = numba.njit(fastmath=True, error_model="numpy")


@compiled
def hash_of(number):
    """Scramble 32 bits; after C. Wellons' lowbias32, which LLVM vectorises.

    Each step is cut to 32 bits, because numba computes with 64.
    """
    number = np.uint32(number ^ (number >> np.uint32(16)))
    number = np.uint32(number * np.uint32(0x7FEB352D))
    number = np.uint32(number ^ (number >> np.uint32(15)))
    number = np.uint32(number * np.uint32(0x846CA68B))
    return np.uint32(number ^ (number >> np.uint32(16)))


@compiled
def bias_and_relu(Z, b, keep, seed):
    """Add the bias, set what is negative or drawn to 0, and scale the rest up."""
    n, h = Z.shape
    limit, scale, zero = np.uint32(keep * 0xFFFFFFFF), np.float32(1 / keep), np.float32(0)
    for i in range(n):
        z, start = Z[i], np.uint32(seed + i * h)
        if keep < 1:
            for j in range(h):
                kept = hash_of(start + np.uint32(j)) <= limit
                z[j] = scale * max(z[j] + b[j], zero) if kept else zero
        else:
            for j in range(h):
                z[j] = max(z[j] + b[j], zero)


@compiled
def bias_and_tanh(Z, b):
    """Add the bias, and apply the hyperbolic tangent."""
    for i in range(len(Z)):
        z = Z[i]
        for j in range(len(b)):
            z[j] = np.tanh(z[j] + b[j])


@compiled
def softmax_gradient(Z, b, y, d_Z):
    """Gradient of the mean cross-entropy by the logits, to which the bias is still to be added."""
    n, h = Z.shape
    share = np.float32(1 / n)
    for i in range(n):
        z, d = Z[i], d_Z[i]
        top = np.float32(-np.inf)
        for j in range(h):
            z[j] += b[j]
            top = max(top, z[j])
        total = np.float32(0)
        for j in range(h):
            d[j] = np.exp(z[j] - top)
            total += d[j]
        for j in range(h):
            d[j] *= share / total
        d[y[i]] -= share


@compiled
def sum_of_rows(d_Z, d_b):
    """Gradient of the bias."""
    d_b[:] = 0
    for i in range(len(d_Z)):
        d = d_Z[i]
        for j in range(len(d_b)):
            d_b[j] += d[j]


@compiled
def through_relu(d_H, H, keep):
    """Gradient by a hidden layer's sums; what dropout set to 0 is 0 in H."""
    scale, zero = np.float32(1 / keep), np.float32(0)
    for i in range(len(H)):
        h, d = H[i], d_H[i]
        for j in range(H.shape[1]):
            d[j] = scale * d[j] if h[j] > 0 else zero


@compiled
def through_tanh(d_H, H):
    """Gradient by a hidden layer's sums."""
    one = np.float32(1)
    for i in range(len(H)):
        h, d = H[i], d_H[i]
        for j in range(H.shape[1]):
            d[j] *= one - h[j] * h[j]


@compiled
def sgd(p, g, learning_rate):
    """Gradient descent."""
    rate = np.float32(learning_rate)
    for k in range(len(p)):
        p[k] -= rate * g[k]


@compiled
def adam(p, g, m, v, t, learning_rate, weight_decay):
    """AdamW, with both corrections of the bias folded into two scalars."""
    root = np.sqrt(1 - 0.999**t)
    rate, epsilon = np.float32(learning_rate * root / (1 - 0.9**t)), np.float32(1e-8 * root)
    decay = np.float32(1 - learning_rate * weight_decay)
    m_old, m_new = np.float32(0.9), np.float32(1 - 0.9)
    v_old, v_new = np.float32(0.999), np.float32(1 - 0.999)
    for k in range(len(p)):
        m[k] = m_old * m[k] + m_new * g[k]
        v[k] = v_old * v[k] + v_new * g[k] * g[k]
        p[k] = decay * p[k] - rate * m[k] / (np.sqrt(v[k]) + epsilon)


@compiled
def train(epochs, X, y, batch_size, net, gradient, H, d_H, vectors, t, is_adam, settings):
    """Train for some epochs; returns the number of steps since the start."""
    (W, b), (d_W, d_b), (p, g, m, v) = net, gradient, vectors
    learning_rate, weight_decay, keep, is_tanh = settings
    last = len(W) - 1
    for _ in range(epochs):
        for start in range(0, len(X), batch_size):
            t += 1
            x, labels = X[start : start + batch_size], y[start : start + batch_size]
            for k in range(last + 1):
                np.dot(H[k - 1] if k else x, W[k], H[k])
                if k < last and is_tanh:
                    bias_and_tanh(H[k], b[k])
                elif k < last:
                    bias_and_relu(H[k], b[k], keep, hash_of(np.uint32(t * last + k)))
            softmax_gradient(H[last], b[last], labels, d_H[last])
            for k in range(last, -1, -1):
                np.dot((H[k - 1] if k else x).T, d_H[k], d_W[k])
                sum_of_rows(d_H[k], d_b[k])
                if k > 0:
                    np.dot(d_H[k], W[k].T, d_H[k - 1])
                    if is_tanh:
                        through_tanh(d_H[k - 1], H[k - 1])
                    else:
                        through_relu(d_H[k - 1], H[k - 1], keep)
            if is_adam:
                adam(p, g, m, v, t, learning_rate, weight_decay)
            else:
                sgd(p, g, learning_rate)
    return t


@compiled
def loss_and_gradient(X, y, net, gradient, H, d_H):
    """Half the mean squared error of one output; its gradient by the parameters is written."""
    (W, b), (d_W, d_b) = net, gradient
    last = len(W) - 1
    for k in range(last + 1):
        np.dot(H[k - 1] if k else X, W[k], H[k])
        if k < last:
            bias_and_tanh(H[k], b[k])
    loss = 0.0
    for i in range(len(X)):
        error = H[last][i, 0] + b[last][0] - y[i]
        loss += error * error
        d_H[last][i, 0] = error / len(X)
    for k in range(last, -1, -1):
        np.dot((H[k - 1] if k else X).T, d_H[k], d_W[k])
        sum_of_rows(d_H[k], d_b[k])
        if k > 0:
            np.dot(d_H[k], W[k].T, d_H[k - 1])
            through_tanh(d_H[k - 1], H[k - 1])
    return loss / (2 * len(X))


class Trainer(peer.Trainer):
    """One network in training."""

    name = "numba"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        shapes = list(pairwise(case.layer_sizes))
        self.vectors = tuple(np.zeros((4, sum(d * h + h for d, h in shapes)), np.float32))
        self.net = self.W, self.b = tuple(map(tuple, views(self.vectors[0], shapes)))
        gradient = tuple(map(tuple, views(self.vectors[1], shapes)))
        starts = (*problem.weights, *problem.biases)
        for view, start in zip((*self.W, *self.b), starts, strict=True):
            view[...] = start
        H, d_H = (
            tuple(np.empty((case.batch_size, h), np.float32) for h in case.layer_sizes[1:])
            for _ in range(2)
        )
        self.X, self.y = problem.X.copy(), problem.y.copy()
        self.before = self.X, self.y, case.batch_size, self.net, gradient, H, d_H, self.vectors
        self.activation = case.activation
        is_tanh = case.activation == "tanh"
        settings = case.learning_rate, case.weight_decay, 1 - case.dropout, is_tanh
        self.after = case.optimizer != "sgd", settings
        self.t = 0

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        with flushed_to_zero():
            self.t = train(epochs, *self.before, self.t, *self.after)

    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        return peer.cross_entropy(self.W, self.b, self.X, self.y, self.activation)


class Minimizer(lbfgs.OwnGradient):
    """One network, whose squared error is minimised."""

    name = "numba"

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        super().__init__(case, problem)
        self.parameters, self.gradient = np.empty((2, len(self.start)))
        net, gradient = (
            tuple(map(tuple, views(vector, self.shapes)))
            for vector in (self.parameters, self.gradient)
        )
        H, d_H = (tuple(np.empty((case.n_rows, h)) for _, h in self.shapes) for _ in range(2))
        self.arguments = problem.X.copy(), problem.y.copy(), net, gradient, H, d_H

    def loss_and_gradient(self, parameters):
        """Compute both in one compiled call, into arrays allocated beforehand."""
        self.parameters[:] = parameters
        return loss_and_gradient(*self.arguments), self.gradient
