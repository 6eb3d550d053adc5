"""torch without autograd: gradients by hand into arrays allocated beforehand, one fused update."""

from itertools import pairwise

import torch
from torch.nn import functional

from benches.compare import peer
from benches.compare.peer_torch import make_optimizer


class Trainer(peer.Trainer):
    """One network in training."""

    name = "torch, gradients by hand"

    def __init__(self, case, problem, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.keep, self.is_tanh = 1 - case.dropout, case.activation == "tanh"
        shapes = list(pairwise(case.layer_sizes))
        size = sum(d * h + h for d, h in shapes)
        self.parameters, self.gradient = torch.empty(size), torch.zeros(size)
        self.W, self.b = views(self.parameters, shapes)
        self.d_W, self.d_b = views(self.gradient, shapes)
        starts = (*problem.weights, *problem.biases)
        for view, start in zip((*self.W, *self.b), starts, strict=True):
            view.copy_(torch.tensor(start))
        self.parameters.grad = self.gradient
        self.optimizer = make_optimizer(case, [self.parameters])

        n = case.batch_size
        self.X, self.y = torch.tensor(problem.X), torch.tensor(problem.y)
        one_hot = functional.one_hot(self.y, case.layer_sizes[-1]).float()
        self.batches = list(zip(self.X.split(n), one_hot.split(n), self.y.split(n), strict=True))
        self.H = [torch.empty(n, h) for h in case.layer_sizes[1:]]
        self.d_H = [torch.empty_like(H) for H in self.H]
        self.kept = [torch.empty_like(H) for H in self.H]

    @torch.inference_mode()
    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        for _ in range(epochs):
            for X, one_hot, y in self.batches:
                self.step(X, one_hot, y)

    def step(self, X, one_hot, y):
        """One update; returns the loss before it."""
        W, H, d_H, last = self.W, self.H, self.d_H, len(self.W) - 1
        inputs = [X, *H[:-1]]
        for k in range(last + 1):
            torch.addmm(self.b[k], inputs[k], W[k], out=H[k])
            if k < last and self.is_tanh:
                H[k].tanh_()
            elif k < last:
                H[k].relu_()
                if self.keep < 1:
                    H[k].mul_(self.kept[k].bernoulli_(self.keep)).mul_(1 / self.keep)

        log_p = H[last].log_softmax(dim=1)
        loss = functional.nll_loss(log_p, y)

        torch.exp(log_p, out=d_H[last])
        d_H[last].sub_(one_hot).mul_(1 / len(X))
        for k in range(last, -1, -1):
            if self.d_W[k].is_contiguous():
                torch.mm(inputs[k].T, d_H[k], out=self.d_W[k])
            else:
                torch.mm(d_H[k].T, inputs[k], out=self.d_W[k].T)
            torch.sum(d_H[k], dim=0, out=self.d_b[k])
            if k > 0:
                d = d_H[k - 1]
                torch.mm(d_H[k], W[k].T, out=d)
                if self.is_tanh:
                    torch.ops.aten.tanh_backward.grad_input(d, H[k - 1], grad_input=d)
                    continue
                torch.ops.aten.threshold_backward.grad_input(d, H[k - 1], 0, grad_input=d)
                if self.keep < 1:
                    d.mul_(1 / self.keep)
        self.optimizer.step()
        return loss

    @torch.inference_mode()
    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        H = self.X
        for k, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            if k:
                H = H.tanh() if self.is_tanh else H.relu()
            H = torch.addmm(b, H, W)
        return functional.cross_entropy(H, self.y).item()


def views(vector, shapes):
    """Weights (d_in, d_out) and biases as views of one vector.

    A matrix is stored with its shorter side first, transposed if necessary: if that side is thin,
    the product for its gradient takes an eighth of the time.
    """
    W, b, start = [], [], 0
    for d, h in shapes:
        numbers = vector[start : start + d * h]
        W.append(numbers.view(d, h) if d <= h else numbers.view(h, d).T)
        b.append(vector[start + d * h : start + d * h + h])
        start += d * h + h
    return W, b
