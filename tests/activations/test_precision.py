"""Values within a few units in the last place, compared with long double."""

import numpy as np
import pytest

from skgd.activations import ACTIVATIONS
from tests.activations.test_activations import elementwise
from tests.engine.helpers import DTYPES, size

ULPS = {"float32": 2, "float64": 4}
# Where long double is no longer than float64, the reference itself is rounded.
SLACK = 0 if np.finfo(np.longdouble).nmant > 52 else 4


def _logistic(z):
    e = np.exp(-abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-abs(z)))


def _upper_tail(x):
    """Return the probability of more than x >= 0: by a series, and a continued fraction."""
    density = np.exp(-x * x / 2) * np.longdouble("0.398942280401432677939946059934")
    near = np.minimum(x, 2)
    term, total = near, near
    for k in range(1, 60):
        term = term * near * near / (2 * k + 1)
        total = total + term
    far = np.maximum(x, 2)
    fraction = far
    for k in range(200, 0, -1):
        fraction = far + k / fraction
    return np.where(x < 2, 0.5 - density * total, density / fraction)


def _gelu(z):
    tail = _upper_tail(abs(z))
    return z * np.where(z < 0, tail, 1 - tail)


def _elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _selu(z):
    scale = np.longdouble("1.0507009873554804934193349852946")
    alpha = np.longdouble("1.6732632423543772848170429916717")
    return scale * np.where(z > 0, z, alpha * _elu(z))


REFERENCES = {
    "identity": lambda z: z,
    "logistic": _logistic,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, z * np.longdouble("0.01")),
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": lambda z: z * _logistic(z),
    "mish": lambda z: z * np.tanh(_softplus(z)),
    "softplus": _softplus,
    "hard_tanh": lambda z: np.clip(z, -1, 1),
}


def arguments(dtype):
    """Inputs of all sizes, many of them where the functions bend or vanish."""
    n = size(20_000, 100)
    rng = np.random.default_rng(0)
    bits = np.dtype(dtype.replace("float", "int"))
    info = np.iinfo(bits)
    z = np.concatenate(
        [
            rng.integers(info.min, info.max, n, dtype=bits, endpoint=True).view(dtype),
            *(rng.uniform(-high, high, n).astype(dtype) for high in (1, 3, 15, 110, 800)),
            np.copysign(10.0 ** rng.uniform(-45, 0, n), rng.normal(size=n)).astype(dtype),
        ]
    )
    return z[np.isfinite(z)]


def test_every_activation_has_a_reference():
    assert set(REFERENCES) == set(ACTIVATIONS)


def assert_precise(found, exact, dtype):
    assert found.dtype == dtype
    rounded = exact.astype(dtype)
    unit = np.spacing(np.maximum(abs(rounded), np.finfo(dtype).tiny))
    error = abs(found.astype(np.longdouble) - exact) / unit
    assert error.max() <= ULPS[dtype] + SLACK, error.argmax()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REFERENCES)
def test_within_a_few_units_in_the_last_place(name, dtype):
    z = arguments(dtype)
    with np.errstate(over="ignore", under="ignore"):
        exact = REFERENCES[name](z.astype(np.longdouble))
        # As far as the values are finite.
        is_finite = abs(exact) <= np.finfo(dtype).max
        found = elementwise(ACTIVATIONS[name], "value", dtype)(z)
        assert_precise(found[is_finite], exact[is_finite], dtype)
