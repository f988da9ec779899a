"""Numbers and weights of any size: in another unit it is the same scaler."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skgd import MeanScaler, ZScoreScaler
from skgd.preprocessing import _layout, _summarize

# The squares of some overflow, of others underflow.
SIZES = [2.0**k for k in (-1015, -560, -500, -410, 490, 1000)]
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


@pytest.mark.parametrize("sizes", [(1e-170, 1.0), (1e-300, 1e-150), (1e-170, 1e300)])
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
    beside = ZScoreScaler().fit(np.asarray(np.hstack([X, X * 1e-200]), order=order))
    assert_allclose(beside.mean_[:5], alone.mean_, rtol=1e-15)
    assert_allclose(beside.scale_[:5], alone.scale_, rtol=1e-15)


@each_order
def test_ordinary_data_are_read_once(order, monkeypatch):
    def second_pass(*args):
        raise AssertionError("a second pass")

    X = data(order)
    X[:, 1] = np.nan
    with monkeypatch.context() as context:
        context.setattr(_summarize, "_summarize_blocks", second_pass)
        ZScoreScaler().fit(X)
        ZScoreScaler().fit(X, sample_weight=np.arange(60.0))
        with pytest.raises(AssertionError):
            ZScoreScaler().fit(X * 1e-200)
    monkeypatch.setattr(_summarize, "inplace_column_scale", second_pass)
    for container in (sparse.csr_array, sparse.csc_array):
        ZScoreScaler(with_mean=False).fit(container(X))
        with pytest.raises(AssertionError):
            ZScoreScaler(with_mean=False).fit(container(X * 1e-200))


def test_what_scikit_learn_takes_for_constant():
    X = data()[:, :3] * 1e-170
    assert_array_equal(StandardScaler().fit(X).scale_, 1)
    scaler = ZScoreScaler().fit(X)
    assert_array_equal(scaler.var_, 0)
    assert_allclose(np.nanstd(scaler.transform(X), axis=0), 1, rtol=1e-13)


def test_deviations_that_are_no_divisors():
    """Half of the smallest number is zero."""
    X = np.array([[0.0, 0.0, 0.0], [5e-324, 1e-310, 1e-307]])
    scaler = ZScoreScaler().fit(X)
    assert_allclose(scaler.scale_, [1, 1, 5e-308], rtol=1e-15)
    assert np.isfinite(scaler.transform(X)).all()


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
