import importlib
import pkgutil
import re
import subprocess
import sys
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

import skgd
from skgd.compile.jit import Kernel, Stub, by_dtype, jit, strict_jit
from skgd.compile.sources import WITHOUT_KERNELS
from tests.engine.helpers import uncached


@pytest.fixture
def jit_on(monkeypatch):
    """The JIT, also where it is off for the other tests."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)


def compile_uncached(kernel):
    from numba.core.caching import NullCache

    kernel.dispatcher._cache = NullCache()
    return kernel


def kernels():
    """Find all kernels that are attributes of skgd's modules."""
    found = {}
    for module in pkgutil.walk_packages(skgd.__path__, "skgd."):
        # Some of the rooms without kernels need what is not installed.
        if module.name.split(".")[1] in WITHOUT_KERNELS:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Kernel):
                found[f"{value.__module__}.{name}"] = value
    return found


def test_the_flags_of_every_kernel():
    found = kernels()
    assert len(found) > 40
    for name, kernel in found.items():
        flags = kernel._fastmath
        # nnan or ninf would compile a check for NaN or infinity away, afn replace
        # functions by approximations.
        assert flags <= {"contract", "reassoc", "nsz", "arcp"}, name
        if not numba.config.DISABLE_JIT:
            options = kernel.dispatcher.targetoptions
            assert options["nogil"] is True, name
            assert options["error_model"] == "numpy", name
            assert set(options["fastmath"] or ()) == set(flags), name
            assert not options.get("parallel"), name


def test_the_strict_flags():
    """Nothing that changes the order of roundings: a·b + c in one at most."""
    assert strict_jit(abs)._fastmath == {"contract"}


@pytest.mark.parametrize("decorate", [jit, strict_jit])
def test_checks_for_nan_and_infinity_survive(decorate, jit_on):
    def classify(x):
        nan = x != x
        finite = abs(x) < np.inf
        total = x - x
        return 4 * nan + 2 * finite + (total == total)

    kernel = compile_uncached(decorate(classify))
    for T in (np.float32, np.float64):
        assert [kernel(T(x)) for x in (1.0, np.inf, -np.inf, np.nan)] == [3, 0, 0, 4]


def test_division_by_zero_is_no_error(jit_on):
    def divide(x, y):
        return x / y

    assert compile_uncached(jit(divide))(1.0, 0.0) == np.inf


def test_strict_keeps_the_order_of_roundings(jit_on):
    """A compensated sum, which may be simplified to zero otherwise."""

    def lost(x, y):
        total = x + y
        return y - (total - x)

    assert compile_uncached(strict_jit(lost))(1.0, 1e-20) == 1e-20


def test_a_bound_kernel_is_a_first_class_function(jit_on):
    def double(x):
        return 2 * x

    def triple(x):
        return 3 * x

    def apply(function, x):
        return function(x)

    float64 = numba.float64
    # They have no wrapper for Python: only kernels call them.
    bound = [jit(f).bind(float64, float64) for f in (double, triple)]
    outer = compile_uncached(jit(apply))
    assert [outer(f, 2.0) for f in bound] == [4, 6]
    assert len(outer.dispatcher.signatures) == 1


def test_without_the_jit_a_kernel_is_its_function(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)

    def double(x):
        return 2 * x

    kernel = jit(double)
    assert kernel.dispatcher is double
    assert kernel.bind(numba.float64, numba.float64) is double
    assert kernel(2) == 4


class Pair(NamedTuple):
    array: Any
    number: int


def test_a_kernel_counts_no_references_to_its_arguments(jit_on):
    @jit
    def add(part, pair):
        for i in range(part.shape[0]):
            part[i] += pair.array[0] + pair.number

    def kernel(pair, arrays):
        total = 0.0
        for k in range(pair.array.shape[0]):
            array = arrays[k % 2]
            if array.shape[0] > 1:
                add(array[1:], pair)
            total += pair.array[k]
        return total

    kernel = compile_uncached(jit(kernel))
    first, second, third = np.ones(3), np.zeros(4), np.zeros(5)
    before = [sys.getrefcount(array) for array in (first, second, third)]
    for _ in range(3):
        assert kernel(Pair(first, 4), (second, third)) == 3
    assert [sys.getrefcount(array) for array in (first, second, third)] == before
    np.testing.assert_array_equal(second, [0, 30, 30, 30])
    np.testing.assert_array_equal(third, [0, 15, 15, 15, 15])
    # Of what is compiled, the kernel itself, without what Python or C would call.
    (code,) = kernel.dispatcher.inspect_llvm().values()
    functions = code.split("\ndefine ")[1:]
    (body,) = (
        text
        for text in functions
        if not re.search(r"cfunc|cpython|NRT_", text[: text.index("(")])
        and "kernel" in text[: text.index("{")]
    )
    assert "NRT_" not in body


def test_by_dtype_chooses(jit_on):
    def single(x):
        return x + np.float32(1)

    def double(x):
        return x + 2.0

    either = by_dtype(*map(compile_uncached, map(strict_jit, (single, double))))
    assert isinstance(either, Stub)

    def both(x, y):
        return either(x), either(y)

    both = compile_uncached(jit(both))
    assert both(np.float32(1), 1.0) == (2, 3)
    assert both(1.0, np.float32(1)) == (3, 2)
    assert (either(np.float32(1)), either(np.float64(1)), either(1.0)) == (2, 3, 3)


def test_a_kernel_keeps_its_name():
    @jit
    def kernel():
        """Do nothing."""

    assert (kernel.__name__, kernel.__doc__) == ("kernel", "Do nothing.")


def run(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    subprocess.run(command, check=True, timeout=300)


@pytest.mark.slow
def test_importing_skgd_imports_no_numba():
    run(
        "import sys, skgd\n"
        "import skgd.engine, skgd.solvers, skgd.schedules, skgd.activations, skgd.losses\n"
        "import skgd.engine.train, skgd.engine.full_batch.lbfgs, skgd.engine.predict\n"
        "assert not {'numba', 'llvmlite', 'skgd.compile.cache'} & set(sys.modules)"
    )


@pytest.mark.slow
def test_a_fit_imports_it():
    run(
        "import sys, numpy as np, skgd\n"
        "skgd.MinMaxScaler().fit(np.eye(3))\n"
        "assert 'numba' in sys.modules"
    )


FIRST_FITS = """
import sys, threading, warnings
import numpy as np
import skgd

warnings.simplefilter("ignore")
# Threads take turns all the time, also within an import.
sys.setswitchinterval(1e-6)
X = np.arange(12.0).reshape(6, 2)
makers = [
    lambda: skgd.MLPRegressor(hidden_layer_sizes=(2,), max_iter=1, random_state=0),
    lambda: skgd.MLPClassifier((2,), max_iter=1, random_state=0),
    lambda: skgd.MLPRegressor(hidden_layer_sizes=(2,), max_iter=1, solver="lbfgs"),
    skgd.MinMaxScaler,
]
which, fitted = makers[: int(sys.argv[1])], []
start = threading.Barrier(8)


def fit(index):
    start.wait()
    model = which[index % len(which)]().fit(X, X[:, 0] > 0)
    fitted.append(model)


threads = [threading.Thread(target=fit, args=(index,)) for index in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if len(fitted) < 8:
    sys.exit(1)
from skgd.engine.train import train

# Compiled once; without the JIT it is a plain function.
assert len(getattr(train.dispatcher, "signatures", "1")) == 1
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_first_fits_in_several_threads_at_once(n_estimators):
    """Of the same estimator, and of four."""
    run(FIRST_FITS, n_estimators)


def test_helpers_of_the_tests_leave_no_files():
    def kernel(x):
        return x

    if numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled")
    assert uncached(jit(kernel)).dispatcher._cache.cache_path is None
