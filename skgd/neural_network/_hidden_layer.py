"""The transformer that returns the outputs of a hidden layer as features."""

from numbers import Integral
from typing import Any, Self

from sklearn import get_config
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skgd._explain import Explained, explained
from skgd._state import Versioned, unchanged_by_errors
from skgd.neural_network._constraints import hidden_layer_sizes
from skgd.neural_network._predicting import layer_index, validate_rows

__all__ = ["HiddenLayerTransformer"]


class HiddenLayerTransformer(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    Explained,
    Versioned,
):
    """Features that a network has learned: the outputs of one of its hidden layers.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The network. A clone of it is fitted. To use a network that is already fitted, pass
        ``sklearn.frozen.FrozenEstimator(network)``.

    layer : int, default=-1
        Index of the hidden layer, negative from the last one, as in a list.

    Attributes
    ----------
    estimator_ : MLPClassifier or MLPRegressor
        The fitted network.

    n_features_in_ : int
        The number of features.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The names of the features, if they are strings.

    See Also
    --------
    MLPClassifier.hidden_features : The same for a fitted network.

    Examples
    --------
    Nearest neighbors on the features that a network has learned:

    >>> from sklearn.datasets import load_wine
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgd import MLPClassifier, ZScoreScaler
    >>> from skgd.neural_network import HiddenLayerTransformer
    >>> X, y = load_wine(return_X_y=True)
    >>> network = MLPClassifier((20, 5), learning_rate_init=0.01, random_state=0)
    >>> model = make_pipeline(
    ...     ZScoreScaler(), HiddenLayerTransformer(network), KNeighborsClassifier()
    ... )
    >>> print(round(model.fit(X, y).score(X, y), 2))
    1.0
    >>> model[:-1].transform(X).shape
    (178, 5)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "hidden_features"])],
        "layer": [Integral],
    }
    estimator_: Any

    def __init__(self, estimator, layer=-1) -> None:
        self.estimator = estimator
        self.layer = layer

    @explained
    def fit(self, X, y=None, **fit_params) -> Self:
        """Fit a clone of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The target, as the network needs it.

        **fit_params : dict
            Arguments for ``fit`` of the network, such as ``sample_weight``. With
            scikit-learn's metadata routing, those that the network requests.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If data or parameters are not valid. The transformer is then left as it was.
        """
        with unchanged_by_errors(self):
            self._validate_params()
            layer_index(self.layer, len(hidden_layer_sizes(self.estimator)))
            if get_config()["enable_metadata_routing"]:
                fit_params = process_routing(self, "fit", **fit_params).estimator.fit
            self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
            self.n_features_in_ = self.estimator_.n_features_in_
            self.__dict__.pop("feature_names_in_", None)
            if hasattr(self.estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.estimator_.feature_names_in_
            return self

    @explained
    def transform(self, X):
        """Compute the outputs of the hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            A column for each unit of the layer, in the dtype of the network.
        """
        X = validate_rows(self, X)
        return self.estimator_._features_of(X, self.layer)

    @property
    def _n_features_out(self):
        coefs = self.estimator_.coefs_
        return coefs[layer_index(self.layer, len(coefs) - 1)].shape[1]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the routing of metadata to the network.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        # Pipelines of scikit-learn before 1.7 need this.
        mapping.add(caller="fit_transform", callee="fit")
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self.estimator).input_tags.sparse
        tags.target_tags = get_tags(self.estimator).target_tags
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
