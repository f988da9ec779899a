"""The objective of a block of rows and its gradient, for full-batch solvers."""

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.calls import memory_of
from skgd.engine.passes import backward, evaluate, forward, gather, tile_gradient
from skgd.kernels.pointers import pointer_to
from skgd.kernels.views import vector

__all__ = ["IN_ORDER", "add_penalty", "block_objective"]

# The argument for "no permutation of the rows".
IN_ORDER = np.empty(0, dtype=np.int64)


@jit
def block_objective(rows, order, network, work, kernels, numbers, step, gradient):
    """Return the block's part of the mean objective, and write its part of the gradient.

    Parameters
    ----------
    rows : Rows
        The data.

    order : ndarray of shape (0,), dtype=int64
        Empty, since the rows are not permuted.

    network, work, kernels : Network, Work, Kernels
        The parameters, the memory for the block, and the compiled functions.

    numbers : ndarray, dtype=float64
        The arguments of the loss.

    step : record of STEP
        The position of the block, and the sum of the weights of all samples.

    gradient : ndarray of shape (n_params,)
        Output: the gradient.

    Returns
    -------
    float
        The sum of the block's losses, divided by ``step.weight``.
    """
    step.first, step.last = 0, step.rows
    step.row, step.stop = 0, step.rows
    memory = pointer_to(memory_of(rows, order, network, work, kernels))
    gather(memory, step)
    forward(memory, kernels, step)
    loss = evaluate(memory, kernels, numbers, step, (0, step.rows))
    backward(memory, kernels, step)
    for index in range(network.tiles.shape[0]):
        tile = network.tiles[index]
        out = vector(gradient, tile.begin, tile.end - tile.begin)
        tile_gradient(memory, kernels, step, tile, out)
    return loss / step.weight


@jit
def add_penalty(network, strength, gradient):
    """Return the penalty of the weights, and add its gradient.

    Parameters
    ----------
    network : Network
        The parameters.

    strength : float
        The penalty is ``strength / 2`` times the sum of the squares.

    gradient : ndarray of shape (n_params,)
        The gradient to which that of the penalty is added.
    """
    squares = 0.0
    for index in range(network.tiles.shape[0]):
        tile = network.tiles[index]
        if tile.is_weights:
            for i in range(tile.begin, tile.end):
                squares += network.theta[i] * network.theta[i]
                gradient[i] += strength * network.theta[i]
    return 0.5 * strength * squares
