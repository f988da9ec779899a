"""The update of the parameters: gradient, penalty and the chain of steps, tile by tile."""

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.loops import PIECE
from skgd.engine.passes import tile_gradient
from skgd.kernels.views import vector
from skgd.parallel.barrier import barrier

__all__ = ["chunk_gradients", "penalize", "update_tiles"]


@jit
def update_tiles(memory, epochs, network, work, kernels, settings, step, place):
    """Update this thread's tiles.

    Tiles are updated as soon as ``work.gradient`` is full, while their gradient is in the
    cache. If a step needs the norm of the gradient, ``work.gradient`` has space for all
    tiles, and the threads wait for each other before the update. Each thread then sums the
    squares of all tiles in the same order. ``place`` is the epoch, and the index of the
    update in this call.
    """
    epoch, index_of_update = place
    tiles, coefficients = network.tiles, epochs.coefficients[index_of_update]
    is_whole, last = work.squares.shape[0] > 0, settings.shares[step.thread + 1]
    step.row, step.stop = 0, step.rows
    step.tile_stop = settings.shares[step.thread]
    while True:
        step.tile = step.tile_stop
        step.origin = 0
        if not (is_whole or settings.by_rows) and step.tile < last:
            step.origin = tiles[step.tile].begin
        _tile_gradients(memory, epochs, network, work, kernels, settings, step, epoch)
        if is_whole:
            barrier(work.arrivals, step.n_threads)
            step.norm = np.sqrt(work.squares.sum())
        kernels.update(
            tiles, network.theta, network.state, work.gradient, coefficients, step
        )
        if step.tile_stop == last:
            break


@jit
def _tile_gradients(memory, epochs, network, work, kernels, settings, step, epoch):
    """Write the gradient of this thread's tiles from ``step.tile`` on, with the penalty.

    ``step.tile_stop`` becomes the first tile that does not fit into ``work.gradient``. The
    penalty of each tile, times the rows of the mini-batch, is added to the totals of the
    epoch. The last items of the totals belong to the tiles.
    """
    totals = epochs.totals[epoch]
    tiles, theta, gradients = network.tiles, network.theta, work.gradient
    first_total = totals.shape[0] - tiles.shape[0]
    strength = settings.alpha / step.weight
    index, last = step.tile, settings.shares[step.thread + 1]
    while index < last and tiles[index].end <= step.origin + gradients.shape[0]:
        tile = tiles[index]
        size = tile.end - tile.begin
        gradient = vector(gradients, tile.begin - step.origin, size)
        if settings.by_rows and not tile.is_summed:
            _add_chunks(tile, step, theta.shape[0], gradients, gradient)
        else:
            tile_gradient(memory, kernels, step, tile, gradient)
        if tile.is_weights and strength > 0:
            squares = penalize(vector(theta, tile.begin, size), gradient, strength)
            totals[first_total + index] += 0.5 * strength * squares * step.rows
        if tile.is_weights and settings.absolute > 0:
            absolute = _absolute_sum(vector(theta, tile.begin, size)) * settings.absolute
            totals[first_total + index] += absolute / step.weight * step.rows
        if work.squares.shape[0] > 0:
            work.squares[index] = _sum_of_squares(gradient)
        index += 1
    step.tile_stop = index


@jit
def _add_chunks(tile, step, n_params, gradient, total):
    """Sum a tile's per-chunk gradients into the first."""
    for k in range(1, (step.rows + step.chunk - 1) // step.chunk):
        part = vector(gradient, k * n_params + tile.begin, total.shape[0])
        for i in range(total.shape[0]):
            total[i] += part[i]


@jit
def penalize(theta, gradient, strength):
    """Add the gradient of the penalty; return the sum of the squares.

    The penalty is ``strength / 2`` times this sum.
    """
    total = 0.0
    for start in range(0, theta.shape[0], PIECE):
        size = min(PIECE, theta.shape[0] - start)
        parameters, slopes = vector(theta, start, size), vector(gradient, start, size)
        squares, factor = theta.dtype.type(0), theta.dtype.type(strength)
        for i in range(size):
            squares += parameters[i] * parameters[i]
            slopes[i] += factor * parameters[i]
        total += squares
    return total


@jit
def _absolute_sum(theta):
    """Return the sum of the absolute values."""
    total = 0.0
    for i in range(theta.shape[0]):
        total += abs(np.float64(theta[i]))
    return total


@jit
def _sum_of_squares(gradient):
    """Return the sum of the squares in float64, since squares of float32 may overflow."""
    total = 0.0
    for i in range(gradient.shape[0]):
        total += np.float64(gradient[i]) * np.float64(gradient[i])
    return total


@jit
def chunk_gradients(memory, network, work, kernels, step):
    """Write the gradient of all parameters over each of this thread's chunks of rows."""
    n_params = network.theta.shape[0]
    for row in range(step.first, step.last, step.chunk):
        step.row, step.stop = row, min(row + step.chunk, step.last)
        offset = row // step.chunk * n_params
        for index in range(network.tiles.shape[0]):
            tile = network.tiles[index]
            if not tile.is_summed:
                out = vector(work.gradient, offset + tile.begin, tile.end - tile.begin)
                tile_gradient(memory, kernels, step, tile, out)
