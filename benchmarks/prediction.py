"""Predictions beside scikit-learn's: python benchmarks/prediction.py [--write].

The same fitted network in both libraries, which take turns.
"""

import argparse
import warnings

import numpy as np
from report import best_seconds, conditions, publish, table
from sklearn import neural_network

import skgd

# Rows, and how often they are predicted.
SIZES = {1: 2000, 1000: 200, 1_000_000: 5}


def rows_of(dtype):
    """Yield the rows of the table."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((max(SIZES), 20)).astype(dtype)
    y = (X[:1000].sum(axis=1) > 0).astype(int)
    models = [
        library.MLPClassifier(max_iter=2, random_state=0).fit(X[:1000], y)
        for library in (neural_network, skgd)
    ]
    for n_rows, rounds in SIZES.items():
        for method in ("predict", "predict_proba"):
            calls = [
                lambda model=model, n=n_rows, method=method: getattr(model, method)(X[:n])
                for model in models
            ]
            theirs, ours = best_seconds(calls, rounds)
            yield [
                f"{n_rows:,}, {np.dtype(dtype)}, `{method}`",
                f"{theirs * 1e6:,.0f}",
                f"{ours * 1e6:,.0f}",
                f"{theirs / ours:.1f}",
            ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    rows = [row for dtype in (np.float32, np.float64) for row in rows_of(dtype)]
    header = ["rows of 20 features", "scikit-learn", "skgd", "times as fast"]
    text = (
        "# Prediction\n\nMicroseconds of a call; a binary classifier with 100 hidden "
        f"units. {conditions()}\n\n{table(header, rows)}\n"
    )
    publish("prediction", text, parser.parse_args().write)


if __name__ == "__main__":
    main()
