"""Philox4x32-7, and the units that dropout keeps, in integers of Python."""

import numpy as np

LOW = 2**32 - 1


def philox(counter, key):
    a, b, c, d = counter
    k, m = key
    for _ in range(7):
        one, other = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (other >> 32) ^ b ^ k, other & LOW, (one >> 32) ^ d ^ m, one & LOW
        k, m = (k + 0x9E3779B9) & LOW, (m + 0xBB67AE85) & LOW
    return a, b, c, d


def multipliers(seed, update, stage, rate, rows, units):
    """Return what dropout multiplies the units of the first rows of a mini-batch by."""
    n_dropped = min(round(rate * 2**16), 2**16 - 1)
    kept = np.empty(rows * units, dtype=bool)
    for place in range(kept.size):
        block, within = divmod(place, 512)
        part, index = divmod(within, 64)
        counter = block * 64 + index, update & LOW, update >> 32, stage
        word = philox(counter, (seed & LOW, seed >> 32))[part // 2]
        kept[place] = (word >> 16 * (part % 2)) & 0xFFFF >= n_dropped
    return kept.reshape(rows, units) * (2**16 / (2**16 - n_dropped))
