r"""
A race of solvers and schedules
===============================

Four solvers, each with three schedules of the learning rate, on the same network and the
same handwritten digits: the loss over epochs and over seconds.
"""

# %%
# The contestants
# ---------------
#
# Each has the best of three learning rates around the proposal of
# :func:`~skgd.model_selection.learning_rate_range`, by its training loss after 20 epochs.
# All have the same initial weights.

import warnings
from time import process_time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPClassifier
from skgd.model_selection import learning_rate_range

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X = X / 16
n_epochs = 20
solvers = ["minibatch", "momentum", "rmsprop", "adam"]
schedules = ["constant", "cosine", "one_cycle"]


def run(solver, schedule, rate):
    """Return the loss of each epoch, and the processor's seconds for an epoch."""
    model = MLPClassifier(
        (64, 64),
        solver=solver,
        learning_rate=schedule,
        learning_rate_init=rate,
        batch_size=32,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
        n_jobs=1,
        random_state=0,
    )
    start = process_time()
    model.fit(X, y)
    return np.array(model.loss_curve_), (process_time() - start) / n_epochs


results = {}
for solver in solvers:
    network = MLPClassifier((64, 64), solver=solver, batch_size=32, random_state=0)
    proposal = learning_rate_range(network, X, y).learning_rate_init
    for schedule in schedules:
        rates = proposal * np.array([1 / 3, 1, 3])
        runs = {rate: run(solver, schedule, rate) for rate in rates}
        best = min(runs, key=lambda rate, runs=runs: runs[rate][0][-1])
        # The shortest of several times: the first fit of all compiles.
        seconds = min(seconds for _, seconds in runs.values())
        results[solver, schedule] = runs[best][0], seconds, best

# %%
# Over epochs
# -----------
#
# There is a panel for each solver. At first, the schedules gain little. Their rates go to
# zero at the end; the losses become smooth and end several times lower than with the
# constant rate (about half as high with plain mini-batch gradient descent). The best
# initial rate of a schedule is often higher than the best constant rate.

colors = dict(zip(schedules, ["#6b7280", "#2563eb", "#d97706"], strict=True))
epochs = np.arange(1, n_epochs + 1)
fig, axes = plt.subplots(1, 4, figsize=(13, 4), layout="constrained", sharey=True)
for ax, solver in zip(axes, solvers, strict=True):
    for schedule in schedules:
        losses, _, rate = results[solver, schedule]
        label = f"{schedule}, {rate:.2g}"
        ax.plot(epochs, losses, color=colors[schedule], label=label)
    ax.set(title=solver, yscale="log", xlabel="epoch")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")
axes[0].set_ylabel("training loss")

# %%
# Over seconds
# ------------
#
# The cosine schedule with each solver, by the processor's time for one thread. An epoch
# takes about as long with all of them, since products of matrices take most of it: a
# solver that needs fewer epochs also needs less time.

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
colors = dict(zip(solvers, ["#6b7280", "#2563eb", "#d97706", "#059669"], strict=True))
for solver in solvers:
    losses, seconds, _ = results[solver, "cosine"]
    label = f"{solver}: {1000 * seconds:.1f} ms an epoch"
    ax.plot(1000 * seconds * epochs, losses, color=colors[solver], label=label)
ax.set(yscale="log", xlabel="milliseconds of one core", ylabel="training loss")
ax.set_title("Digits, two layers of 64 units, cosine schedule")
ax.grid(alpha=0.3)
ax.legend()
plt.show()
