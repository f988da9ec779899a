"""NumPy's shuffles, without a branch that the processor cannot predict.

A shuffle draws for each place, from the last, one of those before it: a random number of
as many bits as the place has, and another as long as it is beyond the place. Whether it is
comes as a surprise every time; here such a draw moves nothing and is not waited for. 10 ns
a row become 3 to 5.

References
----------
M. Matsumoto, T. Nishimura (1998). "Mersenne twister: a 623-dimensionally equidistributed
uniform pseudo-random number generator." ACM Transactions on Modeling and Computer
Simulation 8(1).

R. Durstenfeld (1964). "Algorithm 235: random permutation." Communications of the ACM 7(7).
"""

import numpy as np

from skgd.compile.jit import jit

__all__ = ["WORDS", "shuffle"]

# Words of the generator's state, which are drawn one after the other.
WORDS = 624
# The distance of the words that are combined.
_FAR = 397


@jit
def _twist(high, low, far):
    mixed = (high & np.uint32(0x80000000)) | (low & np.uint32(0x7FFFFFFF))
    odd = np.uint32(0x9908B0DF) if mixed & np.uint32(1) else np.uint32(0)
    return far ^ (mixed >> np.uint32(1)) ^ odd


@jit
def _next_words(key):
    """Replace the state by the next one. No loop reads what it has just written."""
    for k in range(WORDS - _FAR):
        key[k] = _twist(key[k], key[k + 1], key[k + _FAR])
    for k in range(WORDS - _FAR, WORDS - 1):
        key[k] = _twist(key[k], key[k + 1], key[k + _FAR - WORDS])
    key[WORDS - 1] = _twist(key[WORDS - 1], key[0], key[_FAR - 1])


@jit
def _temper(key, words):
    """Write the random numbers that a state stands for."""
    for k in range(WORDS):
        y = key[k]
        y ^= y >> np.uint32(11)
        y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
        y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
        words[k] = y ^ (y >> np.uint32(18))


@jit
def _swap_down(order, place, low, mask, words):
    """Draw for the places from ``place`` down to above ``low``, as far as words go.

    Returns
    -------
    place, used : int
        The next place, and how many words were used.
    """
    used = 0
    while used < words.shape[0] and place > low:
        drawn = np.int64(words[used] & mask)
        used += 1
        inside = drawn <= place
        other = drawn if inside else place
        order[place], order[other] = order[other], order[place]
        place -= 1 if inside else 0
    return place, used


@jit
def shuffle(key, position, words, orders):
    """Shuffle each row, and begin the next with the result.

    Parameters
    ----------
    key : ndarray of shape (624,), dtype=uint32
        The state of NumPy's MT19937; updated.

    position : int
        The next of its words.

    words : ndarray of shape (624,), dtype=uint32
        Workspace.

    orders : ndarray of shape (n_shuffles, n), dtype=int64
        The first row is what is shuffled first; n is at most 2^32.

    Returns
    -------
    int
        The position afterwards.
    """
    _temper(key, words)
    for row in range(orders.shape[0]):
        if row > 0:
            orders[row] = orders[row - 1]
        place = orders.shape[1] - 1
        while place > 0:
            # The places of as many bits: each is drawn with the same mask.
            low = 0
            while 2 * low + 1 < place:
                low = 2 * low + 1
            while place > low:
                if position == WORDS:
                    _next_words(key)
                    _temper(key, words)
                    position = 0
                place, used = _swap_down(
                    orders[row], place, low, np.uint32(2 * low + 1), words[position:]
                )
                position += used
    return position
