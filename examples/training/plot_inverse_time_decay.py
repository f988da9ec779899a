r"""
Inverse time decay against a constant rate
==========================================

A learning rate that is good at the start is too large at the end: the noise of the
mini-batches keeps the steps jumping around the minimum. Inverse time decay,

.. math:: \eta = \frac{\eta_0}{1 + k \lfloor t / T \rfloor}

with ``decay_rate`` :math:`k` and ``decay_steps`` :math:`T`, starts large and ends small.
:math:`t` counts updates, not epochs.
"""

# %%
# The schedules themselves
# ------------------------
#
# ``InverseTime`` is what ``learning_rate="inverse_time"`` stands for. It returns factors of
# the initial rate for many updates at once: ``Progress`` tells it which ones. With
# ``staircase=False`` the rate falls with every update, else once every ``decay_steps``.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.engine.plugins import Progress
from skgd.schedules import SCHEDULES, InverseTime

warnings.filterwarnings("ignore", category=ConvergenceWarning)

updates = np.arange(1000)
progress = Progress(updates, None, np.zeros_like(updates), np.zeros_like(updates))
fig, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for decay_rate, color in zip(
    (0.25, 0.5, 2.0), ["#93c5fd", "#2563eb", "#1e3a8a"], strict=True
):
    for staircase in (True, False):
        rates = 0.1 * InverseTime(decay_rate, 200, staircase)(progress)
        label = f"decay_rate={decay_rate:g}" if staircase else None
        ax.plot(updates, rates, color=color, ls="-" if staircase else ":", label=label)
ax.axhline(0.1, color="#6b7280", label="constant")
ax.plot([], [], ":", color="black", label="staircase=False")
ax.set_ylim(0, 0.135)
ax.set_xlabel("update t")
ax.set_ylabel("learning rate η")
ax.set_title("learning_rate_init=0.1, decay_steps=200")
ax.legend(ncols=2, loc="upper center")
ax.grid(alpha=0.3)

# %%
# All schedules
# -------------
#
# Schedules over the whole training know its number of updates, here 1000. With
# ``warmup_steps``, the rate of any schedule first rises from 0. ``invscaling`` counts
# samples, here ten per update in epochs of 20 updates. ``adaptive`` is constant until
# training stops improving.

epochs = updates // 20
progress = Progress(updates, 1000, epochs, 200 * epochs)
drawn = {
    "constant": [{}, {"warmup_steps": 200}],
    "inverse_time": [{"decay_steps": 100}, {"staircase": False, "decay_steps": 100}],
    "invscaling": [{}, {"power_t": 0.2}],
    "step": [{"step_size": 200, "gamma": 0.5}, {"step_size": 100, "gamma": 0.5}],
    "exponential": [{"gamma": 0.997}, {"gamma": 0.99}],
    "polynomial": [{}, {"power": 3.0}],
    "cosine": [{"warmup_steps": 100}, {"n_cycles": 3, "growth": 2.0}],
    "one_cycle": [{}, {"pct_start": 0.1}],
    "coslog": [{}, {"n_cycles": 2}],
    "flat_cos": [{}, {"warmup_steps": 100}],
}
fig, axes = plt.subplots(2, 5, figsize=(13, 5), layout="constrained", sharey=True)
for ax, (name, choices) in zip(axes.flat, drawn.items(), strict=True):
    for options, style in zip(choices, ["-", ":"], strict=True):
        schedule = SCHEDULES[name](**options)
        label = ", ".join(f"{key}={value}" for key, value in options.items())
        ax.plot(
            updates, schedule(progress), style, color="#2563eb", label=label or "default"
        )
    ax.set_title(name)
    ax.set_ylim(-0.05, 1.5)
    ax.legend(loc="upper center", fontsize=7)
    ax.grid(alpha=0.3)
fig.supxlabel("update t")
fig.supylabel("factor of the learning rate")

# %%
# What they do to training
# ------------------------
#
# Mini-batch gradient descent with small mini-batches, whose noise is large. The constant
# rates are the first value of the decaying rate, and a tenth of it. Each has five seeds;
# thin lines are single runs, thick ones their mean.

schedules = {
    "constant, η = 0.2": ({"learning_rate_init": 0.2}, "#6b7280"),
    "constant, η = 0.02": ({"learning_rate_init": 0.02}, "#d97706"),
    "inverse_time, η₀ = 0.2": (
        {
            "learning_rate_init": 0.2,
            "learning_rate": "inverse_time",
            "decay_rate": 0.5,
            "decay_steps": 200,
        },
        "#2563eb",
    ),
}
problems = {
    "Diabetes progression: squared error": (MLPRegressor, load_diabetes),
    "Breast cancer: log loss": (MLPClassifier, load_breast_cancer),
}
n_epochs = 60
fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for ax, (title, (estimator, load)) in zip(axes, problems.items(), strict=True):
    X, y = load(return_X_y=True)
    X = ZScoreScaler().fit_transform(X)
    if estimator is MLPRegressor:
        y = ZScoreScaler().fit_transform(y.reshape(-1, 1)).ravel()
    for label, (parameters, color) in schedules.items():
        curves = []
        for seed in range(5):
            model = estimator(
                hidden_layer_sizes=(16,),
                solver="minibatch",
                batch_size=8,
                alpha=0,
                max_iter=n_epochs,
                tol=0,
                n_iter_no_change=n_epochs,
                random_state=seed,
                **parameters,
            )
            curves.append(model.fit(X, y).loss_curve_)
            ax.plot(range(1, n_epochs + 1), curves[-1], color=color, lw=0.6, alpha=0.4)
        ax.plot(
            range(1, n_epochs + 1), np.mean(curves, axis=0), color=color, lw=2, label=label
        )
    ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.set_ylabel("mean training loss")
    ax.set_title(title)
    ax.legend()
    ax.grid(alpha=0.3, which="both")
fig.suptitle("Mini-batch gradient descent, 16 hidden units, mini-batches of 8 rows")

# %%
# On the left, the decaying rate reaches a lower loss than both constant ones: the large one
# is noisy, and the small one is slow. On the right, it does not. A network can separate
# these two classes. The log loss then falls as long as the weights grow, and a small rate
# only slows that down. Only held-out data show which rate is better: search over
# ``learning_rate`` and ``decay_rate`` instead of comparing training curves.

plt.show()
