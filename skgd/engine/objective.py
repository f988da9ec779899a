"""The objective over all rows and its gradient, for full-batch solvers."""

from skgd.engine.jit import jit
from skgd.engine.layout import INPUTS, OUTPUTS, WEIGHTS
from skgd.engine.passes import backward, forward, gather, layer_output
from skgd.engine.views import matrix

__all__ = ["objective"]


@jit
def objective(samples, in_order, network, buffers, rules, alpha, weight, gradient):
    """Return the mean objective with its penalty, and write its gradient.

    Parameters
    ----------
    samples : Samples
        The data.

    in_order : ndarray of shape (0,), dtype=int64
        No permutation of the rows.

    network, buffers, rules : Network, Buffers, Rules
        Parameters, room for a block of rows, kernels.

    alpha : float
        Strength of the penalty.

    weight : float
        The sum of the sample weights.

    gradient : ndarray of shape (n_params,)
        Takes the gradient.

    Returns
    -------
    float
        The objective.
    """
    table, theta = network.table, network.theta
    last = table.shape[0] - 1
    n_samples, n_targets = samples.y.shape
    block = buffers.weight.shape[0]
    loss = 0.0
    gradient[:] = 0
    for start in range(0, n_samples, block):
        rows = min(block, n_samples - start)
        gather(samples, in_order, start, rows, buffers)
        epsilon = theta.dtype.type(0)
        forward(
            samples,
            in_order,
            start,
            rows,
            table,
            theta,
            buffers,
            rules.activate,
            epsilon,
        )
        loss += rules.evaluate(
            layer_output(table, last, rows, buffers),
            matrix(buffers.y, 0, rows, n_targets),
            buffers.weight,
            theta.dtype.type(1.0 / weight),
            matrix(buffers.delta, 0, rows, table[last, OUTPUTS]),
        )
        backward(
            samples,
            in_order,
            start,
            rows,
            table,
            theta,
            network.gradient,
            buffers,
            rules.differentiate,
        )
        for i in range(gradient.shape[0]):
            gradient[i] += network.gradient[i]
    penalty = theta.dtype.type(alpha / weight)
    squares = 0.0
    for layer in range(table.shape[0]):
        start = table[layer, WEIGHTS]
        for i in range(start, start + table[layer, INPUTS] * table[layer, OUTPUTS]):
            squares += theta[i] * theta[i]
            gradient[i] += penalty * theta[i]
    return (loss + 0.5 * alpha * squares) / weight
