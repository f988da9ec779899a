"""Parametrizations in which each pair of values occurs, not each combination."""

from itertools import combinations, product

import pytest

__all__ = ["all_pairs", "rows_with_all_pairs"]


def rows_with_all_pairs(*factors):
    """Choose combinations, one value of each factor, so that each pair of values is in one.

    Greedily: each is the first that has the most pairs that are not there yet. Since their
    number only falls, a row is looked at again only if it had more than the best so far.
    """
    rows = {
        row: set(combinations(enumerate(row), 2))
        for row in product(*(range(len(factor)) for factor in factors))
    }
    left, chosen = set().union(*rows.values()), []
    new = {row: len(pairs) for row, pairs in rows.items()}
    while left:
        best, most = None, 0
        for row, pairs in rows.items():
            if new[row] > most:
                new[row] = len(pairs & left)
                if new[row] > most:
                    best, most = row, new[row]
        left -= rows[best]
        chosen.append(tuple(f[i] for f, i in zip(factors, best, strict=True)))
    return chosen


def all_pairs(**factors):
    """Decorate a test to run with each pair of values of its arguments.

    ``@all_pairs(solver=SOLVERS, shuffle=[False, True], sparse=[False, True])``
    """
    rows = rows_with_all_pairs(*map(list, factors.values()))
    return pytest.mark.parametrize(tuple(factors), rows)
