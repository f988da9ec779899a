"""The memory that a fit needs, and the memory that it keeps."""

import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest
from scipy import sparse

from skgd import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINDS = {
    "adam": {},
    "normalized": {"batch_normalization": True},
    "early stopping": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
}


def data(estimator, n_samples=40, dtype="float64"):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 5)).astype(dtype)
    y = X[:, 0] > 0 if estimator is MLPClassifier else X[:, 0].copy()
    return X, y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_model_keeps_nothing_of_the_data(estimator, kind):
    for container in (np.array, sparse.csr_array):
        X, y = data(estimator)
        X, weight = container(X), np.ones(len(y))
        model = estimator(hidden_layer_sizes=(3,), max_iter=2, **KINDS[kind])
        model.fit(X, y, sample_weight=weight).predict(X)
        if kind != "lbfgs":
            model.set_params(early_stopping=False).partial_fit(X, y)
        buffers = [X.data if sparse.issparse(X) else X, y, weight]
        # A view refers to its array, whatever else has become of it.
        kept = [weakref.ref(array) for array in buffers]
        del X, y, weight, buffers
        gc.collect()
        assert [array() for array in kept] == [None, None, None]
        assert model.coefs_


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_thousand_fits_leave_nothing_behind(estimator):
    X, y = data(estimator)

    def fits(number):
        for seed in range(number):
            model = estimator(hidden_layer_sizes=(3,), max_iter=2, random_state=seed)
            model.set_params(**list(KINDS.values())[seed % len(KINDS)])
            model.fit(X, y).predict(X)
        gc.collect()
        return sys.getallocatedblocks()

    # Python keeps the rooms of some hundred small objects for the next ones.
    before = fits(1000)
    # An object kept of each would make a thousand.
    assert fits(1000) - before < 500


@pytest.mark.parametrize("kind", ["adam", "normalized", "early stopping"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_peak_does_not_grow_with_the_epochs(kind, dtype):
    X, y = data(MLPRegressor, 20_000, dtype)

    def peak(max_iter):
        model = MLPRegressor(
            hidden_layer_sizes=(8,),
            max_iter=max_iter,
            n_iter_no_change=5,
            learning_rate_init=1e-4,
            random_state=0,
            **KINDS[kind],
        )
        tracemalloc.start()
        try:
            model.fit(X, y)
            assert model.n_iter_ == max_iter
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # with the kernels that it loads
    # A call takes the orders of up to 6 epochs, 160 kB each, as the clock has it.
    assert peak(36) - peak(6) < 8 * 160_000
