"""The formula of robust scaling: median, quartiles and a smooth clip."""

import numpy as np

__all__ = [
    "center_and_scale",
    "in_order",
    "inverse_smooth_clip",
    "quantiles",
    "smooth_clip",
]

# Larger numbers count as this one, so that no difference of two overflows.
LARGEST = np.finfo(np.float64).max / 2
EPSILON = float(np.finfo(np.float64).eps)


def in_order(x, weight=None):
    """Return numbers and their weights in ascending order, without NaN and weights of 0."""
    if weight is None:
        x = np.sort(x)
        return x[: x.size - np.count_nonzero(np.isnan(x))], None
    seen = np.flatnonzero((weight > 0) & ~np.isnan(x))
    seen = seen[np.argsort(x[seen], kind="stable")]
    return x[seen], weight[seen]


def quantiles(x, n_parts, weight=None):
    """Return the quantiles 0, 1/n_parts, 2/n_parts, ..., 1 of some numbers.

    They are those of ``np.quantile(..., method="averaged_inverted_cdf")``. Integer weights
    are therefore the same as repeated numbers, and a common factor of all weights changes
    nothing.

    Parameters
    ----------
    x : ndarray of shape (n,), float64
        The numbers, sorted, at least one.

    n_parts : int
        The number of parts.

    weight : ndarray of shape (n,), default=None
        The weights of the numbers, positive.

    Returns
    -------
    ndarray of shape (n_parts + 1,), float64
    """
    # The sums of weights are exact for integers, and so are the targets where they match.
    sums = np.arange(1.0, x.size + 1) if weight is None else np.cumsum(weight)
    target = np.arange(n_parts + 1.0) * sums[-1] / n_parts
    low = np.searchsorted(sums, target, side="left")
    high = np.searchsorted(sums, target, side="right")
    low[0] = 0
    found = x[np.minimum([low, high], x.size - 1)]
    found[:, 0], found[:, -1] = x[0], x[-1]
    return (found[0] + found[1]) / 2


def center_and_scale(x, weight=None, eps=EPSILON):
    """Return the median and the scale, which is 0 if all numbers are equal.

    The scale is the interquartile range or, if the quartiles are equal, half the range.

    Parameters
    ----------
    x, weight
        As in :func:`quantiles`.

    eps : float
        Numbers count as equal if their relative difference is at most ten times this.
    """
    x = np.clip(x, -LARGEST, LARGEST)
    low, first, median, third, high = quantiles(x, 4, weight).tolist()

    def distance(one, other):
        return other - one if other - one > 10 * eps * max(-one, other) else 0.0

    return median, distance(first, third) or distance(low, high) / 2


def smooth_clip(x, center, scale, clip=3.0):
    r"""Return :math:`z / \sqrt{1 + (z / c)^2}` of z = (x - center) / scale."""
    # Beyond this, z / c is so large that the result is the bound, but its square overflows.
    far = min(1e100 * clip, np.finfo(np.float64).max)
    with np.errstate(over="ignore", under="ignore"):
        z = np.clip(x, -LARGEST, LARGEST)
        z -= center
        z /= scale
        np.clip(z, -far, far, out=z)
        z /= np.sqrt(1 + np.square(z / clip))
    # Rounding may exceed the bound.
    return np.clip(z, -clip, clip, out=z)


def inverse_smooth_clip(y, center, scale, clip=3.0):
    """Return the x whose smooth clip is ``y``; at the bounds it is infinite."""
    t = y / clip
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        return y / np.sqrt((1 - t) * (1 + t)) * scale + center
