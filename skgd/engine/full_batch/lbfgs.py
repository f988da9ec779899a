"""L-BFGS: training on all rows at once, in compiled calls.

An evaluation of the objective sums losses and gradients over blocks of rows. Between two
evaluations, a few vectors are updated. SciPy takes as long for that as two evaluations of a
small network's objective.

Threads that train together evaluate a block each, and then share the work of summing their
gradients. The blocks and the order of the sums do not depend on the number of threads.
Between two evaluations, only the first thread works. It makes some 40 passes over vectors
of the length of the parameters. Compared with an evaluation of more than some hundred rows,
this takes little time.
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
    History,
    add_step,
    clear,
    dot,
    find_direction,
    has_steps,
)
from skgd.kernels.views import vector
from skgd.parallel.barrier import barrier
from skgd.parallel.share import share

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
    "advance",
    "minimize",
]

# The items of `counts`: the status; the next row to evaluate; the numbers of finished
# iterations, evaluations and blocks; the number of steps that this line search has tried.
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

# The items of `numbers`: the objective at `theta`, and the sum of the losses of the blocks
# so far.
LOSS = 0
SUM = 1
NUMBERS = 2

# As in SciPy: the most trials of a line search, and the relative decrease of the objective
# below which training has converged.
MOST_TRIALS = 20
LEAST_GAIN = 1e7 * float(np.finfo(np.float64).eps)


class Settings(NamedTuple):
    """The settings of a training.

    Attributes
    ----------
    alpha, weight : float
        The strength of the penalty, and the sum of the sample weights.

    tolerance : float
        Training has converged if no partial derivative is larger than this.

    most_iterations, most_evaluations : int
        The limits after which training stops.

    order : ndarray of shape (0,), dtype=int64
        Empty, since the rows are not permuted.

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
    """The state of a training.

    Each thread writes its row of `parts` and `part_losses`. When all threads have done so,
    each thread writes its share of `total`. The first thread writes the rest.

    Attributes
    ----------
    theta, gradient : ndarray of shape (n_params,)
        The result of the last line search, and the gradient there.

    total : ndarray of shape (n_params,)
        The gradient at the trial point, ``network.theta``.

    direction : ndarray of shape (n_params,)
        The direction of the line search.

    history : History
        The last steps.

    parts, part_losses : ndarray of shape (n_threads, n_params) and (n_threads,)
        The gradient and the loss of each thread's block.

    points, search : ndarray
        The state of the line search, see :mod:`skgd.engine.full_batch.line_search`.

    counts, numbers : ndarray of shape (COUNTS,), dtype=int64 and (NUMBERS,)
        The items are named by the constants at the top of this module.
    """

    theta: Any
    gradient: Any
    total: Any
    direction: Any
    history: Any
    parts: Any
    part_losses: Any
    points: Any
    search: Any
    counts: Any
    numbers: Any

    @classmethod
    def begin(cls, theta, n_threads):
        """Return the state of a training that begins at ``theta``."""
        n_params = len(theta)
        numbers = np.zeros(NUMBERS)
        numbers[LOSS] = np.inf
        gradient, total, direction = (np.empty(n_params) for _ in range(3))
        return cls(
            theta.copy(),
            gradient,
            total,
            direction,
            History.allocate(n_params),
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
        The trial point, this thread's memory for a block, and the compiled functions.

    settings : Settings
        The penalty and the limits.

    descent : Descent
        The state of the training; updated.

    losses : ndarray of shape (step.limit,), dtype=float64
        Output: the objective after each iteration. An iteration has at least one block.

    steps : ndarray of shape (1,), of skgd.engine.records.STEP
        The position of this thread. After ``step.limit`` blocks, the call returns, so that
        Python can handle signals. Blocks that threads have begun together are finished.
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
        # The sums need the parts of all threads.
        barrier(work.arrivals, step.n_threads)
        first, last = share(network.theta.shape[0], step.thread, step.n_threads)
        _add_parts(descent, row == 0, n_blocks, first, last)
        # The first thread needs the whole gradient.
        barrier(work.arrivals, step.n_threads)
        if step.thread == 0:
            numbers[SUM] = _add_losses(numbers[SUM], descent.part_losses, n_blocks)
            counts[BLOCKS] += n_blocks
            counts[ROW] = row + n_blocks * block
            if counts[ROW] >= n_samples:
                strength = settings.alpha / settings.weight
                numbers[SUM] += add_penalty(network, strength, descent.total)
                if advance(numbers[SUM], network.theta, descent, settings):
                    losses[counts[ITERATIONS] - 1 - before] = numbers[LOSS]
                counts[ROW] = 0
                numbers[SUM] = 0
        # All threads need the next point.
        barrier(work.arrivals, step.n_threads)


# In order, so that the sum does not depend on the number of threads.
@strict_jit
def _add_losses(total, part_losses, n_blocks):
    for k in range(n_blocks):
        total += part_losses[k]
    return total


@jit
def _add_parts(descent, is_first, n_blocks, first, last):
    """Sum the gradients of the blocks in order, for the parameters of this thread."""
    total = vector(descent.total, first, last - first)
    if is_first:
        total[:] = 0
    for k in range(n_blocks):
        part = vector(descent.parts[k], first, last - first)
        for i in range(total.shape[0]):
            total[i] += part[i]


@strict_jit
def advance(loss, theta, descent, settings):
    """Replace the trial point by the next one, or stop.

    Parameters
    ----------
    loss : float
        The objective at ``theta``; its gradient is in ``descent.total``.

    theta : ndarray of shape (n_params,)
        The trial point; updated.

    descent : Descent
        The state of the training; updated.

    settings : Settings
        The limits.

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
            _begin_search(theta, descent)
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
            _begin_search(theta, descent)
        return True
    if counts[TRIALS] < MOST_TRIALS:
        _try(theta, descent)
    else:
        _give_up(theta, descent)
    return False


@jit
def _give_up(theta, descent):
    """Search along the gradient instead; stop if this search was already along it."""
    if has_steps(descent.history):
        clear(descent.history)
        _begin_search(theta, descent)
    else:
        descent.counts[STATUS] = FAILED


@jit
def _accept(loss, slope, theta, descent):
    """Move to the trial point, and add the step to the history."""
    points = descent.points
    add_step(
        descent.history,
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
def _begin_search(theta, descent):
    """Begin a line search at the result of the last one."""
    counts = descent.counts
    find_direction(descent.history, descent.gradient, descent.direction)
    slope = dot(descent.gradient, descent.direction)
    if not slope < 0 and has_steps(descent.history):
        clear(descent.history)
        find_direction(descent.history, descent.gradient, descent.direction)
        slope = dot(descent.gradient, descent.direction)
    if not slope < 0:
        counts[STATUS] = FAILED
        return
    step = 1.0
    if counts[ITERATIONS] == 0:
        # A step of length 1.
        step = min(1 / np.sqrt(dot(descent.direction, descent.direction)), LARGEST_STEP)
    begin_search(descent.numbers[LOSS], slope, step, descent.points, descent.search)
    counts[TRIALS] = 0
    _try(theta, descent)


@jit
def _try(theta, descent):
    """Write the next trial point to ``theta``."""
    step = descent.points[TRIAL, STEP]
    for i in range(theta.shape[0]):
        theta[i] = descent.theta[i] + step * descent.direction[i]


@jit
def _is_flat(gradient, tolerance):
    flat = True
    for i in range(gradient.shape[0]):
        flat = flat and abs(gradient[i]) <= tolerance
    return flat
