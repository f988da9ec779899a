"""The units of features and the scale of weights do not change a scaler."""

import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.preprocessing import MinMaxScaler as SklearnMinMaxScaler
from sklearn.preprocessing import StandardScaler

from skgd import MeanScaler, MinMaxScaler, ZScoreScaler
from skgd.preprocessing import _layout, _summarize

# Up to the last whose squares, and the sums of these, can be represented.
SIZES = [2.0**k for k in (-497, -460, -113, 66, 460, 494)]
FACTORS = [5e-324, 1e-300, 1e-30, 3.0, 1e15, 1e30, 1e300]

each_size = pytest.mark.parametrize("size", SIZES)
each_order = pytest.mark.parametrize("order", "CF")
each_container = pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array])


def data(order="C"):
    """Columns of which mean, squares or both are zeros, or would be by an underflow."""
    X = np.empty((60, 5), order=order)
    X[:, 0] = np.random.default_rng(0).integers(-4, 12, 60)
    X[:, 1] = 1 - 2 * (np.arange(60) % 2)
    X[:, 2] = np.arange(60) // 30
    X[:, 3] = 0
    X[:, 4] = 3
    X[5, 0] = np.nan
    return X


def with_outliers_without_weight(X):
    """Rows that must not choose the unit, and the weights of all."""
    rows = np.full((2, X.shape[1]), 2.0**1020)
    return np.vstack([X, rows]), np.array([0.25] * len(X) + [0] * 2)


def assert_same(scaler, X, size):
    """Compare with what was fitted to numbers that have ordinary squares."""
    expected = ZScoreScaler().fit(X)
    assert_allclose(scaler.mean_ / size, expected.mean_, rtol=1e-14, atol=1e-15)
    assert_allclose(scaler.scale_[:3], expected.scale_[:3] * size, rtol=1e-14)
    assert_array_equal(scaler.scale_[3:], 1)
    scaled = scaler.transform(X * size)
    assert_allclose(scaled[:, :3], expected.transform(X)[:, :3], rtol=1e-13, atol=1e-15)
    assert_allclose(scaler.inverse_transform(scaled) / size, X, rtol=1e-13, atol=1e-13)


@each_size
@each_order
@pytest.mark.parametrize("how", ["whole", "strided", "in parts", "by row", "merged"])
def test_numbers_of_any_size(how, size, order, monkeypatch):
    X = data(order)
    scaler = ZScoreScaler()
    if how == "whole":
        scaler.fit(X * size)
    elif how == "strided":
        scaler.fit(np.repeat(X * size, 2, axis=0)[::2])
    elif how == "in parts":
        monkeypatch.setattr(_layout, "PART_SIZE", 35)
        scaler.fit(X * size)
    elif how == "by row":
        for row in X * size:
            scaler.partial_fit([row])
    else:
        scaler.fit(X[:30] * size).merge(ZScoreScaler().fit(X[30:] * size))
    assert_same(scaler, X, size)


@each_size
@each_order
def test_numbers_of_any_size_with_weights(size, order):
    X = data(order)
    rows, weight = with_outliers_without_weight(X * size)
    assert_same(ZScoreScaler().fit(rows, sample_weight=weight), X, size)


@each_size
@each_container
def test_sparse_numbers_of_any_size(size, container):
    X = data()
    expected = ZScoreScaler().fit(X).scale_[:3]
    rows, weight = with_outliers_without_weight(X * size)
    for scaler in (
        ZScoreScaler(with_mean=False).fit(container(X * size)),
        ZScoreScaler(with_mean=False).fit(container(rows), sample_weight=weight),
    ):
        assert_allclose(scaler.scale_[:3], expected * size, rtol=1e-14)
        assert_array_equal(scaler.scale_[3:], 1)


@pytest.mark.parametrize("sizes", [(1e-140, 1.0), (1e-148, 1e-140), (1e-149, 1e148)])
def test_parts_of_different_sizes(sizes):
    X = data()[:, :3]
    rows = np.vstack([X * size for size in sizes])
    expected = ZScoreScaler().fit(rows)
    for first, second in (sizes, sizes[::-1]):
        merged = ZScoreScaler().fit(X * first).partial_fit(X * second)
        assert_allclose(merged.mean_, expected.mean_, rtol=1e-14)
        assert_allclose(merged.scale_, expected.scale_, rtol=1e-14)
    back = pickle.loads(pickle.dumps(expected)).partial_fit(rows)
    assert_allclose(back.scale_, expected.scale_, rtol=1e-14)


@each_order
def test_columns_of_other_sizes_do_not_notice(order):
    X = data(order)
    alone = ZScoreScaler().fit(X)
    beside = ZScoreScaler().fit(np.asarray(np.hstack([X, X * 1e-140]), order=order))
    assert_allclose(beside.mean_[:5], alone.mean_, rtol=1e-15)
    assert_allclose(beside.scale_[:5], alone.scale_, rtol=1e-15)


@each_order
def test_ordinary_data_are_read_once(order, monkeypatch):
    def second_pass(*args, **kwargs):
        raise AssertionError("a second pass")

    X = data(order)
    X[:, 1] = np.nan
    monkeypatch.setattr(_summarize, "summarize", second_pass)
    monkeypatch.setattr(_summarize, "min_max_axis", second_pass)
    ZScoreScaler().fit(X)
    ZScoreScaler().fit(X, sample_weight=np.arange(60.0))
    with pytest.raises(AssertionError):
        ZScoreScaler().fit(X * 1e-140)
    for container in (sparse.csr_array, sparse.csc_array):
        ZScoreScaler(with_mean=False).fit(container(X))
        with pytest.raises(AssertionError):
            ZScoreScaler(with_mean=False).fit(container(X * 1e-140))


@pytest.mark.parametrize(
    ("dtype", "exponent"),
    [(np.float32, k) for k in (-149, -130, -90, 0, 90)]
    + [(np.float64, k) for k in (-497, -460, -113, 0, 66, 460, 494)],
)
@pytest.mark.parametrize("Scaler", [MinMaxScaler, MeanScaler])
@pytest.mark.parametrize("how", ["C", "F", "strided", "by row", "merged", "in place"])
def test_ranges_of_any_size(Scaler, dtype, how, exponent):
    """The range of small numbers is as good as that of others."""
    size = 2.0**exponent
    plain = data().astype(dtype)
    # Whole numbers, whose mean is one too: that of the smallest ones is rounded.
    plain[:, 0] = np.where(np.arange(60) % 2, -8, 16)
    plain[:, 2] *= 4
    X = plain * dtype(size)
    expected = Scaler().fit(plain)
    scaler = Scaler(copy=how != "in place")
    if how == "F":
        X = np.asfortranarray(X)
    elif how == "strided":
        X = np.repeat(X, 2, axis=0)[::2]
    if how == "by row":
        for row in X:
            scaler.partial_fit([row])
    elif how == "merged":
        scaler.fit(X[:30]).merge(Scaler().fit(X[30:]))
    else:
        scaler.fit(X)
    before = X.copy()
    scaled = scaler.transform(X)
    rtol = 4 * np.finfo(dtype).eps
    assert scaled.dtype == dtype
    # The others are constant.
    assert_allclose(scaled[:, :3], expected.transform(plain)[:, :3], rtol=rtol, atol=rtol)
    assert_array_equal(scaled[:, 3:], 0)
    back = scaler.inverse_transform(scaled)[:, :3]
    assert_allclose(back, before[:, :3], rtol=rtol, atol=rtol * 16 * size)
    assert np.isfinite(scaler.transform(np.ones((1, 5), dtype))[:, 3:]).all()


@pytest.mark.parametrize("unit", [1e-149, 1.7e-27, 1.0, 1e27, 1e149])
@pytest.mark.parametrize("Scaler", [MinMaxScaler, MeanScaler, ZScoreScaler])
def test_a_constant_with_rounding_errors(Scaler, unit):
    X = np.array([[0.3], [0.1 + 0.2], [0.3]]) * unit
    assert_array_equal(Scaler().fit(X).scale_, 1)


def test_small_numbers_in_a_feature_range():
    X = np.float32(1.4e-45) * np.float32([[0], [1], [4]])
    scaler = MinMaxScaler((-3, 5), clip=True).fit(X)
    assert_array_equal(scaler.transform(X), [[-3], [-1], [5]])
    assert_array_equal(scaler.min_, -3)
    assert_allclose(scaler.scale_, 8 / float(X[2, 0]), rtol=1e-15)
    # In the dtype of the data, clipped or beyond all numbers.
    assert_array_equal(scaler.transform(np.float32([[1], [-1]])), [[5], [-3]])
    scaler.set_params(clip=False)
    assert_array_equal(scaler.transform(np.float32([[1.0]])), np.inf)
    with pytest.raises(ValueError, match="infinity"):
        scaler.transform([[np.inf]])


def test_ranges_that_scikit_learn_takes_for_constant():
    X = np.array([[1.0], [2.0], [4.0]]) * 1.7e-27
    assert_array_equal(SklearnMinMaxScaler().fit(X).scale_, 1)
    assert_allclose(MinMaxScaler().fit_transform(X).ravel(), [0, 1 / 3, 1], rtol=1e-15)


MISFITS = {
    "large": [1.0, -2e150, 0.0],
    "squares overflow": [1e300, 1.0, 2.0],
    "ranges overflow": [-1.7e308, 0.0, 1.7e308],
    "a large constant": [1e151, 1e151, 1e151],
    "small": [0.0, 1e-151, 5e-324],
    "squares underflow": [1e-170, 2e-170, 3e-170],
    "squares underflow about 0": [1e-170, -1e-170, 0.0],
    "subnormal": [0.0, 5e-324, 0.0],
    "a small constant": [-1e-160, -1e-160, -1e-160],
    "a small range": [1e-145, 1e-145 + 1e-152, 1e-145],
}


@pytest.mark.parametrize("column", MISFITS.values(), ids=MISFITS)
@pytest.mark.parametrize("Scaler", [MinMaxScaler, MeanScaler, ZScoreScaler])
@pytest.mark.parametrize("how", ["C", "F", "strided", "parts", "weights", "frame", "NaN"])
def test_numbers_whose_squares_cannot_be_represented(Scaler, how, column, monkeypatch):
    X = np.zeros((300, 4), order="F" if how == "F" else "C")
    X[:, 0] = np.arange(300)
    X[:, 1] = 1e20
    X[:, 2] = np.resize(column, 300)
    ordinary, arguments, label = np.vander(np.arange(3.0), 4), (), "2"
    if how == "strided":
        X = np.repeat(X, 2, axis=1)[:, ::2]
    elif how == "parts":
        monkeypatch.setattr(_layout, "PART_SIZE", 35)
    elif how == "weights" and Scaler is not MinMaxScaler:
        arguments = (None, np.arange(300) % 7 / 8)
    elif how == "frame":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame(X, columns=list("abcd"))
        ordinary, label = pd.DataFrame(ordinary, columns=list("abcd")), "'c'"
    elif how == "NaN":
        X[7:9] = np.nan
    message = re.escape(
        f"X has numbers from {min(column)} to {max(column)} in column {label}: their "
        "magnitude and their range must be 0 or from 1e-150 to 1e+150. Give the feature "
        "another unit"
    )
    with pytest.raises(ValueError, match=message):
        Scaler().fit(X, *arguments)
    if max(np.abs(column)) > 1:
        scaler = Scaler().fit(ordinary)
        before = pickle.dumps(scaler)
        for method in (scaler.fit, scaler.partial_fit):
            with pytest.raises(ValueError, match=f"in column {label}: .* another unit"):
                method(X, *arguments)
            assert pickle.dumps(scaler) == before


@pytest.mark.parametrize("column", MISFITS.values(), ids=MISFITS)
@pytest.mark.parametrize("weighted", [False, True])
@each_container
def test_sparse_numbers_whose_squares_cannot_be_represented(container, weighted, column):
    X = data()
    X[:, 3] = np.resize(column, 60)
    weight = 1 + np.arange(60) % 2 if weighted else None
    with pytest.raises(ValueError, match=r"X has numbers from .* in column 3: "):
        ZScoreScaler(with_mean=False).fit(container(X), sample_weight=weight)


@pytest.mark.parametrize("small", [1e-151, 1e-170, 5e-324])
@pytest.mark.parametrize("Scaler", [MinMaxScaler, MeanScaler, ZScoreScaler])
def test_small_numbers_are_no_fault_after_others(Scaler, small):
    """Unlike a feature of nothing else, they have no statistics to be lost."""
    X = np.array([[1.0], [2.0], [small], [small / 2], [0.0]])
    expected = Scaler().fit(X)
    rows = Scaler()
    for row in X:
        rows.partial_fit([row])
    for scaler in (expected, rows):
        assert_allclose(scaler.scale_, expected.scale_, rtol=1e-15)
        assert_allclose(scaler.transform(X), Scaler().fit_transform(X.round()), atol=1e-15)
    zeros = Scaler().fit([[0.0], [0.0]])
    with pytest.raises(ValueError, match="in column 0"):
        zeros.partial_fit(X[2:4])


@pytest.mark.parametrize("Scaler", [MeanScaler, ZScoreScaler])
@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("how", ["whole", "parts", "by row", "sparse"])
def test_weights_times_a_constant(Scaler, factor, how, monkeypatch):
    """As many digits as these weights have, the results have too."""
    X = data()
    X[:, 3] = 1e9 + np.arange(60) % 2
    X[:, 4] = 0.1
    weight = np.random.default_rng(1).integers(1, 4, 60).astype(float)
    expected = Scaler().fit(X, sample_weight=weight)
    scaler = Scaler()
    if how == "whole":
        scaler.fit(X, sample_weight=weight * factor)
    elif how == "parts":
        monkeypatch.setattr(_layout, "PART_SIZE", 35)
        scaler.fit(X, sample_weight=weight * factor)
    elif how == "by row":
        for row, its in zip(X, weight, strict=True):
            scaler.partial_fit([row], sample_weight=[its * factor])
    elif Scaler is MeanScaler:
        pytest.skip("does not take sparse data")
    else:
        scaler.set_params(with_mean=False)
        scaler.fit(sparse.csr_array(X), sample_weight=weight * factor)
    assert_allclose(scaler.n_samples_seen_, expected.n_samples_seen_ * factor, rtol=1e-14)
    assert_allclose(scaler.mean_, expected.mean_, rtol=1e-14, atol=1e-15)
    # The means of parts are rounded, and those of sparse data.
    assert_allclose(scaler.scale_, expected.scale_, rtol=1e-14 if how == "whole" else 1e-7)
    assert scaler.scale_[4] == 1


def test_weights_that_scikit_learn_adds_up():
    X = np.array([[1.0], [2.0]])
    weight = [4e15, 4e15]
    assert StandardScaler().fit(X, sample_weight=weight).scale_ == 1
    assert ZScoreScaler().fit(X, sample_weight=weight).scale_ == 0.5


@pytest.mark.parametrize("Scaler", [MeanScaler, ZScoreScaler])
def test_weights_whose_sum_overflows_over_calls(Scaler):
    X = data()[:2]
    scaler = Scaler().fit(X, sample_weight=[8e307, 8e307])
    other = pickle.loads(pickle.dumps(scaler))
    before = pickle.dumps(scaler)
    with pytest.raises(ValueError, match="sample_weight must have a finite sum"):
        scaler.partial_fit(X, sample_weight=[8e307, 8e307])
    with pytest.raises(ValueError, match="sample_weight must have a finite sum"):
        scaler.merge(other)
    assert pickle.dumps(scaler) == before
