from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse

from skgd.compile.jit import jit
from skgd.engine.full_batch.objective import IN_ORDER
from skgd.engine.layout import Layout, MemoryPlan
from skgd.engine.records import make_steps
from skgd.kernels import products
from skgd.kernels.multiply import DEPTH, FAR, SCRATCH_SIZE, choose
from skgd.neural_network._data import as_rows
from skgd.stages import Bias, SparseColumns
from tests.engine.helpers import DTYPES, PURE_PYTHON, assert_close, uncached

multiply = choose()
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
# (rows, inputs, outputs)
SHAPES = [
    (1, 1, 1),
    (5, 7, 1),
    (33, 20, 8),
    (33, 20, 9),
    (3, 1, 40),
    (64, 50, 30),
    # Narrow in every way, of odd rows and depths.
    (37, 67, 2),
    (37, 67, 3),
    (37, 3, 67),
    (2, 67, 3),
    (3, 1, 1),
    # More than a panel, than its depth, and rows that are far apart.
    (29, DEPTH + 3, 70),
    (DEPTH + 9, 5, 131),
    (26, 26, FAR // 4 + 1),
    (DEPTH + 1, 131, 6),
]
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_shape = pytest.mark.parametrize("shape", SHAPES)


def draw(dtype, rows, inputs, outputs):
    rng = np.random.default_rng(0)
    shapes = [(rows, inputs), (inputs, outputs), (rows, outputs)]
    X, weights, delta = (rng.normal(size=s).astype(dtype) for s in shapes)
    return X, weights, delta


def scratch(dtype):
    """Make the scratch memory of a product, with contents that must not matter."""
    return np.full(SCRATCH_SIZE, np.nan, dtype=dtype)


@by_dtype
@by_shape
@pytest.mark.parametrize("with_bias", [False, True])
def test_linear(shape, dtype, with_bias):
    X, weights, delta = draw(dtype, *shape)
    bias = delta[0].copy() if with_bias else delta[0, :0]
    out = np.full_like(delta, np.nan)
    products.linear(X, weights, bias, out, multiply, scratch(dtype))
    expected = X.astype(float) @ weights.astype(float)
    assert_close(out, expected + (bias if with_bias else 0), TOLERANCE[dtype])


@by_dtype
@by_shape
def test_a_product_of_some_rows_is_that_of_all(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    bias, whole = delta[0].copy(), np.empty_like(delta)
    products.linear(X, weights, bias, whole, multiply, scratch(dtype))
    for first, last in {(0, 1), (0, shape[0]), (shape[0] // 2, shape[0])}:
        part = np.empty_like(delta[first:last])
        products.linear(X[first:last], weights, bias, part, multiply, scratch(dtype))
        if not PURE_PYTHON:
            np.testing.assert_array_equal(part, whole[first:last])


@by_dtype
@by_shape
def test_nothing_is_written_beside_a_product(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    flat = np.full(delta.size + 200, 7, dtype=dtype)
    out = flat[100:-100].reshape(delta.shape)
    products.linear(X, weights, delta[0], out, multiply, scratch(dtype))
    flat_gradient = np.full(weights.size + 200, 7, dtype=dtype)
    out = flat_gradient[100:-100].reshape(weights.shape)
    products.weight_gradient(X, 0, delta, out, multiply, scratch(dtype))
    flat_errors = np.full(X.size + 200, 7, dtype=dtype)
    out = flat_errors[100:-100].reshape(X.shape)
    products.input_gradient(delta, weights, out, multiply, scratch(dtype))
    for array in (flat, flat_gradient, flat_errors):
        assert set(array[:100]) == set(array[-100:]) == {7}


@by_dtype
@by_shape
def test_input_gradient(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    out = np.full_like(X, np.nan)
    products.input_gradient(delta, weights, out, multiply, scratch(dtype))
    assert_close(out, delta.astype(float) @ weights.T.astype(float), TOLERANCE[dtype])


@by_dtype
@by_shape
def test_weight_gradient_of_some_inputs(shape, dtype):
    X, weights, delta = draw(dtype, *shape)
    expected = X.T.astype(float) @ delta.astype(float)
    inputs = shape[1]
    for first, last in {(0, inputs), (inputs // 2, inputs), (0, -(-inputs // 2))}:
        out = np.full_like(weights[first:last], np.nan)
        products.weight_gradient(X, first, delta, out, multiply, scratch(dtype))
        assert_close(out, expected[first:last], TOLERANCE[dtype])


@by_dtype
@by_shape
def test_column_sums(shape, dtype):
    delta = draw(dtype, *shape)[2]
    out = np.full_like(delta[0], np.nan)
    products.column_sums(delta, out, multiply, scratch(dtype))
    assert_close(out, delta.astype(float).sum(axis=0), TOLERANCE[dtype])


class Numbers(NamedTuple):
    """The hyperparameters of a stage."""

    numbers: np.ndarray


@cache
def sparse_kernels(dtype):
    """Compile the kernels, which are the same for all shapes."""
    return [uncached(jit(f)) for f in SparseColumns(1, 1).kernels(np.dtype(dtype))]


@by_dtype
@by_shape
@pytest.mark.parametrize("in_order", [False, True])
def test_sparse_products(shape, dtype, in_order):
    X, weights, delta = draw(dtype, *shape)
    X[np.abs(X) < 0.5] = 0
    start, n_rows = shape[0] // 3, shape[0] - shape[0] // 3
    order = IN_ORDER if in_order else np.random.default_rng(1).permutation(shape[0])
    chosen = X[start:] if in_order else X[order[start:]]
    rows = as_rows(sparse.csr_array(X), np.dtype(dtype))
    stage = SparseColumns(*shape[1:])
    add, gradient = sparse_kernels(dtype)
    plan = MemoryPlan(Layout([Bias(shape[2]), stage]), n_rows)
    (steps,) = make_steps(1, start=start, rows=n_rows, last=n_rows, stop=n_rows)
    step, record = steps[0], plan.stages[1]
    before = delta[:n_rows]
    out = before.copy()
    # Of their memory, these kernels read the rate of dropout alone.
    work = Numbers(np.zeros(1))
    add(record, step, rows, order, weights.ravel(), out.reshape(-1), work)
    product = chosen.astype(float) @ weights.astype(float)
    assert_close(out, product + before, TOLERANCE[dtype])
    # Some of the rows, as a thread takes them.
    step.first = n_rows // 2
    part = before[n_rows // 2 :].copy()
    add(record, step, rows, order, weights.ravel(), part.reshape(-1), work)
    np.testing.assert_array_equal(part, out[n_rows // 2 :])
    found = np.full_like(weights, np.nan)
    for row in {0, n_rows // 3}:
        step.row = row
        rest = before[row:].reshape(-1)
        gradient(record, step, rows, order, weights.ravel(), rest, found.reshape(-1), work)
        expected = chosen[row:].T.astype(float) @ before[row:].astype(float)
        assert_close(found, expected, TOLERANCE[dtype])
