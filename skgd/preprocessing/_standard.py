"""Z-score normalization under scikit-learn's name."""

from skgd.preprocessing._z_score import ZScoreScaler

__all__ = ["StandardScaler"]


class StandardScaler(ZScoreScaler):
    """Center each feature on its mean and scale it to unit variance.

    This is :class:`ZScoreScaler` under the name of
    :class:`sklearn.preprocessing.StandardScaler`: code that changes only the import keeps
    its names, such as the step ``'standardscaler'`` that
    :func:`sklearn.pipeline.make_pipeline` makes.

    {shared}

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


if StandardScaler.__doc__ and ZScoreScaler.__doc__:
    _, title, text = ZScoreScaler.__doc__.partition("Parameters\n")
    shared = title + text.partition("See Also")[0].rstrip()
    StandardScaler.__doc__ = StandardScaler.__doc__.format(shared=shared)
