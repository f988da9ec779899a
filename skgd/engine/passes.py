"""A block of rows forward through the stages, and the gradient by them backward.

A thread takes the rows of a mini-batch from ``step.first`` to ``step.last``, in whole
chunks. Sums over rows are summed by chunks first, so that a result does not depend on the
number of threads.
"""

from skgd.compile.jit import jit
from skgd.engine import dense
from skgd.engine.dense import DENSE
from skgd.engine.records import StageWork
from skgd.kernels.views import matrix, row_of, vector

__all__ = ["backward", "evaluate", "forward", "gather", "tile_gradient"]


@jit
def gather(rows, order, network, work, step):
    """Copy this thread's rows into the shared memory.

    An empty ``order`` stands for the rows as they come. Their features stay in place,
    unless something is subtracted from them.
    """
    shared, capacity = work.shared, step.capacity
    n_targets, features = rows.y.shape[1], network.stages[0].inputs
    shuffled, weighted = order.shape[0] > 0, rows.weight.shape[0] > 0
    centered = rows.center.shape[0] > 0
    for i in range(step.first, step.last):
        row = row_of(order, step.start + i)
        if shuffled or centered:
            source = vector(rows.X, row * features, features)
            target = vector(shared, (1 + n_targets) * capacity + i * features, features)
            for j in range(features):
                target[j] = source[j] - rows.center[j] if centered else source[j]
        for k in range(n_targets):
            shared[capacity + i * n_targets + k] = rows.y[row, k]
        shared[i] = rows.weight[row] if weighted else 1


@jit
def forward(rows, order, network, work, kernels, step):
    """Write the outputs of all stages; the last stay linear."""
    bounds = step.first, step.last
    for index in range(network.stages.shape[0]):
        stage = network.stages[index]
        parameters = _parameters(network, stage)
        outputs = _per_row(work, step, stage.value, stage.outputs, bounds)
        memory = _stage_work(network, work, kernels, stage)
        if stage.is_group:
            kernels.add_group[stage.kind](
                stage, step, rows, order, parameters, outputs, memory
            )
            continue
        inputs = _inputs(rows, order, work, step, stage, bounds)
        if stage.kind == DENSE:
            dense.forward(stage, step, inputs, parameters, outputs, memory)
        else:
            kernels.forward[stage.kind](stage, step, inputs, parameters, outputs, memory)


@jit
def evaluate(rows, network, work, kernels, numbers, step, bounds):
    """Write the gradient by the last outputs, of the rows within the bounds.

    Returns the sum of the weighted losses.
    """
    stage = network.stages[network.stages.shape[0] - 1]
    first, last = bounds
    n, n_targets = last - first, rows.y.shape[1]
    targets = _per_row(work, step, 1, n_targets, bounds)
    outputs = _per_row(work, step, stage.value, stage.outputs, bounds)
    delta = _per_row(work, step, stage.delta, stage.outputs, bounds)
    return kernels.evaluate(
        matrix(outputs, 0, n, stage.outputs),
        matrix(targets, 0, n, n_targets),
        vector(work.shared, first, n),
        work.shared.dtype.type(1.0 / step.weight),
        numbers,
        matrix(delta, 0, n, stage.outputs),
    )


@jit
def backward(rows, order, network, work, kernels, step):
    """Write the gradient by the inputs of all stages, from that by the last outputs."""
    bounds = step.first, step.last
    for index in range(network.stages.shape[0] - 1, 0, -1):
        stage = network.stages[index]
        if stage.source_delta < 0:
            continue
        inputs = _inputs(rows, order, work, step, stage, bounds)
        parameters = _parameters(network, stage)
        outputs = _per_row(work, step, stage.value, stage.outputs, bounds)
        delta = _per_row(work, step, stage.delta, stage.outputs, bounds)
        source = _per_row(work, step, stage.source_delta, stage.inputs, bounds)
        memory = _stage_work(network, work, kernels, stage)
        if stage.kind == DENSE:
            dense.backward(stage, step, inputs, parameters, outputs, delta, source, memory)
        else:
            kernels.backward[stage.kind](
                stage, step, inputs, parameters, outputs, delta, source, memory
            )


@jit
def tile_gradient(rows, order, network, work, kernels, step, tile, out):
    """Write the gradient of a tile over the rows from ``step.row`` to ``step.stop``.

    If the backward pass has summed it, it is that over all rows.
    """
    stage = network.stages[tile.stage]
    bounds = step.row, step.stop
    step.parameter = tile.begin - stage.begin
    delta = _per_row(work, step, stage.delta, stage.outputs, bounds)
    parameters = _parameters(network, stage)
    memory = _stage_work(network, work, kernels, stage)
    if stage.is_group:
        kernels.group_gradient[stage.kind](
            stage, step, rows, order, parameters, delta, out, memory
        )
        return
    inputs = _inputs(rows, order, work, step, stage, bounds)
    if stage.kind == DENSE:
        dense.gradient(stage, step, inputs, parameters, delta, out, memory)
    else:
        kernels.gradient[stage.kind](stage, step, inputs, parameters, delta, out, memory)


@jit
def _inputs(rows, order, work, step, stage, bounds):
    """View the inputs of a stage, of the rows within the bounds."""
    first, last = bounds
    n = (last - first) * stage.inputs
    if stage.source >= 0:
        start = stage.source * step.capacity + first * stage.inputs
        return vector(work.shared, start, n)
    if order.shape[0] > 0 or rows.center.shape[0] > 0:
        start = (1 + rows.y.shape[1]) * step.capacity + first * stage.inputs
        return vector(work.shared, start, n)
    return vector(rows.X, (step.start + first) * stage.inputs, n)


@jit
def _per_row(work, step, place, width, bounds):
    """View what is kept for each row, of the rows within the bounds."""
    first, last = bounds
    return vector(
        work.shared, place * step.capacity + first * width, (last - first) * width
    )


@jit
def _parameters(network, stage):
    return vector(network.theta, stage.begin, stage.end - stage.begin)


@jit
def _stage_work(network, work, kernels, stage):
    return StageWork(
        work.shared,
        work.own,
        work.arrivals,
        vector(network.running, stage.running, stage.n_running),
        vector(network.numbers, stage.numbers, stage.n_numbers),
        kernels.multiply,
    )
