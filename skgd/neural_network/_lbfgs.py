"""Full-batch training by L-BFGS."""

import warnings

import numpy as np
from scipy.optimize import OptimizeResult
from sklearn.utils.optimize import _check_optimize_result

from skgd._threads import available_threads, n_cores, run_together
from skgd.engine import lbfgs
from skgd.engine.announce import announced
from skgd.engine.records import Buffers, Network
from skgd.engine.team import ALONE, Team
from skgd.neural_network._data import IN_ORDER, as_samples
from skgd.neural_network._pace import Pace, clock
from skgd.neural_network._prediction import block_rows
from skgd.neural_network._rules import training_rules
from skgd.neural_network._trainer import apart

__all__ = ["fit_lbfgs"]

# What stands for any larger number in a compiled loop.
MOST = int(np.iinfo(np.int64).max)

# Multiplications in the forward products of an evaluation that are worth a second thread:
# some 7 ms of a core. Shorter fits may be over before a core is free that NumPy's BLAS has
# just used: its threads wait there for more work, and two take ten times as long as one.
WORTH_SHARING = 50_000_000

# Rows of a block, at most: its activations stay in the second-level cache in float64.
BLOCK_ROWS = 256

# SciPy's codes, and what scikit-learn puts into its warning.
OUTCOMES = {
    lbfgs.CONVERGED: (0, "CONVERGENCE"),
    lbfgs.TOO_MANY_ITERATIONS: (1, "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT"),
    lbfgs.TOO_MANY_EVALUATIONS: (1, "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT"),
    lbfgs.FAILED: (2, "ABNORMAL: the line search found no lower loss"),
}


class _Descender:
    """Runs iterations.

    Parameters
    ----------
    samples : Samples
        The data, in float64.

    layout : Layout
        The network's.

    theta : ndarray of shape (n_params,), dtype=float64
        Where to begin.

    rules : Rules
        The compiled plug-ins.

    settings : lbfgs.Settings
        Penalty and limits.

    n_threads : int
        How many threads to train with, where there is enough to do for them.
    """

    def __init__(self, samples, layout, theta, rules, settings, n_threads):
        n_samples, n_targets = samples.y.shape
        # Rows are dense or sparse: there are none of the other kind.
        products = layout.products(n_samples, samples.X.size + samples.values.size)
        # A power of two, for as many threads to have as many blocks each.
        n_blocks = 1
        while n_samples > n_blocks * min(block_rows(layout, n_samples), BLOCK_ROWS):
            n_blocks *= 2
        rows = -(-n_samples // n_blocks)
        # Rounded up, they may leave nothing for the last block.
        n_blocks = -(-n_samples // rows)
        most = min(n_threads, n_blocks) if products >= WORTH_SHARING else 1
        self._pace = Pace(most, -(-products // n_blocks), n_cores())
        self._rooms = [
            Buffers.allocate(layout, rows, n_targets, np.float64) for _ in range(most)
        ]
        self._descent = lbfgs.Descent.begin(theta, most)
        network = Network(
            layout.table,
            layout.layers,
            layout.layers,
            theta.copy(),
            state=np.empty((0, 0)),
            running=np.empty(0),
        )
        self._problem = samples, IN_ORDER, network
        self._rules = rules
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
        """Compile the iterations, by a call for none of them."""
        lbfgs.minimize(*self._arguments(ALONE, 0, np.empty(0)))

    def _arguments(self, team, limit, losses):
        """Return the arguments of one thread's compiled call."""
        return (
            *self._problem,
            self._rooms[team.thread],
            self._rules,
            self._settings,
            self._descent,
            limit,
            losses,
            team,
            ALONE,
        )

    def _call(self):
        """Make one compiled call and adapt its length to the time that it took."""
        most, limit = self._pace.next_call()
        losses = np.empty(limit)
        arrivals = apart((1, 1))[0]

        def calls(n_threads):
            return [
                self._arguments(Team(thread, n_threads, arrivals), limit, losses)
                for thread in range(n_threads)
            ]

        n_blocks = -int(self._descent.counts[lbfgs.BLOCKS])
        started = clock()
        n_threads = len(run_together(lbfgs.minimize, calls, most))
        n_blocks += int(self._descent.counts[lbfgs.BLOCKS])
        self._pace.record(n_threads, n_blocks, *(clock() - started))
        if n_threads < most:
            self._pace.most = 1
        return losses


def fit_lbfgs(estimator, X, y, sample_weight, layout, parameters):
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
        Updated.

    Raises
    ------
    ValueError
        If the objective or the weights are not finite.
    """
    # The line search compares losses that differ by less than float32 tells.
    samples = as_samples(X, np.float64, y, sample_weight)
    with announced("the training by L-BFGS", estimator.verbose):
        descender = _Descender(
            samples,
            layout,
            parameters.theta.astype(np.float64),
            training_rules(
                estimator.activation,
                estimator._loss_function(),
                "minibatch",
                "constant",
                np.dtype(np.float64),
            ),
            lbfgs.Settings(
                alpha=float(estimator.alpha),
                weight=float(samples.weight.sum() or len(y)),
                tolerance=float(estimator.tol),
                most_iterations=min(int(estimator.max_iter), MOST),
                most_evaluations=min(int(estimator.max_fun), MOST),
            ),
            available_threads(estimator.n_jobs),
        )
        descender.compile()
    try:
        for iteration, loss in enumerate(descender.run(), start=1):
            if estimator.verbose:
                print(f"Iteration {iteration}, loss = {loss:.8f}")
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=5)
    else:
        status, message = OUTCOMES[descender.status]
        if not (np.isfinite(descender.loss) and np.isfinite(descender.theta).all()):
            raise ValueError(
                "Solver produced non-finite parameter weights: solver='lbfgs' reached a "
                f"loss of {descender.loss}. The input data may contain large values and "
                "need to be preprocessed, e.g. by ZScoreScaler."
            )
        result = OptimizeResult(status=status, message=message, nit=descender.n_iterations)
        _check_optimize_result("lbfgs", result, estimator.max_iter)
    estimator.n_iter_, estimator.loss_ = descender.n_iterations, descender.loss
    parameters.theta = descender.theta.astype(parameters.theta.dtype)
    estimator._publish(layout, parameters)
