"""The epoch loop: when to stop, what to report, which weights to keep.

It follows scikit-learn's to the letter where that decides the result: the patience count,
the loss curve, the order of the random draws.
"""

import warnings
from math import log2

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skgd._threads import available_threads
from skgd.engine.announce import announced
from skgd.engine.records import Settings
from skgd.neural_network._data import as_samples
from skgd.neural_network._rules import hyperparameters, training_rules
from skgd.neural_network._trainer import (
    WORTH_SHARING,
    Progress,
    Trainer,
    most_rows,
)
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = ["fit_stochastic"]

# Rows whose gradients and losses are summed before those of others.
CHUNK = 128


def fit_stochastic(
    estimator, X, y, sample_weight, layout, parameters, random_state, incremental
):
    """Fit ``estimator`` from ``parameters`` on.

    Parameters
    ----------
    estimator : BaseMLP
        Gets its fitted attributes.

    X, y, sample_weight : array-like
        Validated and encoded data.

    layout : Layout
        The network's.

    parameters : Parameters
        Updated in place.

    random_state : RandomState
        Draws the validation set and the order of the rows.

    incremental : bool
        Whether this is the one epoch of ``partial_fit``.

    Raises
    ------
    ValueError
        If the data are too few, or the loss is not finite.
    """
    validation = None
    if estimator.early_stopping:
        train, held_out = _split(estimator, y, random_state)
        validation = _take(held_out, X, y, sample_weight)
        X, y, sample_weight = _take(train, X, y, sample_weight)
        if sample_weight is not None and not validation[-1].any():
            raise ValueError("All of sample_weight in the validation set is zero.")
    _check_enough(estimator, y, sample_weight)
    dtype = parameters.theta.dtype
    if layout.n_normal:
        X = _centred(X, sample_weight, layout, parameters)
    progress = _progress(estimator, layout, dtype, incremental)
    with announced(f"the training in {dtype}", estimator.verbose):
        trainer = Trainer(
            as_samples(X, dtype, y, sample_weight),
            layout,
            parameters,
            progress,
            training_rules(
                estimator.activation,
                estimator._loss_function(),
                estimator.solver,
                estimator.learning_rate,
                dtype,
            ),
            _settings(estimator, layout, len(y)),
            random_state if estimator.shuffle else None,
            available_threads(estimator.n_jobs),
        )
        trainer.compile()
    run = _Run(estimator, trainer, layout, parameters, progress, validation)
    try:
        run.epochs(1 if incremental else estimator.max_iter, len(y))
        if not (incremental or run.stopped):
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) "
                "reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )
    except KeyboardInterrupt:
        run.settle(len(y))
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=5)
    if not all(np.isfinite(a).all() for a in (run.best.theta, run.best.running)):
        raise ValueError(
            f"Solver produced non-finite parameter weights in epoch {estimator.n_iter_} "
            f"with {estimator._remedy()}"
        )
    estimator._progress = progress
    estimator._publish(layout, run.best)


def _split(estimator, y, random_state):
    """Draw the rows to train on and those to validate with."""
    # One output is one class or the other, but in regression: multilabel and, as in
    # scikit-learn, multiclass targets are not stratified.
    stratify = y[:, 0] if estimator.out_activation_ == "logistic" else None
    if y.shape[1] > 1:
        stratify = None
    train, held_out = train_test_split(
        np.arange(len(y)),
        random_state=random_state,
        test_size=estimator.validation_fraction,
        stratify=stratify,
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size "
            "of your dataset."
        )
    return train, held_out


def _take(rows, X, y, sample_weight):
    return X[rows], y[rows], None if sample_weight is None else sample_weight[rows]


def _check_enough(estimator, y, sample_weight):
    if sample_weight is not None and not sample_weight.any():
        raise ValueError("All of sample_weight outside the validation set is zero.")
    if estimator.batch_normalization and len(y) < 2:
        raise ValueError(
            "batch_normalization=True needs at least 2 samples to train on, got "
            f"n_samples={len(y)}."
        )


def _centred(X, sample_weight, layout, parameters):
    """Subtract the mean of each feature; sparse rows stay sparse, and as they are."""
    if issparse(X):
        parameters.recentre(layout, np.zeros_like(parameters.centre))
        return X
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    # In float64, and without a copy.
    mean = np.einsum("i,ij->j", weight, X, dtype=np.float64) / weight.sum(dtype=np.float64)
    parameters.recentre(layout, mean.astype(parameters.theta.dtype))
    return X - parameters.centre


def _progress(estimator, layout, dtype, incremental):
    """Start the solver's state, or copy that which ``partial_fit`` goes on with."""
    kept = getattr(estimator, "_progress", None)
    if incremental and kept is not None and kept.solver == estimator.solver:
        return kept.copy()
    n_slots = SOLVERS[estimator.solver].n_slots
    return Progress(
        solver=estimator.solver,
        state=np.zeros((n_slots, layout.n_params), dtype=dtype),
        rate=float(estimator.learning_rate_init),
    )


def _settings(estimator, layout, n_samples):
    batch_size = estimator.batch_size
    if batch_size == "auto":
        batch_size = min(200, n_samples)
    elif batch_size > n_samples:
        warnings.warn(
            f"Got `batch_size`={batch_size} larger than the sample size {n_samples}. It "
            "is going to be clipped",
            UserWarning,
            stacklevel=6,
        )
        batch_size = n_samples
    chunk = _chunk(layout, int(batch_size))
    return Settings(
        batch_size=int(batch_size),
        chunk=chunk,
        by_rows=chunk < batch_size and _by_rows(layout, chunk),
        alpha=float(estimator.alpha),
        norm_momentum=float(estimator.batch_normalization_momentum),
        norm_epsilon=float(estimator.batch_normalization_epsilon),
        solver=hyperparameters(estimator, SOLVERS[estimator.solver]),
        schedule=hyperparameters(estimator, SCHEDULES[estimator.learning_rate]),
    )


def _chunk(layout, batch_size):
    """Return the rows of a chunk: less than the mini-batch if it is worth sharing.

    It must not depend on the machine, since it may change the last digits.
    """
    rows = most_rows(layout, batch_size)
    if batch_size * layout.n_params < WORTH_SHARING:
        return rows
    # A power of two, for as many threads to have as many chunks each.
    n_chunks = 2 ** max(1, round(log2(batch_size / CHUNK)))
    return -(-rows // n_chunks)


def _by_rows(layout, chunk):
    """Whether half of the parameters are fewer than a chunk's activations and errors.

    Two threads then exchange gradients; see :mod:`skgd.engine.train`.
    """
    return layout.n_params / 2 < 2 * chunk * layout.n_activated


class _Run:
    """One fit's epochs, and what is decided between them."""

    def __init__(self, estimator, trainer, layout, parameters, progress, validation):
        self.estimator = estimator
        self.trainer = trainer
        self.layout = layout
        self.parameters = parameters
        self.progress = progress
        self.validation = validation
        self.stopped = False
        self.best = parameters if validation is None else parameters.copy()
        # Lists of this fit: if it fails, the estimator gets the old ones back.
        estimator.n_iter_ = 0
        estimator.loss_curve_ = list(estimator.loss_curve_)
        if validation is None:
            # None if early_stopping was on in the fit before a warm start.
            if estimator.best_loss_ is None:
                estimator.best_loss_ = np.inf
        else:
            estimator.validation_scores_ = list(estimator.validation_scores_ or [])
            if estimator.best_validation_score_ is None:
                estimator.best_validation_score_ = -np.inf
        self.before = self._curves(), estimator.t_

    def epochs(self, max_iter, n_samples):
        """Train until the patience is used up, for at most ``max_iter`` epochs."""
        estimator = self.estimator
        while estimator.n_iter_ < max_iter and not self.stopped:
            n_epochs = min(max_iter - estimator.n_iter_, self._safe_epochs())
            n_seen = estimator.t_ + n_samples * np.arange(n_epochs)
            n_seen[0] = self.progress.n_seen
            for loss in self.trainer.run(n_seen):
                estimator.t_ += n_samples
                self.progress.n_seen = estimator.t_
                self._after_epoch(loss)

    def settle(self, n_samples):
        """Make all attributes tell of as many epochs: Ctrl-C may come between two."""
        estimator, (before, n_seen) = self.estimator, self.before
        epochs = min(now - then for now, then in zip(self._curves(), before, strict=True))
        del estimator.loss_curve_[before[0] + epochs :]
        estimator.n_iter_ = epochs
        self.progress.n_seen = estimator.t_ = n_seen + n_samples * epochs

    def _curves(self):
        """Return the lengths of what grows with each epoch."""
        curves = [self.estimator.loss_curve_]
        if self.validation is not None:
            curves.append(self.estimator.validation_scores_)
        return [len(curve) for curve in curves]

    def _safe_epochs(self):
        """Return how many epochs to run at once: none after which training may stop.

        The count of epochs without improvement grows by at most one an epoch.
        """
        if self.validation is not None:
            return 1
        estimator = self.estimator
        patience = estimator.n_iter_no_change + 1 - estimator._no_improvement_count
        return int(max(1, min(self.trainer.epochs_per_call, patience)))

    def _after_epoch(self, loss):
        estimator = self.estimator
        estimator.n_iter_ += 1
        if not np.isfinite(loss):
            raise ValueError(
                f"The training loss is {loss} in epoch {estimator.n_iter_} with "
                f"{estimator._remedy()}"
            )
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        improved = self._improved() if self.validation is None else self._validated()
        if improved:
            estimator._no_improvement_count = 0
        else:
            estimator._no_improvement_count += 1
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._after_plateau()

    def _improved(self):
        estimator = self.estimator
        improved = estimator.loss_ <= estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        return improved

    def _validated(self):
        """Score the held-out rows and keep the best weights."""
        estimator = self.estimator
        estimator._publish(self.layout, self.parameters)
        score = estimator._validation_score(*self.validation)
        if not np.isfinite(score):
            raise ValueError(
                f"The validation score is {score} in epoch {estimator.n_iter_} with "
                f"{estimator._remedy()}"
            )
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        improved = score >= estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self.best = self.parameters.copy()
        return improved

    def _after_plateau(self):
        estimator, progress = self.estimator, self.progress
        what = "Training loss" if self.validation is None else "Validation score"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        lower = SCHEDULES[estimator.learning_rate].after_plateau
        rate = lower(progress.rate) if lower is not None else None
        if rate is None:
            self.stopped = True
            if lower is not None:
                message += " Learning rate too small."
            message += " Stopping."
        else:
            progress.rate = rate
            estimator._no_improvement_count = 0
            message += f" Setting learning rate to {rate:f}"
        if estimator.verbose:
            print(message)
