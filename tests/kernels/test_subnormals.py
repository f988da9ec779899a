import platform

import numpy as np
import pytest

from skgd import MLPClassifier
from skgd.compile.jit import jit
from skgd.kernels.subnormals import flush_subnormals, restore
from tests.engine.helpers import DTYPES, PURE_PYTHON, uncached

FLUSHED = not PURE_PYTHON and platform.machine().lower() in ("x86_64", "amd64")


@uncached
@jit
def _products(x, factor, out):
    before = flush_subnormals()
    for i in range(x.shape[0]):
        out[0, i] = x[i] * factor
    restore(before)
    for i in range(x.shape[0]):
        out[1, i] = x[i] * factor


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_below_the_normal_range_are_zero_until_the_mode_is_restored(dtype):
    """Operands as well as results; others are what they were, NaN and infinity too."""
    tiny = np.finfo(dtype).tiny
    small = np.array([tiny / 2, -tiny, tiny * 1.5, np.finfo(dtype).smallest_subnormal])
    x = np.concatenate([small, [2 * tiny, 3, -np.inf, np.nan]]).astype(dtype)
    out = np.empty((2, x.size), dtype=dtype)
    for factor in (0.5, 1.5):
        factor = x.dtype.type(factor)
        exact = x * factor
        subnormal = np.minimum(abs(x), abs(exact)) < tiny
        _products(x, factor, out)
        np.testing.assert_array_equal(out[1], exact)
        np.testing.assert_array_equal(
            out[0], np.where(subnormal, 0, exact) if FLUSHED else exact
        )
        assert subnormal.any()


def test_a_fit_gives_the_mode_back():
    X = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    MLPClassifier(batch_size=2).partial_fit(X, [0, 0, 1, 1], classes=[0, 1])
    assert np.float32(1e-38) * np.float32(0.5) > 0
    assert np.array([1e-308]) / 2 > 0
