"""Training by mini-batches: from validated data to a `Run`, and through it."""

from dataclasses import replace
from math import log2

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config

from skgd import stages
from skgd._caller import interrupts_caller, warn
from skgd.embeddings import Periodic, PiecewiseLinear
from skgd.engine.layout import Layout
from skgd.neural_network._constraints import initial_of
from skgd.neural_network._data import as_rows, smoothed
from skgd.neural_network._diagnosis import check_finite
from skgd.neural_network._orders import Orders, batch_bounds
from skgd.neural_network._run import Run
from skgd.neural_network._scoring import scoring_name
from skgd.neural_network._trainer import (
    WORTH_SHARING,
    Batches,
    Progress,
    Trainer,
    TrainingState,
)
from skgd.neural_network._validation import Validation
from skgd.neural_network._validation_split import split
from skgd.parallel.threads import available_threads
from skgd.preprocessing._bins import all_edges
from skgd.solvers import SOLVERS
from skgd.steps import Average

__all__ = ["Rung", "begin", "fit_stochastic", "losses_of_updates"]

# The rows of a chunk, whose gradients and losses are summed first.
CHUNK = 128

# With batch normalization, weights of at most this part of the largest weight count as
# zero: in a mini-batch with the largest, they are lost to rounding.
NEGLIGIBLE = float(np.finfo(np.float64).eps)


class Rung:
    """Makes the next fit of an estimator continue an earlier one, or end early.

    The fit of a clone with the same data continues from ``kept``. The parameters are
    bitwise those of a single fit.

    Parameters
    ----------
    n_epochs : int
        The epoch to end after, counted over all rungs.

    before_call : callable or None
        Called before each compiled call; may raise.

    kept : dict, default=None
        ``kept`` of the previous rung.

    split : tuple of ndarray, default=None
        ``split`` of the previous rung: the rows to train on, and those that
        ``early_stopping`` holds out.
    """

    def __init__(self, n_epochs, before_call, kept=None, split=None):
        self.n_epochs = n_epochs
        self.before_call = before_call
        self.kept = kept
        self.split = split

    def attach(self, estimator):
        """Apply to the next fit of an estimator."""
        estimator._rung = self

    def resume(self, run):
        """Continue a run from what was kept."""
        run.before_call = self.before_call
        vars(run).update(self.kept or {})


def fit_stochastic(estimator, run, incremental, task=None):
    """Train for one epoch or until there is a reason to stop.

    Parameters
    ----------
    estimator : BaseMLP
        Has the hyperparameters.

    run : Run
        The training, as :func:`begin` returns it; changed in place.

    incremental : bool
        Whether this is ``partial_fit``.

    task : Task, default=None
        The task of the fit, if there are callbacks.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    rung = run.rung
    n_epochs = estimator.max_iter if rung is None else rung.n_epochs
    run.prepare()
    try:
        run.advance(1 if incremental else n_epochs - run.n_iter, task)
    except KeyboardInterrupt:
        if rung is not None or interrupts_caller():
            raise
        run.stop_reason = "interrupted"
        warn("Training interrupted by user.")
    else:
        if rung is not None:
            rung.kept = run.keep()
        if not incremental and (run.stop_reason or n_epochs == estimator.max_iter):
            run.warn_of_trouble()
            run.stop_reason = run.stop_reason or "max_iter"
    run.check_finite()
    run.report()


def begin(estimator, layout, plugins, data, parameters, random_state, incremental, goes_on):
    """Prepare a training: choose its rows, divide them into mini-batches, set its state.

    Parameters
    ----------
    estimator : BaseMLP
        Has the hyperparameters.

    layout : Layout
        The layout of the network.

    plugins : Plugins
        Activations, loss, solver and schedule.

    data : Data
        The validated and encoded data.

    parameters : Parameters
        The initial parameters; updated in place.

    random_state : RandomState
        Draws the validation set and the order of the rows.

    incremental : bool
        Whether this is ``partial_fit``.

    goes_on : bool
        Whether the history of the last fit goes on.

    Returns
    -------
    run : Run

    Raises
    ------
    ValueError
        If there are too few rows, or if ``scoring`` cannot score.
    """
    rung = vars(estimator).pop("_rung", None)
    dtype = parameters.theta.dtype
    if layout.n_running and data.sample_weight is not None:
        # Rows without weight would have no part in the moments of their mini-batch.
        weight = data.sample_weight
        weighted = weight.astype(dtype, copy=False) > NEGLIGIBLE * weight.max()
        if not weighted.all():
            data = data.take(np.flatnonzero(weighted))
    validation, is_given = data.validation, data.validation is not None
    if estimator.early_stopping and not is_given:
        parts = rung and rung.split
        train, held_out = parts or split(estimator, plugins.loss, data, random_state)
        if rung:
            rung.split = train, held_out
        validation, data = data.take(held_out), data.take(train)
        if data.sample_weight is not None and not validation.sample_weight.any():
            raise ValueError(
                "All of sample_weight in the validation set is zero. Increase "
                f"validation_fraction={estimator.validation_fraction} or pass more rows "
                "of positive weight."
            )
    if validation is not None:
        takes_last = is_given or estimator.scoring is not None
        validation = Validation(validation, estimator.early_stopping, takes_last)
    _check_enough(estimator, data)
    if isinstance(plugins.embedding, PiecewiseLinear) and not goes_on:
        if get_config()["assume_finite"]:
            # Not checked before. Infinity would be an edge; a column of NaN has no edges.
            check_finite(estimator, X=data.X)
        edges = all_edges(data.X, plugins.embedding.n_bins, data.sample_weight)
        layout = _with_bins(layout, edges)
        parameters = parameters.with_bins(layout, edges)
    # A periodic embedding reads the numbers as they are, not centered.
    is_centered = layout.n_running and not isinstance(plugins.embedding, Periodic)
    center = _center(data, layout, parameters) if is_centered else None
    y = smoothed(data.y, plugins.loss, estimator.label_smoothing)
    n_samples = len(data.y)
    batches = _batches(estimator, layout, n_samples, incremental)
    if plugins.embedding is not None:
        factors = {**plugins.embedding.rate_factors, **batches.rate_factors}
        batches = batches._replace(rate_factors=factors)
    if np.any(initial_of(estimator.dropout)):
        seed = random_state.randint(np.iinfo(np.int64).max, dtype=np.int64)
        batches = batches._replace(seed=int(seed))
    progress = _progress(estimator, plugins, layout, dtype, incremental)
    state = TrainingState(
        parameters,
        progress,
        Orders(np.arange(n_samples), random_state if estimator.shuffle else None),
    )
    after = _average(estimator.ema_decay, layout, parameters, progress)
    plugins = plugins._replace(after=(*plugins.after, *after))
    run = Run(
        estimator,
        layout,
        plugins,
        as_rows(data.X, dtype, y, data.sample_weight, center, parameters.edges),
        validation,
        batches,
        state,
        goes_on,
    )
    if rung is not None:
        run.rung = rung
        rung.resume(run)
    scored_by = vars(estimator).get("_scored_by") if incremental and goes_on else None
    is_known = bool(run.epochs) or scored_by == scoring_name(estimator.scoring)
    if validation is not None and not is_known:
        validation.check(estimator, layout, plugins, parameters)
    return run


class _Given:
    """Replaces `Orders` by orders of the rows that are given."""

    def __init__(self, orders):
        self._orders = orders

    def draw(self, n_epochs):
        """Return all orders."""
        return self._orders


def losses_of_updates(run, schedule, n_updates):
    """Yield the loss of each mini-batch of a training, before its update.

    Parameters
    ----------
    run : Run
        A training that has not begun. Its parameters change.

    schedule : Schedule
        The factors of the initial learning rate.

    n_updates : int
        The maximum number of updates. All mini-batches are as large as the run's largest.

    Yields
    ------
    float
        A loss. The first that is not finite is the last.
    """
    rows, size = run._rows, int(np.diff(run._batches.bounds).max())
    order, drawn = np.arange(len(rows.y)), []
    if rows.weight.size:
        # A mini-batch without weight has no loss.
        order = order[rows.weight > 0]
    for _ in range(-(-n_updates * size // len(order))):
        epoch = run.state.orders.draw(1)[0]
        drawn.append(epoch[np.isin(epoch, order)] if epoch.size else order)
    orders = np.concatenate(drawn)[: n_updates * size].reshape(n_updates, size)
    # Each mini-batch is an epoch, so that the loop returns its loss.
    trainer = Trainer(
        rows,
        run.layout,
        run._plugins._replace(schedule=schedule, scheduled={}),
        run._batches._replace(bounds=np.array([0, size]), n_updates=n_updates),
        replace(run.state, orders=_Given(orders)),
        available_threads(run._estimator.n_jobs),
    )
    trainer.compile()
    yield from trainer.run(np.zeros(n_updates, dtype=np.int64))


def _with_bins(layout, edges):
    """Return the layout with bins of these edges."""
    n_bins = [len(own) - 1 for own in edges]
    return Layout(
        [
            stages.PiecewiseLinear(n_bins, stage.outputs)
            if isinstance(stage, stages.PiecewiseLinear)
            else stage
            for stage in layout.stages
        ]
    )


def _check_enough(estimator, data):
    if data.sample_weight is not None and not data.sample_weight.any():
        raise ValueError(
            "All of sample_weight outside the validation set is zero. Decrease "
            f"validation_fraction={estimator.validation_fraction} or pass more rows of "
            "positive weight."
        )
    if estimator.batch_normalization and len(data.y) < 2:
        raise ValueError(
            "batch_normalization=True needs at least 2 samples of non-zero weight to "
            f"train on, got n_samples={len(data.y)}."
        )


# `fit` later checks for numbers that are not finite.
@np.errstate(over="ignore", invalid="ignore")
def _center(data, layout, parameters):
    """Return the mean of each feature; None for sparse rows, which stay as they are."""
    X, weight = data.X, data.sample_weight
    if issparse(X):
        parameters.recenter(layout, np.zeros_like(parameters.center))
        return None
    if weight is None:
        weight = np.ones(len(X))
    # In float64, and without a copy.
    mean = np.einsum("i,ij->j", weight, X, dtype=np.float64) / weight.sum(dtype=np.float64)
    parameters.recenter(layout, mean.astype(parameters.theta.dtype))
    return parameters.center


def _progress(estimator, plugins, layout, dtype, incremental):
    """Return a new state of the solver, or a copy for ``partial_fit`` to continue."""
    kept = getattr(estimator, "_progress", None)
    initial = float(estimator.learning_rate_init)
    if (
        incremental
        and kept is not None
        and _is_alike(kept["solver"], plugins.solver)
        # Weights set by hand may be of another size.
        and kept["state"].shape == (plugins.n_slots, layout.n_params)
    ):
        lowers = plugins.schedule.after_plateau is not None
        kept = Progress(**kept)
        return kept.copy(dtype, kept.rate_from(initial) if lowers else initial, initial)
    state = np.zeros((plugins.n_slots, layout.n_params), dtype=dtype)
    solver = estimator.solver if isinstance(estimator.solver, str) else plugins.solver
    return Progress(solver, state, rate=initial, initial=initial)


def _average(decay, layout, parameters, progress):
    """Begin, continue or drop the moving average; return the steps that compute it."""
    running = parameters.running[: layout.n_running]
    if decay is None:
        parameters.average, parameters.running = None, running
        return ()
    if parameters.average is None:
        parameters.average, parameters.n_averaged = np.zeros_like(parameters.theta), 0
        parameters.running = np.append(running, np.zeros_like(running))
    # The last slot, of which the trainer makes `average` a view.
    progress.state = np.vstack([progress.state, parameters.average])
    return (Average(float(decay), progress.n_updates - parameters.n_averaged),)


def _is_alike(one, other):
    """Return whether two solvers are of the same class, so that one's state fits both."""
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
    factors = estimator.learning_rate_factors or {}
    alpha, l1_ratio = float(estimator.alpha), float(estimator.l1_ratio)
    squares, absolute = alpha * (1 - l1_ratio), alpha * l1_ratio
    return Batches(bounds, chunk, by_rows, squares, n_updates, factors, absolute=absolute)


def _chunk(layout, rows):
    """Return the rows of a chunk: fewer than the mini-batch if that is worth sharing.

    They must not depend on the machine, since they may change the last digits.
    """
    if rows * layout.n_params < WORTH_SHARING:
        return rows
    # A power of two, so that threads can have equal numbers of chunks.
    n_chunks = 2 ** max(1, round(log2(rows / CHUNK)))
    return -(-rows // n_chunks)


def _by_rows(layout, chunk):
    """Return whether threads exchange gradients rather than activations and errors.

    Two threads do if half of the parameters are fewer than a chunk's activations and
    errors. See :mod:`skgd.engine.train`.
    """
    return layout.n_params / 2 < 2 * chunk * layout.n_activated
