"""Summarize data: choose what the compiled loop runs over, and in which unit."""

from functools import reduce
from typing import Any

import numpy as np
from sklearn.utils.sparsefuncs import inplace_column_scale, mean_variance_axis

from skgd.compile.announce import announced
from skgd.parallel.threads import map_parts
from skgd.preprocessing import _kernels
from skgd.preprocessing._layout import (
    blocks,
    flat,
    is_plain,
    parts,
    read_only,
    refuse_infinity,
)
from skgd.preprocessing._statistics import Extremes, Moments, Summary

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
    weight, weight_unit = _in_units(weight)
    left_out = extremes and weight is not None and not weight.all()
    if left_out:
        refuse_infinity(X)
    direct = is_plain(X) and not left_out
    run = _summarize_parts if direct else _summarize_blocks
    with (
        np.errstate(over="ignore", under="ignore", invalid="ignore"),
        announced("the statistics of the scalers"),
    ):
        summary, overflows, underflows = run(X, weight, moments, extremes)
        if overflows:
            refuse_infinity(X)
        if moments and (overflows or underflows):
            unit = summary.moments.fitting_unit
            if (unit != 1).any():
                rescaled, *_ = _summarize_blocks(X, weight, True, False, unit)
                summary.moments = rescaled.moments
    return _weighed(summary, weight, weight_unit)


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
    n_samples = X.shape[0]
    weight, weight_unit = _in_units(weight)
    if weight is not None and not weight.all():
        # The squares of what has no weight must not matter either.
        X, weight = X[weight > 0], weight[weight > 0]
    moments = _sparse_moments(X, weight, np.ones(X.shape[1]))
    unit = moments.fitting_unit
    if (unit != 1).any():
        # Where nothing, or but NaN, is stored, there is nothing to be lost.
        unit[(_count_stored(X) == 0) | (moments.count == 0)] = 1.0
    if (unit != 1).any():
        X = X.copy()
        inplace_column_scale(X, unit)
        moments = _sparse_moments(X, weight, unit)
    summary = Summary(n_samples, weight is not None, moments, None)
    return _weighed(summary, weight, weight_unit)


def _in_units(weight):
    """Express weights in a unit in which the largest is not far from 1.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,), float64, or None
        The weights.

    Returns
    -------
    weight : ndarray of shape (n_samples,), float64, or None
        The weights in the unit: one too small for that counts for nothing.

    unit : float
        A power of two, which costs no digits.
    """
    unit = 1.0
    if weight is not None and not 2.0**-30 <= weight.max() <= 2.0**30:
        _, exponent = np.frexp(weight.max())
        # A larger power of two may have no inverse.
        unit = 2.0 ** np.clip(exponent, -1000, 1000)
        weight = weight / unit
    return weight, unit


def _weighed(summary, weight, unit):
    """Return a summary of weights in a unit as that of the weights themselves."""
    if weight is not None:
        summary.heaviest = float(weight.max() * unit)
        if summary.moments:
            summary.moments.count *= unit
    return summary


def _count_stored(X):
    """Count the stored numbers of each feature."""
    if X.format == "csc":
        return np.diff(X.indptr)
    return np.bincount(X.indices, minlength=X.shape[1])


def _sparse_moments(X, weight, unit):
    mean, variance, count = mean_variance_axis(
        X, axis=0, weights=weight, return_sum_weights=True
    )
    counted = count > 0
    return Moments(
        count=count,
        mean=np.where(counted, mean, 0.0) / unit,
        # Of a constant, it may be below zero by a rounding.
        variance=np.where(counted, np.maximum(variance, 0.0), 0.0),
        unit=unit,
    )


def _summarize_parts(X, weight, moments, extremes):
    """Summarize parts on several threads; join them in order, however many there are."""

    def run(part):
        part_weight = None if weight is None else weight[part[0]]
        return _summarize(X[part], part_weight, moments, extremes)

    summaries, overflows, underflows = zip(*map_parts(run, parts(X)), strict=True)
    join = Summary.merge if X.flags.c_contiguous else Summary.beside
    return reduce(join, summaries), any(overflows), any(underflows)


def _summarize_blocks(X, weight, moments, extremes, unit=None):
    """Summarize copies of a few samples at a time, and merge."""
    dtype = np.float64 if X.dtype == np.float64 else np.float32
    summary: Any = None
    overflows = underflows = False
    for samples in blocks(X):
        block = np.ascontiguousarray(X[samples], dtype)
        block_weight = None if weight is None else weight[samples]
        if block_weight is not None and (extremes or unit is not None):
            # What has no weight must not be among the extremes, nor choose the unit.
            kept = block_weight > 0
            if not kept.any():
                continue
            block, block_weight = block[kept], block_weight[kept]
        if unit is not None:
            block = block * unit
        part, *flags = _summarize(block, block_weight, moments, extremes, unit)
        summary = summary.merge(part) if summary else part
        overflows |= flags[0]
        underflows |= flags[1]
    if extremes:
        low, high = summary.extremes.low, summary.extremes.high
        summary.extremes = Extremes(low.astype(X.dtype), high.astype(X.dtype))
    summary.n_samples = X.shape[0]
    return summary, overflows, underflows


# NumPy's error state is one of each thread.
@np.errstate(over="ignore", under="ignore", invalid="ignore")
def _summarize(X, weight, moments, extremes, unit=None):
    """Summarize a contiguous array, already multiplied by ``unit``."""
    n_samples, n_features = X.shape
    x, n_series = flat(X)
    sums = np.zeros((3, n_features if moments else 0))
    bounds = np.empty((2, n_features if extremes else 0), X.dtype)
    weights = np.empty(0) if weight is None else weight
    overflows, underflows = _kernels.summarize(
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
    return summary, overflows, underflows
