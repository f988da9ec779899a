"""The parameters' part of a mini-batch: gradient, penalty and update, tile by tile."""

from skgd.compile.jit import jit
from skgd.engine.passes import tile_gradient
from skgd.kernels.views import vector

__all__ = ["chunk_gradients", "update_tiles"]


@jit
def chunk_gradients(rows, order, network, work, kernels, step):
    """Write the gradient of all parameters over each of this thread's chunks of rows."""
    n_params = network.theta.shape[0]
    for row in range(step.first, step.last, step.chunk):
        step.row, step.stop = row, min(row + step.chunk, step.last)
        offset = row // step.chunk * n_params
        for index in range(network.tiles.shape[0]):
            tile = network.tiles[index]
            if not tile.is_summed:
                out = vector(work.gradient, offset + tile.begin, tile.end - tile.begin)
                tile_gradient(rows, order, network, work, kernels, step, tile, out)


@jit
def _add_chunks(tile, step, n_params, gradient, total):
    """Sum a tile's per-chunk gradients into the first."""
    for k in range(1, (step.rows + step.chunk - 1) // step.chunk):
        part = vector(gradient, k * n_params + tile.begin, total.shape[0])
        for i in range(total.shape[0]):
            total[i] += part[i]


@jit
def update_tiles(rows, epochs, network, work, kernels, settings, step, place):
    """Update this thread's tiles.

    As many as there is room for are updated at once, while their gradient is in the cache.

    Parameters
    ----------
    rows, epochs, network, work, kernels, settings, step
        As in :func:`skgd.engine.train.train`.

    place : tuple of (int, int)
        The epoch, and the update within this call.
    """
    epoch, index_of_update = place
    order, totals = epochs.orders[epoch], epochs.totals[epoch]
    coefficients = epochs.coefficients[index_of_update]
    tiles, n_params = network.tiles, network.theta.shape[0]
    step.strength = settings.alpha / step.weight
    step.row, step.stop = 0, step.rows
    index, last = settings.shares[step.thread], settings.shares[step.thread + 1]
    while index < last:
        step.tile = index
        begin = tiles[index].begin
        step.origin = 0 if settings.by_rows else begin
        stop = step.origin + work.gradient.shape[0]
        while index < last and tiles[index].end <= stop:
            tile = tiles[index]
            size = tile.end - tile.begin
            gradient = vector(work.gradient, tile.begin - step.origin, size)
            if settings.by_rows and not tile.is_summed:
                _add_chunks(tile, step, n_params, work.gradient, gradient)
            else:
                tile_gradient(rows, order, network, work, kernels, step, tile, gradient)
            index += 1
        step.tile_stop = index
        kernels.update(
            tiles, network.theta, network.state, work.gradient, coefficients, step, totals
        )
