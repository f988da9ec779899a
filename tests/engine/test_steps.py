"""Chains of steps around a solver, and rates by kind."""

from itertools import product

import numpy as np
import pytest

from skgd.engine import Solver
from skgd.engine.layout import Layout
from skgd.neural_network import MLPRegressor, _trainer
from skgd.neural_network._trainer import Trainer
from skgd.solvers import SOLVERS
from skgd.steps import Average, Clip, Decay
from tests.engine.helpers import DTYPES, Model, assert_close, train, trainer_of
from tests.engine.problems import LOSSES, draw
from tests.engine.test_train import RATES, orders
from tests.oracles import solvers as solver_oracles
from tests.oracles import steps as oracle
from tests.oracles.losses import oracle_of
from tests.pairs import all_pairs
from tests.parallel.test_barrier import needs_jit

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
LOSS = LOSSES["squared_error"]
ROWS, BATCH, EPSILON = 27, 8, 0.1


class Normalized(Solver):
    """Gradient descent by the direction of the gradient: a solver that needs its norm."""

    needs_norm = True

    @staticmethod
    def update(theta, g, state, coefficients):
        rate, norm = coefficients
        return theta - rate * (g / norm), state


# The oracle's settings, and the steps before and after the solver.
CHAINS = {
    "decay": ({"weight_decay": 0.5}, (Decay(0.5),), ()),
    "average": ({"ema_decay": 0.8}, (), (Average(0.8),)),
    "clip": ({"max_norm": 0.3}, (Clip(0.3),), ()),
    "all": (
        {"max_norm": 0.3, "weight_decay": 0.5, "ema_decay": 0.8},
        (Clip(0.3), Decay(0.5)),
        (Average(0.8),),
    ),
    "rates": ({"rate_factors": {"bias": 0.1, "scale": 3.0}}, (), ()),
    "all with rates": (
        {
            "max_norm": 0.3,
            "weight_decay": 0.5,
            "ema_decay": 0.8,
            "rate_factors": {"bias": 0.1, "weights": 2.0},
        },
        (Clip(0.3), Decay(0.5)),
        (Average(0.8),),
    ),
}
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_normalization = pytest.mark.parametrize("batch_normalization", [False, True])


@all_pairs(solver=SOLVERS, chain=CHAINS, batch_normalization=[False, True], dtype=DTYPES)
def test_the_oracle(solver, chain, batch_normalization, dtype):
    settings, before, after = CHAINS[chain]
    hyper = solver_oracles.SETTINGS[solver][0]
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = Model((4, 6, 5, 2), dtype, batch_normalization)
    options = {"rate": RATES[solver], "batch_size": BATCH, "alpha": 0.1, "epsilon": EPSILON}
    trainer, parameters = trainer_of(
        model,
        X,
        y,
        LOSS,
        solver=solver,
        hyper=(hyper, {}),
        before=before,
        after=after,
        rate_factors=settings.get("rate_factors"),
        random_state=np.random.RandomState(5),
        **options,
    )
    expected = oracle.train(
        model.layers(dtype="float64"),
        X.astype(dtype).astype(float),
        y.astype(dtype).astype(float),
        oracle_of(LOSS),
        orders(5, 5),
        solver=solver,
        hyper=hyper,
        **options,
        **settings,
    )
    for epoch, (layers, averages) in enumerate(expected):
        list(trainer.run(np.array([epoch * ROWS])))
        found = {"theta": (parameters.theta, layers)}
        if Average in map(type, after):
            found["average"] = trainer._state.progress.state[-1], averages
        for flat, layers_expected in found.values():
            for layer, other in zip(model.layers(flat), layers_expected, strict=True):
                for kind in layer:
                    assert_close(layer[kind], other[kind], TOLERANCE[dtype])
    assert parameters.theta.dtype == trainer._state.progress.state.dtype == dtype


def every_slot(chain, n_threads, monkeypatch, **options):
    """Return all that training leaves, as bytes."""
    settings, before, after = CHAINS[chain]
    X, y, _ = draw(LOSS, 60, 4, 2, weighted=False)
    model = Model((4, 30, 20, 2), options.pop("dtype"), options.pop("batch_normalization"))
    monkeypatch.setattr(_trainer.Pace, "next_call", lambda pace: (pace.most, pace.limit))
    trainer, parameters = trainer_of(
        model,
        X,
        y,
        LOSS,
        solver="adam",
        rate=0.01,
        alpha=0.1,
        batch_size=48,
        chunk=16,
        before=before,
        after=after,
        rate_factors=settings.get("rate_factors"),
        random_state=np.random.RandomState(0),
        n_threads=n_threads,
        **options,
    )
    losses = list(trainer.run(60 * np.arange(6)))
    arrays = parameters.theta, parameters.running, trainer._state.progress.state
    return [np.array(losses).tobytes(), *(array.tobytes() for array in arrays)]


@needs_jit
@by_dtype
@by_normalization
@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("chain", ["clip", "all with rates"])
def test_any_number_of_threads(chain, by_rows, batch_normalization, dtype, monkeypatch):
    """With more threads than tiles, some have none."""
    monkeypatch.setattr("skgd.engine.layout.TILE_SIZE", 100)
    options = {"by_rows": by_rows, "batch_normalization": batch_normalization}
    one, *others = (
        every_slot(chain, n, monkeypatch, dtype=dtype, **options) for n in (1, 2, 3)
    )
    for other in others:
        assert other == one


@needs_jit
@pytest.mark.parametrize("by_rows", [False, True])
def test_threads_without_a_tile(by_rows, monkeypatch):
    """They wait for the gradient of the others all the same."""
    X, y, _ = draw(LOSS, 60, 2, 1, weighted=False)
    found = []
    monkeypatch.setattr(_trainer.Pace, "next_call", lambda pace: (pace.most, pace.limit))
    monkeypatch.setattr(
        Layout,
        "shares",
        staticmethod(lambda tiles, n: np.array([0, *[len(tiles)] * n], dtype=np.int64)),
    )
    for n_threads in (1, 3):
        trainer, parameters = trainer_of(
            Model((2, 3, 1)),
            X,
            y,
            LOSS,
            before=(Clip(0.3),),
            chunk=16,
            by_rows=by_rows,
            rate=0.1,
            n_threads=n_threads,
        )
        list(trainer.run(60 * np.arange(3)))
        found.append(parameters.theta.copy())
    np.testing.assert_array_equal(*found)


@by_dtype
@by_normalization
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_goes_on_where_it_ended(solver, batch_normalization, dtype):
    """Another Trainer of what the first has kept does the same as the first."""
    settings, before, after = CHAINS["all with rates"]
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = Model((4, 6, 5, 2), dtype, batch_normalization)
    options = {
        "solver": solver,
        "rate": RATES[solver],
        "batch_size": BATCH,
        "alpha": 0.1,
        "before": before,
        "after": after,
        "rate_factors": settings["rate_factors"],
    }
    whole, expected = trainer_of(model, X, y, LOSS, **options)
    list(whole.run(ROWS * np.arange(5)))
    first, parameters = trainer_of(model, X, y, LOSS, **options)
    list(first.run(ROWS * np.arange(2)))
    kept = parameters, first._state.progress
    second, _ = trainer_of(model, X, y, LOSS, kept=kept, **options)
    list(second.run(ROWS * np.arange(2, 5)))
    np.testing.assert_array_equal(parameters.theta, expected.theta)
    np.testing.assert_array_equal(parameters.running, expected.running)
    np.testing.assert_array_equal(first._state.progress.state, whole._state.progress.state)


@by_dtype
def test_the_norm_of_a_large_gradient(dtype):
    """Its squares are too large for float32."""
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    y = 1e25 * y
    model = Model((4, 5, 2), dtype)
    (one,) = train(model, X, y, LOSS, before=(Clip(0.5),), rate=1.0)
    step = one.theta.astype(float) - model.theta
    assert np.sqrt((step**2).sum()) == pytest.approx(0.5, rel=1e-5)


@by_dtype
def test_a_solver_that_needs_the_norm(dtype):
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = Model((4, 5, 2), dtype)
    (one,) = train(model, X, y, LOSS, solver=Normalized(), rate=0.01, alpha=0.1)
    step = one.theta.astype(float) - model.theta
    assert np.sqrt((step**2).sum()) == pytest.approx(0.01, rel=1e-4)


class WeightsOnly(Solver):
    """Gradient descent that leaves all but the weights alone."""

    kinds = ("weights",)

    @staticmethod
    def update(theta, g, state, coefficients):
        (rate,) = coefficients
        return theta - rate * g, state


@by_dtype
@by_normalization
def test_a_solver_of_some_kinds(batch_normalization, dtype):
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = Model((4, 5, 2), dtype, batch_normalization)
    (one,) = train(model, X, y, LOSS, solver=WeightsOnly(), rate=0.01)
    (other,) = train(model, X, y, LOSS, solver="minibatch", rate=0.01)
    trained, plain = model.layers(one.theta), model.layers(other.theta)
    for layer, before, after in zip(trained, model.layers(), plain, strict=True):
        for kind in layer:
            expected = after if kind == "weights" else before
            np.testing.assert_array_equal(layer[kind], expected[kind])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", [Normalized(), WeightsOnly()], ids=repr)
def test_solvers_of_one_s_own_in_an_estimator(solver):
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = MLPRegressor(
        hidden_layer_sizes=(5,), solver=solver, learning_rate_init=0.01, random_state=0
    )
    model.fit(X, y)
    assert model.loss_ < model.loss_curve_[0]


def memory_of(**options):
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = Model((300, 300, 2))
    X = np.tile(X, 75)
    trainer: Trainer = trainer_of(model, X, y, LOSS, **options)[0]
    return trainer._works[0], model.layout.n_params


def test_only_a_step_that_needs_the_norm_has_the_whole_gradient():
    work, n_params = memory_of(before=(Decay(0.5),), after=(Average(0.8),))
    assert work.squares.size == 0
    assert work.gradient.size < n_params
    work, _ = memory_of(before=(Clip(0.3),))
    assert work.squares.size > 0
    assert work.gradient.size == n_params


@by_dtype
@pytest.mark.parametrize(("solver", "factor"), list(product(SOLVERS, [0.0, 1.0])))
def test_a_factor_of_none_and_of_one(solver, factor, dtype):
    """Without a rate a kind stays; at its own, nothing changes."""
    X, y, _ = draw(LOSS, ROWS, 4, 2, weighted=False)
    model = Model((4, 5, 2), dtype)
    options = {"solver": solver, "rate": 0.01, "batch_size": BATCH}
    (plain,) = train(model, X, y, LOSS, **options)
    (one,) = train(model, X, y, LOSS, rate_factors={"bias": factor}, **options)
    biases = [
        np.concatenate(model.layout.views(theta, "bias"))
        for theta in (one.theta, plain.theta if factor else model.theta)
    ]
    np.testing.assert_array_equal(*biases)
    if factor:
        np.testing.assert_array_equal(one.theta, plain.theta)
    else:
        assert (one.theta != plain.theta).any()
