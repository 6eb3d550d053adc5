"""What notebooks show of a network and of the record of a training."""

import html
from typing import TYPE_CHECKING

import numpy as np

from fastmlp._curve import LossCurve

if TYPE_CHECKING:
    from fastmlp._core import MLP, History


def of_history(history: "History") -> str:
    """Return the loss curve, and the last and the best epoch in words."""
    n_epochs = len(history)
    if n_epochs == 0:
        return f"<div>{html.escape(repr(history))}</div>"
    curve = LossCurve()
    for record in history.records():
        curve.add(record["epoch"], record["loss"], record.get("val_loss"))
    seconds = float(history.seconds.sum())
    texts = [f"{n_epochs:,} {'epoch' if n_epochs == 1 else 'epochs'} in {seconds:.3g} s"]
    texts.append(f"last loss {history.loss[-1]:.4g}")
    if history.accuracy is not None:
        texts.append(f"accuracy {history.accuracy[-1]:.1%}")
    if history.val_loss is not None:
        best = int(np.where(np.isnan(history.val_loss), np.inf, history.val_loss).argmin())
        texts.append(
            f"validation loss {history.val_loss[-1]:.4g}, "
            f"lowest {history.val_loss[best]:.4g} after epoch {best + 1:,}"
        )
        if history.val_accuracy is not None:
            texts.append(f"validation accuracy {history.val_accuracy[-1]:.1%}")
    return f"<div>History: {'; '.join(texts)}</div><div>{curve.svg(n_epochs)}</div>"


def of_network(network: "MLP") -> str:
    """Return a table of the layers: width, function, number of parameters."""
    stages = {"periodic features": network.periodic_inputs, "learnable scale": network.input_scale}
    before = ", ".join(name for name, is_there in stages.items() if is_there)
    rows = [("input", network.layer_sizes[0], before)]
    activation = network.activation
    n_hidden = len(network.layer_sizes) - 2
    activations = (activation,) * n_hidden if isinstance(activation, str) else activation
    normalization = "" if network.normalization is None else f"{network.normalization} norm, "
    parametric = "parametric " if network.parametric_activation else ""
    for i, (width, name) in enumerate(zip(network.layer_sizes[1:-1], activations, strict=True)):
        rows.append((f"hidden {i}", width, normalization + parametric + name))
    rows.append(("output", network.layer_sizes[-1], network.output))
    cells = "".join(
        f"<tr><th>{name}</th><td>{width:,}</td><td>{html.escape(function)}</td><td>{n:,}</td></tr>"
        for (name, width, function), n in zip(rows, _parameters(network), strict=True)
    )
    loss = html.escape(repr(network.loss_function))
    return (
        f"<div>MLP of {network.dtype}, {network.n_parameters:,} parameters, loss {loss}</div>"
        "<table><thead><tr><th>layer</th><th>width</th><th>function</th><th>parameters</th></tr>"
        f"</thead><tbody>{cells}</tbody></table>"
    )


def _parameters(network: "MLP") -> list[int]:
    """Return the number of parameters of each layer, with those of its activation; input first."""
    counts = [0]
    for block in network.parameter_blocks:
        if block.kind == "dense" and block.role == "weight":
            counts.append(0)
        counts[-1] += block.view.size
    return counts
