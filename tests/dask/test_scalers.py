"""Scalers on Dask collections, compared with the ordinary ones on the same rows."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

pytest.importorskip("distributed", reason="needs the extra dask")

import dask.array as da
import dask.dataframe as dd
import pandas as pd

from skgd import MeanScaler, MinMaxScaler, ZScoreScaler
from skgd.dask import DaskMeanScaler, DaskMinMaxScaler, DaskZScoreScaler

RNG = np.random.RandomState(0)
ROWS = RNG.normal(5, 2, size=(90, 3))
ROWS[4, 1] = np.nan
WEIGHT = RNG.uniform(size=90)
WEIGHT[:30] = 0
SCALERS = {
    DaskMinMaxScaler: MinMaxScaler,
    DaskMeanScaler: MeanScaler,
    DaskZScoreScaler: ZScoreScaler,
}
every_scaler = pytest.mark.parametrize("scaler", SCALERS)


def collection(array, n_partitions=3, frame=False):
    if not frame:
        size = -(-len(array) // n_partitions)
        return da.from_array(array, chunks=(size, *array.shape[1:]))
    table = (
        pd.Series(array) if array.ndim == 1 else pd.DataFrame(array, columns=list("abc"))
    )
    return dd.from_pandas(table, npartitions=n_partitions)


def merged(local, n_partitions, weight=None):
    """Fit by hand: each partition, then neighbors, then neighbors of these."""
    size = -(-len(ROWS) // n_partitions)
    parts = []
    for start in range(0, len(ROWS), size):
        part = slice(start, start + size)
        if weight is None:
            parts.append(local().fit(ROWS[part]))
        elif weight[part].any():
            parts.append(local().fit(ROWS[part], sample_weight=weight[part]))
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [one.merge(*others) if others else one for one, *others in pairs]
    return parts[0]


@pytest.mark.parametrize("n_partitions", [1, 2, 5])
@every_scaler
def test_the_merge_is_exact(client, scaler, n_partitions):
    fitted = scaler().fit(collection(ROWS, n_partitions))
    expected = merged(SCALERS[scaler], n_partitions)
    local = fitted.to_local()
    assert type(local) is SCALERS[scaler]
    np.testing.assert_equal(vars(local), vars(expected))
    once = SCALERS[scaler]().fit(ROWS)
    np.testing.assert_allclose(local.transform(ROWS), once.transform(ROWS), atol=1e-12)


@every_scaler
def test_transform_is_lazy(client, scaler):
    fitted, X = scaler().fit(collection(ROWS)), collection(ROWS.astype(np.float32))
    scaled = fitted.transform(X)
    assert isinstance(scaled, da.Array)
    assert scaled.chunks == X.chunks
    assert scaled.dtype == np.float32
    local = fitted.to_local()
    np.testing.assert_array_equal(scaled, local.transform(ROWS.astype(np.float32)))
    np.testing.assert_allclose(fitted.inverse_transform(scaled), ROWS, rtol=1e-5)


@every_scaler
def test_dataframes_stay_dataframes(client, scaler):
    X = collection(ROWS, frame=True)
    fitted = scaler(copy=False).fit(X)
    scaled = fitted.transform(X)
    assert isinstance(scaled, dd.DataFrame)
    found = scaled.compute()
    assert list(found.columns) == list(fitted.feature_names_in_) == list("abc")
    local = fitted.to_local().set_params(copy=True)
    np.testing.assert_array_equal(found, local.transform(X.compute()))
    np.testing.assert_array_equal(X.compute(), ROWS)
    # Two partitions are empty, but for fits and arrays, too.
    few = X[X["a"] == ROWS[50, 0]]
    assert len(fitted.transform(few).compute()) == 1
    assert scaler().fit(few).to_local()._summary["n_samples"] == 1


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("scaler", [DaskMeanScaler, DaskZScoreScaler])
def test_weights(client, scaler, frame):
    """A partition has none."""
    X, weight = collection(ROWS, frame=frame), collection(WEIGHT, frame=frame)
    found = scaler().fit(X, sample_weight=weight).transform(X).compute()
    expected = merged(SCALERS[scaler], 3, WEIGHT).transform(ROWS)
    np.testing.assert_array_equal(found, expected)


@every_scaler
def test_partial_fit_goes_on(client, scaler):
    fitted = scaler().partial_fit(collection(ROWS[:40])).partial_fit(collection(ROWS[40:]))
    once = SCALERS[scaler]().fit(ROWS)
    np.testing.assert_allclose(
        fitted.transform(collection(ROWS)), once.transform(ROWS), atol=1e-12
    )
    assert fitted.fit(collection(ROWS[:7], 1))._summary["n_samples"] == 7


def test_copies(client):
    fitted = DaskZScoreScaler(with_mean=False, client=client).fit(collection(ROWS))
    assert clone(fitted).client is client
    assert not hasattr(clone(fitted), "scale_")
    loaded = pickle.loads(pickle.dumps(fitted))
    assert loaded.client is None
    assert loaded.with_mean is False
    np.testing.assert_array_equal(
        loaded.transform(collection(ROWS)), fitted.transform(collection(ROWS))
    )


def frame_of(*columns):
    """A dataframe whose partitions have other columns than it says."""
    parts = [dd.from_pandas(pd.DataFrame(ROWS[:4], columns=list(c)), 1) for c in columns]
    like = pd.DataFrame(columns=list(columns[0]), dtype=float)
    delayed = [part.to_delayed()[0] for part in parts]
    return dd.from_delayed(delayed, meta=like, verify_meta=False)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ROWS,), TypeError, "X must be a Dask array or dataframe, got ndarray"),
        ((collection(ROWS).rechunk((9, 2)),), ValueError, r"X.rechunk\(\{1: -1\}\)"),
        (
            (collection(ROWS), None, collection(WEIGHT, 2)),
            ValueError,
            "X has 3 partitions, but sample_weight has 2",
        ),
        (
            (collection(ROWS), None, da.from_array(WEIGHT, chunks=((31, 30, 29),))),
            ValueError,
            "Partition [02] has 30 rows of X, but (31|29) of sample_weight",
        ),
        ((frame_of("abc", "abx"),), ValueError, r"Partition 1 of X has the columns \["),
        ((collection(WEIGHT),), ValueError, "X must have two dimensions, got 1"),
        ((collection(ROWS[:0], 1),), ValueError, "X has no rows"),
        ((collection(np.full((90, 3), np.inf)),), ValueError, "infinity"),
    ],
)
def test_bad_data(client, arguments, error, message):
    fitted = DaskZScoreScaler().fit(collection(ROWS))
    before = dict(vars(fitted))
    with pytest.raises(error, match=message):
        fitted.fit(*arguments)
    np.testing.assert_equal(vars(fitted), before)


def test_not_fitted(client):
    with pytest.raises(NotFittedError):
        DaskMeanScaler().transform(collection(ROWS))
    assert not hasattr(DaskMeanScaler().to_local(), "mean_")
