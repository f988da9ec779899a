"""Mean normalization."""

from typing import Any, Self

from skgd._explain import explained, explained_fit
from skgd.preprocessing._affine_map import AffineMap
from skgd.preprocessing._base import AffineScaler, half_range
from skgd.preprocessing._summarize import summarize

__all__ = ["MeanScaler"]


class MeanScaler(AffineScaler):
    r"""Center each feature on its mean and scale it by its range.

    .. math::

        x' = \frac{x - \bar{x}}{\max - \min}

    with the mean and extremes of the training data, which are mapped into an interval
    of length 1 about 0.

    Parameters
    ----------
    copy : bool, default=True
        Whether :meth:`transform` and :meth:`inverse_transform` write to a new array. If
        False, a writeable array of floats is transformed in place.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,), float64
        Per feature mean.

    scale_ : ndarray of shape (n_features,), float64
        What the centered data are divided by: `data_range_`, or 1 for a constant
        feature. Infinite where the range overflows, which concerns no method.

    data_min_ : ndarray of shape (n_features,), dtype of the data
        Per feature minimum seen in the data.

    data_max_ : ndarray of shape (n_features,), dtype of the data
        Per feature maximum seen in the data.

    data_range_ : ndarray of shape (n_features,), dtype of the data
        Per feature range ``data_max_ - data_min_``. Infinite where that overflows.

    n_features_in_ : int
        Number of features seen during fit.

    n_samples_seen_ : int or ndarray of shape (n_features,)
        The number of samples seen, for each feature if NaNs make a difference. Where
        there were sample weights, their sum, a float.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during fit. Defined only when `X` has feature
        names that are all strings.

    See Also
    --------
    MinMaxScaler : Scale to a given range.
    ZScoreScaler : Scale by the standard deviation about the mean.

    Notes
    -----
    NaNs are treated as missing values: disregarded in fit, and maintained in transform.

    A feature is taken as constant if its range is below ten machine epsilons of the data
    times its largest magnitude. It is then centered, not scaled. A sample
    of weight 0 counts for nothing, not for the range either.

    Examples
    --------
    >>> from skgd import MeanScaler
    >>> data = [[0, 1], [0, 2], [2, 3], [2, 10]]
    >>> scaler = MeanScaler().fit(data)
    >>> print(scaler.mean_)
    [1. 4.]
    >>> print(scaler.scale_)
    [2. 9.]
    >>> print(scaler.transform([[2, 4], [1, 13]]))
    [[0.5 0. ]
     [0.  1. ]]
    """

    _parameter_constraints: dict = {"copy": ["boolean"]}

    def __init__(self, *, copy=True) -> None:
        self.copy = copy

    @explained_fit
    def fit(self, X, y=None, sample_weight=None) -> Self:
        """Compute the mean and range to be used for later scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats.

        y : None
            Ignored.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the mean.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            If `X` is infinite, or if a weight is negative or all are zero.

        TypeError
            If `X` is sparse.
        """
        return self._update(X, sample_weight, reset=True)

    @explained_fit
    def partial_fit(self, X, y=None, sample_weight=None) -> Self:
        """Update the mean and range with more data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats.

        y : None
            Ignored.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the mean.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            If `X` is infinite or has other features than before, or if a weight is
            negative or all are zero.

        TypeError
            If `X` is sparse.
        """
        return self._update(X, sample_weight, reset=False)

    @explained
    def transform(self, X) -> Any:
        """Center and scale the features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats.

        Returns
        -------
        X_tr : ndarray of shape (n_samples, n_features)
            Transformed data.

        Raises
        ------
        ValueError
            If `X` is infinite or has other features than those fitted.
        """
        return self._transform(X, self.copy)

    @explained
    def inverse_transform(self, X) -> Any:
        """Undo the centering and scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Transformed data.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            The data in their original scale.

        Raises
        ------
        ValueError
            If `X` is infinite or has other features than those fitted.
        """
        return self._inverse_transform(X, self.copy)

    def _summarize(self, X, sample_weight):
        return summarize(X, sample_weight, moments=True, extremes=True)

    def _publish(self):
        summary = self._summary
        self.data_min_ = summary.extremes.low
        self.data_max_ = summary.extremes.high
        self.data_range_ = self.data_max_ - self.data_min_
        self.mean_ = summary.moments.or_nan(summary.moments.mean)
        half, unit = half_range(self.data_min_, self.data_max_)
        self.scale_ = half * 2 / unit
        self.n_samples_seen_ = summary.n_samples_seen

    def _map(self, dtype):
        half, unit = half_range(self.data_min_, self.data_max_)
        return AffineMap(self.mean_ * unit / 2, half, unit)
