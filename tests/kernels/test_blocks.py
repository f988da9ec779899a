"""What stays in registers, for other processors than this one."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.codegen import get_host_cpu_features

from skgd.kernels.multiply import choose, multiply, multiply_plain
from tests.engine.helpers import DTYPES, PURE_PYTHON

# The vectors, in bytes, that a processor with these features has.
FEATURES = {"": 16, "+avx,+avx2,+fma": 32}
HAS_AVX2 = "+avx2" in get_host_cpu_features()
PRODUCTS = Path(__file__).with_name("test_products.py")
CODE = f"""
import sys
import numpy as np
import pytest
from skgd.kernels.blocks import vector_length
from skgd.compile.jit import jit


def length(array):
    return vector_length(array)


assert jit(length)(np.zeros(1)) == int(sys.argv[1]) // 8
sys.exit(pytest.main(["-q", {str(PRODUCTS)!r}, "-p", "no:cacheprovider"]))
"""


# Arrays that begin or end where the next page of memory must not be touched: to do so ends
# the process.
GUARDED = """
import ctypes
import mmap
import sys
import numpy as np
from skgd.kernels import products
from skgd.kernels.multiply import SCRATCH_SIZE, multiply
from tests.kernels.test_products import SHAPES, draw

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
PAGE = mmap.PAGESIZE
keep = []


def guarded(array, at_end):
    size = -(-array.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, size + 2 * PAGE)
    begin = np.frombuffer(memory, np.uint8).ctypes.data
    keep.append(memory)
    for guard in (begin, begin + PAGE + size):
        assert libc.mprotect(guard, PAGE, 0) == 0
    first = PAGE + (size - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, first).reshape(array.shape)
    copy[:] = array
    return copy


for shape in SHAPES:
    X, weights, delta = draw(sys.argv[1], *shape)
    arrays = X, weights, delta, np.empty_like(delta), np.empty_like(weights)
    scratch = np.empty(SCRATCH_SIZE, X.dtype)
    arrays = (*arrays, np.empty_like(X), delta[0].copy(), scratch)
    for at_end in (False, True):
        X, weights, delta, out, gradient, errors, bias, scratch = [
            guarded(array, at_end) for array in arrays
        ]
        products.linear(X, weights, bias, out, multiply, scratch)
        products.weight_gradient(X, 0, delta, gradient, multiply, scratch)
        products.input_gradient(delta, weights, errors, multiply, scratch)
        products.column_sums(delta, bias, multiply, scratch)
print("nothing touched", flush=True)
# The guards work.
np.frombuffer(keep[0], np.uint8)[0]
"""
of_compiled_code = pytest.mark.skipif(
    bool(PURE_PYTHON or numba.config.BOUNDSCHECK), reason="It is of compiled code."
)
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@of_compiled_code
@pytest.mark.skipif(not hasattr(os, "fork"), reason="It needs a POSIX system.")
@pytest.mark.parametrize("dtype", DTYPES)
def test_products_touch_nothing_beside_their_arrays(dtype):
    command = [sys.executable, "-c", GUARDED, dtype]
    process = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout == "nothing touched\n"
    assert process.returncode < 0


@pytest.mark.slow
@of_compiled_code
@pytest.mark.parametrize("features", FEATURES if HAS_AVX2 else [""])
def test_products_of_other_processors(features):
    process = subprocess.run(
        [sys.executable, "-c", CODE, str(FEATURES[features])],
        env={
            **os.environ,
            "NUMBA_CPU_NAME": "generic",
            "NUMBA_CPU_FEATURES": features,
            "SKGD_DISK_CACHE": "0",
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.returncode == 0, process.stdout


@pytest.mark.slow
@of_compiled_code
def test_plain_products():
    """As on a processor without tuned blocks."""
    env = {**os.environ, "SKGD_PLAIN_PRODUCTS": "1"}
    code = f"""
from skgd.kernels.multiply import choose, multiply_plain
import pytest
assert choose() is multiply_plain
raise SystemExit(pytest.main(["-q", {str(PRODUCTS)!r}, "-p", "no:cacheprovider"]))
"""
    process = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.returncode == 0, process.stdout


def test_which_products(monkeypatch):
    monkeypatch.delenv("SKGD_PLAIN_PRODUCTS", raising=False)
    for machine, expected in (("AMD64", multiply), ("riscv64", multiply_plain)):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert choose() is expected
    monkeypatch.setenv("SKGD_PLAIN_PRODUCTS", "0")
    assert choose() is multiply
    monkeypatch.setenv("SKGD_PLAIN_PRODUCTS", "yes")
    with pytest.raises(ValueError, match="SKGD_PLAIN_PRODUCTS must be 0 or 1, got 'yes'"):
        choose()


@of_compiled_code
@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_selects_the_first_lanes(dtype, byteorder, monkeypatch):
    """Where bytes are in the other order than here, so are the lanes of a mask."""
    from llvmlite import ir
    from numba import njit, types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

    from skgd.kernels.vectors import Vectors, registers

    @intrinsic
    def write_ones(typing_context, out, count):
        def codegen(context, builder, signature, args):
            vectors = Vectors(context, builder, out.dtype)
            ones = ir.Constant(vectors.type, [1.0] * vectors.length)
            data = make_array(out)(context, builder, args[0]).data
            vectors.store(ones, data, vectors.mask(args[1]))
            return context.get_dummy_value()

        return types.void(out, count), codegen

    here, length = sys.byteorder, registers()[0] // np.dtype(dtype).itemsize
    monkeypatch.setattr(sys, "byteorder", byteorder)
    write = njit(lambda out, count: write_ones(out, count))
    for count in range(1, length + 2):
        out = np.zeros(length, dtype)
        write(out, count)
        first = (np.arange(length) < count).astype(dtype)
        np.testing.assert_array_equal(out, first if byteorder == here else first[::-1])
