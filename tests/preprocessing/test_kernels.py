"""The compiled loops compared with slow oracles; also with NUMBA_DISABLE_JIT=1."""

from fractions import Fraction

import numpy as np
import pytest

from skgd.preprocessing import _kernels
from skgd.preprocessing._layout import flat, read_only
from tests.pairs import all_pairs

EPS = np.finfo(np.float64).eps

# Without the JIT, NumPy warns where the compiled loops go on in silence.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def data(n_samples, n_features, dtype, order, nan=0.0, offset=0.0):
    rng = np.random.default_rng(n_samples + n_features)
    X = rng.standard_normal((n_samples, n_features)) + offset
    X[rng.uniform(size=X.shape) < nan] = np.nan
    return np.asarray(X, dtype=dtype, order=order)


def exact_moments(column, weight):
    """Count, mean and sum of squares in rational numbers, rounded once."""
    seen = ~np.isnan(column)
    x = [Fraction(float(v)) for v in column[seen]]
    w = [Fraction(float(v)) for v in weight[seen]]
    count = sum(w)
    if not count:
        return 0.0, 0.0, 0.0
    mean = sum(a * b for a, b in zip(w, x, strict=True)) / count
    square = sum(a * (b - mean) ** 2 for a, b in zip(w, x, strict=True))
    return float(count), float(mean), float(square)


def summarize(X, weight=None, moments=True, extremes=True):
    n_samples, n_features = X.shape
    x, n_series = flat(X)
    sums = np.zeros((3, n_features * moments))
    bounds = np.empty((2, n_features * extremes), X.dtype)
    weight = np.empty(0) if weight is None else weight
    _kernels.summarize(read_only(x), n_series, n_samples, read_only(weight), sums, bounds)
    return sums, bounds


@all_pairs(
    weighted=[False, True],
    nan=[0.0, 0.3],
    shape=[(1, 1), (1, 70), (3, 2), (64, 1), (65, 1), (300, 20), (20, 131), (4200, 1)],
    dtype=[np.float32, np.float64],
    order=["C", "F"],
)
def test_moments_are_exact_to_rounding(shape, dtype, order, nan, weighted):
    X = data(*shape, dtype, order, nan=nan)
    weight = np.random.default_rng(1).uniform(size=shape[0]) if weighted else None
    sums, _ = summarize(X, weight, extremes=False)
    for j in range(shape[1]):
        ones = np.ones(shape[0])
        exact = exact_moments(X[:, j], ones if weight is None else weight)
        count, mean, square = sums[:, j]
        assert count == pytest.approx(exact[0], rel=20 * EPS)
        assert mean == pytest.approx(exact[1], rel=20 * EPS, abs=20 * EPS)
        assert square == pytest.approx(exact[2], rel=50 * EPS, abs=50 * EPS)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("offset", [1e9, -1e12])
@pytest.mark.parametrize("ordered", [False, True])
def test_large_offsets_cost_no_digits(order, offset, ordered):
    # The rounding of the data themselves is not the kernel's: it is in the oracle, too.
    X = data(9000, 1, np.float64, order, offset=offset)
    if ordered:
        X = np.asarray(np.sort(X, axis=0), order=order)
    X = np.asarray(np.hstack([X, X * 1e-3]), order=order)
    sums, _ = summarize(X, extremes=False)
    for j in range(2):
        exact = exact_moments(X[:, j], np.ones(len(X)))
        assert sums[1, j] == pytest.approx(exact[1], rel=2 * EPS)
        assert sums[2, j] == pytest.approx(exact[2], rel=1e-13)


@pytest.mark.parametrize("order", ["C", "F"])
def test_outlying_first_samples_cost_no_digits(order):
    X = data(9000, 3, np.float64, order)
    X[0] = 1e9
    X[-1, 1] = 1e9
    sums, _ = summarize(X, extremes=False)
    for j in range(3):
        exact = exact_moments(X[:, j], np.ones(len(X)))
        assert sums[1, j] == pytest.approx(exact[1], rel=1e-14)
        assert sums[2, j] == pytest.approx(exact[2], rel=1e-14)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("value", [0.1, 1e9 / 3, 1e100])
def test_a_constant_has_no_variance(order, value):
    X = np.full((5000, 2), value, order=order)
    sums, bounds = summarize(X)
    assert (sums[0] == 5000).all()
    assert (sums[1] == value).all()
    assert (sums[2] == 0).all()
    assert (bounds == value).all()


@all_pairs(
    weighted=[False, True],
    values=[(np.inf,), (-np.inf,), (np.inf, -np.inf)],
    where=[0, 2500, 4998],
    order=["C", "F"],
)
def test_infinity_never_passes(order, where, values, weighted):
    X = data(5000, 2, np.float64, order, nan=0.01)
    X[where : where + len(values), 1] = values
    weight = np.ones(5000) if weighted else None
    sums, bounds = summarize(X, weight)
    assert np.isfinite(sums[:, 0]).all() and np.isfinite(bounds[:, 0]).all()
    assert not np.isfinite(sums[1:, 1]).all()
    assert not np.isfinite(bounds[:, 1]).all()


@pytest.mark.parametrize("value", [1e155, 1e300])
def test_overflow_is_not_finite(value):
    X = np.array([[1.0, -value], [2.0, value], [4.0, 0.0]])
    sums, bounds = summarize(X)
    assert sums[1, 0] == pytest.approx(7 / 3)
    assert not np.isfinite(sums[2, 1])
    np.testing.assert_array_equal(bounds, [[1, -value], [4, value]])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-170, 1e-160])
@pytest.mark.parametrize("cancel", ["nowhere", "in a block", "over blocks"])
def test_underflow_is_not_zero(order, size, cancel):
    """Also where all of mean and squares are zero, but not for features of zeros."""
    X = np.zeros((10_000, 3), order=order)
    X[:, 1] = np.nan
    X[::2, 2] = 5
    np.testing.assert_array_equal(summarize(X)[0][1:, :2], 0)
    X[:, 0] = size
    if cancel == "in a block":
        X[::2, 0] *= -1
    elif cancel == "over blocks":
        X[: len(X) // 2, 0] *= -1
    sums, _ = summarize(X)
    expected, lost = size if cancel == "nowhere" else 0, max(size / 10, 5e-324)
    assert sums[1, 0] == pytest.approx(expected, abs=lost)
    assert np.hypot(sums[1, 0], np.sqrt(sums[2, 0])) > 0
    # It is no matter of one number among others.
    X[7] = 1
    assert summarize(X)[0][2, 0] == pytest.approx(1 - 1e-4, rel=1e-15)


def test_infinity_without_weight_never_passes():
    X = np.array([[1.0, np.nan], [np.inf, np.inf]])
    sums, _ = summarize(X, np.array([1.0, 0.0]), extremes=False)
    assert not np.isfinite(sums[1]).any()


@all_pairs(
    nan=[0.0, 0.3],
    shape=[(1, 1), (70, 1), (300, 20), (37, 131)],
    dtype=[np.float32, np.float64],
    order=["C", "F"],
)
def test_extremes(shape, dtype, order, nan):
    X = data(*shape, dtype, order, nan=nan)
    sums, bounds = summarize(X, moments=False)
    assert sums.size == 0
    assert bounds.dtype == dtype
    for j in range(shape[1]):
        column = X[:, j][~np.isnan(X[:, j])]
        expected = (column.min(), column.max()) if column.size else (np.nan, np.nan)
        np.testing.assert_array_equal(bounds[:, j], expected)


@all_pairs(
    in_place=[False, True],
    shape=[(1, 1), (70, 1), (300, 20), (37, 131)],
    dtype=[np.float32, np.float64],
    order=["C", "F"],
)
def test_maps_round_once(shape, dtype, order, in_place):
    X = data(*shape, dtype, order, nan=0.1, offset=1e3)
    rng = np.random.default_rng(2)
    center, scale = rng.uniform(1, 2, (2, shape[1]))
    span, offset, low, high = 3.0, 0.5, -1.0, 1e9
    affine = _kernels.Affine(center, scale, span, offset, low, high)
    exact = (X.astype(np.longdouble) - center) / scale * span + offset
    exact = np.clip(exact, low, high)

    given = X.copy(order="K")
    out = given if in_place else np.empty_like(X)
    x, n_series = flat(given)
    infinite = _kernels.apply_affine(read_only(x), n_series, affine, False, flat(out)[0])
    assert not infinite
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(out, exact.astype(np.float64), rtol=2 * eps)

    forward = out.copy(order="K")
    exact = (forward.astype(np.longdouble) - offset) / span * scale + center
    back = forward if in_place else np.empty_like(forward)
    x, n_series = flat(forward)
    infinite = _kernels.apply_affine(read_only(x), n_series, affine, True, flat(back)[0])
    assert not infinite
    np.testing.assert_allclose(back, exact.astype(np.float64), rtol=2 * eps)
    if not in_place:
        np.testing.assert_array_equal(given, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_maps_report_infinity(dtype, value):
    # Of three features and rows of 96 lanes: the last row is shorter than those.
    affine = _kernels.Affine(np.zeros(3), np.ones(3))
    out = np.empty(300, dtype)

    def infinite(x):
        return [
            _kernels.apply_affine(read_only(x), 1, affine, inverse, out)
            for inverse in (False, True)
        ]

    x = np.ones(300, dtype)
    x[::5] = np.nan
    assert infinite(x) == [False, False]
    for where in range(300):
        bad = x.copy()
        bad[where] = value
        assert infinite(bad) == [True, True]
