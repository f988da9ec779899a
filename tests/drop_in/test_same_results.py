"""With an integer random_state, the results are scikit-learn's, for all kinds of tasks."""

from itertools import cycle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgd.neural_network import _lbfgs
from skgd.parallel.pace import Pace
from tests.drop_in.tasks import (
    CLASSIFICATION,
    TASKS,
    WEIGHTED,
    assert_close,
    assert_same_curves,
    assert_same_predictions,
    assert_same_weights,
    data,
    fitted,
    networks,
    quietly,
)
from tests.pairs import all_pairs

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
SGD = {"solver": "sgd", "learning_rate_init": 0.02}
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "nesterov": SGD,
    "classical": {**SGD, "nesterovs_momentum": False, "momentum": 0.8},
    "invscaling": {**SGD, "learning_rate": "invscaling", "power_t": 0.2},
    # Patience for one epoch without an improvement that never comes: a fall every other.
    "adaptive": {**SGD, "learning_rate": "adaptive", "tol": 1e3, "n_iter_no_change": 1},
}
# 150 rows are 4 mini-batches and a rest, 135 with early stopping: 4 and another rest.
EPOCHS = {"batch_size": 32, "max_iter": 20}
CONTAINERS = ["dense", "csr"]


def check(task, solver, activation, weighted, container, early, shuffle, dtype, tolerance):
    X, y, fit_parameters = data(task, dtype, container, weighted)
    parameters = {**EPOCHS, **SOLVERS[solver]}
    if task == "poisson":
        # Larger steps diverge: scikit-learn reports NaN, skgd raises.
        parameters["learning_rate_init"] = 0.005
    ours, theirs = fitted(
        task,
        X,
        y,
        fit_parameters,
        activation=activation,
        early_stopping=early,
        shuffle=shuffle,
        **parameters,
    )
    assert_same_weights(ours, theirs, tolerance)
    assert_same_curves(ours, theirs, tolerance, losses=task != "multioutput")
    if dtype is np.float64 or task not in CLASSIFICATION:
        assert_same_predictions(ours, theirs, X, tolerance)
    else:
        assert_close(ours.predict_proba(X), theirs.predict_proba(X), tolerance)
        assert (ours.predict(X) == theirs.predict(X)).mean() > 0.98
    assert ours.out_activation_ == theirs.out_activation_
    for ours_too in ours.coefs_ + ours.intercepts_:
        assert ours_too.dtype == dtype


FLAGS = {
    "task": TASKS,
    "solver": SOLVERS,
    "activation": ACTIVATIONS,
    "weighted": WEIGHTED,
    "container": CONTAINERS,
    "early": [False, True],
    "shuffle": [False, True],
}


@all_pairs(**FLAGS)
def test_float64(task, solver, activation, weighted, container, early, shuffle):
    check(task, solver, activation, weighted, container, early, shuffle, np.float64, 1e-8)


@all_pairs(**FLAGS)
def test_float32(task, solver, activation, weighted, container, early, shuffle):
    check(task, solver, activation, weighted, container, early, shuffle, np.float32, 1e-3)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "nesterov", "adaptive"])
@pytest.mark.parametrize("patience", [1, 3, np.inf])
def test_patience(solver, patience, early_stopping, capsys):
    """Training stops in the same epoch, and says the same of every epoch."""
    X, y, _ = data("multiclass")
    parameters = SOLVERS[solver] | {
        "tol": 1e-2,
        "n_iter_no_change": patience,
        "early_stopping": early_stopping,
        "max_iter": 30 if patience == np.inf else 200,
        "verbose": True,
    }
    printed = []
    for model in networks("multiclass", **parameters):
        if patience == np.inf:
            quietly(model.fit, X, y)
        else:
            # Where it stops, no warning of it.
            model.fit(X, y)
        printed.append((model.n_iter_, capsys.readouterr().out))
    assert printed[0] == printed[1]
    assert printed[0][1].count("Iteration") == printed[0][0]
    assert ("Setting learning rate" in printed[0][1]) == (
        solver == "adaptive" and patience < np.inf
    )


@pytest.mark.parametrize("batch_size", [1, 50, 149, 150, "auto"])
@pytest.mark.parametrize("hidden", [(), 7, [4], (6, 5, 4), np.array([5, 3])])
def test_batches_and_depths(batch_size, hidden):
    X, y, _ = data("strings")
    ours, theirs = fitted(
        "strings", X, y, {}, batch_size=batch_size, hidden_layer_sizes=hidden, max_iter=6
    )
    assert ours.n_layers_ == theirs.n_layers_
    assert_same_weights(ours, theirs, 1e-8)
    assert_same_curves(ours, theirs, 1e-8)


def test_too_large_batches_are_clipped():
    X, y, _ = data("regression")
    ours, theirs = networks("regression", batch_size=1000, max_iter=5)
    for model in (ours, theirs):
        with pytest.warns(UserWarning, match="clipped"):
            quietly(model.fit, X, y)
    assert_same_weights(ours, theirs, 1e-8)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_random_state_instance_is_left_where_scikit_learn_leaves_it(solver, early_stopping):
    X, y, _ = data("binary")
    left = []
    for model in networks(
        "binary",
        solver=solver,
        early_stopping=early_stopping,
        n_iter_no_change=3,
        tol=1e-2,
    ):
        model.random_state = np.random.RandomState(5)
        quietly(model.fit, X, y)
        left.append(model.random_state.uniform(size=3))
    assert_array_equal(*left)


def test_numpy_s_global_random_state():
    X, y, _ = data("regression")
    ours, theirs = networks("regression", random_state=None, max_iter=4)
    for model in (ours, theirs):
        np.random.seed(11)  # noqa: NPY002
        quietly(model.fit, X, y)
    assert_same_weights(ours, theirs, 1e-8)


@all_pairs(
    task=[task for task in TASKS if task != "multioutput"],
    activation=ACTIVATIONS,
    weighted=WEIGHTED,
    container=CONTAINERS,
)
# Several regression outputs: scikit-learn gives L-BFGS the mean loss over them with the
# gradient of the sum.
def test_lbfgs(task, activation, weighted, container):
    X, y, fit_parameters = data(task, container=container, weighted=weighted)
    ours, theirs = fitted(
        task,
        X,
        y,
        fit_parameters,
        solver="lbfgs",
        activation=activation,
        max_iter=20,
    )
    assert ours.t_ == theirs.t_ == 0
    assert ours.n_iter_ == theirs.n_iter_
    assert_same_weights(ours, theirs, 1e-5)
    assert_same_predictions(ours, theirs, X, 1e-5)
    assert_close(ours.loss_, theirs.loss_, 1e-5)


# Calls of so many threads and blocks, in turn: some end within an evaluation.
CALLS = {
    "long": [(1, 10**6)],
    "short": [(1, 3)],
    "mixed": [(3, 2), (1, 1), (2, 1), (5, 7)],
    "many": [(8, 100)],
}


@pytest.mark.slow
@pytest.mark.parametrize("container", CONTAINERS)
def test_lbfgs_in_blocks(container, monkeypatch):
    """Rows are evaluated in blocks, one after the other or at the same time."""
    X, y, _ = data("strings", container=container)
    weight = np.linspace(0, 2, len(y))

    def fit():
        model, _ = networks(
            "strings", solver="lbfgs", activation="tanh", alpha=1.0, max_iter=20
        )
        model.set_params(n_jobs=8)
        return quietly(model.fit, X, y, sample_weight=weight)

    whole = fit()
    monkeypatch.setattr(_lbfgs, "BLOCK_ROWS", 9)
    monkeypatch.setattr(_lbfgs, "WORTH_SHARING", 0)
    models = []
    for calls in CALLS.values():
        turn = cycle(calls)
        monkeypatch.setattr(Pace, "next_call", lambda pace, turn=turn: next(turn))
        monkeypatch.setattr(Pace, "record", lambda pace, *measured: None)
        models.append(fit())
    assert_same_weights(models[0], whole, 1e-6)
    assert models[0].loss_ == pytest.approx(whole.loss_, rel=1e-10)
    for model in models[1:]:
        assert_same_weights(model, models[0], 0)
        assert (model.loss_, model.n_iter_) == (models[0].loss_, models[0].n_iter_)
