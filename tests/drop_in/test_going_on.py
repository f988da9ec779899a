"""warm_start and partial_fit continue as in scikit-learn, or as a single longer fit."""

from itertools import pairwise

import numpy as np
import pytest

from skgd import MLPClassifier, MLPRegressor
from tests.drop_in.tasks import (
    CLASSIFICATION,
    TASKS,
    WEIGHTED,
    assert_close,
    assert_same_curves,
    assert_same_predictions,
    assert_same_weights,
    data,
    networks,
    quietly,
)
from tests.pairs import all_pairs

STEPS = {"batch_size": 32, "learning_rate_init": 0.02}
SOLVERS = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
}


def partial_fit(model, X, y, **kwargs):
    if hasattr(model, "predict_proba") and not hasattr(model, "coefs_"):
        kwargs["classes"] = np.arange(y.shape[1]) if y.ndim > 1 else np.unique(y)
    return model.partial_fit(X, y, **kwargs)


@all_pairs(task=TASKS, solver=SOLVERS, shuffle=[False, True], weighted=WEIGHTED)
def test_partial_fit(task, solver, shuffle, weighted):
    """Batches of the data, one of a single class or row among them."""
    X, y, fit_parameters = data(task, weighted=weighted)
    ours, theirs = networks(
        task, shuffle=shuffle, learning_rate_init=0.02, **SOLVERS[solver]
    )
    alike = np.flatnonzero(y == y[0]) if task in CLASSIFICATION[:3] else [3]
    for rows in (slice(0, 40), slice(40, 75), alike, slice(0, 150), slice(75, 110)):
        weights = {name: w[rows] for name, w in fit_parameters.items()}
        for model in (ours, theirs):
            partial_fit(model, X[rows], y[rows], **weights)
        assert_same_weights(ours, theirs, 1e-8)
    assert len(ours.loss_curve_) == 5
    assert_same_curves(ours, theirs, 1e-8, losses=task != "multioutput")
    assert_same_predictions(ours, theirs, X, 1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_partial_fit_after_fit(task, solver):
    """It goes on with the optimizer of the fit."""
    X, y, _ = data(task)
    ours, theirs = networks(task, max_iter=5, **STEPS, **SOLVERS[solver])
    for model in (ours, theirs):
        quietly(model.fit, X, y)
        model.partial_fit(X, y).partial_fit(X[:50], y[:50])
    assert_same_weights(ours, theirs, 1e-8)
    assert_same_curves(ours, theirs, 1e-8, losses=task != "multioutput")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_warm_start(task, solver):
    """Weights and curves go on, the optimizer starts anew."""
    X, y, _ = data(task)
    ours, theirs = networks(task, warm_start=True, max_iter=4, **STEPS, **SOLVERS[solver])
    for fits in range(1, 4):
        for model in (ours, theirs):
            quietly(model.fit, X, y)
        assert ours.t_ == 4 * 150 * fits
        assert len(ours.loss_curve_) == 4 * fits
        assert_same_weights(ours, theirs, 1e-8)
        assert_same_curves(ours, theirs, 1e-8, losses=task != "multioutput")
    assert_same_predictions(ours, theirs, X, 1e-8)


@pytest.mark.parametrize("task", ["binary", "strings", "multilabel", "regression"])
def test_warm_start_after_the_patience_is_used_up(task):
    """The count of epochs without improvement goes on, too: one more epoch each."""
    X, y, _ = data(task)
    ours, theirs = networks(task, warm_start=True, max_iter=50, tol=1e3, n_iter_no_change=3)
    for epochs in (5, 1, 1):
        for model in (ours, theirs):
            model.fit(X, y)
        # The first epoch always improves: on nothing.
        assert ours.n_iter_ == epochs
        assert_same_curves(ours, theirs, 1e-8)


@pytest.mark.parametrize("task", ["binary", "strings", "regression"])
def test_warm_start_with_early_stopping(task):
    X, y, _ = data(task)
    ours, theirs = networks(task, warm_start=True, early_stopping=True, max_iter=6, **STEPS)
    for fits in range(1, 4):
        for model in (ours, theirs):
            quietly(model.fit, X, y)
        assert len(ours.validation_scores_) == 6 * fits
        assert ours.validation_scores_[:6] == pytest.approx(
            theirs.validation_scores_[:6], rel=1e-8
        )
        if fits == 1:
            assert_same_weights(ours, theirs, 1e-8)
            assert_same_curves(ours, theirs, 1e-8)


@pytest.mark.parametrize("task", ["binary", "strings", "poisson", "regression"])
def test_warm_start_of_lbfgs(task):
    if task not in TASKS:
        pytest.skip("This scikit-learn does not know it.")
    X, y, _ = data(task)
    ours, theirs = networks(
        task, solver="lbfgs", activation="tanh", warm_start=True, max_iter=7
    )
    for _ in range(3):
        for model in (ours, theirs):
            quietly(model.fit, X, y)
        assert ours.n_iter_ == theirs.n_iter_
        assert_same_weights(ours, theirs, 1e-5)


def test_float64_rows_after_float32_ones():
    """A network keeps the dtype of its first fit."""
    X, y, _ = data("regression")
    ours, theirs = networks("regression", warm_start=True, max_iter=3)
    for model in (ours, theirs):
        quietly(model.fit, X.astype(np.float32), y)
        quietly(model.fit, X, y)
    assert [c.dtype for c in ours.coefs_] == [c.dtype for c in theirs.coefs_]
    assert_same_weights(ours, theirs, 1e-4)


SCHEDULES = ["constant", "invscaling", "inverse_time", "adaptive"]


@all_pairs(
    solver=["minibatch", "momentum", "rmsprop", "adam"],
    schedule=SCHEDULES,
    batch_normalization=[False, True],
)
def test_repeated_partial_fit_is_one_fit(solver, schedule, batch_normalization):
    """Without shuffling: partial_fit draws the order anew from an integer seed."""
    X, y, _ = data("strings")
    parameters = {
        "solver": solver,
        "learning_rate": schedule,
        "batch_normalization": batch_normalization,
        "shuffle": False,
        "random_state": 0,
        "decay_steps": 3,
        "batch_size": 32,
    }
    whole = quietly(MLPClassifier(max_iter=6, **parameters).fit, X, y)
    steps = MLPClassifier(**parameters)
    for _ in range(6):
        partial_fit(steps, X, y)
    for a, b in zip(whole.coefs_, steps.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.loss_curve_ == steps.loss_curve_


def _warm_is_one_longer_fit(X, y, epochs=6, **parameters):
    parameters = {"shuffle": False, "batch_size": 32, **parameters}

    def model(**kwargs):
        # An instance, for the shuffles of the next fit to be others.
        return MLPRegressor(random_state=np.random.RandomState(0), **parameters, **kwargs)

    whole = quietly(model(max_iter=epochs).fit, X, y)
    steps = model(max_iter=1, warm_start=True)
    for _ in range(epochs):
        quietly(steps.fit, X, y)
    assert len(steps.loss_curve_) == epochs
    return all(
        np.array_equal(a, b)
        for a, b in zip(
            whole.coefs_ + whole.intercepts_, steps.coefs_ + steps.intercepts_, strict=True
        )
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "minibatch"},
        {"solver": "minibatch", "batch_normalization": True},
        {"solver": "minibatch", "learning_rate": "adaptive"},
        {"solver": "momentum", "momentum": 0.0},
    ],
    ids=str,
)
def test_repeated_warm_start_is_one_fit_without_a_state(parameters):
    X, y, _ = data("regression")
    assert _warm_is_one_longer_fit(X, y, **parameters)


# In fits of one epoch.
@pytest.mark.filterwarnings("ignore:learning_rate='invscaling' has no effect")
@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "momentum"},
        {"solver": "rmsprop"},
        {"solver": "adam"},
        {"solver": "minibatch", "learning_rate": "invscaling"},
        {"solver": "minibatch", "learning_rate": "inverse_time", "decay_steps": 4},
        # Each fit shuffles the rows as they come, an epoch those of the epoch before.
        {"solver": "minibatch", "shuffle": True},
    ],
    ids=str,
)
def test_repeated_warm_start_restarts_the_state(parameters):
    """As scikit-learn's does; to keep it, call partial_fit."""
    X, y, _ = data("regression")
    assert not _warm_is_one_longer_fit(X, y, **parameters)


def test_loss_curve_of_a_fit_from_scratch_starts_anew():
    X, y, _ = data("binary")
    ours, theirs = networks("binary", max_iter=3)
    for model in (ours, theirs):
        for _ in range(2):
            quietly(model.fit, X, y)
    assert_same_curves(ours, theirs, 1e-8)
    assert len(ours.loss_curve_) == 3


@pytest.mark.parametrize("task", CLASSIFICATION)
def test_unseen_classes_raise(task):
    X, y, _ = data(task)
    if y.ndim > 1:
        pytest.skip("A multilabel target has as many classes as columns.")
    other = np.full_like(y, "yew" if task == "strings" else 99)
    ours, theirs = networks(task, warm_start=True, max_iter=2)
    for model in (ours, theirs):
        quietly(model.fit, X, y)
        with pytest.raises(ValueError, match="same classes"):
            model.fit(X, other)
        model.set_params(warm_start=False)
        with pytest.raises(ValueError, match="classes"):
            model.partial_fit(X, other)


def test_losses_fall():
    """A check of the tasks themselves: there is something to learn, and to go on with."""
    for task in TASKS:
        X, y, _ = data(task)
        ours, _ = networks(task, max_iter=20, **STEPS)
        curve = quietly(ours.fit, X, y).loss_curve_
        assert all(after < before * 1.1 for before, after in pairwise(curve))
        assert curve[-1] < 0.9 * curve[0]
        assert_close(curve[-1], ours.loss_, 0)
