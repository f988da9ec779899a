from functools import cache

import numpy as np
import pytest

from skgd.compile.jit import jit
from skgd.kernels import elementary
from tests.engine.helpers import DTYPES, size, uncached

ULPS = {"float32": 2, "float64": 4}
# Where long double is no longer than float64, the reference itself is rounded.
SLACK = 0 if np.finfo(np.longdouble).nmant > 52 else 2


def _logistic(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _cos_of_turns(x):
    quarter = 0.25 - np.abs(x - np.rint(x))
    return np.sin(8 * np.arctan(np.longdouble(1)) * quarter)


REFERENCES = {
    "cos_of_turns": _cos_of_turns,
    "exp": np.exp,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "logistic": _logistic,
    "log": np.log,
    "log1p": np.log1p,
}
by_name = pytest.mark.parametrize("name", REFERENCES)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)


@cache
def loop_of(name):
    """Make a loop over the function, under the flags that the engine's loops have."""
    function = getattr(elementary, name)

    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    return uncached(jit(loop))


def evaluate(name, x):
    out = np.empty_like(x)
    loop_of(name)(x, out)
    return out


def arguments(dtype):
    """Numbers of all sizes, dense where the functions are not constant."""
    n = size(50_000, 200)
    rng = np.random.default_rng(0)
    bits = np.dtype(dtype.replace("float", "int"))
    info = np.iinfo(bits)
    tiny = np.finfo(dtype).smallest_subnormal
    return np.concatenate(
        [
            rng.integers(info.min, info.max, n, dtype=bits, endpoint=True).view(dtype),
            rng.uniform(-800, 800, n).astype(dtype),
            rng.uniform(-110, 110, n).astype(dtype),
            rng.uniform(-3, 3, n).astype(dtype),
            np.copysign(10.0 ** rng.uniform(-45, 0, n), rng.normal(size=n)).astype(dtype),
            tiny * np.arange(1, 20, dtype=dtype),
            # Where the reductions change sides.
            (np.log(2) * np.arange(-200.5, 200)).astype(dtype),
            (np.sqrt(2) * 2.0 ** np.arange(-120, 120)).astype(dtype),
            np.nextafter(np.ones(4, dtype), np.array([0, 2, 0, 2], dtype)),
        ]
    )


def test_every_function_has_a_reference():
    assert set(elementary.__all__) == {*REFERENCES, "exp_of_rows"}


@by_dtype
@by_name
def test_within_a_few_units_in_the_last_place(name, dtype):
    x = arguments(dtype)
    x = x[np.isfinite(x)]
    if name == "log":
        x = np.abs(x[x != 0])
    elif name == "log1p":
        x = x[x > -1]
    found = evaluate(name, x)
    assert found.dtype == dtype
    with np.errstate(over="ignore", under="ignore"):
        exact = REFERENCES[name](x.astype(np.longdouble))
        rounded = exact.astype(dtype)
    overflow = np.isinf(rounded)
    np.testing.assert_array_equal(found[overflow], rounded[overflow])
    x, found, exact, rounded = (a[~overflow] for a in (x, found, exact, rounded))
    error = np.abs(found.astype(np.longdouble) - exact) / np.spacing(np.abs(rounded))
    worst = np.argmax(error)
    slack = SLACK + (name == "cos_of_turns")
    assert error[worst] <= ULPS[dtype] + slack, f"{name}({x[worst]!r})"


@by_dtype
@by_name
def test_what_is_not_finite(name, dtype):
    x = np.array([np.inf, -np.inf, np.nan, -np.nan], dtype=dtype)
    with np.errstate(invalid="ignore"):
        expected = REFERENCES[name](x)
    np.testing.assert_array_equal(evaluate(name, x), expected)


@by_dtype
@by_name
def test_signed_zeros(name, dtype):
    x = np.array([0.0, -0.0], dtype=dtype)
    with np.errstate(divide="ignore"):
        expected = REFERENCES[name](x)
    found = evaluate(name, x)
    np.testing.assert_array_equal(found, expected)
    if name == "tanh":
        np.testing.assert_array_equal(np.signbit(found), [False, True])


@by_dtype
def test_beyond_the_domain_of_the_logarithms(dtype):
    negative = -np.abs(arguments(dtype))
    negative = negative[negative < 0]
    assert np.isnan(evaluate("log", negative)).all()
    assert np.isnan(evaluate("log1p", negative[negative < -1])).all()
    assert evaluate("log1p", np.array([-1], dtype=dtype)) == -np.inf


@by_dtype
def test_the_bounds_of_exp(dtype):
    """The largest finite result, and the smallest that is not zero."""
    largest = np.log(np.finfo(dtype).max.astype(np.longdouble)).astype(dtype)
    smallest = np.log(np.finfo(dtype).smallest_subnormal.astype(np.longdouble))
    below = [smallest, smallest - 1]
    x = np.array([np.nextafter(largest, 0), largest + 1, *below], dtype=dtype)
    found = evaluate("exp", x)
    assert np.isfinite(found[0])
    assert found[1] == np.inf
    assert found[2] > 0
    assert found[3] == 0


@by_dtype
def test_exponentials_of_rows(dtype):
    z = np.random.default_rng(0).normal(size=(20, 5)).astype(dtype) * 50
    shifted = z - z.max(axis=1, keepdims=True)
    powers = np.empty_like(z)
    elementary.exp_of_rows(z, powers)
    np.testing.assert_array_equal(z, shifted)
    np.testing.assert_allclose(powers, np.exp(shifted.astype("f8")), rtol=3e-7, atol=1e-44)
