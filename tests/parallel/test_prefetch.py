"""Prefetching changes nothing but time."""

import numpy as np
import pytest

from skgd.compile.jit import jit
from skgd.parallel.prefetch import prefetch
from tests.engine.helpers import uncached


@pytest.mark.parametrize("size", [0, 1, 33])
def test_prefetched_memory_stays_as_it_is(size):
    def ask(array):
        prefetch(array)

    array = np.arange(float(size))
    uncached(jit(ask))(array)
    np.testing.assert_array_equal(array, np.arange(float(size)))
