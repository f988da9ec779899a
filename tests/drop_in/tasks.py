"""Small learning tasks of every kind, and both libraries' networks for them."""

import inspect
import warnings
from functools import cache

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network as sk
from sklearn.exceptions import ConvergenceWarning

import skgd

# Since scikit-learn 1.7 its networks know sample weights and the Poisson loss.
SINCE_1_7 = "sample_weight" in inspect.signature(sk.MLPClassifier.fit).parameters

CLASSIFICATION = ["binary", "multiclass", "strings", "multilabel"]
REGRESSION = ["regression", "multioutput"] + ["poisson"] * SINCE_1_7
TASKS = CLASSIFICATION + REGRESSION
WEIGHTED = [False, True] if SINCE_1_7 else [False]

N_SAMPLES, N_FEATURES = 150, 6


@cache
def _draw():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES))
    X[rng.uniform(size=X.shape) < 0.4] = 0
    signal = X @ rng.standard_normal((N_FEATURES, 3)) + 0.5 * X[:, :3] ** 2
    signal += 0.3 * rng.standard_normal(signal.shape)
    classes = signal.argmax(axis=1)
    targets = {
        "binary": (signal[:, 0] > 0.5).astype(int),
        "multiclass": classes * 2 + 1,
        "strings": np.array(["ash", "birch", "cedar"])[classes],
        "multilabel": (signal > 0.2).astype(int),
        "regression": signal[:, 0],
        "multioutput": signal,
        "poisson": rng.poisson(np.exp(np.clip(signal[:, 0], -2, 2))).astype(float),
    }
    return X, targets, rng.uniform(0.2, 3, N_SAMPLES)


def data(task, dtype=np.float64, container="dense", weighted=False):
    """Return X, y and the keyword arguments of ``fit``."""
    X, targets, weight = _draw()
    X = X.astype(dtype)
    if container != "dense":
        X = sparse.csr_matrix(X).asformat(container)
    return X, targets[task], {"sample_weight": weight} if weighted else {}


def networks(task, **parameters):
    """Return skgd's network and scikit-learn's, of the same parameters."""
    if task == "strings" and parameters.get("early_stopping") and not SINCE_1_7:
        pytest.skip("This scikit-learn asks whether the names of the classes are finite.")
    parameters = {"hidden_layer_sizes": (8, 5), "random_state": 3, **parameters}
    if task in CLASSIFICATION:
        return skgd.MLPClassifier(**parameters), sk.MLPClassifier(**parameters)
    if task == "poisson":
        parameters["loss"] = "poisson"
    return skgd.MLPRegressor(**parameters), sk.MLPRegressor(**parameters)


def quietly(method, *args, **kwargs):
    """Call without the warning that training has not converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return method(*args, **kwargs)


def fitted(task, X, y, fit_parameters, **parameters):
    """Fit both libraries' networks to the same data."""
    pair = networks(task, **parameters)
    for model in pair:
        quietly(model.fit, X, y, **fit_parameters)
    return pair


def assert_close(ours, theirs, tolerance):
    """Compare relative to the largest element."""
    theirs = np.asarray(theirs, dtype=float)
    scale = np.abs(theirs).max(initial=0)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale)


def assert_same_weights(ours, theirs, tolerance):
    assert len(ours.coefs_) == len(theirs.coefs_)
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            assert a.shape == b.shape
            assert_close(a, b, tolerance)


def assert_same_predictions(ours, theirs, X, tolerance):
    for method in ("predict", "predict_proba"):
        if hasattr(theirs, method):
            a, b = getattr(ours, method)(X), getattr(theirs, method)(X)
            assert (type(a), a.shape) == (type(b), b.shape)
            if sparse.issparse(b):
                a, b = a.toarray(), b.toarray()
            if a.dtype.kind == "f":
                assert_close(a, b, tolerance)
            else:
                np.testing.assert_array_equal(a, b)
                assert a.dtype == b.dtype


def assert_same_curves(ours, theirs, tolerance, losses=True):
    """Compare what training reports.

    Of several regression outputs scikit-learn reports the mean loss, and minimizes the
    sum: ``losses`` says whether the two are the same.
    """
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    for name in ("validation_scores_", "best_validation_score_"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert (a is None) == (b is None)
        if a is not None:
            assert_close(a, b, tolerance)
    assert len(ours.loss_curve_) == len(theirs.loss_curve_)
    assert (ours.best_loss_ is None) == (theirs.best_loss_ is None)
    if losses:
        assert_close(ours.loss_curve_, theirs.loss_curve_, tolerance)
        assert_close(ours.loss_, theirs.loss_, tolerance)
        if ours.best_loss_ is not None:
            assert_close(ours.best_loss_, theirs.best_loss_, tolerance)
