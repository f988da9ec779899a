"""Full-batch training by SciPy's L-BFGS-B on the compiled objective."""

import warnings
from itertools import pairwise

import numpy as np
from scipy import optimize
from sklearn.utils.optimize import _check_optimize_result

from skgd._threads import (
    available_threads,
    run_together,
    single_threaded_blas,
)
from skgd.engine.objective import objective
from skgd.engine.records import Buffers, Network
from skgd.engine.team import ALONE
from skgd.neural_network._data import IN_ORDER, as_samples, rows_between
from skgd.neural_network._prediction import block_rows
from skgd.neural_network._rules import training_rules

__all__ = ["fit_lbfgs"]

# Multiplications of the forward pass, and rows at least, of one compiled call: some
# milliseconds of a core. Threads take a call each, and Python handles signals in between.
PRODUCTS_A_CALL = 10_000_000
ROWS_A_CALL = 256


class _Objective:
    """The mean objective and its gradient, a function each.

    SciPy would join and divide them itself, at 10 µs an evaluation.

    The rows are divided in parts, whose sum is taken in order: the result does not depend
    on the number of threads.
    """

    def __init__(self, samples, layout, rules, alpha, n_threads):
        n_samples, n_targets = samples.y.shape
        products = layout.n_params * n_samples
        if layout.sparse:
            zeros = layout.units[0] * n_samples - samples.values.size
            products -= zeros * layout.units[1]
        n_parts = min(products // PRODUCTS_A_CALL, n_samples // ROWS_A_CALL) or 1
        bounds = [n_samples * part // n_parts for part in range(n_parts + 1)]
        self._parts = [rows_between(samples, *rows) for rows in pairwise(bounds)]
        self._n_threads = min(n_threads, n_parts)
        rows = block_rows(layout, -(-n_samples // n_parts))
        self._rooms = [
            Buffers.allocate(layout, rows, n_targets, np.float64)
            for _ in range(self._n_threads)
        ]
        self._network = Network(
            layout.table,
            layout.tiles,
            layout.layers,
            theta=None,
            state=np.empty((0, 0)),
            running=np.empty(0),
        )
        self._rules = rules
        self._alpha = alpha
        self._weight = float(samples.weight.sum() or n_samples)
        self._theta = None

    def loss(self, theta):
        """Return the objective, and keep its gradient."""
        network = self._network._replace(theta=theta)
        loss, gradient = 0.0, None

        def evaluate(part, buffers, part_gradient):
            # The penalty counts once.
            alpha = self._alpha if part == 0 else 0.0
            return objective(
                self._parts[part],
                IN_ORDER,
                network,
                buffers,
                self._rules,
                alpha,
                self._weight,
                part_gradient,
                ALONE,
            )

        for first in range(0, len(self._parts), self._n_threads):
            parts = range(first, min(first + self._n_threads, len(self._parts)))
            calls = [
                (part, room, np.empty_like(theta))
                for part, room in zip(parts, self._rooms, strict=False)
            ]
            for part_loss, call in zip(run_together(evaluate, calls), calls, strict=True):
                loss += part_loss
                gradient = call[-1] if gradient is None else gradient + call[-1]
        self._theta, self._gradient = theta, gradient
        return loss

    def gradient(self, theta):
        """Return the gradient, which SciPy asks for where it has asked for the loss."""
        if not np.array_equal(theta, self._theta):
            self.loss(theta)
        return self._gradient


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
    dtype = parameters.theta.dtype
    # SciPy's line search is in float64, and so must be the objective.
    samples = as_samples(X, np.float64, y, sample_weight)
    mean = _Objective(
        samples,
        layout,
        training_rules(
            estimator.activation,
            estimator._loss_function(),
            "minibatch",
            "constant",
            np.dtype(np.float64),
        ),
        float(estimator.alpha),
        available_threads(estimator.n_jobs),
    )
    theta = parameters.theta.astype(np.float64)

    def accept(intermediate_result):
        nonlocal theta
        theta = intermediate_result.x.copy()
        estimator.n_iter_ += 1
        estimator.loss_ = float(intermediate_result.fun)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")

    estimator.n_iter_ = 0
    try:
        with single_threaded_blas():
            result = optimize.minimize(
                mean.loss,
                theta,
                method="L-BFGS-B",
                jac=mean.gradient,
                callback=accept,
                options={
                    "maxfun": estimator.max_fun,
                    "maxiter": estimator.max_iter,
                    "gtol": estimator.tol,
                },
            )
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=5)
    else:
        theta, estimator.loss_ = result.x, float(result.fun)
        if not (np.isfinite(estimator.loss_) and np.isfinite(theta).all()):
            raise ValueError(
                "Solver produced non-finite parameter weights: solver='lbfgs' reached a "
                f"loss of {estimator.loss_}. The input data may contain large values and "
                "need to be preprocessed, e.g. by ZScoreScaler."
            )
        estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    parameters.theta = theta.astype(dtype)
    estimator._publish(layout, parameters)
