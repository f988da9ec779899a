"""The compiled loops of the scalers.

They read the data as *series* in a contiguous buffer: a C-ordered array is one series
of samples, an F-ordered array has a series for each feature, with samples of one
number. A *row* is a few samples side by side, long enough for the loop over its *lanes*
to vectorize whatever the number of features. A *block* is a few rows, which are read
from memory once and from the cache after that.
"""

from typing import NamedTuple

import numpy as np

from skgd.compile.jit import strict_jit

__all__ = ["LARGEST", "SMALLEST", "Affine", "apply_affine", "summarize"]

MIN_LANES = 64
MIN_ROWS = 16
MIN_BLOCK = 4096
# The squares of numbers between these limits keep all digits.
SMALLEST, LARGEST = 1e-150, 1e150


@strict_jit
def _count_lanes(width, length):
    """Return the lanes in a row: ``width`` times a power of two, so that they fold."""
    lanes = width
    while lanes < min(MIN_LANES, length):
        lanes *= 2
    return lanes


@strict_jit
def _add_squares(block, shift, total, square):
    """Add up each lane's deviations from ``shift`` and their squares."""
    total[:] = 0.0
    square[:] = 0.0
    for i in range(0, block.size, shift.size):
        row = block[i : i + shift.size]
        for j in range(row.size):
            deviation = row[j] - shift[j]
            total[j] += deviation
            square[j] += deviation * deviation


@strict_jit
def _add_weighted(block, weight, shift, count, total, square):
    """Add up each lane's weights, deviations and squares, without those of NaN."""
    count[:] = 0.0
    total[:] = 0.0
    square[:] = 0.0
    for i in range(0, block.size, shift.size):
        row = block[i : i + shift.size]
        row_weight = weight[i : i + shift.size]
        for j in range(row.size):
            seen = row[j] == row[j]
            deviation = row[j] - shift[j]
            weighed = row_weight[j] * deviation
            count[j] += row_weight[j] if seen else 0.0
            total[j] += weighed if seen else 0.0
            square[j] += weighed * deviation if seen else 0.0


@strict_jit
def _widen_extremes(block, low, high):
    """Take a block into each lane's extremes; NaN compares false and is left out."""
    for i in range(0, block.size, low.size):
        row = block[i : i + low.size]
        for j in range(row.size):
            low[j] = row[j] if row[j] < low[j] else low[j]
            high[j] = row[j] if row[j] > high[j] else high[j]


@strict_jit
def _has_nonzero(block, weight, feature, width):
    """Return whether a feature has a number of positive weight that is not 0 or NaN."""
    for i in range(feature, block.size, width):
        if abs(block[i]) > 0.0 and weight[i] > 0.0:
            return True
    return False


@strict_jit
def _fold(lanes, width):
    """Add up the lanes of each feature, pairwise, in the first ``width`` of them."""
    size = lanes.size
    while size > width:
        size //= 2
        for j in range(size):
            lanes[j] += lanes[size + j]


@strict_jit
def _repeat(lanes, width):
    """Give all lanes the values of the first ``width``."""
    size = width
    while size < lanes.size:
        for j in range(size):
            lanes[size + j] = lanes[j]
        size *= 2


@strict_jit
def summarize(x, n_series, n_samples, weight, moments, extremes):
    """Summarize each feature in one pass over the data.

    The moments of a block are taken about the mean of those before it, or a second time
    about its own mean where the two are far apart, are corrected for the difference
    (eq. 1.7 in [1]_), and are merged (eq. 1.5). Means are kept as their distance to the
    first block's mean, so that no digits are lost to a large offset.

    Parameters
    ----------
    x : ndarray of shape (n_samples * n_features,), float32 or float64
        The data.

    n_series : int
        1 for C order, ``n_features`` for F order.

    n_samples : int
        The number of samples, at least 1.

    weight : ndarray of shape (n_samples,) or (0,), float64
        The weights of the samples, all 1 if it is empty. The extremes ignore weights.

    moments : ndarray of shape (3, n_features) or (3, 0), float64, zero
        Receives the sum of the weights of numbers that are not NaN, the mean, and the sum
        of the squared deviations from it. Where the data are infinite, or something
        overflows, the mean or the sum is not finite. Where all squares of numbers have
        underflowed, the sum is not 0.

    extremes : ndarray of shape (2, n_features) or (2, 0), dtype of ``x``
        Receives the minimum and maximum, NaN if all numbers are NaN.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the
       sample variance: analysis and recommendations", The American Statistician 37(3),
       1983.
    """
    length = x.size // n_series
    width = length // n_samples
    n_lanes = _count_lanes(width, length)
    block_size = n_lanes * max(MIN_ROWS, MIN_BLOCK // n_lanes)
    # The lanes of a row. They are folded into the first ones, one for each feature.
    sums = np.empty((3, n_lanes))
    count, total, square = sums[0], sums[1], sums[2]
    shift = np.empty(n_lanes)
    lane_extremes = np.empty((2, n_lanes), x.dtype)
    low, high = lane_extremes[0], lane_extremes[1]
    features = np.empty((2, width))
    center, rest = features[0], features[1]
    block_weight = np.ones(block_size if moments.size else 0)

    for series in range(n_series):
        origin = series * width
        for i in range(n_lanes):
            low[i] = np.inf
            high[i] = -np.inf
        for j in range(width):
            center[j] = 0.0
        for start in range(series * length, (series + 1) * length, block_size):
            block = x[start : min((series + 1) * length, start + block_size)]
            if extremes.size:
                _widen_extremes(block, low, high)
            if not moments.size:
                continue
            if weight.size:
                first = (start - series * length) // width
                for j in range(width):
                    for i in range(block.size // width):
                        block_weight[i * width + j] = weight[first + i]

            # If the block's mean is further from the mean of the blocks before it than
            # the block is wide, digits are lost, and a second look is needed.
            for j in range(width):
                shift[j] = center[j] + moments[1, origin + j]
            plain = weight.size == 0
            for look in range(2):
                _repeat(shift, width)
                if plain:
                    _add_squares(block, shift, total, square)
                    for i in range(n_lanes):
                        plain &= total[i] == total[i]
                if not plain:
                    _add_weighted(block, block_weight, shift, count, total, square)
                for k in range(3):
                    _fold(sums[k], width)
                if plain:
                    for j in range(width):
                        count[j] = block.size // width
                far = False
                for j in range(width):
                    rest[j] = total[j] / (count[j] if count[j] > 0.0 else 1.0)
                    far |= total[j] * rest[j] > 0.5 * square[j]
                if look == 1 or not far:
                    break
                for j in range(width):
                    shift[j] += rest[j]

            for j in range(width):
                before = moments[0, origin + j]
                if before == 0.0:
                    center[j] = shift[j]
                share = count[j] / (before + count[j] if count[j] > 0.0 else 1.0)
                delta = (shift[j] - center[j]) + rest[j] - moments[1, origin + j]
                squares = square[j] - total[j] * rest[j]
                squares = 0.0 if squares < 0.0 else squares
                # The squares of float32 do not underflow.
                is_tiny = squares == 0.0 and abs(shift[j] + rest[j]) < SMALLEST
                if is_tiny and x.itemsize > 4:
                    lost = _has_nonzero(block, block_weight, j, width)
                    squares = SMALLEST * SMALLEST if lost else 0.0
                moments[0, origin + j] += count[j]
                moments[1, origin + j] += delta * share
                moments[2, origin + j] += squares + delta * (before * share) * delta

        for j in range(width if moments.size else 0):
            moments[1, origin + j] += center[j]
        for j in range(width if extremes.size else 0):
            for i in range(j + width, n_lanes, width):
                low[j] = min(low[j], low[i])
                high[j] = max(high[j], high[i])
            seen = low[j] <= high[j]
            extremes[0, origin + j] = low[j] if seen else np.nan
            extremes[1, origin + j] = high[j] if seen else np.nan


class Affine(NamedTuple):
    """Map each feature to ``(x - center) / scale * span + offset``, and clip.

    Attributes
    ----------
    center, scale : ndarray of shape (n_features,), float64
        What is subtracted, and what is divided by.

    span, offset : float
        The unit and the origin of the result.

    low, high : float
        The bounds of the result.
    """

    center: np.ndarray
    scale: np.ndarray
    span: float = 1.0
    offset: float = 0.0
    low: float = -np.inf
    high: float = np.inf


@strict_jit
def apply_affine(x, n_series, affine, inverse, out):
    """Map ``x``, or map it back, except for the clipping.

    Parameters
    ----------
    x : ndarray of shape (n_samples * n_features,), float32 or float64
        The data.

    n_series : int
        1 for C order, ``n_features`` for F order.

    affine : Affine
        The map of each feature.

    inverse : bool
        Whether to map back.

    out : ndarray of the shape and dtype of ``x``
        The result. May be ``x`` itself.

    Returns
    -------
    bool
        Whether ``x`` has an infinite number.
    """
    center, scale, span, offset, low, high = affine
    length = x.size // n_series
    width = center.size // n_series
    n_lanes = _count_lanes(width, length)
    lanes = np.empty((2, n_lanes))
    lane_center, lane_scale = lanes[0], lanes[1]
    # In place, a loop that stored to `out` while it reads `x` would not vectorize.
    result = np.empty(n_lanes, x.dtype)
    infinite = False
    for series in range(n_series):
        for j in range(width):
            lane_center[j] = center[series * width + j]
            lane_scale[j] = scale[series * width + j]
        _repeat(lane_center, width)
        _repeat(lane_scale, width)
        for start in range(series * length, (series + 1) * length, n_lanes):
            stop = min(start + n_lanes, (series + 1) * length)
            row = x[start:stop]
            if inverse:
                for j in range(row.size):
                    infinite |= abs(row[j]) == np.inf
                    value = (row[j] - offset) / span
                    result[j] = value * lane_scale[j] + lane_center[j]
            else:
                for j in range(row.size):
                    infinite |= abs(row[j]) == np.inf
                    value = (row[j] - lane_center[j]) / lane_scale[j]
                    value = value * span + offset
                    value = low if value < low else value
                    result[j] = high if value > high else value
            written = out[start:stop]
            for j in range(written.size):
                written[j] = result[j]
    return infinite
