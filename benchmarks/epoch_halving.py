"""EpochHalvingSearchCV and RandomizedSearchCV: benchmarks/epoch_halving.py [--write].

Both get the same 60 candidates and 4 folds, on the tables of `table_data` that have more
than 10,000 rows and numbers only, and on the digits. ``--write`` writes the page and its
picture.
"""

import warnings
from time import perf_counter, process_time

import numpy as np
import plots
from joblib import parallel_config
from report import conditions, options, publish, table
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_digits
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from table_data import tables

import skgd
from skgd.model_selection import EpochHalvingSearchCV

N_CANDIDATES, N_FOLDS, MAX_EPOCHS = 60, 4, 100
# The part of the rows to search with; the others are held out.
SEARCHED = 0.75
LARGE = "penbased", "rwm5yr", "labsup"
SMALL = "digits"
PARAMETERS = {
    "learning_rate_init": loguniform(3e-4, 0.1),
    "alpha": loguniform(1e-6, 1),
    "hidden_layer_sizes": [(32,), (64,), (32, 32), (64, 64)],
    "activation": ["relu", "silu", "tanh"],
    "batch_size": [32, 64, 128, 256],
    "dropout": uniform(0, 0.4),
}


def load(name):
    """Return features, targets, and whether these are numbers."""
    if name == "digits":
        return *load_digits(return_X_y=True), False
    X, y = tables[name].load()
    return X.to_numpy(float), y, tables[name].task == "regression"


def searches(is_regression, seed):
    """Return both searches, with the same candidates."""
    network = skgd.MLPRegressor if is_regression else skgd.MLPClassifier
    step = network.__name__.lower()
    parameters = {f"{step}__{name}": values for name, values in PARAMETERS.items()}

    def pipeline(**options):
        return make_pipeline(skgd.ZScoreScaler(), network(random_state=seed, **options))

    plain = RandomizedSearchCV(
        pipeline(max_iter=MAX_EPOCHS),
        parameters,
        n_iter=N_CANDIDATES,
        cv=N_FOLDS,
        random_state=seed,
    )
    halving = EpochHalvingSearchCV(
        pipeline(),
        parameters,
        n_candidates=N_CANDIDATES,
        max_epochs=MAX_EPOCHS,
        cv=N_FOLDS,
        random_state=seed,
    )
    return plain, halving


def measure(name, seed):
    """Return both searches, the time of each, and their scores on rows held out.

    Times are of the clock and of all processors.
    """
    X, y, is_regression = load(name)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=SEARCHED, random_state=seed, stratify=None if is_regression else y
    )
    found = searches(is_regression, seed)
    times = []
    for search in found:
        started = np.array([perf_counter(), process_time()])
        # Without the last fit, which is the same.
        search.set_params(refit=False).fit(X, y)
        times.append(np.array([perf_counter(), process_time()]) - started)
    scores = []
    for search in found:
        model = search.estimator.set_params(**search.best_params_)
        model[-1].set_params(max_iter=MAX_EPOCHS)
        scores.append(model.fit(X, y).score(X_test, y_test))
    return found, times, scores


def main():
    arguments = options(__doc__, rounds=3)
    warnings.simplefilter("ignore")
    rows, differences, first = [], [], None
    for name in (*LARGE, SMALL):
        times, scores = [], []
        for seed in range(arguments.rounds):
            with parallel_config("threading", n_jobs=2):
                found, taken, reached = measure(name, seed)
            first = found[1] if seed == 0 else first
            times.append(taken)
            scores.append(reached)
            print(name, seed, taken, reached, flush=True)
        plain, halving = np.moveaxis(times, 1, 0)
        seconds = np.median(times, axis=0)[:, 0]
        ratios = np.median(plain / halving, axis=0)
        reached = np.mean(scores, axis=0)
        difference = 100 * (reached[1] - reached[0])
        if name in LARGE:
            differences.append(difference)
        rows.append(
            [
                name,
                *(f"{value:.1f}" for value in (*seconds, *ratios)),
                *(f"{100 * value:.2f}" for value in reached),
                f"{difference:+.2f}",
            ]
        )
    rungs = [
        f"{n} candidates to epoch {epoch}"
        for n, epoch in zip(first.n_candidates_, first.n_resources_, strict=True)
    ]
    header = [
        "table",
        "seconds, random",
        "seconds, halving",
        "times as fast",
        "times less processor time",
        "score, random",
        "score, halving",
        "difference",
    ]
    text = (
        "# Search in rungs of epochs\n\n"
        "`EpochHalvingSearchCV` compared with `RandomizedSearchCV`. Both get the same "
        f"{N_CANDIDATES} candidates, {N_FOLDS} folds and at most {MAX_EPOCHS} epochs, for "
        "`ZScoreScaler` and a network of one or two hidden layers, two fits at a time. The "
        "rungs are: " + ", ".join(rungs) + ".\n\n"
        "The tables are those of our benchmarks with more than 10,000 rows and numbers "
        "only, as a search takes long there, and the digits, whose fits take some 30 ms. "
        f"Each search takes its turn on {arguments.rounds} random selections of "
        f"{SEARCHED:.0%} of the rows. Times are medians; they leave out the last fit to "
        "all rows, which is the same. Scores are the mean accuracy or R² in percent, on "
        f"the rows that are left, of the candidate that was chosen. {conditions()}\n\n"
        f"{table(header, rows)}\n\n"
        "On the three larger tables, the mean difference is "
        f"{np.mean(differences):+.2f} percentage points. On the digits, it takes about as "
        "long to prepare a fit of few epochs and to score it as to train it, so the search "
        "saves less.\n\n"
        "![Mean scores of all candidates by epoch](epoch_halving.svg)\n\n"
        "The first search on the digits. Each line is a candidate, from rung to rung.\n"
    )
    if arguments.write:
        plots.rungs("epoch_halving", first.cv_results_)
    publish("epoch_halving", text, arguments.write)


if __name__ == "__main__":
    main()
