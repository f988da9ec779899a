"""The division of work among threads."""

from itertools import pairwise

import pytest

from skgd.parallel.share import share


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [0, 1, 2, 6, 100])
def test_shares(n, n_threads):
    shares = [share(n, thread, n_threads) for thread in range(n_threads)]
    assert shares[0][0] == 0
    assert shares[-1][1] == n
    for (_, end), (begin, _) in pairwise(shares):
        assert begin == end
    sizes = [end - begin for begin, end in shares]
    assert max(sizes) - min(sizes) <= 1
