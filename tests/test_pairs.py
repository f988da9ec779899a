from itertools import combinations, product

from tests.pairs import rows_with_all_pairs


def test_each_pair_is_there():
    factors = "abcd", [1, 2, 3], [False, True], ["x", "y"]
    rows = rows_with_all_pairs(*factors)
    assert len(rows) == len(set(rows)) < len(list(product(*factors))) / 2
    for i, j in combinations(range(len(factors)), 2):
        assert {(row[i], row[j]) for row in rows} == set(product(factors[i], factors[j]))
