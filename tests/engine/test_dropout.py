"""Dropout as a stage: the oracle, finite differences, threads."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skgd.neural_network import _trainer
from skgd.schedules import FunctionSchedule, InverseTime
from tests.engine.helpers import DTYPES, Model, assert_close, loss_and_gradient, trainer_of
from tests.engine.problems import LOSSES, draw
from tests.oracles import network, steps
from tests.oracles.losses import oracle_of
from tests.oracles.random import multipliers
from tests.pairs import all_pairs
from tests.parallel.test_barrier import needs_jit

UNITS, SEED = (5, 9, 7, 2), 2**40 + 5
RATES = [(0.0, 0.3, 0.3), (0.2, 0.0, 0.5), (0.4, 0.2, 0.0), (0.6, 0.0, 0.0)]
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def masks_of(rates, t, rows):
    """Return the oracle's masks."""
    numbered = zip(rates, UNITS[:-1], strict=True)
    return [
        multipliers(SEED, t, index, rate, rows, units) if rate else 1.0
        for index, (rate, units) in enumerate(numbered)
    ]


@all_pairs(
    dropout=RATES,
    loss=sorted(set(LOSSES) - {"quantiles"}),
    activation=["relu", "tanh", "logistic", "identity"],
    dtype=DTYPES,
    batch_normalization=[False, True],
    sparse=[False, True],
    weighted=[False, True],
    by_rows=[False, True],
    n_threads=[1, 2],
)
def test_the_gradient(
    dropout,
    loss,
    activation,
    dtype,
    batch_normalization,
    sparse,
    weighted,
    by_rows,
    n_threads,
):
    loss = LOSSES[loss]
    X, y, weight = draw(loss, 40, 5, 2, weighted=weighted)
    if batch_normalization and weighted:
        weight = np.maximum(weight, 0.5)
    model = Model(
        UNITS, dtype, batch_normalization, activation, sparse=sparse, dropout=dropout
    )
    rows = X.astype(dtype)
    _, gradient = loss_and_gradient(
        model,
        csr_array(rows) if sparse else rows,
        y,
        loss,
        weight=weight,
        alpha=0.1,
        chunk=16,
        by_rows=by_rows,
        n_threads=n_threads,
        seed=SEED,
    )
    expected = network.gradient(
        model.layers(dtype="float64"),
        X.astype(dtype).astype(float),
        y,
        activation,
        oracle_of(loss),
        weight=weight,
        alpha=0.1,
        epsilon=1e-5,
        masks=masks_of(dropout, 0, 40),
    )
    for layer, other in zip(model.layers(gradient), expected, strict=True):
        # The gradient of some is zero, up to the rounding of sums as large as the others.
        unit = max(1e-3, *(abs(array).max() for array in other.values()))
        for kind in layer:
            assert_close(layer[kind], other[kind], 10 * TOLERANCE[dtype], unit)


@all_pairs(
    dropout=RATES,
    batch_normalization=[False, True],
    sparse=[False, True],
    activation=["tanh", "logistic"],
)
def test_finite_differences(dropout, batch_normalization, sparse, activation):
    """A mini-batch drops the same for other parameters."""
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 20, 5, 2, weighted=False)
    model = Model(
        UNITS, "float64", batch_normalization, activation, sparse=sparse, dropout=dropout
    )
    X = csr_array(X) if sparse else X
    options = {"alpha": 0.1, "seed": SEED}
    _, gradient = loss_and_gradient(model, X, y, loss, **options)
    theta, step = model.theta.copy(), 1e-6
    for index in range(0, theta.size, 3):
        values = []
        for sign in (1, -1):
            model.theta = theta.copy()
            model.theta[index] += sign * step
            values.append(loss_and_gradient(model, X, y, loss, **options)[0])
        slope = (values[0] - values[1]) / (2 * step)
        assert slope == pytest.approx(gradient[index], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("scheduled", [False, True])
def test_epochs(scheduled, batch_normalization, sparse, dtype):
    """Each update drops others, with a schedule at another rate: none at all at last."""
    factors = [1.0, 0.7, 1.3, 0.5, 0.2, 2.0, 0.1, 0.0, 0.0] if scheduled else [1.0] * 9
    schedule = FunctionSchedule(lambda update, n_updates: np.take(factors, update))
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 30, 5, 2, weighted=False)
    dropout = (0.3, 0.4, 0.2)
    model = Model(UNITS, dtype, batch_normalization, sparse=sparse, dropout=dropout)
    rows = X.astype(dtype)
    trainer, parameters = trainer_of(
        model,
        csr_array(rows) if sparse else rows,
        y,
        loss,
        rate=0.05,
        batch_size=10,
        seed=SEED,
        scheduled={"dropout": schedule} if scheduled else None,
    )
    list(trainer.run(30 * np.arange(3)))
    *_, (expected, _) = steps.train(
        model.layers(dtype="float64"),
        X.astype(dtype).astype(float),
        y,
        oracle_of(loss),
        [np.arange(30)] * 3,
        solver="minibatch",
        hyper={},
        rate=0.05,
        batch_size=10,
        epsilon=1e-5,
        masks_of=lambda t, rows: masks_of(np.multiply(factors[t], dropout), t, rows),
    )
    for layer, other in zip(model.layers(parameters.theta), expected, strict=True):
        for kind in layer:
            assert_close(layer[kind], other[kind], 10 * TOLERANCE[dtype])


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("scheduled", [{}, {"dropout": InverseTime(0.5, 2)}])
def test_any_number_of_threads(
    scheduled, sparse, batch_normalization, by_rows, dtype, monkeypatch
):
    monkeypatch.setattr(_trainer.Pace, "next_call", lambda pace: (pace.most, pace.limit))
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 60, 5, 2, weighted=False)
    rows = csr_array(X.astype(dtype)) if sparse else X.astype(dtype)
    found = []
    for n_threads in (1, 2, 3):
        model = Model(
            UNITS, dtype, batch_normalization, sparse=sparse, dropout=(0.3, 0.4, 0.2)
        )
        trainer, parameters = trainer_of(
            model,
            rows,
            y,
            loss,
            rate=0.05,
            batch_size=50,
            chunk=7,
            by_rows=by_rows,
            n_threads=n_threads,
            seed=SEED,
            scheduled=scheduled,
            random_state=np.random.RandomState(0),
        )
        losses = list(trainer.run(60 * np.arange(4)))
        found.append((losses, parameters.theta.tobytes(), parameters.running.tobytes()))
    assert found[0] == found[1] == found[2]


def test_the_gradient_by_the_data_is_left_out():
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 20, 5, 2, weighted=False)
    trainer, _ = trainer_of(Model(UNITS, dropout=(0.5, 0.0, 0.0)), X, y, loss)
    first, second = trainer._network.stages[:2]
    assert first["delta"] == second["source_delta"] == -1
