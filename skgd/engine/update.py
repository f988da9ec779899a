"""The parameters' part of a mini-batch: gradient, penalty and update, tile by tile."""

import numpy as np

from skgd.engine.jit import jit
from skgd.engine.layout import BIAS, END, GAMMA, INPUTS, NORMAL, OUTPUTS, WEIGHTS
from skgd.engine.passes import errors, gathered, outputs_of, sums_of
from skgd.engine.products import column_sums, sparse_weight_gradient, weight_gradient
from skgd.engine.views import matrix, vector

__all__ = ["chunk_gradients", "penalise", "tile_gradient", "tile_range", "update_tiles"]

# Parameters in a loop, at most: with their gradient and state they stay in the first-level
# cache, and sums of squares are of so many in their own precision.
PIECE = 2048


@jit
def tile_range(table, tile):
    """Return where a tile begins and ends in ``theta``."""
    layer, first, last = tile[0], tile[1], tile[2]
    if first < last:
        begin, outputs = table[layer, WEIGHTS], table[layer, OUTPUTS]
        return begin + first * outputs, begin + last * outputs
    if table[layer, NORMAL] >= 0:
        return table[layer, GAMMA], table[layer, END]
    return table[layer, BIAS], table[layer, END]


@jit
def tile_gradient(samples, order, start, row, stop, tile, table, buffers, multiply, out):
    """Write the gradient of a tile over the rows from ``row`` to ``stop``.

    Of the scale and shift of a normalised layer, it is always that over all rows.
    """
    layer, first, last = tile[0], tile[1], tile[2]
    outputs = table[layer, OUTPUTS]
    delta = errors(table, layer, row, stop, buffers)
    if first == last:
        if table[layer, NORMAL] < 0:
            column_sums(delta, out, multiply, buffers.room)
        else:
            sums = sums_of(table, layer, buffers)
            for j in range(outputs):
                out[j] = sums[0, j]
                out[outputs + j] = sums[1, j]
        return
    gradient = matrix(out, 0, last - first, outputs)
    if layer > 0:
        X = outputs_of(table, layer - 1, row, stop, buffers)
        weight_gradient(X, first, delta, gradient, multiply, buffers.room)
    elif samples.row_starts.shape[0] > 0:
        sparse_weight_gradient(samples, order, start + row, delta, gradient)
    else:
        X = gathered(samples, order, start, row, stop, table[0, INPUTS], buffers)
        weight_gradient(X, first, delta, gradient, multiply, buffers.room)


@jit
def chunk_gradients(samples, order, start, first, last, chunk, network, buffers, multiply):
    """Write the gradient of all parameters over each of this thread's chunks of rows."""
    table, layers = network.table, network.layers
    for row in range(first, last, chunk):
        stop = min(row + chunk, last)
        offset = row // chunk * network.theta.shape[0]
        for index in range(layers.shape[0]):
            tile = layers[index]
            if tile[1] == tile[2] and table[tile[0], NORMAL] >= 0:
                continue
            begin, end = tile_range(table, tile)
            out = vector(buffers.gradient, offset + begin, end - begin)
            tile_gradient(
                samples, order, start, row, stop, tile, table, buffers, multiply, out
            )


@jit
def _add_chunks(begin, n_chunks, n_params, buffers, total):
    """Add to a tile's gradient over the first chunk of rows those over the others."""
    for k in range(1, n_chunks):
        part = vector(buffers.gradient, k * n_params + begin, total.shape[0])
        for i in range(total.shape[0]):
            total[i] += part[i]


@jit
def _slot(state, slot, start, size):
    """View the state of some parameters; nothing if the solver has no such slot."""
    if slot < state.shape[0]:
        return vector(state[slot], start, size)
    return vector(state.reshape(-1), 0, 0)


@jit
def penalise(theta, gradient, strength):
    """Add the gradient of half of ``strength`` times the sum of squares; return the sum."""
    squares = theta.dtype.type(0)
    for i in range(theta.shape[0]):
        squares += theta[i] * theta[i]
        gradient[i] += strength * theta[i]
    return squares


@jit
def _penalty(network, tile, begin, end, strength, gradient):
    """Add the gradient of the penalty, if a tile has one; return the sum of its squares."""
    squares = 0.0
    if tile[1] < tile[2] and strength > 0:
        for start in range(begin, end, PIECE):
            size = min(PIECE, end - start)
            squares += penalise(
                vector(network.theta, start, size),
                vector(gradient, start - begin, size),
                network.theta.dtype.type(strength),
            )
    return squares


@jit
def _update(network, begin, end, rate, t, update, hyper, gradient):
    """Update the parameters from ``begin`` to ``end``."""
    for start in range(begin, end, PIECE):
        size = min(PIECE, end - start)
        update(
            vector(network.theta, start, size),
            vector(gradient, start - begin, size),
            (_slot(network.state, 0, start, size), _slot(network.state, 1, start, size)),
            rate,
            t,
            hyper,
        )


@jit
def update_tiles(
    samples,
    order,
    start,
    rows,
    index,
    last,
    weight,
    rate,
    t,
    network,
    buffers,
    rules,
    settings,
    totals,
):
    """Update the parameters of the tiles from ``index`` to ``last``.

    As many as there is room for are updated at once, while their gradient is in the cache.

    Parameters
    ----------
    samples, order, start, rows
        The mini-batch, as in :func:`skgd.engine.train.train`.

    index, last : int
        The tiles of this thread.

    weight : float
        The sum of the weights of the mini-batch.

    rate : float
        The learning rate.

    t : int
        The updates before this one.

    network, buffers, rules, settings : Network, Buffers, Rules, Settings
        Parameters and state, workspace, kernels, numbers.

    totals : ndarray of shape (n_chunks + n_tiles,), dtype=float64
        Of an epoch; ``rows`` times the penalty of each tile is added.
    """
    table, n_params = network.table, network.theta.shape[0]
    strength = settings.alpha / weight
    first_penalty = totals.shape[0] - network.tiles.shape[0]
    n_chunks = (rows + settings.chunk - 1) // settings.chunk
    # For a literal zero Numba would compile the gradients a second time.
    first_row = np.int64(0)
    while index < last:
        begin, end = tile_range(table, network.tiles[index])
        base = 0 if settings.by_rows else begin
        stop = base + buffers.gradient.shape[0]
        while index < last:
            tile = network.tiles[index]
            tile_begin, tile_end = tile_range(table, tile)
            if tile_end > stop:
                break
            gradient = vector(buffers.gradient, tile_begin - base, tile_end - tile_begin)
            if settings.by_rows and (tile[1] < tile[2] or table[tile[0], NORMAL] < 0):
                _add_chunks(tile_begin, n_chunks, n_params, buffers, gradient)
            else:
                tile_gradient(
                    samples,
                    order,
                    start,
                    first_row,
                    rows,
                    tile,
                    table,
                    buffers,
                    rules.multiply,
                    gradient,
                )
            squares = _penalty(network, tile, tile_begin, tile_end, strength, gradient)
            totals[first_penalty + index] += 0.5 * strength * squares * rows
            end = tile_end
            index += 1
        _update(
            network,
            begin,
            end,
            rate,
            t,
            rules.update,
            settings.solver,
            vector(buffers.gradient, begin - base, end - begin),
        )
