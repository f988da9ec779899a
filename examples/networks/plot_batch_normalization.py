r"""
Batch normalization on and off
==============================

With ``batch_normalization=True`` the linear output of each hidden unit is normalized over
the mini-batch, then scaled by :math:`\gamma` and shifted by :math:`\beta`, before the
activation. Deep networks then train that otherwise would not, and the learning rate matters
less.
"""

# %%
# Four hidden layers of logistic units
# ------------------------------------
#
# The slope of the logistic function is at most 1/4, so the gradient shrinks from layer to
# layer. Without normalization this network learns little; with it, it learns at a wide
# range of learning rates.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skgd import MLPClassifier, ZScoreScaler

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
scaler = ZScoreScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)


def train(batch_normalization, rate, activation="logistic"):
    """Train for 40 epochs."""
    return MLPClassifier(
        (64,) * 4,
        activation,
        solver="momentum",
        learning_rate_init=rate,
        batch_size=64,
        max_iter=40,
        tol=0,
        n_iter_no_change=40,
        batch_normalization=batch_normalization,
        random_state=0,
    ).fit(X_train, y_train)


rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
styles = {True: ("#059669", "with batch normalization"), False: ("#6b7280", "without")}
models = {on: {rate: train(on, rate) for rate in rates} for on in styles}

fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for on, (color, label) in styles.items():
    accuracy = [models[on][rate].score(X_test, y_test) for rate in rates]
    axes[1].plot(rates, accuracy, "o-", color=color, label=label)
    best = rates[int(np.argmax(accuracy))]
    curve = models[on][best].loss_curve_
    axes[0].plot(range(1, 41), curve, color=color, label=f"{label}, η = {best:g}")
axes[1].axhline(0.1, color="black", ls=":", lw=1)
axes[1].annotate("chance", (rates[0], 0.12))
axes[0].set_xlabel("epoch")
axes[0].set_ylabel("mean log loss (nats)")
axes[0].set_title("Loss curve with the best learning rate")
axes[0].legend(loc="center", bbox_to_anchor=(0.4, 0.68))
axes[1].legend(loc="center left")
axes[1].set_xscale("log")
axes[1].set_ylim(0, 1.03)
axes[1].set_xlabel("learning rate η")
axes[1].set_ylabel("accuracy on held-out digits")
axes[1].set_title("After 40 epochs")
for ax in axes:
    ax.grid(alpha=0.3)
fig.suptitle("Digits, 4 hidden layers of 64 logistic units, momentum")

# %%
# Predictions without normalization
# ---------------------------------
#
# In predictions, the running mean and variance replace those of the mini-batch. The whole
# normalization is then an affine map, which is folded into the weights: ``coefs_`` and
# ``intercepts_`` are those of a plain network, and a few lines of NumPy reproduce it.

model = models[True][0.03]
hidden = X_test
for coef, intercept in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
    hidden = 1 / (1 + np.exp(-(hidden @ coef + intercept)))
scores = hidden @ model.coefs_[-1] + model.intercepts_[-1]
same = model.classes_[scores.argmax(axis=1)] == model.predict(X_test)
print(f"{same.mean():.0%} of {len(same)} predictions are the same")

# %%
# Normalization acts on the spread of the linear outputs. The figure shows this spread for
# the fitted networks, layer by layer, on the training data.

fig, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for offset, (on, (color, label)) in zip((0.18, -0.18), styles.items(), strict=True):
    model = models[on][0.03]
    hidden, spreads = X_train, []
    for coef, intercept in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        linear = hidden @ coef + intercept
        spreads.append(linear.std(axis=0))
        hidden = 1 / (1 + np.exp(-linear))
    boxes = ax.boxplot(
        spreads,
        positions=np.arange(1, 5) + offset,
        widths=0.3,
        patch_artist=True,
        flierprops={"marker": ".", "markersize": 4},
        medianprops={"color": "black"},
    )
    for box in boxes["boxes"]:
        box.set(facecolor=color, alpha=0.6)
    ax.plot([], [], "s", color=color, alpha=0.6, label=label)
ax.set_xticks(range(1, 5), range(1, 5))
ax.set_yscale("log")
ax.set_xlabel("hidden layer")
ax.set_ylabel("standard deviation\nof a unit's linear output")
ax.set_title("What reaches the activations, η = 0.03: 64 units per layer")
ax.legend()
ax.grid(axis="y", alpha=0.3)
plt.show()
