"""torch as its users write it: modules, autograd, and an optimizer whose update is one kernel."""

from itertools import pairwise

import torch
from torch.nn import functional

from benches.compare import peer


def make_optimizer(case, parameters):
    """Make the case's optimizer, fused."""
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kind[case.optimizer](
        parameters, lr=case.learning_rate, weight_decay=case.weight_decay, fused=True
    )


def network(case, problem):
    """Make the network with the weights of the problem."""
    modules = []
    for k, (d, h) in enumerate(pairwise(case.layer_sizes)):
        if k > 0:
            modules.append(torch.nn.Tanh() if case.activation == "tanh" else torch.nn.ReLU())
            if getattr(case, "dropout", 0):
                modules.append(torch.nn.Dropout(case.dropout))
        linear = torch.nn.Linear(d, h)
        weight, bias = torch.tensor(problem.weights[k].T), torch.tensor(problem.biases[k])
        linear.load_state_dict({"weight": weight, "bias": bias})
        modules.append(linear)
    return torch.nn.Sequential(*modules)


class Trainer(peer.Trainer):
    """One network in training."""

    name = "torch, eager"

    def __init__(self, case, problem, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.net = network(case, problem)
        self.optimizer = make_optimizer(case, self.net.parameters())
        self.X, self.y = torch.tensor(problem.X), torch.tensor(problem.y)
        size = case.batch_size
        self.batches = list(zip(self.X.split(size), self.y.split(size), strict=True))

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        net, optimizer = self.net.train(), self.optimizer
        for _ in range(epochs):
            for X, y in self.batches:
                optimizer.zero_grad()
                functional.cross_entropy(net(X), y).backward()
                optimizer.step()

    @torch.inference_mode()
    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        return functional.cross_entropy(self.net.eval()(self.X), self.y).item()


class Predictor(peer.Predictor):
    """One network that predicts."""

    name = "torch, inference_mode"

    def __init__(self, case, problem, threads):
        torch.set_num_threads(threads)
        self.net = network(case, problem).eval()

    @torch.inference_mode()
    def predict_proba(self, X):
        """Compute the probabilities of the classes."""
        return self.net(torch.from_numpy(X)).softmax(dim=1).numpy()
