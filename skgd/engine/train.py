"""The life of a mini-batch: gather, forward, loss, backward, update.

One compiled call runs whole epochs. Nothing in it is allocated, and nothing in its type
depends on the network, the solver or the data, but for the dtype.
"""

from skgd.engine.batch_norm import update_running
from skgd.engine.jit import jit
from skgd.engine.layout import END, INPUTS, NORMAL, OUTPUTS, WEIGHTS
from skgd.engine.passes import backward, forward, gather, layer_output
from skgd.engine.views import matrix

__all__ = ["BATCHES", "COUNTED", "COUNTS", "ROW", "UPDATES", "train"]

# What `counts` holds: the updates of this solver's state, the mini-batches that the running
# statistics have seen, the next row of the epoch, and the rows that its loss is a mean of.
UPDATES = 0
BATCHES = 1
ROW = 2
COUNTED = 3
COUNTS = 4

# Parameters that fit the first-level cache together with their gradient and state.
TILE = 1024


@jit
def _batch_end(start, n_samples, batch_size, normalised):
    """Return the row behind the mini-batch that begins at ``start``.

    A single last row has no variance: with batch normalization the last but one
    mini-batch takes it along.
    """
    stop = min(start + batch_size, n_samples)
    return n_samples if normalised and stop == n_samples - 1 else stop


@jit
def _update(network, penalty, rate, t, update, hyper):
    """Update all parameters; return the sum of the squared weights before.

    The penalty acts on the weights, not on biases and scales.
    """
    table, theta = network.table, network.theta
    squares = 0.0
    for layer in range(table.shape[0]):
        start = table[layer, WEIGHTS]
        stop = start + table[layer, INPUTS] * table[layer, OUTPUTS]
        while start < stop:
            end = min(start + TILE, stop)
            if penalty > 0:
                tile = theta.dtype.type(0)
                for i in range(start, end):
                    tile += theta[i] * theta[i]
                squares += tile
            update(
                theta,
                network.gradient,
                network.state,
                start,
                end,
                theta.dtype.type(penalty),
                rate,
                t,
                hyper,
            )
            start = end
        update(
            theta,
            network.gradient,
            network.state,
            stop,
            table[layer, END],
            theta.dtype.type(0),
            rate,
            t,
            hyper,
        )
    return squares


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
    total,
    losses,
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
        Where training stands; updated.

    total : ndarray of shape (1,), dtype=float64
        The sum of the current epoch's losses so far; updated.

    losses : ndarray of shape (n_epochs,), dtype=float64
        Takes the mean objective of each finished epoch.

    Returns
    -------
    int
        The epochs finished. After the first whose loss is not finite, training stops.
    """
    table, theta = network.table, network.theta
    n_samples, n_targets = samples.y.shape
    n_outputs = table[-1, OUTPUTS]
    normalised = table[0, NORMAL] >= 0
    epoch = 0
    while epoch < losses.shape[0] and limit > 0:
        order = orders[epoch]
        start = counts[ROW]
        stop = _batch_end(start, n_samples, settings.batch_size, normalised)
        rows = stop - start
        weight = gather(samples, order, start, rows, buffers)
        # A mini-batch without weight has no mean objective, and so no update.
        if weight > 0:
            forward(
                samples,
                order,
                start,
                rows,
                table,
                theta,
                buffers,
                rules.activate,
                theta.dtype.type(settings.norm_epsilon),
            )
            loss = rules.evaluate(
                layer_output(table, table.shape[0] - 1, rows, buffers),
                matrix(buffers.y, 0, rows, n_targets),
                buffers.weight,
                theta.dtype.type(1.0 / weight),
                matrix(buffers.delta, 0, rows, n_outputs),
            )
            backward(
                samples,
                order,
                start,
                rows,
                table,
                theta,
                network.gradient,
                buffers,
                rules.differentiate,
            )
            squares = _update(
                network,
                settings.alpha / weight,
                rules.rate(initial_rate, counts[UPDATES], n_seen[epoch], settings.schedule),
                counts[UPDATES],
                rules.update,
                settings.solver,
            )
            if normalised:
                _follow(network, buffers, settings.norm_momentum, counts[BATCHES])
            total[0] += (loss + 0.5 * settings.alpha * squares) / weight * rows
            counts[UPDATES] += 1
            counts[BATCHES] += 1
            counts[COUNTED] += rows
        counts[ROW] = stop
        limit -= 1
        if stop == n_samples:
            losses[epoch] = total[0] / counts[COUNTED]
            total[0] = 0
            counts[ROW] = 0
            counts[COUNTED] = 0
            epoch += 1
            if not abs(losses[epoch - 1]) < float("inf"):
                break
    return epoch


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
