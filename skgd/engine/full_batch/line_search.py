"""The line search of L-BFGS.

It follows the rules of MINPACK-2's ``dcsrch`` and ``dcstep``, with the constants of
L-BFGS-B. Therefore, it tries the same steps as SciPy.

References
----------
J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
ACM Transactions on Mathematical Software 20(3), 1994.
"""

from math import sqrt

from skgd.compile.jit import strict_jit

__all__ = [
    "LARGEST_STEP",
    "SEARCH_NUMBERS",
    "SLOPE",
    "START",
    "STEP",
    "TRIAL",
    "VALUE",
    "begin_search",
    "halve_step",
    "next_step",
]

# The rows of `points`: the start, the best point so far, the other end of the interval, and
# the trial point. The columns: the step, the objective, and the slope along the line.
START = 0
BEST = 1
OTHER = 2
TRIAL = 3
STEP = 0
VALUE = 1
SLOPE = 2

# The items of `search`: the bounds of the next step, the widths of the last two intervals,
# whether there is an interval, and whether the objective has decreased enough. The state is
# in arrays, since a compiled call may return in the middle of a search.
LOW = 0
HIGH = 1
WIDTH = 2
WIDTH_BEFORE = 3
BRACKETED = 4
DECREASED = 5
SEARCH_NUMBERS = 6

# At the end of a search, the objective must have decreased by this part of what the initial
# slope predicts, and at most this part of the slope may remain.
SUFFICIENT_DECREASE = 1e-3
REMAINING_SLOPE = 0.9
# The search ends if the interval is narrower than this, relative to its upper end.
RELATIVE_WIDTH = 0.1
LARGEST_STEP = 1e10
# Until there is an interval, the next step lies beyond the trial point by at least and at
# most so many times the distance of that point from the best one before it.
LEAST_GROWTH = 1.1
MOST_GROWTH = 4.0
# The interval is halved if two steps have not made it narrower by this factor.
SHRINKAGE = 0.66


@strict_jit
def begin_search(value, slope, step, points, search):
    """Begin a search at an objective ``value`` and a negative ``slope``."""
    points[:, STEP] = 0
    points[:, VALUE] = value
    points[:, SLOPE] = slope
    points[TRIAL, STEP] = step
    search[LOW] = 0
    search[HIGH] = step + MOST_GROWTH * step
    search[WIDTH] = LARGEST_STEP
    search[WIDTH_BEFORE] = 2 * LARGEST_STEP
    search[BRACKETED] = 0
    search[DECREASED] = 0


@strict_jit
def next_step(points, search):
    """Return whether to accept the trial step; if not, write the next one.

    Parameters
    ----------
    points : ndarray of shape (4, 3), dtype=float64
        The points of the search, with the value and the slope of the trial; updated.

    search : ndarray of shape (SEARCH_NUMBERS,), dtype=float64
        The state of the search; updated.

    Returns
    -------
    bool
    """
    start, best, other, trial = points[START], points[BEST], points[OTHER], points[TRIAL]
    least_slope = SUFFICIENT_DECREASE * start[SLOPE]
    bound = start[VALUE] + trial[STEP] * least_slope
    falls = trial[VALUE] <= bound
    if falls and trial[SLOPE] >= 0:
        search[DECREASED] = 1
    if _is_exhausted(trial[STEP], search):
        return True
    if trial[STEP] == LARGEST_STEP and falls and trial[SLOPE] <= least_slope:
        return True
    if trial[STEP] == 0 and not (falls and trial[SLOPE] < least_slope):
        return True
    if falls and abs(trial[SLOPE]) <= -REMAINING_SLOPE * start[SLOPE]:
        return True
    # At first, minimize the distance to the line of sufficient decrease instead.
    is_tilted = search[DECREASED] == 0 and bound < trial[VALUE] <= best[VALUE]
    if is_tilted:
        _tilt(points, -least_slope)
    step = _narrow(best, other, trial, search)
    if is_tilted:
        _tilt(points, least_slope)
    if search[BRACKETED] > 0:
        width = abs(other[STEP] - best[STEP])
        if width >= SHRINKAGE * search[WIDTH_BEFORE]:
            step = best[STEP] + 0.5 * (other[STEP] - best[STEP])
        search[WIDTH_BEFORE] = search[WIDTH]
        search[WIDTH] = width
        search[LOW] = min(best[STEP], other[STEP])
        search[HIGH] = max(best[STEP], other[STEP])
    else:
        search[LOW] = step + LEAST_GROWTH * (step - best[STEP])
        search[HIGH] = step + MOST_GROWTH * (step - best[STEP])
    step = min(max(step, 0.0), LARGEST_STEP)
    trial[STEP] = best[STEP] if _is_exhausted(step, search) else step
    return False


@strict_jit
def halve_step(points, search):
    """Halve the trial step, if the objective is not finite there.

    MINPACK-2 has no rule for this. Its next step would be NaN.
    """
    best, trial = points[BEST], points[TRIAL]
    if search[BRACKETED] == 0:
        search[HIGH] = trial[STEP]
    trial[STEP] = best[STEP] + 0.5 * (trial[STEP] - best[STEP])
    if search[BRACKETED] == 0:
        search[LOW] = trial[STEP]


@strict_jit
def _is_exhausted(step, search):
    low, high = search[LOW], search[HIGH]
    narrow = not low < step < high or high - low <= RELATIVE_WIDTH * high
    return search[BRACKETED] > 0 and narrow


@strict_jit
def _tilt(points, slope):
    """Add a linear function to the values and slopes of all points but the start."""
    for k in range(BEST, TRIAL + 1):
        points[k, VALUE] += points[k, STEP] * slope
        points[k, SLOPE] += slope


@strict_jit
def _narrow(best, other, trial, search):
    """Update the ends of the interval; return the next step."""
    step = _interpolated(best, other, trial, search)
    if trial[VALUE] > best[VALUE]:
        other[:] = trial
    else:
        if _are_opposite(trial, best):
            other[:] = best
        best[:] = trial
    return step


@strict_jit
def _are_opposite(a, b):
    return a[SLOPE] < 0 < b[SLOPE] or b[SLOPE] < 0 < a[SLOPE]


@strict_jit
def _interpolated(best, other, trial, search):
    """Return the step to the expected minimum; note whether it is bracketed."""
    if trial[VALUE] > best[VALUE]:
        # The trial is higher: the minimum is between the two points.
        search[BRACKETED] = 1
        cubic = _cubic_minimum(best, trial)
        far = trial[STEP] - best[STEP]
        ratio = (best[VALUE] - trial[VALUE]) / far
        quadratic = best[STEP] + best[SLOPE] / (ratio + best[SLOPE]) / 2 * far
        if abs(cubic - best[STEP]) < abs(quadratic - best[STEP]):
            return cubic
        return cubic + (quadratic - cubic) / 2
    if _are_opposite(trial, best):
        # The trial is lower, and its slope is opposite: the minimum is between them, too.
        search[BRACKETED] = 1
        cubic, secant = _cubic_minimum(trial, best), _secant(best, trial)
        return cubic if _is_nearer(secant, cubic, trial) else secant
    if abs(trial[SLOPE]) < abs(best[SLOPE]):
        # The trial is lower and flatter: the minimum is beyond it.
        cubic, secant = _cubic_beyond(best, trial, search), _secant(best, trial)
        if search[BRACKETED] == 0:
            step = cubic if _is_nearer(secant, cubic, trial) else secant
            return max(search[LOW], min(search[HIGH], step))
        step = cubic if _is_nearer(cubic, secant, trial) else secant
        limit = trial[STEP] + SHRINKAGE * (other[STEP] - trial[STEP])
        return min(limit, step) if trial[STEP] > best[STEP] else max(limit, step)
    # The trial is lower and at least as steep: the minimum is far beyond it.
    if search[BRACKETED] > 0:
        return _cubic_minimum(trial, other)
    return search[HIGH] if trial[STEP] > best[STEP] else search[LOW]


@strict_jit
def _is_nearer(step, to, point):
    return abs(step - point[STEP]) < abs(to - point[STEP])


@strict_jit
def _secant(best, trial):
    """Return the step at which the slope, interpolated linearly, is zero."""
    ratio = trial[SLOPE] / (trial[SLOPE] - best[SLOPE])
    return trial[STEP] + ratio * (best[STEP] - trial[STEP])


@strict_jit
def _cubic_terms(a, b):
    """Return the terms of the cubic through ``a`` and ``b``, with their slopes."""
    theta = 3 * (a[VALUE] - b[VALUE]) / (b[STEP] - a[STEP]) + a[SLOPE] + b[SLOPE]
    scale = max(abs(theta), abs(a[SLOPE]), abs(b[SLOPE]))
    square = (theta / scale) ** 2 - a[SLOPE] / scale * (b[SLOPE] / scale)
    # The square may be negative because of rounding, or if the cubic has no minimum.
    gamma = scale * sqrt(max(0.0, square))
    return theta, gamma if a[STEP] < b[STEP] else -gamma


@strict_jit
def _cubic_minimum(a, b):
    """Return the minimum of the cubic between ``a`` and ``b``."""
    theta, gamma = _cubic_terms(a, b)
    p = (gamma - a[SLOPE]) + theta
    q = ((gamma - a[SLOPE]) + gamma) + b[SLOPE]
    return a[STEP] + p / q * (b[STEP] - a[STEP])


@strict_jit
def _cubic_beyond(best, trial, search):
    """Return the minimum of the cubic if it is beyond ``trial``, otherwise the far end."""
    theta, gamma = _cubic_terms(trial, best)
    p = (gamma - trial[SLOPE]) + theta
    q = (gamma + (best[SLOPE] - trial[SLOPE])) + gamma
    if p / q < 0 and gamma != 0:
        return trial[STEP] + p / q * (best[STEP] - trial[STEP])
    return search[HIGH] if trial[STEP] > best[STEP] else search[LOW]
