import inspect
import sys

import numpy as np
import pytest

from skgd.activations import ACTIVATIONS
from skgd.engine.jit import jit
from tests.engine.helpers import DTYPES, assert_close, numba_dtype, size, uncached
from tests.oracles import activations as oracles

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def elementwise(function):
    """Compile a loop over a kernel of a scalar."""

    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    compiled = uncached(jit(loop))

    def apply(x):
        out = np.empty_like(x)
        compiled(x, out)
        return out

    return apply


def test_every_activation_has_an_oracle():
    assert set(oracles.ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_registry(name):
    assert ACTIVATIONS[name].name == name
    assert ".. math::" in inspect.getdoc(sys.modules[f"skgd.activations.{name}"])


def test_initial_weights_range_as_in_scikit_learn():
    gains = {name: activation.gain for name, activation in ACTIVATIONS.items()}
    assert gains == {"identity": 6, "logistic": 2, "tanh": 6, "relu": 6}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_slope_follow_the_oracle(name, dtype):
    value, derivative = oracles.ACTIVATIONS[name]
    z = np.concatenate([np.linspace(-9, 9, size(20001, 301)), [1e-30, -1e-30]])
    z = z.astype(dtype)
    a = elementwise(ACTIVATIONS[name].value)(z)
    assert a.dtype == dtype
    np.testing.assert_allclose(a, value(z.astype(float)), rtol=TOLERANCE[dtype])
    # A slope is found from the value: near 1 few digits of 1 - a are left.
    slope = elementwise(ACTIVATIONS[name].slope)(a)
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
    a = elementwise(ACTIVATIONS[name].value)(z)
    np.testing.assert_array_equal(a, value(z))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("size", [1, 35, 192])
def test_forward_and_backward_kernels(name, dtype, size):
    """Over the two steps that training makes, and in place."""
    value, derivative = oracles.ACTIVATIONS[name]
    rng = np.random.default_rng(0)
    z, delta = rng.normal(0, 2, (2, size)).astype(dtype)
    a, found = z.copy(), delta.copy()
    forward, backward = ACTIVATIONS[name].bind(numba_dtype(dtype))
    forward(a)
    assert_close(a, value(z.astype(float)), TOLERANCE[dtype])
    kept = a.copy()
    backward(a, found)
    assert_close(found, delta * derivative(z.astype(float)), TOLERANCE[dtype])
    np.testing.assert_array_equal(a, kept)
