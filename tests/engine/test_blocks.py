"""What stays in registers, for other processors than this one."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from tests.engine.helpers import PURE_PYTHON

# The vectors, in bytes, that a processor with these features has.
FEATURES = {"": 16, "+avx,+avx2,+fma": 32}
IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
PRODUCTS = Path(__file__).with_name("test_products.py")
CODE = f"""
import sys
import numpy as np
import pytest
from skgd.engine.blocks import vector_length
from skgd.engine.jit import jit


def length(array):
    return vector_length(array)


assert jit(length)(np.zeros(1)) == int(sys.argv[1]) // 8
sys.exit(pytest.main(["-q", {str(PRODUCTS)!r}, "-p", "no:cacheprovider"]))
"""


@pytest.mark.skipif(
    bool(PURE_PYTHON or numba.config.BOUNDSCHECK), reason="It is of compiled code."
)
@pytest.mark.parametrize("features", FEATURES if IS_X86 else [""])
def test_products_of_other_processors(features):
    process = subprocess.run(
        [sys.executable, "-c", CODE, str(FEATURES[features])],
        env={
            **os.environ,
            "NUMBA_CPU_NAME": "generic",
            "NUMBA_CPU_FEATURES": features,
            "SKGD_DISK_CACHE": "0",
        },
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.returncode == 0, process.stdout
