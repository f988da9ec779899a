"""Convert validated arrays to the records that the kernels read."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skgd.engine.binding import no_rows
from skgd.preprocessing._bins import all_binned

__all__ = ["Data", "as_rows", "check_embeddable", "smoothed"]


class Data(NamedTuple):
    """Rows, validated and encoded.

    Attributes
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)

    y : ndarray of shape (n_samples, n_targets)

    sample_weight : ndarray of shape (n_samples,) or None

    groups : ndarray of shape (n_samples,) or None
        The groups of the rows, for a splitter.

    validation : Data or None
        Other rows, which score each epoch.
    """

    X: Any
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    groups: np.ndarray | None = None
    validation: Any = None

    def take(self, rows):
        """Return some of the rows."""
        arrays = {n: a for n, a in self._asdict().items() if a is not None}
        arrays.pop("validation", None)
        return self._replace(**{name: array[rows] for name, array in arrays.items()})


def check_embeddable(X):
    """Raise if a network with a numeric_embedding cannot read the rows."""
    if sparse.issparse(X):
        raise ValueError(
            "A numeric_embedding needs dense X, got a sparse matrix. Pass X.toarray(), or "
            "fit with numeric_embedding=None."
        )


def smoothed(y, loss, smoothing):
    """Apply label smoothing to encoded classes, in the form that a loss reads.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        Yes-or-no targets or, for a loss of rows, indices of classes.

    loss : Loss
        The loss that reads them.

    smoothing : float
        The part of the target that is spread evenly over the classes.

    Returns
    -------
    y : ndarray of shape (n_samples, n_targets) or (n_samples, 2)
    """
    if not smoothing:
        return y
    if loss.evaluate is None:
        return y + y.dtype.type(smoothing) * (y.dtype.type(0.5) - y)
    return np.hstack([y, np.full_like(y, smoothing)])


def _read_only(array, dtype):
    """View the array, in C order and in the dtype; a kernel cannot write to it."""
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def as_rows(X, dtype, y=None, weight=None, center=None, edges=()):
    """Describe the data for the kernels, without a copy where dtype and order fit.

    Parameters
    ----------
    X : ndarray or csr or csc matrix of shape (n_samples, n_features)
        Validated data.

    dtype : dtype
        The dtype of the network.

    y : ndarray of shape (n_samples, n_targets), default=None
        Encoded targets.

    weight : ndarray of shape (n_samples,), default=None
        Sample weights.

    center : ndarray of shape (n_features,), default=None
        What is subtracted from dense rows in training.

    edges : list of ndarray, default=()
        The edges of the bins of each column; empty without bins.

    Returns
    -------
    Rows
    """
    rows = no_rows(dtype)
    if sparse.issparse(X):
        X = X.tocsr()
        rows = rows._replace(
            values=_read_only(X.data, dtype),
            columns=_read_only(X.indices, np.int32),
            row_starts=_read_only(X.indptr, np.int64),
        )
    else:
        rows = rows._replace(X=_read_only(X, dtype).reshape(-1))
    if len(edges):
        bins, fractions = (a.reshape(-1) for a in all_binned(X, edges, dtype))
        bins, fractions = _read_only(bins, np.uint16), _read_only(fractions, dtype)
        rows = rows._replace(bins=bins, fractions=fractions)
    if y is not None:
        rows = rows._replace(y=_read_only(y, dtype))
    if weight is not None:
        rows = rows._replace(weight=_read_only(weight, dtype))
    if center is not None:
        rows = rows._replace(center=_read_only(center, dtype))
    return rows
