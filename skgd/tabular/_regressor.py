"""The regressor for tables."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from skgd._explain import explained
from skgd.losses import LOSSES, REGRESSION_LOSSES, Huber, Loss
from skgd.neural_network._constraints import Choice, ObjectOf
from skgd.neural_network._diagnosis import as_vector
from skgd.neural_network._plugins import loss_of
from skgd.tabular._base import BaseTabularMLP
from skgd.tabular._documentation import documented
from skgd.tabular._network import DTYPE

__all__ = ["TabularMLPRegressor"]

# Up to rounding, a lower delta makes Huber's loss the absolute error, a higher one the
# squared error.
DELTAS = 1e-3, 1e3


@documented
class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """Neural networks for regression on raw tables.

    It takes numbers, categories and missing values as they are, and its defaults are good
    for most tables. It trains several networks, its members. Each member holds out a part
    of the rows, which chooses its best epoch. The predictions of the members are averaged.

    Parameters
    ----------
    loss : {loss_names} or Loss, default='squared_error'
        The objective, as in :class:`MLPRegressor`. For skgd's own losses, the targets are
        standardized, or divided by their mean if they must be positive; a loss of your own
        reads them as they are. The ``delta`` of Huber's loss is in the unit of the target.
        It is divided by the standard deviation of the target, or by the mean of those of
        several targets.

    {parameters}

    {choice}

    {others}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    TabularMLPClassifier : The same for classification.
    MLPRegressor : A network for arrays, with scikit-learn's parameters.

    References
    ----------
    {references}

    Examples
    --------
    >>> import numpy as np
    >>> from skgd import TabularMLPRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = np.array([rng.normal(size=400), rng.integers(4, size=400)]).T
    >>> y = np.abs(X[:, 0]) + (X[:, 1] == 2)
    >>> X[::10, 0] = np.nan
    >>> model = TabularMLPRegressor(categorical_features=[1], random_state=0)
    >>> print(round(model.fit(X[:300], y[:300]).score(X[300:], y[300:]), 1))
    0.9
    """

    _parameter_constraints: dict = {
        **BaseTabularMLP._parameter_constraints,
        "loss": [
            Choice(set(REGRESSION_LOSSES)),
            ObjectOf(Loss, "losses", REGRESSION_LOSSES),
        ],
    }

    def __init__(  # noqa: PLR0913
        self,
        *,
        loss="squared_error",
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
        validation_fraction=0.2,
        scoring=None,
        n_iter_no_change=np.inf,
        verbose=False,
        random_state=None,
        n_jobs=None,
    ) -> None:
        self.loss = loss
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
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.n_iter_no_change = n_iter_no_change
        self.verbose = verbose
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _validate_targets(self, y, reset):
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = as_vector(y)
        if not reset and y.reshape(len(y), -1).shape[1] != len(self._center):
            raise ValueError(
                f"y must have {len(self._center)} columns, as in training, got shape "
                f"{y.shape}."
            )
        return y

    def _learn_targets(self, y, sample_weight):
        """Learn location, scale and range of the targets."""
        y = y.reshape(len(y), -1)
        loss = loss_of(self)
        loss.check_targets(y)
        n_targets = y.shape[1]
        self.n_outputs_ = n_targets * loss.outputs_per_target
        self._center, self._scale = np.zeros(n_targets), np.ones(n_targets)
        seen = slice(None) if sample_weight is None else sample_weight > 0
        self._range = y[seen].min(axis=0), y[seen].max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.average(y, axis=0, weights=sample_weight)
            deviation = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=sample_weight))
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            raise ValueError(
                f"y is too large to be standardized: its largest number is {abs(y).max()}. "
                "Divide it by a power of 10."
            )
        if (loss.name, loss.out_activation) not in LOSSES:
            return
        if loss.out_activation == "exp":
            self._scale = np.where(mean > 0, mean, 1.0)
        else:
            self._center, self._scale = mean, np.where(deviation > 0, deviation, 1.0)

    def _encode(self, y):
        y = y.reshape(len(y), -1)
        loss_of(self).check_targets(y)
        return np.ascontiguousarray((y - self._center) / self._scale, DTYPE)

    def _targets(self, encoded):
        """Return encoded targets in their unit and in the shape of y."""
        y = encoded * self._scale + self._center
        return y[:, 0] if y.shape[1] == 1 else y

    def _weigh(self, targets, sample_weight):
        return sample_weight

    def _objective(self):
        loss = loss_of(self)
        if type(loss) is Huber:
            # In units of the standardized targets. Far from 1, float32 would lose it.
            delta = loss.delta / float(self._scale.mean())
            loss = Huber(delta=float(np.clip(delta, *DELTAS)))
        return loss

    def _published(self, outputs):
        """Return predictions in the unit of the targets, within the range of training."""
        lowest, highest = self._range
        values = np.clip(outputs * self._scale + self._center, lowest, highest)
        is_list = self.out_activation_ == "quantiles"
        return values if is_list or values.shape[1] > 1 else values[:, 0]

    @explained
    def predict(self, X) -> np.ndarray:
        """Predict the target values.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted values, within the range of the training targets. With
            ``loss=Quantile([...])``, a column for each quantile.
        """
        return self._predictions(X)

    def score(self, X, y, sample_weight=None) -> float:
        """Return R², or with a loss of quantiles the mean of their D².

        D² is 1 minus the ratio of the model's pinball loss to that of the best constant.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true values.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            At most 1.
        """
        loss = getattr(self, "_link", None)
        if loss is None or loss.score is None:
            return super().score(X, y, sample_weight)
        return loss.score(y, self.predict(X), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
