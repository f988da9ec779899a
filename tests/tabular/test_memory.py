"""Members share one encoded table, and a model keeps nothing of the data."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from skgd import TabularMLPClassifier, TabularMLPRegressor
from tests.tabular.tables import SMALL

N_ROWS, N_COLUMNS = 100_000, 20

# A scaled number, a bin of two bytes and a fraction.
TABLE = N_ROWS * N_COLUMNS * (4 + 2 + 4)


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).normal(size=(N_ROWS, N_COLUMNS))
    return X, X[:, 0] > 0


def peak(estimator, data, **parameters):
    X, y = data
    model = estimator(**SMALL | {"max_iter": 1, "batch_size": 256} | parameters)
    tracemalloc.start()
    try:
        model.fit(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [TabularMLPClassifier, TabularMLPRegressor])
@pytest.mark.parametrize("refit", [False, True])
def test_members_share_a_table(estimator, refit, data):
    peak(estimator, data)  # with the kernels that it loads
    few, many = (peak(estimator, data, n_members=n, n_jobs=2, refit=refit) for n in (2, 6))
    # One table, and buffers of a few columns.
    assert few < 1.6 * TABLE
    # The order of the rows, and predictions of those held out.
    assert many - few < 4 * 0.1 * TABLE


@pytest.mark.parametrize("estimator", [TabularMLPClassifier, TabularMLPRegressor])
def test_predictions_need_the_encoded_rows(estimator, data):
    X, y = data
    model = estimator(**SMALL | {"max_iter": 1}).fit(X[:300], y[:300])
    model.predict(X)  # with the kernels that it loads
    tracemalloc.start()
    try:
        model.predict(X)
        assert tracemalloc.get_traced_memory()[1] < 1.6 * TABLE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("estimator", [TabularMLPClassifier, TabularMLPRegressor])
def test_a_model_keeps_nothing_of_the_data(estimator, refit):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y, weight = X[:, 0] > 0, np.ones(60)
    model = estimator(**SMALL, refit=refit).fit(X, y, sample_weight=weight)
    model.predict(X)
    kept = [weakref.ref(array) for array in (X, y, weight)]
    del X, y, weight
    gc.collect()
    assert [array() for array in kept] == [None, None, None]
    arrays = [v for v in vars(model).values() if isinstance(v, np.ndarray)]
    arrays += [member["parameters"] for member in model.members_]
    # Views would keep what they are views of.
    assert all(array.base is None or array.base.size == array.size for array in arrays)
