"""The orders of the rows, drawn as scikit-learn draws them."""

from copy import deepcopy
from numbers import Integral
from threading import local

import numpy as np
from sklearn.utils import check_random_state

from skgd.kernels.shuffle import WORDS, shuffle

__all__ = ["Orders", "batch_bounds", "draw_orders", "seeded"]

# Each thread's generator for integer seeds.
_OWN = local()

# The least number of rows for which the compiled shuffle is faster. To get and set the
# state of a generator takes 60 µs, half of the time that the shuffle saves at this size.
WORTH_COMPILING = 16_384


def seeded(random_state):
    """Return the generator for a parameter ``random_state``.

    For an integer, each thread has one generator and seeds it at each call. That takes
    1 µs; a new generator takes 60 µs.
    """
    if not isinstance(random_state, Integral):
        return check_random_state(random_state)
    if not hasattr(_OWN, "generator"):
        _OWN.generator = np.random.RandomState(0)
    _OWN.generator.seed(random_state)
    return _OWN.generator


def draw_orders(random_state, order, n_epochs):
    """Shuffle an order, then shuffle the result, and so on.

    Parameters
    ----------
    random_state : RandomState
        The generator. Its state is then that after ``n_epochs`` calls of ``permutation``.

    order : ndarray of shape (n_samples,), dtype=int64
        The order that is shuffled first.

    n_epochs : int
        The number of shuffles.

    Returns
    -------
    ndarray of shape (n_epochs, n_samples), dtype=int64
    """
    orders = np.empty((n_epochs, order.size), dtype=np.int64)
    if orders.size >= WORTH_COMPILING and order.size <= 2**32:
        state = random_state.get_state(legacy=False)
        if state["bit_generator"] == "MT19937":
            orders[0] = order
            words = state["state"]
            words["pos"] = shuffle(
                words["key"], words["pos"], np.empty(WORDS, dtype=np.uint32), orders
            )
            random_state.set_state(state)
            return orders
    for drawn in orders:
        # scikit-learn's `shuffle` without its checks, which take longer.
        order = order[random_state.permutation(order.size)]
        drawn[:] = order
    return orders


class Orders:
    """The orders of the rows, epoch after epoch.

    Parameters
    ----------
    rows : ndarray of shape (n_samples,), dtype=int64
        The rows to train on, in their first order.

    random_state : RandomState or None
        Shuffles the rows before each epoch, as scikit-learn does. None never shuffles.
    """

    def __init__(self, rows, random_state):
        self._random_state = random_state
        self.last = rows

    def draw(self, n_epochs):
        """Return the orders of the next epochs.

        Returns
        -------
        ndarray of shape (n_epochs, n_samples), dtype=int64
            Of shape (n_epochs, 0) if the rows are not shuffled.
        """
        if self._random_state is None:
            return np.empty((n_epochs, 0), dtype=np.int64)
        orders = draw_orders(self._random_state, self.last, n_epochs)
        self.last = orders[-1].copy()
        return orders

    def __deepcopy__(self, memo):
        """Copy the generator, too, since another fit of the thread may seed it again."""
        random_state = self._random_state
        if random_state is not None:
            state = random_state.get_state(legacy=False)
            if state["bit_generator"] == "MT19937":
                # `deepcopy` of a generator takes twice as long.
                random_state = np.random.RandomState(0)
                random_state.set_state(state)
            else:
                random_state = deepcopy(random_state)
        return Orders(self.last, random_state)


def batch_bounds(n_samples, batch_size, is_even):
    """Return where the mini-batches of an epoch begin, and the number of rows.

    Parameters
    ----------
    n_samples, batch_size : int
        The number of rows, and the number of rows in a mini-batch.

    is_even : bool
        Whether the rows are spread evenly, as batch normalization needs: a short last
        mini-batch would have the moments of a few rows. Each mini-batch has at least two
        rows, since a single one has no variance.

    Returns
    -------
    ndarray of shape (n_batches + 1,), dtype=int64
    """
    if not is_even:
        return np.append(np.arange(0, n_samples, batch_size), n_samples)
    n_batches = min(-(-n_samples // batch_size), max(n_samples // 2, 1))
    rows, rest = divmod(n_samples, n_batches)
    return np.append(0, np.cumsum(rows + (np.arange(n_batches) < rest)))
