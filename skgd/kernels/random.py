"""Random numbers for dropout, as a function of a counter and a key: Philox4x32-7.

There is no state. A number depends only on its place, not on the thread that computes it,
and a loop over counters vectorizes. Seven rounds are the fewest that pass all tests of
BigCrush. With ten, the usual number, dropout takes more than 10 % of an epoch.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw (2011). "Parallel random numbers: as easy
as 1, 2, 3." SC11.
"""

import numpy as np

from skgd.compile.jit import jit
from skgd.kernels.views import vector

__all__ = ["BLOCK", "VALUES", "drop", "multiplier", "philox", "rounded_rate"]

# The counters of a block, and its random numbers. A counter gives 8 numbers, which are this
# far apart, so neighboring numbers come from neighboring counters.
_COUNTERS = 64
BLOCK = 8 * _COUNTERS
# The number of values of a 16-bit random number.
VALUES = 1 << 16

_HALF = np.uint64(32)


@jit
def philox(counter, key):
    """Return four words of 32 bits, for a counter of four words and a key of two."""
    a, b, c, d = counter
    k, m = key
    for _ in range(7):
        one = np.uint64(a) * np.uint64(0xD2511F53)
        other = np.uint64(c) * np.uint64(0xCD9E8D57)
        a, b = np.uint32((other >> _HALF) ^ np.uint64(b ^ k)), np.uint32(other)
        c, d = np.uint32((one >> _HALF) ^ np.uint64(d ^ m)), np.uint32(one)
        k = np.uint32(np.uint64(k) + np.uint64(0x9E3779B9))
        m = np.uint32(np.uint64(m) + np.uint64(0xBB67AE85))
    return a, b, c, d


@jit
def rounded_rate(rate):
    """Return how many of the `VALUES` mean "drop", and the factor of kept numbers."""
    n_dropped = min(int(np.rint(rate * VALUES)), VALUES - 1)
    return n_dropped, VALUES / (VALUES - n_dropped)


@jit
def _words(key, update, stage, index):
    """Return the words of the counter with this index."""
    counter = (
        np.uint32(index),
        np.uint32(update & 0xFFFFFFFF),
        np.uint32(update >> 32),
        np.uint32(stage),
    )
    return philox(counter, (np.uint32(key & 0xFFFFFFFF), np.uint32(key >> 32)))


@jit
def multiplier(key, place, rate):
    """Return the factor by which :func:`drop` multiplies the number at ``place``."""
    update, stage, first = place
    n_dropped, factor = rate
    block, part = first // BLOCK, first % BLOCK
    a, b, c, d = _words(key, update, stage, block * _COUNTERS + part % _COUNTERS)
    quarter, half = part // (2 * _COUNTERS), part // _COUNTERS % 2
    word = (a if quarter == 0 else b) if quarter < 2 else (c if quarter == 2 else d)
    kept = (word >> np.uint32(16 * half)) & np.uint32(0xFFFF) >= np.uint32(n_dropped)
    return factor if kept else 0.0


@jit
def _multipliers(key, place, block, n_dropped, factor, out):
    """Write the multipliers of a block: 0 for numbers to drop, otherwise the factor."""
    update, stage = place
    zero, factor, least = out.dtype.type(0), out.dtype.type(factor), np.uint32(n_dropped)
    for k in range(_COUNTERS):
        a, b, c, d = _words(key, update, stage, block * _COUNTERS + k)
        for word, offset in ((a, k), (b, k + 128), (c, k + 256), (d, k + 384)):
            lower = np.uint32(word & np.uint32(0xFFFF))
            upper = np.uint32(word >> np.uint32(16))
            out[offset] = factor if lower >= least else zero
            out[offset + _COUNTERS] = factor if upper >= least else zero


@jit
def drop(key, place, rate, x, own, out):
    """Replace each number by 0 with some probability; multiply the others.

    Parameters
    ----------
    key : int
        The key of the random numbers, not negative.

    place : tuple of int
        The update, the stage, and the place of the first number in the mini-batch.

    rate : tuple of int and float
        The result of :func:`rounded_rate`.

    x, own, out : ndarray of shape (n,), (BLOCK,) and (n,)
        The numbers, scratch memory, and the output, which may be ``x``.
    """
    update, stage, first = place
    n_dropped, factor = rate
    last = first + x.shape[0]
    begin = first
    while begin < last:
        block = begin // BLOCK
        end = min((block + 1) * BLOCK, last)
        _multipliers(key, (update, stage), block, n_dropped, factor, own)
        size = end - begin
        multipliers = vector(own, begin - block * BLOCK, size)
        source, target = vector(x, begin - first, size), vector(out, begin - first, size)
        for i in range(size):
            target[i] = source[i] * multipliers[i]
        begin = end
