"""Summarize data, and find features whose statistics cannot be represented."""

from functools import reduce

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from skgd.compile.announce import announced
from skgd.parallel.threads import map_parts
from skgd.preprocessing import _kernels
from skgd.preprocessing._kernels import LARGEST, SMALLEST
from skgd.preprocessing._layout import flat, is_plain, parts, read_only, refuse_infinity
from skgd.preprocessing._statistics import merge, summary_of

__all__ = ["misfit", "summarize"]

# If the larger of mean and deviation, or of the extremes, lies between these, no digits are
# lost: all numbers, and deviations above rounding errors, lie well within the limits.
SAFE = 1e-130, 1e140


def summarize(X, weight, moments, extremes):
    """Summarize each feature.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The data, floats. CSR or CSC, finite or NaN, if sparse, for moments only.

    weight : ndarray of shape (n_samples,), float64, or None
        The weights of the samples. Samples of weight 0 are ignored.

    moments, extremes : bool
        What to summarize.

    Returns
    -------
    dict
        The summary; see :mod:`skgd.preprocessing._statistics`.

    Raises
    ------
    ValueError
        If ``X`` has infinite numbers.
    """
    heaviest, exponent = 1.0, 0
    if weight is not None:
        heaviest = float(weight.max())
        # Make the largest about 1. A power of two costs no digits.
        exponent = np.frexp(heaviest)[1]
        weight = np.ldexp(weight, -exponent)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if issparse(X):
            summary = _summarize_sparse(X, weight)
        else:
            summary = _summarize_dense(X, weight, moments, extremes)
        summary["count"] = np.ldexp(summary["count"], exponent)
    known = {"n_samples": X.shape[0], "weighted": weight is not None, "heaviest": heaviest}
    return summary | known


def misfit(X, weight, summary):
    """Find a feature for which squares, or their sum, cannot be represented.

    Parameters
    ----------
    X, weight
        The data last summarized.

    summary : dict
        The summary of these and all data before.

    Returns
    -------
    None or (int, float, float)
        The feature, its minimum and its maximum.
    """
    if X.dtype != np.float64:
        return None
    low, high, variance = summary["low"], summary["high"], summary["variance"]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        sizes = (low, high) if low.size else (summary["mean"], np.sqrt(variance))
        size = np.maximum(*np.abs(sizes))
        is_safe = (SAFE[0] <= size) & (size <= SAFE[1])
        if issparse(X) and not is_safe.all():
            # The mean and the squares may all have underflowed.
            stored = abs(X)
            stored.data[np.isnan(stored.data)] = 0
            size = np.asarray(stored.sum(axis=0)).ravel()
        if (is_safe | (size == 0)).all():
            return None
        if not low.size:
            if issparse(X):
                rows = X if weight is None else X[weight > 0]
                low, high = min_max_axis(rows, axis=0, ignore_nan=True)
            else:
                found = summarize(X, weight, moments=False, extremes=True)
                low, high = found["low"], found["high"]
        size, spread = np.maximum(np.abs(low), np.abs(high)), high - low
        eps = np.finfo(np.float64).eps
        is_bad = (size > LARGEST) | ((size > 0) & (size < SMALLEST))
        is_bad |= (10 * eps * size < spread) & (spread < SMALLEST)
        if variance.size:
            is_bad |= ~np.isfinite(variance)
    feature = int(is_bad.argmax())
    return (feature, low[feature], high[feature]) if is_bad.any() else None


def _summarize_sparse(X, weight):
    X = X.astype(np.float64, copy=False)
    if weight is not None and not weight.all():
        # The squares of rows without weight must not matter either.
        X, weight = X[weight > 0], weight[weight > 0]
    mean, variance, count = mean_variance_axis(
        X, axis=0, weights=weight, return_sum_weights=True
    )
    seen = count > 0
    # Rounding may make the variance of a constant negative.
    mean, variance = np.where(seen, [mean, np.maximum(variance, 0.0)], 0.0)
    return summary_of(X.shape[0], False, 1.0, count, mean, variance, *np.empty((2, 0)))


def _summarize_dense(X, weight, moments, extremes):
    """Summarize parts by any number of threads, and merge them in order."""
    # Rows without weight must not be among the extremes.
    left_out = extremes and weight is not None and not weight.all()
    if left_out:
        refuse_infinity(X)
    plain = is_plain(X) and not left_out

    # Each thread has its own error state of NumPy.
    @np.errstate(over="ignore", under="ignore", invalid="ignore")
    def run(part):
        block, block_weight = X[part], weight
        if weight is not None:
            block_weight = weight[part[0]]
        if not plain:
            block = np.ascontiguousarray(block, np.result_type(X.dtype, np.float32))
        if left_out:
            block, block_weight = block[block_weight > 0], block_weight[block_weight > 0]
        return _summarize(block, block_weight, moments, extremes)

    cut = [p for p in parts(X, plain) if not left_out or weight[p[0]].any()]
    with announced("the statistics of the scalers"):
        found = map_parts(run, cut)
    if plain and not X.flags.c_contiguous and len(found) > 1:
        arrays = zip(*(list(f.values())[3:] for f in found), strict=True)
        summary = summary_of(0, False, 1.0, *map(np.concatenate, arrays))
    else:
        summary = reduce(merge, found)
    extremes = [summary[name].astype(X.dtype) for name in ("low", "high")]
    summary["low"], summary["high"] = extremes
    if (
        not np.isfinite(summary["mean"] + summary["variance"]).all()
        or np.isinf(extremes).any()
    ):
        refuse_infinity(X)
    return summary


def _summarize(X, weight, moments, extremes):
    """Summarize a contiguous array."""
    n_samples, n_features = X.shape
    x, n_series = flat(X)
    sums = np.zeros((3, n_features if moments else 0))
    bounds = np.empty((2, n_features if extremes else 0), X.dtype)
    weights = np.empty(0) if weight is None else weight
    _kernels.summarize(read_only(x), n_series, n_samples, read_only(weights), sums, bounds)
    count, mean, square = sums
    variance = square / np.where(count > 0, count, 1.0)
    return summary_of(X.shape[0], False, 1.0, count, mean, variance, *bounds)
