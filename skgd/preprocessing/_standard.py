"""Z-score normalization under scikit-learn's name."""

from skgd.preprocessing._z_score import ZScoreScaler

__all__ = ["StandardScaler"]


class StandardScaler(ZScoreScaler):
    """Center each feature on its mean and scale it to unit variance.

    This is :class:`ZScoreScaler` under the name of
    :class:`sklearn.preprocessing.StandardScaler`: code that changes only the import keeps
    its names, such as the step ``'standardscaler'`` that
    :func:`sklearn.pipeline.make_pipeline` makes.

    Parameters
    ----------
    copy : bool, default=True
        Whether :meth:`transform` and :meth:`inverse_transform` write to a new array. If
        False, a writeable array of floats, or CSR matrix, is transformed in place.

    with_mean : bool, default=True
        Whether the data are centered. Sparse data cannot be.

    with_std : bool, default=True
        Whether the data are scaled to unit variance.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,), float64, or None
        Per feature standard deviation, or 1 for a constant feature. None when
        ``with_std=False``.

    mean_ : ndarray of shape (n_features,), float64, or None
        Per feature mean. None when ``with_mean=False`` and ``with_std=False``.

    var_ : ndarray of shape (n_features,), float64, or None
        Per feature population variance. None when ``with_std=False``.

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
    ZScoreScaler : The same scaler, with notes on constant features.
    MinMaxScaler : Scale to a given range.
    MeanScaler : Scale by the range about the mean.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgd import MLPClassifier, StandardScaler
    >>> make_pipeline(StandardScaler(), MLPClassifier()).steps[0]
    ('standardscaler', StandardScaler())
    >>> print(StandardScaler().fit_transform([[0, 0], [0, 0], [1, 1], [1, 1]]))
    [[-1. -1.]
     [-1. -1.]
     [ 1.  1.]
     [ 1.  1.]]
    """
