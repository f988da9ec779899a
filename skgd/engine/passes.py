"""The passes of a thread over its rows: gather, forward, loss, backward, gradient.

The thread has the rows from ``step.first`` to ``step.last`` of the mini-batch, which are
whole chunks. Sums over rows are first computed for each chunk, so that they do not depend
on the number of threads. ``memory`` is a pointer to a ``Memory``.
"""

from skgd.compile.jit import jit
from skgd.engine.calls import per_row
from skgd.kernels.pointers import pointed_to
from skgd.kernels.views import matrix, row_of, vector

__all__ = ["backward", "evaluate", "forward", "gather", "tile_gradient"]


@jit
def gather(memory, step):
    """Copy this thread's rows into the shared memory.

    Features are copied only if the rows are shuffled or centered.
    """
    values, capacity = pointed_to(memory), step.capacity
    rows, orders, shared = values.rows, values.orders, values.shared
    n_targets, features = rows.y.shape[1], values.stages[0].inputs
    shuffled, weighted = orders.shape[0] > 0, rows.weight.shape[0] > 0
    centered = rows.center.shape[0] > 0
    for i in range(step.first, step.last):
        row = row_of(orders, step.order + step.start + i)
        if shuffled or centered:
            source = vector(rows.X, row * features, features)
            target = vector(shared, (1 + n_targets) * capacity + i * features, features)
            for j in range(features):
                target[j] = source[j] - rows.center[j] if centered else source[j]
        for k in range(n_targets):
            shared[capacity + i * n_targets + k] = rows.y[row, k]
        shared[i] = rows.weight[row] if weighted else 1


@jit
def forward(memory, kernels, step):
    """Write the outputs of all stages; those of the last stage are linear."""
    stages = pointed_to(memory).stages
    for index in range(stages.shape[0]):
        stage = stages[index]
        kernels.forward[stage.kind](stage, step, memory)


@jit
def evaluate(memory, kernels, numbers, step, bounds):
    """Write the gradient with respect to the linear outputs, for the rows in the bounds.

    Returns the weighted sum of their losses. ``numbers`` are the arguments of the loss.
    """
    values = pointed_to(memory)
    stage = values.stages[values.stages.shape[0] - 1]
    first, last = bounds
    n, n_targets = last - first, values.rows.y.shape[1]
    targets = per_row(values, step, 1, n_targets, bounds)
    outputs = per_row(values, step, stage.value, stage.outputs, bounds)
    delta = per_row(values, step, stage.delta, stage.outputs, bounds)
    return kernels.evaluate(
        matrix(outputs, 0, n, stage.outputs),
        matrix(targets, 0, n, n_targets),
        vector(values.shared, first, n),
        values.shared.dtype.type(1.0 / step.weight),
        numbers,
        matrix(delta, 0, n, stage.outputs),
    )


@jit
def backward(memory, kernels, step):
    """Write the gradient with respect to the inputs of each stage but the first."""
    stages = pointed_to(memory).stages
    for index in range(stages.shape[0] - 1, 0, -1):
        stage = stages[index]
        if stage.source_delta >= 0:
            kernels.backward[stage.kind](stage, step, memory)


@jit
def tile_gradient(memory, kernels, step, tile, out):
    """Write the gradient of a tile over the rows from ``step.row`` to ``step.stop``.

    If the backward pass has already summed the gradient, it is the one over all rows.
    """
    stage = pointed_to(memory).stages[tile.stage]
    step.parameter = tile.begin - stage.begin
    kernels.gradient[stage.kind](stage, step, memory, out)
