"""L-BFGS: training on all rows at once, in compiled calls.

An evaluation of the objective is like an epoch whose mini-batches, here blocks of rows,
only add up their gradients. Between two of them a few vectors are updated: SciPy does that
too, but in a time in which a small network's objective is evaluated twice.

Threads that train together take a block each and then share the sum of their gradients;
blocks do not depend on their number, nor does the order in which they are added up. What
comes between two evaluations is the first thread's, and takes some 40 passes over a vector
of the parameters: that is little beside an evaluation of more than some hundred rows.
"""

from typing import Any, NamedTuple

import numpy as np

from skgd.compile.jit import jit, strict_jit
from skgd.engine.full_batch.line_search import (
    LARGEST_STEP,
    SEARCH_NUMBERS,
    SLOPE,
    START,
    STEP,
    TRIAL,
    VALUE,
    begin_search,
    halve_step,
    next_step,
)
from skgd.engine.full_batch.objective import add_penalty, block_objective
from skgd.engine.full_batch.quasi_newton import (
    Memory,
    dot,
    find_direction,
    forget,
    knows_steps,
    remember,
)
from skgd.kernels.views import vector
from skgd.parallel.barrier import barrier, share

__all__ = [
    "BLOCKS",
    "CONVERGED",
    "EVALUATIONS",
    "FAILED",
    "ITERATIONS",
    "LOSS",
    "MOST_TRIALS",
    "RUNNING",
    "STATUS",
    "TOO_MANY_EVALUATIONS",
    "TOO_MANY_ITERATIONS",
    "Descent",
    "Settings",
    "go_on",
    "minimize",
]

# What `counts` holds: whether to go on, the next row to evaluate; how many iterations,
# evaluations and blocks are finished, and how many steps this line search has tried.
STATUS = 0
ROW = 1
ITERATIONS = 2
EVALUATIONS = 3
BLOCKS = 4
TRIALS = 5
COUNTS = 6

RUNNING = 0
CONVERGED = 1
TOO_MANY_ITERATIONS = 2
TOO_MANY_EVALUATIONS = 3
FAILED = 4

# What `numbers` holds: the objective at `theta`, and the sum of the losses of the blocks so
# far.
LOSS = 0
SUM = 1
NUMBERS = 2

# As in SciPy: trials of a line search, and the relative gain below which training has
# converged.
MOST_TRIALS = 20
LEAST_GAIN = 1e7 * float(np.finfo(np.float64).eps)


class Settings(NamedTuple):
    """The numbers that training is governed by.

    Attributes
    ----------
    alpha, weight : float
        The penalty, and the sum of the sample weights.

    tolerance : float
        Training has converged where no partial derivative is larger.

    most_iterations, most_evaluations : int
        Training stops after so many.

    order : ndarray of shape (0,), dtype=int64
        No permutation of the rows.

    loss : ndarray, dtype=float64
        The arguments of the loss.
    """

    alpha: float
    weight: float
    tolerance: float
    most_iterations: int
    most_evaluations: int
    order: Any
    loss: Any


class Descent(NamedTuple):
    """Where the training stands.

    Each thread writes its row of `parts` and `part_losses` and, after all have, its share
    of `total`. The rest is the first thread's.

    Attributes
    ----------
    theta, gradient : ndarray of shape (n_params,)
        The last point that a line search has found, and the gradient there.

    total : ndarray of shape (n_params,)
        The gradient at the point that is tried, ``network.theta``.

    direction : ndarray of shape (n_params,)
        Of the line search.

    memory : Memory
        The last steps.

    parts, part_losses : ndarray of shape (n_threads, n_params) and (n_threads,)
        Each thread's gradient and loss of its block.

    points, search : ndarray
        See :mod:`skgd.engine.full_batch.line_search`.

    counts, numbers : ndarray of shape (COUNTS,), dtype=int64 and (NUMBERS,)
        The rest.
    """

    theta: Any
    gradient: Any
    total: Any
    direction: Any
    memory: Any
    parts: Any
    part_losses: Any
    points: Any
    search: Any
    counts: Any
    numbers: Any

    @classmethod
    def begin(cls, theta, n_threads):
        """Begin at ``theta``."""
        n_params = len(theta)
        numbers = np.zeros(NUMBERS)
        numbers[LOSS] = np.inf
        gradient, total, direction = (np.empty(n_params) for _ in range(3))
        return cls(
            theta.copy(),
            gradient,
            total,
            direction,
            Memory.allocate(n_params),
            np.empty((n_threads, n_params)),
            np.empty(n_threads),
            np.empty((4, 3)),
            np.empty(SEARCH_NUMBERS),
            np.zeros(COUNTS, dtype=np.int64),
            numbers,
        )


@jit
def minimize(rows, network, work, kernels, settings, descent, losses, steps):
    """Train for about ``step.limit`` blocks of rows.

    Parameters
    ----------
    rows : Rows
        The data.

    network, work, kernels : Network, Work, Kernels
        The point that is tried, this thread's memory for a block, compiled functions.

    settings : Settings
        Penalty and limits.

    descent : Descent
        Where training stands; updated.

    losses : ndarray of shape (step.limit,), dtype=float64
        Takes the objective after each iteration, which is of at least one block.

    steps : ndarray of shape (1,), of STEP
        This thread's record of a block. The limit is there so that Python gets to handle
        signals: the threads finish those blocks that they have begun together.
    """
    step, counts, numbers = steps[0], descent.counts, descent.numbers
    n_samples, block = rows.y.shape[0], step.chunk
    before = counts[ITERATIONS]
    step.weight = settings.weight
    while step.limit > 0 and counts[STATUS] == RUNNING:
        row = counts[ROW]
        step.start = row + step.thread * block
        if step.start < n_samples:
            step.rows = min(block, n_samples - step.start)
            descent.part_losses[step.thread] = block_objective(
                rows,
                settings.order,
                network,
                work,
                kernels,
                settings.loss,
                step,
                descent.parts[step.thread],
            )
        n_blocks = min(step.n_threads, (n_samples - row + block - 1) // block)
        step.limit -= n_blocks
        # All parts are written,
        barrier(work.arrivals, step.n_threads)
        first, last = share(network.theta.shape[0], step.thread, step.n_threads)
        _add_parts(descent, row == 0, n_blocks, first, last)
        # the total is,
        barrier(work.arrivals, step.n_threads)
        if step.thread == 0:
            numbers[SUM] = _add_losses(numbers[SUM], descent.part_losses, n_blocks)
            counts[BLOCKS] += n_blocks
            counts[ROW] = row + n_blocks * block
            if counts[ROW] >= n_samples:
                strength = settings.alpha / settings.weight
                numbers[SUM] += add_penalty(network, strength, descent.total)
                if go_on(numbers[SUM], network.theta, descent, settings):
                    losses[counts[ITERATIONS] - 1 - before] = numbers[LOSS]
                counts[ROW] = 0
                numbers[SUM] = 0
        # and so is where to go on.
        barrier(work.arrivals, step.n_threads)


# One after the other, however many there are.
@strict_jit
def _add_losses(total, part_losses, n_blocks):
    for k in range(n_blocks):
        total += part_losses[k]
    return total


@jit
def _add_parts(descent, is_first, n_blocks, first, last):
    """Add up some of the parameters' gradients over blocks, in order."""
    total = vector(descent.total, first, last - first)
    if is_first:
        total[:] = 0
    for k in range(n_blocks):
        part = vector(descent.parts[k], first, last - first)
        for i in range(total.shape[0]):
            total[i] += part[i]


@strict_jit
def go_on(loss, theta, descent, settings):
    """Write the next point to evaluate.

    Parameters
    ----------
    loss : float
        The objective at ``theta``; its gradient is in ``descent.total``.

    theta : ndarray of shape (n_params,)
        Updated.

    descent : Descent
        Updated.

    settings : Settings
        Its limits.

    Returns
    -------
    bool
        Whether an iteration has ended.
    """
    counts, numbers, points = descent.counts, descent.numbers, descent.points
    counts[EVALUATIONS] += 1
    if counts[EVALUATIONS] == 1:
        numbers[LOSS] = loss
        descent.gradient[:] = descent.total
        if _is_flat(descent.gradient, settings.tolerance):
            counts[STATUS] = CONVERGED
        else:
            _search_on(theta, descent)
        return False
    slope = dot(descent.total, descent.direction)
    counts[TRIALS] += 1
    points[TRIAL, VALUE] = loss
    points[TRIAL, SLOPE] = slope
    if not (abs(loss) < np.inf and abs(slope) < np.inf):
        halve_step(points, descent.search)
    elif next_step(points, descent.search):
        gain, size = numbers[LOSS] - loss, max(abs(numbers[LOSS]), abs(loss), 1.0)
        _accept(loss, slope, theta, descent)
        counts[ITERATIONS] += 1
        if counts[ITERATIONS] >= settings.most_iterations:
            counts[STATUS] = TOO_MANY_ITERATIONS
        elif counts[EVALUATIONS] > settings.most_evaluations:
            counts[STATUS] = TOO_MANY_EVALUATIONS
        elif gain <= LEAST_GAIN * size or _is_flat(descent.gradient, settings.tolerance):
            counts[STATUS] = CONVERGED
        else:
            _search_on(theta, descent)
        return True
    if counts[TRIALS] < MOST_TRIALS:
        _try(theta, descent)
    else:
        _give_up(theta, descent)
    return False


@jit
def _give_up(theta, descent):
    """Search along the gradient instead, if that has not been tried."""
    if knows_steps(descent.memory):
        forget(descent.memory)
        _search_on(theta, descent)
    else:
        descent.counts[STATUS] = FAILED


@jit
def _accept(loss, slope, theta, descent):
    """Take the step that was tried, and remember it."""
    points = descent.points
    remember(
        descent.memory,
        points[TRIAL, STEP],
        descent.direction,
        points[START, SLOPE],
        slope,
        descent.gradient,
        descent.total,
    )
    descent.numbers[LOSS] = loss
    descent.theta[:] = theta
    descent.gradient[:] = descent.total


@jit
def _search_on(theta, descent):
    """Begin a line search from the point that the last one has found."""
    counts = descent.counts
    find_direction(descent.memory, descent.gradient, descent.direction)
    slope = dot(descent.gradient, descent.direction)
    if not slope < 0 and knows_steps(descent.memory):
        forget(descent.memory)
        find_direction(descent.memory, descent.gradient, descent.direction)
        slope = dot(descent.gradient, descent.direction)
    if not slope < 0:
        counts[STATUS] = FAILED
        return
    step = 1.0
    if counts[ITERATIONS] == 0:
        # As long as 1.
        step = min(1 / np.sqrt(dot(descent.direction, descent.direction)), LARGEST_STEP)
    begin_search(descent.numbers[LOSS], slope, step, descent.points, descent.search)
    counts[TRIALS] = 0
    _try(theta, descent)


@jit
def _try(theta, descent):
    """Write the point to evaluate next."""
    step = descent.points[TRIAL, STEP]
    for i in range(theta.shape[0]):
        theta[i] = descent.theta[i] + step * descent.direction[i]


@jit
def _is_flat(gradient, tolerance):
    flat = True
    for i in range(gradient.shape[0]):
        flat = flat and abs(gradient[i]) <= tolerance
    return flat
