"""What small fits and small batches of rows cost: python benchmarks/small.py [--write].

Fits of a few epochs and calls of ``partial_fit`` compared with scikit-learn's, in float32.
They take turns of five calls each; the best of several counts. ``--write`` puts the table
into docs/benchmarks/small.md.
"""

import warnings

import numpy as np
from report import best_seconds, conditions, options, publish, table
from sklearn.neural_network import MLPClassifier as Theirs

from skgd import MLPClassifier

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2000, 10), dtype=np.float32)
Y = (X[:, 0] > 0).astype(int)
FITS = [(2000, (32,), 32, 1), (2000, (32,), 32, 10), (200, (16,), "auto", 50)]
ROWS = [1, 10, 100, 1000]


def fit(estimator, n_rows, hidden, batch_size, epochs):
    """Return a function that fits a network anew."""

    def call():
        estimator(
            hidden_layer_sizes=hidden,
            batch_size=batch_size,
            max_iter=epochs,
            n_iter_no_change=epochs,
            random_state=0,
        ).fit(X[:n_rows], Y[:n_rows])

    return call


def partial_fit(estimator, n_rows):
    """Return a function that goes on with a network."""
    model = estimator(hidden_layer_sizes=(32,), random_state=0)
    model.partial_fit(X, Y, classes=[0, 1])
    return lambda: model.partial_fit(X[:n_rows], Y[:n_rows])


def main():
    arguments = options(__doc__, rounds=20)
    warnings.simplefilter("ignore")
    both = MLPClassifier, Theirs
    cases = {
        f"`fit`, {case[0]} × 10, {case[1]}, epochs: {case[3]}": [
            fit(estimator, *case) for estimator in both
        ]
        for case in FITS
    }
    for n_rows in ROWS:
        calls = [partial_fit(estimator, n_rows) for estimator in both]
        cases[f"`partial_fit`, {n_rows} × 10, (32,)"] = calls
    rows = []
    for what, functions in cases.items():
        # The calls of a loop follow each other.
        in_turns = [function for function in functions for _ in range(5)]
        found = best_seconds(in_turns, arguments.rounds)
        ours, theirs = min(found[:5]), min(found[5:])
        milliseconds = f"{ours * 1e3:.2f}", f"{theirs * 1e3:.2f}"
        rows.append([what, *milliseconds, f"{theirs / ours:.1f}"])
    header = ["call", "skgd, ms", "scikit-learn, ms", "times as fast"]
    text = (
        "# Small fits\n\n"
        "Milliseconds of a whole call of `MLPClassifier` in float32: most of it is "
        "validation and preparation. Mini-batches of 32 rows in the fits of 2000 rows. "
        f"The best of {arguments.rounds} turns of five calls. {conditions()}\n\n"
        f"{table(header, rows)}\n"
    )
    publish("small", text, arguments.write)


if __name__ == "__main__":
    main()
