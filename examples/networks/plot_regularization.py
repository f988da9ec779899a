r"""
Dropout and weight decay against overfitting
============================================

A network with 11,000 weights soon memorizes 300 patients. Dropout and decoupled weight
decay prevent that. The data are scikit-learn's diabetes table: the progression of the
disease within a year, from ten measurements.
"""

# %%
# Loss curves
# -----------
#
# Without regularization, the training loss keeps falling. The validation loss is lowest
# after a few epochs, and then rises. With dropout or decay, it stays near its lowest value.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skgd import MLPRegressor, ZScoreScaler

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, train_size=300, random_state=0)
scaler = ZScoreScaler().fit(X_train)
X_train, X_val = scaler.transform(X_train), scaler.transform(X_val)
mean, deviation = y_train.mean(), y_train.std()
y_train, y_val = (y_train - mean) / deviation, (y_val - mean) / deviation
n_epochs = 100


def train(dropout, weight_decay, seed=0):
    """Return the network after all epochs, with its curves."""
    model = MLPRegressor(
        hidden_layer_sizes=(100, 100),
        batch_size=50,
        alpha=0,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
        dropout=dropout,
        weight_decay=weight_decay,
        random_state=seed,
    )
    return model.fit(X_train, y_train, X_val=X_val, y_val=y_val)


settings = {
    "neither": (0, 0, "#6b7280"),
    "dropout 0.5": ([0, 0.5, 0.5], 0, "#2563eb"),
    "weight decay 10": (0, 10, "#d97706"),
    "both": ([0, 0.5, 0.5], 10, "#059669"),
}
epochs = np.arange(1, n_epochs + 1)
fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharex=True)
for name, (dropout, decay, color) in settings.items():
    model = train(dropout, decay)
    axes[0].plot(epochs, model.loss_curve_, color=color, label=name)
    axes[1].plot(epochs, model.validation_loss_curve_, color=color, label=name)
axes[0].set(title="Training loss", yscale="log", xlabel="epoch", ylabel="squared error / 2")
axes[1].set(title="Validation loss", xlabel="epoch", ylim=(0.2, 0.7))
for ax in axes:
    ax.grid(alpha=0.3)
    ax.legend()

# %%
# How much regularization
# -----------------------
#
# The validation loss after all epochs, as the mean of two seeds. It is lowest if about half
# of the units are dropped, or with a decay of 10. With a decay of 100, the network hardly
# does better than the mean of the targets, the dotted line.

seeds = range(2)
strengths = {
    "dropout of hidden units": [0, 0.2, 0.4, 0.6, 0.8],
    "weight decay": [0, 1, 3, 10, 30, 100],
}
fig, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
for ax, (name, values), color in zip(
    axes, strengths.items(), ("#2563eb", "#d97706"), strict=True
):
    losses = [
        np.mean(
            [
                train(
                    [0, value, value] if "dropout" in name else 0,
                    0 if "dropout" in name else value,
                    seed,
                ).validation_loss_curve_[-1]
                for seed in seeds
            ]
        )
        for value in values
    ]
    ax.plot(range(len(values)), losses, "o-", color=color)
    ax.axhline((y_val**2).mean() / 2, color="0.5", linestyle=":")
    ax.set_xticks(range(len(values)), map(str, values))
    ax.set_xlabel(name)
    ax.grid(alpha=0.3)
axes[0].set_ylabel(f"validation loss after {n_epochs} epochs")
plt.show()
