"""The records that are the arguments of kernels, such as rows, network, work and step.

Numbers that change from call to call are in NumPy records, and kernels get a pointer to
them. Arrays are in named tuples.
"""

from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "APART",
    "STAGE",
    "STEP",
    "TILE",
    "Epochs",
    "Kernels",
    "Memory",
    "Network",
    "Rows",
    "Settings",
    "StageWork",
    "Work",
    "make_steps",
]

# The distance between numbers that different threads write to: a cache line of float32, or
# two of float64, which processors fetch as a pair. Arrays of rows begin at multiples of it.
APART = 16


def _record(integers, floats=""):
    """Make a dtype whose items have their fields as attributes.

    Arrays of this dtype are not of the class ``recarray``. Numba would look for an
    attribute of it at each call, NumPy would run Python code for that, and Numba would lose
    a Ctrl-C that arrives meanwhile.
    """
    fields: list[tuple[str, type]] = [(name, np.int64) for name in integers.split()]
    fields += [(name, np.float64) for name in floats.split()]
    return np.dtype((np.record, np.dtype(fields, align=True)))


# A stage of the network.
#   kind: the index of its kernels in the tuples of pointers
#   inputs, outputs: the widths
#   source, value: the places of its inputs and outputs in the shared memory. An array at
#     place p begins at p * capacity. The source -1 stands for the rows of the data
#   source_delta, delta: the places of the gradients with respect to them; -1: not needed
#   begin, end: its parameters
#   numbers, running: where its hyperparameters and its running statistics begin;
#     n_numbers, n_running: how many there are
#   own, part: where its memory begins in that of a thread, and in that of a chunk
STAGE = _record(
    "kind inputs outputs source value source_delta delta begin end "
    "numbers n_numbers running n_running own part"
)

# A tile: parameters whose gradient is computed at once.
#   stage: the index of their stage; begin, end: the parameters
#   is_weights: whether the penalty acts on them
#   is_summed: whether the backward pass has summed their gradient over all rows
#   factor: the index of their row of the coefficients
TILE = _record("stage begin end is_weights is_summed factor")

# The position of a thread in the training. The first line of fields is set once.
#   seed: the seed of the random numbers
#   capacity: the rows that the shared memory has space for; chunk: the rows of a chunk
#   parts, part_size: where the memory of the chunks begins, and the size of each
#   batch, update: the number of mini-batches of this epoch, and of updates, so far
#   counted: the number of rows in the epoch's loss so far
#   order: where the order of the epoch's rows begins
#   limit: the mini-batches until the call returns to Python
#   start, rows: the first row of the mini-batch, and the number of its rows
#   first, last: the rows of the mini-batch that are this thread's
#   row, stop: the rows of a gradient; parameter: its first parameter, within the stage
#   tile, tile_stop: the tiles to update; origin: the parameter of the first gradient
#   weight: the sum of the sample weights
#   norm: the norm of the gradient of all parameters, if a step needs it
#   dropping: the factor of the dropout rates
STEP = _record(
    "seed capacity chunk parts part_size thread n_threads "
    "batch update counted order limit start rows first last row stop parameter "
    "tile tile_stop origin",
    "weight norm dropping",
)


def make_steps(n_threads, **fields):
    """Make an array of one STEP for each thread, in separate cache lines."""
    size = -(-STEP.itemsize // 128) * 128
    memory = np.zeros((n_threads + 1) * size, dtype=np.uint8)
    skip = -memory.ctypes.data % 128
    steps = []
    for thread in range(n_threads):
        start = skip + thread * size
        step = memory[start : start + STEP.itemsize].view(STEP)
        for name, value in {"thread": thread, "n_threads": n_threads, **fields}.items():
            step[name] = value
        steps.append(step)
    return steps


class Rows(NamedTuple):
    """The data, read-only. Absent parts are empty arrays."""

    X: Any  # dense rows, one after the other
    values: Any  # sparse rows: `data` of a CSR matrix
    columns: Any  # its `indices` (int32)
    row_starts: Any  # its `indptr` (int64)
    codes: Any  # categories (uint16), row by row
    bins: Any  # piecewise-linear columns: the bin of each value (uint16), row by row
    fractions: Any  # the position of each value within its bin
    y: Any  # targets of shape (n_samples, n_targets), in the dtype of X
    weight: Any  # sample weights; empty if all are 1
    center: Any  # subtracted from the features in training; empty for zeros


class Network(NamedTuple):
    """The stages and their parameters, in flat arrays. Predictions need no state."""

    stages: Any  # of STAGE, in the order of the forward pass
    tiles: Any  # of TILE, in the order of the parameters; None for predictions
    theta: Any  # the parameters
    state: Any  # of shape (n_slots, n_params): the slots of the steps of the update
    running: Any  # float64: running statistics of the stages, then their averages, if any
    numbers: Any  # float64: the hyperparameters of the stages


class Work(NamedTuple):
    """The memory of a mini-batch, for one thread."""

    # Shared by all threads. For each row: its weight, targets and features, and the outputs
    # of the stages with their gradients. Then the memory of each chunk.
    shared: Any
    own: Any  # scratch memory of the thread: for products, then for the stages
    # The gradient of some of the thread's tiles. If a step needs the norm, the gradient of
    # all parameters. With `by_rows`, that of all parameters over each chunk. In these two
    # cases, all threads share it.
    gradient: Any
    arrivals: Any  # the number of arrivals at the barrier
    squares: Any  # the sum of squares of each tile's gradient, if a step needs the norm


class Memory(NamedTuple):
    """All arrays that the kernels of stages read and write."""

    rows: Any  # Rows
    orders: Any  # the orders of the rows, epoch after epoch; empty if not shuffled
    stages: Any  # as in Network
    theta: Any
    running: Any
    numbers: Any
    shared: Any  # as in Work
    own: Any
    arrivals: Any
    multiply: Any  # the product of two matrices, see skgd.kernels.multiply


class StageWork(NamedTuple):
    """The memory that the kernels of a stage may use."""

    shared: Any  # as in Work
    own: Any
    arrivals: Any
    running: Any  # as in Network, but only for this stage
    numbers: Any
    multiply: Any  # the product of two matrices, see skgd.kernels.multiply


class Kernels(NamedTuple):
    """Compiled functions of the stages and the plug-ins.

    Those of the stages are in tuples, by their kind. A function that is not called is None.
    """

    forward: Any = None  # stages, see skgd.engine.calls
    backward: Any = None
    gradient: Any = None
    multiply: Any = None  # the product of two matrices, see skgd.kernels.multiply
    evaluate: Any = None  # the loss, see skgd.engine.loops
    link: Any = None
    update: Any = None  # the steps of the update, see skgd.engine.loops


class Epochs(NamedTuple):
    """The next epochs: what they depend on, and arrays for their results."""

    orders: Any  # the order of the rows, one row per epoch; without columns if not shuffled
    bounds: Any  # where the mini-batches of an epoch begin, then the number of rows
    # The coefficients of the steps for each of the next updates, of shape (n_updates,
    # n_factors, n_coefficients).
    coefficients: Any
    # The weight of each of the next updates in the averages of the running statistics;
    # empty without averages.
    averaging: Any
    # The factor of the dropout rates in each of the next updates; empty if it is always 1.
    dropping: Any
    # For each epoch, the sum of the losses of each chunk, then the sum of the penalties of
    # each tile, of shape (n_epochs, n_chunks + n_tiles). `train` adds to them.
    totals: Any
    losses: Any  # output: the mean objective of each finished epoch


class Settings(NamedTuple):
    """The settings that stay the same during a fit."""

    by_rows: bool  # whether gradients are computed for each chunk of rows, then summed
    alpha: float  # the strength of the L2 penalty
    absolute: float  # the strength of the L1 penalty, for the objective
    loss: Any  # the arguments of the loss
    shares: Any  # the first tile of each thread, then the number of tiles
