"""The objective over all rows and its gradient, for full-batch solvers."""

from skgd.engine.jit import jit
from skgd.engine.layout import INPUTS, OUTPUTS, WEIGHTS
from skgd.engine.passes import backward, errors, forward, gather, outputs_of
from skgd.engine.train import tile_gradient, tile_range
from skgd.engine.views import matrix, vector

__all__ = ["objective"]


@jit
def objective(samples, in_order, network, buffers, rules, alpha, weight, gradient, alone):
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

    alone : Team
        One thread.

    Returns
    -------
    float
        The objective.
    """
    table, theta = network.table, network.theta
    final = table.shape[0] - 1
    n_samples, n_targets = samples.y.shape
    block = buffers.weight.shape[0]
    loss = 0.0
    gradient[:] = 0
    for start in range(0, n_samples, block):
        rows = min(block, n_samples - start)
        gather(samples, in_order, start, 0, rows, buffers)
        forward(
            samples,
            in_order,
            start,
            rows,
            0,
            rows,
            rows,
            table,
            theta,
            buffers,
            rules.activate,
            theta.dtype.type(0),
            alone,
        )
        loss += rules.evaluate(
            outputs_of(table, final, 0, rows, buffers),
            matrix(buffers.y, 0, rows, n_targets),
            buffers.weight,
            theta.dtype.type(1.0 / weight),
            errors(table, final, 0, rows, buffers),
        )
        total = theta.dtype.type(weight)
        backward(
            rows, 0, rows, rows, total, table, theta, buffers, rules.differentiate, alone
        )
        for index in range(network.tiles.shape[0]):
            tile = network.tiles[index]
            begin, end = tile_range(table, tile)
            out = vector(buffers.gradient, 0, end - begin)
            tile_gradient(samples, in_order, start, 0, rows, tile, table, buffers, out)
            for i in range(begin, end):
                gradient[i] += out[i - begin]
    squares = 0.0
    for layer in range(table.shape[0]):
        begin = table[layer, WEIGHTS]
        for i in range(begin, begin + table[layer, INPUTS] * table[layer, OUTPUTS]):
            squares += theta[i] * theta[i]
            gradient[i] += alpha / weight * theta[i]
    return (loss + 0.5 * alpha * squares) / weight
