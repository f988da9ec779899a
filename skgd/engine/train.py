"""The loop over mini-batches.

A compiled call runs many mini-batches. It allocates nothing, and its type depends only on
the dtype, not on the network, the solver or the data.

Threads that train together make the same call. Each thread runs the forward and the
backward pass for some chunks of rows, and then updates some tiles of the parameters.
Reading memory that other threads have written is slow. The threads therefore exchange the
smaller of two things: the activations and gradients of all rows, from which each thread
computes the gradient of its tiles; or the gradients over chunks of rows, which it sums. No
sum depends on the number of threads, so the result is bitwise the same for any number.
"""

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.calls import memory_of
from skgd.engine.passes import backward, evaluate, forward, gather
from skgd.engine.update import chunk_gradients, update_tiles
from skgd.kernels.pointers import pointer_to
from skgd.kernels.subnormals import flush_subnormals, restore
from skgd.kernels.views import row_of, vector
from skgd.parallel.barrier import barrier
from skgd.parallel.prefetch import prefetch
from skgd.parallel.share import share

__all__ = ["train"]


@jit
def train(rows, epochs, network, work, kernels, settings, steps):
    """Train for up to ``step.limit`` mini-batches; return the number of finished epochs.

    The arguments are the records of :mod:`skgd.engine.records`. ``work`` is this thread's
    memory. ``steps`` has one element, this thread's position in the training. The call
    returns when the limit is reached, even in the middle of an epoch, so that Python can
    handle signals. It also returns after the first epoch whose loss is not finite.
    """
    step, losses = steps[0], epochs.losses
    n_batches = epochs.bounds.shape[0] - 1
    memory = pointer_to(memory_of(rows, epochs.orders, network, work, kernels))
    mode = flush_subnormals()
    # Not the literal 0: Numba would compile the mini-batch a second time, for literals.
    epoch = updates = np.int64(0)
    while epoch < losses.shape[0] and step.limit > 0:
        step.order = epoch * epochs.orders.shape[1]
        step.start = epochs.bounds[step.batch]
        step.rows = epochs.bounds[step.batch + 1] - step.start
        step.weight = _total_weight(rows, epochs.orders[epoch], step)
        step.dropping = epochs.dropping[updates] if epochs.dropping.shape[0] > 0 else 1.0
        # If all weights are 0, there is no mean objective, and therefore no update.
        if step.weight > 0:
            place = epoch, updates
            _mini_batch(memory, epochs, network, work, kernels, settings, step, place)
            updates += 1
            step.update += 1
            step.counted += step.rows
        step.batch += 1
        step.limit -= 1
        if step.batch == n_batches:
            losses[epoch] = epochs.totals[epoch].sum() / step.counted
            step.batch = 0
            step.counted = 0
            epoch += 1
            if not abs(losses[epoch - 1]) < float("inf"):
                break
    restore(mode)
    return epoch


@jit
def _total_weight(rows, order, step):
    if rows.weight.shape[0] == 0:
        return float(step.rows)
    total = 0.0
    for i in range(step.start, step.start + step.rows):
        total += rows.weight[row_of(order, i)]
    return total


@jit
def _mini_batch(memory, epochs, network, work, kernels, settings, step, place):
    """Train on the mini-batch that ``step`` describes."""
    epoch, index_of_update = place
    n_chunks = (step.rows + step.chunk - 1) // step.chunk
    first, last = share(n_chunks, step.thread, step.n_threads)
    step.first, step.last = first * step.chunk, min(last * step.chunk, step.rows)
    gather(memory, step)
    forward(memory, kernels, step)
    # In the mean objective of an epoch, each mini-batch is weighted by its number of rows.
    share_of_weight = step.rows / step.weight
    for begin in range(step.first, step.last, step.chunk):
        bounds = begin, min(begin + step.chunk, step.last)
        loss = evaluate(memory, kernels, settings.loss, step, bounds)
        epochs.totals[epoch, begin // step.chunk] += share_of_weight * loss
    backward(memory, kernels, step)
    if step.n_threads > 1:
        # The other threads have read these parameters, too.
        prefetch(_own_parameters(network, settings.shares, step.thread))
    if settings.by_rows:
        chunk_gradients(memory, network, work, kernels, step)
    # The update needs the rows of all threads.
    barrier(work.arrivals, step.n_threads)
    update_tiles(memory, epochs, network, work, kernels, settings, step, place)
    if step.thread == 0 and epochs.averaging.shape[0] > 0:
        _average(network.running, epochs.averaging[index_of_update])
    # The next mini-batch needs the parameters of all threads.
    barrier(work.arrivals, step.n_threads)


@jit
def _average(running, part):
    """Move the averages, in the second half, by a part of the way to the first half."""
    n = running.shape[0] // 2
    for i in range(n):
        running[n + i] += part * (running[i] - running[n + i])


@jit
def _own_parameters(network, shares, thread):
    """View the parameters that a thread updates."""
    first, last = shares[thread], shares[thread + 1]
    if first == last:
        return vector(network.theta, 0, 0)
    begin = network.tiles[first].begin
    return vector(network.theta, begin, network.tiles[last - 1].end - begin)
