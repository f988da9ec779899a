"""Columns of tables, compared with slow loops in plain Python."""

import datetime as dt
import pickle
import subprocess
import sys
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from scipy import sparse

from skgd.tabular import _columns
from skgd.tabular._columns import encode, learn_columns, n_bin_rows, n_values

N_ROWS = 60
HALVES = slice(0, 7), slice(7, None)
FIELDS = ["X", "bins", "fractions", "codes"]


def raw(n=N_ROWS, seed=0):
    """Return columns as lists, None where missing."""
    rng = np.random.default_rng(seed)

    def some_missing(values):
        return [None if u < 0.2 else v for v, u in zip(values, rng.random(n), strict=True)]

    return {
        "income": some_missing((rng.standard_cauchy(n) * 1e4).tolist()),
        "age": rng.integers(18, 90, n).tolist(),
        "rooms": some_missing(rng.integers(1, 6, n).tolist()),
        "owner": some_missing((rng.random(n) < 0.5).tolist()),
        "color": some_missing(rng.choice(["red", "green", "blue"], n).tolist()),
        "city": [f"c{i}" for i in rng.integers(0, 30, n)],
        "since": some_missing(
            [
                dt.datetime(2020, 1, 1) + dt.timedelta(seconds=int(s))
                for s in rng.integers(0, 9**8, n)
            ]
        ),
        "day": [dt.date(2020, 1, 1) + dt.timedelta(int(d)) for d in rng.integers(0, 99, n)],
        "constant": [1] * n,
        "nothing": [None] * n,
    }


def as_objects(columns):
    X = np.empty((len(next(iter(columns.values()))), len(columns)), dtype=object)
    for j, values in enumerate(columns.values()):
        X[:, j] = values
    return X


def as_pandas(columns):
    frame = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})
    frame = frame.astype({"income": float, "age": "int32", "rooms": "Int64"})
    frame = frame.astype({"owner": "boolean", "color": "category", "city": "str"})
    return frame.astype({"since": "datetime64[us]", "nothing": float})


def as_arrow(columns):
    pyarrow = pytest.importorskip("pyarrow")
    color = pyarrow.array(columns["color"]).dictionary_encode()
    return pyarrow.table(columns | {"color": color})


def as_chunks(columns):
    halves = [{name: v[rows] for name, v in columns.items()} for rows in HALVES]
    parts = [as_arrow(half) for half in halves if half["age"]]
    return sys.modules["pyarrow"].concat_tables(parts, promote_options="default")


def as_arrow_pandas(columns):
    pytest.importorskip("pyarrow")
    table = as_arrow(columns)
    return table.to_pandas(types_mapper=pd.ArrowDtype)


CONTAINERS = {
    "objects": as_objects,
    "lists": lambda columns: as_objects(columns).tolist(),
    "pandas": as_pandas,
    "pandas of objects": lambda columns: pd.DataFrame(
        as_objects(columns), columns=list(columns)
    ),
    "polars": lambda columns: pl.DataFrame(columns).cast({"color": pl.Categorical}),
    "polars of enums": lambda columns: pl.DataFrame(columns).cast(
        {"color": pl.Enum(["blue", "pink", "red", "green"])}
    ),
    "pyarrow": as_arrow,
    "batch": lambda columns: as_arrow(columns).combine_chunks().to_batches()[0],
    "chunks": as_chunks,
    "pandas of pyarrow": as_arrow_pandas,
}


def same(a, b):
    for name, one, other in zip(FIELDS, a, b, strict=True):
        assert one.dtype == other.dtype
        assert one.flags.c_contiguous
        np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("n_bins", [None, 48])
def test_containers_are_the_same(container, n_bins):
    expected = learn_columns(as_objects(raw()), n_bins=n_bins)
    columns = learn_columns(container(raw()), n_bins=n_bins)
    assert [c["kind"] for c in columns] == [
        *["number"] * 3,
        "binary",
        "one_hot",
        "embedding",
        *["number"] * 2,
    ]
    for one, other in zip(columns, expected, strict=True):
        np.testing.assert_equal({**one, "name": 0}, {**other, "name": 0})
    new = raw(20, seed=1)
    same(encode(columns, container(new)), encode(expected, as_objects(new)))
    for rows in (slice(3, 4), slice(0, 2)):
        few = {name: values[rows] for name, values in new.items()}
        same(
            encode(columns, container(few)),
            [a[rows] for a in encode(columns, container(new))],
        )


def quantile(values, part):
    """Return the mean of the numbers on both sides of a part of the sorted ones."""
    values, place = sorted(values), part * len(values)
    if abs(place - round(place)) < 1e-9:
        place = round(place)
        low, high = max(place - 1, 0), min(place, len(values) - 1)
        return (values[low] + values[high]) / 2
    return values[int(place)]


def clipped(value, values):
    spread = quantile(values, 0.75) - quantile(values, 0.25)
    z = (value - quantile(values, 0.5)) / (spread or (max(values) - min(values)) / 2)
    return z / np.sqrt(1 + (z / 3) ** 2)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 48, 50, 200])
@pytest.mark.parametrize("kind", ["normal", "few", "mostly 0", "wide"])
def test_numbers(n, kind):
    rng = np.random.default_rng(n)
    x = {
        "normal": rng.normal(1000, 3, n),
        "few": rng.integers(0, 4, n) * 1.0,
        "mostly 0": np.where(np.arange(n) < n - n // 5 - 1, 0, rng.normal(size=n)),
        "wide": rng.standard_cauchy(n) ** 3,
    }[kind]
    x[0], x[-1] = 7, -7
    n_bins = 8
    columns = learn_columns(x[:, np.newaxis], None, 8, n_bins)
    new = np.concatenate([x, rng.normal(size=30) * 20, [np.nan]])
    table = encode(columns, new[:, np.newaxis])
    z = np.array([0.0 if np.isnan(v) else clipped(v, x) for v in new])
    np.testing.assert_allclose(table.X[:, 0], z, rtol=1e-6, atol=1e-7)
    training = [clipped(v, x) for v in x]
    edges = sorted({quantile(training, t / n_bins) for t in range(n_bins + 1)})
    kept = edges[:1]
    kept += [e for a, e in pairwise(edges) if e - a > 1e-5]
    assert n_bin_rows(columns) == [len(kept) - 1]
    # The sum of the components is that of a row of ones and the fraction.
    for value, b, fraction in zip(z, table.bins[:, 0], table.fractions[:, 0], strict=True):
        parts = []
        for t, (low, high) in enumerate(pairwise(kept)):
            part = (value - low) / (high - low)
            part = max(part, 0) if t > 0 else part
            parts.append(min(part, 1) if t < len(kept) - 2 else part)
        assert b + fraction == pytest.approx(sum(parts), rel=1e-5, abs=1e-4)


def test_weights_repeat_rows():
    rng = np.random.default_rng(0)
    X = CONTAINERS["pandas"](raw())
    weight = rng.integers(0, 4, N_ROWS)
    expected = learn_columns(X.iloc[np.repeat(np.arange(N_ROWS), weight)], n_bins=48)
    for factor in (1.0, 2.0**-30, 2.0**40):
        columns = learn_columns(X, n_bins=48, sample_weight=weight * factor)
        np.testing.assert_equal(columns, expected)


def test_blocks_are_the_same(monkeypatch):
    X = as_pandas(raw())
    X["rare"] = [None, *[5.0] * (N_ROWS - 1)]
    columns = learn_columns(X, n_bins=48)
    expected = encode(columns, X)
    monkeypatch.setattr(_columns, "BLOCK_SIZE", 2 * N_ROWS)
    same(encode(columns, X), expected)


def test_bins_are_counted_over_all_columns():
    X = np.random.default_rng(0).normal(size=(500, 3))
    X[:, 1] = X[:, 1] > 0
    columns = learn_columns(X, None, 8, 48)
    assert n_bin_rows(columns) == [48, 1, 48]
    bins = encode(columns, X).bins
    assert bins.min(axis=0).tolist() == [0, 48, 49]
    assert bins.max(axis=0).tolist() == [47, 48, 96]


def test_bins_of_many_columns_are_fewer():
    X = np.random.default_rng(0).normal(size=(50, 5000))
    columns = learn_columns(X, None, 8, 48)
    assert set(n_bin_rows(columns)) == {13}
    assert encode(columns, X).bins.max() == 5000 * 13 - 1


@pytest.mark.parametrize("exponent", [-320, -310, -300, 300, 306])
def test_huge_and_tiny_numbers(exponent):
    x = np.array([1.0, 2.0, 3.0, 4.0, -10.0, np.nan])[:, np.newaxis]
    scaled = x * 10.0**exponent
    columns, expected = (learn_columns(v, None, 8, 48) for v in (scaled, x))
    a, b = encode(columns, scaled), encode(expected, x)
    np.testing.assert_allclose(a.X, b.X, rtol=1e-3)
    largest = np.finfo(np.float64).max
    for table, others in zip(
        (
            encode(columns, [[largest], [-largest]]),
            encode(expected, [[largest], [-largest]]),
        ),
        (columns, expected),
        strict=True,
    ):
        assert np.isfinite(table.fractions).all()
        assert (np.abs(table.X[:, 0]) <= 3).all() and others
    assert encode(expected, [[largest]]).X[0, 0] == 3


def test_categories():
    values = ["b", None, "a", "c", 2, "2", 2.0, 0.5, True, "b"]
    X = np.array([values], dtype=object).T
    columns = learn_columns(X)
    known = columns[0]["values"]
    assert known == [0.5, 1, 2, "2", "a", "b", "c"]
    expected = [0 if v is None else 1 + known.index(v) for v in values]
    assert encode(columns, X).codes[:, 0].tolist() == expected
    new = np.array([["d", np.nan, 2, pd.NA, np.str_("c"), np.float32(0.5)]], dtype=object).T
    assert encode(columns, new).codes[:, 0].tolist() == [0, 0, 3, 0, 7, 1]


def test_kinds_of_categories():
    X = pd.DataFrame(
        {
            "five": list("abcde") * 4,
            "two": list("xy") * 10,
            "four": list("abcd") * 5,
            "one": ["x"] * 20,
            "none": pd.Series([None] * 20, dtype="str"),
            "one or missing": ["x", None] * 10,
        }
    )
    columns = learn_columns(X, max_one_hot=4)
    assert [c["kind"] for c in columns] == ["embedding", "binary", "one_hot", "binary"]
    assert n_values(columns, "one_hot") == [4]
    assert n_values(columns, "embedding") == [5]
    new = X.iloc[:3].copy()
    new.loc[0, "two"], new.loc[1, "two"] = "z", None
    table = encode(columns, new)
    assert table.X.tolist() == [[0, 1], [0, 0], [-1, 1]]
    assert table.codes.tolist() == [[1, 1], [2, 2], [3, 3]]
    kinds = [c["kind"] for c in learn_columns(X, max_one_hot=0)]
    assert kinds == ["embedding", "binary", "embedding", "binary"]


def test_the_most_frequent_of_many_categories_are_kept():
    values = [*range(70_000), *range(65_000, 70_000)]
    X = pd.DataFrame({"id": pd.Series(values).map("v{}".format)})
    columns = learn_columns(X)
    known = set(columns[0]["values"])
    assert len(known) == 65_534
    assert {f"v{i}" for i in range(65_000, 70_000)} <= known
    codes = encode(columns, X).codes[:, 0]
    assert np.unique(codes).tolist() == list(range(65_535))
    assert all((v in known) == (c > 0) for v, c in zip(X["id"], codes, strict=True))


@pytest.mark.parametrize("n_categories", [127, 128, 300])
def test_categories_that_one_row_has_not(n_categories):
    names = [f"v{i:03d}" for i in range(n_categories)]
    X = pd.DataFrame({"a": pd.Categorical([*names, None], categories=["other", *names])})
    columns = learn_columns(X)
    codes = encode(columns, X).codes[:, 0].tolist()
    assert codes == [*range(1, n_categories + 1), 0]
    assert [encode(columns, X.iloc[[i]]).codes[0, 0] for i in (0, 5, -1)] == [1, 6, 0]


def test_one_row_of_many_categories():
    values = [*range(0, 4000, 2), *(f"v{i}" for i in range(2000))]
    X = np.array(values, dtype=object)[:, np.newaxis]
    columns = learn_columns(X)
    known = columns[0]["values"]
    for v in (0, 3998, 2.0, "v0", "v999", -1, 1, 4000, "", "v10x", "w", None, True):
        expected = known.index(v) + 1 if v in known else 0
        assert encode(columns, [[v]]).codes.tolist() == [[expected]]


def test_categories_of_another_type_at_predict():
    columns = learn_columns(pd.DataFrame({"a": [1, 2, 3]}), ["a"])
    for values in (
        np.array([1.0, 3.0, np.nan]),
        pd.Categorical([1, 3, None]),
        pd.array([1, 3, None], dtype="Int8"),
        np.array([1, 3, None], dtype=object),
    ):
        assert encode(columns, pd.DataFrame({"a": values})).codes[:, 0].tolist() == [
            1,
            3,
            0,
        ]


def test_columns_that_are_mostly_missing():
    X = pd.DataFrame({"a": [1.0, np.nan, 1.0], "b": [np.nan] * 3, "c": [1.0, 2.0, np.nan]})
    columns = learn_columns(X, n_bins=48)
    assert [(c["name"], c["kind"]) for c in columns] == [("a", "missing"), ("c", "number")]
    table = encode(columns, X)
    # The number c, then the indicators of c and a.
    assert table.X[:, 1:].tolist() == [[0, 0], [0, 1], [1, 0]]
    assert table.bins.shape == (3, 1)


def test_numbers_missing_at_predict_only():
    columns = learn_columns([[1.0], [2.0], [4.0]])
    assert encode(columns, [[np.nan], [None], [2.0]]).X.tolist() == [[0.0]] * 3


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(["2020-01-01", None, "2020-01-03"])
        .tz_localize("UTC")
        .tz_convert("Asia/Tokyo"),
        pd.to_datetime(["2020-01-01", None, "2020-01-03"]).as_unit("ns"),
        np.array(["2020-01-01", "NaT", "2020-01-03"], "M8[D]"),
        np.array([np.datetime64("2020-01-01"), None, np.datetime64("2020-01-03")], object),
        [dt.date(2020, 1, 1), None, dt.date(2020, 1, 3)],
        [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), pd.NaT, dt.datetime(2020, 1, 3)],
        pl.Series(
            [dt.datetime(2020, 1, 1), None, dt.datetime(2020, 1, 3)]
        ).dt.replace_time_zone("UTC"),
    ],
    ids=["zone", "ns", "days", "scalars", "dates", "mixed", "polars"],
)
def test_times_are_seconds(times):
    if isinstance(times, pl.Series):
        X = pl.DataFrame({"a": times})
    elif isinstance(times, np.ndarray | list):
        X = np.array(times)[:, np.newaxis]
    else:
        X = pd.DataFrame({"a": times})
    (column,) = learn_columns(X)
    start = 1_577_836_800
    assert (column["center"], column["scale"]) == (start + 86_400, 2 * 86_400)
    assert column["missing"]


@pytest.mark.parametrize(
    "times", [np.array([1, 3], "m8[D]"), np.array([dt.timedelta(1), dt.timedelta(3)])]
)
def test_durations_are_seconds(times):
    (column,) = learn_columns(times[:, np.newaxis])
    assert (column["center"], column["scale"]) == (2 * 86_400, 2 * 86_400)


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "f2", "f4", "g"])
def test_dtypes_of_numbers(dtype):
    x = np.array([0, 1, 1, 0, 1])[:, np.newaxis]
    columns = learn_columns(x.astype(dtype), None)
    same(encode(columns, x.astype(dtype)), encode(learn_columns(x, None), x))


def test_objects_that_are_numbers():
    x = np.array(
        [1, 2.5, Decimal("1.5"), np.int8(3), True, None, pd.NA, np.nan], dtype=object
    )
    columns = learn_columns(x[:, np.newaxis])
    plain = np.array([1, 2.5, 1.5, 3, 1, np.nan, np.nan, np.nan])[:, np.newaxis]
    same(encode(columns, x[:, np.newaxis]), encode(learn_columns(plain), plain))


@pytest.mark.parametrize(
    "chosen",
    [
        ["b"],
        [1],
        [False, True, False],
        np.array([1]),
        np.array(["b"], dtype=object),
        ("b",),
    ],
)
def test_categorical_features(chosen):
    X = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6], "c": [True, False, True]})
    kinds = [c["kind"] for c in learn_columns(X, chosen)]
    assert kinds == ["number", "one_hot", "number"]


def test_no_categories():
    X = pd.DataFrame({"a": pd.Categorical([1, 2, None, 4]), "b": [True, False, True, True]})
    for chosen in (None, []):
        assert [c["kind"] for c in learn_columns(X, chosen)] == ["number", "number"]


def frame(values, **options):
    return pd.DataFrame({"a": [1.0] * len(values), "age": pd.Series(values, **options)})


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            frame([1, np.inf]),
            "column 'age' of X has an infinite number in row 1. Replace it",
        ),
        (
            np.array([[1, 2.0], [1, -np.inf]]),
            "column 1 of X has an infinite number in row 1",
        ),
        (frame([10**400, 1], dtype=object), "column 'age' of X has a number too large"),
        (frame([1, "1"]), "column 'age' of X must hold numbers, got '1' in row 1"),
        (frame(["1", dt.date(2020, 1, 1)]), "must hold numbers, got '1' in row 0"),
        (frame(["u", "v"], dtype="category"), "must hold numbers, got 'u' in row 0"),
        (
            frame([1j, 2]),
            "column 'age' of X is of type complex128, which cannot be encoded",
        ),
        (pd.DataFrame({"age": pd.period_range("2020", periods=2)}), r"type period\[D\]"),
        (pd.DataFrame({"age": pd.interval_range(0, 2)}), "of type interval"),
        (pl.DataFrame({"age": [[1], [2]]}), "of type List"),
        (pl.DataFrame({"age": [dt.time(1), dt.time(2)]}), "of type Time"),
        (np.array([[1], [2]], "m8[M]"), r"column 0 of X is of type timedelta64\[M\]"),
        (np.array([[1j], [2]]), "Complex data not supported"),
        (pd.DataFrame({"age": []}), r"at least one row and one column, got .*\(0, 1\)"),
        ([1, 2], "Expected 2D array, got 1D array"),
        (pd.Series([1, 2]), "Expected a 2-dimensional container|Expected 2D array"),
    ],
)
def test_faults(X, message):
    with pytest.raises(ValueError, match=message):
        learn_columns(X, None)


def test_faults_at_predict():
    columns = learn_columns(frame([1, 2]))
    for values, message in (([3, "x"], "got 'x' in row 1"), ([3, np.inf], "infinite")):
        with pytest.raises(ValueError, match=f"column 'age' of X .*{message}"):
            encode(columns, frame(values))


def test_entries_that_cannot_be_compared():
    with pytest.raises(
        TypeError, match=r"column 'age' of X must hold strings, .*unhashable"
    ):
        learn_columns(frame([{}, "a"]))


def test_sparse_is_refused():
    with pytest.raises(TypeError, match="MLPClassifier or MLPRegressor"):
        learn_columns(sparse.eye_array(3, format="csr"))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("all", "must be 'from_dtype', None"),
        (1, "must be 'from_dtype', None"),
        ([0.5], "must be 'from_dtype', None"),
        (["b", 1], "must be 'from_dtype', None|has the name"),
        (["z"], r"has the name 'z', which is not among the columns of X: \['a', 'age'\]"),
        ([2], "has the index 2, but X has columns 0 to 1"),
        ([-1], "has the index -1"),
        ([True], "must be of length 2, the number of columns of X, got 1"),
    ],
)
def test_wrong_categorical_features(chosen, message):
    with pytest.raises(ValueError, match=f"categorical_features .*{message}"):
        learn_columns(frame([1, 2]), chosen)


@pytest.mark.slow
def test_more_numbers_than_bins():
    X = np.arange(2.0)[:, np.newaxis] + np.arange(2**16)
    with pytest.raises(ValueError, match="at most 65535 columns"):
        learn_columns(X, None, 8, 48)
    assert encode(learn_columns(X, None), X).bins.shape == (2, 0)


def test_state_is_plain():
    X = as_pandas(raw())
    columns = learn_columns(X, n_bins=48)
    expected = encode(columns, X)
    same(encode(pickle.loads(pickle.dumps(columns)), X), expected)
    same(encode(skops.io.loads(skops.io.dumps(columns)), X), expected)


@pytest.mark.slow
def test_no_library_is_needed():
    code = (
        "import sys\n"
        "class Blocker:\n"
        "    def find_spec(self, name, *args):\n"
        "        if name in ('pandas', 'polars', 'pyarrow'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocker())\n"
        "from skgd.tabular._columns import encode, learn_columns\n"
        "X = [[1.0, 'a'], [2.0, None], [4.0, 'b']]\n"
        "print(encode(learn_columns(X), X).X[:, 1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[-1.  0.  1.]\n", "")
