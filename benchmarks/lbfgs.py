"""solver='lbfgs' beside scikit-learn's, on small data: python benchmarks/lbfgs.py.

Both run the same iterations of SciPy's L-BFGS-B; what differs is the time of an evaluation.
The libraries take turns, and the best of several fits counts.
"""

import argparse
import warnings
from functools import partial

from report import best_seconds
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


def measure(data, name, hidden, activation, repeats):
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
    return best_seconds(fits, repeats + 1), models


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    print("| data | hidden | scikit-learn, ms | skgd, ms | ratio | iterations | loss |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for data, name, hidden, activation in CASES:
        (theirs, ours), models = measure(data, name, hidden, activation, repeats)
        iterations = " and ".join(str(model.n_iter_) for model in models)
        losses = " and ".join(f"{model.loss_:.3g}" for model in models)
        print(
            f"| {data} | {hidden} {activation} | {1000 * theirs:.1f} | {1000 * ours:.1f} "
            f"| {theirs / ours:.1f} | {iterations} | {losses} |"
        )


if __name__ == "__main__":
    main()
