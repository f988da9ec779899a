"""The life of a mini-batch: gather, forward, loss, backward, update.

One compiled call runs whole epochs. Nothing in it is allocated, and nothing in its type
depends on the network, the solver or the data, but for the dtype.

Threads that train together run the same call. Each takes some chunks of rows through the
network and then updates some tiles of the parameters. To read what other threads have
written is slow, so that it is the smaller of two things: the activations and errors of
their rows, for the gradient of a tile over all rows; or the gradients over their chunks, to
be added up. No sum is divided among threads: how many there are does not change a bit of
the result.
"""

from skgd.engine.batch_norm import effective_rows, update_running
from skgd.engine.jit import jit
from skgd.engine.layout import NORMAL, OUTPUTS
from skgd.engine.passes import backward, errors, forward, gather, outputs_of
from skgd.engine.subnormals import flush_subnormals, restore
from skgd.engine.team import claim, meet, share
from skgd.engine.update import chunk_gradients, tile_range, update_tiles
from skgd.engine.views import matrix, vector

__all__ = ["COUNTED", "COUNTS", "ROW", "UPDATES", "batch_end", "train"]

# What `counts` holds: the updates of this solver's state, the next row of the epoch, and
# the rows that its loss is a mean of.
UPDATES = 0
ROW = 1
COUNTED = 2
COUNTS = 3


@jit
def batch_end(start, n_samples, batch_size, normalised):
    """Return the row after the mini-batch that begins at ``start``.

    With batch normalization, the rows are spread evenly: a short last mini-batch would
    have moments of few rows. A single row has no variance, so there are at least two.
    """
    rows = n_samples - start
    if not normalised:
        return start + min(rows, batch_size)
    n_batches = min((rows + batch_size - 1) // batch_size, max(rows // 2, 1))
    return start + (rows + n_batches - 1) // n_batches


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
def _follow(network, buffers, rows, momentum):
    """Update the running statistics of the normalised layers."""
    table, seen = network.table, network.running_rows
    count = effective_rows(vector(buffers.weight, 0, rows))
    seen[0] = momentum * seen[0] + count
    for layer in range(table.shape[0]):
        normal, outputs = table[layer, NORMAL], table[layer, OUTPUTS]
        if normal >= 0:
            update_running(
                matrix(buffers.moments, 3 * normal, 3, outputs),
                count / seen[0],
                matrix(network.running, 2 * normal, 2, outputs),
            )


@jit
def _parameters_of(table, theta, tiles):
    """View the parameters of tiles that follow each other."""
    if tiles.shape[0] == 0:
        return vector(theta, 0, 0)
    begin, _ = tile_range(table, tiles[0])
    _, end = tile_range(table, tiles[-1])
    return vector(theta, begin, end - begin)


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
    normalised = table[0, NORMAL] >= 0
    mine = _parameters_of(table, theta, network.tiles[tiles[thread] : tiles[thread + 1]])
    mode = flush_subnormals()
    epoch = 0
    while epoch < losses.shape[0] and limit > 0:
        order = orders[epoch]
        start = counts[ROW]
        stop = batch_end(start, n_samples, settings.batch_size, normalised)
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
                rules.multiply,
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
                rules.multiply,
                rules.differentiate,
                team,
            )
            rate = rules.rate(
                initial_rate, counts[UPDATES], n_seen[epoch], settings.schedule
            )
            if team.n_threads > 1:
                # The other threads have read them, too.
                claim(mine)
            if settings.by_rows:
                chunk_gradients(
                    samples,
                    order,
                    start,
                    first,
                    last,
                    chunk,
                    network,
                    buffers,
                    rules.multiply,
                )
            # Of the other threads' rows the errors, or gradients, are needed now,
            meet(team)
            update_tiles(
                samples,
                order,
                start,
                rows,
                tiles[thread],
                tiles[thread + 1],
                weight,
                rate,
                counts[UPDATES],
                network,
                buffers,
                rules,
                settings,
                totals[epoch],
            )
            if normalised and thread == 0:
                _follow(network, buffers, rows, settings.norm_momentum)
            # and of their tiles the new parameters.
            meet(team)
            counts[UPDATES] += 1
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
    restore(mode)
    return epoch
