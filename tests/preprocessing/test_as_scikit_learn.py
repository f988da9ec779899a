"""The scalers compared with scikit-learn's, with all of their options, on real data."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context, preprocessing
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.utils import check_array

from skgd import MeanScaler, MinMaxScaler, ZScoreScaler
from tests.pairs import all_pairs

DATASETS = [load_breast_cancer, load_digits, load_iris, load_wine]
ATTRIBUTES = {
    MinMaxScaler: ["data_min_", "data_max_", "data_range_", "min_", "scale_"],
    ZScoreScaler: ["mean_", "var_", "scale_"],
}


def assert_same(ours, theirs, dtype):
    tolerance = 200 * np.finfo(dtype).eps
    for name in ATTRIBUTES[type(ours)]:
        a, b = getattr(ours, name), getattr(theirs, name)
        if b is None:
            assert a is None, name
        else:
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(ours.n_samples_seen_, theirs.n_samples_seen_)


def assert_same_results(ours, theirs, X):
    expected = theirs.transform(X)
    result = ours.transform(X)
    assert result.dtype == expected.dtype
    assert result.flags.c_contiguous == expected.flags.c_contiguous
    assert result.flags.f_contiguous == expected.flags.f_contiguous
    # Theirs round before the offset is gone: digits of the largest numbers are lost.
    spread = np.nanmax(np.abs(X))
    tolerance = 20 * np.finfo(X.dtype).eps
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=tolerance * spread)
    back, expected = ours.inverse_transform(result), theirs.inverse_transform(expected)
    assert back.dtype == expected.dtype
    np.testing.assert_allclose(back, expected, rtol=1e-9, atol=tolerance * spread)


def load(dataset, dtype, order, nan):
    X = np.array(dataset().data, dtype=dtype, order=order)
    if nan:
        X[np.random.default_rng(0).uniform(size=X.shape) < 0.1] = np.nan
    return X


@all_pairs(
    feature_range=[(0, 1), (-2.5, 7)],
    clip=[False, True],
    nan=[False, True],
    order=["C", "F"],
    dtype=[np.float32, np.float64],
    dataset=DATASETS,
)
def test_min_max(dataset, dtype, order, nan, clip, feature_range):
    X = load(dataset, dtype, order, nan)
    params = {"feature_range": feature_range, "clip": clip}
    ours = MinMaxScaler(**params).fit(X[::2])
    theirs = preprocessing.MinMaxScaler(**params).fit(X[::2])
    assert_same(ours, theirs, dtype)
    assert_same_results(ours, theirs, X)


@all_pairs(
    dataset=DATASETS,
    dtype=[np.float32, np.float64],
    order=["C", "F"],
    nan=[False, True],
    weighted=[False, True],
    with_mean=[False, True],
    with_std=[False, True],
)
def test_z_score(dataset, dtype, order, nan, weighted, with_mean, with_std):
    X = load(dataset, dtype, order, nan)
    weight = None
    if weighted:
        # Of few bits, so that both sums of them are exact.
        weight = np.random.default_rng(1).integers(0, 9, len(X)) / 4
    params = {"with_mean": with_mean, "with_std": with_std}
    ours = ZScoreScaler(**params).fit(X, sample_weight=weight)
    theirs = preprocessing.StandardScaler(**params).fit(X, sample_weight=weight)
    if weighted and not with_mean and not with_std:
        # Theirs counts samples then, as though none had a weight.
        theirs.n_samples_seen_ = ours.n_samples_seen_
    assert_same(ours, theirs, dtype)
    assert_same_results(ours, theirs, X)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean(dataset, order, dtype):
    X = load(dataset, dtype, order, nan=True)
    scaler = MeanScaler().fit(X)
    wide = X.astype(np.longdouble)
    mean, low, high = (f(wide, axis=0) for f in (np.nanmean, np.nanmin, np.nanmax))
    spread = np.where(high == low, 1, high - low)
    expected = (wide - mean) / spread
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(scaler.mean_, mean.astype(float), rtol=1e-14)
    np.testing.assert_array_equal(scaler.scale_, spread.astype(float))
    np.testing.assert_array_equal(scaler.data_min_, low)
    np.testing.assert_array_equal(scaler.data_max_, high)
    np.testing.assert_array_equal(scaler.data_range_, (high - low).astype(dtype))
    np.testing.assert_array_equal(scaler.n_samples_seen_, (~np.isnan(X)).sum(axis=0))
    result = scaler.transform(X)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected.astype(float), rtol=eps, atol=eps)
    back = scaler.inverse_transform(result)
    np.testing.assert_allclose(back, X, atol=2 * eps * np.nanmax(np.abs(X)))


@pytest.mark.parametrize("nan", [False, True])
@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize("weighted", [False, True])
def test_partial_fit(nan, chunk, weighted):
    X = load(load_breast_cancer, np.float64, "C", nan)
    weight = np.random.default_rng(1).integers(1, 9, len(X)) / 4 if weighted else None
    ours = ZScoreScaler()
    mean, whole = MeanScaler(), MeanScaler().fit(X, sample_weight=weight)
    for start in range(0, len(X), chunk):
        part = slice(start, start + chunk)
        part_weight = weight[part] if weighted else None
        for scaler in (ours, mean):
            scaler.partial_fit(X[part], sample_weight=part_weight)
    # Not in chunks: where one is all NaN, theirs never recovers.
    theirs = preprocessing.StandardScaler().fit(X, sample_weight=weight)
    assert_same(ours, theirs, np.float64)
    for name, value in vars(whole).items():
        if name.endswith("_"):
            np.testing.assert_allclose(getattr(mean, name), value, rtol=1e-13)

    ours, theirs = MinMaxScaler(), preprocessing.MinMaxScaler()
    for start in range(0, len(X), chunk):
        ours.partial_fit(X[start : start + chunk])
    assert_same(ours, theirs.fit(X), np.float64)


@all_pairs(
    with_std=[False, True],
    weighted=[False, True],
    nan=[False, True],
    dtype=[np.float32, np.float64],
    container=[sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix],
)
def test_sparse(container, dtype, nan, weighted, with_std):
    X = load(load_digits, dtype, "C", nan)
    weight = np.random.default_rng(1).integers(1, 9, len(X)) / 4 if weighted else None
    params = {"with_mean": False, "with_std": with_std}
    S = container(X)
    ours = ZScoreScaler(**params).fit(S, sample_weight=weight)
    dense = ZScoreScaler(**params).fit(X, sample_weight=weight)
    theirs = preprocessing.StandardScaler(**params).fit(S, sample_weight=weight)
    np.testing.assert_array_equal(ours.n_samples_seen_, dense.n_samples_seen_)
    if with_std:
        np.testing.assert_allclose(ours.mean_, dense.mean_, rtol=1e-13)
        np.testing.assert_allclose(ours.scale_, dense.scale_, rtol=1e-13)
    result, expected = ours.transform(S), theirs.transform(S)
    assert type(result) is type(expected)
    assert result.format == expected.format
    assert result.dtype == dtype
    rtol = 1e-12 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(result.data, expected.data, rtol=rtol)
    np.testing.assert_allclose(result.toarray(), dense.transform(X), rtol=rtol)
    back = ours.inverse_transform(result)
    np.testing.assert_allclose(back.toarray(), X, rtol=rtol)
    np.testing.assert_array_equal(S.toarray(), X)

    chunks = ZScoreScaler(**params)
    for start in range(0, len(X), 500):
        part = slice(start, start + 500)
        chunks.partial_fit(
            container(X[part]), sample_weight=weight[part] if weighted else None
        )
    np.testing.assert_array_equal(chunks.n_samples_seen_, ours.n_samples_seen_)
    if with_std:
        np.testing.assert_allclose(chunks.var_, ours.var_, rtol=1e-12)


def test_sparse_in_place():
    S = sparse.csr_array(load(load_digits, np.float64, "C", nan=False))
    scaler = ZScoreScaler(with_mean=False, copy=False).fit(S)
    expected = scaler.transform(S, copy=True)
    assert scaler.transform(S) is S
    np.testing.assert_array_equal(S.toarray(), expected.toarray())


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "inverse_transform"])
def test_sparse_cannot_be_centered(method):
    X = load_iris().data
    for container in (sparse.csr_array, sparse.csc_array):
        match = "Cannot (un)?center sparse matrices: pass `with_mean=False` instead"
        with pytest.raises(ValueError, match=match):
            getattr(ZScoreScaler().fit(X), method)(container(X))


def sparse_frame(dtype, nan=False):
    """A data frame of one-hot columns, all of them sparse."""
    X = np.eye(3)[[0, 1, 2, 0, 1, 2, 2]] * (1 if dtype == "bool" else [1, 2, 5])
    frame = pd.DataFrame(X, columns=list("abc"))
    if nan:
        frame.iloc[0, 1] = np.nan
    return frame.astype(pd.SparseDtype(dtype, np.dtype(dtype).type(0)))


# The oldest scikit-learn makes dense arrays of them beside the newest pandas.
needs_sparse_frames = pytest.mark.skipif(
    not sparse.issparse(check_array(sparse_frame("float64"), accept_sparse=True)),
    reason="scikit-learn takes data frames of this pandas for dense",
)
each_sparse_dtype = pytest.mark.parametrize(
    "dtype", ["bool", "int8", "int64", "float32", "float64"]
)


@needs_sparse_frames
@each_sparse_dtype
@pytest.mark.parametrize("with_std", [False, True])
def test_sparse_data_frames(dtype, with_std):
    frame = sparse_frame(dtype)
    before = frame.copy()
    matrix = sparse.csr_matrix(frame.to_numpy(dtype=float))
    params = {"with_mean": False, "with_std": with_std, "copy": False}
    theirs = preprocessing.StandardScaler(with_mean=False, with_std=with_std).fit(matrix)
    for ours in (
        ZScoreScaler(**params).fit(frame),
        ZScoreScaler(**params).partial_fit(frame[:3]).partial_fit(frame[3:]),
        ZScoreScaler(**params).fit(frame[:3]).merge(ZScoreScaler(**params).fit(frame[3:])),
        ZScoreScaler(**params).fit(frame, sample_weight=np.ones(7)),
    ):
        assert list(ours.feature_names_in_) == list("abc")
        assert_same(ours, theirs, np.float64)
        result, expected = ours.transform(frame), theirs.transform(matrix)
        assert type(result) is type(expected)
        assert result.dtype == np.float64
        np.testing.assert_allclose(result.toarray(), expected.toarray(), rtol=1e-12)
        back = ours.inverse_transform(frame)
        expected = theirs.inverse_transform(matrix)
        assert (back.format, back.dtype) == ("csr", np.float64)
        np.testing.assert_allclose(back.toarray(), expected.toarray(), rtol=1e-12)
    pd.testing.assert_frame_equal(frame, before)


@needs_sparse_frames
def test_sparse_data_frames_with_nan():
    frame = sparse_frame("float64", nan=True)
    params = {"with_mean": False}
    ours = ZScoreScaler(**params).fit(frame)
    theirs = preprocessing.StandardScaler(**params).fit(frame)
    assert_same(ours, theirs, np.float64)
    result, expected = ours.transform(frame), theirs.transform(frame)
    np.testing.assert_allclose(result.toarray(), expected.toarray(), rtol=1e-12)


@needs_sparse_frames
@each_sparse_dtype
@pytest.mark.parametrize("Scaler", [MinMaxScaler, MeanScaler, ZScoreScaler])
def test_sparse_data_frames_cannot_be_centered(Scaler, dtype):
    frame = sparse_frame(dtype)
    sentence = "does not support sparse|dense data is required"
    if Scaler is ZScoreScaler:
        sentence = "Cannot (un)?center sparse matrices: pass `with_mean=False` instead"
    for method in ("fit", "partial_fit"):
        scaler = Scaler()
        with pytest.raises(TypeError, match=sentence):
            getattr(scaler, method)(frame)
        assert vars(scaler) == vars(Scaler())
    scaler = Scaler().fit(frame.sparse.to_dense())
    before = pickle.dumps(scaler)
    for method in ("fit", "partial_fit", "transform", "inverse_transform"):
        with pytest.raises(TypeError, match=sentence):
            getattr(scaler, method)(frame)
        assert pickle.dumps(scaler) == before


# scikit-learn warns, of its own scalers too.
@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns found")
@pytest.mark.parametrize("Scaler", [MinMaxScaler, MeanScaler, ZScoreScaler])
def test_data_frames_of_sparse_and_dense_columns(Scaler):
    frame = sparse_frame("float64").assign(d=np.arange(7.0))
    dense = frame.to_numpy(dtype=float)
    for X in (frame, frame.assign(a=frame["a"].astype(pd.SparseDtype(int, 0)))):
        scaler = Scaler().fit(X)
        result = scaler.transform(X)
        assert isinstance(result, np.ndarray)
        np.testing.assert_array_equal(result, Scaler().fit_transform(dense))
        np.testing.assert_allclose(scaler.inverse_transform(result), dense, atol=1e-15)


@all_pairs(
    order=["C", "F"],
    dtype=[np.float32, np.float64],
    n_samples=[2, 10, 999],
    value=[0.0, 1e-12, 0.1, 1.0, 1e10, 1e17],
)
def test_nearly_constant_features(value, n_samples, dtype, order):
    scales = 10.0 ** np.arange(-30, 19)
    X = np.empty((n_samples, len(scales)), dtype=dtype, order=order)
    X[::2] = value + scales
    X[1::2] = value - scales
    ours, theirs = ZScoreScaler().fit(X), preprocessing.StandardScaler().fit(X)
    np.testing.assert_array_equal(ours.scale_ == 1, theirs.scale_ == 1)
    np.testing.assert_allclose(ours.scale_, theirs.scale_, rtol=1e-10)
    ours, theirs = MinMaxScaler().fit(X), preprocessing.MinMaxScaler().fit(X)
    eps = np.finfo(dtype).eps
    spread = np.ptp(X.astype(float), axis=0)
    constant = spread < 10 * eps * np.abs(X).max(axis=0).astype(float)
    constant |= spread == 0
    np.testing.assert_allclose(ours.scale_, 1 / np.where(constant, 1, spread))
    np.testing.assert_array_equal(MeanScaler().fit(X).scale_ == 1, constant | (spread == 1))
    # Theirs ask whether the range is small compared with 1, not with the numbers.
    same = constant == (spread < 10 * eps)
    np.testing.assert_allclose(ours.scale_[same], theirs.scale_[same], rtol=4 * eps)


@all_pairs(
    dtype=[np.float32, np.float64],
    order=["C", "F"],
    value=[np.inf, -np.inf],
    scaler=[MinMaxScaler(), MeanScaler(), ZScoreScaler()],
)
def test_infinity_is_refused_in_the_same_words_and_a_place(scaler, value, order, dtype):
    X = np.asarray(load_iris().data, dtype=dtype, order=order)
    bad = X.copy(order="K")
    bad[77, 2] = value
    theirs = preprocessing.StandardScaler()
    with pytest.raises(ValueError) as expected:
        theirs.fit(bad)
    for method in ("fit", "partial_fit", "fit_transform", "transform"):
        with pytest.raises(ValueError) as error:
            getattr(scaler.fit(X), method)(bad)
        assert str(error.value) == f"X has infinity in column 2, row 77.\n{expected.value}"
    with pytest.raises(ValueError, match="contains infinity"):
        scaler.fit(X).inverse_transform(bad)


def test_integers_lists_and_halves():
    X = [[1, 2], [3, 8], [4, 4]]
    for ours, theirs in (
        (MinMaxScaler(), preprocessing.MinMaxScaler()),
        (ZScoreScaler(), preprocessing.StandardScaler()),
    ):
        for data in (X, np.array(X), np.array(X, dtype=np.float16)):
            expected = theirs.fit_transform(data)
            result = ours.fit_transform(data)
            assert result.dtype == expected.dtype
            np.testing.assert_allclose(result, expected, rtol=2e-3)
            back = ours.inverse_transform(result)
            np.testing.assert_allclose(back, X, rtol=2e-3)


def test_assume_finite():
    with config_context(assume_finite=True):
        assert np.isnan(MinMaxScaler().fit_transform([[1.0], [np.nan], [2.0]])[1])


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "inverse_transform"])
def test_sparse_infinity_is_refused(method):
    X = load_iris().data
    scaler = ZScoreScaler(with_mean=False, copy=False).fit(X)
    X[77, 2] = np.inf
    for container in (sparse.csr_array, sparse.csc_array):
        S = container(X)
        with pytest.raises(ValueError, match="contains infinity"):
            getattr(scaler, method)(S)
        np.testing.assert_array_equal(S.toarray(), X)
