"""The compiled gradient beside differences of the compiled loss, and the oracle's."""

import numpy as np
import pytest
from scipy import sparse

from skgd.activations import ACTIVATIONS
from tests.engine.helpers import (
    DTYPES,
    Model,
    assert_close,
    full_objective,
    loss_and_gradient,
    size,
)
from tests.engine.problems import LOSSES, away_from_kinks, draw
from tests.oracles import network as oracle
from tests.oracles.losses import oracle_of
from tests.pairs import all_pairs

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
EPSILON = 1e-3
ALPHA = 0.3

NETWORKS = {
    "activation": ACTIVATIONS,
    "loss_name": LOSSES,
    "batch_normalization": [False, True],
    "weighted": [False, True],
    "n_outputs": [1, 3],
}


def case(activation, loss_name, batch_normalization, weighted, n_outputs, dtype="float64"):
    loss = LOSSES[loss_name]
    if loss_name.startswith("multinomial"):
        n_outputs = max(n_outputs, 2)
    if loss_name == "quantiles":
        n_outputs = 3
    X, y, weight = draw(loss, 7, 3, n_outputs, weighted=weighted)
    model = away_from_kinks(
        X,
        weight,
        EPSILON,
        units=(3, 4, 3, n_outputs),
        batch_normalization=batch_normalization,
        activation=activation,
        dtype=dtype,
    )
    return model, X, y, loss, {"weight": weight, "alpha": ALPHA, "epsilon": EPSILON}


def compare(model, gradient, expected, tolerance):
    """Compare each layer's weights, bias and gamma by themselves.

    Some have no gradient, such as the bias of a linear layer before a normalized one:
    below a tenth of the largest gradient, that counts.
    """
    unit = 0.1 * np.abs(gradient).max()
    for here, there in zip(model.layers(gradient), expected, strict=True):
        assert set(here) == set(there)
        for kind in here:
            assert_close(here[kind], there[kind], tolerance, unit)


@all_pairs(**NETWORKS)
def test_finite_differences(
    activation, loss_name, batch_normalization, weighted, n_outputs
):
    model, X, y, loss, options = case(
        activation, loss_name, batch_normalization, weighted, n_outputs
    )
    _, gradient = loss_and_gradient(model, X, y, loss, **options)
    step = 1e-5
    theta = model.theta.copy()
    differences = gradient.copy()
    # All of them with the JIT, some without.
    for i in range(0, theta.size, size(1, 5)):
        values = []
        for sign in (1, -1):
            model.theta[:] = theta
            model.theta[i] += sign * step
            values.append(loss_and_gradient(model, X, y, loss, **options)[0])
        differences[i] = (values[0] - values[1]) / (2 * step)
    compare(model, gradient, model.layers(differences), 1e-6)


@all_pairs(**NETWORKS, dtype=DTYPES)
def test_the_oracle(activation, loss_name, batch_normalization, weighted, n_outputs, dtype):
    model, X, y, loss, options = case(
        activation, loss_name, batch_normalization, weighted, n_outputs, dtype
    )
    value, gradient = loss_and_gradient(model, X, y, loss, **options)
    layers = model.layers(dtype="float64")
    X, y = X.astype(dtype).astype(float), y.astype(float)
    args = layers, X, y, activation, oracle_of(loss)
    expected = oracle.objective(*args, **options)
    assert value == pytest.approx(expected, rel=TOLERANCE[dtype])
    compare(model, gradient, oracle.gradient(*args, **options), TOLERANCE[dtype])


# ---------------------------------------------------------- shapes, rows, ways to compute

SHAPES = {
    "no hidden layer": (3, 2),
    "one unit everywhere": (1, 1, 1),
    "one wide layer": (5, 300, 1),
    "several outputs, around the width of thin products": (20, 30, 8),
    "just beyond it": (20, 30, 9),
    "thin between wide": (30, 2, 40, 3),
    "deep": (4, *(5,) * 12, 2),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("units", SHAPES.values(), ids=SHAPES)
def test_shapes(units, batch_normalization, dtype):
    loss = LOSSES["squared_error"]
    X, y, weight = draw(loss, size(70, 20), units[0], units[-1], weighted=True)
    model = Model(units, dtype, batch_normalization)
    model.theta *= 0.5
    options = {"weight": weight, "alpha": ALPHA, "epsilon": EPSILON}
    value, gradient = loss_and_gradient(model, X, y, loss, **options)
    args = model.layers(dtype="float64"), X, y, "tanh", oracle_of(loss)
    assert value == pytest.approx(oracle.objective(*args, **options), rel=TOLERANCE[dtype])
    # Deep and normalized: the roundings of the first layers are amplified.
    compare(model, gradient, oracle.gradient(*args, **options), 10 * TOLERANCE[dtype])


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_products_of_a_chunk_of_rows(make, by_rows, batch_normalization):
    """The gradient is over all rows, or is summed from those of more than one chunk."""
    loss = LOSSES["multinomial"]
    X, y, weight = draw(loss, 77, 4, 12, weighted=True)
    rows = make(X)
    model = Model(
        (4, 20, 12),
        batch_normalization=batch_normalization,
        sparse=sparse.issparse(rows),
    )
    options = {"weight": weight, "alpha": ALPHA, "epsilon": EPSILON}
    args = model.layers(), X, y, "tanh", oracle_of(loss)
    for chunk in (16, 33, 96):
        value, gradient = loss_and_gradient(
            model, rows, y, loss, chunk=chunk, by_rows=by_rows, **options
        )
        assert value == pytest.approx(oracle.objective(*args, **options), rel=1e-12)
        compare(model, gradient, oracle.gradient(*args, **options), 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_sparse_rows(shuffled, batch_normalization, dtype):
    loss = LOSSES["binary"]
    X, y, weight = draw(loss, 30, 12, 2, weighted=True)
    X[np.abs(X) < 0.8] = 0
    X[[3, 29]] = 0  # empty rows
    X[:, 5] = 0
    units = (12, 6, 2)
    options = {"weight": weight, "alpha": ALPHA, "epsilon": EPSILON}
    found = []
    for rows in (X, sparse.csr_array(X)):
        model = Model(units, dtype, batch_normalization, sparse=sparse.issparse(rows))
        random_state = np.random.RandomState(0) if shuffled else None
        found.append(
            loss_and_gradient(model, rows, y, loss, random_state=random_state, **options)
        )
    assert found[1][0] == pytest.approx(found[0][0], rel=TOLERANCE[dtype])
    assert_close(found[1][1], found[0][1], TOLERANCE[dtype])


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("block", [1, 4, 13])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_objective_of_all_rows(loss_name, weighted, block, is_sparse):
    """What lbfgs minimizes, computed a block of rows at a time."""
    loss = LOSSES[loss_name]
    X, y, weight = draw(loss, 13, 5, 3, weighted=weighted)
    rows = sparse.csr_array(X) if is_sparse else X
    model = Model((5, 4, 9, 3), sparse=is_sparse)
    value, gradient = full_objective(
        model, rows, y, loss, weight=weight, alpha=ALPHA, block=block
    )
    args = model.layers(), X, y, "tanh", oracle_of(loss)
    options = {"weight": weight, "alpha": ALPHA}
    assert value == pytest.approx(oracle.objective(*args, **options), rel=1e-12)
    compare(model, gradient, oracle.gradient(*args, **options), 1e-12)
