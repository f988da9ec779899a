"""Conversions after scikit-learn's validation."""

import numpy as np

__all__ = ["as_floats"]


def as_floats(X):
    """Return validated data as floats.

    scikit-learn makes a boolean matrix of a data frame whose columns are all sparse and
    boolean, such as that of ``pandas.get_dummies(..., sparse=True)``, whatever dtype it is
    asked for.
    """
    return X.astype(np.float64) if X.dtype == bool else X
