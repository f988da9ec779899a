"""The bins of piecewise-linear columns: their edges, and the bin of each number."""

import numpy as np

from skgd.preprocessing._robust import center_and_scale, in_order, quantiles

__all__ = ["MOST_BINS", "all_binned", "all_edges", "binned", "merged"]

# The indices of bins are 16-bit numbers.
MOST_BINS = 2**16 - 1

# Edges that are closer than this many interquartile ranges are merged: beyond the first or
# last edge, a number divided by the width of a narrow bin would be huge.
LEAST_WIDTH = 1e-5


def merged(edges, scale=1.0):
    """Return edges without those that are almost equal to their neighbor."""
    kept, least = [edges[0]], LEAST_WIDTH * scale
    for edge in edges[1:-1]:
        if edge - kept[-1] > least and edges[-1] - edge > least:
            kept.append(edge)
    return np.array([*kept, edges[-1]])


# `fit` later checks for numbers that are too large for the network.
@np.errstate(over="ignore", invalid="ignore")
def all_edges(X, n_bins, weight=None):
    """Return the edges of the bins of each column: (weighted) quantiles.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite numbers.

    n_bins : int
        The maximum number of bins of a column.

    weight : ndarray of shape (n_samples,), default=None
        The weights of the rows. Rows of weight 0 are ignored.

    Returns
    -------
    list of ndarray, float64
        At least two numbers for each column.
    """
    n_bins = min(n_bins, MOST_BINS // X.shape[1])
    weight = None if weight is None else weight.astype(np.float64)
    found = []
    for column in X.T:
        x, weight_of = in_order(column.astype(np.float64), weight)
        _, scale = center_and_scale(x, weight_of)
        if scale == 0:
            # A constant has one bin of any width.
            found.append(np.array([x[0], x[0] + (abs(x[0]) or 1.0)]))
        else:
            found.append(merged(quantiles(x, n_bins, weight_of), scale))
    return found


def binned(x, edges):
    """Return the bin of each number and the fraction of the bin that is below it."""
    bins = np.searchsorted(edges[1:-1], x, side="right")
    return bins, (x - edges[bins]) / np.diff(edges)[bins]


@np.errstate(over="ignore", invalid="ignore")
def all_binned(X, edges, dtype):
    """Return the bins of all columns, counted over all of them, and the fractions."""
    bins, fractions = np.empty(X.shape, np.uint16), np.empty(X.shape, dtype)
    first = 0
    for j, own in enumerate(edges):
        bins[:, j], fractions[:, j] = binned(X[:, j], own)
        bins[:, j] += first
        first += len(own) - 1
    return bins, fractions
