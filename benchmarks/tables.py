"""Scores and times of methods on thirty tables: python benchmarks/tables.py [--write].

One line for each table, method and split is appended to tables.jsonl in this folder, and
what is there is not measured again: delete the lines that shall be. ``--methods``,
``--tables`` and ``--half`` restrict what is measured; ``--write`` makes the page from all
lines. ``--quick`` tries each method on two small tables and writes nothing. The methods of
other libraries are measured if they are asked for, on one split of six tables.

The score is the AUC with two classes, the log loss with more, and R² in regression.
"""

import argparse
import json
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import plots
from report import conditions, publish, table
from scipy.stats import gmean, rankdata
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from table_data import N_SPLITS, halves, tables
from threadpoolctl import threadpool_limits

__all__ = ["METHODS", "Setting", "measure"]

RESULTS = Path(__file__).with_suffix(".jsonl")
QUICK = ("twoyear", "alcohol")
SIX = ("mlc_churn", "flchain", "texture", "marketing", "twoyear", "loans_full_schema")
LABELS = {
    "hgb": "boosted trees",
    "hgb_20s": "boosted trees, tuned for 20 s",
    "forest": "random forest",
    "hand_made": "scikit-learn's MLP in a pipeline",
    "skgd": "skgd's networks for tables",
    "skgd_20s": "skgd's networks, max_time=20",
}
METRICS = {"binary": "AUC", "multiclass": "log loss", "regression": "R²"}


@dataclass(frozen=True)
class Setting:
    """What a method gets; it returns an estimator."""

    task: str
    seed: int
    n_jobs: int
    seconds: float = 20.0

    def either(self, regressor, classifier, **options):
        """Return the estimator for the task."""
        estimator = regressor if self.task == "regression" else classifier
        return estimator(random_state=self.seed, **options)


def hgb(setting, **options):
    """Boosted trees at their defaults."""
    return setting.either(
        HistGradientBoostingRegressor, HistGradientBoostingClassifier, **options
    )


class TunedBoosting:
    """Boosted trees after a random search for some seconds.

    A fifth of the rows is held out. A candidate grows by some trees at a time until they
    make its score on these rows no better, or time is up. The first has the defaults.
    The best is fitted again on all rows, with its number of trees.
    """

    def __init__(self, setting):
        self.setting = setting

    def fit(self, X, y):
        end = perf_counter() + self.setting.seconds
        task, seed = self.setting.task, self.setting.seed
        rng = np.random.default_rng(seed)
        X_fit, X_val, y_fit, y_val = train_test_split(
            X,
            y,
            test_size=0.2,
            random_state=seed,
            stratify=None if task == "regression" else y,
        )
        best, chosen, options = -np.inf, {}, {"learning_rate": 0.1}
        while perf_counter() < end:
            growing = hgb(self.setting, early_stopping=False, warm_start=True, **options)
            n_more = round(min(50, 2.5 / options["learning_rate"]))
            before = -np.inf
            for n_trees in range(n_more, 1001, n_more):
                growing.set_params(max_iter=n_trees).fit(X_fit, y_fit)
                found = sign(task) * score(task, y_val, predict(task, growing, X_val))
                if found > best:
                    best, chosen = found, {**options, "max_iter": n_trees}
                if found <= before or perf_counter() > end:
                    break
                before = found
            options = self._draw(rng)
        self.model = hgb(self.setting, early_stopping=False, **chosen).fit(X, y)
        return self

    def _draw(self, rng):
        def log_uniform(low, high):
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))

        return {
            "learning_rate": log_uniform(0.03, 0.3),
            "max_leaf_nodes": round(log_uniform(4, 64)),
            "min_samples_leaf": round(log_uniform(2, 200)),
            "l2_regularization": log_uniform(1e-4, 10.0),
            "max_features": rng.uniform(0.3, 1.0),
        }

    def __getattr__(self, name):
        # predict and predict_proba.
        return getattr(self.model, name)


def hgb_20s(setting):
    """Boosted trees, tuned for 20 seconds."""
    return TunedBoosting(setting)


CATEGORIES = make_column_selector(dtype_include="category")
NUMBERS = make_column_selector(dtype_exclude="category")


def forest(setting):
    """A random forest: categories as integers, missing numbers as medians."""
    integers = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    medians = SimpleImputer(strategy="median", add_indicator=True)
    trees = setting.either(
        RandomForestRegressor, RandomForestClassifier, n_jobs=setting.n_jobs
    )
    encode = make_column_transformer((medians, NUMBERS), (integers, CATEGORIES))
    return make_pipeline(encode, trees)


def hand_made(setting):
    """The pipeline that one writes by hand around scikit-learn's MLP."""
    medians = SimpleImputer(strategy="median", add_indicator=True)
    one_hot = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist")
    encode = make_column_transformer(
        (make_pipeline(medians, StandardScaler()), NUMBERS), (one_hot, CATEGORIES)
    )
    network = setting.either(MLPRegressor, MLPClassifier, early_stopping=True)
    pipeline = make_pipeline(encode, network)
    if setting.task == "regression":
        return TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    return pipeline


def skgd(setting, **options):
    """skgd's ready estimators at their defaults."""
    from skgd import TabularMLPClassifier, TabularMLPRegressor

    return setting.either(
        TabularMLPRegressor, TabularMLPClassifier, n_jobs=setting.n_jobs, **options
    )


def skgd_20s(setting):
    """skgd's ready estimators with `max_time=20`."""
    return skgd(setting, max_time=setting.seconds)


def lightgbm(setting):
    """LightGBM at its defaults."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    return setting.either(
        LGBMRegressor, LGBMClassifier, n_jobs=setting.n_jobs, verbosity=-1
    )


class _CatBoost:
    """CatBoost wants strings without NaN, and the names of the categories."""

    def __init__(self, model):
        self.model = model

    def _strings(self, X):
        return X.astype(dict.fromkeys(CATEGORIES(X), "object")).fillna(
            dict.fromkeys(CATEGORIES(X), "missing")
        )

    def fit(self, X, y):
        self.model.fit(self._strings(X), y, cat_features=CATEGORIES(X))
        return self

    def predict(self, X):
        return self.model.predict(self._strings(X))

    def predict_proba(self, X):
        return self.model.predict_proba(self._strings(X))


def catboost(setting):
    """CatBoost at its defaults."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    model = setting.either(
        CatBoostRegressor,
        CatBoostClassifier,
        thread_count=setting.n_jobs,
        verbose=False,
        allow_writing_files=False,
    )
    return _CatBoost(model)


def realmlp(setting, name="RealMLP_TD"):
    """pytabkit's RealMLP_TD, for the log loss with classes; missing numbers as medians."""
    import pytabkit

    kinds = [getattr(pytabkit, f"{name}_{kind}") for kind in ("Regressor", "Classifier")]
    options = {"device": "cpu", "n_threads": setting.n_jobs}
    if setting.task != "regression":
        options |= {"val_metric_name": "cross_entropy", "use_ls": False}
    network = setting.either(*kinds, **options)
    medians = SimpleImputer(strategy="median", add_indicator=True)
    encode = make_column_transformer((medians, NUMBERS), ("passthrough", CATEGORIES))
    return make_pipeline(encode.set_output(transform="pandas"), network)


METHODS = {
    "hgb": hgb,
    "hgb_20s": hgb_20s,
    "forest": forest,
    "hand_made": hand_made,
    "skgd": skgd,
    "skgd_20s": skgd_20s,
}
OTHERS = {"lightgbm": lightgbm, "catboost": catboost, "realmlp": realmlp}
# skgd with a part left out, or another in its place.
PARTS = {
    "the defaults": {},
    "no piecewise-linear embedding": {"numeric_embedding": None},
    "no learned embedding: one-hot alone": {"max_one_hot": 10**6},
    "one member": {"n_members": 1},
    "refits on all rows": {"refit": True},
    "no dropout": {"dropout": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "a constant learning rate": {"learning_rate": "constant"},
    "ReLU": {"activation": "relu"},
    "two hidden layers": {"hidden_layer_sizes": (256, 256)},
    "80 epochs": {"max_iter": 80},
}
# The first fit of these compiles.
COMPILED = ("skgd", "skgd_20s", *PARTS)


def prepare(method, setting):
    """Return the estimator of a method."""
    if method in PARTS:
        return skgd(setting, **PARTS[method])
    return (METHODS | OTHERS)[method](setting)


def sign(task):
    """Return 1 if a larger score is better, else -1."""
    return -1 if METRICS[task] == "log loss" else 1


def predict(task, model, X):
    return model.predict(X) if task == "regression" else model.predict_proba(X)


def score(task, y, prediction):
    if task == "regression":
        return r2_score(y, prediction)
    if task == "binary":
        return roc_auc_score(y, prediction[:, 1])
    return log_loss(y, prediction, labels=range(prediction.shape[1]))


def measure(name, method, split, n_jobs=None, *, seconds=20.0, most_rows=None):
    """Fit a method on the training rows of a split; return the line of its results."""
    n_jobs = n_jobs or len(os.sched_getaffinity(0))
    task = tables[name].task
    X, y = tables[name].load()
    train, test = tables[name].rows(y, split)
    train = train[:most_rows]
    X_train, X_test = X.iloc[train], X.iloc[test]
    setting = Setting(task, split, n_jobs, seconds)
    model = prepare(method, setting)
    with threadpool_limits(n_jobs), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Categories that are in the test rows alone.
        warnings.filterwarnings("ignore", message="Found unknown categories")
        if method in COMPILED:
            first = prepare(method, replace(setting, seconds=1.0))
            first.fit(X_train[:1000], y[train[:1000]])
        started, before = perf_counter(), process_time()
        model.fit(X_train, y[train])
        fitted, cpu_seconds = perf_counter(), process_time() - before
        prediction = predict(task, model, X_test)
        predicted = perf_counter()
    found = score(task, y[test], prediction)
    return {
        "table": name,
        "method": method,
        "split": split,
        "score": round(float(found), 6),
        "fit_seconds": round(fitted - started, 4),
        "cpu_seconds": round(cpu_seconds, 4),
        "predict_seconds": round(predicted - fitted, 4),
        "n_jobs": n_jobs,
    }


def read():
    """Return the lines of all measurements, by table, method and split."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    return {(line["table"], line["method"], line["split"]): line for line in lines}


def mean(lines, name, method, what, splits=range(N_SPLITS)):
    """Return the mean over the splits, or None if one is missing."""
    found = [lines.get((name, method, split)) for split in splits]
    return None if None in found else float(np.mean([line[what] for line in found]))


def scores(lines, names, methods, splits=range(N_SPLITS)):
    """Return a Markdown table of mean scores; the best of a table is bold."""
    rows = []
    for name in names:
        task = tables[name].task
        found = [mean(lines, name, method, "score", splits) for method in methods]
        best = max((sign(task) * s for s in found if s is not None), default=None)
        cells = [
            "–" if s is None else f"**{s:.4f}**" if sign(task) * s == best else f"{s:.4f}"
            for s in found
        ]
        rows.append([f"{name}, {METRICS[task]}", *cells])
    return table(["table, metric", *methods], rows)


def compare(lines, names, methods, splits=range(N_SPLITS)):
    """Return signed scores, ranks and times, of the tables that all methods have."""

    def means(what):
        rows = [[mean(lines, name, m, what, splits) for m in methods] for name in complete]
        return np.array(rows).reshape(len(rows), len(methods)).T

    complete = [
        name
        for name in names
        if all(mean(lines, name, m, "score", splits) is not None for m in methods)
    ]
    values = means("score") * [sign(tables[name].task) for name in complete]
    ranks = rankdata(-values, axis=0)
    return values, ranks, means("fit_seconds"), means("predict_seconds")


def summary(lines, names, methods, splits=range(N_SPLITS)):
    """Return wins, ranks and times: Markdown of the tables that all methods have."""
    values, ranks, fit, predicting = compare(lines, names, methods, splits)
    n_tables = values.shape[1]
    if n_tables == 0:
        return "No table has been measured with all methods."
    rows = []
    for i, method in enumerate(methods):
        wins = [f"{wins:.0%}" for wins in (values[i] > values).mean(axis=1)]
        wins[i] = ""
        seconds = [gmean(fit[i]), fit[i].max(), gmean(predicting[i])]
        rows.append(
            [method, f"{ranks[i].mean():.2f}", *(f"{s:.3g}" for s in seconds), *wins]
        )
    against = [f"> {method}" for method in methods]
    header = ["method", "mean rank", "fit, s", "longest, s", "predict, s", *against]
    return f"{n_tables} tables.\n\n{table(header, rows)}"


def draw(lines, methods):
    """Draw the mean ranks and the times of the reported half."""
    _, ranks, fit, _ = compare(lines, halves["report"], methods)
    points = {
        LABELS[method]: (gmean(seconds), rank.mean())
        for method, rank, seconds in zip(methods, ranks, fit, strict=True)
    }
    plots.places(
        "tables",
        f"{ranks.shape[1]} raw tables: quality and time",
        points,
        "seconds a fit (geometric mean)",
        "mean rank of the score",
    )


def error(name, line):
    """Return what is missing to a perfect score; a log loss is an error itself."""
    value = line["score"]
    return value if METRICS[tables[name].task] == "log loss" else 1 - value


def ablation(lines, names):
    """Return what each part is worth, in error and time: Markdown."""
    base, *others = PARTS
    rows = []
    for method in others:
        both = [n for n in names if {(n, method, 0), (n, base, 0)} <= lines.keys()]
        if both:
            pairs = [(lines[name, method, 0], lines[name, base, 0]) for name in both]
            found = zip(both, pairs, strict=True)
            errors = [error(name, one) / error(name, all_) for name, (one, all_) in found]
            time = gmean([one["cpu_seconds"] / all_["cpu_seconds"] for one, all_ in pairs])
            larger = f"{sum(e > 1 for e in errors)} of {len(errors)}"
            rows.append([method, f"{gmean(errors) - 1:+.1%}", larger, f"{time:.2f}"])
    return table(["instead", "error", "tables with a larger error", "time"], rows)


def describe(names):
    """Return a Markdown list of the tables: sizes, targets, what is left out and why."""
    lines = []
    for name in names:
        t = tables[name]
        X, _ = t.load()
        n_categories = int((X.dtypes == "category").sum())
        n_missing = int(X.isna().any().sum())
        text = f"- **{name}** ({t.source}): {len(X):,} rows, {X.shape[1]} columns"
        if n_categories:
            text += f", {n_categories} of them categories"
        if n_missing:
            text += f", {n_missing} with missing values"
        text += f"; {t.task}, target `{t.target}`."
        if t.dropped:
            reasons = [
                f"{', '.join(f'`{c}`' for c in columns.split(', '))} ({reason})"
                for columns, reason in t.dropped.items()
            ]
            text += f" Dropped: {'; '.join(reasons)}."
        lines.append(text)
    return "\n".join(lines)


def page(lines, methods):
    measured = {method for _, method, _ in lines}
    others = [method for method in OTHERS if method in measured]
    methods = [method for method in METHODS if method in measured.intersection(methods)]
    n_jobs = sorted({line["n_jobs"] for line in lines.values()})
    cores = " or ".join(map(str, n_jobs))
    parts = [
        "# Tables",
        "Thirty raw tables from Python packages, with their categories and missing values. "
        "Each is split three times: three quarters to train on, a quarter to test on. "
        "Scores and seconds are means over the splits. The score is the AUC with two "
        "classes, the log loss with more, and R² in regression. Choices are made on the "
        "tables of one half alone; the other is for reporting. The halves were fixed "
        "before anything was measured.",
        f"Threads: {cores}. {conditions()}",
        table(
            ["method", "what it is"],
            [
                [f"`{m}`", (METHODS | OTHERS)[m].__doc__.splitlines()[0]]
                for m in methods + others
            ],
        ).replace("---:", "---"),
        "![Mean rank of the scores, and seconds a fit](tables.svg)",
        "A summary shows for each method its mean rank, geometric means of the times, with "
        "the longest fit, and on how many of the tables its mean score is better than that "
        "of the method in the column.",
    ]
    for half, title in (
        ("report", "The reported half"),
        ("choose", "The half to choose on"),
    ):
        names = [n for n in halves[half] if any(key[0] == n for key in lines)]
        there = {method for name, method, _ in lines if name in names}
        compared = [method for method in methods if method in there]
        parts += [
            f"## {title}",
            summary(lines, names, compared),
            scores(lines, names, compared),
        ]
    if measured.intersection(PARTS):
        parts += [
            "## What each part is worth",
            "One part of `skgd` is left out, or replaced, on the first split of the half "
            "to choose on. Error is 1 − AUC, the log loss or 1 − R², time is that of all "
            "processors; both are relative to the defaults, as geometric means.",
            ablation(lines, halves["choose"]),
        ]
    if others:
        parts += [
            "## Other libraries",
            "The first split of six tables of the reported half.",
            summary(lines, SIX, methods + others, splits=[0]),
            scores(lines, SIX, methods + others, splits=[0]),
        ]
    parts += ["## The tables", describe(tables)]
    return "\n\n".join(parts) + "\n"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS | OTHERS | PARTS, default=list(METHODS)
    )
    parser.add_argument("--tables", nargs="+", choices=tables, default=list(tables))
    parser.add_argument("--half", choices=halves, help="the tables of one half")
    parser.add_argument("--n-jobs", type=int, help="threads; all cores by default")
    parser.add_argument("--quick", action="store_true", help="two small tables, no writing")
    parser.add_argument(
        "--write", action="store_true", help="write the page, measure nothing"
    )
    return parser.parse_args()


def quick(arguments):
    """Try each method on 1,000 rows of two tables, with two seconds for a search."""
    for method in arguments.methods:
        for name in QUICK:
            line = measure(name, method, 0, arguments.n_jobs, seconds=2.0, most_rows=1000)
            print(line, flush=True)


def main():
    arguments = parse()
    if arguments.quick:
        quick(arguments)
        return
    if arguments.write:
        lines = read()
        publish("tables", page(lines, arguments.methods), True)
        draw(lines, [method for method in arguments.methods if method in LABELS])
        return
    known = read()
    for name in arguments.tables:
        if arguments.half and name not in halves[arguments.half]:
            continue
        for method in arguments.methods:
            for split in range(N_SPLITS):
                if (name, method, split) in known:
                    continue
                if method in OTHERS and (split > 0 or name not in SIX):
                    continue
                if method in PARTS and (split > 0 or name not in halves["choose"]):
                    continue
                line = json.dumps(measure(name, method, split, arguments.n_jobs))
                print(line, flush=True)
                with RESULTS.open("a") as file:
                    file.write(line + "\n")


if __name__ == "__main__":
    main()
