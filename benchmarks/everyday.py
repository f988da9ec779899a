"""Everyday fits beside scikit-learn's: python benchmarks/everyday.py [--write].

The libraries take turns, and the best of several fits counts.
"""

import warnings
from functools import partial

import numpy as np
from report import best_seconds, conditions, options, publish, table
from scipy import sparse
from sklearn import datasets, neural_network
from sklearn.preprocessing import StandardScaler

import skgd

warnings.simplefilter("ignore")


def scaled(load, dtype=np.float64):
    X, y = load(return_X_y=True)
    if load is datasets.load_diabetes:
        y = y / y.std()
    return StandardScaler().fit_transform(X).astype(dtype), y


def texts(n=2000, n_words=5000):
    """Counts of words: 50 in a row of 5000."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    words = rng.integers(0, n_words // 2, (n, 50)) + y[:, np.newaxis] * (n_words // 4)
    rows = np.repeat(np.arange(n), 50)
    return sparse.csr_matrix((np.ones(50 * n), (rows, words.ravel())), (n, n_words)), y


DIGITS, DIABETES = datasets.load_digits, datasets.load_diabetes
CASES = {
    "digits, defaults, 50 epochs": (scaled(DIGITS), {"max_iter": 50}),
    "the same in float32": (scaled(DIGITS, np.float32), {"max_iter": 50}),
    "digits, `(100, 50)`, 'sgd', early stopping": (
        scaled(DIGITS),
        {
            "hidden_layer_sizes": (100, 50),
            "solver": "sgd",
            "learning_rate_init": 0.01,
            "early_stopping": True,
            "max_iter": 50,
        },
    ),
    "breast cancer, `(30,)`, `batch_size=32`": (
        scaled(datasets.load_breast_cancer),
        {"hidden_layer_sizes": (30,), "batch_size": 32, "max_iter": 50},
    ),
    "diabetes, 'tanh', 'adaptive'": (
        scaled(DIABETES),
        {"activation": "tanh", "solver": "sgd", "learning_rate": "adaptive"},
    ),
    "2000 texts, csr, 5000 words": (texts(), {"max_iter": 5}),
    "diabetes, 'lbfgs'": (scaled(DIABETES), {"solver": "lbfgs", "max_iter": 100}),
    "digits, 'lbfgs'": (scaled(DIGITS), {"solver": "lbfgs"}),
}


def main():
    arguments = options(__doc__, rounds=5)
    rows = []
    for case, ((X, y), parameters) in CASES.items():
        kind = "MLPClassifier" if y.dtype.kind == "i" else "MLPRegressor"
        models = [
            getattr(library, kind)(random_state=0, **parameters)
            for library in (neural_network, skgd)
        ]
        fits = [partial(model.fit, X, y) for model in models]
        # The first compiles, or loads what is compiled.
        seconds = best_seconds(fits, arguments.rounds + 1)
        output = "predict_proba" if kind == "MLPClassifier" else "predict"
        theirs, ours = (getattr(model, output)(X) for model in models)
        rows.append(
            [
                case,
                *(f"{s:.3f}" for s in seconds),
                f"{seconds[0] / seconds[1]:.1f}",
                f"{abs(ours - theirs).max():.0e}",
            ]
        )
    header = ["fit", "scikit-learn, s", "skgd, s", "times as fast", "largest difference"]
    text = (
        "# Everyday fits\n\nSeconds of a fit, in float64 but where it says float32, and "
        "the largest difference of the predictions: they are the same networks. The "
        f"libraries take turns, the best of {arguments.rounds} counts. {conditions()}\n\n"
        f"{table(header, rows)}\n"
    )
    publish("everyday", text, arguments.write)


if __name__ == "__main__":
    main()
