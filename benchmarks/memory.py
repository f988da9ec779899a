"""Peak memory of fits, scalers and predictions: python benchmarks/memory.py [--write].

Each is measured in a process of its own: by how much its resident memory grows at most
during a call. What is compiled or loaded at the first call is there before.
"""

import json
import subprocess
import sys
import warnings
from dataclasses import replace
from importlib import import_module

import numpy as np
from cases import CASES, Case, data
from peers import PEERS
from report import cell, conditions, options, publish, table
from resident import peak

LIBRARIES = ["skgd", "scikit-learn", "PyTorch"]
ROWS = Case(1_000_000, 20, (100,), 2, 200)
FITS = [
    ROWS,
    replace(ROWS, dtype="float64"),
    replace(ROWS, batch_normalization=True),
    Case(10000, 784, (512, 256), 10, 128),
    *[case for case in CASES if case.is_sparse and case.dtype == "float32"],
]
PREDICTIONS = ["predict", "predict_proba"]
SCALERS = [
    ("min-max", "MinMaxScaler", "MinMaxScaler"),
    ("z-score", "ZScoreScaler", "StandardScaler"),
]
CALLS = ["fit", "transform", "inverse_transform"]
TABULAR = ["TabularMLPClassifier", "TabularMLPRegressor"]


def fit(library, case):
    """Return a small epoch and one of a case, or None where there is no such thing."""
    trains = [
        PEERS[library](some) for some in (replace(case, n_samples=case.batch_size), case)
    ]
    return None if trains[1] is None else [lambda train=train: train(1) for train in trains]


def prediction(library, method):
    """Return a small prediction and a large one."""
    if library == "PyTorch":
        return None
    X, y = data(ROWS)
    module = {"skgd": "skgd", "scikit-learn": "sklearn.neural_network"}[library]
    model = import_module(module).MLPClassifier((100,), max_iter=2).fit(X[:1000], y[:1000])
    predict = getattr(model, method)
    return [lambda: predict(X[:1000]), lambda: predict(X)]


def scaling(library, ours, theirs, call):
    """Return a call for few rows, and one for many."""
    if library == "PyTorch":
        return None
    X, _ = data(ROWS)
    module, name = {
        "skgd": ("skgd", ours),
        "scikit-learn": ("sklearn.preprocessing", theirs),
    }[library]
    scaler = getattr(import_module(module), name)().fit(X[:1000])
    method = getattr(scaler, call)
    return [lambda: method(X[:1000]), lambda: method(X)]


def tabular(library, name):
    """Return the fit of a small table, and of one of a million rows and 50 columns."""
    if library != "skgd":
        return None
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((1_000_000, 50)), rng.integers(2, size=1_000_000)
    model = getattr(import_module("skgd"), name)(max_iter=1)
    return [lambda: model.fit(X[:1000], y[:1000]), lambda: model.fit(X, y)]


WAYS = {f.__name__: f for f in (fit, prediction, scaling, tabular)}


def measure(library, way, arguments):
    """Return MB at most, in a process of its own; None where there is no such thing."""
    arguments = json.dumps([library, way, arguments])
    answer = subprocess.run(
        [sys.executable, __file__, "measure", arguments], check=True, stdout=subprocess.PIPE
    )
    return json.loads(answer.stdout)


def megabytes(case):
    """Return the size of the features."""
    per_value = 4 if case.dtype == "float32" else 8
    n_values = case.n_samples * case.n_features
    # A sparse row has the index of each value beside it.
    return (
        n_values * (case.density * (per_value + 4) if case.is_sparse else per_value) / 1e6
    )


def row(name, size, way, *arguments):
    """Measure each library; return a row of the table."""
    print(name, file=sys.stderr)
    found = [measure(library, way, arguments) for library in LIBRARIES]
    return [name, f"{size:.0f}", *(cell(value, "{:.0f}") for value in found)]


def main():
    arguments = options(__doc__)
    trained = [row(f"{c}, {c.dtype}", megabytes(c), "fit", i) for i, c in enumerate(FITS)]
    used = [
        row(f"{method}, network", megabytes(ROWS), "prediction", method)
        for method in PREDICTIONS
    ]
    used += [
        row(f"{call}, {name} scaler", megabytes(ROWS), "scaling", ours, theirs, call)
        for name, ours, theirs in SCALERS
        for call in CALLS
    ]
    tables = [row(f"fit, {name}", 400, "tabular", name) for name in TABULAR]
    header = ["measured", "features", *LIBRARIES]
    text = (
        "# Memory\n\nBy how many megabytes the resident memory of a process grows at most "
        "during a call, beside the size of the features, which are there before. PyTorch's "
        "targets have been converted before, too. "
        f"{conditions()}\n\n## One epoch\n\n{table(header, trained)}\n\n"
        "## One million rows\n\n"
        "20 features in float32; the network has 100 hidden units. A transformed array, "
        f"or predictions, are part of it.\n\n{table(header, used)}\n\n## Tables\n\n"
        "One epoch of all members, of 1,000,000 rows and 50 columns of float64.\n\n"
        f"{table(header, tables)}\n"
    )
    publish("memory", text, arguments.write)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        warnings.simplefilter("ignore")
        library, way, given = json.loads(sys.argv[2])
        calls = WAYS[way](library, *([FITS[given[0]]] if way == "fit" else given))
        if calls is not None:
            calls[0]()
        print(json.dumps(calls and peak(calls[1])))
    else:
        main()
