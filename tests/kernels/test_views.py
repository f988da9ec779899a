import numba
import numpy as np
import pytest
from numba.core.caching import NullCache

from skgd.compile.jit import jit
from skgd.kernels import views


@pytest.fixture(params=["plain", "bounds checked", "python"])
def way(request, monkeypatch):
    """The three ways that a view is made; each with fresh stubs."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", request.param == "python")
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", int(request.param == "bounds checked"))
    for name, slice_, make in [
        ("vector", views._slice_vector, views._make_vector),
        ("matrix", views._slice_matrix, views._make_matrix),
    ]:
        monkeypatch.setattr(views, name, views.Stub(slice_, make))
    return request.param


def compiled(function):
    kernel = jit(function)
    if not numba.config.DISABLE_JIT:
        kernel.dispatcher._cache = NullCache()
    return kernel


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_a_view_reads_and_writes_the_buffer(way, dtype):
    vector, matrix = views.vector, views.matrix

    def kernel(flat):
        v = vector(flat, 2, 3)
        m = matrix(flat, 6, 2, 4)
        v[0] = 100
        m[1, 2] = 200
        m[0] += 1
        return v.shape[0], m.shape[0], m.shape[1], v[2], m[1, 0], m.sum()

    flat = np.arange(20, dtype=dtype)
    expected = flat.copy()
    expected[2] = 100
    expected[6:10] += 1
    expected[12] = 200
    found = compiled(kernel)(flat)
    np.testing.assert_array_equal(flat, expected)
    assert found == (3, 2, 4, 4, 10, expected[6:14].sum())


def test_views_of_views(way):
    vector, matrix = views.vector, views.matrix

    def kernel(flat):
        square = matrix(flat, 1, 3, 3)
        row = vector(square, 3, 3)
        row[:] += 10
        vector(square, 6, 3)[:] += 20
        matrix(square, 3, 2, 3)[1] += 1

    flat = np.zeros(11)
    compiled(kernel)(flat)
    np.testing.assert_array_equal(flat, [0, 0, 0, 0, 10, 10, 10, 21, 21, 21, 0])


def test_empty_views(way):
    vector, matrix = views.vector, views.matrix

    def kernel(flat):
        return vector(flat, 0, 0).size + matrix(flat, 0, 0, 3).size

    assert compiled(kernel)(np.empty(0)) == 0


def test_a_view_of_read_only_data_is_read_only(way):
    vector = views.vector

    def read(flat):
        return vector(flat, 1, 2)[0]

    def write(flat):
        vector(flat, 1, 2)[0] = 1

    flat = np.arange(3.0)
    flat.flags.writeable = False
    assert compiled(read)(flat) == 1
    # Compiled code refuses when it is compiled, Python when it runs.
    with pytest.raises((numba.TypingError, ValueError)):
        compiled(write)(flat)


def test_bounds_checks_see_the_buffer(monkeypatch):
    """A view that reaches beyond its buffer is cut where bounds are checked."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    vector = views.Stub(views._slice_vector, views._make_vector)

    def kernel(flat, i):
        return vector(flat, 1, 5)[i]

    kernel = compiled(kernel)
    assert kernel(np.arange(3.0), 1) == 2
    with pytest.raises(IndexError):
        kernel(np.arange(3.0), 2)
