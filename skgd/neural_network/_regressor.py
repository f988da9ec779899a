"""The multi-layer perceptron regressor."""

from typing import Self

import numpy as np
from sklearn import neural_network
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from skgd._explain import explained, explained_fit
from skgd._state import unchanged_by_errors
from skgd._validation import as_floats
from skgd.losses import REGRESSION_LOSSES, Loss
from skgd.neural_network._base import BaseMLP, has_partial_fit
from skgd.neural_network._constraints import Choice, ObjectOf, shared
from skgd.neural_network._diagnosis import as_vector, check_finite
from skgd.neural_network._documentation import documented
from skgd.neural_network._plugins import loss_of

__all__ = ["MLPRegressor"]


@documented
class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron regressor, trained in compiled loops.

    A drop-in for :class:`sklearn.neural_network.MLPRegressor`: it takes the same
    parameters, with the same results for the same ``random_state``.

    Parameters
    ----------
    loss : {loss_names} or Loss, default='squared_error'
        The objective; with several outputs, the sum over them. 'poisson' and 'tweedie' need
        ``y >= 0``, 'gamma' needs ``y > 0``, and 'quantile' needs a single target. An object
        is an instance of a class in :mod:`skgd.losses`, or of your own subclass.

        {losses}

    {parameters}

    {last_parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPClassifier : The same network for classification.
    ZScoreScaler : Standardize the features, from which networks learn best.

    References
    ----------
    {references}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgd import MLPRegressor, ZScoreScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = make_pipeline(
    ...     ZScoreScaler(),
    ...     MLPRegressor(solver="momentum", early_stopping=True, random_state=0),
    ... )
    >>> print(round(model.fit(X_train, y_train).score(X_test, y_test), 2))
    0.35
    """

    _counterpart = neural_network.MLPRegressor

    _parameter_constraints: dict = {
        **BaseMLP._parameter_constraints,
        "loss": [
            Choice(set(REGRESSION_LOSSES)),
            ObjectOf(Loss, "losses", REGRESSION_LOSSES),
        ],
    }

    def __init__(  # noqa: PLR0913
        self,
        loss="squared_error",
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
        numeric_embedding=None,
        n_jobs=None,
    ) -> None:
        super().__init__(**shared(locals()))
        self.loss = loss

    # scikit-learn first sums all numbers, which may overflow.
    @np.errstate(invalid="ignore")
    def _validate_input(self, X, y, incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            order="C",
            reset=reset,
        )
        X = as_floats(X)
        if y.ndim == 2 and y.shape[1] == 1:
            y = as_vector(y)
        return X, y

    def _encode(self, y, dtype):
        """Return the targets as the losses read them, and the number of outputs."""
        with np.errstate(over="ignore"):
            targets = y.reshape(len(y), -1).astype(dtype)
        if np.isnan(targets).any():
            # None in an array of objects has become NaN.
            raise ValueError("Input y contains NaN.")
        if not np.isfinite(targets).all():
            check_finite(self, y=y)
            raise ValueError(
                f"y is too large for {dtype.name}, the dtype of the network. Scale "
                "it, e.g. by TransformedTargetRegressor."
            )
        loss = self._loss_function()
        loss.check_targets(targets)
        return targets, targets.shape[1] * loss.outputs_per_target

    def _targets(self, codes):
        """Return encoded targets in the shape of y."""
        return codes.ravel() if codes.shape[1] == 1 else codes

    def _loss_function(self):
        return loss_of(self)

    def _validation_score(self, predicted, y, sample_weight):
        score = self._loss_function().score or r2_score
        with np.errstate(over="ignore", invalid="ignore"):
            return score(y, predicted, sample_weight=sample_weight)

    @available_if(has_partial_fit)
    @explained_fit
    def partial_fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ) -> Self:
        """Update the model with a single iteration over the given data.

        A call is one epoch. Parameters may be set between calls, and then apply to the next
        call. But ``hidden_layer_sizes``, ``batch_normalization``, ``layer_normalization``
        and ``loss`` must not change, and ``early_stopping`` must be False. ``max_iter``,
        ``max_fun``, ``validation_fraction`` and ``warm_start`` only affect ``fit``, and
        ``scoring`` only affects calls with ``X_val``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples, ones by default.

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
            given = X_val, y_val, sample_weight_val
            return self._fit(X, y, sample_weight, given, incremental=True)

    @explained
    def predict(self, X) -> np.ndarray:
        """Predict the target values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted values. With ``loss=Quantile([...])``, a column for each quantile.
        """
        predicted = self._predictions(X)
        is_list = self.out_activation_ == "quantiles"
        return predicted if predicted.shape[1] > 1 or is_list else predicted.ravel()

    def score(self, X, y, sample_weight=None) -> float:
        """Return R², or with a loss of quantiles the mean of their D².

        D² is 1 minus the ratio of the model's pinball loss to that of the best constant.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true values.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

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
