"""The inverse of the Hessian as L-BFGS sees it: from the last steps.

J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., 2006, section 7.2.
"""

from typing import Any, NamedTuple

import numpy as np

from skgd.compile.jit import jit

__all__ = ["Memory", "dot", "find_direction", "forget", "knows_steps", "remember"]

# As in SciPy: steps remembered.
MOST_STEPS = 10

# What `ring` holds: the row of the latest step, and how many rows are in use.
NEWEST = 0
USED = 1

EPS = float(np.finfo(np.float64).eps)


class Memory(NamedTuple):
    """The last steps, in a ring.

    Attributes
    ----------
    steps, changes : ndarray of shape (MOST_STEPS, n_params)
        The steps, and the changes of the gradient over them.

    products : ndarray of shape (MOST_STEPS,)
        Each step times its change; positive.

    ring : ndarray of shape (2,), dtype=int64
        Where the latest is, and how many there are.

    along : ndarray of shape (MOST_STEPS,)
        Room for what `find_direction` needs.

    scale : ndarray of shape (1,)
        The inverse Hessian without what the steps say of it is the identity times this.
    """

    steps: Any
    changes: Any
    products: Any
    ring: Any
    along: Any
    scale: Any

    @classmethod
    def allocate(cls, n_params):
        """Remember nothing yet."""
        return cls(
            np.empty((MOST_STEPS, n_params)),
            np.empty((MOST_STEPS, n_params)),
            np.empty(MOST_STEPS),
            np.zeros(2, dtype=np.int64),
            np.empty(MOST_STEPS),
            np.ones(1),
        )


@jit
def forget(memory):
    """Go on with steepest descent."""
    memory.ring[USED] = 0
    memory.scale[0] = 1


@jit
def knows_steps(memory):
    """Whether the next direction is other than that of steepest descent."""
    return memory.ring[USED] > 0


@jit
def remember(memory, step, direction, slope_before, slope, before, after):
    """Remember a step, if the objective is convex along it.

    Parameters
    ----------
    memory : Memory
        Updated.

    step : float
        How far the step went along ``direction``.

    direction : ndarray of shape (n_params,)
        Its direction.

    slope_before, slope : float
        The gradients at its beginning and at its end, times the direction.

    before, after : ndarray of shape (n_params,)
        These gradients.
    """
    product = (slope - slope_before) * step
    if product <= -EPS * slope_before * step:
        return
    newest = (memory.ring[NEWEST] + 1) % MOST_STEPS
    steps, changes = memory.steps[newest], memory.changes[newest]
    square = 0.0
    for i in range(direction.shape[0]):
        change = after[i] - before[i]
        steps[i] = step * direction[i]
        changes[i] = change
        square += change * change
    memory.products[newest] = product
    memory.scale[0] = product / square
    memory.ring[NEWEST] = newest
    memory.ring[USED] = min(memory.ring[USED] + 1, MOST_STEPS)


@jit
def find_direction(memory, gradient, out):
    """Write minus the inverse Hessian times the gradient: the two-loop recursion."""
    newest, used, along = memory.ring[NEWEST], memory.ring[USED], memory.along
    for i in range(out.shape[0]):
        out[i] = -gradient[i]
    for age in range(used):
        k = (newest - age) % MOST_STEPS
        step, change = memory.steps[k], memory.changes[k]
        along[age] = dot(step, out) / memory.products[k]
        for i in range(out.shape[0]):
            out[i] -= along[age] * change[i]
    for i in range(out.shape[0]):
        out[i] *= memory.scale[0]
    for age in range(used - 1, -1, -1):
        k = (newest - age) % MOST_STEPS
        step, change = memory.steps[k], memory.changes[k]
        rest = along[age] - dot(change, out) / memory.products[k]
        for i in range(out.shape[0]):
            out[i] += rest * step[i]


@jit
def dot(a, b):
    """Return the product of two vectors."""
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total
