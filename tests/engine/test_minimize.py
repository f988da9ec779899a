"""Solvers as methods of scipy.optimize.minimize."""

import numpy as np
import pytest
from scipy.optimize import Bounds, OptimizeResult, minimize, rosen, rosen_der

from skgd.schedules import SCHEDULES, Cosine, Scheduled
from skgd.solvers import SOLVERS, Adam, Lion, Minibatch, NAdam, Solver
from tests.engine.helpers import PURE_PYTHON
from tests.oracles import schedules, solvers

START = [-1.2, 1.0, 0.5]
CASES = [(name, s) for name in SOLVERS for s in solvers.SETTINGS[name]]


def by_oracle(name, settings, rates, jac=rosen_der, x0=START):
    """Follow an oracle; return where it comes by."""
    x, state, path = np.array(x0, dtype=float), None, []
    for t, rate in enumerate(rates):
        x, state = solvers.SOLVERS[name](x, state, jac(x), rate, t, **settings)
        path.append(x)
    return np.array(path)


def run(method, jac=rosen_der, fun=rosen, x0=START, callback=None, tol=None, **options):
    return minimize(
        fun, x0, jac=jac, method=method, callback=callback, tol=tol, options=options
    )


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_a_path_is_the_oracles(name, settings):
    rate, path = 0.0005, []
    solver = SOLVERS[name](**settings)
    before = repr(solver)
    found = run(solver, callback=path.append, learning_rate_init=rate, maxiter=50)
    expected = by_oracle(name, settings, [rate] * 50)
    np.testing.assert_allclose(path, expected, rtol=1e-9)
    np.testing.assert_array_equal(found.x, path[-1])
    assert found.x.dtype == np.float64
    assert found.fun == rosen(found.x)
    np.testing.assert_array_equal(found.jac, rosen_der(found.x))
    assert (found.nit, found.nfev, found.njev) == (50, 1, 51)
    assert (found.status, found.success) == (1, False)
    assert found.message == "Maximum number of iterations has been exceeded."
    assert repr(solver) == before


def slope_of_one(x):
    return np.ones_like(x)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule(name):
    """By its name and as an object; each update is an epoch of one sample."""
    settings = schedules.SETTINGS[name][-1]
    defaults = SCHEDULES[name]().get_params()
    for given, arguments in ((name, defaults), (SCHEDULES[name](**settings), settings)):
        if "total" in arguments:
            arguments = {**arguments, "total": arguments["total"] or 30}
        oracle = schedules.SCHEDULES[name]
        rates = [oracle(0.1, t, t, **arguments) for t in range(30)]
        path = [np.zeros(1)]
        run(
            Minibatch(),
            slope_of_one,
            np.sum,
            [0.0],
            path.append,
            learning_rate_init=0.1,
            learning_rate=given,
            maxiter=30,
        )
        np.testing.assert_allclose(-np.diff(np.ravel(path)), rates, atol=1e-12)


def test_a_function_of_the_updates():
    """Over more updates than are prepared at a time."""
    n = 1100
    options = {"learning_rate_init": 0.01, "maxiter": n, "gtol": 0}
    found = run(NAdam(), learning_rate=lambda t, n: 1 - t / n, **options)
    rates = 0.01 * (1 - np.arange(n) / n)
    settings = solvers.SETTINGS["nadam"][0]
    np.testing.assert_allclose(found.x, by_oracle("nadam", settings, rates)[-1], rtol=1e-6)


class Scaled(Solver):
    """Gradient descent by the direction of the gradient alone, told to act on biases."""

    needs_norm = True
    kinds = ("bias",)

    def __init__(self, power=1.0):
        self.power = power

    def coefficients(self, rate, t):
        return rate, self.power

    @staticmethod
    def update(theta, g, state, coefficients):
        eta, power, norm = coefficients
        return theta - eta * g / norm**power, state


def test_a_solver_of_ones_own():
    found = run(
        Scaled(), x0=[3.0, 4.0, 0.0], jac=lambda x: x, maxiter=2, learning_rate_init=1
    )
    np.testing.assert_allclose(found.x, [3 * 0.6, 4 * 0.6, 0], rtol=1e-12)


def test_where_it_ends():
    options = {"learning_rate_init": 0.1, "maxiter": 500}
    start = np.array([3, -2])
    found = run(Minibatch(), lambda x: x, lambda x: x @ x / 2, start, gtol=0.5, **options)
    assert (found.status, found.success) == (0, True)
    assert np.abs(found.jac).max() <= 0.5 < np.abs(found.jac / 0.9).max()
    assert start.tolist() == [3, -2]
    by_tol = run(Minibatch(), lambda x: x, np.sum, start, tol=0.5, **options)
    assert by_tol.nit == found.nit
    none = run(Adam(), maxiter=0)
    assert (none.nit, none.status, none.x.tolist()) == (0, 1, START)
    assert run(Adam(), slope_of_one, np.sum, 2.0, maxiter=1).x.shape == (1,)
    # The squares of a gradient overflow, which no solver without its norm needs.
    long = run(Lion(), lambda x: np.full(1, 1e200), np.sum, [2.0], maxiter=1)
    assert long.x.tolist() == [2 - 0.001]
    with np.errstate(over="ignore", invalid="ignore"):
        far = run(Minibatch(), lambda x: x**3, np.sum, [1.0], learning_rate_init=100)
    assert (far.status, far.success) == (2, False)
    assert "Lower learning_rate_init" in far.message
    # The last of those that are finite, and its function.
    assert np.isfinite([*far.x, *far.jac, far.fun]).all()
    lost = run(Minibatch(), lambda x: x, lambda x: np.nan, [1.0], maxiter=3)
    assert (lost.status, lost.success) == (2, False)
    assert "function is not finite" in lost.message


def test_callbacks(capsys):
    seen = []

    def of_results(intermediate_result):
        seen.append(intermediate_result)
        # What it gets is its own.
        intermediate_result.x[:] = np.nan
        if len(seen) == 3:
            raise StopIteration

    found = run(Adam(), callback=of_results, disp=True)
    assert (found.nit, found.status, found.success) == (3, 99, False)
    assert capsys.readouterr().out == "`callback` raised `StopIteration`.\n"
    assert all(type(result) is OptimizeResult for result in seen)
    assert seen[-1].fun == found.fun
    assert found.nfev == 4

    def of_arrays(x):
        x[:] = np.nan
        raise StopIteration

    assert run(Adam(), callback=of_arrays).nit == 1


def test_the_gradient_with_the_value_and_arguments():
    def both(x, target, scale):
        difference = x - target
        x[:] = np.nan  # It gets a copy.
        return scale * difference @ difference, 2 * scale * difference

    options = {"learning_rate_init": 0.1, "maxiter": 5}
    joined = minimize(both, START, (1.0, 2.0), Adam(), jac=True, options=options)
    apart = minimize(
        lambda *args: both(*args)[0],
        START,
        (1.0, 2.0),
        Adam(),
        jac=lambda *args: both(*args)[1],
        options=options,
    )
    np.testing.assert_array_equal(joined.x, apart.x)
    assert joined.fun == apart.fun
    direct = Adam()(
        lambda x, s: s * x @ x, START, 2.0, jac=lambda x, s: 2 * s * x, maxiter=1
    )
    assert direct.nit == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jac": None}, r"method=Adam\(\) needs the gradient: pass jac"),
        ({"jac": "2-point"}, "needs the gradient"),
        ({"bounds": [(0, 1)] * 3}, "bounds cannot be used with method"),
        ({"bounds": Bounds(0, 1)}, "bounds cannot be used"),
        ({"constraints": {"type": "eq", "fun": np.sum}}, "constraints cannot be used"),
        ({"hess": lambda x: np.eye(3)}, "hess cannot be used"),
        ({"hessp": lambda x, p: p}, "hessp cannot be used"),
        ({"options": {"lr": 0.1}}, r"options\['lr'\] is not known .* learning_rate_init,"),
        ({"options": {"learning_rate_init": 0}}, r"'learning_rate_init'\] must be a fin"),
        ({"options": {"learning_rate_init": np.inf}}, "must be a finite number > 0"),
        ({"options": {"maxiter": 1.5}}, r"options\['maxiter'\] must be an int >= 0, got 1"),
        ({"options": {"gtol": -1}}, r"options\['gtol'\] must be a number >= 0, got -1"),
        (
            {"options": {"learning_rate": "cosinus"}},
            r"must be one of \['adaptive', .*'cosi",
        ),
        ({"options": {"learning_rate": Cosine}}, "a Schedule of skgd.schedules"),
        ({"options": {"learning_rate": Scheduled(1.0, Cosine())}}, "got Scheduled"),
        ({"options": {"learning_rate": Cosine(n_cycles=0)}}, "'n_cycles' parameter of Cos"),
        (
            {"options": {"learning_rate": lambda t, n: -1}},
            "must return finite numbers >= 0",
        ),
        ({"method": Adam(beta_1=2)}, "'beta_1' parameter of Adam must be"),
        ({"x0": [[1.0, 2.0]]}, "'x0' must only have one dimension"),
        ({"jac": lambda x: x[:2]}, r"jac must return an array of shape \(3,\)"),
        ({"fun": lambda x: x}, r"fun must return a number, got the shape \(3,\)"),
    ],
)
def test_what_cannot_be(arguments, message):
    given = {"fun": rosen, "x0": START, "jac": rosen_der, "method": Adam(), **arguments}
    with pytest.raises(ValueError, match=message):
        minimize(**given)


def test_a_matrix_without_scipy():
    with pytest.raises(ValueError, match=r"one dimension, got the shape \(1, 2\)"):
        Lion()(rosen, [[1.0, 2.0]], jac=rosen_der)


class Broken(Solver):
    """Calls what cannot be compiled."""

    @staticmethod
    def update(theta, g, state, coefficients):
        return sorted([theta, g], key=str)[0], state


@pytest.mark.skipif(PURE_PYTHON, reason="Nothing is compiled.")
def test_a_solver_that_does_not_compile():
    with pytest.raises(ValueError, match=r"solver: Broken.update cannot be compiled"):
        run(Broken())
