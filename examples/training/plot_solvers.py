r"""
Four solvers: loss curves
=========================

Mini-batch gradient descent, momentum, RMSProp and Adam on the same network and the same
data. :ref:`sphx_glr_auto_examples_training_plot_solver_paths.py` shows them on functions of
two variables, where one can watch them.
"""

# %%
# Loss curves on handwritten digits
# ---------------------------------
#
# Each solver has the best of several learning rates, by its mean loss over all epochs.
# Otherwise, the figure would compare learning rates rather than solvers.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPClassifier, ZScoreScaler

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
plt.show()
