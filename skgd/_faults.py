"""Find the argument, column and row at fault in invalid data."""

import re
import reprlib
import warnings
from numbers import Number

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

__all__ = ["data_fault"]

MOST_COLUMNS = 5
SHAPES = {
    "X": "an array of shape (n_samples, n_features)",
    "y": "an array of shape (n_samples,) or (n_samples, n_outputs)",
    "sample_weight": "an array of shape (n_samples,)",
    "groups": "an array of shape (n_samples,)",
}
REMEDIES = {
    "X": " Encode other values, e.g. by OneHotEncoder, or leave the column out.",
    "y": " For class labels use MLPClassifier.",
}


def data_fault(message, data, labels):
    """Say which argument, column and row is at fault.

    Parameters
    ----------
    message : str
        The message of the error.

    data : dict
        The arguments, by name.

    labels : bool
        Whether ``y`` holds class labels, which need not be numbers.

    Returns
    -------
    fault : str or None
        A sentence; None if no fault is found.
    """
    if "eature names" in message:
        return None
    if "fill value must be 0" in message:
        return _fill_fault(data["X"])
    if "inconsistent numbers of samples" in message:
        sizes = {name: _shape(value)[0] for name, value in data.items()}
        if len(set(sizes.values())) < 2:
            return None
        return f"{', '.join(f'{name} has {n} rows' for name, n in sizes.items())}."
    if labels and "y" in data and re.search("'<' not supported|NA is ambiguous", message):
        types = {type(label).__name__ for label in np.array(data["y"], object).flat}
        return (
            "The labels in y must be all numbers or all strings, got "
            f"{', '.join(sorted(types))}."
        )
    found = re.search(r"Input (?:(\w+) )?contains (NaN|infinity)", message)
    what = found and found[2]
    if found and found[1]:
        data = {name: value for name, value in data.items() if name == found[1]}
    numeric = ["X", "sample_weight"]
    if not labels or "Complex" in message:
        numeric.append("y")
    # The check of one column may repeat the warning of the check of all columns.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in data.items():
            fault = None if what else _shape_fault(name, value, message)
            if fault is None and (what or name in numeric):
                fault = _entry_fault(name, value, what)
            if fault is not None:
                return fault
    return None


def _fill_fault(X):
    """Name the columns of a sparse frame that scipy.sparse cannot hold."""
    columns = zip(X.columns.tolist(), X.dtypes, strict=True)
    filled = [(label, dtype.fill_value) for label, dtype in columns]
    got = ", ".join(f"{value} in column {label!r}" for label, value in filled if value != 0)
    return (
        f"Sparse columns of X must have the fill value 0, got {got}. Pass "
        "X.sparse.to_dense()."
    )


def _shape_fault(name, value, message):
    shape = _shape(value)
    n_dimensions = len(shape)
    if name == "sample_weight" and isinstance(value, Number):
        return None
    if (
        (n_dimensions == 0 and re.search("float|dimension|Expected", message))
        or (n_dimensions == 1 and name == "X" and "Expected" in message)
        or ((n_dimensions > 2 or 0 in shape) and "Found array with" in message)
    ):
        got = f"shape {shape}" if shape else reprlib.repr(value)
        return f"{name} must be {SHAPES[name]}, got {got}."
    if isinstance(value, list | tuple):
        lengths = [len(row) if isinstance(row, list | tuple) else None for row in value]
        for row, length in enumerate(lengths):
            if None not in (length, lengths[0]) and length != lengths[0]:
                return f"Row {row} of {name} is of length {length}, row 0 of {lengths[0]}."
    return None


def _entry_fault(name, value, what):
    """Look for NaN, infinity or, if ``what`` is None, entries that are not numbers."""
    if issparse(value):
        return _sparse_fault(name, value, what)
    is_number = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    if len(_shape(value)) == 0 or (what is None and is_number):
        return None
    places = []
    for label, column in _columns(value):
        entry = _first_entry(column, what)
        if entry is not None:
            row, got = entry
            place = f"row {row}" if label is None else f"column {label!r}, row {row}"
            places.append(f"in {place}" if what else f"{got} in {place}")
    if not places:
        return None
    where = "; ".join(places[:MOST_COLUMNS]) + "; and more" * (len(places) > MOST_COLUMNS)
    if what:
        return f"{name} has {what} {where}."
    return f"{name} must hold real numbers, got {where}.{REMEDIES.get(name, '')}"


def _shape(value):
    if hasattr(value, "shape"):
        return tuple(value.shape)
    if isinstance(value, list | tuple):
        try:
            return np.shape(value)
        except ValueError:
            return (len(value), 0)
    return np.shape(np.array(value, object)) if not isinstance(value, str) else ()


def _columns(value):
    """Return a label and a table of one column for each column; a single one has None."""
    if hasattr(value, "columns"):
        labels = [c.item() if isinstance(c, np.generic) else c for c in value.columns]
        take = value.iloc if hasattr(value, "iloc") else value
        return [(label, take[:, [j]]) for j, label in enumerate(labels)]
    if hasattr(value, "to_frame"):
        return [(None, value.to_frame())]
    array = value if isinstance(value, np.ndarray) else np.array(value, dtype=object)
    if array.ndim < 2:
        return [(None, array.reshape(-1, 1))]
    return [(j, array[:, [j]]) for j in range(array.shape[1])] if array.ndim == 2 else []


def _first_entry(column, what):
    """Return the first row at fault and its entry as text, None if there is no such row."""
    is_time = np.asarray(column).dtype.kind in "mM"
    try:
        numbers = check_array(
            column, accept_sparse="csc", dtype=np.float64, ensure_all_finite=False
        )
        numbers = (numbers.toarray() if issparse(numbers) else numbers)[:, 0]
    except (OverflowError, TypeError, ValueError):
        if what is not None:
            return None
    else:
        bad = np.isinf(numbers) if what == "infinity" else np.isnan(numbers)
        if what is not None:
            return (int(bad.argmax()), what) if bad.any() else None
        if not is_time:
            return None
    entries = np.array(column, dtype=object).ravel()
    rows = (i for i, e in enumerate(entries) if is_time or not _is_number(e))
    row = next(rows, None)
    return None if row is None else (row, reprlib.repr(entries[row]))


def _is_number(entry):
    try:
        # None becomes NaN.
        return entry is None or isinstance(float(entry), float)
    except (OverflowError, TypeError, ValueError):
        return False


def _sparse_fault(name, value, what):
    if value.dtype.kind == "c":
        return f"{name} must hold real numbers, got dtype {value.dtype}."
    if what is None:
        return None
    value = value.tocoo()
    bad = np.isinf(value.data) if what == "infinity" else np.isnan(value.data)
    if not bad.any():
        return None
    return f"{name} has {what} in column {value.col[bad][0]}, row {value.row[bad][0]}."
