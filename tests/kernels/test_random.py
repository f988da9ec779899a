"""Philox against known test vectors, and dropout against integers of Python."""

import numpy as np
import pytest

from skgd.compile.jit import jit
from skgd.kernels.random import BLOCK, drop, multiplier, philox
from tests.engine.helpers import DTYPES, size, uncached
from tests.oracles import random as oracle

# kat_vectors of Random123, philox4x32 of 7 rounds: counter, key, words.
VECTORS = [
    ([0] * 4, [0] * 2, [0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48]),
    ([2**32 - 1] * 4, [2**32 - 1] * 2, [0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0x4DFCCABA, 0x190A87F0, 0xC47362BA, 0xB6B5242A],
    ),
]


@jit
def words(counter, key, out):
    found = philox((counter[0], counter[1], counter[2], counter[3]), (key[0], key[1]))
    out[0], out[1], out[2], out[3] = found


words = uncached(words)


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_known_words(counter, key, expected):
    out = np.empty(4, dtype=np.uint32)
    words(np.array(counter, np.uint32), np.array(key, np.uint32), out)
    assert out.tolist() == expected
    assert list(oracle.philox(counter, key)) == expected


def dropped(x, seed=7, update=3, stage=1, first=0, n_dropped=20_000, factor=1.5):
    out = np.empty_like(x)
    own = np.empty(BLOCK, dtype=x.dtype)
    drop(seed, (update, stage, first), (n_dropped, factor), x, own, out)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.1, 0.5, 0.99, 1 - 1e-9])
@pytest.mark.parametrize(
    ("seed", "update"), [(0, 0), (2**63 - 1, 5), (2**40 + 3, 2**33 + 1)]
)
def test_the_oracle(seed, update, rate, dtype):
    rows, units = 23, 31
    expected = oracle.multipliers(seed, update, 2, rate, rows, units)
    x = np.random.default_rng(0).normal(size=rows * units).astype(dtype)
    n_dropped = min(round(rate * 2**16), 2**16 - 1)
    found = dropped(x, seed, update, 2, 0, n_dropped, 2**16 / (2**16 - n_dropped))
    np.testing.assert_array_equal(found, x * expected.reshape(-1).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("first", [0, 1, 511, 512, 513, 700])
def test_a_part_is_that_of_the_whole(first, dtype):
    x = np.ones(1500, dtype=dtype)
    np.testing.assert_array_equal(dropped(x[first:], first=first), dropped(x)[first:])


@jit
def multipliers(place, rate, out):
    for i in range(out.shape[0]):
        out[i] = multiplier(7, (place[0], place[1], place[2] + i), rate)


multipliers = uncached(multipliers)


def test_one_by_one():
    found = np.empty(1100)
    multipliers((3, 1, 700), (20_000, 1.5), found)
    np.testing.assert_array_equal(found, dropped(np.ones(1100), first=700))


def test_in_place():
    x = np.linspace(1, 2, 700)
    own, expected = np.empty(BLOCK), dropped(x)
    drop(7, (3, 1, 0), (20_000, 1.5), x, own, x)
    np.testing.assert_array_equal(x, expected)


def test_each_number_differs_from_the_others():
    """Of another seed, update, stage or place, half of what is dropped is another."""
    n = size(100_000, 2_000)
    x = np.ones(n)
    options = [{}, {"seed": 8}, {"seed": 7 + 2**32}, {"update": 4}, {"update": 3 + 2**32}]
    options += [{"stage": 2}, {"first": n}]
    kept = np.array([dropped(x, n_dropped=2**15, factor=1.0, **one) for one in options])
    within = 5 * 0.5 / np.sqrt(n)
    np.testing.assert_allclose(kept.mean(axis=1), 0.5, atol=within)
    products = (2 * kept - 1) @ (2 * kept - 1).T / n
    np.testing.assert_allclose(products, np.eye(len(options)), atol=2 * within)
