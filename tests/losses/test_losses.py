import inspect
import sys

import numpy as np
import pytest
from sklearn.metrics import mean_tweedie_deviance

from skgd.engine import Loss, exp, log1p, logistic
from skgd.engine.loops import loss_loops
from skgd.losses import (
    LINKS,
    REGRESSION_LOSSES,
    BinaryLogLoss,
    Huber,
    MultinomialFocal,
    MultinomialLogLoss,
    Tweedie,
)
from skgd.losses import LOSSES as REGISTERED
from tests.engine.helpers import DTYPES, assert_close
from tests.oracles.losses import LOSSES as ORACLES
from tests.oracles.losses import oracle_of

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
LOSSES = [loss() for loss in REGISTERED.values()]
by_loss = pytest.mark.parametrize(
    "loss", LOSSES, ids=lambda loss: f"{loss.name}-{loss.out_activation}"
)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)


def draw(loss, dtype, rows, n_outputs, spread):
    rng = np.random.default_rng(rows)
    if loss.outputs_per_target > 1:
        n_outputs = loss.outputs_per_target
    z = rng.normal(0, spread, (rows, n_outputs)).astype(dtype)
    y = oracle_of(loss).draw_targets(rng, rows, n_outputs).astype(dtype)
    weight = rng.integers(0, 4, rows).astype(dtype)
    return z, y, weight


def evaluate(loss, z, y, weight, scale):
    delta = np.full_like(z, np.nan)
    # A loss may use the linear output as its workspace.
    kernel, _ = loss_loops(type(loss), z.dtype)
    scale = z.dtype.type(scale)
    total = kernel(z.copy(), y, weight, scale, loss.numbers(), delta)
    return total, delta


def apply_link(loss, z):
    _, link = loss_loops(type(loss), z.dtype)
    link(z, loss.numbers())


def test_every_loss_has_an_oracle():
    assert set(REGISTERED) == set(ORACLES)


def test_the_registry():
    assert all(name == loss.name for name, loss in REGRESSION_LOSSES.items())
    for loss in LOSSES:
        module = sys.modules[type(loss).__module__]
        assert loss.out_activation in LINKS
        assert ".. math::" in inspect.getdoc(module)


@by_dtype
@by_loss
@pytest.mark.parametrize("shape", [(1, 2), (9, 1), (50, 3)])
def test_value_and_gradient_follow_the_oracle(loss, dtype, shape):
    oracle = oracle_of(loss)
    z, y, weight = draw(loss, dtype, *shape, spread=3)
    kept = [a.copy() for a in (y, weight)]
    total, delta = evaluate(loss, z, y, weight, 0.37)
    z64, y64, weight64 = (a.astype(float) for a in (z, y, weight))
    expected = (weight64 * oracle.value(z64, y64)).sum()
    assert total == pytest.approx(expected, rel=TOLERANCE[dtype], abs=1e-30)
    scale = float(z.dtype.type(0.37))
    gradient = scale * weight64[:, None] * oracle.gradient(z64, y64)
    assert_close(delta, gradient, TOLERANCE[dtype])
    for array, before in zip((y, weight), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@by_dtype
@by_loss
def test_no_overflow_far_from_the_target(loss, dtype):
    """The oracle in extended precision knows the answer."""
    oracle = oracle_of(loss)
    z, y, _ = draw(loss, dtype, 40, 3, spread=1)
    z = np.sign(z) * z.dtype.type(60) * np.abs(z) ** 2
    if loss.out_activation != "exp":
        z *= 100
    weight = np.ones(40, dtype=dtype)
    total, delta = evaluate(loss, z, y, weight, 1)
    wide = z.astype(np.longdouble)
    with np.errstate(over="ignore", under="ignore"):
        expected = oracle.value(wide, y).sum()
        gradient = oracle.gradient(wide, y)
    if expected < np.finfo(dtype).max:
        assert total == pytest.approx(float(expected), rel=TOLERANCE[dtype])
        assert_close(delta, gradient.astype(float), TOLERANCE[dtype])
    else:
        assert loss.out_activation == "exp"
        assert total == np.inf


@by_dtype
@by_loss
def test_a_nan_is_not_hidden(loss, dtype):
    z, y, weight = draw(loss, dtype, 6, 3, spread=1)
    weight[:] = 1
    z[2] = np.nan
    total, delta = evaluate(loss, z, y, weight, 1)
    assert np.isnan(total)
    assert np.isnan(delta[2]).all()
    assert np.isfinite(np.delete(delta, 2, axis=0)).all()


@by_dtype
@by_loss
@pytest.mark.parametrize("shape", [(1, 2), (9, 1), (50, 3)])
def test_the_link_follows_the_oracle(loss, dtype, shape):
    z, _, _ = draw(loss, dtype, *shape, spread=5)
    expected = oracle_of(loss).link(z.astype(float))
    apply_link(loss, z)
    np.testing.assert_allclose(z, expected, rtol=TOLERANCE[dtype])


@by_dtype
def test_classes_of_extreme_outputs_have_probabilities(dtype):
    largest = np.finfo(dtype).max / 4
    z = np.array([[-largest, 0, largest], [largest, largest, -largest]], dtype=dtype)
    apply_link(MultinomialLogLoss(), z)
    np.testing.assert_array_equal(z, [[0, 0, 1], [0.5, 0.5, 0]])
    z = np.array([[-largest, 0, largest]], dtype=dtype)
    apply_link(BinaryLogLoss(), z)
    np.testing.assert_array_equal(z, [[0, 0.5, 1]])


@by_dtype
def test_poisson_of_an_exact_prediction_costs_nothing(dtype):
    loss = REGRESSION_LOSSES["poisson"]()
    y = np.array([[1.0], [2.0], [5.0]], dtype=dtype)
    total, delta = evaluate(loss, np.log(y), y, np.ones(3, dtype=dtype), 1)
    precision = 30 * np.finfo(dtype).eps
    assert abs(total) < precision
    assert np.abs(delta).max() < precision
    zero = np.zeros((1, 1), dtype=dtype)
    total, delta = evaluate(loss, zero, zero, np.ones(1, dtype=dtype), 1)
    assert (total, delta[0, 0]) == (1, 1)


@by_dtype
@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 1.1, 1.9, 2.0, 3.0])
def test_the_powers_of_tweedie(power, dtype):
    """Half of the deviance that scikit-learn has."""
    loss = Tweedie(power)
    z, y, weight = draw(REGRESSION_LOSSES["gamma"](), dtype, 50, 1, spread=1)
    if power < 2:
        y[:5] = 0 if power > 0 else -1
    loss.check_targets(y)
    total, delta = evaluate(loss, z, y, weight, 1)
    mu = np.exp(z[:, 0].astype(float))
    mean = mean_tweedie_deviance(y[:, 0], mu, sample_weight=weight, power=power)
    assert total == pytest.approx(mean * weight.sum() / 2, rel=1e-4)
    slopes = weight * (mu - y[:, 0]) / mu ** (power - 1)
    assert_close(delta[:, 0], slopes, TOLERANCE[dtype])
    if power >= 1:
        with pytest.raises(ValueError, match=r"loss='tweedie' needs y >=? 0, got -"):
            loss.check_targets(y - 2 - y.max())


@by_dtype
@pytest.mark.parametrize("delta", [0.1, 2.5])
def test_the_threshold_of_huber(delta, dtype):
    z, y, weight = draw(Huber(), dtype, 50, 3, spread=2)
    total, slopes = evaluate(Huber(delta), z, y, weight, 1)
    e = z.astype(float) - y
    values = np.where(abs(e) <= delta, e**2 / 2, delta * (abs(e) - delta / 2))
    assert total == pytest.approx((weight[:, None] * values).sum(), rel=TOLERANCE[dtype])
    assert_close(slopes, weight[:, None] * np.clip(e, -delta, delta), TOLERANCE[dtype])


@by_dtype
@pytest.mark.parametrize("loss", [MultinomialLogLoss(), MultinomialFocal(0.7)])
def test_smoothed_classes(loss, dtype):
    """The loss is the mean over all classes, in the parts that smoothing gives them."""
    z, y, weight = draw(loss, dtype, 50, 4, spread=3)
    smoothing, expected, slopes = 0.3, 0.0, 0.0
    for k in range(4):
        part = (1 - smoothing) * (y[:, 0] == k) + smoothing / 4
        _, delta = evaluate(loss, z, np.full_like(y, k), weight, 1)
        for i in range(50):
            one = evaluate(loss, z[i : i + 1], np.full_like(y[:1], k), weight[:1] ** 0, 1)
            expected += weight[i] * part[i] * one[0]
        slopes = slopes + part[:, None] * delta
    both = np.hstack([y, np.full_like(y, smoothing)])
    total, delta = evaluate(loss, z, both, weight, 1)
    assert total == pytest.approx(expected, rel=TOLERANCE[dtype])
    assert_close(delta, slopes, TOLERANCE[dtype])


# --------------------------------------------------------------------- a loss of one's own


class Scaled(Loss):
    """A log loss of a steeper link, with a weight of the positive targets."""

    name = "scaled"

    def __init__(self, steepness=2.0, positive=3.0):
        self.steepness = steepness
        self.positive = positive

    @staticmethod
    def value(z, y, steepness, positive):
        x = steepness * z
        weight = 1.0 + y * (positive - 1.0)
        return weight * ((0.0 if x < 0.0 else x) - y * x + log1p(exp(-abs(x))))

    @staticmethod
    def slope(z, y, steepness, positive):
        weight = 1.0 + y * (positive - 1.0)
        return weight * steepness * (logistic(steepness * z) - y)

    @staticmethod
    def link(z, steepness, positive):
        return logistic(steepness * z)


@by_dtype
@pytest.mark.parametrize(("steepness", "positive"), [(1.0, 1.0), (2.5, 4.0)])
def test_a_loss_with_parameters(steepness, positive, dtype):
    loss = Scaled(steepness, positive)
    binary = oracle_of(BinaryLogLoss)
    z, y, weight = draw(BinaryLogLoss, dtype, 50, 1, spread=3)
    total, delta = evaluate(loss, z, y, weight, 0.37)
    x, y64, weight64 = steepness * z.astype(float), y.astype(float), weight.astype(float)
    of_row = weight64 * np.where(y64[:, 0] > 0, positive, 1)
    expected = (of_row * binary.value(x, y64)).sum()
    assert total == pytest.approx(expected, rel=TOLERANCE[dtype])
    scale = float(z.dtype.type(0.37))
    gradient = scale * of_row[:, None] * steepness * binary.gradient(x, y64)
    assert delta.dtype == dtype
    assert_close(delta, gradient, TOLERANCE[dtype])
    apply_link(loss, z)
    np.testing.assert_allclose(z, binary.link(x), rtol=TOLERANCE[dtype])


@by_dtype
@by_loss
def test_the_domain_is_checked(loss, dtype):
    _, y, _ = draw(loss, dtype, 20, 1 if loss.one_target else 3, spread=1)
    loss.check_targets(y)
    if not np.isfinite(loss.domain[:2]).any():
        loss.check_targets(-1e30 * np.ones((2, 1)))
        return
    y[3] = -1
    with pytest.raises(ValueError, match=rf"loss='{loss.name}' needs y .*, got -1.0\."):
        loss.check_targets(y)
