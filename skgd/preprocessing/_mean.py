"""Mean normalization."""

from skgd.preprocessing._base import WeightedScaler, scaled_range
from skgd.preprocessing._kernels import Affine
from skgd.preprocessing._statistics import n_samples_seen, or_nan

__all__ = ["MeanScaler"]


class MeanScaler(WeightedScaler):
    r"""Center each feature on its mean and scale it by its range.

    .. math::

        x' = \frac{x - \bar{x}}{\max - \min}

    with the mean and extremes of the training data, which are mapped into an interval
    of length 1 that contains 0.

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
        feature.

    data_min_ : ndarray of shape (n_features,), dtype of the data
        Per feature minimum seen in the data.

    data_max_ : ndarray of shape (n_features,), dtype of the data
        Per feature maximum seen in the data.

    data_range_ : ndarray of shape (n_features,), dtype of the data
        Per feature range ``data_max_ - data_min_``. Infinite where that overflows
        float32.

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
    times its largest magnitude. It is then centered, not scaled. Samples of weight 0 are
    ignored, also in the range.

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
    _extremes = True

    def __init__(self, *, copy=True) -> None:
        self.copy = copy

    def _publish(self):
        summary = self._summary
        self.data_min_, self.data_max_ = summary["low"], summary["high"]
        self.data_range_ = self.data_max_ - self.data_min_
        self.mean_ = or_nan(summary, summary["mean"])
        self.scale_ = scaled_range(self.data_min_, self.data_max_)
        self.n_samples_seen_ = n_samples_seen(summary)

    def _map(self, dtype):
        return Affine(self.mean_, self.scale_)
