"""The scalers on Dask collections: one pass, then a tree of exact merges."""

from copy import deepcopy

import dask.dataframe as dd
import pandas as pd
from dask import delayed
from sklearn.utils.validation import check_is_fitted

from skgd._state import unchanged_by_errors
from skgd.dask._base import OnDask, constructor, share
from skgd.dask._collections import explained_lost_workers, lazily, rows_of
from skgd.dask._documentation import documented
from skgd.preprocessing import MeanScaler, MinMaxScaler, ZScoreScaler
from skgd.preprocessing._base import AffineScaler

__all__ = ["DaskMeanScaler", "DaskMinMaxScaler", "DaskZScoreScaler"]


def _fitted(scaler, shard):
    """Fit to a partition; return None if no row has a weight."""
    if not shard.n_rows or (shard.weight is not None and not shard.weight.any()):
        return None
    weights = {} if shard.weight is None else {"sample_weight": shard.weight}
    return deepcopy(scaler).fit(shard.X, **weights)


def _merged(one, other):
    """Return a scaler of the data of both; a copy, since Dask may repeat the task."""
    if one is None or other is None:
        return other if one is None else one
    return deepcopy(one).merge(other)


def _scaled(frame, scaler, method, like):
    """Map a partition of a dataframe, and keep its index and columns."""
    if not len(frame):
        return like
    values = getattr(scaler, method)(frame)
    return pd.DataFrame(values, index=frame.index, columns=frame.columns)


class DaskScaler(OnDask, AffineScaler):
    """Base of the scalers on Dask collections."""

    # Errors do not search the data for the fault, since that would compute them.
    _explained_data = ("y",)

    def _update(self, X, sample_weight=None, *, reset):
        with unchanged_by_errors(self), explained_lost_workers():
            self._check_parameters()
            scaler = delayed(self._local(**self._local_params()), pure=False)
            parts = [
                delayed(_fitted, pure=False)(scaler, shard)
                for shard in rows_of(X, weight=sample_weight)
            ]
            while len(parts) > 1:
                pairs = zip(parts[::2], [*parts[1::2], None], strict=False)
                parts = [delayed(_merged, pure=False)(*pair) for pair in pairs]
            fitted = self._client.compute(parts[0]).result()
            if fitted is None:
                raise ValueError("X has no rows, or none of them has a weight above 0.")
            if hasattr(self, "_summary") and not reset:
                fitted = self.to_local().merge(fitted)
            share(fitted, self)
        return self

    def _transform(self, X, copy, inverse):
        check_is_fitted(self)
        method = "inverse_transform" if inverse else "transform"
        # Never in place: other collections may have the same partition.
        model = self.to_local().set_params(copy=True)
        if not isinstance(X, dd.DataFrame):
            return lazily(model, method, X)
        row = pd.DataFrame([[0.0] * X.shape[1]], columns=X.columns).astype(X.dtypes)
        like = _scaled(row, model, method, row)[:0]
        return X.map_partitions(_scaled, model, method, like, meta=like)


@documented
class DaskMinMaxScaler(DaskScaler, MinMaxScaler):
    """:class:`skgd.MinMaxScaler` on Dask collections.

    {scaled}

    Parameters
    ----------
    feature_range : tuple (min, max), default=(0, 1)
        The range that the training data are mapped to.

    {copy}

    clip : bool, default=False
        Whether transformed data are clipped to the range.

    {client}

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skgd.dask import DaskMinMaxScaler
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0"):
    ...     X = da.from_array([[1.0], [2.0], [5.0]], chunks=(2, 1))
    ...     print(DaskMinMaxScaler().fit_transform(X).compute())
    [[0.  ]
     [0.25]
     [1.  ]]
    """

    _local = MinMaxScaler
    __init__ = constructor(MinMaxScaler, client=None)


@documented
class DaskMeanScaler(DaskScaler, MeanScaler):
    """:class:`skgd.MeanScaler` on Dask collections.

    {scaled}

    Parameters
    ----------
    {copy}

    {client}

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skgd.dask import DaskMeanScaler
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0"):
    ...     X = da.from_array([[1.0], [2.0], [6.0]], chunks=(2, 1))
    ...     print(DaskMeanScaler().fit(X).mean_)
    [3.]
    """

    _local = MeanScaler
    __init__ = constructor(MeanScaler, client=None)


@documented
class DaskZScoreScaler(DaskScaler, ZScoreScaler):
    """:class:`skgd.ZScoreScaler` on Dask collections.

    {scaled}

    Parameters
    ----------
    {copy}

    with_mean : bool, default=True
        Whether the data are centered. Sparse data cannot be centered.

    with_std : bool, default=True
        Whether the data are scaled to unit variance.

    {client}

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skgd.dask import DaskZScoreScaler
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0"):
    ...     X = da.from_array([[1.0], [2.0], [3.0], [6.0]], chunks=(2, 1))
    ...     print(DaskZScoreScaler().fit(X).mean_)
    [3.]
    """

    _local = ZScoreScaler
    __init__ = constructor(ZScoreScaler, client=None)
