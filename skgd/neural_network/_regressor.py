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
from skgd.neural_network._constraints import Choice, ObjectOf
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
        The objective; with several outputs it is their sum. 'poisson' needs ``y >= 0``. An
        object is of a class of :mod:`skgd.losses`, or of your own.

        {losses}

    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPClassifier : The same network for classification.
    ZScoreScaler : Networks learn best from standardized features.

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
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.2
    True
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
        n_jobs=None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            rho=rho,
            decay_rate=decay_rate,
            decay_steps=decay_steps,
            staircase=staircase,
            batch_normalization=batch_normalization,
            batch_normalization_momentum=batch_normalization_momentum,
            batch_normalization_epsilon=batch_normalization_epsilon,
            weight_decay=weight_decay,
            max_grad_norm=max_grad_norm,
            learning_rate_factors=learning_rate_factors,
            ema_decay=ema_decay,
            dropout=dropout,
            n_jobs=n_jobs,
        )
        self.loss = loss

    # scikit-learn adds up large numbers, to begin with.
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
            # None in an array of objects.
            raise ValueError("Input y contains NaN.")
        if not np.isfinite(targets).all():
            check_finite(self, y=y)
            raise ValueError(f"y is too large for {dtype.name}, the dtype of X.")
        self._loss_function().check_targets(targets)
        return targets, targets.shape[1]

    def _loss_function(self):
        return loss_of(self)

    def _validation_score(self, predicted, y, sample_weight):
        with np.errstate(over="ignore", invalid="ignore"):
            return r2_score(y, predicted, sample_weight=sample_weight)

    @available_if(has_partial_fit)
    @explained_fit
    def partial_fit(self, X, y, sample_weight=None) -> Self:
        """Update the model with a single iteration over the given data.

        A call is one epoch. Parameters may be set between calls, and act on the next one.
        But ``hidden_layer_sizes``, ``batch_normalization`` and ``loss`` cannot change, and
        ``early_stopping`` cannot be True. ``max_iter``, ``max_fun``,
        ``validation_fraction`` and ``warm_start`` have an effect on ``fit`` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples, ones by default.

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
            return self._fit(X, y, sample_weight, incremental=True)

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
            The predicted values.
        """
        predicted = self._predictions(X)
        return predicted.ravel() if predicted.shape[1] == 1 else predicted

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
