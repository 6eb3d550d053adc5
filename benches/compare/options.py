"""What the estimators add to scikit-learn's parameters, beside torch, on one thread.

``python -m benches.compare.options`` fits a network of 100 hidden units to the digits and to the
breast cancer data, without further options, with each of them, and with several at once.
"""

import warnings

from benches.compare import OURS
from benches.compare.alone import measured_alone
from benches.compare.report import FOOT, block, heading
from benches.compare.setting import setting
from benches.compare.timing import record

EPOCHS, BATCH, UNITS, RATE = 20, 100, 100, 3e-3
OPTIONS = {
    "no option": {},
    "layer normalisation": {"normalization": "layer"},
    "batch normalisation": {"normalization": "batch"},
    "dropout": {"dropout": 0.2},
    "cosine": {"learning_rate": "cosine"},
    "adamw": {"solver": "adamw", "weight_decay": 0.01},
    "all": {
        "normalization": "layer",
        "dropout": 0.2,
        "learning_rate": "cosine",
        "solver": "adamw",
        "weight_decay": 0.01,
    },
}
# The last losses may differ by this factor: random numbers are each library's own.
SIMILAR = 1.5


def data_sets():
    """Scaled inputs in float32, and classes."""
    from sklearn.datasets import load_breast_cancer, load_digits
    from sklearn.preprocessing import scale

    sets = {"digits": load_digits(return_X_y=True), "cancer": load_breast_cancer(return_X_y=True)}
    return {name: (scale(X).astype("f4"), y) for name, (X, y) in sets.items()}


class FastMLP:
    """The estimator; a work of `benches.compare.timing`."""

    def __init__(self, X, y, options):
        from fastmlp import MLPClassifier

        common = {"max_iter": EPOCHS, "batch_size": BATCH, "learning_rate_init": RATE, "alpha": 0}
        self.estimator = MLPClassifier(UNITS, random_state=0, **common, **options)
        self.data = X, y

    def __call__(self, n_fits):
        """Fit so many networks."""
        for _ in range(n_fits):
            self.estimator.fit(*self.data)

    def loss(self):
        """Return the loss of the last epoch."""
        return self.estimator.loss_


class Torch:
    """torch as its users write it, with a fused optimizer."""

    def __init__(self, X, y, options):
        import torch

        torch.set_num_threads(1)
        self.torch, self.options = torch, options
        self.n_classes = y.max() + 1
        self.X = torch.tensor(X)
        self.y = torch.tensor(y if self.n_classes > 2 else y[:, None].astype("f4"))

    def __call__(self, n_fits):
        """Fit so many networks."""
        for _ in range(n_fits):
            self.fit()

    def network(self):
        """Make a network with initial parameters."""
        nn = self.torch.nn
        n_outputs = int(self.n_classes) if self.n_classes > 2 else 1
        norms = {"layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
        modules = [nn.Linear(self.X.shape[1], UNITS)]
        if "normalization" in self.options:
            modules.append(norms[self.options["normalization"]](UNITS))
        modules.append(nn.ReLU())
        if "dropout" in self.options:
            modules.append(nn.Dropout(self.options["dropout"]))
        modules.append(nn.Linear(UNITS, n_outputs))
        for linear in (modules[0], modules[-1]):
            nn.init.xavier_uniform_(linear.weight)
        return nn.Sequential(*modules)

    def fit(self):
        """Fit a network."""
        torch, options = self.torch, self.options
        torch.manual_seed(0)
        network = self.network()
        parameters = network.parameters()
        if options.get("solver") == "adamw":
            decay = options["weight_decay"]
            optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=decay, fused=True)
        else:
            optimizer = torch.optim.Adam(parameters, RATE, fused=True)
        n_steps = EPOCHS * -(-len(self.X) // BATCH)
        schedule = None
        if options.get("learning_rate") == "cosine":
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
        functional = torch.nn.functional
        loss_of = functional.binary_cross_entropy_with_logits
        if self.n_classes > 2:
            loss_of = functional.cross_entropy
        for _ in range(EPOCHS):
            total = 0.0
            for rows in torch.randperm(len(self.X)).split(BATCH):
                loss = loss_of(network(self.X[rows]), self.y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if schedule:
                    schedule.step()
                total += loss.item() * len(rows)
        self.last = total / len(self.X)

    def loss(self):
        """Return the loss of the last epoch."""
        return self.last


KINDS = {OURS: FastMLP, "torch, eager": Torch}


def run(effort):
    """Measure and print every case."""
    warnings.simplefilter("ignore")  # that the epochs did not suffice
    print(heading({"setting": setting(["torch"]), "left out": {}, "threads": 1}), flush=True)
    for data, (X, y) in data_sets().items():
        for name, options in OPTIONS.items():
            works = {kind: make(X, y, options) for kind, make in KINDS.items()}
            print(block(record(data, name, "fit", works, effort)), flush=True)
            ours, theirs = (work.loss() for work in works.values())
            if not 1 / SIMILAR < (ours + 0.01) / (theirs + 0.01) < SIMILAR:
                raise RuntimeError(f"{data}, {name}: the losses are {ours:.3g} and {theirs:.3g}")
    print(FOOT)


def main():
    """Measure in a process of its own."""
    measured_alone("benches.compare.options", run)


if __name__ == "__main__":
    main()
