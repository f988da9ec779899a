"""Predictions beside scikit-learn's: python benchmarks/prediction.py [--write].

The same fitted network in both libraries, which take turns.
"""

import warnings

import numpy as np
import plots
from report import best_seconds, conditions, options, publish, table
from sklearn import neural_network

import skgd

# Rows, and how often a round predicts them.
SIZES = {1: 400, 1000: 40, 1_000_000: 1}
METHODS = ["predict", "predict_proba"]
LIBRARIES = {"scikit-learn": neural_network, "skgd": skgd}


def measure(dtype, rounds):
    """Yield the rows, the method and the seconds of each library."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((max(SIZES), 20)).astype(dtype)
    y = (X[:1000].sum(axis=1) > 0).astype(int)
    models = [
        library.MLPClassifier(max_iter=2, random_state=0).fit(X[:1000], y)
        for library in LIBRARIES.values()
    ]
    for n_rows, turns in SIZES.items():
        for method in METHODS:
            calls = [
                lambda model=model, n=n_rows, method=method: getattr(model, method)(X[:n])
                for model in models
            ]
            yield n_rows, f"{dtype}, `{method}`", best_seconds(calls, rounds * turns)


def draw(measured):
    """Draw what the table says of `predict`."""
    panels = []
    for dtype in ("float32", "float64"):
        found = [(n, times) for n, what, times in measured if what == f"{dtype}, `predict`"]
        series = {
            library: [times[k] * 1e6 / n for n, times in found]
            for k, library in enumerate(LIBRARIES)
        }
        panels.append((f"predict, {dtype}", "rows", [n for n, _ in found], series))
    plots.lines("prediction", panels, "microseconds a row")


def main():
    warnings.simplefilter("ignore")
    arguments = options(__doc__, rounds=5)
    measured = [
        found
        for dtype in ("float32", "float64")
        for found in measure(dtype, arguments.rounds)
    ]
    rows = [
        [f"{n:,}, {what}", f"{a * 1e6:,.0f}", f"{b * 1e6:,.0f}", f"{a / b:.1f}"]
        for n, what, (a, b) in measured
    ]
    header = ["rows of 20 features", *LIBRARIES, "times as fast"]
    text = (
        "# Prediction\n\nMicroseconds of a call; a binary classifier with 100 hidden "
        f"units. {conditions()}\n\n![Microseconds a row by the number of rows]"
        f"(prediction.svg)\n\n{table(header, rows)}\n"
    )
    publish("prediction", text, arguments.write)
    if arguments.write:
        draw(measured)


if __name__ == "__main__":
    main()
