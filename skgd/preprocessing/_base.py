"""What the scalers share: validate, summarize each feature, map, and map back."""

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

from skgd._explain import Explained, explained, explained_fit
from skgd._state import Versioned, unchanged_by_errors
from skgd._validation import as_floats
from skgd.preprocessing._affine_map import transform
from skgd.preprocessing._kernels import LARGEST, SMALLEST
from skgd.preprocessing._layout import refuse_infinity
from skgd.preprocessing._statistics import merge
from skgd.preprocessing._summarize import misfit, summarize

__all__ = [
    "DTYPES",
    "AffineScaler",
    "WeightedScaler",
    "checked_weight",
    "refuse_sparse",
    "scaled_range",
]

DTYPES = (np.float64, np.float32, np.float16)


class AffineScaler(OneToOneFeatureMixin, TransformerMixin, Explained, Versioned):
    """Base of the scalers.

    A scaler defines how to summarize data, which fitted attributes follow from a summary,
    and which affine map follows from these. All scalers have two conventions: a call that
    raises leaves the scaler as it was, and NaNs are ignored when fitting and kept when
    transforming.
    """

    # The sparse formats that are accepted, and what is summarized.
    _accept_sparse: tuple | bool = False
    _moments, _extremes = True, False
    _counterpart: type = preprocessing.StandardScaler

    def _publish(self):
        """Set the fitted attributes from ``self._summary``."""

    def _map(self, dtype):
        """Return the map of the fitted attributes, for data of a dtype."""

    @explained
    def transform(self, X) -> Any:
        """Scale the features.

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
        return self._transform(X, self.copy, inverse=False)

    @explained
    def inverse_transform(self, X) -> Any:
        """Undo the scaling.

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
            If `X` has infinite numbers, or other features than in fit.
        """
        return self._transform(X, self.copy, inverse=True)

    def _take(self, summary):
        """Store a summary of the data, and set the fitted attributes."""
        self._summary = summary
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self._publish()

    def _check_parameters(self):
        """Raise if parameters that are valid one by one do not go together."""

    def _update(self, X, sample_weight=None, *, reset):
        """Fit to data, in addition to earlier data or instead of them."""
        with unchanged_by_errors(self):
            self._check_parameters()
            if not self._accept_sparse:
                refuse_sparse(self, X)
            reset = reset or not hasattr(self, "_summary")
            X = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse=self._accept_sparse,
                dtype=DTYPES,
                # In dense data, the compiled loop finds infinity.
                ensure_all_finite=False,
            )
            if issparse(X):
                self._check_sparse("center")
                X = as_floats(X)
                refuse_infinity(X)
            else:
                X = np.asarray(X)
            if sample_weight is not None:
                sample_weight = checked_weight(sample_weight, X)
            summary = summarize(X, sample_weight, self._moments, self._extremes)
            if not reset:
                summary = merge(self._summary, summary)
            found = misfit(X, sample_weight, summary)
            if found is not None:
                feature, low, high = found
                label = getattr(self, "feature_names_in_", range(X.shape[1]))[feature]
                raise ValueError(
                    f"X has numbers from {low} to {high} in column {label!r}: their "
                    f"magnitude and their range must be 0 or from {SMALLEST} to {LARGEST}. "
                    "Give the feature another unit, or leave it out."
                )
            self._take(summary)
        return self

    def merge(self, other: Self) -> Self:
        """Merge the statistics of another fitted scaler into this one.

        The result is bitwise that of :meth:`partial_fit` with the data of the other scaler.
        Parts of the data can therefore be fitted in different processes.

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
                f"other must be a {type(self).__name__}, got {type(other).__name__}."
            )
        check_is_fitted(self)
        check_is_fitted(other)
        if self.n_features_in_ != other.n_features_in_:
            raise ValueError(
                f"other must have {self.n_features_in_} features, as self has, "
                f"got {other.n_features_in_}."
            )
        names = [list(getattr(s, "feature_names_in_", ())) for s in (self, other)]
        if all(names) and names[0] != names[1]:
            raise ValueError(
                f"other must have the feature names {names[0]}, as self has, got "
                f"{names[1]}."
            )
        with unchanged_by_errors(self):
            self._take(merge(self._summary, other._summary))
        return self

    def to_sklearn(self) -> Any:
        """Return the fitted scaler as a scaler of scikit-learn.

        The new scaler maps the same, up to rounding, and works with tools that read
        scikit-learn's scalers, for example to export them. Parameters and fitted attributes
        are copied. :class:`MinMaxScaler` becomes scikit-learn's, the others become its
        ``StandardScaler``. A :class:`MeanScaler` becomes one that divides by the range. It
        has no `var_`, so ``partial_fit`` cannot continue it.

        Returns
        -------
        scaler : object
            The fitted scaler of scikit-learn.

        Raises
        ------
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
        scaler = self._counterpart(**self.get_params(deep=False))
        for name, value in vars(self).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(scaler, name, deepcopy(value))
        return scaler

    def _transform(self, X, copy, inverse):
        check_is_fitted(self)
        given, params = X, {"dtype": DTYPES, "ensure_all_finite": False}
        params["accept_sparse"] = self._accept_sparse and "csr"
        if issparse(X):
            # Other formats are converted to a new matrix in CSR.
            params.update(copy=copy, force_writeable=True)
        if inverse:
            X = check_array(X, **params)
            _check_n_features(self, X, reset=False)
        else:
            X = validate_data(self, X, reset=False, **params)
        if issparse(X):
            return self._transform_sparse(X, inverse)
        X = np.asarray(X)
        converted = isinstance(given, np.ndarray) and given.dtype != X.dtype
        copy = not X.flags.writeable or (copy and not converted)
        return transform(X, self._map(X.dtype), inverse=inverse, copy=copy)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class WeightedScaler(AffineScaler):
    """Base of the scalers that take weights of the samples."""

    @explained_fit
    def fit(self, X, y=None, sample_weight=None) -> Self:
        """Compute the statistics to be used for later scaling.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The data, converted to float64 unless they are floats. Only a
            :class:`ZScoreScaler` or :class:`StandardScaler` with ``with_mean=False`` takes
            sparse data, and converts them to CSR unless they are CSR or CSC.

        y : None
            Ignored.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            If `X` has infinite numbers, if the largest magnitude of a feature is above
            1e150 or below 1e-150 but not 0, or if a weight is negative or all are zero.

        TypeError
            If `X` is sparse and the scaler takes dense data only.
        """
        return self._update(X, sample_weight, reset=True)

    @explained_fit
    def partial_fit(self, X, y=None, sample_weight=None) -> Self:
        """Update the statistics with more data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The data, as for :meth:`fit`.

        y : None
            Ignored.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : object
            Fitted scaler.

        Raises
        ------
        ValueError
            As for :meth:`fit`, or if `X` has other features than before.

        TypeError
            If `X` is sparse and the scaler takes dense data only.
        """
        return self._update(X, sample_weight, reset=False)


def checked_weight(sample_weight, X):
    """Return the weights of the samples, float64; raise if they are not valid."""
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    with np.errstate(over="ignore"):
        total = weight.sum()
    if weight.min() < 0 or not 0 < total < np.inf:
        raise ValueError(
            "sample_weight must have no negative number and a positive, finite sum, got "
            f"numbers from {weight.min()} to {weight.max()} with a sum of {total}."
        )
    return weight


def refuse_sparse(scaler, X):
    """Raise the TypeError of scikit-learn's scalers that take dense data only."""
    if issparse(X):
        raise TypeError(
            f"{type(scaler).__name__} does not support sparse input. "
            "Consider using MaxAbsScaler instead."
        )


def scaled_range(low, high):
    """Return the range of each feature, float64, or 1 for a constant one.

    A feature is constant if its range is below ten machine epsilons of the data times its
    largest magnitude.
    """
    eps = float(np.finfo(low.dtype).eps)
    low, high = low.astype(np.float64), high.astype(np.float64)
    size, spread = np.maximum(np.abs(low), np.abs(high)), high - low
    return np.where((spread < 10 * eps * size) | (spread == 0), 1.0, spread)
