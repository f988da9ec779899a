r"""
Raw tables: embeddings, intervals, calibration, importance
===========================================================

:class:`~skgd.TabularMLPRegressor` and :class:`~skgd.TabularMLPClassifier` take tables with
categories and missing values. Four views of what they learn.
"""

# %%
# What an embedding changes
# -------------------------
#
# A network that reads plain numbers learns smooth functions of them first. With the
# piecewise-linear embedding, each unit of the first layer is a piecewise-linear function of
# the column, with a bend at each of its quantiles. Steps are then as easy as lines.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.inspection import PartialDependenceDisplay, permutation_importance

from skgd import TabularMLPClassifier, TabularMLPRegressor
from skgd.losses import Quantile

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 10, 3000))
truth = np.floor(x) % 3 + np.where(x > 6.5, np.sin(6 * x), 0)
y = truth + 0.3 * rng.standard_normal(x.size)

figure, axis = plt.subplots(figsize=(8, 4))
axis.plot(x, y, ".", color="lightgray", markersize=2)
for embedding in (None, "piecewise_linear"):
    model = TabularMLPRegressor(
        numeric_embedding=embedding, n_members=2, max_iter=20, random_state=0
    ).fit(x[:, np.newaxis], y)
    error = np.mean((model.predict(x[:, np.newaxis]) - truth) ** 2)
    axis.plot(x, model.predict(x[:, np.newaxis]), label=f"{embedding}, error {error:.3f}")
axis.set(xlabel="feature", ylabel="prediction", title="numeric_embedding")
axis.legend()
plt.show()

# %%
# Intervals of quantiles
# ----------------------
#
# With ``loss=Quantile([...])`` one network predicts several quantiles, which never cross.
# 80 % of new rows should lie between the first and the last of these quantiles.


def draw(n):
    """Draw rows whose noise depends on both columns."""
    frame = pd.DataFrame(
        {"x": rng.uniform(-3, 3, n), "kind": rng.choice(["calm", "wild"], n)}
    )
    noise = np.where(frame["kind"] == "wild", 0.2 + 0.4 * np.abs(frame["x"]), 0.1)
    return frame, np.sin(2 * frame["x"]) + noise * rng.standard_normal(n)


X_train, y_train = draw(4000)
X_test, y_test = draw(2000)
model = TabularMLPRegressor(
    loss=Quantile([0.1, 0.5, 0.9]), n_members=2, max_iter=20, random_state=0
).fit(X_train, y_train)
low, median, high = model.predict(X_test).T
print(f"between the quantiles: {np.mean((low <= y_test) & (y_test <= high)):.1%}")

figure, axes = plt.subplots(ncols=2, sharey=True, figsize=(8, 4))
for axis, kind in zip(axes, ["calm", "wild"], strict=True):
    rows = (X_test["kind"] == kind).to_numpy()
    order = np.flatnonzero(rows)[np.argsort(X_test["x"][rows])]
    axis.plot(X_test["x"].iloc[order], y_test.iloc[order], ".", color="gray", markersize=2)
    axis.fill_between(X_test["x"].iloc[order], low[order], high[order], alpha=0.3)
    axis.plot(X_test["x"].iloc[order], median[order])
    axis.set(title=kind, xlabel="x")
plt.show()

# %%
# Members and calibration
# -----------------------
#
# The members' mean is more certain where members agree, and less certain where they do not.
# ``calibrate=True`` corrects the probabilities by a single number, the temperature. It is
# fitted to predictions of rows that the members have not trained on.

chance = 1 / (1 + np.exp(-3 * np.sin(2 * X_train["x"])))
labels = rng.random(len(X_train)) < chance
test_chance = 1 / (1 + np.exp(-3 * np.sin(2 * X_test["x"])))
test_labels = rng.random(len(X_test)) < test_chance

figure, axis = plt.subplots(figsize=(5, 5))
for n_members, calibrate in [(1, False), (5, False), (5, True)]:
    model = TabularMLPClassifier(
        n_members=n_members, calibrate=calibrate, max_iter=20, random_state=0
    ).fit(X_train, labels)
    CalibrationDisplay.from_estimator(
        model, X_test, test_labels, n_bins=8, name=f"{n_members}, {calibrate}", ax=axis
    )
    print(f"{n_members} members, temperature {model.temperature_:.2f}")
plt.show()

# %%
# Importance and partial dependence of the raw columns
# ----------------------------------------------------
#
# scikit-learn's inspection works on the frame itself, with its categories.

importance = permutation_importance(model, X_test, test_labels, n_repeats=3, random_state=0)
for name, mean in zip(X_test.columns, importance.importances_mean, strict=True):
    print(f"{name}: {mean:.3f}")

PartialDependenceDisplay.from_estimator(
    model, X_test[:300], ["x", "kind"], categorical_features=["kind"]
)
plt.show()
