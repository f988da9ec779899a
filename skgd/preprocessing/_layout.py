"""Dense arrays as the compiled loops want them."""

import numpy as np
from sklearn.utils import assert_all_finite

__all__ = ["blocks", "flat", "is_plain", "read_only", "refuse_infinity"]

BLOCK_SIZE = 2**16


def is_plain(X):
    """Whether the compiled loops can run over the whole array as it lies in memory."""
    return X.dtype != np.float16 and (X.flags.c_contiguous or X.flags.f_contiguous)


def read_only(array):
    """Return a read-only view, so that kernels are compiled for no other kind."""
    view = array.view()
    view.flags.writeable = False
    return view


def refuse_infinity(X):
    """Raise scikit-learn's ValueError if an array has an infinite number."""
    # It adds up large numbers, to begin with.
    with np.errstate(invalid="ignore"):
        assert_all_finite(X, allow_nan=True, input_name="X")


def flat(X):
    """Return the buffer of a contiguous array as one dimension.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        A C- or F-contiguous array.

    Returns
    -------
    x : ndarray of shape (n_samples * n_features,)
        A view.

    n_series : int
        1 for C order, ``n_features`` for F order.
    """
    if X.flags.c_contiguous:
        return X.reshape(-1), 1
    return X.T.reshape(-1), X.shape[1]


def blocks(X):
    """Cut an array into slices of samples, to be copied one at a time.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The array.

    Yields
    ------
    slice
        The next samples.
    """
    size = max(1, BLOCK_SIZE // X.shape[1])
    for start in range(0, X.shape[0], size):
        yield slice(start, start + size)
