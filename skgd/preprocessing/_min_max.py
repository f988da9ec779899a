"""Min-max normalization."""

from numbers import Real
from typing import Self

import numpy as np
from sklearn import preprocessing
from sklearn.utils._param_validation import InvalidParameterError

from skgd._explain import explained_fit
from skgd.preprocessing._base import AffineScaler, scaled_range
from skgd.preprocessing._kernels import LARGEST, Affine

__all__ = ["MinMaxScaler"]


class MinMaxScaler(AffineScaler):
    r"""Scale each feature to a given range.

    .. math::

        x' = \frac{x - \min}{\max - \min} (b - a) + a

    where :math:`(a, b)` is `feature_range` and the extremes are those of the training
    data. A drop-in for :class:`sklearn.preprocessing.MinMaxScaler`.

    Parameters
    ----------
    feature_range : tuple (min, max), default=(0, 1)
        Desired range of transformed data.

    copy : bool, default=True
        Whether :meth:`transform` and :meth:`inverse_transform` write to a new array. If
        False, a writeable array of floats is transformed in place.

    clip : bool, default=False
        Whether transformed values are clipped to `feature_range`. They are also within it
        after rounding to the dtype of the data. :meth:`inverse_transform` cannot restore
        clipped values.

    Attributes
    ----------
    min_ : ndarray of shape (n_features,), float64
        Per feature adjustment for minimum, ``min - data_min_ * scale_``.

    scale_ : ndarray of shape (n_features,), float64
        Per feature relative scaling of the data, ``(max - min) / data_range_``.

    data_min_ : ndarray of shape (n_features,), dtype of the data
        Per feature minimum seen in the data.

    data_max_ : ndarray of shape (n_features,), dtype of the data
        Per feature maximum seen in the data.

    data_range_ : ndarray of shape (n_features,), dtype of the data
        Per feature range ``data_max_ - data_min_``. Infinite if that overflows float32,
        which affects no other attribute and no method.

    n_features_in_ : int
        Number of features seen during fit.

    n_samples_seen_ : int
        The number of samples seen.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during fit. Defined only when `X` has feature
        names that are all strings.

    See Also
    --------
    MeanScaler : Scale by the range about the mean.
    ZScoreScaler : Scale by the standard deviation about the mean.

    Notes
    -----
    NaNs are treated as missing values: disregarded in fit, and maintained in transform.

    A feature is taken as constant if its range is below ten machine epsilons of the data
    times its largest magnitude. It is then shifted, not scaled.

    Examples
    --------
    >>> from skgd import MinMaxScaler
    >>> data = [[-1, 2], [-0.5, 6], [0, 10], [1, 18]]
    >>> scaler = MinMaxScaler()
    >>> print(scaler.fit(data))
    MinMaxScaler()
    >>> print(scaler.data_max_)
    [ 1. 18.]
    >>> print(scaler.transform(data))
    [[0.   0.  ]
     [0.25 0.25]
     [0.5  0.5 ]
     [1.   1.  ]]
    >>> print(scaler.transform([[2, 2]]))
    [[1.5 0. ]]
    """

    _parameter_constraints: dict = {
        "feature_range": [tuple],
        "copy": ["boolean"],
        "clip": ["boolean"],
    }

    _counterpart = preprocessing.MinMaxScaler
    _moments, _extremes = False, True

    def __init__(self, feature_range=(0, 1), *, copy=True, clip=False) -> None:
        self.feature_range = feature_range
        self.copy = copy
        self.clip = clip

    @explained_fit
    def fit(self, X, y=None) -> Self:
        """Compute the minimum and maximum to be used for later scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats.

        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            If `X` has infinite numbers, if the largest magnitude of a feature is above
            1e150 or below 1e-150 but not 0, or if `feature_range` is not finite and
            increasing.

        TypeError
            If `X` is sparse.
        """
        return self._update(X, reset=True)

    @explained_fit
    def partial_fit(self, X, y=None) -> Self:
        """Update the minimum and maximum with more data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats.

        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            As for :meth:`fit`, or if `X` has other features than before.

        TypeError
            If `X` is sparse.
        """
        return self._update(X, reset=False)

    def _check_parameters(self):
        bounds = self.feature_range
        if len(bounds) != 2 or not all(isinstance(bound, Real) for bound in bounds):
            raise InvalidParameterError(
                "feature_range must be a tuple (min, max) of two real numbers. Got "
                f"{bounds!r}."
            )
        if not bounds[0] < bounds[1]:
            raise ValueError(
                "Minimum of desired feature range must be smaller than maximum. "
                f"Got {bounds} as feature_range."
            )
        if max(map(abs, bounds)) > LARGEST:
            raise ValueError(
                f"Desired feature range must be finite, from -{LARGEST} to {LARGEST} at "
                f"most. Got {bounds} as feature_range."
            )

    def _publish(self):
        low, high = self.feature_range
        self.data_min_, self.data_max_ = self._summary["low"], self._summary["high"]
        self.data_range_ = self.data_max_ - self.data_min_
        self.scale_ = (high - low) / scaled_range(self.data_min_, self.data_max_)
        self.min_ = low - self.data_min_ * self.scale_
        self.n_samples_seen_ = self._summary["n_samples"]

    def _map(self, dtype):
        low, high = self.feature_range
        # From the minimum, since `min_` has lost digits if the data are far from 0. With
        # the minimum, rounding never leads out of a `feature_range` of (0, 1).
        return Affine(
            self.data_min_.astype(np.float64),
            scaled_range(self.data_min_, self.data_max_),
            float(high - low),
            float(low),
            *(_within(low, high, dtype) if self.clip else ()),
        )


def _within(low, high, dtype):
    """Return the lowest and the highest number of a dtype within an interval."""
    first, last = dtype.type(low), dtype.type(high)
    if float(first) < low:
        first = np.nextafter(first, dtype.type(np.inf))
    if float(last) > high:
        last = np.nextafter(last, dtype.type(-np.inf))
    if first > last:
        # No number of the dtype is inside. Take the nearest one.
        first = last = dtype.type(low)
    return float(first), float(last)
