"""How much the ranges of parameters matter: python benchmarks/tuning.py [--write].

Random settings are fitted to some rows of six tables, all of the half to choose on. One
line for each setting and table is appended to tuning.jsonl in this folder, and what is
there is not measured again. ``--minutes`` is how much CPU time to spend; ``--write`` makes
the page docs/benchmarks/tuning.md from all lines.

The score is the AUC with two classes, the log loss with more, and R² in regression, as in
tables.py. Settings are compared by their ranks among the settings of a table.
"""

import argparse
import json
import warnings
from functools import cache
from itertools import count, pairwise
from pathlib import Path
from time import process_time

import numpy as np
from report import cell, conditions, publish, table
from scipy.stats import rankdata
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from table_data import halves, tables
from tables import CATEGORIES, METRICS, NUMBERS, predict, score, sign
from threadpoolctl import threadpool_limits

from skgd import (
    MLPClassifier,
    MLPRegressor,
    RobustClipScaler,
    TabularMLPClassifier,
    TabularMLPRegressor,
)

RESULTS = Path(__file__).with_suffix(".jsonl")
NAMES = ("page-blocks0", "nassCDS", "optdigits", "Bikeshare", "rwm5yr", "injury")
N_ROWS = 1500

# A list is drawn from; a tuple is a range, drawn from uniformly in the logarithm.
NETWORKS = {
    "hidden_layer_sizes": [(32,), (128,), (64, 64), (256, 256)],
    "solver": ["adam", "rmsprop", "momentum", "lbfgs"],
    "learning_rate_init": (1e-4, 3e-2),
    "learning_rate": ["constant", "cosine"],
    "batch_size": [32, 128, 512],
    "max_iter": [10, 30, 100],
    "alpha": (1e-5, 10.0),
    "weight_decay": [0.0, 0.01, 0.1, 1.0],
    "dropout": [0.0, 0.1, 0.3],
    "early_stopping": [False, True],
}
# 'lbfgs' takes these alone.
FULL_BATCH = ("hidden_layer_sizes", "solver", "alpha")
# Momentum adds up ten steps of its own size; Adam's are normalized.
MOMENTUM_FACTOR = 10

TABULAR = {
    "hidden_layer_sizes": [(64, 64), (256, 256), (256, 256, 256)],
    "numeric_embedding": [None, "piecewise_linear"],
    "n_members": [1, 2, 5],
    "learning_rate_init": (3e-4, 2e-2),
    "batch_size": [32, 128, 512],
    "max_iter": [10, 40, 80],
    "weight_decay": [0.0, 0.1, 1.0],
    "dropout": [0.0, 0.15, 0.4],
}
FAMILIES = {
    "MLP": (NETWORKS, MLPClassifier, MLPRegressor),
    "TabularMLP": (TABULAR, TabularMLPClassifier, TabularMLPRegressor),
}


TOGETHER = {
    "MLP": [
        ("solver", "learning_rate_init"),
        ("solver", "alpha"),
        ("learning_rate", "learning_rate_init"),
    ],
    "TabularMLP": [("batch_size", "max_iter")],
}


def setting(family, number):
    """Return the parameters of a setting; number 0 has the defaults."""
    if number == 0:
        return {}
    space = FAMILIES[family][0]
    rng = np.random.default_rng([list(FAMILIES).index(family), number])
    drawn = {
        name: values[rng.integers(len(values))]
        if isinstance(values, list)
        else float(np.exp(rng.uniform(*np.log(values))))
        for name, values in space.items()
    }
    if drawn.get("solver") == "lbfgs":
        return {name: drawn[name] for name in FULL_BATCH}
    return drawn


@cache
def rows_of(name):
    """Return X and y to train on and to test on; the targets of regression are scaled."""
    X, y = tables[name].load()
    train, test = tables[name].rows(y, 0)
    train = train[:N_ROWS]
    if tables[name].task == "regression":
        y = (y - y[train].mean()) / y[train].std()
    return X.iloc[train], X.iloc[test], y[train], y[test]


@cache
def encoded_rows_of(name):
    """Return X to train on and to test on in float32: scaled and one-hot encoded."""
    X_train, X_test, _, _ = rows_of(name)
    medians = SimpleImputer(strategy="median", add_indicator=True)
    one_hot = OneHotEncoder(
        min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    encode = make_column_transformer(
        (make_pipeline(medians, RobustClipScaler()), NUMBERS), (one_hot, CATEGORIES)
    ).fit(X_train)
    return [encode.transform(X).astype(np.float32) for X in (X_train, X_test)]


def measure(family, number, name):
    """Fit a setting to a table; return the line of its result."""
    _, classifier, regressor = FAMILIES[family]
    task = tables[name].task
    parameters = setting(family, number)
    if parameters.get("solver") == "momentum":
        parameters["learning_rate_init"] *= MOMENTUM_FACTOR
    if family == "MLP" and number:
        # The epochs are those of max_iter.
        parameters.setdefault("n_iter_no_change", parameters.get("max_iter", 200) + 1)
    X_train, X_test, y_train, y_test = rows_of(name)
    if family == "MLP":
        X_train, X_test = encoded_rows_of(name)
    model = (regressor if task == "regression" else classifier)(
        random_state=number, n_jobs=1, **parameters
    )
    started = process_time()
    try:
        found = float(
            score(task, y_test, predict(task, model.fit(X_train, y_train), X_test))
        )
    except ValueError as error:
        if "Lower learning_rate_init" not in str(error):
            raise
        found = None
    return {
        "family": family,
        "number": number,
        "table": name,
        "score": found and round(found, 5),
        "cpu_seconds": round(process_time() - started, 3),
    }


def read():
    """Return the lines of all measurements, by family, number and table."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    return {(line["family"], line["number"], line["table"]): line for line in lines}


def measure_all(minutes):
    """Measure what is missing, setting by setting, until the CPU time is spent."""
    known = read()
    for number in count():
        for family in FAMILIES:
            for name in NAMES:
                if process_time() > 60 * minutes:
                    return
                if (family, number, name) not in known:
                    line = json.dumps(measure(family, number, name))
                    with RESULTS.open("a") as file:
                        print(line, file=file, flush=True)


def numbers_of(lines, family):
    """Return the numbers of the settings that all tables have."""
    found = {number for other, number, _ in lines if other == family}
    return sorted(n for n in found if all((family, n, name) in lines for name in NAMES))


def percentiles(lines, family):
    """Return numbers of settings, scores and their percentiles: a column for each table."""
    numbers = numbers_of(lines, family)
    signs = np.array([sign(tables[name].task) for name in NAMES])
    scores = np.array(
        [[lines[family, n, name]["score"] for name in NAMES] for n in numbers], dtype=float
    )
    ranks = rankdata(np.nan_to_num(signs * scores, nan=-np.inf), axis=0)
    return numbers, scores, 100 * (ranks - 1) / (len(numbers) - 1)


def labels_of(values):
    """Return the values to show in order: of a range, its thirds."""
    if isinstance(values, list):
        return [f"`{value!r}`" for value in values]
    edges = np.geomspace(*values, 4)
    return [f"{low:.2g} to {high:.2g}" for low, high in pairwise(edges)]


def label_of(values, value):
    """Return the one of these that a value belongs to."""
    if isinstance(values, list):
        return labels_of(values)[values.index(value)]
    inner = np.geomspace(*values, 4)[1:-1]
    return labels_of(values)[np.searchsorted(inner, value)]


def share_explained(groups, ranks):
    """Return the part of the variance of ranks that is between groups, without chance's."""
    n, k = len(groups), len(set(groups))
    shares = []
    for column in ranks.T:
        within = sum(
            np.sum((column[groups == g] - column[groups == g].mean()) ** 2)
            for g in np.unique(groups)
        )
        shares.append(1 - within / (n - k) / np.var(column, ddof=1))
    return max(0.0, float(np.mean(shares)))


def matters(lines, family):
    """Write what each parameter explains and how its values rank."""
    numbers, _, ranks = percentiles(lines, family)
    drawn = [setting(family, number) for number in numbers]
    summary, details = [], []
    for name, values in FAMILIES[family][0].items():
        has = np.array([name in parameters for parameters in drawn])
        groups = np.array([label_of(values, p[name]) for p in drawn if name in p])
        share = share_explained(groups, ranks[has])
        summary.append((share, [f"`{name}`", f"{100 * share:.0f} %"]))
        for label in labels_of(values):
            found = ranks[has][groups == label]
            means = found.mean(axis=1)
            error = means.std(ddof=1) / np.sqrt(len(means))
            cells = [str(len(means)), f"{means.mean():.0f} ± {error:.0f}"]
            details.append(
                [f"`{name}`", label, *cells, f"{100 * np.mean(found >= 80):.0f} %"]
            )
    summary.sort(key=lambda item: -item[0])
    header = ["parameter", "value", "settings", "mean rank", "in the best fifth"]
    return (
        table(["parameter", "explains"], [row for _, row in summary]),
        table(header, details),
    )


def together(lines, family, names):
    """Write the mean ranks of the pairs of values of two parameters."""
    numbers, _, ranks = percentiles(lines, family)
    spaces = [FAMILIES[family][0][name] for name in names]
    found = {}
    for number, rank in zip(numbers, ranks.mean(axis=1), strict=True):
        parameters = setting(family, number)
        if all(name in parameters for name in names):
            pair = [label_of(s, parameters[n]) for s, n in zip(spaces, names, strict=True)]
            found.setdefault(tuple(pair), []).append(rank)
    first, second = map(labels_of, spaces)
    rows = []
    for one in first:
        means = [
            np.mean(found[one, two]) if (one, two) in found else None for two in second
        ]
        if means != [None] * len(means):
            rows.append([one, *(cell(mean, "{:.0f}") for mean in means)])
    return table([f"`{names[0]}`, `{names[1]}`", *second], rows)


def gains(lines, family):
    """Write for each table the scores of the defaults and of the random settings."""
    numbers, scores, ranks = percentiles(lines, family)
    rows = []
    for k, name in enumerate(NAMES):
        task = tables[name].task
        ordered = np.sort(sign(task) * scores[1:, k])[::-1]
        found = ordered[np.isfinite(ordered)]
        quarter, half = (sign(task) * found[len(ordered) * part // 4] for part in (1, 2))
        rows.append(
            [
                f"{name}, {METRICS[task]}",
                f"{scores[0, k]:.4f}",
                f"{ranks[0, k]:.0f}",
                f"{sign(task) * found[0]:.4f}",
                f"{quarter:.4f}",
                f"{half:.4f}",
            ]
        )
    seconds = sum(lines[family, n, name]["cpu_seconds"] for n in numbers for name in NAMES)
    header = ["table, metric", "defaults", "their rank", "best", "best quarter", "median"]
    return len(numbers) - 1, seconds, table(header, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15.0, help="of CPU time")
    parser.add_argument("--write", action="store_true", help="write the page in docs/")
    arguments = parser.parse_args()
    assert set(NAMES) <= set(halves["choose"])
    if not arguments.write:
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", message="Found unknown categories")
            measure_all(arguments.minutes)
    lines = read()
    text = [PAGE.format(n_rows=f"{N_ROWS:,}", names=", ".join(NAMES), where=conditions())]
    for family in FAMILIES:
        n, seconds, found = gains(lines, family)
        explained, ranked = matters(lines, family)
        text += [
            f"## {family}Classifier and {family}Regressor",
            f"{n} random settings and the defaults; {seconds:.0f} s of CPU time in all.",
            found,
            "How much of the ranks a parameter explains:",
            explained,
            "The ranks of its values:",
            ranked,
            "The mean ranks of two parameters together:",
            *(together(lines, family, names) for names in TOGETHER[family]),
        ]
    publish("tuning", "\n\n".join(text) + "\n", arguments.write)


PAGE = """\
# Ranges of parameters

How much the values of parameters matter, measured by random settings. [What to
tune](../what_to_tune.md) has the advice that follows.

Each setting is fitted to {n_rows} rows of six tables of the [half to choose
on](tables.md), and scored on the test rows of the first split. All tables have the same
settings, in one thread. `learning_rate_init` is ten times as large with `'momentum'`. The
`MLP` estimators read float32 rows, scaled by `RobustClipScaler` and one-hot encoded, and
train for all `max_iter` epochs. The `TabularMLP` estimators read the raw tables.

The tables: {names}.

{where}

- **Rank**: 0 is the worst of the settings of a table, 100 the best. A fit that diverged
  is the worst.
- **Mean rank**: of the settings with this value, over all tables, with its standard
  error.
- **In the best fifth**: how many of these are among the best 20 % of a table. By chance
  it is 20 %.
- **Explains**: the part of the variance of the ranks that lies between the values of the
  parameter, less what chance gives, averaged over the tables. The rest is due to the
  other parameters, to combinations and to chance.

The study is small: six tables, few rows, one split, one seed for each setting. Ranks that
differ by less than two standard errors do not differ. The best score of a table is the
luckiest of many on its test rows, and so is optimistic. The defaults of the `TabularMLP`
estimators were chosen on the tables of this half, which favors them here."""

if __name__ == "__main__":
    main()
