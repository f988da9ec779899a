"""From validated arrays to what the kernels read."""

from functools import cache

import numpy as np
from scipy import sparse

from skgd.engine.records import Samples

__all__ = ["IN_ORDER", "as_samples"]

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
    rows, *sparse_rows, targets, weights = _no_samples(dtype)
    if sparse.issparse(X):
        X = X.tocsr()
        sparse_rows = (
            _read_only(X.data, dtype),
            _read_only(X.indices, np.int32),
            _read_only(X.indptr, np.int64),
        )
    else:
        rows = _read_only(X, dtype).reshape(-1)
    if y is not None:
        targets = _read_only(y, dtype)
    if weight is not None:
        weights = _read_only(weight, dtype)
    return Samples(rows, *sparse_rows, targets, weights)


@cache
def _no_samples(dtype):
    return Samples(
        X=_read_only([], dtype),
        values=_read_only([], dtype),
        columns=_read_only([], np.int32),
        row_starts=_read_only([], np.int64),
        y=_read_only(np.empty((0, 1)), dtype),
        weight=_read_only([], dtype),
    )
