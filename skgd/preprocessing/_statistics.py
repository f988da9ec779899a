"""Summaries of the data that a scaler has seen, and how two of them are merged.

A summary is a dict of numbers and arrays, which any format can save:

=================  =========================================================================
``n_samples``      the number of samples
``weighted``       whether some had a weight
``heaviest``       the largest weight, 1 without weights
``count``          for each feature, the sum of the weights of numbers that are not NaN
``mean``           the mean, 0 where nothing was counted
``variance``       the population variance
``low``, ``high``  the extremes, of the dtype of the data; NaN if all numbers are NaN
=================  =========================================================================

Arrays that a scaler has not asked for are empty.
"""

import numpy as np

__all__ = ["is_constant", "merge", "n_samples_seen", "or_nan", "summary_of"]

NAMES = "n_samples", "weighted", "heaviest", "count", "mean", "variance", "low", "high"


def summary_of(*values):
    """Return the summary of some values, in the order of the table above."""
    return dict(zip(NAMES, values, strict=True))


@np.errstate(over="ignore", under="ignore", invalid="ignore")
def merge(one, other):
    """Return the statistics of both parts of the data."""
    moments = [one["count"], one["mean"], one["variance"]]
    if one["count"].size:
        moments = _merge_moments(
            moments, [other["count"], other["mean"], other["variance"]]
        )
    return summary_of(
        one["n_samples"] + other["n_samples"],
        one["weighted"] or other["weighted"],
        max(one["heaviest"], other["heaviest"]),
        *moments,
        np.fmin(one["low"], other["low"]),
        np.fmax(one["high"], other["high"]),
    )


def _merge_moments(one, other):
    """Return count, mean and variance of both parts of the data, by Chan's formula."""
    # Start from the mean of the larger part, which is closer to the common one.
    swap = other[0] > one[0]
    count, mean, variance = np.where(swap, other, one)
    added, other_mean, other_variance = np.where(swap, one, other)
    total = count + added
    if not np.isfinite(total).all():
        raise ValueError(
            "sample_weight must have a finite sum over all calls. Divide all weights by "
            "the largest."
        )
    share = added / np.where(total > 0, total, 1.0)
    delta = np.where(added > 0, other_mean - mean, 0.0)
    variance = (
        (1 - share) * variance + share * other_variance + (1 - share) * share * delta**2
    )
    return total, mean + delta * share, variance


def is_constant(summary):
    """Return where the variance is below the error bound of its computation.

    The bound is that of the two-pass algorithm, as in scikit-learn; see T. F. Chan,
    G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance: analysis
    and recommendations", The American Statistician 37(3), 1983. Weights are divided by the
    largest, so that a common factor changes nothing.
    """
    eps = np.finfo(np.float64).eps
    count = np.maximum(summary["count"] / summary["heaviest"], 1.0)
    bound = count * eps * summary["variance"] + (count * summary["mean"] * eps) ** 2
    return summary["variance"] <= bound


def n_samples_seen(summary):
    """Return the count of each feature, or a single number if they are all equal."""
    count = summary["count"]
    if not summary["weighted"]:
        count = count.astype(np.int64)
    return count[0] if (count == count[0]).all() else count


def or_nan(summary, statistic):
    """Replace a statistic by NaN where nothing was counted."""
    return np.where(summary["count"] > 0, statistic, np.nan)
