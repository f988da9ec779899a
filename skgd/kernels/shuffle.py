"""NumPy's shuffles, without a branch that the processor cannot predict.

For each place, from the last to the first, a shuffle draws a place to swap with: the place
itself or one before it. NumPy draws random numbers with as many bits as the place has,
until one is not too large. The processor cannot predict how many it takes. Here, a number
that is too large swaps nothing, without a branch. A row takes 3 to 5 ns instead of 10.

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

# The words of the generator's state. Each gives one random number.
WORDS = 624
# The distance between the words that are combined.
_FAR = 397


@jit
def _twist(high, low, far):
    mixed = (high & np.uint32(0x80000000)) | (low & np.uint32(0x7FFFFFFF))
    odd = np.uint32(0x9908B0DF) if mixed & np.uint32(1) else np.uint32(0)
    return far ^ (mixed >> np.uint32(1)) ^ odd


@jit
def _next_words(key):
    """Replace the state by the next one, in loops that vectorize."""
    for k in range(WORDS - _FAR):
        key[k] = _twist(key[k], key[k + 1], key[k + _FAR])
    for k in range(WORDS - _FAR, WORDS - 1):
        key[k] = _twist(key[k], key[k + 1], key[k + _FAR - WORDS])
    key[WORDS - 1] = _twist(key[WORDS - 1], key[0], key[_FAR - 1])


@jit
def _temper(key, words):
    """Write the random numbers of a state."""
    for k in range(WORDS):
        y = key[k]
        y ^= y >> np.uint32(11)
        y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
        y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
        words[k] = y ^ (y >> np.uint32(18))


@jit
def _swap_down(order, place, low, mask, words):
    """Shuffle the places from ``place`` down to ``low + 1``, until no words are left.

    Returns
    -------
    place, used : int
        The next place, and the number of words used.
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
    """Shuffle several times in a row, as NumPy does.

    Parameters
    ----------
    key : ndarray of shape (624,), dtype=uint32
        The state of NumPy's MT19937; updated.

    position : int
        The index of the next word of the state.

    words : ndarray of shape (624,), dtype=uint32
        Scratch memory.

    orders : ndarray of shape (n_shuffles, n), dtype=int64
        The first row is shuffled in place. Each other row becomes a shuffle of the row
        before it. n is at most 2^32.

    Returns
    -------
    int
        The position after the last shuffle.
    """
    _temper(key, words)
    for row in range(orders.shape[0]):
        if row > 0:
            orders[row] = orders[row - 1]
        place = orders.shape[1] - 1
        while place > 0:
            # The places with the same number of bits use the same mask.
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
