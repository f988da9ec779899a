"""The multi-layer perceptron classifier."""

from numbers import Real
from typing import Self

import numpy as np
from sklearn import neural_network
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import validate_data

from skgd._explain import explained, explained_fit
from skgd._state import unchanged_by_errors
from skgd._validation import as_floats
from skgd.losses import CLASSIFICATION_LOSSES, Loss
from skgd.neural_network._base import BaseMLP, has_partial_fit
from skgd.neural_network._classes import (
    binarizer,
    blamed_on,
    log_probabilities,
    weights_of_samples,
)
from skgd.neural_network._constraints import Choice, ObjectOf, shared
from skgd.neural_network._diagnosis import as_vector
from skgd.neural_network._documentation import documented
from skgd.neural_network._plugins import loss_of

__all__ = ["MLPClassifier"]


@documented
class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron classifier, trained in compiled loops.

    A drop-in for :class:`sklearn.neural_network.MLPClassifier`: it minimizes the log loss
    and takes the same parameters, with the same results for the same ``random_state``.

    Parameters
    ----------
    {parameters}

    loss : {class_loss_names} or Loss, default='log_loss'
        The objective; with several labels, the sum over them. An object is an instance of
        a class in :mod:`skgd.losses`, or of your own subclass.

        {class_losses}

    class_weight : dict, list of dict or 'balanced', default=None
        Weights of the classes, which multiply ``sample_weight``. They also apply to the
        score of ``early_stopping``, but not to that of ``X_val``. 'balanced' means
        ``n_samples / (n_classes * count)``; ``partial_fit`` does not support it. For
        multilabel targets, pass a list with a dict for each label, with the weights of 0
        and 1; these are multiplied over the labels of a sample.

    label_smoothing : float, default=0.0
        The part of the target, in [0, 1), that training spreads evenly over the K classes:
        the target becomes ``(1 - label_smoothing) * y + label_smoothing / K``. For
        multilabel targets, K is 2.

    {last_parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.

    {attributes}

    See Also
    --------
    MLPRegressor : The same network for regression.
    ZScoreScaler : Standardize the features, from which networks learn best.

    References
    ----------
    {references}

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgd import MLPClassifier, ZScoreScaler
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = make_pipeline(
    ...     ZScoreScaler(),
    ...     MLPClassifier(
    ...         solver="rmsprop",
    ...         learning_rate="inverse_time",
    ...         learning_rate_init=0.005,
    ...         decay_steps=100,
    ...         random_state=0,
    ...     ),
    ... )
    >>> print(round(model.fit(X_train, y_train).score(X_test, y_test), 2))
    0.96
    """

    _counterpart = neural_network.MLPClassifier

    _parameter_constraints: dict = {
        **BaseMLP._parameter_constraints,
        "loss": [
            Choice(set(CLASSIFICATION_LOSSES)),
            ObjectOf(Loss, "losses", CLASSIFICATION_LOSSES),
        ],
        "class_weight": [Choice({"balanced"}), dict, list, None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(  # noqa: PLR0913
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        rho=0.9,
        decay_rate=1.0,
        decay_steps=1000,
        staircase=True,
        batch_normalization=False,
        batch_normalization_momentum=0.9,
        batch_normalization_epsilon=1e-5,
        weight_decay=0.0,
        max_grad_norm=None,
        learning_rate_factors=None,
        ema_decay=None,
        dropout=0.0,
        scoring=None,
        layer_normalization=False,
        l1_ratio=0.0,
        init="glorot_uniform",
        loss="log_loss",
        class_weight=None,
        label_smoothing=0.0,
        numeric_embedding=None,
        n_jobs=None,
    ) -> None:
        super().__init__(**shared(locals()))
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    # scikit-learn first sums all numbers, which may overflow.
    @np.errstate(invalid="ignore")
    def _validate_input(self, X, y, incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            order="C",
            reset=reset,
        )
        X = as_floats(X)
        if y.ndim == 2 and y.shape[1] == 1:
            y = as_vector(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = binarizer(y)
            self.classes_ = self._label_binarizer.classes_
            return X, y
        # Plain labels need no check of their kind: invalid ones are not in classes_.
        is_plain = y.ndim == 1 and y.dtype.kind in "biufU"
        classes = np.unique(y) if is_plain else unique_labels(y)
        if not incremental and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes_}, `y` has {classes}"
            )
        new = np.setdiff1d(classes, self.classes_, assume_unique=True)
        if len(new):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes_}. 'y' has {classes}. New in y: {new.tolist()}."
            )
        return X, y

    def _encode(self, y, dtype):
        """Return the targets as the losses read them, and the number of outputs."""
        kind = self._label_binarizer.y_type_
        if kind == "multilabel-indicator":
            if y.ndim == 1:
                raise ValueError(
                    f"y must have a column for each of {len(self.classes_)} labels, got "
                    f"shape {y.shape}."
                )
            codes = self._label_binarizer.transform(y).astype(dtype)
            return codes, codes.shape[1]
        if y.ndim > 1:
            raise ValueError(
                "y must have one class for each row, as in the previous call to fit, got "
                f"multilabel targets of shape {y.shape}."
            )
        codes = np.searchsorted(self.classes_, y).astype(dtype)
        return codes[:, np.newaxis], len(self.classes_) if kind == "multiclass" else 1

    def _targets(self, codes):
        """Return the labels of encoded targets."""
        if self._label_binarizer.y_type_ == "multilabel-indicator":
            return codes.astype(int)
        return self.classes_[codes[:, 0].astype(int)]

    def _decode(self, probabilities):
        kind = self._label_binarizer.y_type_
        if kind == "multiclass":
            return self.classes_[probabilities.argmax(axis=1)]
        if kind == "binary":
            # With a single class, the network has one output, too, which is ignored.
            second = len(self.classes_) - 1
            return self.classes_.take((probabilities[:, 0] > 0.5) * second)
        return self._label_binarizer.inverse_transform(probabilities)

    def _loss_function(self):
        return loss_of(self, self._label_binarizer.y_type_)

    def _weigh(self, y, sample_weight):
        """Multiply the weights of the samples by those of their classes."""
        if self.class_weight is None:
            return sample_weight
        is_multilabel = self._label_binarizer.y_type_ == "multilabel-indicator"
        return weights_of_samples(
            self.class_weight, self.classes_, y, sample_weight, is_multilabel
        )

    def _validation_score(self, probabilities, y, sample_weight):
        if self._label_binarizer.y_type_ == "multiclass":
            predicted, y = probabilities.argmax(axis=1), y[:, 0]
        else:
            predicted = probabilities > 0.5
        # The same as accuracy_score, which would check the labels in every epoch.
        hits = predicted == y
        if hits.ndim > 1:
            hits = hits.all(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.average(hits, weights=sample_weight))

    @available_if(has_partial_fit)
    @explained_fit
    def partial_fit(
        self,
        X,
        y,
        sample_weight=None,
        classes=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ) -> Self:
        """Update the model with a single iteration over the given data.

        A call is one epoch. Parameters may be set between calls, and then apply to the next
        call. But ``hidden_layer_sizes``, ``batch_normalization`` and
        ``layer_normalization`` must not change, and ``early_stopping`` must be False.
        ``max_iter``, ``max_fun``, ``validation_fraction`` and ``warm_start`` only affect
        ``fit``, and ``scoring`` only affects calls with ``X_val``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The class labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples, ones by default.

        classes : array of shape (n_classes,), default=None
            The classes of all calls. Required in the first call, whose ``y`` need not
            contain all of them.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data, the same in each call. Their loss and score after each epoch
            are recorded, and the weights with the best score are kept in ``best_coefs_``
            and ``best_intercepts_``.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            The targets of ``X_val``.

        sample_weight_val : array-like of shape (n_val,), default=None
            The weights of ``X_val``.

        Returns
        -------
        self : object
            The updated model.

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or if the loss is not finite. The
            estimator is then left as it was.
        """
        with unchanged_by_errors(self):
            with blamed_on(classes):
                is_first = _check_partial_fit_first_call(self, classes)
                if is_first:
                    self._label_binarizer = LabelBinarizer().fit(classes)
            if is_first and type_of_target(y).startswith("multilabel"):
                self._label_binarizer = binarizer(y)
            given = X_val, y_val, sample_weight_val
            return self._fit(X, y, sample_weight, given, incremental=True)

    @explained
    def predict(self, X) -> np.ndarray:
        """Predict the class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The predicted classes.
        """
        return self._decode(self._predictions(X))

    @explained
    def predict_proba(self, X) -> np.ndarray:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y_prob : ndarray of shape (n_samples, n_classes)
            The probability of each class, ordered as in ``classes_``.
        """
        probabilities = self._predictions(X)
        if len(self.classes_) == 1:
            return np.ones_like(probabilities)
        if self.n_outputs_ == 1:
            both = np.empty((len(probabilities), 2), probabilities.dtype)
            both[:, 1:] = probabilities
            np.subtract(1, probabilities, out=both[:, :1])
            return both
        return probabilities

    @explained
    def predict_log_proba(self, X) -> np.ndarray:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_y_prob : ndarray of shape (n_samples, n_classes)
            ``log(predict_proba(X))``, ordered as in ``classes_``. They are exact even where
            probabilities round to 0 or 1, unless the loss has a link of your own.
        """
        if hasattr(self, "_link"):
            with np.errstate(divide="ignore"):
                return np.log(self.predict_proba(X))

        def link(z):
            n_classes, is_softmax = len(self.classes_), self.out_activation_ == "softmax"
            return log_probabilities(z, n_classes, is_softmax)

        return self._predictions(X, link=link)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
