"""What the scalers share: validate, summarize each feature, map, and map back."""

from abc import ABCMeta, abstractmethod
from copy import deepcopy
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn import preprocessing
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import (
    _check_n_features,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from skgd._explain import Explained
from skgd._state import Versioned, unchanged_by_errors
from skgd._validation import as_floats
from skgd.preprocessing._layout import refuse_infinity

__all__ = ["AffineScaler", "checked_weight", "half_range"]

DTYPES = (np.float64, np.float32, np.float16)


class AffineScaler(
    OneToOneFeatureMixin,
    TransformerMixin,
    Explained,
    Versioned,
    metaclass=ABCMeta,
):
    """Base of the scalers.

    A scaler says how to summarize data, what to publish of a summary, and which affine
    map follows from that. Two conventions hold for all of them: a call that raises
    leaves the scaler as it was, and NaN passes through and is left out of the
    statistics.
    """

    _accept_sparse = False
    _counterpart: type = preprocessing.StandardScaler

    @abstractmethod
    def _summarize(self, X, sample_weight):
        """Return the Summary of validated data."""

    @abstractmethod
    def _publish(self):
        """Set the fitted attributes from ``self._summary``."""

    @abstractmethod
    def _map(self, dtype):
        """Return the AffineMap of the fitted attributes, for data of a dtype."""

    def _take(self, summary):
        """Hold a summary of the data, and publish what follows from it."""
        self._summary = summary
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self._publish()

    def _check_parameters(self):
        """Raise if parameters that are valid one by one do not go together."""

    def _check_container(self, X):
        """Raise if the scaler cannot be fitted to sparse data, and these are."""
        if issparse(X) and not self._accept_sparse:
            raise TypeError(
                f"{type(self).__name__} does not support sparse input. "
                "Consider using MaxAbsScaler instead."
            )

    def _update(self, X, sample_weight=None, *, reset):
        """Take in data, after what has been seen or instead of it."""
        with unchanged_by_errors(self):
            self._check_parameters()
            self._check_container(X)
            reset = reset or not hasattr(self, "_summary")
            X = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse=("csr", "csc"),
                dtype=DTYPES,
                # In dense data, infinity is found on the way by the compiled loop.
                ensure_all_finite=False,
            )
            # Again: a data frame of sparse columns is a sparse matrix from here on.
            self._check_container(X)
            if issparse(X):
                X = as_floats(X)
                refuse_infinity(X)
            if sample_weight is not None:
                sample_weight = checked_weight(sample_weight, X)
            summary = self._summarize(X if issparse(X) else np.asarray(X), sample_weight)
            self._take(summary if reset else self._summary.merge(summary))
        return self

    def merge(self, other: Self) -> Self:
        """Take in what another scaler was fitted to.

        The result is that of :meth:`partial_fit` with the data of the other scaler, to
        the last bit, so that parts of the data can be fitted in different processes.

        Parameters
        ----------
        other : object
            A fitted scaler of the same class, with the same features.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        TypeError
            If ``other`` is of another class.

        ValueError
            If it has other features.

        sklearn.exceptions.NotFittedError
            If one of the two is not fitted.
        """
        if type(other) is not type(self):
            raise TypeError(
                f"other must be a {type(self).__name__}, got {type(other).__name__}"
            )
        check_is_fitted(self)
        check_is_fitted(other)
        if self.n_features_in_ != other.n_features_in_:
            raise ValueError(
                f"other must have {self.n_features_in_} features, as self has, "
                f"got {other.n_features_in_}"
            )
        names = [list(getattr(s, "feature_names_in_", ())) for s in (self, other)]
        if all(names) and names[0] != names[1]:
            raise ValueError(
                f"other must have the feature names {names[0]}, as self has, got {names[1]}"
            )
        with unchanged_by_errors(self):
            self._take(self._summary.merge(other._summary))
        return self

    def to_sklearn(self) -> Any:
        """Return the fitted scaler as one of scikit-learn that maps the same.

        It maps the same, up to rounding: tools that read scikit-learn's scalers, to
        export them for example, read this one. Parameters and fitted attributes are
        copied. :class:`MinMaxScaler` becomes scikit-learn's, the others become its
        ``StandardScaler``. That of a :class:`MeanScaler` divides by the range. It has no
        `var_`, so it cannot be fitted further by ``partial_fit``.

        Returns
        -------
        scaler : object
            The fitted scaler of scikit-learn.

        Raises
        ------
        ValueError
            If the range of a feature is too large or too small for the `scale_` of
            scikit-learn's scaler to be finite.

        sklearn.exceptions.NotFittedError
            If the scaler is not fitted.

        Examples
        --------
        >>> import skgd
        >>> scaler = skgd.MinMaxScaler().fit([[1.0], [2.0], [5.0]])
        >>> exported = scaler.to_sklearn()
        >>> type(exported).__module__.split(".")[0]
        'sklearn'
        >>> print(exported.transform([[2.0]]))
        [[0.25]]
        """
        check_is_fitted(self)
        scale = () if self.scale_ is None else self.scale_
        if np.isinf(scale).any():
            raise ValueError(
                f"scikit-learn's {self._counterpart.__name__} cannot scale feature "
                f"{np.isinf(scale).argmax()}: its scale_ would be infinite. Give the "
                "feature another unit."
            )
        scaler = self._counterpart(**self.get_params(deep=False))
        for name, value in vars(self).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(scaler, name, deepcopy(value))
        return scaler

    def _transform(self, X, copy):
        check_is_fitted(self)
        given = X
        X = validate_data(self, X, reset=False, **self._check_params(X, copy))
        if issparse(X):
            return self._transform_sparse(X, inverse=False)
        X = np.asarray(X)
        return self._map(X.dtype).forward(X, copy=_must_copy(given, X, copy))

    def _inverse_transform(self, X, copy):
        check_is_fitted(self)
        given = X
        X = check_array(X, **self._check_params(X, copy))
        _check_n_features(self, X, reset=False)
        if issparse(X):
            return self._transform_sparse(X, inverse=True)
        X = np.asarray(X)
        return self._map(X.dtype).back(X, copy=_must_copy(given, X, copy))

    def _check_params(self, X, copy):
        """How to validate what is transformed."""
        params = {"dtype": DTYPES, "ensure_all_finite": False}
        if self._accept_sparse:
            params["accept_sparse"] = "csr"
            # A new matrix is made of anything else that is sparse.
            if issparse(X):
                params.update(copy=copy, force_writeable=True)
        return params

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def checked_weight(sample_weight, X):
    """Validate the weights of the samples.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or float
        The weights.

    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The samples.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        The weights.

    Raises
    ------
    ValueError
        If there is not a finite weight for each sample, if one is negative, or if their
        sum is not positive and finite.
    """
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if weight.min() < 0:
        raise ValueError(
            f"sample_weight must not be negative, got weights down to {weight.min()}"
        )
    with np.errstate(over="ignore"):
        total = weight.sum()
    if total == 0:
        raise ValueError("sample_weight must have a positive weight, got only zeros")
    if not np.isfinite(total):
        raise ValueError(f"sample_weight must have a finite sum, got {total}")
    return weight


def half_range(low, high):
    """Return half the range of each feature, in the unit that is returned with it.

    The range may overflow, its half does not. A feature is constant if its range is below
    ten machine epsilons times its largest magnitude. The range is then 1.

    Parameters
    ----------
    low, high : ndarray of shape (n_features,), dtype of the data
        The minimum and maximum.

    Returns
    -------
    half : ndarray of shape (n_features,), float64
        Half the range times the unit.

    unit : ndarray of shape (n_features,), float64
        1, or a larger power of two where half a number might lose digits.
    """
    eps = float(np.finfo(low.dtype).eps)
    low, high = low.astype(np.float64), high.astype(np.float64)
    size = np.maximum(np.abs(low), np.abs(high))
    unit = np.where(size < 2.0**-900, 2.0**600, 1.0)
    half = high * unit / 2 - low * unit / 2
    constant = (half < 5 * eps * size * unit) | (half == 0)
    return np.where(constant, 0.5, half), np.where(constant, 1.0, unit)


def _must_copy(given, X, copy):
    """Whether a result must not be written to ``X``, validated from ``given``."""
    converted = isinstance(given, np.ndarray) and given.dtype != X.dtype
    return not X.flags.writeable or (copy and not converted)
