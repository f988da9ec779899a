"""Learn how to encode the columns of a table, and encode tables.

A learned column is a dict. Its ``kind`` is

- ``"number"``: ``center``, ``scale``, whether values were ``missing``, and the ``edges`` of
  its bins, None without a piecewise-linear embedding;
- ``"missing"``: a number that is constant, except that some values are missing;
- ``"binary"``, ``"one_hot"`` or ``"embedding"``: a category with its ``values``, sorted.
"""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from skgd.preprocessing._bins import MOST_BINS, binned, merged
from skgd.preprocessing._robust import center_and_scale, in_order, quantiles, smooth_clip
from skgd.tabular._read import (
    as_categories,
    as_numbers,
    is_category,
    plain_column,
    read_table,
)

__all__ = ["Table", "encode", "learn_columns", "n_bin_rows", "n_values", "of_kind"]

# The codes of categories are 16-bit numbers. Code 0 is a missing or unseen category.
MOST_VALUES = 2**16 - 2

# The numbers that are scaled at a time.
BLOCK_SIZE = 2**18


class Table(NamedTuple):
    """Encoded rows."""

    # Scaled numbers; then 1 where a number is missing, otherwise 0; then binary categories,
    # -1 or 1. float32.
    X: np.ndarray
    # The bin of each number, counted over all columns (uint16), and the position in the bin
    # (float32). These arrays have no columns if there are no bins.
    bins: np.ndarray
    fractions: np.ndarray
    # One-hot categories, then embedded ones: codes from 1, 0 if missing or unseen. uint16.
    codes: np.ndarray

    def part(self, first, last):
        """View some rows."""
        return Table(*(array[first:last] for array in self))


def of_kind(columns, *kinds):
    """Return the learned columns of some kinds, kind by kind."""
    return [c for kind in kinds for c in columns if c["kind"] == kind]


def n_bin_rows(columns):
    """Return the number of bins of each column of numbers; empty without bins."""
    numbers = of_kind(columns, "number")
    return [len(c["edges"]) - 1 for c in numbers if c["edges"] is not None]


def n_values(columns, kind):
    """Return the number of values of each category of a kind."""
    return [len(c["values"]) for c in of_kind(columns, kind)]


def learn_columns(
    X,
    categorical_features="from_dtype",
    max_one_hot=8,
    n_bins=None,
    sample_weight=None,
):
    """Learn how to encode the columns of a table.

    Parameters
    ----------
    X : {pandas or polars DataFrame, pyarrow Table or RecordBatch, array-like}
        The training rows.

    categorical_features : {"from_dtype"}, array-like of {bool, int, str} or None
        Which columns hold categories.

    max_one_hot : int
        The most values of a category that is one-hot encoded. Others are embedded.

    n_bins : int or None
        The largest number of bins of a column of numbers; None for no bins.

    sample_weight : ndarray of shape (n_samples,), default=None
        The weights of the rows. Rows of weight 0 are ignored.

    Returns
    -------
    list of dict
        The columns that are not constant, in the order of the table.
    """
    labels, columns, _ = read_table(X)
    chosen = _chosen(categorical_features, labels)
    seen: slice | np.ndarray = slice(None)
    if sample_weight is not None:
        seen = np.flatnonzero(sample_weight)
        sample_weight = sample_weight[seen]
    if n_bins is not None:
        n_bins = min(n_bins, MOST_BINS // len(columns)) or 1
    learned = []
    for j, (name, column) in enumerate(zip(labels, columns, strict=True)):
        values = plain_column(column, name)
        if is_category(values) if chosen is None else chosen[j]:
            found, codes = as_categories(values, name)
            new = _learn_category(found, codes[seen], max_one_hot, sample_weight)
        else:
            numbers = as_numbers(values, name)
            _refuse_infinity(numbers[np.newaxis], [name])
            new = _learn_number(numbers[seen], sample_weight, n_bins)
        if new is not None:
            name = name if isinstance(name, str) else j
            learned.append({"index": j, "name": name, **new})
    if len(n_bin_rows(learned)) > MOST_BINS:
        raise ValueError(
            f"A piecewise-linear numeric_embedding is for at most {MOST_BINS} columns of "
            f"numbers, got {len(n_bin_rows(learned))}. Use numeric_embedding=None."
        )
    return learned


def _chosen(categorical_features, labels):
    """Return whether each column is a category, None if its type decides."""
    if isinstance(categorical_features, str) and categorical_features == "from_dtype":
        return None
    n = len(labels)
    given = np.asarray([] if categorical_features is None else categorical_features)
    kinds = {type(v) for v in given.ravel().tolist()}
    allowed = (
        "'from_dtype', None, a boolean for each column, or indices or names of columns"
    )
    if given.ndim != 1 or len(kinds) > 1 or not kinds <= {bool, int, str}:
        raise ValueError(
            f"categorical_features must be {allowed}, got {categorical_features!r}."
        )
    if given.dtype == bool:
        if given.size != n:
            raise ValueError(
                f"categorical_features as booleans must be of length {n}, the number of "
                f"columns of X, got {given.size}."
            )
        return given
    places = given.tolist()
    if kinds == {str}:
        known = {name: j for j, name in enumerate(labels)}
        unknown = [name for name in places if name not in known]
        if unknown:
            raise ValueError(
                f"categorical_features has the name {unknown[0]!r}, which is not among the "
                f"columns of X: {labels!r}."
            )
        places = [known[name] for name in places]
    unknown = [j for j in places if not 0 <= j < n]
    if unknown:
        raise ValueError(
            f"categorical_features has the index {unknown[0]}, but X has columns 0 to "
            f"{n - 1}."
        )
    return np.isin(np.arange(n), places)


def _refuse_infinity(numbers, names):
    """Raise if a column, which is a row of ``numbers``, has an infinite number."""
    infinite = np.isinf(numbers)
    if infinite.any():
        column, row = np.argwhere(infinite)[0]
        raise ValueError(
            f"column {names[column]!r} of X has an infinite number in row {row}. Replace "
            "it by NaN or a finite number."
        )


def _learn_number(numbers, weight, n_bins):
    """Return how to encode a column of numbers, None if it is constant."""
    x, weight = in_order(numbers, weight)
    missing = x.size < numbers.size
    if x.size == 0:
        return None
    center, scale = center_and_scale(x, weight)
    new = {"center": center, "scale": scale, "missing": missing, "edges": None}
    if scale == 0:
        return {"kind": "missing", **new, "scale": 1.0} if missing else None
    if n_bins is not None:
        edges = quantiles(smooth_clip(x, center, scale), n_bins, weight)
        new["edges"] = merged(edges)
    return {"kind": "number", **new}


def _learn_category(labels, codes, max_one_hot, weight):
    """Return how to encode a column of categories, None if it is constant."""
    totals: dict = {}
    counts = np.bincount(codes, weight, len(labels))
    for value, count in zip(labels, counts.tolist(), strict=True):
        if count:
            totals[value] = totals.get(value, 0) + count
    missing = totals.pop(None, 0) > 0
    values = sorted(totals, key=_order)
    if len(values) + missing < 2:
        return None
    if len(values) > MOST_VALUES:
        values = sorted(values, key=lambda v: -totals[v])[:MOST_VALUES]
        values.sort(key=_order)
    few = "one_hot" if len(values) <= max_one_hot else "embedding"
    return {"kind": "binary" if len(values) <= 2 else few, "values": values}


def _order(value):
    """Return the key of a value by which numbers are sorted before strings."""
    return isinstance(value, str), value


def encode(columns, X, rows=None):
    """Encode rows of a table.

    Parameters
    ----------
    columns : list of dict
        The result of :func:`learn_columns`.

    X : {pandas or polars DataFrame, pyarrow Table or RecordBatch, array-like}
        The rows, with the columns of training.

    rows : ndarray of shape (n,), default=None
        The indices of the rows to encode, in this order; by default all.

    Returns
    -------
    Table
    """
    _, raw, n_rows = read_table(X)
    if rows is None:
        rows = slice(None)
    else:
        n_rows = len(rows)
    numbers, binary = of_kind(columns, "number"), of_kind(columns, "binary")
    categories = of_kind(columns, "one_hot", "embedding")
    read = [*numbers, *of_kind(columns, "missing")]
    n_missing = sum(c["missing"] for c in read)
    sizes = n_bin_rows(columns)
    table = Table(
        np.empty((n_rows, len(numbers) + n_missing + len(binary)), np.float32),
        np.empty((n_rows, len(sizes)), np.uint16),
        np.empty((n_rows, len(sizes)), np.float32),
        np.empty((n_rows, len(categories)), np.uint16),
    )
    indicator = len(numbers)
    first_rows = np.cumsum([0, *sizes])
    step = max(1, BLOCK_SIZE // n_rows)
    for start in range(0, len(read), step):
        block = read[start : start + step]
        z, missing = _scaled(block, raw, rows, n_rows)
        n_scaled = min(len(block), len(numbers) - start)
        table.X[:, start : start + n_scaled] = z[:n_scaled].T
        for j, c in enumerate(block, start):
            if c["missing"]:
                table.X[:, indicator] = missing[j - start]
                indicator += 1
            if c["edges"] is not None:
                bins, table.fractions[:, j] = binned(z[j - start], c["edges"])
                table.bins[:, j] = bins + first_rows[j]
    for j, c in enumerate(binary, indicator):
        signs = [0, -1, 1] if len(c["values"]) == 2 else [0, 1]
        table.X[:, j] = np.array(signs, np.float32)[_codes(c, raw)[rows]]
    for j, c in enumerate(categories):
        table.codes[:, j] = _codes(c, raw)[rows]
    return table


def _scaled(columns, raw, rows, n_rows):
    """Return the scaled numbers of some columns, as rows, and where they are missing."""
    x = np.empty((len(columns), n_rows))
    for row, c in zip(x, columns, strict=True):
        row[:] = as_numbers(plain_column(raw[c["index"]], c["name"]), c["name"])[rows]
    _refuse_infinity(x, [c["name"] for c in columns])
    center, scale = np.array([[c["center"], c["scale"]] for c in columns]).T
    z = smooth_clip(x, center[:, np.newaxis], scale[:, np.newaxis])
    missing = np.isnan(z)
    z[missing] = 0
    return z, missing


def _codes(column, raw):
    """Return the code of a category in each row."""
    values = plain_column(raw[column["index"]], column["name"])
    labels, codes = as_categories(values, column["name"])
    table = np.fromiter(_positions(column["values"], labels), np.uint16, len(labels))
    return table[codes]


def _positions(values, labels):
    """Return the place of each label among sorted values, from 1; 0 for other labels."""
    if 50 * len(labels) > len(values):
        known = dict(zip(values, range(1, len(values) + 1), strict=True))
        return [known.get(v, 0) for v in labels]
    # For a few rows of a column with many values, hashing all values would take longer.
    return [0 if v is None else _position(values, v) for v in labels]


def _position(values, label):
    place = bisect_left(values, _order(label), key=_order)
    return place + 1 if values[place : place + 1] == [label] else 0
