"""A physics-informed network: a damped oscillator, fitted to its equation and to no data.

Run it with ``python examples/oscillator.py``; it takes some seconds and writes ``oscillator.png``.
The network is the solution of

    u'' + 2 damping u' + frequency² u = 0,    u(0) = 1, u'(0) = 0

as a system of first order in ``s = (u, u' / frequency)``: ``s' = A s``. It starts where the
solution starts, ``s(t) = s(0) + t N(t)``, and is trained to make the residual ``s' - A s`` small.

The loss depends on the derivative of the network with respect to its input, and fastmlp has no
gradient of such a loss with respect to the parameters. In the loss the derivative is therefore a
central difference, of which `MLP.backward` gives the exact gradient: two rows for each point of
time. In the end `MLP.input_gradients`, which is exact, tells the true residual.

I. Lagaris, A. Likas and D. Fotiadis, "Artificial neural networks for solving ordinary and partial
differential equations", 1998; M. Raissi, P. Perdikaris and G. Karniadakis, "Physics-informed neural
networks", Journal of Computational Physics 2019.
"""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import minimize

import fastmlp

DAMPING, FREQUENCY, END = 1.0, 2 * np.pi, 2.0
A = np.array([[0.0, FREQUENCY], [-FREQUENCY, -2 * DAMPING]])
START = np.array([1.0, 0.0])
STEP = 1e-4  # of the central difference, whose error falls with its square

Array = NDArray[np.float64]


def exact(t: Array) -> Array:
    """Return the solution that a textbook has, (n, 2)."""
    slow = np.sqrt(FREQUENCY**2 - DAMPING**2)
    decay, c, s = np.exp(-DAMPING * t), np.cos(slow * t), np.sin(slow * t)
    u = decay * (c + DAMPING / slow * s)
    du = -decay * s * FREQUENCY**2 / slow
    return np.hstack([u, du / FREQUENCY])


def solution(mlp: fastmlp.MLP, t: Array) -> Array:
    """Return what the network makes of times (n, 1)."""
    return START + t * mlp.forward(t)


def loss_and_grad(mlp: fastmlp.MLP, t: Array) -> tuple[float, Array]:
    """Mean square of the residual by central differences, and its exact gradient."""
    n, sides = len(t), np.vstack([t + STEP, t - STEP])
    after, before = np.split(solution(mlp, sides), 2)
    residual = (after - before) / (2 * STEP) - (after + before) / 2 @ A.T
    d_slope, d_mean = 2 * residual / n, -2 * residual / n @ A
    d_after, d_before = d_mean / 2 + d_slope / (2 * STEP), d_mean / 2 - d_slope / (2 * STEP)
    gradient, _ = mlp.backward(sides, sides * np.vstack([d_after, d_before]))
    return float((residual**2).sum() / n), gradient


def true_residual(mlp: fastmlp.MLP, t: Array) -> Array:
    """Return ``s' - A s`` with the derivative that is exact."""
    slope = mlp.forward(t) + t * mlp.input_gradients(t)[:, :, 0]
    return slope - solution(mlp, t) @ A.T


def main() -> float:
    """Train, and return the largest error of the solution."""
    mlp = fastmlp.MLP([1, 32, 32, 2], "tanh", output="identity", dtype="float64", seed=0)
    points, between = (np.linspace(0, END, n)[:, None] for n in (200, 1001))
    print("iterations        loss  largest error  largest residual")

    def report(iterations: int) -> float:
        error = np.abs(solution(mlp, between) - exact(between)).max()
        residual = np.abs(true_residual(mlp, between)).max()
        loss, _ = loss_and_grad(mlp, points)
        print(f"{iterations:10}{loss:12.2e}{error:15.2e}{residual:18.2e}")
        return float(error)

    def evaluate(parameters: Array) -> tuple[float, Array]:
        mlp.parameters[:] = parameters
        return loss_and_grad(mlp, points)

    iterations = 0
    error = report(iterations)
    for more in (100, 200, 700, 2000):
        found = minimize(
            evaluate,
            mlp.parameters.copy(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": more, "maxfun": 10 * more, "maxcor": 50, "ftol": 0, "gtol": 1e-7},
        )
        mlp.parameters[:] = found.x
        iterations += found.nit
        error = report(iterations)

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(between, exact(between)[:, 0], color="0.7", linewidth=5, label="exact")
    axes.plot(between, solution(mlp, between)[:, 0], label="network")
    axes.set(xlabel="t", ylabel="u", title="A damped oscillator, learned from its equation")
    axes.legend()
    figure.savefig("oscillator.png")
    return error


if __name__ == "__main__":
    main()
