"""Full-batch training by L-BFGS."""

from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgd._caller import interrupts_caller, warn
from skgd.compile.announce import announced
from skgd.engine.binding import bind
from skgd.engine.full_batch import lbfgs
from skgd.engine.full_batch.objective import IN_ORDER
from skgd.engine.layout import MemoryPlan
from skgd.engine.records import Network, make_steps
from skgd.neural_network._data import as_rows, smoothed
from skgd.neural_network._diagnosis import target_advice
from skgd.neural_network._parameters import Parameters
from skgd.neural_network._prediction import block_rows
from skgd.parallel.pace import Pace
from skgd.parallel.threads import available_threads, run_together

__all__ = ["fit_lbfgs"]

# Replaces larger limits, which a compiled loop cannot take.
MOST = int(np.iinfo(np.int64).max)

# The least multiplications in the forward products of an evaluation for a second thread:
# some 7 ms of a core. After a call of NumPy's BLAS, its threads keep their cores busy for a
# while. Shorter fits may be over before a core is free; until then, two threads take ten
# times as long as one.
WORTH_SHARING = 50_000_000

# Rows of a block, at most: its activations stay in the second-level cache in float64.
BLOCK_ROWS = 256

# Why training has ended early, with SciPy's codes and messages.
OUTCOMES = {
    lbfgs.TOO_MANY_ITERATIONS: (1, "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT"),
    lbfgs.TOO_MANY_EVALUATIONS: (1, "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT"),
    lbfgs.FAILED: (2, "ABNORMAL: the line search found no lower loss"),
}
LIMITS = lbfgs.TOO_MANY_ITERATIONS, lbfgs.TOO_MANY_EVALUATIONS


class _Descender:
    """Runs the iterations of L-BFGS.

    Parameters
    ----------
    rows : Rows
        The data, in float64.

    layout : Layout
        The layout of the network.

    theta : ndarray of shape (n_params,), dtype=float64
        The initial parameters.

    loss : Loss
        The objective of a row.

    settings : lbfgs.Settings
        Penalty and limits.

    n_threads : int
        The maximum number of threads.
    """

    def __init__(self, rows, layout, theta, loss, settings, n_threads):
        n_samples, n_targets = rows.y.shape
        # Rows are either dense or sparse: one of the two sizes is 0.
        products = layout.products(n_samples, rows.X.size + rows.values.size)
        # A power of two, so that threads can have equal numbers of blocks.
        n_blocks = 1
        while n_samples > n_blocks * min(block_rows(layout, n_samples), BLOCK_ROWS):
            n_blocks *= 2
        block = -(-n_samples // n_blocks)
        # Since the size is rounded up, the last blocks may be empty.
        n_blocks = -(-n_samples // block)
        most = min(n_threads, n_blocks) if products >= WORTH_SHARING else 1
        self._pace = Pace(most, -(-products // n_blocks))
        plan = MemoryPlan(layout, block, n_targets, n_chunks=1)
        # Blocks do not share memory, except the count of arrivals.
        first = plan.allocate(np.float64)
        self._works = [first]
        for _ in range(1, most):
            work = plan.allocate(np.float64)
            self._works.append(work._replace(arrivals=first.arrivals))
        self._steps = make_steps(
            most, capacity=plan.capacity, chunk=block, parts=plan.parts
        )
        self._descent = lbfgs.Descent.begin(theta, most)
        self._kernels = bind(layout, plan, type(loss), np.dtype(np.float64), steps=())
        self._network = Network(
            plan.stages,
            layout.tiles(shared=False),
            theta.copy(),
            np.empty((0, 0)),
            np.empty(0),
            layout.numbers,
        )
        self._rows = rows
        self._settings = settings

    @property
    def theta(self):
        """The parameters after the last iteration."""
        return self._descent.theta

    @property
    def loss(self):
        """The objective after the last iteration."""
        return float(self._descent.numbers[lbfgs.LOSS])

    @property
    def n_iterations(self):
        """The finished iterations."""
        return int(self._descent.counts[lbfgs.ITERATIONS])

    @property
    def status(self):
        """Why the training has ended, if it has."""
        return int(self._descent.counts[lbfgs.STATUS])

    def run(self):
        """Train to the end.

        Yields
        ------
        float
            The objective after each iteration, as soon as a compiled call returns.
        """
        while self.status == lbfgs.RUNNING:
            before = self.n_iterations
            losses = self._call()
            yield from losses[: self.n_iterations - before].tolist()

    def compile(self):
        """Compile the loop, by a call that runs no iteration."""
        lbfgs.minimize(*self._arguments(0, 1, 0, np.empty(0)))

    def _arguments(self, thread, n_threads, limit, losses):
        """Return the arguments of one thread's compiled call."""
        step = self._steps[thread]
        step["limit"], step["n_threads"] = limit, n_threads
        return (
            self._rows,
            self._network,
            self._works[thread],
            self._kernels,
            self._settings,
            self._descent,
            losses,
            step,
        )

    def _call(self):
        """Make one compiled call and adapt its length to the time that it took."""
        most, limit = self._pace.next_call()
        losses = np.empty(limit)
        self._works[0].arrivals[:] = 0

        def calls(n_threads):
            return [
                self._arguments(thread, n_threads, limit, losses)
                for thread in range(n_threads)
            ]

        n_blocks = -int(self._descent.counts[lbfgs.BLOCKS])
        started = perf_counter()
        n_threads = len(run_together(lbfgs.minimize, calls, most))
        n_blocks += int(self._descent.counts[lbfgs.BLOCKS])
        self._pace.record(n_threads, n_blocks, perf_counter() - started)
        if n_threads < most:
            self._pace.most = 1
        return losses


def _failure(descender, max_iter):
    """Return scikit-learn's warning of a training that has not converged."""
    status, reason = OUTCOMES[descender.status]
    n_iterations = descender.n_iterations
    message = (
        f"lbfgs failed to converge after {n_iterations} iteration(s) "
        f"(status={status}):\n{reason}\n"
    )
    if n_iterations == max_iter:
        message += (
            "\nIncrease the number of iterations to improve the convergence "
            f"(max_iter={max_iter})."
        )
    return message + (
        "\nYou might also want to scale the data as shown in:\n"
        "    https://scikit-learn.org/stable/modules/preprocessing.html"
    )


def fit_lbfgs(estimator, layout, plugins, data, parameters):
    """Train from ``parameters`` to the end.

    Parameters
    ----------
    estimator : BaseMLP
        Has the hyperparameters.

    layout : Layout
        The layout of the network.

    plugins : Plugins
        Activations and loss.

    data : Data
        The validated and encoded data.

    parameters : Parameters
        The initial parameters; updated in place.

    Returns
    -------
    descent : Descent

    Raises
    ------
    ValueError
        If the objective or the weights are not finite.
    """
    # In float64: the line search compares losses whose difference float32 would lose.
    y = smoothed(data.y, plugins.loss, estimator.label_smoothing)
    rows = as_rows(data.X, np.float64, y, data.sample_weight)
    with announced("the training by L-BFGS", estimator.verbose):
        descender = _Descender(
            rows,
            layout,
            parameters.theta.astype(np.float64),
            plugins.loss,
            lbfgs.Settings(
                alpha=float(estimator.alpha),
                weight=float(rows.weight.sum() or len(data.y)),
                tolerance=float(estimator.tol),
                most_iterations=min(int(estimator.max_iter), MOST),
                most_evaluations=min(int(estimator.max_fun), MOST),
                order=IN_ORDER,
                loss=plugins.loss.numbers(),
            ),
            available_threads(estimator.n_jobs),
        )
        descender.compile()
    stop_reason = "no_improvement"
    try:
        for iteration, loss in enumerate(descender.run(), start=1):
            if estimator.verbose:
                print(f"Iteration {iteration}, loss = {loss:.8f}")
    except KeyboardInterrupt:
        if interrupts_caller():
            raise
        warn("Training interrupted by user.")
        stop_reason = "interrupted"
    else:
        if not (np.isfinite(descender.loss) and np.isfinite(descender.theta).all()):
            raise ValueError(
                "Solver produced non-finite parameter weights: solver='lbfgs' reached a "
                f"loss of {descender.loss}. The input data may contain large values and "
                "need to be preprocessed, e.g. by ZScoreScaler."
            )
        if descender.status in LIMITS:
            stop_reason = "max_iter"
        if descender.status != lbfgs.CONVERGED:
            warn(
                _failure(descender, estimator.max_iter)
                + target_advice(plugins.loss, data.y),
                ConvergenceWarning,
            )
    if estimator.verbose > 1:
        print(f"Stopped after iteration {descender.n_iterations}: {stop_reason}.")
    parameters.theta = descender.theta.astype(parameters.theta.dtype)
    parameters.average = None
    return Descent(parameters, descender.n_iterations, descender.loss, stop_reason)


class Descent(NamedTuple):
    """The result of a training by L-BFGS.

    Attributes
    ----------
    best : Parameters
        The parameters to publish.

    n_iter : int
        The number of iterations.

    loss : float
        The objective after the last iteration.

    stop_reason : str
        Why training has ended.
    """

    best: Parameters
    n_iter: int
    loss: float
    stop_reason: str

    def publish(self, estimator):
        """Set the fitted attributes that describe the training."""
        estimator.n_iter_, estimator.loss_ = self.n_iter, self.loss
        estimator.stop_reason_ = self.stop_reason
        for name in ("best_epoch_", "validation_loss_curve_", "learning_rate_curve_"):
            setattr(estimator, name, None)
        # They describe an earlier fit. With 'lbfgs', scikit-learn does not set them either.
        for name in (
            "_progress",
            "best_coefs_",
            "best_intercepts_",
            "best_stages_",
            "best_loss_",
            "best_validation_score_",
            "loss_curve_",
            "validation_scores_",
        ):
            vars(estimator).pop(name, None)
