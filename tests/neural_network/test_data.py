import warnings

import numba
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skgd import MLPClassifier, MLPRegressor
from skgd.engine.train import train
from skgd.neural_network._data import as_rows
from skgd.schedules import Scheduled
from skgd.solvers import SOLVERS

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("make", [np.array, sparse.csr_array, sparse.csc_array])
def test_kernels_get_read_only_arrays_of_one_type(make, weighted, dtype):
    """Of one type each, so that nothing but the dtype compiles the loop anew."""
    X = make(rng.normal(size=(6, 3)))
    weight = np.ones(6) if weighted else None
    data = as_rows(X, np.dtype(dtype), np.ones((6, 1)), weight)
    for name, array in data._asdict().items():
        kinds = {"columns": np.int32, "row_starts": np.int64}
        kinds |= {"codes": np.uint16, "bins": np.uint16}
        expected = kinds.get(name, dtype)
        assert array.dtype == expected
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    if sparse.issparse(X):
        rebuilt = sparse.csr_array(
            (data.values, data.columns, data.row_starts), shape=X.shape
        )
        np.testing.assert_allclose(rebuilt.toarray(), X.toarray(), rtol=1e-7)
    else:
        np.testing.assert_array_equal(data.X.reshape(X.shape), X.astype(dtype))


def test_data_of_the_right_dtype_are_not_copied():
    X, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    data = as_rows(X, np.dtype("float64"), y, y[:, 0])
    assert np.shares_memory(data.X, X)
    assert np.shares_memory(data.y, y)
    rows = sparse.csr_array(X)
    assert np.shares_memory(as_rows(rows, np.dtype("float64")).values, rows.data)
    assert X.flags.writeable
    assert y.flags.writeable


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_nothing_but_the_dtype_compiles_the_loop_anew():
    X = rng.normal(size=(30, 4))
    y = (X[:, 0] > 0).astype(int)
    for dtype in (np.float32, np.float64):
        for solver in SOLVERS:
            for hidden in ((), (3,), (3, 4, 5)):
                MLPClassifier(
                    hidden_layer_sizes=hidden,
                    solver=solver,
                    batch_normalization=True,
                    learning_rate="inverse_time",
                    staircase=False,
                    max_iter=2,
                ).fit(sparse.csr_array(X.astype(dtype)), y, np.ones(30))
        MLPRegressor(max_iter=1, shuffle=False, activation="tanh").fit(X.astype(dtype), y)
        for schedule in ("constant", "cosine"):
            network = MLPRegressor(max_iter=1, dropout=Scheduled(0.1, schedule))
            network.fit(X.astype(dtype), y)
    assert len(train.dispatcher.signatures) == 2


def test_rows_that_need_no_validation_are_still_looked_at():
    """Their sum overflows though they are finite, or is not a number."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 3)).astype(np.float32), np.arange(20) % 2
    model = MLPClassifier((4,), random_state=0).partial_fit(X, y, classes=[0, 1])
    large = np.full((100, 3), 1e37, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(model.predict(large), model.predict(large.astype(">f4")))
    for bad in (np.nan, np.inf):
        X[3, 1] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            model.predict(X)
    with pytest.raises(ValueError, match="expecting 3 features"):
        model.predict(np.ones((2, 4)))
