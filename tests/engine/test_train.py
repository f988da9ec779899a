"""Whole epochs beside the oracle's."""

import numpy as np
import pytest
from sklearn.utils import shuffle

from skgd.activations import ACTIVATIONS
from skgd.neural_network._orders import batch_bounds
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS
from tests.engine.helpers import DTYPES, Model, assert_close, size, train, trainer_of
from tests.engine.problems import LOSSES, draw
from tests.oracles import network as oracle
from tests.oracles import schedules, solvers
from tests.oracles.losses import oracle_of
from tests.pairs import all_pairs

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
RATES = {
    "minibatch": 0.05,
    "momentum": 0.005,
    "sgd": 0.005,
    "rmsprop": 0.003,
    "adam": 0.003,
    "nadam": 0.02,
    "adagrad": 0.02,
    "lion": 0.02,
}
BATCH = 8
ROWS = 27  # three mini-batches and one of three rows


def orders(n_epochs, seed, n_samples=ROWS):
    """Draw the orders of the rows, as scikit-learn does."""
    random_state = np.random.RandomState(seed)
    order = np.arange(n_samples)
    for _ in range(n_epochs):
        order = shuffle(order, random_state=random_state)
        yield order


def compare(
    model,
    X,
    y,
    loss,
    weight=None,
    *,
    solver="momentum",
    solver_settings=None,
    learning_rate="constant",
    schedule_settings=None,
    batch_size=BATCH,
    alpha=0.1,
    shuffled=True,
    n_updates=100,
):
    """Train skgd's network and the oracle's side by side."""
    if solver_settings is None:
        solver_settings = solvers.SETTINGS[solver][0]
    if schedule_settings is None:
        schedule_settings = schedules.SETTINGS[learning_rate][0]
    n_samples = X.shape[0]
    n_batches = len(oracle.batches(n_samples, batch_size, model.batch_normalization))
    n_epochs = -(-size(n_updates, n_updates // 5) // n_batches)
    options = {"alpha": alpha, "epsilon": 0.1, "decay": 0.8, "batch_size": batch_size}
    found = train(
        model,
        X,
        y,
        loss,
        n_epochs=n_epochs,
        weight=weight,
        solver=solver,
        learning_rate=learning_rate,
        rate=RATES[solver],
        hyper=(solver_settings, schedule_settings),
        random_state=np.random.RandomState(5) if shuffled else None,
        **options,
    )
    in_order = (np.arange(n_samples) for _ in range(n_epochs))
    dtype = np.dtype(model.dtype)
    expected = oracle.train(
        model.layers(dtype="float64"),
        X.astype(dtype).astype(float),
        y.astype(dtype).astype(float),
        model.activation,
        oracle_of(loss),
        orders=orders(n_epochs, 5, n_samples) if shuffled else in_order,
        solver=solver,
        learning_rate=learning_rate,
        rate=RATES[solver],
        hyper=(solver_settings, schedule_settings),
        weight=None if weight is None else weight.astype(dtype).astype(float),
        **options,
    )
    tolerance = TOLERANCE[model.dtype]
    for one, other in zip(found, expected, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=tolerance)
        for layer, layer_expected in zip(
            model.layers(one.theta), other.layers, strict=True
        ):
            for kind in layer:
                assert_close(layer[kind], layer_expected[kind], tolerance)
        for moments, moments_expected in zip(
            model.running(one.running), other.running, strict=True
        ):
            if moments is not None:
                assert_close(moments[0], moments_expected[0], tolerance)
                assert_close(moments[1], moments_expected[1], tolerance)
    return one


@all_pairs(
    solver=SOLVERS, learning_rate=SCHEDULES, batch_normalization=[False, True], dtype=DTYPES
)
def test_every_solver_with_every_schedule(
    solver, learning_rate, batch_normalization, dtype
):
    loss = LOSSES["squared_error"]
    X, y, weight = draw(loss, ROWS, 4, 2, weighted=True)
    model = Model((4, 6, 5, 2), dtype, batch_normalization)
    compare(model, X, y, loss, weight, solver=solver, learning_rate=learning_rate)


@all_pairs(
    activation=ACTIVATIONS,
    loss_name=LOSSES,
    batch_normalization=[False, True],
    dtype=DTYPES,
)
def test_every_activation_with_every_loss(
    activation, loss_name, batch_normalization, dtype
):
    loss = LOSSES[loss_name]
    X, y, _ = draw(loss, ROWS, 4, 3, weighted=False)
    model = Model((4, 6, 5, 3), dtype, batch_normalization, activation)
    model.theta *= 0.5
    compare(model, X, y, loss)


@pytest.mark.parametrize(
    ("solver", "settings"), [(name, s) for name in SOLVERS for s in solvers.SETTINGS[name]]
)
def test_solver_settings(solver, settings):
    loss = LOSSES["binary"]
    X, y, _ = draw(loss, ROWS, 4, 1, weighted=False)
    # Of seed 0, the last bias is 5e-6 after an epoch: what is left of far larger numbers.
    model = Model((4, 6, 1), seed=1)
    compare(model, X, y, loss, solver=solver, solver_settings=settings)


@pytest.mark.parametrize(
    ("learning_rate", "settings"),
    [(name, s) for name in SCHEDULES for s in schedules.SETTINGS[name]],
)
def test_schedule_settings(learning_rate, settings):
    loss = LOSSES["multinomial"]
    X, y, _ = draw(loss, ROWS, 4, 3, weighted=False)
    model = Model((4, 6, 3))
    compare(model, X, y, loss, learning_rate=learning_rate, schedule_settings=settings)


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("batch_size", [2, 5, 13, 26, 27])
def test_batch_sizes(batch_size, shuffled, batch_normalization):
    """A last mini-batch of one row, of some, of all: 27 = 13 · 2 + 1 = 26 + 1."""
    loss = LOSSES["squared_error"]
    X, y, weight = draw(loss, ROWS, 4, 2, weighted=False)
    model = Model((4, 5, 2), batch_normalization=batch_normalization)
    one = compare(
        model, X, y, loss, weight, batch_size=batch_size, shuffled=shuffled, n_updates=30
    )
    n_batches = len(oracle.batches(ROWS, batch_size, batch_normalization))
    assert one.n_updates % n_batches == 0


def rows_of_batches(n_samples, batch_size, normalized):
    """Return the number of rows of each mini-batch of an epoch."""
    bounds = batch_bounds(n_samples, batch_size, normalized)
    assert (bounds[0], bounds[-1]) == (0, n_samples)
    return np.diff(bounds)


@pytest.mark.parametrize("n_samples", [2, 3, 4, 5, 7, 27, 100, 199, 200, 201, 202, 1999])
def test_normalized_rows_are_spread_evenly(n_samples):
    for batch_size in [2, 3, 4, 5, 8, 13, 32, 99, 100, 101, 200, n_samples]:
        rows = rows_of_batches(n_samples, batch_size, True)
        assert rows.max() == rows[0]
        assert rows.max() - rows.min() <= 1
        if batch_size > 2 or n_samples % 2 == 0:
            assert len(rows) == -(-n_samples // batch_size)
            assert rows.max() <= batch_size
        else:
            assert rows.max() == 3
        # None has a single row, and none less than half of the size asked for.
        assert rows.min() >= min(n_samples, max(2, batch_size / 2))
        plain = rows_of_batches(n_samples, batch_size, False)
        assert (plain[:-1] == batch_size).all()
        found = oracle.batches(n_samples, batch_size, True)
        np.testing.assert_array_equal(np.diff(found)[:, 0], rows)


@pytest.mark.parametrize("batch_normalization", [True, False])
def test_even_mini_batches_are_as_many(batch_normalization):
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 27, 4, 2, weighted=False)
    model = Model((4, 5, 2), batch_normalization=batch_normalization)
    ((one),) = train(model, X, y, loss, batch_size=13, rate=0.01)
    assert one.n_updates == 3


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_a_mini_batch_without_weight_is_no_update(batch_normalization):
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, ROWS, 4, 2, weighted=False)
    weight = np.ones(ROWS)
    start, stop = oracle.batches(ROWS, BATCH, batch_normalization)[1]
    weight[start:stop] = 0
    model = Model((4, 5, 2), batch_normalization=batch_normalization)
    one = compare(model, X, y, loss, weight, shuffled=False, solver="adam", n_updates=40)
    assert one.n_updates % 3 == 0


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_a_row_of_weight_two_is_two_rows(batch_normalization):
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 12, 4, 2, weighted=False)
    repeats = np.array([0, 1, 2, 3] * 3)
    model = Model((4, 5, 2), batch_normalization=batch_normalization)
    options = {"solver": "momentum", "rate": 0.05, "alpha": 0.1}
    weighted = train(
        model, X, y, loss, weight=repeats.astype(float), n_epochs=10, **options
    )
    repeated = train(
        model, X.repeat(repeats, 0), y.repeat(repeats, 0), loss, n_epochs=10, **options
    )
    for one, other in zip(weighted, repeated, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-12)
        assert_close(one.theta, other.theta, 1e-12)
        if batch_normalization:
            # But for the effective number of rows, which is at the end.
            assert_close(one.running[:-1], other.running[:-1], 1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_training_stops_after_the_first_loss_that_is_not_finite(bad):
    """The checks for it survive the compiler's flags."""
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, ROWS, 4, 2, weighted=False)
    y = y.copy()
    y[3, 1] = bad
    trainer, _ = trainer_of(Model((4, 5, 2)), X, y, loss, batch_size=BATCH, rate=0.01)
    losses = list(trainer.run(ROWS * np.arange(5)))
    assert len(losses) == 1
    assert not np.isfinite(losses[0])


def test_read_only_data_is_read():
    loss = LOSSES["squared_error"]
    X, y, weight = draw(loss, ROWS, 4, 2, weighted=True)
    kept = [a.copy() for a in (X, y, weight)]
    for array in (X, y, weight):
        array.flags.writeable = False
    compare(Model((4, 5, 2)), X, y, loss, weight, n_updates=10)
    for array, before in zip((X, y, weight), kept, strict=True):
        np.testing.assert_array_equal(array, before)
