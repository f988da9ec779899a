"""From validated arrays to what the kernels read."""

import numpy as np
from scipy import sparse

from skgd.engine.records import Samples

__all__ = ["IN_ORDER", "as_samples", "rows_between"]

# Stands for "the rows as they come" where a kernel takes a permutation.
IN_ORDER = np.empty(0, dtype=np.int64)


def _read_only(array, dtype):
    """View the array, in C order and in the dtype; a kernel cannot write to it."""
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def as_samples(X, dtype, y=None, weight=None):
    """Describe the data for the kernels, without a copy where dtype and order fit.

    Parameters
    ----------
    X : ndarray or csr or csc matrix of shape (n_samples, n_features)
        Validated data.

    dtype : dtype
        The network's.

    y : ndarray of shape (n_samples, n_targets), default=None
        Encoded targets.

    weight : ndarray of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    Samples
    """
    values, columns, row_starts = [], [], []
    dense = []
    if sparse.issparse(X):
        X = X.tocsr()
        values, columns, row_starts = X.data, X.indices, X.indptr
    else:
        dense = _read_only(X, dtype).ravel()
    if y is None:
        y = np.empty((0, 1))
    return Samples(
        X=_read_only(dense, dtype),
        values=_read_only(values, dtype),
        columns=_read_only(columns, np.int32),
        row_starts=_read_only(row_starts, np.int64),
        y=_read_only(y, dtype),
        weight=_read_only([] if weight is None else weight, dtype),
    )


def rows_between(samples, start, stop):
    """View some of the rows, without a copy.

    Parameters
    ----------
    samples : Samples
        All of them.

    start, stop : int
        The first row, and that behind the last.

    Returns
    -------
    Samples
    """
    n_features = samples.X.size // len(samples.y)
    return samples._replace(
        X=samples.X[start * n_features : stop * n_features],
        row_starts=samples.row_starts[start : stop + 1],
        y=samples.y[start:stop],
        weight=samples.weight[start:stop],
    )
