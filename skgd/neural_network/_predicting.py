"""Predict from the fitted attributes, for both estimators."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, validate_data

from skgd._explain import explained
from skgd._validation import as_floats
from skgd.activations import Parametric
from skgd.losses import LINKS
from skgd.neural_network._data import check_embeddable
from skgd.neural_network._diagnosis import check_finite, check_weights
from skgd.neural_network._parameters import OF_LAYERS, checksum
from skgd.neural_network._plugins import activations_of, has_own_link
from skgd.neural_network._prediction import predict

__all__ = ["Linked", "Predicting", "layer_index", "validate_rows"]


def validate_rows(estimator, X):
    """Validate rows for a fitted estimator, and return them as floats."""
    check_is_fitted(estimator)
    # scikit-learn first sums all numbers, which may overflow.
    with np.errstate(invalid="ignore"):
        X = validate_data(
            estimator,
            X,
            accept_sparse=["csr", "csc"],
            dtype=(np.float64, np.float32),
            reset=False,
        )
    return as_floats(X)


def layer_index(layer, n_hidden):
    """Return the index of a hidden layer from the first one, or raise."""
    if not n_hidden:
        raise ValueError(
            f"layer={layer!r}: the network has no hidden layers. Fit one with "
            "hidden_layer_sizes=(100,), for example."
        )
    if not (isinstance(layer, Integral) and -n_hidden <= layer < n_hidden):
        raise ValueError(
            f"layer must be an int from {-n_hidden} to {n_hidden - 1}, since the number of "
            f"hidden layers is {n_hidden}. Got {layer!r}."
        )
    return int(layer) % n_hidden


class Linked:
    """Keeps the link, which turns the linear outputs into predictions."""

    out_activation_: str

    def _keep_link(self, loss):
        """Keep a copy of a loss with a link or score of its own: ``loss`` may change."""
        self.__dict__.pop("_link", None)
        if has_own_link(loss) or loss.score is not None:
            self._link = clone(loss)

    def _link_of(self, out_activation):
        """Return a loss with the link of this name, by default with the network's."""
        if out_activation is None and hasattr(self, "_link"):
            return self._link
        return LINKS[out_activation or self.out_activation_]()


class Predicting(Linked):
    """A mixin that holds a fitted network and predicts; listed before ``BaseEstimator``."""

    activation: Any
    n_jobs: Any
    verbose: Any
    n_features_in_: int
    _remedy: Callable[[], str]

    def _set_network(self, coefs, intercepts, stages, loss):
        """Set the attributes that predictions read."""
        self.n_layers_ = len(coefs) + 1
        self.n_outputs_ = coefs[-1].shape[1]
        self.out_activation_ = loss.out_activation
        self.coefs_, self.intercepts_, self.stages_ = coefs, intercepts, stages
        self._published = checksum(coefs, intercepts, *stages.values()) if stages else None
        self._keep_link(loss)

    def _checked_network(self, n_layers=None):
        """Return weights, biases, activations and ``stages_`` of the first layers.

        By default, these are all layers. It raises if they do not match.
        """
        check_weights(self)
        activations = activations_of(self, len(self.coefs_) - 1)
        # A network from scikit-learn has none.
        stages = getattr(self, "stages_", {})
        mixed = stages.get("activation", [None] * len(activations))
        is_mixed = [isinstance(a, Parametric) for a in activations]
        if is_mixed != [weights is not None for weights in mixed]:
            raise ValueError(
                f"activation={self.activation!r} does not match the fitted network: it "
                "must be Parametric for the same layers. Fit again, or restore activation."
            )
        if stages and self._published != checksum(
            self.coefs_, self.intercepts_, *stages.values()
        ):
            raise ValueError(
                "coefs_, intercepts_ and stages_ are not those of the last fit. With "
                "layer_normalization=True, a Parametric activation or a numeric_embedding "
                "they cannot be set by hand: restore those of the last fit, or fit again."
            )
        stages = {k: v[:n_layers] if k in OF_LAYERS else v for k, v in stages.items()}
        coefs, intercepts = self.coefs_[:n_layers], self.intercepts_[:n_layers]
        return coefs, intercepts, activations[:n_layers], stages

    def _forward(self, X, out_activation=None, n_layers=None):
        """Return predictions, with a column for each output, and what is finite.

        The second result is whether all numbers of an ndarray are finite, the third whether
        all predictions are. ``out_activation`` replaces the network's link. With fewer
        ``n_layers``, the predictions are the outputs of a hidden layer.
        """
        coefs, intercepts, activations, stages = self._checked_network(n_layers)
        if {"edges", "periodic"} & stages.keys():
            check_embeddable(X)
        return predict(
            X,
            coefs,
            intercepts,
            activations,
            self._link_of(out_activation),
            self.n_jobs,
            self.verbose,
            stages,
        )

    @explained
    def hidden_features(self, X, layer=-1) -> np.ndarray:
        """Compute the outputs of a hidden layer.

        These are the outputs that predictions are computed from: after the activation, with
        the running statistics of batch normalization, and without dropout.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        layer : int, default=-1
            Index of the hidden layer, negative from the last one, as in a list.

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            A column for each unit of the layer, in the dtype of ``coefs_``.
        """
        return self._features_of(validate_rows(self, X), layer)

    def _features_of(self, X, layer):
        """Return the outputs of a hidden layer for validated rows."""
        check_weights(self)
        index = layer_index(layer, len(self.coefs_) - 1)
        features, _, is_finite = self._forward(X, "identity", index + 1)
        dtype = np.result_type(self.coefs_[index], np.float32)
        with np.errstate(over="ignore"):
            narrow = features.astype(dtype, copy=False)
        if not is_finite or (narrow is not features and not np.isfinite(narrow).all()):
            raise ValueError(
                f"The outputs of hidden layer {index} are not finite in {dtype}: numbers "
                f"in X are too large for this network, fitted with {self._remedy()}"
            )
        return narrow

    def _predictions(self, X, link=None):
        """Validate rows and predict.

        ``link`` turns the linear outputs into predictions, instead of the network's link.
        """
        is_seen = self._is_as_validated(X)
        rows = X if is_seen else validate_rows(self, X)
        predictions, finite_rows, is_finite = self._forward(rows, link and "identity")
        if is_seen and not finite_rows:
            # This raises, unless scikit-learn's setting assume_finite is True.
            validate_rows(self, X)
        if link is not None:
            predictions = link(predictions)
            # The prediction may be finite although the linear output has overflowed.
            is_finite = is_finite or not np.isnan(predictions).any()
        if not is_finite:
            check_finite(self, X=rows)
            raise ValueError(
                "The predictions are not finite: numbers in X are too large for this "
                f"network, fitted with {self._remedy()}"
            )
        return predictions

    def _is_as_validated(self, X):
        """Return whether an array needs no conversion, only the check in `_forward`.

        To validate one row would take three times as long as to predict it.
        """
        return (
            hasattr(self, "coefs_")
            and type(X) is np.ndarray
            and X.dtype.char in "fd"
            and X.dtype.isnative
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
        )
