"""The life of a mini-batch: gather, forward, loss, backward, update.

One compiled call runs whole epochs. Nothing in it is allocated, and nothing in its type
depends on the network, the solver or the data, but for the dtype.

Threads that train together run the same call. Each takes some chunks of rows through the
network and then updates some tiles of the parameters. To read what other threads have
written is slow, so that it is the smaller of two things: the activations and errors of
their rows, for the gradient of a tile over all rows; or the gradients over their chunks, to
be added up. No sum is divided among threads, and no product is cut by their number: how
many there are does not change a bit of the result.
"""

from skgd.engine.batch_norm import update_running
from skgd.engine.jit import jit
from skgd.engine.layout import BIAS, END, GAMMA, INPUTS, NORMAL, OUTPUTS, WEIGHTS
from skgd.engine.passes import (
    backward,
    errors,
    forward,
    gather,
    gathered,
    outputs_of,
    sums_of,
)
from skgd.engine.products import column_sums, sparse_weight_gradient, weight_gradient
from skgd.engine.team import meet, share
from skgd.engine.views import matrix, vector

__all__ = [
    "BATCHES",
    "COUNTED",
    "COUNTS",
    "ROW",
    "UPDATES",
    "tile_gradient",
    "tile_range",
    "train",
]

# What `counts` holds: the updates of this solver's state, the mini-batches that the running
# statistics have seen, the next row of the epoch, and the rows that its loss is a mean of.
UPDATES = 0
BATCHES = 1
ROW = 2
COUNTED = 3
COUNTS = 4

# Parameters updated at a time: they stay in the first-level cache between the sum of their
# squares and their update.
PIECE = 2048


@jit
def _batch_end(start, n_samples, batch_size, normalised):
    """Return the row behind the mini-batch that begins at ``start``.

    A single last row has no variance: with batch normalization the last but one
    mini-batch takes it along.
    """
    stop = min(start + batch_size, n_samples)
    return n_samples if normalised and stop == n_samples - 1 else stop


@jit
def _total_weight(samples, order, start, rows):
    if samples.weight.shape[0] == 0:
        return float(rows)
    total = 0.0
    for i in range(start, start + rows):
        total += samples.weight[order[i] if order.shape[0] > 0 else i]
    return total


@jit
def _losses(n_targets, first, last, chunk, scale, share, table, buffers, evaluate, totals):
    """Write the errors of the last layer; add ``share`` times each chunk's loss."""
    final = table.shape[0] - 1
    for begin in range(first, last, chunk):
        end = min(begin + chunk, last)
        loss = evaluate(
            outputs_of(table, final, begin, end, buffers),
            matrix(buffers.y, begin * n_targets, end - begin, n_targets),
            vector(buffers.weight, begin, end - begin),
            buffers.weight.dtype.type(scale),
            errors(table, final, begin, end, buffers),
        )
        totals[begin // chunk] += share * loss


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
def tile_gradient(samples, order, start, row, stop, tile, table, buffers, out):
    """Write the gradient of a tile over the rows from ``row`` to ``stop``.

    Of the scale and shift of a normalised layer, it is always that over all rows.
    """
    layer, first, last = tile[0], tile[1], tile[2]
    outputs = table[layer, OUTPUTS]
    delta = errors(table, layer, row, stop, buffers)
    if first == last:
        if table[layer, NORMAL] < 0:
            column_sums(delta, out)
        else:
            sums = sums_of(table, layer, buffers)
            for j in range(outputs):
                out[j] = sums[0, j]
                out[outputs + j] = sums[1, j]
        return
    gradient = matrix(out, 0, last - first, outputs)
    if layer > 0:
        X = outputs_of(table, layer - 1, row, stop, buffers)
        weight_gradient(X, first, delta, gradient)
    elif samples.row_starts.shape[0] > 0:
        sparse_weight_gradient(samples, order, start + row, delta, gradient)
    else:
        X = gathered(samples, order, start, row, stop, table[0, INPUTS], buffers)
        weight_gradient(X, first, delta, gradient)


@jit
def _chunk_gradients(samples, order, start, first, last, chunk, network, buffers):
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
            tile_gradient(samples, order, start, row, stop, tile, table, buffers, out)


@jit
def _summed(begin, end, n_chunks, n_params, buffers):
    """Add up a tile's gradients over all chunks, in order, and view the sum."""
    total = vector(buffers.gradient, begin, end - begin)
    for k in range(1, n_chunks):
        part = vector(buffers.gradient, k * n_params + begin, end - begin)
        for i in range(total.shape[0]):
            total[i] += part[i]
    return total


@jit
def _slot(state, slot, start, size):
    """View the state of some parameters; nothing if the solver has no such slot."""
    if slot < state.shape[0]:
        return vector(state[slot], start, size)
    return vector(state.reshape(-1), 0, 0)


@jit
def _update_tile(network, begin, end, penalty, rate, t, update, hyper, gradient):
    """Update a tile; return the sum of its squares before, if there is a penalty."""
    squares = 0.0
    for start in range(begin, end, PIECE):
        size = min(PIECE, end - start)
        theta = vector(network.theta, start, size)
        if penalty > 0:
            piece = theta.dtype.type(0)
            for i in range(size):
                piece += theta[i] * theta[i]
            squares += piece
        update(
            theta,
            vector(gradient, start - begin, size),
            (_slot(network.state, 0, start, size), _slot(network.state, 1, start, size)),
            theta.dtype.type(penalty),
            rate,
            t,
            hyper,
        )
    return squares


@jit
def _follow(network, buffers, momentum, n_batches):
    """Update the running statistics of the normalised layers."""
    table = network.table
    for layer in range(table.shape[0]):
        normal, outputs = table[layer, NORMAL], table[layer, OUTPUTS]
        if normal >= 0:
            update_running(
                matrix(buffers.moments, 3 * normal, 3, outputs),
                momentum,
                n_batches,
                matrix(network.running, 2 * normal, 2, outputs),
            )


@jit
def train(
    samples,
    orders,
    n_seen,
    initial_rate,
    network,
    buffers,
    rules,
    settings,
    limit,
    counts,
    totals,
    losses,
    tiles,
    team,
):
    """Train for up to ``limit`` mini-batches; return the number of finished epochs.

    Parameters
    ----------
    samples : Samples
        The data.

    orders : ndarray of shape (n_epochs, n_samples) or (n_epochs, 0), dtype=int64
        The order of the rows in each epoch, or none to take them as they come.

    n_seen : ndarray of shape (n_epochs,), dtype=int64
        The samples seen before each epoch, for the schedule.

    initial_rate : float
        The learning rate that the schedule starts from.

    network, buffers, rules, settings : Network, Buffers, Rules, Settings
        Parameters and state, workspace, kernels, numbers.

    limit : int
        Where to stop, so that Python gets to handle signals: also within an epoch.

    counts : ndarray of shape (COUNTS,), dtype=int64
        This thread's record of where training stands; updated.

    totals : ndarray of shape (n_epochs, n_chunks + n_tiles), dtype=float64
        The sum of an epoch's losses, by the chunk of their mini-batch, and of the
        penalties; added to.

    losses : ndarray of shape (n_epochs,), dtype=float64
        Takes the mean objective of each finished epoch.

    tiles : ndarray of shape (n_threads + 1,), dtype=int64
        The first of the tiles that each thread updates, and their number.

    team : Team
        The threads.

    Returns
    -------
    int
        The epochs finished. After the first whose loss is not finite, training stops.
    """
    table, theta, thread = network.table, network.theta, team.thread
    n_samples, chunk = samples.y.shape[0], settings.chunk
    most_chunks = totals.shape[1] - network.tiles.shape[0]
    normalised = table[0, NORMAL] >= 0
    epoch = 0
    while epoch < losses.shape[0] and limit > 0:
        order = orders[epoch]
        start = counts[ROW]
        stop = _batch_end(start, n_samples, settings.batch_size, normalised)
        rows = stop - start
        weight = _total_weight(samples, order, start, rows)
        # A mini-batch without weight has no mean objective, and so no update.
        if weight > 0:
            first, last = share((rows + chunk - 1) // chunk, team)
            first, last = first * chunk, min(last * chunk, rows)
            gather(samples, order, start, first, last, buffers)
            forward(
                samples,
                order,
                start,
                rows,
                first,
                last,
                chunk,
                table,
                theta,
                buffers,
                rules.activate,
                theta.dtype.type(settings.norm_epsilon),
                team,
            )
            _losses(
                samples.y.shape[1],
                first,
                last,
                chunk,
                1.0 / weight,
                rows / weight,
                table,
                buffers,
                rules.evaluate,
                totals[epoch],
            )
            total = theta.dtype.type(weight)
            backward(
                rows,
                first,
                last,
                chunk,
                total,
                table,
                theta,
                buffers,
                rules.differentiate,
                team,
            )
            rate = rules.rate(
                initial_rate, counts[UPDATES], n_seen[epoch], settings.schedule
            )
            if settings.by_rows:
                _chunk_gradients(
                    samples, order, start, first, last, chunk, network, buffers
                )
            # Of the other threads' rows the errors, or gradients, are needed now,
            meet(team)
            for index in range(tiles[thread], tiles[thread + 1]):
                tile = network.tiles[index]
                begin, end = tile_range(table, tile)
                if settings.by_rows and (tile[1] < tile[2] or table[tile[0], NORMAL] < 0):
                    n_chunks = (rows + chunk - 1) // chunk
                    gradient = _summed(begin, end, n_chunks, theta.shape[0], buffers)
                else:
                    offset = begin if settings.by_rows else 0
                    gradient = vector(buffers.gradient, offset, end - begin)
                    tile_gradient(
                        samples, order, start, 0, rows, tile, table, buffers, gradient
                    )
                penalty = settings.alpha / weight if tile[1] < tile[2] else 0.0
                squares = _update_tile(
                    network,
                    begin,
                    end,
                    penalty,
                    rate,
                    counts[UPDATES],
                    rules.update,
                    settings.solver,
                    gradient,
                )
                totals[epoch, most_chunks + index] += 0.5 * penalty * squares * rows
            if normalised and thread == 0:
                _follow(network, buffers, settings.norm_momentum, counts[BATCHES])
            # and of their tiles the new parameters.
            meet(team)
            counts[UPDATES] += 1
            counts[BATCHES] += 1
            counts[COUNTED] += rows
        counts[ROW] = stop
        limit -= 1
        if stop == n_samples:
            losses[epoch] = totals[epoch].sum() / counts[COUNTED]
            counts[ROW] = 0
            counts[COUNTED] = 0
            epoch += 1
            if not abs(losses[epoch - 1]) < float("inf"):
                break
    return epoch
