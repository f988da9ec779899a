import numpy as np
import pytest

from skgd.kernels.shuffle import WORDS, shuffle
from skgd.neural_network import _orders
from tests.engine.helpers import size


def numpy_shuffles(random_state, order, n_shuffles):
    """The oracle: NumPy itself."""
    for _ in range(n_shuffles):
        order = order[random_state.permutation(order.size)]
        yield order


@pytest.mark.parametrize(
    "n", [1, 2, 3, 4, 5, 7, 8, 9, 33, 623, 625, 1024, size(70_000, 3000)]
)
@pytest.mark.parametrize("drawn_before", [0, 1, 623, 624, 1000])
def test_the_draws_are_numpys(n, drawn_before):
    ours, theirs = np.random.RandomState(n), np.random.RandomState(n)
    for random_state in (ours, theirs):
        random_state.randint(2**32, size=drawn_before, dtype=np.uint32)
    state = ours.get_state(legacy=False)
    words = state["state"]
    orders = np.empty((3, n), dtype=np.int64)
    orders[0] = np.arange(n)[::-1]
    workspace = np.empty(WORDS, dtype=np.uint32)
    words["pos"] = shuffle(words["key"], words["pos"], workspace, orders)
    ours.set_state(state)
    expected = list(numpy_shuffles(theirs, np.arange(n)[::-1], 3))
    np.testing.assert_array_equal(orders, expected)
    # What is drawn next is the same, too.
    np.testing.assert_array_equal(ours.uniform(size=700), theirs.uniform(size=700))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "make",
    [np.random.RandomState, lambda seed: np.random.RandomState(np.random.PCG64(seed))],
    ids=["MT19937", "PCG64"],
)
def test_orders_of_any_generator(make, compiled, monkeypatch):
    monkeypatch.setattr(_orders, "WORTH_COMPILING", 0 if compiled else 10**9)
    ours, theirs, order = make(3), make(3), np.arange(50)
    for random_state in (ours, theirs):
        # Half of a pair of normal numbers is kept for later.
        random_state.standard_normal()
    for n_epochs in (1, 4):
        drawn = _orders.draw_orders(ours, order, n_epochs)
        expected = list(numpy_shuffles(theirs, order, n_epochs))
        np.testing.assert_array_equal(drawn, expected)
        order = drawn[-1]
    assert ours.standard_normal() == theirs.standard_normal()
    assert ours.randint(10**9) == theirs.randint(10**9)
