"""The inverse Hessian of L-BFGS, which is approximated from the last steps.

J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., 2006, section 7.2.
"""

from typing import Any, NamedTuple

import numpy as np

from skgd.compile.jit import jit

__all__ = ["History", "add_step", "clear", "dot", "find_direction", "has_steps"]

# The most steps in the history, as in SciPy.
MOST_STEPS = 10

# The items of `ring`: the row of the latest step, and the number of rows in use.
NEWEST = 0
USED = 1

EPS = float(np.finfo(np.float64).eps)


class History(NamedTuple):
    """The last steps, in a ring buffer.

    Attributes
    ----------
    steps, changes : ndarray of shape (MOST_STEPS, n_params)
        The steps, and the changes of the gradient over them.

    products : ndarray of shape (MOST_STEPS,)
        The dot product of each step and its change, which is positive.

    ring : ndarray of shape (2,), dtype=int64
        The row of the latest step, and the number of steps.

    along : ndarray of shape (MOST_STEPS,)
        Scratch memory of `find_direction`.

    scale : ndarray of shape (1,)
        The approximation starts from this multiple of the identity.
    """

    steps: Any
    changes: Any
    products: Any
    ring: Any
    along: Any
    scale: Any

    @classmethod
    def allocate(cls, n_params):
        """Allocate a history without steps."""
        return cls(
            np.empty((MOST_STEPS, n_params)),
            np.empty((MOST_STEPS, n_params)),
            np.empty(MOST_STEPS),
            np.zeros(2, dtype=np.int64),
            np.empty(MOST_STEPS),
            np.ones(1),
        )


@jit
def clear(history):
    """Remove all steps: the next direction is that of steepest descent."""
    history.ring[USED] = 0
    history.scale[0] = 1


@jit
def has_steps(history):
    """Return whether there are steps; otherwise the direction is steepest descent."""
    return history.ring[USED] > 0


@jit
def add_step(history, step, direction, slope_before, slope, before, after):
    """Add a step to the history, if the objective is convex along it.

    Parameters
    ----------
    history : History
        Updated.

    step : float
        The length of the step, as a multiple of ``direction``.

    direction : ndarray of shape (n_params,)
        The direction of the step.

    slope_before, slope : float
        The dot products of ``direction`` with the gradients ``before`` and ``after``.

    before, after : ndarray of shape (n_params,)
        The gradients at the beginning and at the end of the step.
    """
    product = (slope - slope_before) * step
    if product <= -EPS * slope_before * step:
        return
    newest = (history.ring[NEWEST] + 1) % MOST_STEPS
    steps, changes = history.steps[newest], history.changes[newest]
    square = 0.0
    for i in range(direction.shape[0]):
        change = after[i] - before[i]
        steps[i] = step * direction[i]
        changes[i] = change
        square += change * change
    history.products[newest] = product
    history.scale[0] = product / square
    history.ring[NEWEST] = newest
    history.ring[USED] = min(history.ring[USED] + 1, MOST_STEPS)


@jit
def find_direction(history, gradient, out):
    """Write minus the inverse Hessian times the gradient, by the two-loop recursion."""
    newest, used, along = history.ring[NEWEST], history.ring[USED], history.along
    for i in range(out.shape[0]):
        out[i] = -gradient[i]
    for age in range(used):
        k = (newest - age) % MOST_STEPS
        step, change = history.steps[k], history.changes[k]
        along[age] = dot(step, out) / history.products[k]
        for i in range(out.shape[0]):
            out[i] -= along[age] * change[i]
    for i in range(out.shape[0]):
        out[i] *= history.scale[0]
    for age in range(used - 1, -1, -1):
        k = (newest - age) % MOST_STEPS
        step, change = history.steps[k], history.changes[k]
        rest = along[age] - dot(change, out) / history.products[k]
        for i in range(out.shape[0]):
            out[i] += rest * step[i]


@jit
def dot(a, b):
    """Return the dot product of two vectors."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total
