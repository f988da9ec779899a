"""The common base of the two estimators: validate, prepare, train and publish."""

from itertools import islice
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
)

from skgd._explain import Explained, explained_fit
from skgd._state import Versioned, unchanged_by_errors
from skgd.embeddings import PiecewiseLinear
from skgd.neural_network._callbacks import Watched
from skgd.neural_network._constraints import (
    CONSTRAINTS,
    check_compatible,
    check_parameters,
    dropout_rates,
    hidden_layer_sizes,
)
from skgd.neural_network._data import Data, check_embeddable
from skgd.neural_network._diagnosis import check_finite, check_weights
from skgd.neural_network._exchange import Exchange
from skgd.neural_network._full_batch import check_full_batch
from skgd.neural_network._initial import initializer_of
from skgd.neural_network._lbfgs import fit_lbfgs
from skgd.neural_network._network import embedding_stage, layout_of
from skgd.neural_network._orders import seeded
from skgd.neural_network._parameters import Parameters, checksum
from skgd.neural_network._plugins import (
    has_own_link,
    output_range,
    plugins_of,
)
from skgd.neural_network._predicting import Predicting
from skgd.neural_network._prediction import predict
from skgd.neural_network._representable import check_representable
from skgd.neural_network._resume import edges_of, resume
from skgd.neural_network._stochastic import begin, fit_stochastic
from skgd.neural_network._validation import check_given, validated
from skgd.preprocessing._bins import MOST_BINS

__all__ = ["BaseMLP", "has_partial_fit"]


def has_partial_fit(estimator):
    """Return True if the solver trains in mini-batches, or raise an AttributeError."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


class BaseMLP(Watched, Predicting, Exchange, Explained, Versioned):
    """Multi-layer perceptron; see the two estimators for the parameters."""

    _parameter_constraints: dict = CONSTRAINTS
    # Parameters of the classifier only.
    class_weight: Any = None
    label_smoothing: float = 0.0
    # Whether each dense input is multiplied by a weight, which is folded into coefs_.
    _scales_inputs = False
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]

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
        numeric_embedding=None,
        n_jobs=None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.rho = rho
        self.decay_rate = decay_rate
        self.decay_steps = decay_steps
        self.staircase = staircase
        self.batch_normalization = batch_normalization
        self.batch_normalization_momentum = batch_normalization_momentum
        self.batch_normalization_epsilon = batch_normalization_epsilon
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.learning_rate_factors = learning_rate_factors
        self.ema_decay = ema_decay
        self.dropout = dropout
        self.scoring = scoring
        self.numeric_embedding = numeric_embedding
        self.layer_normalization = layer_normalization
        self.l1_ratio = l1_ratio
        self.init = init
        self.n_jobs = n_jobs

    @explained_fit
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ) -> Self:
        """Fit the model to data matrix X and target(s) y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data. float32 is kept, everything else becomes float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values: class labels in classification, real numbers in
            regression.

        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples, ones by default.

        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data. Each epoch records its loss and score on them. With
            ``early_stopping``, they replace the held-out rows; otherwise, they neither
            stop the training nor change its result.

        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            The targets of ``X_val``.

        sample_weight_val : array-like of shape (n_val,), default=None
            The weights of ``X_val``.

        groups : array-like of shape (n_samples,), default=None
            The groups of the samples, if ``validation_fraction`` is a splitter that needs
            them.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or if the loss stops being finite.
            The estimator is then left as it was.
        """
        # Before the block: also after an error, scikit-learn tears down the callbacks.
        task = self._begin_task(X, y, sample_weight)
        with unchanged_by_errors(self):
            given = X_val, y_val, sample_weight_val
            self._fit(X, y, sample_weight, given, groups, incremental=False, task=task)
            if task is not None:
                task.end()
            return self

    def _fit(self, X, y, sample_weight, given, groups=None, *, incremental, task=None):
        prepared = self._prepare(X, y, sample_weight, given, groups, incremental)
        first, random_state, layout, plugins, data, parameters = prepared
        network = self, layout, plugins, data, parameters
        try:
            if self.solver == "lbfgs":
                training = fit_lbfgs(*network)
            else:
                training = begin(*network, random_state, incremental, not first)
                # `begin` adds the bins of a piecewise-linear embedding.
                layout = training.layout
                fit_stochastic(self, training, incremental, task)
            coefs, intercepts = training.best.plain(layout)
            stages = training.best.stages(layout)
            self._check_finite(data.X, coefs, intercepts, stages, plugins, training)
        except ValueError:
            # With assume_finite=True, NaN and infinity in the data are found only here.
            check_finite(self, X=data.X, sample_weight=data.sample_weight)
            raise
        if first:
            self.t_ = 0
        self._publish(training, coefs, intercepts, stages, plugins.loss)
        return self

    def _prepare(self, X, y, sample_weight, given, groups, incremental):
        """Validate parameters and data, and return what a training needs.

        Returns
        -------
        first : bool
            Whether training starts from new weights.

        random_state : RandomState
        layout : Layout
        plugins : Plugins
        data : Data
        parameters : Parameters
        """
        if incremental:
            # scikit-learn does not check the parameters of a fitted estimator again, but
            # set_params may have changed them.
            check_parameters(self)
        hidden = hidden_layer_sizes(self)
        dropout = dropout_rates(self, len(hidden))
        if self.solver == "lbfgs":
            check_full_batch(self)
        check_compatible(self, incremental)
        check_given(self, given, groups)
        plugins = plugins_of(self, len(hidden), incremental)
        init = initializer_of(self)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        if not first:
            check_weights(self)
        X, y = self._validate_input(X, y, incremental, reset=first)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=X.dtype, ensure_non_negative=True
            )
            if not sample_weight.any():
                raise ValueError("sample_weight must have at least one non-zero weight.")
        # Weights set by hand may be of any dtype.
        dtype = X.dtype if first else np.result_type(self.coefs_[0].dtype, np.float32)
        if groups is not None:
            groups = np.asarray(groups)
            check_consistent_length(X, groups)
        y, n_outputs = self._encode(y, dtype)
        validation = validated(self, given, y, dtype)
        sample_weight = self._weigh(y, sample_weight)
        plugins = plugins._replace(loss=self._loss_function())
        if plugins.solver is not None:
            check_representable(self, plugins.solver, dtype)
        units = (X.shape[1], *hidden, n_outputs)
        normalization: Any = "layer" if self.layer_normalization else None
        if self.batch_normalization:
            normalization = (
                self.batch_normalization_momentum,
                self.batch_normalization_epsilon,
            )
        if plugins.embedding is not None:
            check_embeddable(X)
        if isinstance(plugins.embedding, PiecewiseLinear):
            self._check_bins(X.shape[1], dropout)
        layout = layout_of(
            units,
            plugins.activations,
            normalization,
            issparse(X),
            dropout,
            self._scales_inputs and not issparse(X),
            embedding_stage(plugins.embedding, [] if first else edges_of(self)),
        )
        # For this fit only: the next fit of this thread seeds the same generator again.
        random_state = seeded(self.random_state)
        if first:
            # As in scikit-learn, the output's weights have the range of the hidden layers.
            ranges = [*plugins.activations, output_range(self, plugins.activations)]
            parameters = Parameters.initial(
                layout, ranges, random_state, dtype, plugins.embedding, init
            )
        else:
            parameters = resume(self, layout, dtype)
        data = Data(X, y, sample_weight, groups, validation)
        return first, random_state, layout, plugins, data, parameters

    def _check_bins(self, n_features, dropout):
        """Raise if the features cannot have bins."""
        given = f"numeric_embedding={self.numeric_embedding!r}"
        if n_features > MOST_BINS:
            raise ValueError(
                f"{given} is for at most {MOST_BINS} features, got {n_features}. Use "
                "numeric_embedding=None."
            )
        if dropout[0]:
            raise ValueError(
                f"dropout={self.dropout!r} drops inputs, which {given} reads as bins. Set "
                "the first rate of the list to 0.0."
            )

    def _publish(self, training, coefs, intercepts, stages, loss):
        """Set the fitted attributes from a training and its plain network."""
        self._set_network(coefs, intercepts, stages, loss)
        self.__dict__.pop("_normalized", None)
        is_plain = sum(a.size for a in [*coefs, *intercepts]) == training.best.theta.size
        if self.batch_normalization or not is_plain or training.best.average is not None:
            training.best.published = checksum(coefs, intercepts, *stages.values())
            self._normalized = vars(training.best)
        training.publish(self)

    def _weigh(self, y, sample_weight):
        """Return the weights of the samples, from encoded targets and given weights."""
        return sample_weight

    def _check_finite(self, X, coefs, intercepts, stages, plugins, training):
        """Raise if parameters, or predictions of the training rows, have overflowed.

        The last loss was computed before the last update, so it does not show this. Mostly,
        bounds by the sizes of rows and weights rule it out. Otherwise, the rows are
        predicted.
        """
        values = X.data if issparse(X) else X
        with np.errstate(over="ignore", invalid="ignore"):
            size = max(values.max(initial=1), -values.min(initial=-1))
            norms = zip(stages.get("scale", ()), stages.get("bias", ()), strict=True)
            largest = size
            for coef, intercept in zip(coefs, intercepts, strict=True):
                size = size * np.abs(coef).sum(axis=0).max() + np.abs(intercept).max()
                for gamma, beta in islice(norms, 1):
                    # The squares of the units are summed.
                    largest = max(largest, size * size * gamma.size)
                    size = np.abs(gamma).max() * gamma.size**0.5 + np.abs(beta).max()
            for a in stages.get("activation", ()):
                # A parametric activation grows at most by this factor.
                size = size * (1 if a is None else (np.abs(a) + np.abs(1 - a)).max())
        limit = np.finfo(coefs[0].dtype).max
        if plugins.loss.out_activation == "exp":
            limit = np.log(limit)
        # Bins, cosines and links of the user's own have no such bound.
        is_simple = plugins.embedding is None and not has_own_link(plugins.loss)
        if max(size, largest) < limit and is_simple:
            return
        _, _, is_finite = predict(
            X,
            coefs,
            intercepts,
            plugins.activations,
            plugins.loss,
            self.n_jobs,
            self.verbose,
            stages,
        )
        for array in (*coefs, *intercepts):
            is_finite = is_finite and np.isfinite(array).all()
        if not is_finite:
            raise ValueError(
                "Parameters, or predictions of the training data, are not finite "
                f"after epoch {training.n_iter} with {self._remedy()}"
            )

    def _remedy(self):
        """Return the end of an error message: the settings that failed, and a remedy."""
        scale = "scale the data, e.g. by ZScoreScaler."
        if self.solver == "lbfgs":
            return f"solver='lbfgs'. You may {scale}"
        return (
            f"solver={self.solver!r} and learning_rate_init={self.learning_rate_init}. "
            f"Lower learning_rate_init, or {scale}"
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = getattr(self, "numeric_embedding", None) is None
        return tags
