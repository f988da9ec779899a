"""The objective over a block of rows and its gradient, for full-batch solvers."""

from skgd.engine.jit import jit
from skgd.engine.layout import INPUTS, OUTPUTS, WEIGHTS
from skgd.engine.passes import backward, errors, forward, gather, outputs_of
from skgd.engine.update import penalise, tile_gradient, tile_range
from skgd.engine.views import matrix, vector

__all__ = ["add_penalty", "block_objective"]


@jit
def block_objective(
    samples, in_order, start, rows, network, buffers, rules, weight, gradient, alone
):
    """Return the block's share of the mean objective, and write that of its gradient.

    Parameters
    ----------
    samples : Samples
        The data.

    in_order : ndarray of shape (0,), dtype=int64
        No permutation of the rows.

    start, rows : int
        The block.

    network, buffers, rules : Network, Buffers, Rules
        Parameters, room for the block, kernels.

    weight : float
        The sum of the weights of all samples.

    gradient : ndarray of shape (n_params,)
        Takes the gradient.

    alone : Team
        One thread: a block is not divided.

    Returns
    -------
    float
        The sum of the block's losses, divided by ``weight``.
    """
    table, theta = network.table, network.theta
    final = table.shape[0] - 1
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
        rules.multiply,
        rules.activate,
        theta.dtype.type(0),
        alone,
    )
    loss = rules.evaluate(
        outputs_of(table, final, 0, rows, buffers),
        matrix(buffers.y, 0, rows, samples.y.shape[1]),
        buffers.weight,
        theta.dtype.type(1.0 / weight),
        errors(table, final, 0, rows, buffers),
    )
    total = theta.dtype.type(weight)
    backward(
        rows,
        0,
        rows,
        rows,
        total,
        table,
        theta,
        buffers,
        rules.multiply,
        rules.differentiate,
        alone,
    )
    for index in range(network.layers.shape[0]):
        tile = network.layers[index]
        begin, end = tile_range(table, tile)
        out = vector(gradient, begin, end - begin)
        tile_gradient(
            samples,
            in_order,
            start,
            0,
            rows,
            tile,
            table,
            buffers,
            rules.multiply,
            out,
        )
    return loss / weight


@jit
def add_penalty(network, strength, gradient):
    """Return the penalty of the weights, and add its gradient.

    Parameters
    ----------
    network : Network
        The parameters.

    strength : float
        The penalty is half of this times the sum of the squares.

    gradient : ndarray of shape (n_params,)
        Added to.
    """
    table, squares = network.table, 0.0
    for layer in range(table.shape[0]):
        begin, size = table[layer, WEIGHTS], table[layer, INPUTS] * table[layer, OUTPUTS]
        squares += penalise(
            vector(network.theta, begin, size), vector(gradient, begin, size), strength
        )
    return 0.5 * strength * squares
