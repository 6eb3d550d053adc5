"""torch.compile of the whole step: gradients by torch.func, the update written out beside them."""

import os
import shutil
from itertools import pairwise

import torch
from torch.nn import functional

from benches.compare import lbfgs, peer


class Trainer(peer.Trainer):
    """One network in training, all parameters in one vector."""

    name = "torch, compiled step"

    @staticmethod
    def hindrance(threads):
        """torch.compile calls a C++ compiler."""
        del threads
        compilers = ("cl",) if os.name == "nt" else ("g++", "clang++")
        return "" if any(map(shutil.which, compilers)) else "no C++ compiler is found"

    def __init__(self, case, problem, threads):
        forget_other_cases()
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.shapes, self.is_tanh = list(pairwise(case.layer_sizes)), case.activation == "tanh"
        self.parameters = torch.cat(
            [
                torch.tensor(array).flatten()
                for layer in zip(problem.weights, problem.biases, strict=True)
                for array in layer
            ]
        )
        moments = [] if case.optimizer == "sgd" else [torch.zeros_like(self.parameters)] * 2
        self.state = [moment.clone() for moment in moments] + [torch.zeros(())]
        self.X, self.y = torch.tensor(problem.X), torch.tensor(problem.y)
        size = case.batch_size
        self.batches = list(zip(self.X.split(size), self.y.split(size), strict=True))
        self.step = torch.compile(self.step_of(case), fullgraph=True, dynamic=False)

    def step_of(self, case):
        """Make the function that takes a batch and changes parameters and state."""
        update = sgd if case.optimizer == "sgd" else adam
        decay = 1 - case.learning_rate * case.weight_decay

        def loss(parameters, X, y):
            return functional.cross_entropy(self.logits(parameters, X, case.dropout), y)

        def step(parameters, state, X, y):
            gradient = torch.func.grad(loss)(parameters, X, y)
            parameters.mul_(decay).sub_(update(gradient, state, case.learning_rate))

        return step

    def logits(self, parameters, X, dropout):
        """Logits of rows."""

        def function(Z):
            return functional.dropout(Z.tanh() if self.is_tanh else Z.relu(), dropout)

        return logits(parameters, self.shapes, X, function)

    @torch.no_grad()
    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        for _ in range(epochs):
            for X, y in self.batches:
                self.step(self.parameters, self.state, X, y)

    @torch.inference_mode()
    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        return functional.cross_entropy(self.logits(self.parameters, self.X, 0.0), self.y).item()


class Minimizer(lbfgs.OwnGradient):
    """One network, whose squared error is minimised."""

    name = "torch, compiled"
    hindrance = staticmethod(Trainer.hindrance)

    def __init__(self, case, problem, threads):
        super().__init__(case, problem)
        forget_other_cases()
        torch.set_num_threads(threads)
        X, y = torch.tensor(problem.X), torch.tensor(problem.y)

        def loss(parameters):
            outputs = logits(parameters, self.shapes, X, torch.tanh)
            return functional.mse_loss(outputs[:, 0], y) / 2

        both = torch.func.grad_and_value(loss)
        self.compiled = torch.compile(both, fullgraph=True, dynamic=False)

    @torch.no_grad()
    def loss_and_gradient(self, parameters):
        """Compute both in one compiled call."""
        gradient, loss = self.compiled(torch.from_numpy(parameters))
        return loss.item(), gradient.numpy()


def forget_other_cases():
    """Drop what is compiled: torch compiles a function for eight shapes, fewer than the cases."""
    torch.compiler.reset()


def logits(parameters, shapes, X, function):
    """Logits of rows."""
    start = 0
    for k, (d, h) in enumerate(shapes):
        W, b = parameters[start : start + d * h].view(d, h), start + d * h
        X = torch.addmm(parameters[b : b + h], function(X) if k else X, W)
        start = b + h
    return X


def sgd(gradient, state, learning_rate):
    """Gradient descent: what to subtract."""
    del state
    return learning_rate * gradient


def adam(gradient, state, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Adam: what to subtract."""
    m, v, t = state
    t.add_(1)
    m.mul_(beta_1).add_(gradient, alpha=1 - beta_1)
    v.mul_(beta_2).addcmul_(gradient, gradient, value=1 - beta_2)
    root = torch.sqrt(1 - beta_2**t)
    return learning_rate * root / (1 - beta_1**t) * m / (v.sqrt() + epsilon * root)
