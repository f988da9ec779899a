"""A network that scikit-learn has fitted is converted to skgd's."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import neural_network as sk
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgd
from tests.drop_in.tasks import (
    CLASSIFICATION,
    TASKS,
    assert_same_curves,
    assert_same_predictions,
    assert_same_weights,
    data,
    networks,
    quietly,
)

SOLVERS = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    # The rate has fallen a few times when it moves over.
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 1e3,
        "n_iter_no_change": 1,
    },
}


def moved(task, **parameters):
    ours, theirs = networks(task, max_iter=7, learning_rate_init=0.02, **parameters)
    X, y, _ = data(task)
    quietly(theirs.fit, X, y)
    return type(ours).from_sklearn(theirs), theirs, X, y


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("task", TASKS)
def test_predicts_the_same(task, solver):
    ours, theirs, X, _ = moved(task, solver=solver)
    assert_same_predictions(ours, theirs, X, 1e-13)
    parameters = ours.get_params()
    assert theirs.get_params().items() <= parameters.items()
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            assert pickle.dumps(getattr(ours, name)) == pickle.dumps(value)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_partial_fit_goes_on(task, solver):
    ours, theirs, X, y = moved(task, **SOLVERS[solver])
    # Neither changes with the other.
    for model, other in ((theirs, ours), (ours, theirs)):
        before = other.predict(X)
        for _ in range(3):
            model.partial_fit(X, y)
        np.testing.assert_array_equal(other.predict(X), before)
        assert other.t_ == 150 * (7 if other is ours else 10)
    assert_same_weights(ours, theirs, 1e-8)
    assert_same_curves(ours, theirs, 1e-8, losses=task != "multioutput")


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@pytest.mark.parametrize("task", ["binary", "strings", "multilabel", "regression"])
def test_warm_start_goes_on(task, solver):
    ours, theirs, X, y = moved(
        task, warm_start=True, **SOLVERS.get(solver, {"solver": solver})
    )
    for model in (ours, theirs):
        quietly(model.fit, X, y)
    assert_same_weights(ours, theirs, 1e-6)


def test_names_of_features_and_classes():
    X, y, _ = data("strings")
    X = pd.DataFrame(X, columns=list("abcdef"))
    _, theirs = networks("strings", max_iter=3, early_stopping=True)
    quietly(theirs.fit, X, y)
    ours = skgd.MLPClassifier.from_sklearn(theirs)
    assert ours.feature_names_in_.tolist() == list("abcdef")
    assert ours.classes_.tolist() == ["ash", "birch", "cedar"]
    assert ours.validation_scores_ == theirs.validation_scores_
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(X[list("fedcba")])


def test_a_pickled_pipeline():
    X, y, _ = data("regression")
    network = sk.MLPRegressor(
        hidden_layer_sizes=(8,), solver="lbfgs", max_iter=20, random_state=0
    )
    pickled = pickle.dumps(quietly(make_pipeline(StandardScaler(), network).fit, X, y))
    pipeline = pickle.loads(pickled)
    expected = pipeline.predict(X)
    pipeline.steps[-1] = ("mlp", skgd.MLPRegressor.from_sklearn(pipeline[-1]))
    pipeline = pickle.loads(pickle.dumps(pipeline))
    assert type(pipeline[-1]).__module__.startswith("skgd")
    np.testing.assert_allclose(pipeline.predict(X), expected, rtol=1e-12)


def test_float32():
    X, y, _ = data("binary", np.float32)
    theirs = quietly(sk.MLPClassifier(max_iter=3).fit, X, y)
    ours = skgd.MLPClassifier.from_sklearn(theirs).partial_fit(X, y)
    assert {a.dtype for a in ours.coefs_} == {np.dtype(np.float32)}


@pytest.mark.parametrize("task", [CLASSIFICATION[0], "regression"])
def test_other_estimators_raise(task):
    ours, theirs = networks(task)
    make = type(ours).from_sklearn
    with pytest.raises(NotFittedError):
        make(theirs)
    other = skgd.MLPRegressor if task == "binary" else skgd.MLPClassifier
    for wrong in (ours, StandardScaler(), None, type(theirs)):
        with pytest.raises(TypeError, match=f"sklearn.*{type(theirs).__name__}"):
            make(wrong)
    with pytest.raises(TypeError):
        other.from_sklearn(theirs)
