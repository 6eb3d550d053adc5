"""torch as its users write it: modules, autograd, and an optimizer whose update is one kernel."""

from itertools import pairwise

import torch
from torch.nn import functional

NAME = "torch, eager"

torch.set_num_threads(1)


def make_optimizer(case, parameters):
    """Make the case's optimizer, fused."""
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[case.optimizer]
    return kind(parameters, lr=case.learning_rate, fused=True)


def batches_of(case, problem):
    """Cut the rows into the consecutive batches of an epoch."""
    X, y = torch.tensor(problem.X), torch.tensor(problem.y)
    return list(zip(X.split(case.batch_size), y.split(case.batch_size), strict=True))


class Trainer:
    """One network in training."""

    def __init__(self, case, problem):
        layers = []
        for k, (d, h) in enumerate(pairwise(case.layer_sizes)):
            linear = torch.nn.Linear(d, h)
            weight, bias = torch.tensor(problem.weights[k].T), torch.tensor(problem.biases[k])
            linear.load_state_dict({"weight": weight, "bias": bias})
            layers += [torch.nn.ReLU(), linear] if k else [linear]
        self.net = torch.nn.Sequential(*layers)
        self.optimizer = make_optimizer(case, self.net.parameters())
        self.batches = batches_of(case, problem)
        self.X, self.y = torch.tensor(problem.X), torch.tensor(problem.y)

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        net, optimizer = self.net, self.optimizer
        for _ in range(epochs):
            for X, y in self.batches:
                optimizer.zero_grad()
                functional.cross_entropy(net(X), y).backward()
                optimizer.step()

    @torch.inference_mode()
    def loss(self):
        """Cross-entropy over all rows, now."""
        return functional.cross_entropy(self.net(self.X), self.y).item()
