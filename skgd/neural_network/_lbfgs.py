"""Full-batch training by SciPy's L-BFGS-B on the compiled objective."""

import warnings

import numpy as np
from scipy import optimize
from sklearn.utils.optimize import _check_optimize_result

from skgd.engine.objective import objective
from skgd.engine.records import Buffers, Network
from skgd.engine.team import ALONE
from skgd.neural_network._data import IN_ORDER, as_samples
from skgd.neural_network._prediction import block_rows
from skgd.neural_network._rules import training_rules

__all__ = ["fit_lbfgs"]


class _Objective:
    """The mean objective and its gradient, as SciPy asks for them."""

    def __init__(self, samples, layout, rules, alpha):
        self._samples = samples
        self._rules = rules
        self._alpha = alpha
        n_samples, n_targets = samples.y.shape
        self._weight = float(samples.weight.sum() or n_samples)
        rows = block_rows(layout, n_samples)
        self._buffers = Buffers.allocate(layout, rows, n_targets, np.float64)
        self._network = Network(
            layout.table,
            layout.tiles,
            theta=None,
            state=np.empty((0, 0)),
            running=np.empty(0),
        )

    def __call__(self, theta):
        gradient = np.empty_like(theta)
        loss = objective(
            self._samples,
            IN_ORDER,
            self._network._replace(theta=theta),
            self._buffers,
            self._rules,
            self._alpha,
            self._weight,
            gradient,
            ALONE,
        )
        return loss, gradient


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
    evaluate = _Objective(
        samples,
        layout,
        training_rules(
            estimator.activation,
            estimator._loss_function(),
            "minibatch",
            "constant",
            "float64",
        ),
        float(estimator.alpha),
    )
    theta = parameters.theta.astype(np.float64)

    def accept(intermediate_result):
        nonlocal theta
        theta = intermediate_result.x.copy()
        estimator.n_iter_ += 1
        if estimator.verbose:
            loss = intermediate_result.fun
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")

    estimator.n_iter_ = 0
    result = None
    try:
        result = optimize.minimize(
            evaluate,
            theta,
            method="L-BFGS-B",
            jac=True,
            callback=accept,
            options={
                "maxfun": estimator.max_fun,
                "maxiter": estimator.max_iter,
                "gtol": estimator.tol,
            },
        )
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=6)
        estimator.loss_ = evaluate(theta)[0]
    else:
        theta, estimator.loss_ = result.x, float(result.fun)
    if not (np.isfinite(estimator.loss_) and np.isfinite(theta).all()):
        raise ValueError(
            "Solver produced non-finite parameter weights: solver='lbfgs' reached a "
            f"loss of {estimator.loss_}. The input data may contain large values and "
            "need to be preprocessed, e.g. by ZScoreScaler."
        )
    if result is not None:
        estimator.n_iter_ = _check_optimize_result("lbfgs", result, estimator.max_iter)
    parameters.theta = theta.astype(dtype)
    estimator._publish(layout, parameters)
