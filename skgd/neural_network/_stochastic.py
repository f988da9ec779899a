"""The epoch loop: when to stop, what to report, which weights to keep.

It follows scikit-learn's to the letter where that decides the result: the patience count,
the loss curve, the order of the random draws.
"""

from math import log2

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

from skgd._caller import interrupts_caller, warn
from skgd.compile.announce import announced
from skgd.neural_network._data import as_rows
from skgd.neural_network._diagnosis import target_advice
from skgd.neural_network._plugins import schedule_of, solver_of
from skgd.neural_network._trainer import (
    WORTH_SHARING,
    Batches,
    Plugins,
    Progress,
    Trainer,
    batch_bounds,
)
from skgd.neural_network._validation_split import split as _split
from skgd.parallel.threads import available_threads
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
    dtype = parameters.theta.dtype
    if layout.n_running and sample_weight is not None:
        # They would be rows of a mini-batch without a part in its moments.
        weighted = sample_weight.astype(dtype, copy=False) != 0
        if not weighted.all():
            X, y, sample_weight = _take(np.flatnonzero(weighted), X, y, sample_weight)
    validation = None
    if estimator.early_stopping:
        train, held_out = _split(estimator, y, random_state)
        validation = _take(held_out, X, y, sample_weight)
        X, y, sample_weight = _take(train, X, y, sample_weight)
        if sample_weight is not None and not validation[-1].any():
            raise ValueError(
                "All of sample_weight in the validation set is zero. Increase "
                f"validation_fraction={estimator.validation_fraction} or pass more rows "
                "of positive weight."
            )
    _check_enough(estimator, y, sample_weight)
    if layout.n_running:
        X = _centred(X, sample_weight, layout, parameters)
    objects = Plugins(
        estimator._loss_function(),
        solver_of(estimator),
        schedule_of(estimator, incremental),
    )
    progress = _progress(estimator, objects, layout, dtype, incremental)
    with announced(f"the training in {dtype}", estimator.verbose):
        trainer = Trainer(
            as_rows(X, dtype, y, sample_weight),
            layout,
            parameters,
            progress,
            objects,
            _batches(estimator, layout, len(y), incremental),
            random_state if estimator.shuffle else None,
            available_threads(estimator.n_jobs),
        )
        trainer.compile()
    run = _Run(estimator, trainer, layout, parameters, progress, validation)
    try:
        run.epochs(1 if incremental else estimator.max_iter, len(y))
    except KeyboardInterrupt:
        if interrupts_caller():
            raise
        run.settle(len(y))
        warn("Training interrupted by user.")
    else:
        if not incremental:
            run.warn_of_trouble(y)
    if not all(np.isfinite(a).all() for a in (run.best.theta, run.best.running)):
        raise ValueError(
            f"Solver produced non-finite parameter weights in epoch {estimator.n_iter_} "
            f"with {estimator._remedy()}"
        )
    if run.failure:
        # The solver's state has diverged.
        vars(estimator).pop("_progress", None)
    else:
        estimator._progress = progress
    estimator._publish(layout, run.best)


def _take(rows, X, y, sample_weight):
    return X[rows], y[rows], None if sample_weight is None else sample_weight[rows]


def _check_enough(estimator, y, sample_weight):
    if sample_weight is not None and not sample_weight.any():
        raise ValueError(
            "All of sample_weight outside the validation set is zero. Decrease "
            f"validation_fraction={estimator.validation_fraction} or pass more rows of "
            "positive weight."
        )
    if estimator.batch_normalization and len(y) < 2:
        raise ValueError(
            "batch_normalization=True needs at least 2 samples of non-zero weight to "
            f"train on, got n_samples={len(y)}."
        )


# fit looks for what is not finite.
@np.errstate(over="ignore", invalid="ignore")
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


def _progress(estimator, objects, layout, dtype, incremental):
    """Start the solver's state, or copy that which ``partial_fit`` goes on with."""
    kept = getattr(estimator, "_progress", None)
    initial = float(estimator.learning_rate_init)
    solver = objects.solver
    if (
        incremental
        and kept is not None
        and _is_alike(kept.solver, estimator.solver)
        # Weights set by hand may be of another size.
        and kept.state.shape == (solver.n_slots, layout.n_params)
    ):
        lowers = objects.schedule.after_plateau is not None
        return kept.copy(dtype, kept.rate_from(initial) if lowers else initial, initial)
    state = np.zeros((solver.n_slots, layout.n_params), dtype=dtype)
    return Progress(estimator.solver, state, rate=initial, initial=initial)


def _is_alike(one, other):
    """Whether two solvers keep the same of each parameter."""
    one, other = (SOLVERS.get(s) if isinstance(s, str) else type(s) for s in (one, other))
    return one is other


def _batches(estimator, layout, n_samples, incremental):
    batch_size = estimator.batch_size
    if batch_size == "auto":
        batch_size = min(200, n_samples)
    elif batch_size > n_samples:
        warn(
            f"Got `batch_size`={batch_size} larger than the sample size {n_samples}. It "
            "is going to be clipped"
        )
        batch_size = n_samples
    bounds = batch_bounds(n_samples, int(batch_size), estimator.batch_normalization)
    rows = int(np.diff(bounds).max())
    chunk = _chunk(layout, rows)
    by_rows = chunk < rows and _by_rows(layout, chunk)
    n_updates = None if incremental else estimator.max_iter * (len(bounds) - 1)
    return Batches(bounds, chunk, by_rows, float(estimator.alpha), n_updates)


def _chunk(layout, rows):
    """Return the rows of a chunk: less than the mini-batch if it is worth sharing.

    It must not depend on the machine, since it may change the last digits.
    """
    if rows * layout.n_params < WORTH_SHARING:
        return rows
    # A power of two, for as many threads to have as many chunks each.
    n_chunks = 2 ** max(1, round(log2(rows / CHUNK)))
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
        # What has not been finite, after epochs that were.
        self.failure = ""
        self.best = parameters if validation is None else parameters.copy()
        estimator.n_iter_ = 0
        if validation is None:
            # None if early_stopping was on in the fit before a warm start.
            if estimator.best_loss_ is None:
                estimator.best_loss_ = np.inf
        else:
            if estimator.validation_scores_ is None:
                estimator.validation_scores_ = []
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

    def warn_of_trouble(self, y):
        """Warn if a whole fit diverged, did not converge, or kept its first rate."""
        estimator, progress = self.estimator, self.progress
        if self.failure:
            warn(
                f"{self.failure} Training has stopped, with the weights of the best "
                f"validation score.{target_advice(estimator, y)}",
                ConvergenceWarning,
            )
            return
        if not self.stopped:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) "
                "reached and the optimization hasn't converged yet."
                f"{target_advice(estimator, y)}",
                ConvergenceWarning,
            )
        schedule = self.trainer.schedule
        names = schedule.argument_names()
        if names and schedule.after_plateau is None and self.trainer.has_constant_rate:
            settings = ", ".join(f"{name}={getattr(schedule, name)}" for name in names)
            warn(
                f"learning_rate={estimator.learning_rate!r} has no effect: with "
                f"{settings}, all updates of this fit have the same learning rate "
                f"(updates: {progress.n_updates}, epochs: {estimator.n_iter_}). Change "
                "these parameters, or use learning_rate='constant'."
            )

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
        self._check("training loss", loss)
        if not self.failure:
            estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        improved = self._improved() if self.validation is None else self._validated()
        if self.failure:
            self.stopped = True
            return
        if improved:
            estimator._no_improvement_count = 0
        else:
            estimator._no_improvement_count += 1
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._after_plateau()

    def _check(self, what, value):
        """Take note of a number that is not finite; raise if none was before."""
        if np.isfinite(value):
            return
        estimator = self.estimator
        self.failure = (
            f"The {what} is {value} in epoch {estimator.n_iter_} with {estimator._remedy()}"
        )
        # Without a validation score of this fit, there are no better weights.
        if self.validation is None or self._curves()[1] == self.before[0][1]:
            raise ValueError(self.failure)

    def _improved(self):
        estimator = self.estimator
        improved = estimator.loss_ <= estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        return improved

    def _validated(self):
        """Score the held-out rows and keep the best weights."""
        estimator = self.estimator
        score = np.nan
        if not self.failure:
            estimator._publish(self.layout, self.parameters)
            score = estimator._validation_score(*self.validation)
            if np.isinf(score):
                score = np.nan
            self._check("validation score", score)
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
        lower = self.trainer.schedule.after_plateau
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
