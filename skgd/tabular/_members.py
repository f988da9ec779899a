"""Members: networks that train in several threads, on the folds of one table."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from skgd.losses import LINKS
from skgd.neural_network._data import smoothed
from skgd.neural_network._orders import Orders
from skgd.neural_network._plugins import Plugins
from skgd.neural_network._prediction import mean_loss, predict_rows
from skgd.neural_network._run import Run
from skgd.neural_network._scoring import check_scores, perfect
from skgd.neural_network._trainer import Batches, Progress, TrainingState
from skgd.parallel.threads import run_together
from skgd.stages import Dense
from skgd.tabular._network import DTYPE, initial_parameters, rows_of_table

__all__ = [
    "Clock",
    "Encoded",
    "Recipe",
    "Report",
    "begin_member",
    "predict_table",
    "train_members",
]


class Encoded(NamedTuple):
    """A table as the networks read it."""

    table: Any  # Table
    y: Any  # encoded targets
    weight: Any  # or None

    def part(self, first, last):
        """View some rows."""
        weight = None if self.weight is None else self.weight[first:last]
        return Encoded(self.table.part(first, last), self.y[first:last], weight)


@dataclass(frozen=True)
class Recipe:
    """The settings that the members share.

    Attributes
    ----------
    layout, plain : Layout
        The layout of the network in training, and in predictions.

    n_columns : int
        The number of columns of the table.

    plugins : Plugins
        Activations, loss, solver, schedules and steps.

    rate, rate_factors : float, dict
        The initial learning rate, and its factors by the kind of parameters.

    batch_size, max_iter, n_iter_no_change : int
        The rows of a mini-batch, the maximum number of epochs, and the number of epochs
        without a better score after which a member stops.

    label_smoothing : float
        The part of the targets that is spread evenly over the classes.

    score : callable or None
        A function of predictions, targets and weights; None for the negative loss.

    scoring : str, callable or None
        The estimator's parameter, for error messages.
    """

    layout: Any
    plain: Any
    n_columns: int
    plugins: Plugins
    rate: float
    rate_factors: dict
    batch_size: int
    max_iter: int
    n_iter_no_change: int
    label_smoothing: float = 0.0
    score: Any = None
    scoring: Any = None
    # A Run reads these from an estimator.
    tol: float = 0.0
    verbose: int = 0
    n_jobs: int = 1

    def _remedy(self):
        other = "" if self.score is None else ", or choose another scoring"
        return f"learning_rate_init={self.rate}. Lower it{other}."


class StoppedError(Exception):
    """Ends a member, also in the middle of an epoch."""


class Clock:
    """Tells members when to stop.

    Parameters
    ----------
    deadline : float, default=inf
        The time at which they stop, by ``perf_counter``.
    """

    def __init__(self, deadline=np.inf):
        self.deadline = deadline
        self.is_interrupted = False

    def reason(self) -> str:
        """Return why to stop now, empty if there is no reason."""
        if self.is_interrupted:
            return "interrupted"
        return "max_time" if perf_counter() > self.deadline else ""

    def check(self):
        """Raise if there is a reason to stop now."""
        if self.reason():
            raise StoppedError


class HeldOut(NamedTuple):
    """The rows that score a member after each epoch, like `Validation` of the networks."""

    encoded: Encoded
    recipe: Recipe
    restores: bool = True
    takes_last: bool = True

    def evaluate(self, estimator, layout, plugins, parameters):
        """Return the mean loss and the score, NaN where they are not finite."""
        table, y, weight = self.encoded
        z = np.empty((len(y), layout.stages[-1].outputs), DTYPE)
        predict_table(self.recipe.plain, parameters.theta, table, None, z, 1)
        loss = mean_loss(z, y, weight, plugins.loss)
        if not np.isfinite(z).all():
            return np.nan, np.nan
        score = -loss if self.recipe.score is None else self.recipe.score(z, y, weight)
        return loss, score

    def check(self):
        """Raise if ``scoring`` scores neither perfect predictions nor their mean."""
        (_, y, weight), recipe = self.encoded, self.recipe
        if recipe.score is None:
            return
        loss: Any = recipe.plugins.loss
        n_outputs = recipe.layout.stages[-1].outputs
        right = perfect(y, n_outputs, loss.out_activation == "softmax")
        outputs = right, np.broadcast_to(right.mean(axis=0), right.shape)
        scores = [partial(recipe.score, z, y, weight) for z in outputs]
        check_scores(recipe.scoring, scores, self.restores)


def predict_table(plain, theta, table, loss, out, n_jobs):
    """Predict encoded rows; without a ``loss``, the linear outputs.

    Parameters
    ----------
    plain : Layout
        The layout of the network in predictions.

    theta : ndarray of shape (n_params,)
        The parameters of the network.

    table : Table
        The rows.

    loss : Loss or None
        The loss, whose link is that of the output.

    out : ndarray of shape (n_samples, n_outputs)
        The array that the predictions are written to.

    n_jobs : int or None
        The number of threads.
    """

    def rows_of(first, last):
        return rows_of_table(table.part(first, last))

    products = len(out) * plain.stages[0].outputs * (table.X.shape[1] + table.bins.shape[1])
    products += len(out) * sum(
        s.inputs * s.outputs for s in plain.stages if isinstance(s, Dense)
    )
    link = LINKS["identity"]() if loss is None else loss
    # Kernels are compiled for writable arrays; in shared memory, parameters are read-only.
    theta = np.require(theta, requirements="W")
    predict_rows(rows_of, plain, theta, link, out, (n_jobs, products, False))


def begin_member(recipe, encoded, held_out, seed):
    """Prepare the training of a member.

    Parameters
    ----------
    recipe : Recipe
        The settings that the members share.

    encoded : Encoded
        The whole table.

    held_out : tuple of (int, int) or Encoded or None
        The rows that score the member: a range of the table, which it does not train on, or
        other rows.

    seed : int
        The seed of all that the member draws.

    Returns
    -------
    Run
    """
    random_state = np.random.RandomState(seed)
    rows = np.arange(len(encoded.y))
    validation = None
    if isinstance(held_out, Encoded):
        validation = HeldOut(held_out, recipe)
    elif held_out is not None:
        first, last = held_out
        rows = np.concatenate([rows[:first], rows[last:]])
        validation = HeldOut(encoded.part(first, last), recipe)
    if validation is not None:
        validation.check()
    size = min(recipe.batch_size, len(rows))
    # The rest of the rows is left out: it would be a small mini-batch.
    bounds = np.arange(0, len(rows) - size + 1, size)
    bounds = np.append(bounds, bounds[-1] + size)
    layout, plugins = recipe.layout, recipe.plugins
    parameters = initial_parameters(layout, recipe.n_columns, plugins, random_state)
    slots = np.zeros((plugins.n_slots, layout.n_params), DTYPE)
    progress = Progress(plugins.solver, slots, recipe.rate, initial=recipe.rate)
    batches = Batches(
        bounds,
        size,
        False,
        0.0,
        recipe.max_iter * (len(bounds) - 1),
        recipe.rate_factors,
        seed,
    )
    state = TrainingState(parameters, progress, Orders(rows, random_state))
    y = smoothed(encoded.y, plugins.loss, recipe.label_smoothing)
    rows = rows_of_table(encoded.table, y, encoded.weight)
    return Run(recipe, layout, plugins, rows, validation, batches, state, False)


class Report:
    """Prints a line for each epoch of a member, with the time that is left.

    Parameters
    ----------
    n_members, n_epochs : int
        The planned number of members, and of epochs of each.
    """

    def __init__(self, n_members, n_epochs):
        self._n_members = n_members
        self._n_epochs = n_epochs
        self._started = perf_counter()
        self._n_done = 0

    def __call__(self, index, run):
        """Print the last epoch of a member."""
        self._n_done += 1
        elapsed = perf_counter() - self._started
        left = elapsed / self._n_done * (self._n_members * self._n_epochs - self._n_done)
        loss, validation_loss, score = run.epochs[-1][:3]
        parts = [
            f"Member {index + 1}/{self._n_members}, epoch {len(run.epochs)}/"
            f"{self._n_epochs}: loss {loss:.6g}"
        ]
        if not np.isnan(score):
            best = " *" if run.best_epoch == len(run.epochs) else ""
            parts.append(f"validation loss {validation_loss:.6g}, score {score:.6g}{best}")
        print(", ".join([*parts, f"{timedelta(seconds=round(left))} left"]))


def train_members(runs, n_epochs, clock, n_threads, report=None):
    """Train members side by side.

    Parameters
    ----------
    runs : list of Run
        The members.

    n_epochs : int
        The epochs of each, unless there is a reason to stop earlier.

    clock : Clock
        Knows such reasons. Ctrl-C becomes one of them.

    n_threads : int
        The number of members that train at the same time.

    report : callable, default=None
        Called after each epoch with the index of the member and its run.
    """
    pending = iter(list(enumerate(runs)))

    def work():
        for index, run in pending:
            run.before_call = clock.check
            try:
                while len(run.epochs) < n_epochs and not run.stop_reason:
                    clock.check()
                    run.advance(1)
                    if report is not None:
                        report(index, run)
            except StoppedError:
                run.stop_reason = clock.reason()
            except BaseException:
                interrupt()
                raise
            run.stop_reason = run.stop_reason or "max_iter"

    def interrupt():
        clock.is_interrupted = True

    # Compile before the threads start.
    runs[0].prepare()
    try:
        run_together(work, lambda n: [()] * n, n_threads, interrupt)
    except KeyboardInterrupt:
        interrupt()
    for run in runs:
        run.stop_reason = run.stop_reason or "interrupted"
