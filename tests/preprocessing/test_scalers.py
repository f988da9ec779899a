"""The properties of the scalers that scikit-learn's do not have."""

import pickle
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skgd import MeanScaler, MinMaxScaler, ZScoreScaler

SCALERS = [MinMaxScaler, MeanScaler, ZScoreScaler]
WEIGHTED = [MeanScaler, ZScoreScaler]

each_scaler = pytest.mark.parametrize("Scaler", SCALERS)
each_weighted = pytest.mark.parametrize("Scaler", WEIGHTED)
each_order = pytest.mark.parametrize("order", ["C", "F"])
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def data(shape=(500, 7), dtype=np.float64, order="C"):
    X = np.random.default_rng(0).standard_normal(shape) * 3 + 1
    return np.asarray(X, dtype=dtype, order=order)


def fitted(scaler):
    """All that fitting has left behind."""
    return {k: v for k, v in vars(scaler).items() if k.endswith("_")}


def assert_equal_fits(a, b):
    assert fitted(a).keys() == fitted(b).keys()
    for name, value in fitted(a).items():
        np.testing.assert_array_equal(value, getattr(b, name), err_msg=name)


# Extreme values


def exact(Scaler, X):
    """The scaled data, computed in rational numbers."""
    result = np.empty_like(X)
    for j, column in enumerate(X.T):
        x = [Fraction(float(v)) for v in column]
        mean = sum(x) / len(x)
        center = min(x) if Scaler is MinMaxScaler else mean
        if Scaler is ZScoreScaler:
            square = sum((v - mean) ** 2 for v in x) / len(x)
            scale = Fraction(float(square) ** 0.5)
        else:
            scale = max(x) - min(x)
        result[:, j] = [float((v - center) / (scale or 1)) for v in x]
    return result


@each_scaler
@each_order
@pytest.mark.parametrize("n_samples", [2, 3, 1000])
@pytest.mark.parametrize("how", ["whole", "partial", "strided", "weighted"])
def test_extreme_values(Scaler, order, n_samples, how):
    X = np.empty((n_samples, 6), order=order)
    if how == "strided":
        X = np.empty((n_samples * 2, 6), order=order)[::2]
    X[:] = data((n_samples, 6))
    X[:, 0] = np.where(np.arange(n_samples) % 2, 1e150, -1e150)
    X[:, 1] = 1e150
    X[:, 2] = np.where(np.arange(n_samples), 1e150, -1e150)
    X[:, 3] *= 1e-149
    X[:, 4] = np.where(np.arange(n_samples), 1e-150, 0)
    scaler = Scaler()
    if how == "partial":
        scaler.partial_fit(X[:1]).partial_fit(X[1:])
    elif how == "weighted" and Scaler is not MinMaxScaler:
        scaler.fit(X, sample_weight=np.full(n_samples, 0.25))
    else:
        scaler.fit(X)
    result = scaler.transform(X)
    columns = [0, 1, 2, 3, 4]
    np.testing.assert_allclose(
        result[:, columns], exact(Scaler, X[:, columns]), rtol=1e-12, atol=1e-15
    )
    # The other columns do not notice.
    alone = Scaler().fit_transform(X[:, 5:])
    np.testing.assert_allclose(result[:, 5:], alone, rtol=1e-13, atol=1e-15)
    largest = np.abs(X).max(axis=0)
    back = scaler.inverse_transform(result) / largest
    np.testing.assert_allclose(back, X / largest, rtol=1e-12, atol=1e-15)


def test_extreme_values_in_chunks():
    X = np.repeat([[1e150], [-1e150], [1e150], [-1e150]], 50, axis=0)
    scaler = ZScoreScaler()
    for start in range(0, 200, 50):
        scaler.partial_fit(X[start : start + 50])
    assert scaler.mean_[0] == pytest.approx(0, abs=1e135)
    assert scaler.scale_[0] == pytest.approx(1e150, rel=1e-14)


def test_extreme_sparse_values():
    X = np.repeat([[1e150, 1.0, 0.0], [-1e150, 3.0, 0.0]], 50, axis=0)
    dense = ZScoreScaler(with_mean=False).fit(X)
    for container in (sparse.csr_array, sparse.csc_array):
        scaler = ZScoreScaler(with_mean=False).fit(container(X))
        np.testing.assert_allclose(scaler.scale_, dense.scale_, rtol=1e-14)
        np.testing.assert_allclose(scaler.scale_, [1e150, 1, 1], rtol=1e-14)


@each_order
def test_variance_at_a_large_offset(order):
    X = np.asarray(data((20_000, 2)) + 1e9, order=order)
    scaler = ZScoreScaler().fit(X)
    for j in range(2):
        x = [Fraction(v) for v in X[:, j].tolist()]
        mean = sum(x) / len(x)
        variance = sum((v - mean) ** 2 for v in x) / len(x)
        assert scaler.mean_[j] == float(mean)
        assert scaler.var_[j] == pytest.approx(float(variance), rel=1e-14)


# Clipping


@each_dtype
@each_order
@pytest.mark.parametrize(
    "feature_range", [(0, 1), (0.1, 0.7), (-1 / 3, 0.1), (1e-3, 1e9 / 3), (1, 1 + 1e-6)]
)
@pytest.mark.parametrize("offset", [0, 1e3, 1e7])
def test_clipped_data_stay_inside(dtype, order, feature_range, offset):
    X = np.asarray(data((300, 50)) + offset, dtype=dtype, order=order)
    scaler = MinMaxScaler(feature_range, clip=True).fit(X)
    low, high = feature_range
    # Of every number without a clip, too, as far as rounding to the dtype allows.
    result = scaler.transform(X).astype(np.float64)
    assert result.min() >= low
    assert result.max() <= high
    eps = np.finfo(dtype).eps * max(abs(low), abs(high))
    np.testing.assert_allclose(result.min(axis=0), low, atol=eps, rtol=0)
    np.testing.assert_allclose(result.max(axis=0), high, atol=eps, rtol=0)
    result = scaler.transform(X * 3 - offset).astype(np.float64)
    assert result.min() >= low
    assert result.max() <= high


def test_the_unit_interval_is_kept_without_clipping():
    X = data((1000, 200)) + 1e5
    result = MinMaxScaler().fit_transform(X)
    assert (result.min(axis=0) == 0).all()
    assert (result.max(axis=0) == 1).all()


def test_clip_passes_nan():
    X = np.array([[1.0], [np.nan], [2.0]])
    result = MinMaxScaler(clip=True).fit_transform(X)
    np.testing.assert_array_equal(result, [[0], [np.nan], [1]])


# What is read and written


@each_scaler
@each_order
@each_dtype
def test_data_are_not_written_to(Scaler, order, dtype):
    X = data(dtype=dtype, order=order)
    before = X.copy()
    X.flags.writeable = False
    scaler = Scaler().fit(X)
    result = scaler.transform(X)
    scaler.inverse_transform(result)
    np.testing.assert_array_equal(X, before)
    assert result.dtype == dtype
    assert result.flags.f_contiguous == (order == "F")
    assert result.flags.writeable
    in_place = clone(scaler).set_params(copy=False).fit(X)
    np.testing.assert_array_equal(in_place.transform(X), result)


@each_scaler
@each_order
@each_dtype
def test_in_place(Scaler, order, dtype):
    X = data(dtype=dtype, order=order)
    scaler = Scaler(copy=False).fit(X)
    expected = Scaler().fit(X).transform(X)
    given = X.copy(order="K")
    result = scaler.transform(given)
    assert result is given
    np.testing.assert_array_equal(result, expected)
    back = scaler.inverse_transform(result)
    assert back is given
    np.testing.assert_allclose(back, X, atol=10 * np.finfo(dtype).eps)


@each_scaler
def test_in_place_is_all_or_nothing(Scaler):
    X = data()
    scaler = Scaler(copy=False).fit(X)
    X[-1, -1] = np.inf
    before = X.copy()
    for method in (scaler.transform, scaler.inverse_transform):
        with pytest.raises(ValueError, match="infinity"):
            method(X)
        np.testing.assert_array_equal(X, before)


def test_copy_can_be_overridden():
    X = data()
    scaler = ZScoreScaler(copy=False).fit(X)
    assert scaler.transform(X, copy=True) is not X
    assert scaler.transform(X, copy=False) is X
    assert scaler.inverse_transform(X, copy=True) is not X
    assert scaler.inverse_transform(X, copy=False) is X


@each_scaler
@each_dtype
@pytest.mark.parametrize("shape", [(500, 7), (70_000, 3)])
def test_strided_data(Scaler, dtype, shape):
    wide = np.empty((shape[0] * 2, shape[1] * 2), dtype)
    X = wide[::2, 1::2]
    X[:] = data(shape, dtype)
    scaler, plain = Scaler().fit(X), Scaler().fit(X.copy())
    for name, value in fitted(plain).items():
        np.testing.assert_allclose(getattr(scaler, name), value, rtol=1e-12)
    expected = scaler.transform(X.copy())
    np.testing.assert_array_equal(scaler.transform(X), expected)
    around = wide[1::2].copy()
    assert scaler.set_params(copy=False).transform(X) is X
    np.testing.assert_array_equal(X, expected)
    np.testing.assert_array_equal(wide[1::2], around)


@each_scaler
@each_order
@each_dtype
def test_memory_of_fit(Scaler, order, dtype):
    X = data((400_000, 5), dtype, order)
    Scaler().fit(X)
    tracemalloc.start()
    try:
        Scaler().fit(X)
        _, peak = tracemalloc.get_traced_memory()
        assert peak < 1e6
        tracemalloc.reset_peak()
        Scaler().fit(X).transform(X)
        _, peak = tracemalloc.get_traced_memory()
        assert peak < X.nbytes + 1e6
    finally:
        tracemalloc.stop()


# Merging


@each_scaler
@pytest.mark.parametrize("split", [1, 250, 499])
@pytest.mark.parametrize("nan", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_merge_is_partial_fit(Scaler, split, nan, weighted):
    X = data()
    if nan:
        X[np.random.default_rng(1).uniform(size=X.shape) < 0.3] = np.nan
        X[:split, 3] = np.nan
    first, second = [(X[:split],), (X[split:],)]
    if weighted and Scaler is not MinMaxScaler:
        weight = np.random.default_rng(1).uniform(size=len(X))
        first, second = (X[:split], None, weight[:split]), (X[split:], None, weight[split:])
    scaler = Scaler().fit(*first)
    other = Scaler().fit(*second)
    expected = Scaler().partial_fit(*first).partial_fit(*second)
    before = fitted(clone(other).fit(*second))
    assert scaler.merge(other) is scaler
    assert_equal_fits(scaler, expected)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(other, name), value)
    whole = (X,) if len(first) == 1 else (X, None, weight)
    for name, value in fitted(Scaler().fit(*whole)).items():
        np.testing.assert_allclose(getattr(scaler, name), value, rtol=1e-12, atol=1e-14)


@each_scaler
def test_merge_refuses_what_does_not_fit(Scaler):
    pd = pytest.importorskip("pandas")
    scaler = Scaler().fit(data((5, 2)))
    before = pickle.dumps(scaler)
    Other = MeanScaler if Scaler is MinMaxScaler else MinMaxScaler
    with pytest.raises(TypeError, match=f"other must be a {Scaler.__name__}, got"):
        scaler.merge(Other().fit(data((5, 2))))
    with pytest.raises(ValueError, match="other must have 2 features"):
        scaler.merge(Scaler().fit(data((5, 3))))
    with pytest.raises(NotFittedError):
        scaler.merge(Scaler())
    with pytest.raises(NotFittedError):
        Scaler().merge(scaler)
    named = Scaler().fit(pd.DataFrame(data((5, 2)), columns=["a", "b"]))
    with pytest.raises(ValueError, match="must have the feature names"):
        named.merge(Scaler().fit(pd.DataFrame(data((5, 2)), columns=["a", "c"])))
    assert pickle.dumps(scaler) == before


@each_scaler
def test_nan_first_is_no_trap(Scaler):
    X = data()
    nothing = np.full((3, 7), np.nan)
    scaler = Scaler().fit(nothing)
    assert np.isnan(scaler.transform(X)).all()
    scaler.partial_fit(X).partial_fit(nothing)
    np.testing.assert_array_equal(scaler.transform(X), Scaler().fit_transform(X))


# Weights


@each_weighted
@each_order
@each_dtype
def test_integer_weights_are_repetitions(Scaler, order, dtype):
    X = data(dtype=dtype, order=order)
    X[3:5, 2] = np.nan
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    # A sample without weight is not seen at all.
    X[:2] = 1e6
    weight[:2] = 0
    weighted = Scaler().fit(X, sample_weight=weight)
    repeated = Scaler().fit(np.repeat(X, weight, axis=0))
    for name, value in fitted(repeated).items():
        np.testing.assert_allclose(getattr(weighted, name), value, rtol=1e-12)


@each_weighted
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1, 2], "sample_weight must have no negative number .* from -1.0 to 2.0 "),
        ([0, 0, 0], "non-zero|a positive, finite sum, .* with a sum of 0.0"),
        ([1e308, 1e308, 1], "sample_weight must have .* finite sum, .* a sum of inf"),
        ([1, np.nan, 2], "sample_weight contains NaN"),
        ([1, np.inf, 2], "sample_weight contains infinity"),
        ([1, 2], r"sample_weight.shape == \(2,\), expected \(3,\)"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_weights(Scaler, weight, message, method):
    X = data((3, 2))
    scaler = Scaler().fit(X)
    before = pickle.dumps(scaler)
    with pytest.raises(ValueError, match=message):
        getattr(scaler, method)(X, sample_weight=weight)
    assert pickle.dumps(scaler) == before


@each_weighted
def test_infinity_without_weight_is_refused(Scaler):
    X = data((3, 2))
    X[1, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        Scaler().fit(X, sample_weight=[1, 0, 1])


# Errors


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@each_scaler
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_errors_leave_the_scaler_as_it_was(Scaler, method):
    pd = pytest.importorskip("pandas")
    scaler = Scaler().fit(pd.DataFrame(data((5, 2)), columns=["a", "b"]))
    before = pickle.dumps(scaler)
    bad = [
        pd.DataFrame([[1.0, np.inf, 3.0]], columns=["c", "d", "e"]),
        [["x", "y"]],
        np.empty((0, 2)),
        [1.0, 2.0],
        np.array([[1j, 2.0]]),
    ]
    if Scaler is not ZScoreScaler:
        bad.append(sparse.csr_array(data((5, 2))))
    for X in bad:
        with pytest.raises((ValueError, TypeError)):
            getattr(scaler, method)(X)
        assert pickle.dumps(scaler) == before
    unfitted = Scaler()
    with pytest.raises(ValueError, match="infinity"):
        getattr(unfitted, method)([[np.inf]])
    assert vars(unfitted) == vars(Scaler())


@each_scaler
def test_other_numbers_of_features(Scaler):
    scaler = Scaler().fit(data((5, 2)))
    for method in ("transform", "inverse_transform", "partial_fit"):
        with pytest.raises(ValueError, match="X has 3 features"):
            getattr(scaler, method)(data((5, 3)))


@pytest.mark.parametrize(
    ("feature_range", "message"),
    [
        ((1, 1), "Minimum of desired feature range must be smaller than maximum. Got"),
        ((1, 0), r"Minimum of desired feature range .* Got \(1, 0\)"),
        ((0, np.nan), "Minimum of desired feature range"),
        ((0, np.inf), "Desired feature range must be finite"),
        ((-1e308, 1e308), "Desired feature range must be finite"),
        ((0, 1, 2), "feature_range must be a tuple"),
        ([0, 1], "The 'feature_range' parameter of MinMaxScaler must be"),
    ],
)
def test_bad_feature_range(feature_range, message):
    for method in ("fit", "partial_fit"):
        scaler = MinMaxScaler(feature_range)
        with pytest.raises(ValueError, match=message):
            getattr(scaler, method)(data())
        assert vars(scaler) == vars(MinMaxScaler(feature_range))


# Around scikit-learn


@each_scaler
def test_pickle_and_clone(Scaler):
    X = data()
    scaler = Scaler().fit(X)
    copy = pickle.loads(pickle.dumps(scaler))
    assert_equal_fits(copy, scaler)
    np.testing.assert_array_equal(copy.transform(X), scaler.transform(X))
    assert_equal_fits(copy.partial_fit(X), scaler.partial_fit(X))
    assert fitted(clone(scaler)) == {}


@each_scaler
def test_pipeline(Scaler):
    X = data()
    pipeline = make_pipeline(Scaler(), Scaler()).fit(X)
    once = Scaler().fit_transform(X)
    np.testing.assert_array_equal(pipeline.transform(X), Scaler().fit_transform(once))
    np.testing.assert_allclose(pipeline.inverse_transform(pipeline.transform(X)), X)


@each_weighted
def test_metadata_routing(Scaler):
    X = data()
    weight = np.random.default_rng(1).uniform(size=len(X))
    with config_context(enable_metadata_routing=True):
        scaler = Scaler().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(scaler).fit(X, sample_weight=weight)
    expected = Scaler().fit(X, sample_weight=weight)
    assert_equal_fits(pipeline[0], expected)


@each_scaler
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(Scaler, library):
    module = pytest.importorskip(library)
    X = data((5, 2))
    frame = module.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    scaler = Scaler().set_output(transform=library).fit(frame)
    result = scaler.transform(frame)
    assert isinstance(result, module.DataFrame)
    # Of polars' newest data frames the oldest scikit-learn sees no names.
    names = list(getattr(scaler, "feature_names_in_", ["x0", "x1"]))
    assert library == "polars" or names == ["a", "b"]
    assert list(result.columns) == names
    np.testing.assert_array_equal(result.to_numpy(), Scaler().fit_transform(X))
    np.testing.assert_array_equal(scaler.get_feature_names_out(), names)
    np.testing.assert_allclose(scaler.inverse_transform(result), X)


@each_scaler
def test_tags(Scaler):
    tags = Scaler().__sklearn_tags__()
    assert tags.input_tags.allow_nan
    assert not tags.array_api_support
    assert set(tags.transformer_tags.preserves_dtype) == {"float32", "float64"}
    assert not tags.input_tags.sparse
    assert ZScoreScaler(with_mean=False).__sklearn_tags__().input_tags.sparse


@pytest.mark.parametrize("n_features", [1, 63, 64, 65, 5000])
@each_order
def test_any_number_of_features(n_features, order):
    X = data((40, n_features), order=order)
    for Scaler in SCALERS:
        scaler = Scaler().fit(X)
        np.testing.assert_allclose(
            scaler.inverse_transform(scaler.transform(X)), X, atol=1e-13
        )
    np.testing.assert_allclose(ZScoreScaler().fit(X).var_, X.var(axis=0), rtol=1e-13)
