"""The records that kernels are given: rows, network, work, step.

Numbers that change from call to call stand in records of NumPy, of which a kernel gets a
pointer; arrays stand in named tuples.
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

# Numbers between what different threads write to: one cache line of float32, two of 8 bytes
# each, which come as a pair. Arrays of rows begin at multiples of it, too.
APART = 16


def _record(integers, floats=""):
    """Make a dtype whose items have their fields as attributes.

    Arrays of it are plain ones: Numba looks for an attribute of a ``recarray`` at each
    call. NumPy looks it up in Python, and Numba drops a Ctrl-C that arrives meanwhile.
    """
    fields: list[tuple[str, type]] = [(name, np.int64) for name in integers.split()]
    fields += [(name, np.float64) for name in floats.split()]
    return np.dtype((np.record, np.dtype(fields, align=True)))


# A stage of the network.
#   kind: which of the kernels
#   inputs, outputs: widths
#   source, value: first number of a row's inputs and outputs in the shared memory, per row;
#     a source of -1 stands for the rows of the data
#   source_delta, delta: likewise of the gradient by them; -1 if it is not needed
#   begin, end: parameters
#   numbers, running: first of its numbers and of its running statistics
#   own, part: first number in the memory of a thread, and in that of a chunk of rows
STAGE = _record(
    "kind inputs outputs source value source_delta delta begin end "
    "numbers n_numbers running n_running own part"
)

# Parameters whose gradient is computed at a time.
#   stage: whose they are; begin, end: which; is_weights: whether the penalty acts on them
#   is_summed: whether the backward pass has summed their gradient over all rows
#   factor: which factor of the learning rate they have
TILE = _record("stage begin end is_weights is_summed factor")

# The position of a thread in the mini-batch. The first line is set once.
#   seed: of random numbers
#   capacity: rows that the shared memory has room for; chunk: rows of a chunk
#   parts, part_size: first number of the chunks' memory, and numbers of each
#   batch, update: mini-batches of this epoch and updates so far; counted: rows of the epoch
#     that its loss is a mean of; order: where the order of its rows begins
#   limit: mini-batches until Python takes over
#   start, rows: the mini-batch, of which first to last are this thread's
#   row, stop: the rows that a gradient is over; parameter: its first, within the stage
#   tile, tile_stop, origin: what to update, and the parameter at which the gradient begins
#   weight: the sum of the weights; norm: that of the gradient, if a step needs it
#   dropping: the factor of the rates of dropout
STEP = _record(
    "seed capacity chunk parts part_size thread n_threads "
    "batch update counted order limit start rows first last row stop parameter "
    "tile tile_stop origin",
    "weight norm dropping",
)


def make_steps(n_threads, **fields):
    """Make a step for each thread, in cache lines of its own: arrays of one STEP."""
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
    values: Any  # sparse rows: data,
    columns: Any  # indices (int32)
    row_starts: Any  # and indptr (int64) of a csr matrix
    codes: Any  # categories (uint16), row by row, for input groups that look them up
    bins: Any  # piecewise-linear columns: bins (uint16), row by row,
    fractions: Any  # and where in its bin a value is
    y: Any  # targets of shape (n_samples, n_targets), in the dtype of X
    weight: Any  # sample weights; none stand for ones
    center: Any  # what is subtracted from the features in training; none stand for zeros


class Network(NamedTuple):
    """The stages and their parameters, in flat buffers. Predictions need no state."""

    stages: Any  # of STAGE, in the order of the forward pass
    tiles: Any  # of TILE, in the order of the parameters; None for predictions
    theta: Any  # the parameters
    state: Any  # of shape (n_slots, n_params): what the steps of the update keep
    # float64: what stages keep from one mini-batch to the next, and its averages, if any
    running: Any
    numbers: Any  # float64: the hyperparameters of the stages


class Work(NamedTuple):
    """The memory of a mini-batch."""

    # Shared by all threads: for each row its weight, its targets, its features if they are
    # gathered, the outputs of the stages and the gradients by them; a part for each chunk.
    shared: Any
    own: Any  # a thread's own: scratch memory for products, then for the stages
    # A thread's own, of some tiles; or that of all parameters, if a step needs the norm; or
    # that of all parameters over each chunk of the rows.
    gradient: Any
    arrivals: Any  # counts the arrivals at the barrier
    squares: Any  # the sum of squares of each tile's gradient, if a step needs the norm


class Memory(NamedTuple):
    """What the kernels of all stages read and write."""

    rows: Any  # Rows
    orders: Any  # of the rows, epoch after epoch; none to take them as they come
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
    running: Any  # as in Network, of this stage
    numbers: Any
    multiply: Any  # the product of two matrices, see skgd.kernels.multiply


class Kernels(NamedTuple):
    """Compiled functions of the stages, in tuples by their kind, and of the plug-ins.

    Those that a loop does not call are None.
    """

    forward: Any = None  # of stages, see skgd.engine.calls
    backward: Any = None
    gradient: Any = None
    multiply: Any = None
    evaluate: Any = None  # of the loss, see skgd.engine.loops
    link: Any = None
    update: Any = None  # of the steps of the update, likewise


class Epochs(NamedTuple):
    """The next epochs, and the places for their results."""

    orders: Any  # of the rows, one an epoch; of no columns to take them as they come
    bounds: Any  # where the mini-batches of an epoch begin, and the number of rows
    # The coefficients of the steps for each of the next updates, of shape (n_updates,
    # n_factors, n_coefficients).
    coefficients: Any
    # The part that each of the next updates has in the averages of what stages keep; none
    # if there are no averages.
    averaging: Any
    # The factors of the rates of dropout for each of the next updates; none if they stay.
    dropping: Any
    # The sums of each epoch's losses by chunk, and of its penalties by tile, of shape
    # (n_epochs, n_chunks + n_tiles). `train` adds to them.
    totals: Any
    losses: Any  # takes the mean objective of each finished epoch


class Settings(NamedTuple):
    """The settings that stay the same during a fit."""

    by_rows: bool  # whether the gradient is summed from those over chunks of rows
    alpha: float  # the strength of the penalty's squares
    absolute: float  # and of its absolute values, which the step after the solver shrinks
    loss: Any  # the arguments of the loss
    shares: Any  # the first tile of each thread, and their number
