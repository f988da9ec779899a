"""Summarize data: choose what the compiled loop runs over, and in which unit."""

from functools import reduce

import numpy as np
from sklearn.utils.sparsefuncs import inplace_column_scale, mean_variance_axis

from skgd._threads import map_parts
from skgd.preprocessing import _kernels
from skgd.preprocessing._layout import (
    blocks,
    flat,
    is_plain,
    parts,
    read_only,
    refuse_infinity,
)
from skgd.preprocessing._statistics import SMALL_UNIT, Extremes, Moments, Summary

__all__ = ["summarize", "summarize_sparse"]


def summarize(X, weight, moments, extremes):
    """Summarize dense data.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The data, floats.

    weight : ndarray of shape (n_samples,), float64, or None
        The weights of the samples. One of weight 0 counts for nothing.

    moments, extremes : bool
        What to summarize.

    Returns
    -------
    Summary
        The summary.

    Raises
    ------
    ValueError
        If ``X`` is infinite.
    """
    left_out = extremes and weight is not None and not weight.all()
    if left_out:
        refuse_infinity(X)
    direct = is_plain(X) and not left_out
    run = _summarize_parts if direct else _summarize_blocks
    with np.errstate(over="ignore", invalid="ignore"):
        summary, overflows = run(X, weight, moments, extremes)
    if overflows:
        refuse_infinity(X)
        if moments:
            unit = _smaller_unit(summary.moments)
            rescaled, _ = _summarize_blocks(X, weight, True, False, unit)
            summary.moments = rescaled.moments
    return summary


def summarize_sparse(X, weight):
    """Summarize the moments of sparse data.

    Parameters
    ----------
    X : sparse matrix or array of shape (n_samples, n_features), CSR or CSC
        The data, finite or NaN.

    weight : ndarray of shape (n_samples,), float64, or None
        The weights of the samples.

    Returns
    -------
    Summary
        The summary.
    """
    X = X.astype(np.float64, copy=False)
    unit = np.ones(X.shape[1])
    moments = _sparse_moments(X, weight, unit)
    if moments.overflow.any():
        X, unit = X.copy(), _smaller_unit(moments)
        inplace_column_scale(X, unit)
        moments = _sparse_moments(X, weight, unit)
    return Summary(X.shape[0], weight is not None, moments, None)


def _smaller_unit(moments):
    return np.where(moments.overflow, SMALL_UNIT, 1.0)


def _sparse_moments(X, weight, unit):
    mean, variance, count = mean_variance_axis(
        X, axis=0, weights=weight, return_sum_weights=True
    )
    counted = count > 0
    return Moments(
        count=count,
        mean=np.where(counted, mean, 0.0) / unit,
        variance=np.where(counted, variance, 0.0),
        unit=unit,
    )


def _summarize_parts(X, weight, moments, extremes):
    """Summarize parts on several threads; join them in order, however many there are."""

    def run(part):
        part_weight = None if weight is None else weight[part[0]]
        return _summarize(X[part], part_weight, moments, extremes)

    summaries, overflows = zip(*map_parts(run, parts(X)), strict=True)
    join = Summary.merge if X.flags.c_contiguous else Summary.beside
    return reduce(join, summaries), any(overflows)


def _summarize_blocks(X, weight, moments, extremes, unit=None):
    """Summarize copies of a few samples at a time, and merge."""
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    summary, overflows = None, False
    for samples in blocks(X):
        block = np.ascontiguousarray(X[samples], dtype)
        block_weight = None if weight is None else weight[samples]
        if unit is not None:
            block = block * unit
        if block_weight is not None and extremes:
            # What has no weight must not be among the extremes.
            kept = block_weight > 0
            if not kept.any():
                continue
            block, block_weight = block[kept], block_weight[kept]
        part, part_overflows = _summarize(block, block_weight, moments, extremes, unit)
        summary = summary.merge(part) if summary else part
        overflows |= part_overflows
    if extremes:
        low, high = summary.extremes.low, summary.extremes.high
        summary.extremes = Extremes(low.astype(X.dtype), high.astype(X.dtype))
    summary.n_samples = X.shape[0]
    return summary, overflows


# NumPy's error state is one of each thread.
@np.errstate(over="ignore", invalid="ignore")
def _summarize(X, weight, moments, extremes, unit=None):
    """Summarize a contiguous array, already multiplied by ``unit``."""
    n_samples, n_features = X.shape
    x, n_series = flat(X)
    sums = np.zeros((3, n_features if moments else 0))
    bounds = np.empty((2, n_features if extremes else 0), X.dtype)
    weights = np.empty(0) if weight is None else weight
    overflows = _kernels.summarize(
        read_only(x), n_series, n_samples, read_only(weights), sums, bounds
    )
    summary = Summary(n_samples, weight is not None, None, None)
    if moments:
        count, mean, square = sums
        if unit is None:
            unit = np.ones(n_features)
        variance = square / np.where(count > 0, count, 1.0)
        summary.moments = Moments(count, mean / unit, variance, unit)
    if extremes:
        summary.extremes = Extremes(bounds[0], bounds[1])
    return summary, overflows
