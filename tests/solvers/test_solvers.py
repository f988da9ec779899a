import inspect
import math
import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skgd import MLPRegressor
from skgd.engine.loops import PIECE
from skgd.solvers import SOLVERS, Adam, RMSProp, Solver
from skgd.testing import check_plugin
from tests.engine.helpers import DTYPES, Model, assert_close, train, update
from tests.engine.problems import LOSSES, draw
from tests.oracles import network as oracle
from tests.oracles import solvers as oracles
from tests.oracles.losses import oracle_of

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
N_PARAMS = 60
N_UPDATES = 100


def test_every_solver_has_an_oracle():
    assert set(oracles.SOLVERS) == set(SOLVERS)
    assert set(oracles.SETTINGS) == set(SOLVERS)
    assert set(oracles.STEP_SIZES) == set(SOLVERS)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_registry(name):
    solver = SOLVERS[name]
    assert solver.name == name or (name, solver.name) == ("sgd", "momentum")
    assert solver.n_slots >= 0
    names = tuple(solver.argument_names())
    assert set(names) == set(solver._parameter_constraints)
    for settings in oracles.SETTINGS[name]:
        # Those of the estimators come first.
        assert tuple(settings) == names[: len(settings)]
    module = sys.modules[solver.__module__]
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
    solver = SOLVERS[name](**settings).resolved()
    theta, gradients, rates = problem(dtype)
    expected, state_expected = theta.astype(float), None
    state, largest = np.zeros((solver.n_slots, N_PARAMS), dtype=dtype), 0.0
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True)):
        # In two pieces: what a piece knows of the others must not matter.
        for bounds in [(0, 17), (17, N_PARAMS)]:
            update(solver, theta, g, state, rate, t, bounds=bounds)
        expected, state_expected = oracles.SOLVERS[name](
            expected, state_expected, g.astype(float), rate, t, **settings
        )
        np.testing.assert_allclose(theta, expected, rtol=TOLERANCE[dtype])
        # A slot may cross zero: compared relative to the largest that it was.
        slots = np.reshape(state_expected, state.shape)
        largest = np.maximum(largest, np.abs(slots))
    assert theta.dtype == dtype
    assert (np.abs(state - slots) <= TOLERANCE[dtype] * largest).all()


@pytest.mark.parametrize(
    ("name", "settings"), [(name, s) for name in SOLVERS for s in oracles.SETTINGS[name]]
)
def test_the_step_size_follows_the_oracle(name, settings):
    solver = SOLVERS[name](**settings).resolved()
    theta, gradients, rates = problem("float64")
    state = None
    for t in range(5):
        theta, state = oracles.SOLVERS[name](
            theta, state, gradients[t], rates[t], t, **settings
        )
    # In two calls, as of two compiled ones.
    _, sums = solver.step_rates(rates[:2], 0.0)
    step_rates, _ = solver.step_rates(rates[2 : t + 1], sums[-1])
    shared = solver.step_coefficients(step_rates[-1:], np.array([t]))
    shared = tuple(np.broadcast_to(column, 1)[0] for column in shared)
    found = [solver.step_size(tuple(s[i] for s in state), shared) for i in range(N_PARAMS)]
    expected = oracles.STEP_SIZES[name](state, rates[: t + 1], t, **settings)
    np.testing.assert_allclose(found, np.broadcast_to(expected, N_PARAMS), rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SOLVERS)
def test_an_update_keeps_to_its_piece(name, dtype):
    solver = SOLVERS[name](**oracles.SETTINGS[name][0])
    theta, gradients, _ = problem(dtype)
    state = np.full((solver.n_slots, N_PARAMS), 0.25, dtype=dtype)
    theta_before, state_before = theta.copy(), state.copy()
    gradient_before = gradients[0].copy()
    update(solver, theta, gradients[0], state, 0.1, 3, bounds=(20, 40))
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
    solver = SOLVERS[name](**oracles.SETTINGS[name][0])
    theta = np.ones(3, dtype=dtype)
    state = np.zeros((solver.n_slots, 3), dtype=dtype)
    gradient = np.array([0.5, bad, 0.5], dtype=dtype)
    update(solver, theta, gradient, state, 0.1, 0)
    np.testing.assert_array_equal(np.isfinite(theta), [True, False, True])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SOLVERS)
def test_the_penalty_is_part_of_the_gradient(name, dtype):
    """Over more parameters than a piece holds."""
    solver = SOLVERS[name](**oracles.SETTINGS[name][0])
    rng = np.random.default_rng(0)
    n, alpha = PIECE + 77, 0.3
    theta, gradient = rng.normal(size=(2, n)).astype(dtype)
    before = theta.astype(float)
    strength = float(theta.dtype.type(alpha))
    whole = gradient + strength * before
    state = np.zeros((solver.n_slots, n), dtype=dtype)
    penalty = update(solver, theta, gradient, state, 0.01, 0, alpha=alpha)
    assert penalty == pytest.approx(alpha / 2 * (before**2).sum(), rel=TOLERANCE[dtype])
    expected, _ = oracles.SOLVERS[name](before, None, whole, 0.01, 0, **solver.get_params())
    # Adaptive rules divide by the size of the gradient: near zero its roundings show.
    large = np.abs(whole) > 1e-2
    np.testing.assert_allclose(
        theta[large], expected[large], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )


# ------------------------------------------------------------------- a solver of one's own


class Drifting(Solver):
    """Keeps three numbers: two averages and the largest square."""

    name = "drifting"
    n_slots = 3

    def __init__(self, beta=0.8, epsilon=0.1):
        self.beta = beta
        self.epsilon = epsilon

    def coefficients(self, rate, t):
        return rate / (1 + t), self.beta, 1 - self.beta, self.epsilon

    @staticmethod
    def update(theta, g, state, coefficients):
        eta, beta, rest, epsilon = coefficients
        m, v, largest = state
        m = beta * m + rest * g
        v = beta * v + rest * (g * g)
        largest = max(largest, v)
        return theta - eta * m / (math.sqrt(largest) + epsilon), (m, v, largest)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_solver_of_three_slots(dtype):
    solver = Drifting()
    theta, gradients, rates = problem(dtype)
    state = np.zeros((3, N_PARAMS), dtype=dtype)
    expected = theta.astype(float)
    m, v, largest = np.zeros((3, N_PARAMS))
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True)):
        for bounds in [(0, 17), (17, N_PARAMS)]:
            update(solver, theta, g, state, rate, t, bounds=bounds)
        m = 0.8 * m + 0.2 * g.astype(float)
        v = 0.8 * v + 0.2 * g.astype(float) ** 2
        largest = np.maximum(largest, v)
        expected -= rate / (1 + t) * m / (np.sqrt(largest) + 0.1)
        np.testing.assert_allclose(theta, expected, rtol=TOLERANCE[dtype])
    unit = np.abs(gradients).max(axis=0).astype(float)
    for slot, slot_expected in zip(state, (m, v, largest), strict=True):
        most = np.maximum(np.abs(slot_expected), np.minimum(unit, unit**2) * 0.01)
        assert (np.abs(slot - slot_expected) <= TOLERANCE[dtype] * most).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_is_trained_by_it(dtype):
    """Over epochs with shuffled mini-batches, beside the oracle's."""
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 27, 4, 2, weighted=False)
    model = Model((4, 5, 2), dtype)
    layers = model.layers(dtype="float64")
    options = {"solver": Drifting(), "rate": 0.1, "batch_size": 9, "alpha": 0.1}
    random_state = np.random.RandomState(0)
    found = train(model, X, y, loss, n_epochs=3, random_state=random_state, **options)
    slots, t = {}, 0
    X, y = X.astype(dtype).astype(float), y.astype(dtype).astype(float)
    for one in found:
        for rows in np.split(one.rows, 3):
            batch = layers, X[rows], y[rows], "tanh", oracle_of(loss)
            slopes = oracle.gradient(*batch, alpha=0.1)
            for index, layer in enumerate(layers):
                for kind, g in slopes[index].items():
                    m, v, largest = slots.get((index, kind), (0 * g, 0 * g, 0 * g))
                    m, v = 0.8 * m + 0.2 * g, 0.8 * v + 0.2 * g**2
                    largest = np.maximum(largest, v)
                    slots[index, kind] = m, v, largest
                    step = 0.1 / (1 + t) * m / (np.sqrt(largest) + 0.1)
                    layer[kind] = layer[kind] - step
            t += 1
        for layer, expected in zip(model.layers(one.theta), layers, strict=True):
            for kind in layer:
                assert_close(layer[kind], expected[kind], TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gradient_that_does_not_vary(dtype):
    """Rounding may leave less than 0 of s - m²: no NaN."""
    solver = RMSProp(rho=0.3, epsilon=1e-3, centered=True).resolved()
    gradient = np.random.default_rng(0).normal(size=1000).astype(dtype)
    theta, state = np.zeros(1000, dtype), np.zeros((2, 1000), dtype)
    differences = []
    for t in range(60):
        update(solver, theta, gradient, state, 1e-3, t)
        differences.append((state[0] - state[1] ** 2).min())
    assert min(differences) < 0
    assert np.isfinite(theta).all()
    # The denominator is epsilon at last.
    before = theta.copy()
    update(solver, theta, gradient, state, 1e-3, t)
    assert_close(before - theta, gradient, 0.6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("plain", "flag"),
    [
        (RMSProp(), {"centered": True}),
        (RMSProp(), {"momentum": 0.9}),
        (RMSProp(centered=True), {"momentum": 0.9}),
        (Adam(beta_2=0.3), {"amsgrad": True}),
    ],
)
def test_a_flag_in_an_estimator(plain, flag):
    """It keeps its state, starts anew if the other is chosen, and leaves the object."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X @ rng.normal(size=3)
    solver = clone(plain).set_params(**flag)
    network = MLPRegressor(
        hidden_layer_sizes=(5,),
        solver=solver,
        learning_rate_init=0.1,
        shuffle=False,
        random_state=0,
        max_iter=4,
        batch_normalization="centered" in flag,
    )
    whole, steps = clone(network).fit(X, y), clone(network)
    for _ in range(4):
        steps = pickle.loads(pickle.dumps(steps.partial_fit(X, y)))
    assert steps.loss_curve_ == pytest.approx(whole.loss_curve_, rel=1e-9)
    without = clone(network).set_params(solver=clone(plain)).fit(X, y)
    assert without.loss_curve_ != whole.loss_curve_
    ((name, value),) = flag.items()
    off = {f"solver__{name}": plain.get_params()[name]}
    assert clone(network).set_params(**off).fit(X, y).loss_curve_ == without.loss_curve_
    steps.set_params(**off).partial_fit(X, y)
    assert steps._progress["state"].shape[0] == solver.resolved().n_slots - 1
    assert type(network.solver) is type(plain)
    grid = {f"solver__{name}": [plain.get_params()[name], value]}
    search = GridSearchCV(network, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert whole.to_sklearn().solver == "adam"
    check_plugin(solver)
    with pytest.raises(ValueError, match=f"'{name}' parameter of"):
        clone(network).set_params(**{f"solver__{name}": "yes"}).fit(X, y)


def test_flags_of_as_many_slots_are_not_mixed_up():
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    settings = {"hidden_layer_sizes": (), "shuffle": False, "random_state": 0}
    network = MLPRegressor(solver=RMSProp(centered=True), **settings).partial_fit(X, y)
    anew = pickle.loads(pickle.dumps(network))
    del anew._progress
    for model in (network, anew):
        model.set_params(solver__centered=False, solver__momentum=0.5).partial_fit(X, y)
    np.testing.assert_array_equal(network.coefs_[0], anew.coefs_[0])


@pytest.mark.parametrize(
    ("name", "parameter", "remedy"),
    [
        ("rmsprop", {"momentum": 0.5}, r"solver=RMSProp\(momentum=0.5\)"),
        ("lion", {"beta_2": 0.9}, r"solver=Lion\(beta_2=0.9\)"),
    ],
)
def test_a_parameter_that_is_not_the_solvers(name, parameter, remedy):
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    settings = {"hidden_layer_sizes": (), "solver": name, "tol": 1e9, "random_state": 0}
    with pytest.warns(UserWarning, match=f"has no effect with solver='{name}'.*{remedy}"):
        other = MLPRegressor(**settings, **parameter).fit(X, y)
    np.testing.assert_array_equal(
        other.coefs_[0], MLPRegressor(**settings).fit(X, y).coefs_[0]
    )
