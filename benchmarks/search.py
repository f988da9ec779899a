"""GridSearchCV of 24 candidates by n_jobs: python benchmarks/search.py [--write]."""

import warnings

from joblib import parallel_config
from report import best_seconds, conditions, options, publish, table
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skgd

GRID = {
    "mlpclassifier__solver": ["minibatch", "momentum", "rmsprop", "adam"],
    "mlpclassifier__alpha": [1e-5, 1e-4, 1e-3],
    "mlpclassifier__batch_normalization": [False, True],
}


def search(backend, n_jobs):
    """Return a search: small networks, three folds."""
    X, y = load_digits(return_X_y=True)
    network = skgd.MLPClassifier((32,), max_iter=60, random_state=0)
    pipeline = make_pipeline(skgd.ZScoreScaler(), network)

    def run():
        with parallel_config(backend, n_jobs=n_jobs):
            GridSearchCV(pipeline, GRID, cv=3).fit(X, y)

    return run


def main():
    arguments = options(__doc__, rounds=3)
    # In loky's processes, too.
    warnings.simplefilter("ignore")
    ways = [("threading", 1), ("threading", 2), ("loky", 2)]
    runs = [search(*way) for way in ways]
    for run in runs:
        run()
    seconds = best_seconds(runs, arguments.rounds)
    rows = [
        [f"{backend}, {n_jobs}", f"{s:.2f}", f"{seconds[0] / s:.2f}"]
        for (backend, n_jobs), s in zip(ways, seconds, strict=True)
    ]
    header = ["backend, n_jobs", "seconds", "times as fast"]
    text = (
        "# Search\n\n`GridSearchCV` over 24 candidates, three folds, of a scaler and a "
        "network of 32 hidden units on the digits. "
        f"The best of {arguments.rounds}. {conditions()}\n\n{table(header, rows)}\n"
    )
    publish("search", text, arguments.write)


if __name__ == "__main__":
    main()
