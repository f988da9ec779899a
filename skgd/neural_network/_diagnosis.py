"""Checks and advice about the data of a fit."""

import numpy as np
from sklearn import config_context
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import assert_all_finite

from skgd._caller import warn

__all__ = ["as_vector", "check_finite", "check_weights", "target_advice"]


def as_vector(y):
    """Ravel a target of one column, with scikit-learn's warning."""
    warn(
        "A column-vector y was passed when a 1d array was expected. Please change the "
        "shape of y to (n_samples, ), for example using ravel().",
        DataConversionWarning,
    )
    return y.ravel()


def check_finite(estimator, **arrays):
    """Raise if data are not finite, also with ``assume_finite=True``."""
    # scikit-learn first sums all numbers, which may overflow.
    with config_context(assume_finite=False), np.errstate(invalid="ignore"):
        for name, array in arrays.items():
            if array is not None:
                assert_all_finite(
                    array, estimator_name=type(estimator).__name__, input_name=name
                )


def check_weights(estimator):
    """Raise if weights set by hand are not lists with an array for each layer."""
    coefs, intercepts = estimator.coefs_, estimator.intercepts_
    for name, arrays, ndim in (("coefs_", coefs, 2), ("intercepts_", intercepts, 1)):
        is_list = isinstance(arrays, list | tuple)
        if not is_list or not all(_is_numeric(a, ndim) for a in arrays):
            found = ", ".join(map(_kind, arrays)) if is_list else _kind(arrays)
            raise TypeError(
                f"{name} must be a list with a {ndim}-dimensional array for each layer, "
                f"of at most double precision, got {found}. Convert what you set: "
                f"{name} = [np.array(a, dtype=float) for a in ...]."
            )
    if not len(coefs) == len(intercepts) > 0:
        raise ValueError(
            "coefs_ and intercepts_ must have an array for each layer, got "
            f"{len(coefs)} and {len(intercepts)} arrays."
        )


def _is_numeric(a, ndim):
    is_array = isinstance(a, np.ndarray) and a.ndim == ndim
    return is_array and a.dtype.kind in "fiu" and a.itemsize <= 8


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"array of {value.dtype} of shape {value.shape}"
    return type(value).__name__


def target_advice(loss, y):
    """Advise to scale the target if a mean or deviation is far from 1.

    Parameters
    ----------
    loss : Loss
        The loss, whose link says whether the outputs are unbounded.

    y : ndarray of shape (n_samples, n_targets)
        Encoded targets.

    Returns
    -------
    str
        The end of a warning's text; empty without advice.
    """
    if loss.out_activation != "identity":
        return ""
    with np.errstate(over="ignore"):
        means = y.mean(axis=0, dtype=np.float64)
        deviations = y.std(axis=0, dtype=np.float64)
    small = (deviations < 0.1) & (y != y[0]).any(axis=0)
    far = (abs(means) > 10) | (deviations > 10) | small
    if not far.any():
        return ""
    j = far.argmax()
    return (
        f"\nThe target has a mean of {means[j]:.3g} and a standard deviation of "
        f"{deviations[j]:.3g}. You might also want to scale it: "
        "TransformedTargetRegressor(..., transformer=StandardScaler())."
    )
