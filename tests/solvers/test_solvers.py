import inspect
import sys

import numpy as np
import pytest

from skgd import MLPClassifier
from skgd.solvers import SOLVERS
from tests.engine.helpers import DTYPES, numba_dtype, update
from tests.oracles import solvers as oracles

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
N_PARAMS = 60
N_UPDATES = 100


def test_every_solver_has_an_oracle():
    assert set(oracles.SOLVERS) == set(SOLVERS)
    assert set(oracles.SETTINGS) == set(SOLVERS)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_registry(name):
    solver = SOLVERS[name]
    assert solver.name == name or (name, solver.name) == ("sgd", "momentum")
    assert solver.n_slots >= 0
    assert set(solver.hyperparameters) <= set(MLPClassifier().get_params())
    for settings in oracles.SETTINGS[name]:
        assert tuple(settings) == solver.hyperparameters
    module = sys.modules[solver.update.__module__]
    assert ".. math::" in inspect.getdoc(module)
    assert "References" in inspect.getdoc(module)


def problem(dtype):
    """Parameters that stay away from zero, gradients of all sizes, learning rates."""
    rng = np.random.default_rng(0)
    scale = 10.0 ** np.linspace(-4, 0, N_PARAMS)
    gradients = (rng.normal(size=(N_UPDATES, N_PARAMS)) * scale).astype(dtype)
    theta = np.copysign(rng.uniform(5, 6, N_PARAMS), gradients[0]).astype(dtype)
    rates = rng.uniform(1e-3, 1e-2, N_UPDATES)
    return theta, gradients, rates


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "settings"), [(name, s) for name in SOLVERS for s in oracles.SETTINGS[name]]
)
def test_a_trace_follows_the_oracle(name, settings, dtype):
    solver = SOLVERS[name]
    rule = solver.bind(numba_dtype(dtype))
    theta, gradients, rates = problem(dtype)
    expected, state_expected = theta.astype(float), None
    state = np.zeros((solver.n_slots, N_PARAMS), dtype=dtype)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True)):
        # In two pieces: what a piece knows of the others must not matter.
        for start, stop in [(0, 17), (17, N_PARAMS)]:
            update(rule, theta, g, state, start, stop, rate, t, settings)
        expected, state_expected = oracles.SOLVERS[name](
            expected, state_expected, g.astype(float), rate, t, **settings
        )
        np.testing.assert_allclose(theta, expected, rtol=TOLERANCE[dtype])
    assert theta.dtype == dtype
    # A slot may cross zero: compared relative to the size of the parameter's gradients.
    unit = np.abs(gradients).max(axis=0).astype(float)
    for slot, slot_expected in zip(state, state_expected, strict=True):
        largest = np.maximum(np.abs(slot_expected), np.minimum(unit, unit**2) * 0.01)
        assert (np.abs(slot - slot_expected) <= TOLERANCE[dtype] * largest).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SOLVERS)
def test_an_update_keeps_to_its_piece(name, dtype):
    solver, settings = SOLVERS[name], oracles.SETTINGS[name][0]
    theta, gradients, _ = problem(dtype)
    state = np.full((solver.n_slots, N_PARAMS), 0.25, dtype=dtype)
    theta_before, state_before = theta.copy(), state.copy()
    gradient_before = gradients[0].copy()
    rule = solver.bind(numba_dtype(dtype))
    update(rule, theta, gradients[0], state, 20, 40, 0.1, 3, settings)
    inside = np.zeros(N_PARAMS, dtype=bool)
    inside[20:40] = True
    np.testing.assert_array_equal(theta[~inside], theta_before[~inside])
    np.testing.assert_array_equal(state[:, ~inside], state_before[:, ~inside])
    assert (theta[inside] != theta_before[inside]).all()
    assert (state[:, inside] != state_before[:, inside]).all()
    np.testing.assert_array_equal(gradients[0], gradient_before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_bad_gradient_is_not_hidden(name, bad, dtype):
    """It leaves a parameter that is not finite, for the loss to tell of."""
    solver, settings = SOLVERS[name], oracles.SETTINGS[name][0]
    theta = np.ones(3, dtype=dtype)
    state = np.zeros((solver.n_slots, 3), dtype=dtype)
    gradient = np.array([0.5, bad, 0.5], dtype=dtype)
    rule = solver.bind(numba_dtype(dtype))
    update(rule, theta, gradient, state, 0, 3, 0.1, 0, settings)
    np.testing.assert_array_equal(np.isfinite(theta), [True, False, True])
