import inspect
import sys
from functools import cache

import numpy as np
import pytest

from skgd.activations import ACTIVATIONS, Activation, Logistic, ReLU, Tanh
from skgd.compile.jit import jit, scalar
from skgd.engine import logistic
from skgd.engine.layout import Layout, MemoryPlan
from skgd.engine.records import StageWork, make_steps
from skgd.kernels.multiply import multiply
from skgd.neural_network._network import layout_of
from skgd.stages import Activate
from tests.engine.helpers import (
    DTYPES,
    Model,
    assert_close,
    loss_and_gradient,
    predict,
    size,
    uncached,
)
from tests.engine.problems import LOSSES, draw
from tests.oracles import activations as oracles
from tests.oracles.losses import oracle_of

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
LOSS = LOSSES["squared_error"]


@cache
def elementwise(activation, name, dtype):
    """Compile a loop over a function of a number, with the default arguments."""
    function = scalar(getattr(activation, name), np.dtype(dtype))
    numbers = tuple(activation().numbers().astype(dtype))

    def loop(out, x):
        for i in range(out.shape[0]):
            out[i] = function(x[i], *numbers)

    def loop_of_two(out, x, y):
        for i in range(out.shape[0]):
            out[i] = function(x[i], y[i], *numbers)

    kernels = [uncached(jit(loop)), uncached(jit(loop_of_two))]

    def apply(*arrays):
        out = np.empty_like(arrays[0])
        kernels[len(arrays) - 1](out, *arrays)
        return out

    return apply


def test_every_activation_has_an_oracle():
    assert set(oracles.ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_registry(name):
    assert ACTIVATIONS[name].name == name
    assert ".. math::" in inspect.getdoc(sys.modules[ACTIVATIONS[name].__module__])


def test_initial_weights_range_as_in_scikit_learn():
    for name, gain in {"identity": 6, "logistic": 2, "tanh": 6, "relu": 6}.items():
        assert ACTIVATIONS[name].gain == gain


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_slope_follow_the_oracle(name, dtype):
    value, derivative = oracles.ACTIVATIONS[name]
    z = np.concatenate([np.linspace(-9, 9, size(20001, 301)), [1e-30, -1e-30]])
    z = z.astype(dtype)
    a = elementwise(ACTIVATIONS[name], "value", dtype)(z)
    assert a.dtype == dtype
    np.testing.assert_allclose(a, value(z.astype(float)), rtol=TOLERANCE[dtype])
    # A slope is found from the value: near 1 few digits of 1 - a are left.
    known = ACTIVATIONS[name].slope_arguments(z, a)
    slope = elementwise(ACTIVATIONS[name], "slope", dtype)(*known)
    assert slope.dtype == dtype
    precision = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(
        slope, derivative(z.astype(float)), rtol=TOLERANCE[dtype], atol=precision
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_not_finite(name, dtype):
    value, _ = oracles.ACTIVATIONS[name]
    z = np.array([np.inf, -np.inf, np.nan, 0.0], dtype=dtype)
    a = elementwise(ACTIVATIONS[name], "value", dtype)(z)
    np.testing.assert_allclose(a, value(z), rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "at_zero"), [("gelu", 0.5), ("silu", 0.5), ("mish", 0.6)])
def test_slopes_where_a_quotient_loses_its_digits(name, at_zero, dtype):
    """The slope is near value / z; both may vanish, be subnormal, or be very large."""
    info = np.finfo(dtype)
    small = np.array([0.0, info.smallest_subnormal, info.tiny, 3e-30, 1e-20], dtype)
    large = np.array([50.0, 1e4, 1e18], dtype)
    z = np.concatenate([small, -small, large, -large])
    a = elementwise(ACTIVATIONS[name], "value", dtype)(z)
    found = elementwise(ACTIVATIONS[name], "slope", dtype)(z, a)
    expected = np.repeat([at_zero, 1.0, 0.0], [10, 3, 3])
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=1e-15)


def run_stage(activation, z, delta):
    """Return the value and the gradient by ``z``, by the kernels of the stage."""
    stage = Activate(z.size, activation)
    plan = MemoryPlan(Layout([stage]), 1)
    (steps,) = make_steps(1, rows=1, last=1)
    forward, backward, _ = map(uncached, stage.kernels(z.dtype))
    numbers, nothing = np.array(stage.numbers, dtype=float), z[:0]
    work = StageWork(
        nothing, nothing, np.zeros(1, np.int64), numbers[:0], numbers, multiply
    )
    # What the kernels must not read is no number.
    unread = np.full_like(z, np.nan)
    inputs, a = (unread, z.copy()) if stage.is_in_place else (z, unread.copy())
    forward(plan.stages[0], steps[0], inputs, nothing, a, work)
    outputs, found = unread if activation.slope_of == "input" else a, delta.copy()
    kept = a.copy()
    backward(plan.stages[0], steps[0], inputs, nothing, outputs, found, found, work)
    np.testing.assert_array_equal(a, kept)
    return a, found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("size", [1, 35, 192])
def test_forward_and_backward_kernels(name, dtype, size):
    """Over the two steps that training makes, and in place."""
    value, derivative = oracles.ACTIVATIONS[name]
    rng = np.random.default_rng(0)
    z, delta = rng.normal(0, 2, (2, size)).astype(dtype)
    a, found = run_stage(ACTIVATIONS[name](), z, delta)
    assert a.dtype == found.dtype == dtype
    assert_close(a, value(z.astype(float)), TOLERANCE[dtype])
    assert_close(found, delta * derivative(z.astype(float)), TOLERANCE[dtype])


# -------------------------------------------------------------- an activation of one's own


class Swish(Activation):
    """z times the logistic function of beta z, whose slope is no function of its value."""

    name = "swish"
    slope_of = "input"

    def __init__(self, beta=1.0):
        self.beta = beta

    @staticmethod
    def value(z, beta):
        return z * logistic(beta * z)

    @staticmethod
    def slope(z, beta):
        p = logistic(beta * z)
        return p + beta * z * p * (1.0 - p)


class SwishOfBoth(Swish):
    """The same slope, from the input and the value."""

    slope_of = "both"

    @staticmethod
    def slope(z, a, beta):
        p = a / z
        return p + beta * a * (1.0 - p)


def swish(z, beta):
    """Return the oracle's value and slope."""
    p = 1 / (1 + np.exp(-beta * z))
    return z * p, p + beta * z * p * (1 - p)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("activation", [Swish, SwishOfBoth])
def test_a_slope_of_the_input_with_a_parameter(activation, beta, dtype):
    rng = np.random.default_rng(0)
    z, delta = rng.normal(0, 2, (2, 77)).astype(dtype)
    a, found = run_stage(activation(beta), z, delta)
    assert a.dtype == found.dtype == dtype
    value, slope = swish(z.astype(float), beta)
    assert_close(a, value, TOLERANCE[dtype])
    assert_close(found, delta * slope, TOLERANCE[dtype])


def of_oracle(name):
    value, derivative = oracles.ACTIVATIONS[name]
    return lambda z: (value(z), derivative(z))


def different(units, activations, dtype, seed=0):
    """Make a network whose layers have different activations."""
    model = Model(units, dtype, seed=seed)
    layout = layout_of(units, activations)
    model.layout_with = lambda *settings: layout
    return model


def oracle_of_layers(layers, X, y, functions):
    """Return the objective and its gradient, with a function for each hidden layer."""
    inputs, slopes = [X], []
    for layer, function in zip(layers, functions, strict=False):
        value, slope = function(inputs[-1] @ layer["weights"] + layer["bias"])
        inputs.append(value)
        slopes.append(slope)
    z = inputs[-1] @ layers[-1]["weights"] + layers[-1]["bias"]
    oracle = oracle_of(LOSS)
    delta, gradients = oracle.gradient(z, y) / len(X), []
    for index in reversed(range(len(layers))):
        gradients.insert(0, {"weights": inputs[index].T @ delta, "bias": delta.sum(0)})
        if index > 0:
            delta = delta @ layers[index]["weights"].T * slopes[index - 1]
    return oracle.value(z, y).mean(), gradients, z


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_whose_layers_have_different_activations(dtype):
    """Two of them of one class, with different parameters."""
    X, y, _ = draw(LOSS, 30, 4, 2, weighted=False)
    activations = [Swish(0.5), Tanh(), SwishOfBoth(2.0), ReLU(), Logistic()]
    model = different((4, 6, 5, 7, 6, 5, 2), activations, dtype)
    functions = [
        lambda z: swish(z, 0.5),
        of_oracle("tanh"),
        lambda z: swish(z, 2.0),
        of_oracle("relu"),
        of_oracle("logistic"),
    ]
    value, gradient = loss_and_gradient(model, X, y, LOSS, chunk=16)
    X, y = X.astype(dtype).astype(float), y.astype(dtype).astype(float)
    layers = model.layers(dtype="float64")
    expected, gradients, z = oracle_of_layers(layers, X, y, functions)
    assert value == pytest.approx(expected, rel=TOLERANCE[dtype])
    unit = 0.1 * np.abs(gradient).max()
    for found, layer in zip(model.layers(gradient), gradients, strict=True):
        for kind in layer:
            assert_close(found[kind], layer[kind], TOLERANCE[dtype], unit)
    model.layout = model.layout_with()
    assert_close(predict(model, X.astype(dtype), LOSS, block=7), z, TOLERANCE[dtype])


def test_their_gradient_is_that_of_finite_differences():
    X, y, _ = draw(LOSS, 9, 3, 2, weighted=False)
    model = different((3, 4, 5, 2), [Swish(0.7), Tanh()], "float64")
    _, gradient = loss_and_gradient(model, X, y, LOSS, alpha=0.3)
    theta, step = model.theta.copy(), 1e-5
    for i in range(theta.size):
        values = []
        for sign in (1, -1):
            model.theta[:] = theta
            model.theta[i] += sign * step
            values.append(loss_and_gradient(model, X, y, LOSS, alpha=0.3)[0])
        difference = (values[0] - values[1]) / (2 * step)
        assert difference == pytest.approx(gradient[i], rel=1e-6, abs=1e-8)
