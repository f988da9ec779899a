"""Robust scaling with a smooth clip."""

from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_n_features, check_is_fitted, validate_data

from skgd._explain import Explained, explained, explained_fit
from skgd._state import Versioned, unchanged_by_errors
from skgd.preprocessing._base import DTYPES, checked_weight, refuse_sparse
from skgd.preprocessing._robust import (
    center_and_scale,
    in_order,
    inverse_smooth_clip,
    smooth_clip,
)

__all__ = ["RobustClipScaler"]


class RobustClipScaler(OneToOneFeatureMixin, TransformerMixin, Explained, Versioned):
    r"""Center each feature on its median, scale it by its quartiles, and clip it smoothly.

    .. math::

        z = \frac{x - \text{median}}{q_{75} - q_{25}}, \qquad
        x' = \frac{z}{\sqrt{1 + (z / c)^2}}

    with the bound :math:`c` = `clip`. Near the median, :math:`x'` is almost :math:`z`.
    Outliers are mapped to numbers between :math:`-c` and :math:`c`, keep their order, and
    do not change how other numbers are scaled.

    Parameters
    ----------
    clip : float, default=3.0
        The bound of the transformed data, positive.

    Attributes
    ----------
    center_ : ndarray of shape (n_features,), float64
        Per feature median. NaN for a feature of NaNs only.

    scale_ : ndarray of shape (n_features,), float64
        What the centered data are divided by: the interquartile range; half the range if
        the quartiles are equal, and 1 for a constant feature.

    n_features_in_ : int
        Number of features seen during fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during fit. Defined only when `X` has feature
        names that are all strings.

    See Also
    --------
    ZScoreScaler : Scale by mean and standard deviation.
    sklearn.preprocessing.RobustScaler : Scale by quantiles, without a clip.

    Notes
    -----
    NaNs are treated as missing values: disregarded in fit, and maintained in transform.

    Median and quartiles are those of ``np.quantile`` with
    ``method="averaged_inverted_cdf"``. A sample of weight 2 is therefore the same as two
    samples, and a common factor of all weights changes nothing.

    Numbers count as equal if they differ by less than ten machine epsilons of the data
    times their magnitude.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by Default: Strong
       Pre-Tuned MLPs and Boosted Trees on Tabular Data", NeurIPS 2024.

    Examples
    --------
    >>> from skgd import RobustClipScaler
    >>> data = [[1], [2], [3], [4], [1000]]
    >>> scaler = RobustClipScaler().fit(data)
    >>> print(scaler.center_, scaler.scale_)
    [3.] [2.]
    >>> print(scaler.transform(data).round(3).ravel())
    [-0.949 -0.493  0.     0.493  3.   ]
    """

    _parameter_constraints: dict = {"clip": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, *, clip=3.0) -> None:
        self.clip = clip

    @explained_fit
    def fit(self, X, y=None, sample_weight=None) -> Self:
        """Compute the median and quartiles to be used for later scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats.

        y : None
            Ignored.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. Samples of weight 0 are ignored.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            If `X` has infinite numbers, or if a weight is negative or all are zero.

        TypeError
            If `X` is sparse.
        """
        refuse_sparse(self, X)
        with unchanged_by_errors(self):
            X = np.asarray(self._validated(X, reset=True))
            eps = float(np.finfo(X.dtype).eps)
            if sample_weight is not None:
                sample_weight = checked_weight(sample_weight, X)
            found = [_statistics(x, sample_weight, eps) for x in X.T]
            self.center_, self.scale_ = np.array(found).T
        return self

    @explained
    def transform(self, X) -> Any:
        """Scale the features and clip them.

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
            If `X` has infinite numbers, or other features than in fit.
        """
        check_is_fitted(self)
        X = np.asarray(self._validated(X, reset=False))
        x = X.astype(np.float64, copy=False)
        z = smooth_clip(x, self.center_, self.scale_, self.clip)
        return z.astype(X.dtype, copy=False)

    @explained
    def inverse_transform(self, X) -> Any:
        """Undo the clipping and the scaling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Transformed data, from ``-clip`` to ``clip``. The bounds themselves become
            infinite: `transform` returns them for all numbers that are too far from the
            median to be distinguished.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            The data in their original scale.

        Raises
        ------
        ValueError
            If `X` has numbers beyond ``-clip`` or ``clip``, or other features than in fit.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=DTYPES, ensure_all_finite="allow-nan")
        _check_n_features(self, X, reset=False)
        # The bound is rounded to the dtype, as X is.
        beyond = np.abs(X) > X.dtype.type(self.clip)
        if beyond.any():
            row, column = np.argwhere(beyond)[0]
            label = getattr(self, "feature_names_in_", range(X.shape[1]))[column]
            raise ValueError(
                f"X has {X[row, column]} in column {label!r}, row {row}: transformed data "
                f"lie between -clip and clip, which is {self.clip}. Clip the data first."
            )
        z = np.clip(X.astype(np.float64, copy=False), -self.clip, self.clip)
        x = inverse_smooth_clip(z, self.center_, self.scale_, self.clip)
        with np.errstate(over="ignore"):
            return x.astype(X.dtype, copy=False)

    def _validated(self, X, reset):
        return validate_data(
            self, X, reset=reset, dtype=DTYPES, ensure_all_finite="allow-nan"
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _statistics(x, weight, eps):
    """Return center and scale of a feature."""
    x, weight = in_order(x.astype(np.float64, copy=False), weight)
    if x.size == 0:
        return np.nan, np.nan
    center, scale = center_and_scale(x, weight, eps)
    return center, scale or 1.0
