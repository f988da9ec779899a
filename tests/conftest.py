import gc
import os

# SciPy and scikit-learn read it when they are imported; without it scikit-learn skips the
# checks of array API inputs.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
import pytest

from skgd import _caller

pytest.register_assert_rewrite("tests.engine.helpers")

# Nearly nothing is garbage while tests are collected.
gc.disable()


def pytest_collection_finish():
    """Let the collections of garbage in tests skip all tests and modules."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _kernels_never_warn():
    """Compiled code does not warn of overflow; run as Python, its NumPy scalars would."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
        yield
    else:
        with np.errstate(all="ignore"):
            yield


@pytest.fixture(autouse=True)
def _no_recent_ctrl_c(monkeypatch):
    """The one of the test before does not count as the first of two."""
    monkeypatch.setattr(_caller, "_last_interrupt", float("-inf"))
