"""Z-score normalization."""

from typing import Any

import numpy as np

from skgd._explain import explained
from skgd._validation import as_floats
from skgd.preprocessing._base import WeightedScaler
from skgd.preprocessing._kernels import Affine
from skgd.preprocessing._layout import refuse_infinity
from skgd.preprocessing._statistics import is_constant, n_samples_seen, or_nan

__all__ = ["ZScoreScaler"]


class SparseCenteringError(TypeError, ValueError):
    """Sparse data cannot be centered.

    scikit-learn's scaler raises a ValueError, but its checks of estimators expect a
    TypeError.
    """

    def __init__(self, verb) -> None:
        super().__init__(
            f"Cannot {verb} sparse matrices: pass `with_mean=False` instead. "
            "See docstring for motivation and alternatives."
        )


class ZScoreScaler(WeightedScaler):
    r"""Center each feature on its mean and scale it to unit variance.

    .. math::

        x' = \frac{x - \mu}{\sigma}

    with the mean and the population standard deviation of the training data. A drop-in
    for :class:`sklearn.preprocessing.StandardScaler`.

    Parameters
    ----------
    copy : bool, default=True
        Whether :meth:`transform` and :meth:`inverse_transform` write to a new array. If
        False, a writeable array of floats, or CSR matrix, is transformed in place.

    with_mean : bool, default=True
        Whether the data are centered. Sparse data cannot be centered.

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
    MeanScaler : Scale by the range about the mean.
    MinMaxScaler : Scale to a given range.
    StandardScaler : The same scaler under scikit-learn's name.

    Notes
    -----
    NaNs are treated as missing values: disregarded in fit, and maintained in transform.

    A feature is taken as constant if its variance is below the error bound of the
    two-pass algorithm, :math:`n ε σ^2 + (n ε μ)^2` with the machine epsilon ε of
    float64 [1]_. It is then centered, not scaled. For weighted samples, n is the sum of
    the weights divided by the largest, so that a common factor changes nothing.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the
       sample variance: analysis and recommendations", The American Statistician 37(3),
       1983.

    Examples
    --------
    >>> from skgd import ZScoreScaler
    >>> data = [[0, 0], [0, 0], [1, 1], [1, 1]]
    >>> scaler = ZScoreScaler()
    >>> print(scaler.fit(data))
    ZScoreScaler()
    >>> print(scaler.mean_)
    [0.5 0.5]
    >>> print(scaler.transform(data))
    [[-1. -1.]
     [-1. -1.]
     [ 1.  1.]
     [ 1.  1.]]
    >>> print(scaler.transform([[2, 2]]))
    [[3. 3.]]
    """

    _parameter_constraints: dict = {
        "copy": ["boolean"],
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
    }
    _accept_sparse = ("csr", "csc")
    # Arrays, or None.
    mean_: Any
    var_: Any
    scale_: Any

    def __init__(self, *, copy=True, with_mean=True, with_std=True) -> None:
        self.with_mean = with_mean
        self.with_std = with_std
        self.copy = copy

    @explained
    def transform(self, X, copy=None) -> Any:
        """Center and scale the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats, and to CSR if sparse.

        copy : bool, default=None
            Overrides the parameter of the same name.

        Returns
        -------
        X_tr : {ndarray, sparse matrix} of shape (n_samples, n_features)
            Transformed data.

        Raises
        ------
        ValueError
            If `X` has infinite numbers or other features than in fit, or if it is sparse
            and ``with_mean=True``.
        """
        return self._transform(X, self.copy if copy is None else copy, inverse=False)

    @explained
    def inverse_transform(self, X, copy: bool | None = None) -> Any:
        """Undo the centering and scaling.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Transformed data.

        copy : bool, default=None
            Overrides the parameter of the same name.

        Returns
        -------
        X_original : {ndarray, sparse matrix} of shape (n_samples, n_features)
            The data in their original scale.

        Raises
        ------
        ValueError
            If `X` has infinite numbers or other features than in fit, or if it is sparse
            and ``with_mean=True``.
        """
        return self._transform(X, self.copy if copy is None else copy, inverse=True)

    def _check_sparse(self, verb):
        if self.with_mean:
            raise SparseCenteringError(verb)

    def _publish(self):
        summary = self._summary
        self.mean_ = self.var_ = self.scale_ = None
        if self.with_mean or self.with_std:
            self.mean_ = or_nan(summary, summary["mean"])
        if self.with_std:
            self.var_ = or_nan(summary, summary["variance"])
            deviation = np.where(is_constant(summary), 1.0, np.sqrt(summary["variance"]))
            self.scale_ = or_nan(summary, deviation)
        self.n_samples_seen_ = n_samples_seen(summary)

    def _map(self, dtype):
        n_features = self.n_features_in_
        return Affine(
            self.mean_ if self.with_mean else np.zeros(n_features),
            self.scale_ if self.with_std else np.ones(n_features),
        )

    def _transform_sparse(self, X, inverse):
        self._check_sparse("uncenter" if inverse else "center")
        X = as_floats(X)
        refuse_infinity(X)
        if self.with_std:
            scale = self.scale_.take(X.indices, mode="clip")
            if inverse:
                X.data *= scale
            else:
                X.data /= scale
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.with_mean
        return tags
