"""The multilayer perceptron in plain NumPy: the truth the compiled network is tested against.

Every formula is written once, the short way, in float64. Notation: X (n, d_in) holds one example
per row, y (n,) its class; layer k computes ``H[k+1] = f(H[k] @ W[k] + b[k])`` with H[0] = X, and
the last layer has no activation: its values are the logits. ``d_A`` is the derivative of the loss
by A and has A's shape.
"""

import math
from itertools import pairwise

import numpy as np

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017).
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934, 1.6732632423543772848


def sigmoid(z):
    """The logistic function, without an exponential that overflows."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def softplus(z):
    """``log(1 + exp(z))``, likewise."""
    return np.logaddexp(0.0, z)


# The standard normal distribution: its distribution function and its density.
cdf = np.vectorize(lambda z: 0.5 * math.erfc(-z / math.sqrt(2.0)), otypes=[float])


def density(z):
    """The density of the standard normal distribution."""
    return np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)


def gated(z, share):
    """A fraction of z, 0 where z is minus infinity and the fraction is 0."""
    return np.where(share == 0.0, 0.0, z) * share


# Each activation beside its derivative, both written in z.
ACTIVATIONS = {
    "identity": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
        lambda z: np.where(z > 0, 1.0, LEAKY_SLOPE),
    ),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0))),
    ),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0.0))),
        lambda z: SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0.0))),
    ),
    "gelu": (lambda z: gated(z, cdf(z)), lambda z: cdf(z) + z * density(z)),
    "silu": (
        lambda z: gated(z, sigmoid(z)),
        lambda z: sigmoid(z) * (1.0 + z * sigmoid(-z)),
    ),
    "mish": (
        lambda z: gated(z, np.tanh(softplus(z))),
        lambda z: np.tanh(softplus(z)) + z * sigmoid(z) * (1.0 - np.tanh(softplus(z)) ** 2),
    ),
    "softplus": (softplus, sigmoid),
}


# Each output beside its loss of a row, both as functions of the sums Z; targets Y have their shape.
# The derivative of each loss is p - y.
OUTPUTS = {
    "sigmoid": (
        lambda Z: 0.5 * (1.0 + np.tanh(0.5 * Z)),
        lambda Z, Y: (np.logaddexp(0.0, Z) - Y * Z).sum(axis=1),
    ),
    "identity": (lambda Z: Z, lambda Z, Y: 0.5 * ((Z - Y) ** 2).sum(axis=1)),
    "exp": (
        np.exp,
        lambda Z, Y: (Y * (np.log(np.where(Y > 0, Y, 1.0)) - Z) - Y + np.exp(Z)).sum(axis=1),
    ),
}


# Each loss of sums z and targets y that stand apart, beside its derivative by z; an output's loss,
# entry by entry. Those of yes and no are for sigmoids, the deviances for p = exp(z).
def sigmoid(z):
    """Logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def binary_cross_entropy(z, y, label_smoothing=0.0):
    """Targets are drawn towards a half."""
    y = y * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return np.logaddexp(0.0, z) - y * z, sigmoid(z) - y


def binary_focal(z, y, gamma=2.0):
    """Both losses of a target, each by its share."""

    def of_yes(z):
        p, q, log_p = sigmoid(z), sigmoid(-z), -np.logaddexp(0.0, -z)
        return -(q**gamma) * log_p, q**gamma * (gamma * p * log_p - q)

    (yes, d_yes), (no, d_no) = of_yes(z), of_yes(-z)
    return y * yes + (1.0 - y) * no, y * d_yes - (1.0 - y) * d_no


def huber(z, y, delta=1.0):
    """A square near 0, a line beyond delta."""
    e = np.abs(z - y)
    return np.where(e <= delta, 0.5 * e**2, delta * (e - 0.5 * delta)), np.clip(
        z - y, -delta, delta
    )


def quantile(z, y, levels=(0.5,)):
    """One level per column."""
    q, e = np.asarray(levels), z - y
    return np.maximum((1.0 - q) * e, -q * e), np.where(e > 0, 1.0 - q, np.where(e < 0, -q, 0.0))


def tweedie(z, y, power=1.5):
    """Half the unit deviance."""
    a, b = 1.0 - power, 2.0 - power
    if a * b == 0.0:
        return (poisson if a == 0.0 else gamma)(z, y)
    of_y = np.maximum(y, 0.0) ** b / (a * b) if b > 0 else y**b / (a * b)
    return of_y - y * np.exp(a * z) / a + np.exp(b * z) / b, np.exp(b * z) - y * np.exp(a * z)


def poisson(z, y):
    """Half the unit deviance."""
    return y * (np.log(np.where(y > 0, y, 1.0)) - z) - y + np.exp(z), np.exp(z) - y


def gamma(z, y):
    """Half the unit deviance."""
    return z - np.log(y) + y * np.exp(-z) - 1.0, 1.0 - y * np.exp(-z)


VALUE_LOSSES = {
    ("sigmoid", "cross_entropy"): binary_cross_entropy,
    ("sigmoid", "focal"): binary_focal,
    ("identity", "squared_error"): lambda z, y: (0.5 * (z - y) ** 2, z - y),
    ("identity", "absolute_error"): lambda z, y: (np.abs(z - y), np.sign(z - y)),
    ("identity", "huber"): huber,
    ("identity", "quantile"): quantile,
    ("exp", "squared_error"): lambda z, y: (
        0.5 * (np.exp(z) - y) ** 2,
        (np.exp(z) - y) * np.exp(z),
    ),
    ("exp", "poisson"): poisson,
    ("exp", "gamma"): gamma,
    ("exp", "tweedie"): tweedie,
}


def smoothed_cross_entropy(logits, y, label_smoothing=0.0, class_weight=None):
    """Loss and derivative of each row, with the weights of classes: as torch has it."""
    n_classes = logits.shape[1]
    weight = np.ones(n_classes) if class_weight is None else np.asarray(class_weight)
    target = np.tile(label_smoothing / n_classes * weight, (len(y), 1))
    target[np.arange(len(y)), y] += (1.0 - label_smoothing) * weight[y]
    log_p = log_softmax(logits)
    d_logits = np.exp(log_p) * target.sum(axis=1, keepdims=True) - target
    return -(target * log_p).sum(axis=1), d_logits


def focal(logits, y, gamma=2.0, class_weight=None):
    """Loss and derivative of each row, with the weight of its class."""
    rows = np.arange(len(y))
    weight = np.ones(len(y)) if class_weight is None else np.asarray(class_weight)[y]
    log_p, onehot = log_softmax(logits), np.eye(logits.shape[1])[y]
    p, log_q = np.exp(log_p), log_p[rows, y]
    q = np.exp(log_q)
    wrong = np.where(onehot > 0, 0.0, p).sum(axis=1)
    slope = wrong**gamma - gamma * wrong ** (gamma - 1.0) * q * log_q
    d_logits = (weight * slope)[:, None] * (p - onehot)
    return -weight * wrong**gamma * log_q, d_logits


CLASS_LOSSES = {"cross_entropy": smoothed_cross_entropy, "focal": focal}


def weighted_loss(loss, Z, y, sample_weight, class_weight=None, **numbers):
    """Mean of the losses of rows, over the sum of their weights, and its derivative by the sums.

    `loss` is one of the functions above.
    """
    total = row_weights(y, sample_weight, class_weight).sum()
    if loss in CLASS_LOSSES.values():
        losses, d_Z = loss(Z, y, class_weight=class_weight, **numbers)
    else:
        losses, d_Z = loss(Z, y, **numbers)
        losses = losses.sum(axis=1)
    share = sample_weight / total
    return share @ losses, share[:, None] * d_Z


def log_softmax(logits):
    """Logarithm of each row's class probabilities; the shift keeps exp from overflowing."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(logits):
    """Class probabilities of each row."""
    return np.exp(log_softmax(logits))


def row_weights(y, sample_weight=None, class_weight=None):
    """Weight of each example: its own times its class's."""
    weight = np.ones(len(y))
    if sample_weight is not None:
        weight = weight * sample_weight
    if class_weight is not None:
        weight = weight * np.asarray(class_weight, dtype=np.float64)[y]
    return weight


def cross_entropy(logits, y, weight):
    """Weighted mean of -log p(y), ``sum(w * l) / sum(w)``, and its derivative by the logits."""
    rows = np.arange(len(y))
    log_p = log_softmax(logits)
    loss = -(weight * log_p[rows, y]).sum() / weight.sum()
    d_logits = np.exp(log_p)
    d_logits[rows, y] -= 1.0
    d_logits *= (weight / weight.sum())[:, None]
    return loss, d_logits


def loss_by_output(output, sums, targets, weight):
    """Weighted mean of the losses of rows, and its derivative by the sums."""
    predict, loss = OUTPUTS[output]
    share = weight / weight.sum()
    return share @ loss(sums, targets), share[:, None] * (predict(sums) - targets)


class MLP:
    """Layers of weights (d_in, d_out) and biases (d_out,), one activation per hidden layer."""

    def __init__(self, weights, biases, activation="relu"):
        self.weights = [np.array(w, dtype=np.float64) for w in weights]
        self.biases = [np.array(b, dtype=np.float64) for b in biases]
        n_hidden = len(self.weights) - 1
        names = [activation] * n_hidden if isinstance(activation, str) else activation
        self.activations = [ACTIVATIONS[name] for name in names]

    @classmethod
    def random(cls, layer_sizes, activation="relu", scale=0.01, seed=0):
        """Weights drawn from ``scale * normal``, biases of zero."""
        rng = np.random.default_rng(seed)
        shapes = list(pairwise(layer_sizes))
        weights = [scale * rng.standard_normal(shape) for shape in shapes]
        return cls(weights, [np.zeros(d_out) for _, d_out in shapes], activation)

    @property
    def parameters(self):
        """Every array in the order the updates take them: W[0], b[0], W[1], b[1], ..."""
        return [p for layer in zip(self.weights, self.biases, strict=True) for p in layer]

    def forward(self, X):
        """Input and output of every layer: X, the hidden values, the logits."""
        H = [np.asarray(X, dtype=np.float64)]
        for k, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            Z = H[-1] @ W + b
            H.append(self.activations[k][0](Z) if k < len(self.activations) else Z)
        return H

    def backward(self, H, d_logits):
        """Gradients of all parameters, in their order, and of the input: the chain rule."""
        gradients, d_Z = [], d_logits
        for k in reversed(range(len(self.weights))):
            d_W, d_b = H[k].T @ d_Z, d_Z.sum(axis=0)
            gradients = [d_W, d_b, *gradients]
            d_H = d_Z @ self.weights[k].T
            if k > 0:
                Z = H[k - 1] @ self.weights[k - 1] + self.biases[k - 1]
                d_Z = d_H * self.activations[k - 1][1](Z)
        return gradients, d_H

    def loss_and_gradients(self, X, y, sample_weight=None, class_weight=None):
        """Cross-entropy of the network's predictions and its gradients."""
        H = self.forward(X)
        loss, d_logits = cross_entropy(H[-1], y, row_weights(y, sample_weight, class_weight))
        return loss, self.backward(H, d_logits)[0]

    def step(self, X, y, optimizer, sample_weight=None, class_weight=None):
        """One update on this batch; returns the loss before it."""
        loss, gradients = self.loss_and_gradients(X, y, sample_weight, class_weight)
        optimizer.update(self.parameters, gradients)
        return loss


class SGD:
    """Gradient descent; ``v = momentum * v + g``, and Nesterov's lookahead as torch writes it."""

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False):
        self.learning_rate, self.momentum, self.nesterov = learning_rate, momentum, nesterov
        self.velocities = None

    def update(self, parameters, gradients):
        """Move every parameter, in place, against its gradient."""
        if self.velocities is None:
            self.velocities = [np.zeros_like(p) for p in parameters]
        for p, g, v in zip(parameters, gradients, self.velocities, strict=True):
            v[...] = self.momentum * v + g
            p -= self.learning_rate * (g + self.momentum * v if self.nesterov else v)


class Adam:
    """Adam (Kingma & Ba, 2015): epsilon is added after the correction of the bias, as in torch."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate, self.epsilon = learning_rate, epsilon
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.t, self.moments = 0, None

    def update(self, parameters, gradients):
        """Move every parameter, in place, by its mean gradient over its root mean square."""
        if self.moments is None:
            self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        self.t += 1
        for p, g, (m, v) in zip(parameters, gradients, self.moments, strict=True):
            m[...] = self.beta_1 * m + (1 - self.beta_1) * g
            v[...] = self.beta_2 * v + (1 - self.beta_2) * g**2
            m_hat, v_hat = m / (1 - self.beta_1**self.t), v / (1 - self.beta_2**self.t)
            p -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class AdamW(Adam):
    """Decoupled weight decay (Loshchilov & Hutter, 2019), of all parameters, as torch has it."""

    def __init__(self, *args, weight_decay=0.01, **settings):
        super().__init__(*args, **settings)
        self.weight_decay = weight_decay

    def update(self, parameters, gradients):
        """Shrink every parameter, in place, then move it as Adam does."""
        for p in parameters:
            p *= 1 - self.learning_rate * self.weight_decay
        super().update(parameters, gradients)
