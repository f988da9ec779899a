"""The classifier for tables."""

from numbers import Real

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.base import ClassifierMixin
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import unique_labels

from skgd._explain import explained
from skgd.losses import BinaryLogLoss, MultinomialLogLoss
from skgd.neural_network._classes import binarizer, weights_of_samples
from skgd.neural_network._constraints import Choice
from skgd.neural_network._diagnosis import as_vector
from skgd.tabular._base import BaseTabularMLP
from skgd.tabular._documentation import documented
from skgd.tabular._network import DTYPE

__all__ = ["TabularMLPClassifier"]

# Scores that depend on the predicted class, not on its probability.
OF_LABELS = "accuracy", "balanced_accuracy", "f1", "jaccard", "precision", "recall"

# The range in which the logarithm of the temperature is searched.
TEMPERATURES = -3.0, 3.0

# Replaces probabilities that round to zero.
TINY = float(np.finfo(DTYPE).tiny)


@documented
class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """Neural networks for the classification of raw tables.

    It takes numbers, categories and missing values as they are, and its defaults are good
    for most tables. It trains several networks, its members. Each member holds out a part
    of the rows, which chooses its best epoch. The probabilities of the members are
    averaged.

    Parameters
    ----------
    {parameters}

    label_smoothing : float or 'auto', default='auto'
        The part of the target, in [0, 1), that training spreads evenly over the classes.
        'auto' is 0.1 if ``scoring`` is a name that begins with 'accuracy',
        'balanced_accuracy', 'f1', 'jaccard', 'precision' or 'recall', which depend on the
        predicted class only. Otherwise, it is 0.

    {choice}

    class_weight : dict, list of dict or 'balanced', default=None
        Weights of the classes, which multiply ``sample_weight``, as in
        :class:`MLPClassifier`.

    calibrate : bool, default=False
        Whether to divide the logarithms of the probabilities by a temperature. It
        minimizes the log loss on the rows that members have held out, or on ``X_val``.

    {others}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.

    temperature_ : float
        The temperature of ``calibrate``; 1 without it.

    {attributes}

    See Also
    --------
    TabularMLPRegressor : The same for regression.
    MLPClassifier : A network for arrays, with scikit-learn's parameters.

    References
    ----------
    {references}

    Examples
    --------
    >>> import numpy as np
    >>> from skgd import TabularMLPClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = np.array([rng.normal(size=400), rng.integers(4, size=400)]).T
    >>> y = np.where((X[:, 0] > 0) == (X[:, 1] % 2 == 0), "yes", "no")
    >>> X[::10, 0] = np.nan
    >>> model = TabularMLPClassifier(categorical_features=[1], random_state=0)
    >>> print(round(model.fit(X[:300], y[:300]).score(X[300:], y[300:]), 1))
    0.9
    """

    _parameter_constraints: dict = {
        **BaseTabularMLP._parameter_constraints,
        "label_smoothing": [Interval(Real, 0, 1, closed="left"), Choice({"auto"})],
        "class_weight": [Choice({"balanced"}), dict, list, None],
        "calibrate": ["boolean"],
    }

    def __init__(  # noqa: PLR0913
        self,
        *,
        hidden_layer_sizes=(256, 256, 256),
        activation="silu",
        numeric_embedding="piecewise_linear",
        categorical_features="from_dtype",
        max_one_hot=8,
        n_members=5,
        refit=False,
        max_iter=40,
        max_time=None,
        batch_size=128,
        solver="adam",
        learning_rate="coslog",
        learning_rate_init=0.002,
        dropout=0.15,
        weight_decay=0.1,
        label_smoothing="auto",
        validation_fraction=0.2,
        scoring=None,
        class_weight=None,
        calibrate=False,
        n_iter_no_change=np.inf,
        verbose=False,
        random_state=None,
        n_jobs=None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.numeric_embedding = numeric_embedding
        self.categorical_features = categorical_features
        self.max_one_hot = max_one_hot
        self.n_members = n_members
        self.refit = refit
        self.max_iter = max_iter
        self.max_time = max_time
        self.batch_size = batch_size
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.n_iter_no_change = n_iter_no_change
        self.verbose = verbose
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _validate_targets(self, y, reset):
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = as_vector(y)
        if reset:
            fitted = binarizer(y)
            self.classes_, self._kind = fitted.classes_, fitted.y_type_
            self.temperature_ = 1.0
            return y
        if (y.ndim == 1) == self._is_multilabel:
            expected = "multilabel" if self._is_multilabel else "a single column of classes"
            raise ValueError(
                f"y must be {expected}, as in training, got y of shape {y.shape}."
            )
        new = np.setdiff1d(unique_labels(y), self.classes_)
        if len(new):
            raise ValueError(
                f"y has classes that are not in the training targets: {new.tolist()}. The "
                f"training targets have {self.classes_.tolist()}."
            )
        return y

    def _learn_targets(self, y, sample_weight):
        """Set the number of outputs: at least two, also for a single class."""
        self.n_outputs_ = y.shape[1] if self._is_multilabel else max(2, len(self.classes_))

    def _encode(self, y):
        if self._is_multilabel:
            return y.astype(DTYPE)
        return np.searchsorted(self.classes_, y).astype(DTYPE)[:, np.newaxis]

    def _targets(self, encoded):
        """Return the labels of encoded targets."""
        if self._is_multilabel:
            return encoded.astype(int)
        return self.classes_[encoded[:, 0].astype(int)]

    def _weigh(self, targets, sample_weight):
        if self.class_weight is None:
            return sample_weight
        return weights_of_samples(
            self.class_weight, self.classes_, targets, sample_weight, self._is_multilabel
        )

    @property
    def _is_multilabel(self):
        return self._kind == "multilabel-indicator"

    def _objective(self):
        return BinaryLogLoss() if self._is_multilabel else MultinomialLogLoss()

    def _smoothing(self):
        if self.label_smoothing != "auto":
            return self.label_smoothing
        name = self.scoring if isinstance(self.scoring, str) else ""
        return 0.1 if name.startswith(OF_LABELS) else 0.0

    def _learn_outputs(self, outputs, y, weight):
        if not self.calibrate:
            return

        def log_loss(logarithm):
            tempered = self._tempered(outputs, np.exp(logarithm))
            if self._is_multilabel:
                right = np.where(y > 0, tempered, 1 - tempered)
            else:
                right = np.take_along_axis(tempered, y.astype(int), axis=1)
            losses = -np.log(np.maximum(right, TINY)).sum(axis=1)
            return np.average(losses, weights=weight)

        found = minimize_scalar(log_loss, bounds=TEMPERATURES, method="bounded")
        self.temperature_ = float(np.exp(found.x))

    def _tempered(self, probabilities, temperature):
        """Divide the logarithms, or those of the odds of labels, by the temperature."""
        if temperature == 1:
            return probabilities
        with np.errstate(divide="ignore"):
            powers = np.exp(np.log(probabilities) / temperature)
            if not self._is_multilabel:
                return powers / powers.sum(axis=1, keepdims=True)
            return powers / (powers + np.exp(np.log1p(-probabilities) / temperature))

    def _published(self, outputs):
        """Return the calibrated probabilities of the classes, from outputs."""
        probabilities = self._tempered(outputs, self.temperature_)
        if self._is_multilabel:
            return probabilities
        probabilities = probabilities[:, : len(self.classes_)]
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def _labels(self, probabilities):
        if self._is_multilabel:
            return (probabilities > 0.5).astype(int)
        return self.classes_[probabilities.argmax(axis=1)]

    @explained
    def predict(self, X) -> np.ndarray:
        """Predict the class labels.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The predicted classes.
        """
        return self._labels(self._predictions(X))

    @explained
    def predict_proba(self, X) -> np.ndarray:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y_prob : ndarray of shape (n_samples, n_classes)
            The probability of each class, ordered as in ``classes_``.
        """
        return self._predictions(X)

    @explained
    def predict_log_proba(self, X) -> np.ndarray:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        log_y_prob : ndarray of shape (n_samples, n_classes)
            ``log(predict_proba(X))``.
        """
        with np.errstate(divide="ignore"):
            return np.log(self._predictions(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
