"""``predict_log_proba`` compared with the exact logarithms, to many digits."""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest
from scipy import sparse

from skgd import MLPClassifier
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# The linear outputs of a network without hidden layers whose weights are the unit matrix.
OUTPUTS = [0.0, 1e-9, -1e-3, 0.5, -2.0, 17.0, 40.0, -40.0, 100.0, -104.0, 740.0, -900.0]
TARGETS = {
    "binary": ["no", "yes"] * 6,
    "multiclass": list("abc") * 4,
    "multilabel": np.array([[0, 1, 1], [1, 0, 1]] * 6),
    "single": ["only"] * 12,
}


def network(task, dtype):
    """Make a network whose linear outputs are its inputs."""
    n_outputs = 1 if task in ("binary", "single") else 3
    X = np.zeros((12, n_outputs), dtype)
    model = MLPClassifier((), max_iter=1).fit(X, TARGETS[task])
    model.coefs_ = [np.eye(n_outputs, dtype=dtype)]
    model.intercepts_ = [np.zeros(n_outputs, dtype)]
    return model


def rows(task, dtype):
    values = np.array(OUTPUTS, dtype)
    if task in ("binary", "single"):
        return values[:, np.newaxis]
    shifted = [np.roll(values, k) for k in (0, 1, 5)]
    return np.column_stack(shifted)


@cache
def exact(task, z):
    """Return the logarithms for one row of linear outputs."""
    with localcontext() as context:
        context.prec = 1000
        exponentials = [Decimal(float(value)).exp() for value in z]
        if task == "single":
            return [0.0]
        if task == "multiclass":
            total = sum(exponentials)
            return [float((e / total).ln()) for e in exponentials]
        if task == "binary":
            (e,) = exponentials
            return [float((1 / (1 + e)).ln()), float((e / (1 + e)).ln())]
        return [float((e / (1 + e)).ln()) for e in exponentials]


@all_pairs(
    task=TARGETS,
    dtype=["float32", "float64"],
    container=[np.asarray, sparse.csr_array, sparse.csc_matrix],
)
def test_log_probabilities_are_exact(task, dtype, container):
    X = rows(task, dtype)
    model = network(task, dtype)
    with np.errstate(all="raise"):
        found = model.predict_log_proba(container(X))
    expected = np.array([exact(task, tuple(z)) for z in X])
    assert found.dtype == dtype
    assert np.isfinite(found).all()
    info = np.finfo(dtype)
    # To subtract the largest output rounds by half a digit of up to 1640.
    digits = 1000 if task == "multiclass" else 8
    np.testing.assert_allclose(
        found, expected, rtol=digits * info.eps, atol=4 * info.smallest_normal
    )
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(np.exp(found), probabilities, rtol=1e-4, atol=info.eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_log_probabilities_are_finite_up_to_the_largest_number(task, dtype):
    largest = np.finfo(dtype).max
    model = network(task, dtype)
    X = np.zeros((2, model.n_features_in_), dtype)
    X[:, 0] = largest, -largest / 2
    found = model.predict_log_proba(X)
    if task == "binary":
        np.testing.assert_array_equal(found, [[-largest, 0], [0, -largest / 2]])
    elif task == "multilabel":
        np.testing.assert_array_equal(found[:, 0], [0, -largest / 2])
    else:
        np.testing.assert_array_equal(found[0], [0, -largest, -largest])
        assert found[1, 0] == -largest / 2


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_outputs_that_overflow(task):
    """As with the probabilities: some are known, others raise."""
    model = network(task, "float64")
    model.coefs_[0] *= 10
    X = np.zeros((1, model.n_features_in_))
    X[:, 0] = 1e308
    if task == "multiclass":
        for method in (model.predict_proba, model.predict_log_proba):
            with pytest.raises(ValueError, match="not finite"):
                method(X)
    elif task == "binary":
        np.testing.assert_array_equal(model.predict_proba(X), [[0, 1]])
        np.testing.assert_array_equal(model.predict_log_proba(X), [[-np.inf, 0]])
    else:
        assert model.predict_log_proba(X)[0, 0] == 0


def test_hidden_layers_of_every_kind():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    for y in ((X[:, 0] > 0), X.argmax(axis=1), (X > 0).astype(int)):
        for parameters in ({}, {"activation": "tanh", "batch_normalization": True}):
            model = MLPClassifier((5, 4), max_iter=3, **parameters).fit(X, y)
            np.testing.assert_allclose(
                model.predict_log_proba(X), np.log(model.predict_proba(X)), rtol=1e-12
            )


def test_rows_are_validated():
    model = network("binary", "float64")
    with pytest.raises(ValueError, match="NaN"):
        model.predict_log_proba([[np.nan]])
    with pytest.raises(ValueError, match="2 features"):
        model.predict_log_proba([[1.0, 2.0]])
