"""The orders of the rows, drawn as scikit-learn draws them."""

import numpy as np

from skgd.engine.shuffle import WORDS, shuffle

__all__ = ["draw_orders"]

# Rows from which the compiled shuffle is faster: to get the state of a generator and to set
# it takes 60 µs, half of what it saves by then.
WORTH_COMPILING = 16_384


def draw_orders(random_state, order, n_epochs):
    """Shuffle an order, the result of that, and so on.

    Parameters
    ----------
    random_state : RandomState
        What draws; it is left as after as many ``permutation`` calls.

    order : ndarray of shape (n_samples,), dtype=int64
        The first to be shuffled.

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
