"""A training that can be continued: its state, and the decisions after each epoch.

The decisions are scikit-learn's: the count of epochs without improvement, the loss curve,
the weights that early stopping keeps.
"""

from copy import deepcopy
from datetime import timedelta
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgd._caller import warn
from skgd.compile.announce import announced
from skgd.neural_network._diagnosis import target_advice
from skgd.neural_network._scoring import scoring_name
from skgd.neural_network._trainer import Trainer
from skgd.parallel.threads import available_threads
from skgd.schedules import Constant

__all__ = ["Run"]

# The attributes that a fit first sets to None.
FITTED = (
    "best_loss_",
    "best_validation_score_",
    "best_epoch_",
    "validation_loss_curve_",
    "validation_scores_",
    "learning_rate_curve_",
)

# The attributes that describe the training so far, not its data and settings.
KEPT = ["stop_reason", "_batches", "_best", "_best_loss", "_failure"]
KEPT += ["_n_without_improvement"]


class Run:
    """A training by mini-batches, which `advance` continues.

    Several calls of `advance` give bitwise the result of a single one, also after pickling.

    Parameters
    ----------
    estimator : BaseMLP
        Has the hyperparameters. Nothing is written to it before `publish`.

    layout : Layout
        The layout of the network.

    plugins : Plugins
        Activations, loss, solver and schedule.

    rows : Rows
        The data to train on.

    validation : Validation or None
        The data to score each epoch with.

    batches : Batches
        How an epoch is divided.

    state : TrainingState
        Updated in place.

    goes_on : bool
        Whether the history of the estimator's last fit goes on, as in a warm start.

    Attributes
    ----------
    layout : Layout
        The layout of the network.

    epochs : list of tuple (float, float, float, float)
        Loss, validation loss, validation score and learning rate of each epoch.

    stop_reason : str
        Why training has stopped: 'no_improvement', 'rate_too_small', 'diverged',
        'interrupted', 'callback' or, in a whole fit, 'max_iter'. Empty as long as training
        may go on.

    before_call : callable or None
        Called before each compiled call; may raise.

    rung : Rung or None
        The epoch at which the fit ends, if a later fit continues it.
    """

    def __init__(
        self, estimator, layout, plugins, rows, validation, batches, state, goes_on
    ):
        self._estimator = estimator
        self.layout = layout
        self._plugins = plugins
        self._rows = rows
        self._validation = validation
        self._restores = validation is not None and validation.restores
        self._batches = batches
        self.state = state
        self._trainer: Any = None
        self.epochs = []
        self.stop_reason = ""
        self.before_call: Any = None
        self.rung: Any = None
        # The message if a loss or score is not finite and those of earlier epochs were.
        self._failure = ""
        before = vars(estimator) if goes_on else {}
        self._n_seen_before = before.get("t_", 0)
        if "loss_curve_" not in before:
            # The previous fit was by 'lbfgs'.
            before = {}
        self._goes_on = bool(before)
        self._n_without_improvement = before.get("_no_improvement_count", 0)
        best_loss, best_score = (
            before.get(name) for name in ("best_loss_", "best_validation_score_")
        )
        if before.get("_scored_by") != scoring_name(estimator.scoring):
            best_score = None
        self._best_loss = np.inf if best_loss is None else best_loss
        self._n_before = len(before.get("loss_curve_", ()))
        # The best score, its epoch, and its parameters if this fit may publish them.
        self._best = (
            -np.inf if best_score is None else best_score,
            before.get("best_epoch_"),
            state.parameters.copy() if self._restores else None,
        )

    def keep(self):
        """Copy the state from which a run of a clone with the same data continues."""
        kept = {name: vars(self)[name] for name in KEPT}
        # A copy, since the next fit of this thread may seed the generator again.
        return kept | {"state": deepcopy(self.state), "epochs": self.epochs.copy()}

    def __getstate__(self):
        return {**vars(self), "_trainer": None}

    def __setstate__(self, state):
        vars(self).update(state)
        # A pickle does not keep this flag.
        for array in self._rows:
            array.flags.writeable = False

    @property
    def n_seen(self):
        """The rows seen so far, counted again in each epoch, also by earlier fits."""
        return self._n_seen_before + len(self._rows.y) * len(self.epochs)

    @property
    def best(self):
        """The parameters to publish."""
        return self._best[2] if self._restores else self.state.parameters

    @property
    def best_epoch(self):
        """The best epoch by the validation data, None without any."""
        return self._best[1]

    @property
    def n_iter(self):
        """The number of epochs."""
        return len(self.epochs)

    def prepare(self):
        """Allocate the memory of the compiled loop, and compile it if that is needed."""
        if self._trainer is not None:
            return
        estimator, dtype = self._estimator, self.state.parameters.theta.dtype
        with announced(f"the training in {dtype}", estimator.verbose):
            self._trainer = Trainer(
                self._rows,
                self.layout,
                self._plugins,
                self._batches,
                self.state,
                available_threads(estimator.n_jobs),
            )
            self._trainer.compile()

    def advance(self, n_epochs, task=None):
        """Train for more epochs, or until there is a reason to stop.

        Parameters
        ----------
        n_epochs : int
            The maximum number of epochs.

        task : Task, default=None
            The task of the fit, if there are callbacks.

        Raises
        ------
        ValueError
            If a loss or a score is not finite, and no epoch before was scored.
        """
        self.prepare()
        last = len(self.epochs) + n_epochs
        self._plan = len(self.epochs), last, perf_counter()
        while len(self.epochs) < last and not self.stop_reason:
            n = 1 if task else min(last - len(self.epochs), self._safe_epochs())
            n_seen = self.n_seen + len(self._rows.y) * np.arange(n)
            if not self.epochs:
                # Counted by the solver's state, which starts over in a warm start.
                n_seen[0] = self.state.progress.n_seen
            epoch = task and task.epoch()
            for loss in self._trainer.run(n_seen, self.before_call):
                self._after_epoch(loss)
            if epoch and epoch.end(self._publish_as_fitted):
                self.stop_reason = self.stop_reason or "callback"

    def _safe_epochs(self):
        """Return how many epochs certainly run before training may stop.

        The count of epochs without improvement grows by at most one per epoch.
        """
        if self._validation is not None or self._estimator.verbose > 1:
            return 1
        patience = self._estimator.n_iter_no_change + 1 - self._n_without_improvement
        return int(max(1, min(self._trainer.epochs_per_call, patience)))

    def _after_epoch(self, loss):
        estimator = self._estimator
        epoch = len(self.epochs) + 1
        self._check("training loss", loss, epoch, self._estimator._remedy())
        if estimator.verbose == 1:
            print(f"Iteration {epoch}, loss = {loss:.8f}")
        validation_loss, score = self._evaluate(epoch)
        best_score = self._best[0]
        if self._restores:
            improved = score >= best_score + estimator.tol
        else:
            improved = loss <= self._best_loss - estimator.tol
            self._best_loss = min(self._best_loss, loss)
        takes_last = self._validation is not None and self._validation.takes_last
        is_best = score > best_score or (takes_last and score == best_score)
        # Each in one statement, since Ctrl-C may come between any two lines.
        self.epochs.append((loss, validation_loss, score, self._trainer.rate))
        if is_best:
            self._best = score, self._n_before + epoch, self.state.parameters.copy()
        if estimator.verbose > 1:
            self._print_epoch(is_best)
        if self._failure:
            self.stop_reason = "diverged"
            return
        self._n_without_improvement = 0 if improved else self._n_without_improvement + 1
        if self._n_without_improvement > estimator.n_iter_no_change:
            self._after_plateau()

    def _check(self, what, value, epoch, remedy):
        """Keep the message if a number is not finite; raise if nothing can be restored."""
        if np.isfinite(value):
            return
        self._failure = f"The {what} is {value} in epoch {epoch} with {remedy}"
        # Without a validation score of this fit, there are no better weights.
        if not self._restores or not self.epochs:
            raise ValueError(self._failure)

    def _evaluate(self, epoch):
        """Return the loss and the score of the validation data, NaN without any."""
        estimator, loss, score = self._estimator, np.nan, np.nan
        if self._validation is None:
            return loss, score
        if not self._failure:
            loss, score = self._validation.evaluate(
                estimator, self.layout, self._plugins, self.state.parameters
            )
            if self._restores:
                by, remedy = "", estimator._remedy()
                if estimator.scoring is not None:
                    by = f" ({estimator.scoring!r})"
                    if np.isfinite(loss):
                        remedy = f"a finite loss of {loss:.6g}: choose another scoring, or "
                        remedy += "pass as X_val what it can score."
                self._check(f"validation score{by}", score, epoch, remedy)
        if estimator.verbose == 1:
            print(f"Validation score: {score:f}")
        return loss, score

    def _print_epoch(self, is_best):
        """Print a line about the last epoch."""
        loss, validation_loss, score, rate = self.epochs[-1]
        first, last, started = self._plan
        epoch, elapsed = len(self.epochs), perf_counter() - started
        # Counted as `best_epoch_` is.
        count = f"{self._n_before + epoch}/{self._n_before + last}"
        parts = [f"Epoch {count}: loss {loss:.6g}"]
        if self._validation is not None:
            parts.append(f"validation loss {validation_loss:.6g}")
            parts.append(f"score {score:.6g}{' *' if is_best else ''}")
        left = elapsed / (epoch - first) * (last - epoch)
        parts += [
            f"rate {rate:.3g}",
            f"{timedelta(seconds=round(left))} left",
        ]
        print(", ".join(parts))

    def report(self):
        """Print why training has stopped, if ``verbose`` is above 1."""
        if self._estimator.verbose > 1 and self.stop_reason:
            best = f" Best epoch: {self._best[1]}." if self._validation else ""
            epoch = self._n_before + len(self.epochs)
            print(f"Stopped after epoch {epoch}: {self.stop_reason}.{best}")

    def _after_plateau(self):
        """Lower the learning rate, or stop."""
        estimator, progress = self._estimator, self.state.progress
        what = "Training loss" if self._validation is None else "Validation score"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        lower = self._plugins.schedule.after_plateau
        rate = lower(progress.rate) if lower is not None else None
        if rate is not None:
            progress.rate = rate
            self._n_without_improvement = 0
            message += f" Setting learning rate to {rate:f}"
        elif lower is not None:
            self.stop_reason = "rate_too_small"
            message += " Learning rate too small. Stopping."
        else:
            self.stop_reason = "no_improvement"
            message += " Stopping."
        if estimator.verbose:
            print(message)

    def warn_of_trouble(self):
        """Warn if a whole fit diverged, did not converge, or never changed its rate."""
        estimator, schedule = self._estimator, self._plugins.schedule
        advice = target_advice(self._plugins.loss, self._rows.y)
        if self._failure:
            warn(
                f"{self._failure} Training has stopped, with the weights of the best "
                f"validation score.{advice}",
                ConvergenceWarning,
            )
            return
        if not self.stop_reason:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) "
                f"reached and the optimization hasn't converged yet.{advice}",
                ConvergenceWarning,
            )
        names = schedule.argument_names()
        may_change = names and not isinstance(schedule, Constant)
        if may_change and schedule.after_plateau is None and self.state.has_constant_rate:
            settings = ", ".join(f"{name}={getattr(schedule, name)}" for name in names)
            warn(
                f"learning_rate={estimator.learning_rate!r} has no effect: with "
                f"{settings}, all updates of this fit have the same learning rate "
                f"(updates: {self.state.progress.n_updates}, epochs: "
                f"{len(self.epochs)}). Change these parameters, or use "
                "learning_rate='constant'."
            )

    def check_finite(self):
        """Raise if the parameters to publish are not finite."""
        if not all(np.isfinite(a).all() for a in (self.best.theta, self.best.running)):
            raise ValueError(
                "Solver produced non-finite parameter weights in epoch "
                f"{len(self.epochs)} with {self._estimator._remedy()}"
            )

    def _publish_as_fitted(self, estimator):
        """Set the fitted attributes of an estimator as if training ended here."""
        network = *self.best.plain(self.layout), self.best.stages(self.layout)
        estimator._publish(self, *network, self._plugins.loss)

    def publish(self, estimator):
        """Set the fitted attributes that describe the training."""
        columns = zip(*self.epochs, strict=True) if self.epochs else ((),) * 4
        losses, validation_losses, scores, rates = columns
        fitted = vars(estimator)
        if not self._goes_on:
            estimator.loss_curve_ = []
            for name in FITTED:
                fitted[name] = None
        if not self._goes_on or self._restores:
            for name in ("best_coefs_", "best_intercepts_", "best_stages_"):
                fitted.pop(name, None)
        estimator.n_iter_, estimator.t_ = len(losses), self.n_seen
        estimator.loss_ = next(filter(np.isfinite, reversed(losses)), np.inf)
        estimator.loss_curve_.extend(losses)
        self._publish_curve(estimator, "learning_rate_curve_", rates)
        estimator._no_improvement_count = self._n_without_improvement
        estimator.stop_reason_ = self.stop_reason
        if self._validation is not None:
            self._publish_curve(estimator, "validation_loss_curve_", validation_losses)
            self._publish_curve(estimator, "validation_scores_", scores)
            estimator._scored_by = scoring_name(estimator.scoring)
            estimator.best_validation_score_, estimator.best_epoch_, kept = self._best
            if not self._restores and kept is not None:
                coefs, intercepts = kept.plain(self.layout)
                estimator.best_coefs_, estimator.best_intercepts_ = coefs, intercepts
                estimator.best_stages_ = kept.stages(self.layout)
        if not self._restores:
            estimator.best_loss_ = self._best_loss
        vars(estimator).pop("_progress", None)
        if not self._failure:
            # Otherwise the solver's state has diverged.
            if self.epochs:
                self.state.progress.n_seen = self.n_seen
            # Without the slot of the average, which is in the parameters.
            progress = self.state.progress
            state = progress.state[: self._plugins.solver.n_slots]
            estimator._progress = {**vars(progress), "state": state}

    def _publish_curve(self, estimator, name, values):
        """Extend a curve, aligned with the curve of the training loss."""
        curve = getattr(estimator, name, None)
        if curve is None:
            curve = []
        if len(curve) > self._n_before:
            # The user has cut the curve of the training loss, to save memory.
            curve = curve[len(curve) - self._n_before :]
        curve.extend([np.nan] * (self._n_before - len(curve)))
        curve.extend(values)
        setattr(estimator, name, curve)
