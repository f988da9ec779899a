"""Read the columns of tables from any library."""

import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

__all__ = ["as_categories", "as_numbers", "is_category", "plain_column", "read_table"]

# The types of missing values, by name, since pandas may not be installed.
MISSING = {"NoneType", "NAType", "NaTType"}
TIMES = date, timedelta, np.datetime64, np.timedelta64
NUMBERS = Real, Decimal, np.bool_


def _library(X, name, *classes):
    """Return a library if it is imported and ``X`` is of one of these classes."""
    library = sys.modules.get(name)
    found = library and isinstance(X, tuple(getattr(library, c) for c in classes))
    return library if found else None


def read_table(X):
    """Return the labels of the columns, the columns and the number of rows.

    Parameters
    ----------
    X : {pandas or polars DataFrame, pyarrow Table or RecordBatch, array-like}
        The table.

    Returns
    -------
    labels : list
        Names, or indices if there are none.

    columns : list
        The columns, for :func:`plain_column`.

    n_rows : int
    """
    if issparse(X):
        raise TypeError(
            f"X must be a dense table, got a sparse {type(X).__name__}. Pass sparse data "
            "to MLPClassifier or MLPRegressor."
        )
    if _library(X, "pandas", "DataFrame"):
        pairs = list(X.items())
        labels, columns = [p[0] for p in pairs], [p[1] for p in pairs]
    elif _library(X, "polars", "DataFrame"):
        labels, columns = X.columns, X.get_columns()
    elif pyarrow := _library(X, "pyarrow", "Table", "RecordBatch"):
        if isinstance(X, pyarrow.RecordBatch):
            X = pyarrow.Table.from_batches([X])
        labels, columns = X.column_names, X.columns
    else:
        if not hasattr(X, "dtype") and np.asarray(X).dtype.kind not in "biuf":
            # Numbers in a table with strings stay numbers.
            X = np.array(X, dtype=object)
        X = check_array(X, dtype=None, ensure_all_finite=False, input_name="X")
        return list(range(X.shape[1])), list(X.T), X.shape[0]
    if 0 in X.shape:
        raise ValueError(
            f"X must have at least one row and one column, got a table of shape {X.shape}."
        )
    return labels, columns, X.shape[0]


def plain_column(column, label):
    """Return a column as an array, or as categories.

    Parameters
    ----------
    column : object
        A column of :func:`read_table`.

    label : str or int
        Its name, for errors.

    Returns
    -------
    ndarray or tuple
        An array of booleans, numbers, times, strings or objects. A column with a
        categorical type is a tuple (labels, codes); code -1 is a missing value.
    """
    if isinstance(column, np.ndarray):
        values = column
    elif _library(column, "pandas", "Series"):
        values = _plain_pandas(column)
    elif _library(column, "polars", "Series"):
        values = _plain_polars(column)
    else:
        values = _plain_pyarrow(column)
    if values is None or (not isinstance(values, tuple) and values.dtype.kind in "cV"):
        name = getattr(column, "dtype", getattr(column, "type", None))
        raise ValueError(
            f"column {label!r} of X is of type {name}, which cannot be encoded. Convert it "
            "to numbers, strings, categories or dates, or leave it out."
        )
    return values


def _plain_pandas(column):
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return column.to_numpy()
    if hasattr(dtype, "categories"):
        return column.array.categories, column.array.codes
    if hasattr(dtype, "pyarrow_dtype"):
        pyarrow = sys.modules["pyarrow"]
        return _plain_pyarrow(pyarrow.Table.from_pandas(column.to_frame("x"))["x"])
    if dtype.type is str:
        return column.to_numpy(dtype=object)
    if hasattr(dtype, "tz"):
        return column.dt.tz_convert(None).to_numpy()
    if dtype.kind == "b" and column.hasnans:
        return column.to_numpy(dtype=object)
    if dtype.kind == "b":
        return column.to_numpy(dtype=bool)
    if dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return None


def _plain_polars(column):
    polars = sys.modules["polars"]
    dtype = column.dtype
    if dtype.is_nested() or dtype in (polars.Binary, polars.Time):
        return None
    if dtype.is_decimal():
        column = column.cast(polars.Float64)
    if dtype in (polars.Categorical, polars.Enum, polars.String):
        return np.array(column.to_list(), dtype=object)
    return column.to_numpy()


def _plain_pyarrow(column):
    types = sys.modules["pyarrow"].types
    dtype = column.type
    if types.is_dictionary(dtype) or types.is_string(dtype) or types.is_large_string(dtype):
        column = column.dictionary_encode().combine_chunks()
        codes = column.indices.cast("int64").fill_null(-1)
        return column.dictionary.to_pylist(), codes.to_numpy()
    if types.is_decimal(dtype):
        column = column.cast("float64")
    elif types.is_nested(dtype) or types.is_time(dtype) or "binary" in str(dtype):
        return None
    elif types.is_null(dtype):
        return np.full(len(column), np.nan)
    return column.to_numpy()


def is_category(values):
    """Return whether the type of a plain column is that of categories.

    An array of objects holds categories if all of them are booleans, or if they are neither
    all numbers nor all times.
    """
    if isinstance(values, tuple):
        return True
    if values.dtype.kind != "O":
        return values.dtype.kind in "bSU"
    types = _types(values)
    if types and types <= {bool, np.bool_}:
        return True
    return not _all(types, NUMBERS) and not _all(types, TIMES)


def _types(values):
    return {t for t in set(map(type, values)) if t.__name__ not in MISSING}


def _all(types, classes):
    return all(issubclass(t, classes) for t in types)


def as_numbers(values, label):
    """Return a plain column as float64, NaN for missing values, times in seconds.

    Dates and times count from 1970, those with a time zone in UTC.
    """
    if isinstance(values, tuple):
        labels, codes = values
        entries = np.empty(len(labels) + 1, dtype=object)
        entries[:-1] = list(labels)
        values = entries[codes]
    kind = values.dtype.kind
    if kind in "biuf":
        with np.errstate(over="ignore"):
            return values.astype(np.float64, copy=False)
    if kind in "mM":
        return _seconds(values, label)
    types = _types(values)
    classes = TIMES if types and _all(types, TIMES) else NUMBERS
    if kind != "O" or not _all(types, classes):
        row = next(i for i, v in enumerate(values) if not _is_of(v, classes))
        raise ValueError(
            f"column {label!r} of X must hold numbers, got {values[row]!r} in row {row}. "
            "Convert it, or make it one of categorical_features."
        )
    convert = float if classes is NUMBERS else _seconds_of
    try:
        if classes is NUMBERS and set(map(type, values)) <= {*types, type(None)}:
            # None becomes NaN.
            return values.astype(np.float64)
        numbers = (np.nan if _is_of(v, ()) else convert(v) for v in values)
        return np.fromiter(numbers, np.float64, len(values))
    except OverflowError as error:
        raise ValueError(
            f"column {label!r} of X has a number too large for float64. Replace it by NaN "
            "or give the column another unit."
        ) from error


def _is_of(value, classes):
    """Return whether an entry is missing or of some classes."""
    return type(value).__name__ in MISSING or isinstance(value, classes)


def _seconds(values, label):
    unit = np.datetime_data(values.dtype)[0]
    second = np.timedelta64(1, "s")
    if values.dtype.kind == "m":
        if unit in ("Y", "M", "generic"):
            raise ValueError(
                f"column {label!r} of X is of type {values.dtype}, of no fixed length. "
                "Convert it to days or seconds."
            )
        return values / second
    if unit in ("Y", "M", "W", "D"):
        values = values.astype("M8[s]")
    return (values - np.datetime64(0, "s")) / second


def _seconds_of(time):
    """Return the seconds of a timedelta, or those since 1970 of a date or datetime."""
    if isinstance(time, np.generic):
        return float(_seconds(np.asarray(time), "?"))
    if isinstance(time, timedelta):
        return time.total_seconds()
    if isinstance(time, datetime):
        return (time - datetime(1970, 1, 1, tzinfo=time.tzinfo and UTC)).total_seconds()
    return (time - date(1970, 1, 1)).total_seconds()


def as_categories(values, label):
    """Return the labels of a plain column and the codes of its rows.

    Parameters
    ----------
    values : ndarray or tuple
        A column of :func:`plain_column`.

    label : str or int
        Its name, for errors.

    Returns
    -------
    labels : list
        Strings, numbers, and None for missing values. Labels may repeat.

    codes : ndarray of shape (n_rows,), integers
        The index of each row's label.
    """
    if isinstance(values, tuple):
        labels, codes = values
        if len(codes) < len(labels):
            labels = [labels[i] if i >= 0 else None for i in codes.tolist()]
            codes = np.arange(len(codes))
        else:
            labels, codes = [None, *labels], codes.astype(np.intp) + 1
    else:
        if values.dtype.kind in "mM":
            values = _seconds(values, label)
        values = values.tolist()
        try:
            index = dict.fromkeys(values)
        except TypeError as error:
            raise TypeError(
                f"column {label!r} of X must hold strings, numbers or dates: {error}"
            ) from error
        labels = list(index)
        index = dict(zip(labels, range(len(labels)), strict=True))
        codes = np.fromiter(map(index.__getitem__, values), np.intp, len(values))
    return [_key(v) for v in labels], codes


def _key(value):
    """Return a string or a number that identifies an entry, None for a missing one."""
    if isinstance(value, str):
        return str(value)
    if type(value).__name__ in MISSING or value != value:
        return None
    if isinstance(value, TIMES):
        return _seconds_of(value)
    if isinstance(value, int | np.integer | np.bool_):
        return int(value)
    if isinstance(value, Real | Decimal):
        return float(value)
    return str(value)
