"""solver='lbfgs' beside scikit-learn's: python benchmarks/lbfgs.py [--write].

Both take the steps of SciPy's L-BFGS-B, skgd in compiled calls. The libraries
take turns, and the best of several fits counts.
"""

import warnings
from functools import partial

from report import best_seconds, conditions, options, publish, table
from sklearn import datasets, neural_network
from sklearn.preprocessing import StandardScaler

import skgd

CASES = [
    ("iris", "MLPClassifier", (10,), "relu"),
    ("iris", "MLPClassifier", (100,), "tanh"),
    ("breast_cancer", "MLPClassifier", (100,), "relu"),
    ("breast_cancer", "MLPClassifier", (50, 50), "logistic"),
    ("diabetes", "MLPRegressor", (20,), "relu"),
    ("diabetes", "MLPRegressor", (100,), "tanh"),
    ("digits", "MLPClassifier", (20,), "relu"),
    ("digits", "MLPClassifier", (100,), "relu"),
]


def measure(data, name, hidden, activation, rounds):
    """Return both libraries' best times, iterations and losses."""
    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    if name == "MLPRegressor":
        y = (y - y.mean()) / y.std()
    models = [
        getattr(library, name)(
            hidden_layer_sizes=hidden,
            activation=activation,
            solver="lbfgs",
            max_iter=50,
            random_state=0,
        )
        for library in (neural_network, skgd)
    ]
    fits = [partial(model.fit, X, y) for model in models]
    # The first compiles, or loads what is compiled.
    return best_seconds(fits, rounds + 1), models


def main():
    arguments = options(__doc__, rounds=10)
    warnings.simplefilter("ignore")
    rows = []
    for data, name, hidden, activation in CASES:
        (theirs, ours), models = measure(data, name, hidden, activation, arguments.rounds)
        iterations = " and ".join(str(model.n_iter_) for model in models)
        losses = " and ".join(f"{model.loss_:.3g}" for model in models)
        times = f"{1000 * theirs:.1f}", f"{1000 * ours:.1f}", f"{theirs / ours:.1f}"
        rows.append([f"{data}, {hidden}, {activation}", *times, iterations, losses])
    header = [
        "data, hidden, activation",
        "scikit-learn, ms",
        "skgd, ms",
        "times as fast",
        "iterations",
        "loss",
    ]
    text = (
        "# Full-batch training\n\n`solver='lbfgs'` on small data, in float64. Both take "
        "the steps of SciPy's L-BFGS-B, skgd in compiled calls, until roundings part them. "
        f"The libraries take turns, the best of {arguments.rounds} fits counts. "
        f"{conditions()}\n\n{table(header, rows)}\n"
    )
    publish("lbfgs", text, arguments.write)


if __name__ == "__main__":
    main()
