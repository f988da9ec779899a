"""Parametrizations in which each pair of values occurs, not each combination."""

from itertools import combinations, product

import pytest

__all__ = ["all_pairs", "rows_with_all_pairs"]


def rows_with_all_pairs(*factors):
    """Choose combinations, one value of each factor, so that each pair of values is in one.

    Greedily: each is the first that has the most pairs that are not there yet.
    """
    rows = {
        row: set(combinations(enumerate(row), 2))
        for row in product(*(range(len(factor)) for factor in factors))
    }
    left, chosen = set().union(*rows.values()), []
    while left:
        best = max(rows, key=lambda row: len(rows[row] & left))
        left -= rows[best]
        chosen.append(tuple(f[i] for f, i in zip(factors, best, strict=True)))
    return chosen


def all_pairs(**factors):
    """Decorate a test to run with each pair of values of its arguments.

    ``@all_pairs(solver=SOLVERS, shuffle=[False, True], sparse=[False, True])``
    """
    rows = rows_with_all_pairs(*map(list, factors.values()))
    return pytest.mark.parametrize(tuple(factors), rows)
