"""L-BFGS takes the same steps as SciPy's L-BFGS-B."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der
from scipy.special import expit

from skgd.engine.full_batch import lbfgs
from skgd.engine.full_batch.lbfgs import Descent
from skgd.engine.full_batch.objective import IN_ORDER
from tests.engine.helpers import size

# SciPy's for the same end.
STATUS = {
    lbfgs.CONVERGED: 0,
    lbfgs.TOO_MANY_ITERATIONS: 1,
    lbfgs.TOO_MANY_EVALUATIONS: 1,
    lbfgs.FAILED: 2,
}
OPTIONS = {"maxiter": 40, "maxfun": 60, "gtol": 1e-8}


def quadratic(rng, n):
    """A bowl, long and narrow, in which the first step of length 1 may be far too short."""
    scale = 10 ** rng.uniform(-3, 3, n)
    return lambda x: 0.5 * (scale * x) @ x, lambda x: scale * x


def hilly(rng, n):
    """Where line searches meet other valleys, steep and flat stretches."""
    w = 5 * rng.standard_normal(n)
    return (
        lambda x: np.sum(np.cos(w * x) + 0.05 * (w * x) ** 2) + np.sin(x.sum()),
        lambda x: -w * np.sin(w * x) + 0.1 * w * w * x + np.cos(x.sum()),
    )


def logistic(rng, n):
    A = rng.standard_normal((3 * n, n)) * 10 ** rng.uniform(-1.5, 1.5, n)
    return (
        lambda x: np.logaddexp(0, A @ x).mean() + 1e-3 * x @ x,
        lambda x: A.T @ expit(A @ x) / len(A) + 2e-3 * x,
    )


def hill(rng, n):
    """Falls for ever, and tells nothing of a minimum."""
    top = rng.standard_normal(n)
    return (
        lambda x: -np.sqrt(1 + (x - top) ** 2).sum(),
        lambda x: -(x - top) / np.sqrt(1 + (x - top) ** 2),
    )


def rosenbrock(rng, n):
    return rosen, rosen_der


def mirrored(rng, n):
    """A first step of length 1 to the other side, and hardly lower.

    By less than a thousandth of what the slope promises: the search goes on with the
    distance to the line of sufficient decrease.
    """
    return lambda x: 0.5 * x @ x, lambda x: x.copy()


def plane(rng, n):
    """The first step is as long as a step may be."""
    slope = 2.0 ** rng.integers(-2, 2, n)
    return lambda x: slope @ x, lambda x: slope.copy()


def run(function, slope, start, maxiter, maxfun, gtol):
    """Return the points where skgd evaluates a function, the iterations and the end."""
    x = start.copy()
    descent = Descent.begin(x, 1)
    settings = lbfgs.Settings(0.0, 1.0, gtol, maxiter, maxfun, IN_ORDER, np.empty(0))
    losses, points = [], []
    while descent.counts[lbfgs.STATUS] == lbfgs.RUNNING:
        points.append(x.copy())
        descent.total[:] = slope(x)
        if lbfgs.advance(float(function(x)), x, descent, settings):
            losses.append(descent.numbers[lbfgs.LOSS])
    assert len(points) == descent.counts[lbfgs.EVALUATIONS]
    assert len(losses) == descent.counts[lbfgs.ITERATIONS]
    return points, losses, descent


@pytest.mark.parametrize("seed", range(size(10, 4)))
@pytest.mark.parametrize("family", [quadratic, hilly, logistic, hill, rosenbrock, mirrored])
def test_the_steps_are_those_of_scipy(family, seed):
    rng = np.random.default_rng(seed)
    function, slope = family(rng, 7)
    start = rng.standard_normal(7)
    if family is mirrored:
        start *= (0.5 + rng.uniform(0, 5e-4)) / np.linalg.norm(start)
    expected, accepted = [], []

    def evaluate(x):
        expected.append(x.copy())
        return float(function(x))

    result = minimize(
        evaluate,
        start,
        jac=slope,
        method="L-BFGS-B",
        callback=lambda x: accepted.append(float(function(x))),
        options=OPTIONS,
    )
    points, losses, descent = run(function, slope, start, **OPTIONS)
    # Rounding errors grow from step to step, and near the minimum they decide.
    for point, other in list(zip(points, expected, strict=False))[:12]:
        np.testing.assert_allclose(point, other, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(losses[:8], accepted[:8], rtol=1e-7, atol=1e-12)
    assert len(losses) == pytest.approx(result.nit, abs=2)
    assert len(points) == pytest.approx(result.nfev, abs=4)
    assert STATUS[descent.counts[lbfgs.STATUS]] == result.status
    if result.status == 0:
        np.testing.assert_allclose(losses[-1], result.fun, rtol=1e-6, atol=1e-10)
    assert losses[-1] == descent.numbers[lbfgs.LOSS] == function(descent.theta)
    np.testing.assert_array_equal(descent.gradient, slope(descent.theta))


def test_the_longest_step():
    """On a plane all slopes are the same: only the first step means anything."""
    function, slope = plane(np.random.default_rng(0), 3)
    points, expected = [], []
    minimize(
        lambda x: expected.append(x.copy()) or float(function(x)),
        np.zeros(3),
        jac=slope,
        method="L-BFGS-B",
        options={"maxiter": 1},
    )
    points, _, descent = run(function, slope, np.zeros(3), 1, 60, 1e-8)
    assert descent.points[3, 0] == lbfgs.LARGEST_STEP
    assert len(points) == len(expected) > 5
    np.testing.assert_allclose(points, expected, rtol=1e-12)


def test_it_ends_at_a_minimum():
    function, slope = quadratic(np.random.default_rng(0), 3)
    points, losses, descent = run(function, slope, np.zeros(3), **OPTIONS)
    assert len(points) == 1 and not len(losses)
    assert descent.counts[lbfgs.STATUS] == lbfgs.CONVERGED


@pytest.mark.parametrize("beyond", [np.nan, np.inf])
def test_a_step_too_far_is_halved(beyond):
    """Beyond 1 the logarithm is no number. SciPy ends there and reports convergence."""
    edge = np.array([0.2, 0.9, 0.99])

    def function(x):
        inside = np.abs(x) < 1
        barrier = np.log1p(-np.where(inside, x, 0)) + np.log1p(np.where(inside, x, 0))
        return -(edge * x / (1 - edge**2) * 2 + barrier).sum() if inside.all() else beyond

    def slope(x):
        return 2 * x / (1 - x * x) - 2 * edge / (1 - edge**2)

    points, losses, descent = run(function, slope, np.zeros(3), 100, 1000, 1e-6)
    assert not all(np.isfinite(function(point)) for point in points)
    assert descent.counts[lbfgs.STATUS] == lbfgs.CONVERGED
    np.testing.assert_allclose(descent.theta, edge, rtol=1e-3)
    assert np.all(np.diff(losses) < 0)


def test_where_no_step_is_finite_it_fails():
    function, slope = quadratic(np.random.default_rng(1), 3)
    start = np.ones(3)
    points, losses, descent = run(
        lambda x: function(x) if np.array_equal(x, start) else np.nan,
        slope,
        start,
        **OPTIONS,
    )
    assert descent.counts[lbfgs.STATUS] == lbfgs.FAILED
    assert len(points) == 1 + lbfgs.MOST_TRIALS and not losses
    np.testing.assert_array_equal(descent.theta, start)


def test_after_a_failed_search_it_begins_anew():
    """From some point on nothing is finite but along the gradient, once."""
    function, slope = rosen, rosen_der
    points, _, _ = run(function, slope, np.full(4, 3.0), 6, 60, 1e-8)
    start, n_before = points[-1], len(points)
    memory_of = []

    def finite(x):
        memory_of.append(x)
        if len(memory_of) <= n_before:
            return function(x)
        # The trials of a whole search, from `start` in a direction that was remembered.
        return function(x) if len(memory_of) > n_before + lbfgs.MOST_TRIALS else np.nan

    points, losses, _ = run(finite, slope, np.full(4, 3.0), 7, 200, 1e-8)
    assert len(losses) == 7
    assert len(points) > n_before + lbfgs.MOST_TRIALS
    step = points[n_before + lbfgs.MOST_TRIALS] - start
    along = step / np.linalg.norm(step)
    np.testing.assert_allclose(along, -slope(start) / np.linalg.norm(slope(start)))


def test_a_slope_that_underflows_fails():
    points, _, descent = run(
        lambda x: 1e-170 * x.sum(), lambda x: np.full(3, 1e-170), np.ones(3), 5, 5, 0.0
    )
    assert descent.counts[lbfgs.STATUS] == lbfgs.FAILED
    assert len(points) == 1


def test_a_gradient_that_is_wrong_fails():
    function, slope = quadratic(np.random.default_rng(2), 3)
    points, _, descent = run(
        function, lambda x: -slope(x), np.ones(3), **(OPTIONS | {"maxfun": 10**6})
    )
    assert descent.counts[lbfgs.STATUS] == lbfgs.FAILED
    np.testing.assert_array_equal(descent.theta, np.ones(3))
    assert len(points) == 1 + lbfgs.MOST_TRIALS
