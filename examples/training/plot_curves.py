"""
Reading the curves of a fit
===========================

``LossCurveDisplay`` and ``LearningRateDisplay`` draw what a fit has recorded: training and
validation loss, the validation score, the best epoch, and the learning rate. They take
networks, pipelines and searches, and fit nothing.
"""

# %%
# Three fits of the same digits
# -----------------------------
#
# A small network learns slowly at a rate of 0.001: both losses still fall at the end. A
# large one soon memorizes its 400 training rows: the validation loss stops falling while
# the training loss falls further. Dropout keeps the two together. The training loss is then
# the higher one, since units are dropped in training only. The validation set does not
# affect the training.

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skgd import MinMaxScaler, MLPClassifier
from skgd.inspection import LearningRateDisplay, LossCurveDisplay

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(
    X / 16, y, train_size=400, stratify=y, random_state=0
)
settings = {
    "(10,), rate 0.001": {"hidden_layer_sizes": (10,)},
    "(200, 200), rate 0.005": {
        "hidden_layer_sizes": (200, 200),
        "learning_rate_init": 0.005,
    },
    "the same with dropout": {
        "hidden_layer_sizes": (200, 200),
        "learning_rate_init": 0.005,
        "dropout": [0.2, 0.5, 0.5],
    },
}
fig, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", sharey=True)
for ax, (title, parameters) in zip(axes, settings.items(), strict=True):
    model = MLPClassifier(
        batch_size=50, max_iter=60, n_iter_no_change=60, random_state=0, **parameters
    ).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    display = LossCurveDisplay.from_estimator(model, ax=ax, scores=False)
    display.ax_.set(title=title, yscale="log")
    best = f"accuracy {model.best_validation_score_:.3f}"
    display.ax_.text(0.03, 0.03, best, transform=ax.transAxes)

# %%
# Scores, and the learning rate
# -----------------------------
#
# With the scores, the display has a second axis. The model is the best one of a search over
# a pipeline: the display finds the network in it.

search = GridSearchCV(
    make_pipeline(
        MinMaxScaler(),
        MLPClassifier(
            learning_rate="cosine",
            early_stopping=True,
            max_iter=40,
            n_iter_no_change=40,
            random_state=0,
        ),
    ),
    {"mlpclassifier__learning_rate_init": [0.003, 0.01, 0.03]},
    cv=3,
).fit(X_train, y_train)
print(search.best_params_)

fig, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
LossCurveDisplay.from_estimator(search, ax=axes[0])
LearningRateDisplay.from_estimator(search, ax=axes[1], marker=".")
axes[1].set_ylim(0, None)

# %%
# Schedules before any fit
# ------------------------
#
# ``from_schedule`` draws the rate of a schedule at each update.

fig, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for name in ("constant", "cosine", "one_cycle", "flat_cos"):
    LearningRateDisplay.from_schedule(
        name, 1000, learning_rate_init=0.01, ax=ax, label=name
    )

plt.show()
