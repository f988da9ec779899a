r"""
Four solvers: loss curves, and paths over a surface
===================================================

Mini-batch gradient descent, momentum, RMSProp and Adam on the same network and the same
data, and then the very same compiled update rules on a surface of two parameters, where
one can watch them.
"""

# %%
# Loss curves on handwritten digits
# ---------------------------------
#
# Each solver gets the best of several learning rates, by its mean loss over all epochs.
# Without that choice the comparison would be one of learning rates.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPClassifier, ZScoreScaler
from skgd.solvers import SOLVERS

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X = ZScoreScaler().fit_transform(X)
solvers = ["minibatch", "momentum", "rmsprop", "adam"]
colors = dict(zip(solvers, ["#6b7280", "#2563eb", "#d97706", "#059669"], strict=True))
rates = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3]


def train(solver, rate):
    """Return the loss curve of 30 epochs."""
    model = MLPClassifier(
        (64,),
        solver=solver,
        learning_rate_init=rate,
        batch_size=64,
        max_iter=30,
        tol=0,
        n_iter_no_change=30,
        random_state=0,
    )
    return model.fit(X, y).loss_curve_


fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for solver in solvers:
    curves = {rate: train(solver, rate) for rate in rates}
    best = min(rates, key=lambda rate, curves=curves: np.mean(curves[rate]))
    axes[0].plot(
        range(1, 31), curves[best], color=colors[solver], label=f"{solver}, η = {best:g}"
    )
    axes[1].plot(
        rates,
        [np.mean(curves[rate]) for rate in rates],
        "o-",
        color=colors[solver],
        label=solver,
    )
axes[0].set_yscale("log")
axes[0].set_xlabel("epoch")
axes[0].set_ylabel("objective: log loss and penalty (nats)")
axes[0].set_title("Loss curve with the best learning rate")
axes[1].set_xscale("log")
axes[1].set_yscale("log")
axes[1].set_xlabel("learning rate η")
axes[1].set_ylabel("objective, mean over 30 epochs (nats)")
axes[1].set_title("How much the learning rate matters")
for ax in axes:
    ax.legend()
    ax.grid(alpha=0.3)
fig.suptitle("Digits, 64 hidden units, mini-batches of 64 rows")

# %%
# Paths over a surface
# --------------------
#
# A narrow curved valley, :math:`f(a, b) = (1 - a)^2 / 2 + 2 (b - a^2)^2`, with its minimum
# at (1, 1). ``SOLVERS[name].update`` is the function that the training loop compiles: from
# a parameter, its gradient and what is kept for it, it makes the new ones. Here it gets two
# parameters and the exact gradient.


def surface(a, b):
    """Compute the height."""
    return 0.5 * (1 - a) ** 2 + 2 * (b - a**2) ** 2


def slope(a, b):
    """Compute the gradient."""
    return np.array([a - 1 - 8 * a * (b - a**2), 4 * (b - a**2)])


def path(name, rate, n_updates=200):
    """Follow a solver from the start."""
    solver = SOLVERS[name]()
    theta = [-1.4, 0.2]
    states = [(0.0,) * solver.n_slots] * 2
    visited = [tuple(theta)]
    for t in range(n_updates):
        coefficients = solver.coefficients(rate, t)
        gradient = slope(*theta)
        for i in range(2):
            theta[i], states[i] = solver.update(
                theta[i], gradient[i], states[i], coefficients
            )
        visited.append(tuple(theta))
    return np.array(visited)


chosen = {"minibatch": 0.05, "momentum": 0.01, "rmsprop": 0.03, "adam": 0.1}
paths = {name: path(name, rate) for name, rate in chosen.items()}

fig, axes = plt.subplots(
    1, 2, figsize=(11, 4.6), layout="constrained", width_ratios=[1.45, 1]
)
a, b = np.meshgrid(np.linspace(-1.8, 1.9, 300), np.linspace(-0.7, 2.4, 300))
levels = np.geomspace(0.01, 40, 14)
height = surface(a, b)
axes[0].contourf(a, b, height, levels, cmap="Greys", norm="log", alpha=0.25, extend="min")
axes[0].contour(a, b, height, levels, colors="#9ca3af", linewidths=0.6)
for name, points in paths.items():
    label = f"{name}, η = {chosen[name]:g}"
    axes[0].plot(*points.T, ".-", color=colors[name], ms=4, lw=1.2, label=label)
    axes[1].plot(surface(*points.T), color=colors[name], label=label)
axes[0].plot(*paths["adam"][0], "o", color="black", ms=7)
axes[0].annotate("start", paths["adam"][0], (-1.66, -0.02))
axes[0].plot(1, 1, "*", color="black", ms=13)
axes[0].annotate("minimum", (1, 1), (1.1, 0.82))
axes[0].set(xlim=(-1.8, 1.9), ylim=(-0.7, 2.4))
axes[0].set_xlabel("parameter a")
axes[0].set_ylabel("parameter b")
axes[0].set_title("200 updates, a dot each")
axes[0].legend(loc="upper center")
axes[1].set_yscale("log")
axes[1].set_xlabel("update")
axes[1].set_ylabel("height above the minimum")
axes[1].set_title("Height along the path")
axes[1].grid(alpha=0.3)
plt.show()
