"""The scalers beside scikit-learn's, in one run: best times and their ratios.

Run ``python benchmarks/scalers.py``, or with ``--write`` to replace
``docs/benchmarks/scalers.md``. Both packages take turns, so that what else the machine
does hits both, and the best of all turns counts.
"""

import numpy as np
from report import best_seconds, conditions, options, publish, table
from sklearn import preprocessing

import skgd

# Samples and features, and how many turns a round has.
SHAPES = {(1_000_000, 20): 3, (1_000, 20): 400}
PAIRS = {
    "min-max": (skgd.MinMaxScaler, preprocessing.MinMaxScaler),
    "z-score": (skgd.ZScoreScaler, preprocessing.StandardScaler),
    "mean": (skgd.MeanScaler, None),
}
WHAT = "samples x features, dtype, order, scaler"
CALLS = ["fit", "transform", "inverse_transform", "fit_transform"]


def timed(cls, call, X):
    """The call; what is fitted is new each time, as in a cross-validation."""
    if call.startswith("fit"):
        return lambda: getattr(cls(), call)(X)
    fitted = cls().fit(X)
    return lambda: getattr(fitted, call)(X)


def measure(X, classes, turns):
    cells = []
    for call in CALLS:
        functions = [timed(cls, call, X) for cls in classes if cls]
        ours, *theirs = best_seconds(functions, turns)
        cell = f"{ours * 1e3:.3g}"
        if theirs:
            cell += f" / {theirs[0] * 1e3:.3g} = **{theirs[0] / ours:.2f}**"
        cells.append(cell)
    return cells


def rows(rounds):
    rng = np.random.default_rng(0)
    for shape, turns in SHAPES.items():
        for dtype in (np.float64, np.float32):
            for order in "CF":
                X = np.asarray(rng.standard_normal(shape), dtype=dtype, order=order)
                for name, classes in PAIRS.items():
                    what = f"{shape[0]:,} x {shape[1]}, {dtype.__name__}, {order}, {name}"
                    yield [what, *measure(X, classes, rounds * turns)]


def main():
    arguments = options(__doc__, rounds=5)
    text = (
        "# Scalers\n\n"
        "Milliseconds of skgd / milliseconds of scikit-learn = **times as fast**. Both "
        "take turns, the best of several turns counts, kernels are compiled before. There "
        "is no mean normalization in scikit-learn. Min-max fits of F-ordered data are "
        "bound by memory: scikit-learn reads them three times at its full rate, skgd "
        f"once, and two cores here read no more than 1.3 times what one does. "
        f"{conditions()}\n\n"
        f"{table([WHAT, *CALLS], rows(arguments.rounds))}\n"
    )
    publish("scalers", text, arguments.write)


if __name__ == "__main__":
    main()
