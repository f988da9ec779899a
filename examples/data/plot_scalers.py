r"""
Three scalers on real features
==============================

Features come in different units: a wine has some 13 % of alcohol and 750 mg/l of proline. A
network that reads both unscaled depends on proline only. The three scalers bring features
to a common scale, each in its own way:

- :class:`~skgd.MinMaxScaler`: :math:`(x - \min) / (\max - \min)`,
- :class:`~skgd.MeanScaler`: :math:`(x - \bar x) / (\max - \min)`,
- :class:`~skgd.ZScoreScaler`: :math:`(x - \mu) / \sigma`.
"""

# %%
# Four of the thirteen features, before and after
# -----------------------------------------------
#
# Unscaled, on a logarithmic axis, the features are orders of magnitude apart. The first two
# scalers divide by the range, so that a single outlier (the triangles) compresses the other
# values. The standard deviation depends less on a single sample.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skgd import MeanScaler, MinMaxScaler, MLPClassifier, ZScoreScaler

wine = load_wine()
X, y = wine.data, wine.target
shown = {
    "alcohol": "alcohol\n(%)",
    "magnesium": "magnesium\n(mg/l)",
    "hue": "hue",
    "proline": "proline\n(mg/l)",
}
columns = [wine.feature_names.index(name) for name in shown]
scalers = {
    "Unscaled": None,
    "MinMaxScaler": MinMaxScaler(),
    "MeanScaler": MeanScaler(),
    "ZScoreScaler": ZScoreScaler(),
}
colors = dict(zip(scalers, ["#6b7280", "#2563eb", "#d97706", "#059669"], strict=True))

fig, axes = plt.subplots(1, 4, figsize=(12, 3.8), layout="constrained")
jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(X))
for ax, (name, scaler) in zip(axes, scalers.items(), strict=True):
    scaled = X if scaler is None else scaler.fit_transform(X)
    for position, column in enumerate(columns):
        values = scaled[:, column]
        largest = values.argmax()
        rest = np.arange(len(X)) != largest
        ax.plot(
            position + jitter[rest], values[rest], ".", color=colors[name], ms=4, alpha=0.5
        )
        ax.plot(position, values[largest], "^", color=colors[name], ms=7, mec="black")
    ax.set_title(name)
    ax.set_xticks(range(len(shown)), shown.values(), fontsize=8)
    ax.grid(axis="y", alpha=0.3)
axes[0].set_yscale("log")
axes[0].set_ylabel("value in its own unit, logarithmic")
axes[1].set_ylabel("share of the range")
axes[2].set_ylabel("share of the range, from the mean")
axes[3].set_ylabel("standard deviations from the mean")
fig.suptitle("178 wines, the largest value of each feature as a triangle")

# %%
# The effect on a network
# -----------------------
#
# The same network is trained on the same folds. The number of epochs is fixed, and small: a
# scaler mostly changes how fast a network learns, and less what it can learn.

warnings.filterwarnings("ignore", category=ConvergenceWarning)
folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=0)
epochs = [1, 2, 5, 10, 20, 50, 100]

fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, scaler in scalers.items():
    accuracy = []
    for max_iter in epochs:
        network = MLPClassifier(
            (32,),
            batch_size=16,
            learning_rate_init=0.002,
            max_iter=max_iter,
            random_state=0,
        )
        model = network if scaler is None else make_pipeline(scaler, network)
        accuracy.append(cross_val_score(model, X, y, cv=folds))
    mean = np.mean(accuracy, axis=1)
    spread = np.std(accuracy, axis=1)
    ax.plot(epochs, mean, "o-", color=colors[name], label=name)
    ax.fill_between(epochs, mean - spread, mean + spread, color=colors[name], alpha=0.12)
ax.set_xscale("log")
ax.set_xticks(epochs, epochs)
ax.set_ylim(0.2, 1.05)
ax.set_xlabel("epochs")
ax.set_ylabel("accuracy on held-out wines")
ax.set_title("One hidden layer of 32 units, Adam: 20 folds, mean ± standard deviation")
ax.legend(loc="lower right")
ax.grid(alpha=0.3)
plt.show()
