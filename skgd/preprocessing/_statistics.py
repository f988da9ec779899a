"""What a scaler knows about the data it has seen, and how two such are merged."""

from dataclasses import dataclass, replace

import numpy as np

from skgd.preprocessing._kernels import HUGE

__all__ = ["SMALL_UNIT", "Extremes", "Moments", "Summary"]

# Where the squares might overflow: a power of two, which costs no digits.
SMALL_UNIT = 2.0**-600


@dataclass
class Extremes:
    """The extremes of each feature.

    Parameters
    ----------
    low, high : ndarray of shape (n_features,), dtype of the data
        The minimum and maximum, NaN for a feature of nothing but NaN.
    """

    low: np.ndarray
    high: np.ndarray

    def merge(self, other):
        """Return the extremes of both parts of the data."""
        return Extremes(
            np.fmin(self.low, other.low),
            np.fmax(self.high, other.high),
        )


@dataclass
class Moments:
    """The first moments of each feature.

    Parameters
    ----------
    count : ndarray of shape (n_features,), float64
        The sum of the weights of what is not NaN.

    mean : ndarray of shape (n_features,), float64
        The mean, 0 where nothing was counted.

    variance : ndarray of shape (n_features,), float64
        The population variance of the data times ``unit``.

    unit : ndarray of shape (n_features,), float64
        1, or a small power of two where the variance might overflow.
    """

    count: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    unit: np.ndarray

    def merge(self, other):
        """Return the moments of both parts of the data, by Chan's formula."""
        means_are_huge = np.maximum(np.abs(self.mean), np.abs(other.mean)) > HUGE
        unit = np.minimum(
            np.minimum(self.unit, other.unit),
            np.where(means_are_huge, SMALL_UNIT, 1.0),
        )
        # From the larger part's mean the way to the common one is the shorter.
        swap = other.count > self.count
        count, added = _ordered(swap, self.count, other.count)
        mean, other_mean = _ordered(swap, self.mean * unit, other.mean * unit)
        variance, other_variance = _ordered(
            swap, self._variance_in(unit), other._variance_in(unit)
        )
        total = count + added
        share = added / np.where(total > 0, total, 1.0)
        delta = np.where(added > 0, other_mean - mean, 0.0)
        return Moments(
            count=total,
            mean=(mean + delta * share) / unit,
            variance=(1 - share) * variance
            + share * other_variance
            + (1 - share) * share * delta**2,
            unit=unit,
        )

    def _variance_in(self, unit):
        ratio = unit / self.unit
        return self.variance * ratio * ratio

    @property
    def overflow(self):
        """Where the data are too large for this unit, or infinite."""
        finite = np.isfinite(self.mean) & np.isfinite(self.variance)
        fits = (np.abs(self.mean) <= HUGE) & (self.variance <= HUGE**2)
        return ~finite | (~fits & (self.unit == 1))

    @property
    def constant(self):
        """Where the variance is below the error bound of its computation.

        That of the two-pass algorithm, as in scikit-learn; see T. F. Chan, G. H. Golub
        and R. J. LeVeque, "Algorithms for computing the sample variance: analysis and
        recommendations", The American Statistician 37(3), 1983.
        """
        eps = np.finfo(np.float64).eps
        bound = self.count * eps * self.variance
        bound += (self.count * (self.mean * self.unit) * eps) ** 2
        return self.variance <= bound

    @property
    def deviation(self):
        """The standard deviation, which is finite even where its square is not."""
        return np.sqrt(self.variance) / self.unit

    def or_nan(self, statistic):
        """Replace a statistic by NaN where nothing was counted."""
        return np.where(self.count > 0, statistic, np.nan)


@dataclass
class Summary:
    """What a scaler knows about the data.

    Parameters
    ----------
    n_samples : int
        The number of samples.

    weighted : bool
        Whether some had a weight.

    moments : Moments or None
        None if they were not asked for.

    extremes : Extremes or None
        None if they were not asked for.
    """

    n_samples: int
    weighted: bool
    moments: Moments | None
    extremes: Extremes | None

    def merge(self, other):
        """Return the summary of both parts of the data."""
        return Summary(
            self.n_samples + other.n_samples,
            self.weighted or other.weighted,
            self.moments and self.moments.merge(other.moments),
            self.extremes and self.extremes.merge(other.extremes),
        )

    def beside(self, other):
        """Return the summary of these features and others of the same samples."""
        return replace(
            self,
            moments=self.moments and _beside(self.moments, other.moments),
            extremes=self.extremes and _beside(self.extremes, other.extremes),
        )

    @property
    def n_samples_seen(self):
        """The count of each feature, or of all if they have the same."""
        count = self.moments.count
        if not self.weighted:
            count = count.astype(np.int64)
        return count[0] if (count == count[0]).all() else count


def _beside(first, second):
    """Join statistics of some features and of others."""
    columns = [
        np.concatenate(pair)
        for pair in zip(vars(first).values(), vars(second).values(), strict=True)
    ]
    return type(first)(*columns)


def _ordered(swap, first, second):
    return np.where(swap, second, first), np.where(swap, first, second)
