import numpy as np
import pytest
from scipy import sparse

from skgd.engine import products
from skgd.neural_network._data import IN_ORDER, as_samples
from tests.engine.helpers import DTYPES, assert_close

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
# (rows, inputs, outputs)
SHAPES = [
    (1, 1, 1),
    (5, 7, 1),
    (33, 20, 8),
    (33, 20, 9),
    (3, 1, 40),
    (64, 50, 30),
]
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_shape = pytest.mark.parametrize("shape", SHAPES)


def draw(dtype, rows, inputs, outputs):
    rng = np.random.default_rng(0)
    shapes = [(rows, inputs), (inputs, outputs), (rows, outputs)]
    X, weights, delta = (rng.normal(size=s).astype(dtype) for s in shapes)
    return X, weights, delta


@by_dtype
@by_shape
def test_linear(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    out = np.full_like(delta, np.nan)
    products.linear(X, weights, out)
    assert_close(out, X.astype(float) @ weights.astype(float), TOLERANCE[dtype])


@by_dtype
@by_shape
def test_input_gradient(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    out = np.full_like(X, np.nan)
    products.input_gradient(delta, weights, out)
    assert_close(out, delta.astype(float) @ weights.T.astype(float), TOLERANCE[dtype])


@by_dtype
@by_shape
def test_weight_gradient_of_some_inputs(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    expected = X.T.astype(float) @ delta.astype(float)
    inputs = shape[1]
    for first, last in {(0, inputs), (inputs // 2, inputs), (0, -(-inputs // 2))}:
        out = np.full_like(weights[first:last], np.nan)
        products.weight_gradient(X, first, delta, out)
        assert_close(out, expected[first:last], TOLERANCE[dtype])


@by_dtype
@by_shape
def test_column_sums(shape, dtype):
    delta = draw(dtype, *shape)[2]
    out = np.full_like(delta[0], np.nan)
    products.column_sums(delta, out)
    assert_close(out, delta.astype(float).sum(axis=0), TOLERANCE[dtype])


@by_dtype
@by_shape
@pytest.mark.parametrize("in_order", [False, True])
def test_sparse_products(shape, dtype, in_order):
    X, weights, delta = draw(dtype, *shape)
    X[np.abs(X) < 0.5] = 0
    start, rows = shape[0] // 3, shape[0] - shape[0] // 3
    order = IN_ORDER if in_order else np.random.default_rng(1).permutation(shape[0])
    chosen = X[start:] if in_order else X[order[start:]]
    samples = as_samples(sparse.csr_array(X), np.dtype(dtype))
    out = np.full_like(delta[:rows], np.nan)
    products.sparse_linear(samples, order, start, weights, out)
    assert_close(out, chosen.astype(float) @ weights.astype(float), TOLERANCE[dtype])
    gradient = np.full_like(weights, np.nan)
    products.sparse_weight_gradient(samples, order, start, delta[:rows], gradient)
    expected = chosen.T.astype(float) @ delta[:rows].astype(float)
    assert_close(gradient, expected, TOLERANCE[dtype])
