"""What a scaler knows about the data it has seen, and how two such are merged."""

from dataclasses import dataclass, replace

import numpy as np

from skgd.preprocessing._kernels import HUGE, TINY

__all__ = ["Extremes", "Moments", "Summary"]


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
        1, or another power of two, which costs no digits, where the variance might
        overflow or underflow.
    """

    count: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    unit: np.ndarray

    @np.errstate(over="ignore", under="ignore")
    def merge(self, other):
        """Return the moments of both parts of the data, by Chan's formula."""
        unit = _unit(np.maximum(self._size, other._size))
        # From the larger part's mean the way to the common one is the shorter.
        swap = other.count > self.count
        count, added = _ordered(swap, self.count, other.count)
        mean, other_mean = _ordered(swap, self.mean * unit, other.mean * unit)
        variance, other_variance = _ordered(
            swap, self._variance_in(unit), other._variance_in(unit)
        )
        total = count + added
        if not np.isfinite(total).all():
            raise ValueError("sample_weight must have a finite sum over all calls")
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
    def _size(self):
        """The larger of mean and deviation; NaN or infinite where something overflowed."""
        return np.maximum(np.abs(self.mean), self.deviation)

    @property
    def fitting_unit(self):
        """In what unit the variance neither overflows nor underflows."""
        return _unit(self._size)

    def constant(self, heaviest):
        """Where the variance is below the error bound of its computation.

        That of the two-pass algorithm, as in scikit-learn; see T. F. Chan, G. H. Golub
        and R. J. LeVeque, "Algorithms for computing the sample variance: analysis and
        recommendations", The American Statistician 37(3), 1983. Samples count by their
        weights in units of the heaviest: weights times a constant are the same weights.

        A deviation below the normal numbers, which can be no divisor, is none either.
        """
        float64 = np.finfo(np.float64)
        count = np.maximum(self.count / heaviest, 1.0)
        bound = count * float64.eps * self.variance
        bound += (count * (self.mean * self.unit) * float64.eps) ** 2
        return (self.variance <= bound) | (self.deviation < float64.smallest_normal)

    @property
    def deviation(self):
        """The standard deviation, finite and positive even where its square is not."""
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

    heaviest : float
        The largest weight, 1 without weights.
    """

    n_samples: int
    weighted: bool
    moments: Moments | None
    extremes: Extremes | None
    heaviest: float = 1.0

    def merge(self, other):
        """Return the summary of both parts of the data."""
        return Summary(
            self.n_samples + other.n_samples,
            self.weighted or other.weighted,
            self.moments and self.moments.merge(other.moments),
            self.extremes and self.extremes.merge(other.extremes),
            max(self.heaviest, other.heaviest),
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
        count = self.moments.count  # type: ignore[union-attr]
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


def _unit(size):
    """Return the unit for numbers of a size."""
    return np.where(size < TINY, 2.0**600, np.where(size <= HUGE, 1.0, 2.0**-600))


def _ordered(swap, first, second):
    return np.where(swap, second, first), np.where(swap, first, second)
