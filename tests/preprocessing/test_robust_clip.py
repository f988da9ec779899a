"""RobustClipScaler, compared with slow loops, and its inverse."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.preprocessing import RobustScaler

from skgd import RobustClipScaler

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def data(n=101, dtype=np.float64):
    """Return columns with outliers, equal quartiles, two values, NaN and a constant."""
    rng = np.random.default_rng(n)
    X = rng.normal(100, 5, (n, 5))
    X[0, 0] = 1e6
    X[: n * 4 // 5, 1] = 7
    X[:, 2] = rng.integers(0, 2, n)
    X[::3, 3] = np.nan
    X[:, 4] = -2.5
    return X.astype(dtype)


def quartile(values, part):
    """Return quarter ``part`` of the sorted numbers; the mean of two at a step."""
    place, rest = divmod(part * len(values), 4)
    first = values[place - 1 if rest == 0 else place]
    return (first + values[place]) / 2


def expected(X, new, clip):
    result = np.empty(new.shape)
    for j, column in enumerate(X.T.astype(float)):
        x = sorted(v for v in column if v == v)
        first, median, third = (quartile(x, k) for k in (1, 2, 3))
        scale = third - first or (x[-1] - x[0]) / 2 or 1.0
        for i, v in enumerate(new[:, j].astype(float)):
            z = (v - median) / scale
            result[i, j] = z / (1 + (z / clip) ** 2) ** 0.5
    return result


@each_dtype
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n", [5, 8, 101, 102, 103, 104])
@pytest.mark.parametrize("clip", [0.1, 3.0, 1000])
def test_formula(n, clip, order, dtype):
    X, new = data(n, dtype), np.asarray(data(50, dtype), order=order)
    scaler = RobustClipScaler(clip=clip).fit(X)
    found = scaler.transform(new)
    assert found.dtype == dtype
    assert_allclose(
        found, expected(X, new, clip), rtol=20 * np.finfo(dtype).eps, atol=1e-15
    )
    assert (np.abs(found[np.isfinite(found)]) <= dtype(clip)).all()


def test_center_and_scale_are_those_of_scikit_learn():
    # Of 4 k + 1 numbers, all kinds of quantiles have the same quartiles.
    X = data(101)[:, :3]
    ours, theirs = RobustClipScaler().fit(X), RobustScaler().fit(X)
    assert_allclose(ours.center_, theirs.center_, rtol=1e-15)
    assert_allclose(ours.scale_[[0, 2]], theirs.scale_[[0, 2]], rtol=1e-13)


@each_dtype
def test_inverse(dtype):
    X = data(dtype=dtype)
    scaler = RobustClipScaler(clip=100).fit(X)
    back = scaler.inverse_transform(scaler.transform(X))
    assert back.dtype == dtype
    # The outlier loses the digits in which it differs from the bound.
    assert_allclose(back[1:], X[1:], rtol=1000 * np.finfo(dtype).eps)
    assert back[0, 0] > 1e5


@each_dtype
@pytest.mark.parametrize("clip", [0.1, 3.0, 1 / 3, 1e-300, 1e30])
def test_the_bound(clip, dtype):
    scaler = RobustClipScaler(clip=clip).fit([[-1.0], [0.0], [1.0]])
    far = np.array([[np.finfo(dtype).max], [-np.finfo(dtype).max], [0.0]], dtype)
    scaled = scaler.transform(far)
    assert_array_equal(scaled[:2, 0], [dtype(clip), -dtype(clip)])
    if clip > 1e-50:
        assert_array_equal(scaler.inverse_transform(scaled)[:, 0], [np.inf, -np.inf, 0])


def test_beyond_the_bound():
    scaler = RobustClipScaler().fit(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    message = "X has -3.5 in column 'b', row 1: transformed data lie between -clip and clip"
    with pytest.raises(ValueError, match=re.escape(message)):
        scaler.inverse_transform([[0.0, 0.0], [np.nan, -3.5]])


@each_dtype
def test_weights_repeat_samples(dtype):
    X = data(dtype=dtype)
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    repeated = RobustClipScaler().fit(np.repeat(X, weight, axis=0))
    for factor in (1, 0.5, 2.0**-1000, 2.0**1000):
        scaler = RobustClipScaler().fit(X, sample_weight=weight * factor)
        assert_array_equal(scaler.center_, repeated.center_)
        assert_array_equal(scaler.scale_, repeated.scale_)


def test_nan_is_ignored_and_kept():
    X = np.array([[np.nan, 1.0], [np.nan, np.nan], [np.nan, 3.0]])
    scaler = RobustClipScaler().fit(X)
    assert_array_equal(scaler.center_, [np.nan, 2])
    assert_array_equal(scaler.scale_, [np.nan, 2])
    scaled = scaler.transform(X)
    assert_array_equal(np.isnan(scaled), np.isnan(X))
    assert_allclose(scaler.inverse_transform(scaled), X, rtol=1e-15)
    assert np.isnan(scaler.transform([[1.0, 1.0]])[0, 0])


def test_nearly_constant_features():
    x = np.array([0.1 + 0.2, 0.3, 0.3, 0.3, 0.1 + 0.2])
    X = np.array([x, [*x[:4], 5.0], x * 1e300, x * 1e-300]).T
    scaler = RobustClipScaler().fit(X)
    assert_allclose(scaler.scale_, [1, 2.35, 1, 1])


def test_numbers_of_any_size():
    X = data()[:, :1]
    plain = RobustClipScaler().fit_transform(X)
    for size in (2.0**-1000, 2.0**-500, 2.0**500, 2.0**1000):
        assert_allclose(RobustClipScaler().fit_transform(X * size), plain, rtol=1e-12)
    largest = np.finfo(np.float64).max
    scaler = RobustClipScaler().fit([[-largest], [-largest], [largest], [largest]])
    assert np.isfinite([scaler.center_, scaler.scale_]).all()
    assert_allclose(scaler.transform([[largest]]), 0.5 / (1 + 1 / 36) ** 0.5)


def test_frames():
    X = pd.DataFrame(data(), columns=list("abcde"))
    scaler = RobustClipScaler().set_output(transform="pandas").fit(X)
    scaled = scaler.transform(X)
    assert (
        list(scaled.columns) == list(X.columns) == scaler.get_feature_names_out().tolist()
    )
    assert_array_equal(scaled, RobustClipScaler().fit(X.to_numpy()).transform(X.to_numpy()))


@pytest.mark.parametrize("clip", [0, -1.0, np.inf, np.nan, None, "3"])
def test_wrong_clip(clip):
    with pytest.raises(ValueError, match=r"'clip' parameter of RobustClipScaler must be"):
        RobustClipScaler(clip=clip).fit(data())


def test_errors_name_the_column_and_leave_the_scaler_as_it_was():
    X = pd.DataFrame(data(), columns=list("abcde"))
    scaler = RobustClipScaler().fit(X)
    before = {name: np.copy(value) for name, value in vars(scaler).items()}
    bad = X.assign(c=[*X["c"][:-1], np.inf])
    for call in (scaler.fit, scaler.transform, clone(scaler).fit):
        with pytest.raises(ValueError, match="X has infinity in column 'c', row 100"):
            call(bad)
    for weight, message in ((-1.0, "no negative number"), (0.0, "finite sum|non-zero")):
        with pytest.raises(ValueError, match=message):
            scaler.fit(X.iloc[:, :2], sample_weight=np.full(len(X), weight))
    assert vars(scaler).keys() == before.keys()
    for name, value in vars(scaler).items():
        assert_array_equal(value, before[name])


def test_samples_without_weight_count_for_nothing():
    X = np.array([[1.0], [2.0], [3.0], [1e9]])
    scaler = RobustClipScaler().fit(X, sample_weight=[1, 1, 1, 0])
    assert (scaler.center_, scaler.scale_) == (2, 2)
