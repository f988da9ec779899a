"""Bring dense arrays into the form that the compiled loops need."""

import numpy as np
from sklearn.utils import assert_all_finite

__all__ = ["flat", "is_plain", "parts", "read_only", "refuse_infinity"]

# The numbers that are copied at a time.
BLOCK_SIZE = 2**16

# The numbers in a part. They take a thread half a millisecond; it takes 0.1 ms to start.
PART_SIZE = 2**20


def is_plain(X):
    """Return whether the compiled loops can run over the array without a copy."""
    return X.dtype != np.float16 and (X.flags.c_contiguous or X.flags.f_contiguous)


def read_only(array):
    """Return a read-only view, so that kernels are compiled for no other kind."""
    view = array.view()
    view.flags.writeable = False
    return view


def refuse_infinity(X):
    """Raise scikit-learn's ValueError if an array has an infinite number."""
    # scikit-learn first sums all numbers, which may overflow.
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


def parts(X, plain):
    """Cut an array into parts, each of which one thread processes.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The array.

    plain : bool
        Whether the parts are to be contiguous, as ``X`` is. If not, each is small enough
        to be copied.

    Returns
    -------
    list of tuple of slice
        The samples and features of each part: some features of all samples where they are
        contiguous and ``X`` is in F order, otherwise all features of some samples.
    """
    n_samples, n_features = X.shape
    if plain and not X.flags.c_contiguous:
        size = max(1, PART_SIZE // n_samples)
        return [(slice(None), slice(i, i + size)) for i in range(0, n_features, size)]
    size = max(1, (PART_SIZE if plain else BLOCK_SIZE) // n_features)
    return [(slice(i, i + size), slice(None)) for i in range(0, n_samples, size)]
