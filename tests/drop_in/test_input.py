"""All inputs that scikit-learn's networks take as X and y; sparse ones stay sparse."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import skgd
from tests.drop_in.tasks import (
    assert_close,
    assert_same_predictions,
    assert_same_weights,
    data,
    fitted,
    networks,
    quietly,
)

DENSE = data("strings")[0]


def unsorted(X):
    """Columns in descending order, and each entry as two."""
    X = sparse.csr_matrix(X)
    rows = [slice(*ends) for ends in zip(X.indptr[:-1], X.indptr[1:], strict=True)]
    columns = np.concatenate([np.repeat(X.indices[row][::-1], 2) for row in rows])
    values = np.concatenate([np.repeat(X.data[row][::-1] / 2, 2) for row in rows])
    return sparse.csr_matrix((values, columns, 2 * X.indptr), shape=X.shape)


def with_index(X, dtype):
    X.indices, X.indptr = X.indices.astype(dtype), X.indptr.astype(dtype)
    return X


CONTAINERS = {
    "list": lambda X, _: X.tolist(),
    "F-order": lambda X, _: np.asfortranarray(X),
    "negative strides": lambda X, _: X[::-1, ::-1].copy()[::-1, ::-1],
    "every other column": lambda X, _: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": lambda X, _: np.frombuffer(X.tobytes()).reshape(X.shape),
    "big-endian": lambda X, _: X.astype(">f8"),
    "float16": lambda X, _: X.astype(np.float16),
    "float32 big-endian": lambda X, _: X.astype(">f4"),
    "int32": lambda X, _: (4 * X).astype(np.int32),
    "bool": lambda X, _: X > 0,
    "uint8": lambda X, _: (abs(X) * 10).astype(np.uint8),
    "longdouble": lambda X, _: X.astype(np.longdouble),
    "object": lambda X, _: X.astype(object),
    "masked": lambda X, _: np.ma.masked_array(X),
    "pandas": lambda X, _: pd.DataFrame(X, columns=list("abcdef")),
    "pandas nullable": lambda X, _: pd.DataFrame(X).astype("Float64"),
    "pandas mixed": lambda X, _: pd.DataFrame(X).astype({0: "float32", 1: "Float64"}),
    "pandas Int64": lambda X, _: pd.DataFrame((4 * X).astype(int)).astype("Int64"),
    "pandas sparse": lambda X, _: pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(X)),
    "polars": lambda X, _: pl.DataFrame(X, schema=list("abcdef")),
    "csr": lambda X, _: sparse.csr_matrix(X),
    "csc": lambda X, _: sparse.csc_matrix(X),
    "csr array": lambda X, _: sparse.csr_array(X),
    "csc array": lambda X, _: sparse.csc_array(X),
    "coo": lambda X, _: sparse.coo_matrix(X),
    "lil": lambda X, _: sparse.lil_matrix(X),
    "dok": lambda X, _: sparse.dok_matrix(X),
    "int64 indices": lambda X, _: with_index(sparse.csr_matrix(X), np.int64),
    "int32 indices": lambda X, _: with_index(sparse.csr_matrix(X), np.int32),
    "csr float32": lambda X, _: sparse.csr_matrix(X.astype(np.float32)),
    "csr int": lambda X, _: sparse.csr_matrix((4 * X).astype(int)),
    "unsorted csr": lambda X, _: unsorted(X),
    "unsorted csc": lambda X, _: unsorted(X.T).T,
    "memmap": lambda X, path: memmap(X, path),
}


def memmap(X, path):
    np.save(path / "X.npy", X)
    return np.load(path / "X.npy", mmap_mode="r")


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", CONTAINERS)
def test_rows(container, early_stopping, tmp_path):
    X, (_, y, _) = CONTAINERS[container](DENSE, tmp_path), data("multiclass")
    parameters = {"early_stopping": early_stopping, "batch_size": 32, "max_iter": 5}
    ours, theirs = fitted("multiclass", X, y, {}, **parameters)
    tolerance = 1e-4 if ours.coefs_[0].dtype == np.float32 else 1e-8
    assert_same_weights(ours, theirs, tolerance)
    if tolerance < 1e-4:
        assert_same_predictions(ours, theirs, X, tolerance)
    assert_close(ours.predict_proba(X), theirs.predict_proba(X), tolerance)
    assert hasattr(ours, "feature_names_in_") == hasattr(theirs, "feature_names_in_")
    lbfgs, _ = networks("multiclass", solver="lbfgs", max_iter=5)
    quietly(lbfgs.fit, X, y)


@pytest.mark.parametrize("container", ["csr", "unsorted csr", "csc"])
def test_rows_are_not_touched(container, tmp_path):
    X = CONTAINERS[container](DENSE, tmp_path)
    kept = X.data.copy(), X.indices.copy(), X.indptr.copy()
    _, y, _ = data("regression")
    ours, _ = networks("regression", max_iter=3)
    quietly(ours.fit, X, y).predict(X)
    for a, b in zip(kept, (X.data, X.indices, X.indptr), strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_frames_of_sparse_booleans():
    """The usual one-hot columns; scikit-learn does not make floats of them."""
    frame = pd.get_dummies(pd.Series(list("abcab")), sparse=True)
    for model, y in (
        (skgd.MLPClassifier(max_iter=2, random_state=0), [0, 1, 2, 0, 1]),
        (skgd.MLPRegressor(max_iter=2, random_state=0), [0.0, 1.0, 2.0, 0.0, 1.0]),
    ):
        predicted = quietly(model.fit, frame, y).predict(frame)
        dense = frame.sparse.to_dense()
        np.testing.assert_array_equal(model.predict(dense), predicted)


def test_sparse_and_dense_rows_give_the_same_network():
    _, y, _ = data("strings")
    dense, _ = networks("strings", max_iter=5)
    csr, _ = networks("strings", max_iter=5)
    quietly(dense.fit, DENSE, y)
    quietly(csr.fit, unsorted(DENSE), y)
    assert_same_weights(dense, csr, 1e-10)
    assert_close(dense.predict_proba(unsorted(DENSE)), csr.predict_proba(DENSE), 1e-10)


_, CLASSES, _ = data("multiclass")
_, BINARY, _ = data("binary")
_, NAMES, _ = data("strings")
_, MANY, _ = data("multilabel")
CLASS_TARGETS = {
    "list of strings": NAMES.tolist(),
    "object": NAMES.astype(object),
    "bytes-wide strings": NAMES.astype("U40"),
    "int8": CLASSES.astype(np.int8),
    "uint64": CLASSES.astype(np.uint64),
    "float": CLASSES.astype(float),
    "big-endian": CLASSES.astype(">i8"),
    "negative strides": CLASSES[::-1].copy()[::-1],
    "bool": BINARY.astype(bool),
    "column": CLASSES[:, np.newaxis],
    "pandas Series": pd.Series(CLASSES),
    "pandas strings": pd.Series(NAMES),
    "pandas string": pd.Series(NAMES, dtype="string"),
    "pandas category": pd.Series(NAMES, dtype="category"),
    "pandas category of numbers": pd.Series(CLASSES, dtype="category"),
    "pandas Int64": pd.Series(CLASSES, dtype="Int64"),
    "pandas Float64": pd.Series(CLASSES, dtype="Float64"),
    "pandas boolean": pd.Series(BINARY, dtype="boolean"),
    "polars": pl.Series(CLASSES),
    "polars strings": pl.Series(NAMES.tolist()),
    "multilabel list": MANY.tolist(),
    "multilabel bool": MANY.astype(bool),
    "multilabel F-order": np.asfortranarray(MANY),
    "multilabel pandas": pd.DataFrame(MANY),
    "multilabel Int64": pd.DataFrame(MANY).astype("Int64"),
    "multilabel polars": pl.DataFrame(MANY),
    "multilabel csr": sparse.csr_matrix(MANY),
}
_, VALUES, _ = data("regression")
_, OUTPUTS, _ = data("multioutput")
REGRESSION_TARGETS = {
    "list": VALUES.tolist(),
    "int": CLASSES,
    "float16": VALUES.astype(np.float16),
    "big-endian": VALUES.astype(">f8"),
    "column": VALUES[:, np.newaxis],
    "pandas Float64": pd.Series(VALUES, dtype="Float64"),
    "pandas Int64": pd.Series(CLASSES, dtype="Int64"),
    "pandas boolean": pd.Series(BINARY, dtype="boolean"),
    "polars": pl.Series(VALUES),
    "object": VALUES.astype(object),
    "outputs F-order": np.asfortranarray(OUTPUTS),
    "outputs pandas": pd.DataFrame(OUTPUTS),
    "outputs Float64": pd.DataFrame(OUTPUTS).astype("Float64"),
    "outputs polars": pl.DataFrame(OUTPUTS),
    "outputs float32": OUTPUTS.astype(np.float32),
}


@pytest.mark.filterwarnings("ignore:A column-vector y:UserWarning")
@pytest.mark.filterwarnings(
    "ignore:A column-vector y:sklearn.exceptions.DataConversionWarning"
)
@pytest.mark.parametrize(
    ("task", "target"),
    [("strings", name) for name in CLASS_TARGETS]
    + [("regression", name) for name in REGRESSION_TARGETS],
)
def test_targets(task, target):
    """What scikit-learn fits, skgd fits, to the same predictions of the same dtype."""
    y = (CLASS_TARGETS if task == "strings" else REGRESSION_TARGETS)[target]
    ours, theirs = fitted(task, DENSE, y, {}, max_iter=5, learning_rate_init=0.05)
    if task == "strings":
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        assert ours.classes_.dtype == theirs.classes_.dtype
    assert_same_weights(ours, theirs, 1e-8)
    assert_same_predictions(ours, theirs, DENSE, 1e-8)


@pytest.mark.parametrize("weight", ["list", "pandas", "polars", "float32", "int", "scalar"])
def test_weights(weight):
    _, y, _ = data("regression")
    plain = np.arange(1.0, 151.0)
    given = {
        "list": plain.tolist(),
        "pandas": pd.Series(plain),
        "polars": pl.Series(plain),
        "float32": plain.astype(np.float32),
        "int": plain.astype(int),
        "scalar": 2.0,
    }[weight]
    reference, other = (networks("regression", max_iter=3)[0] for _ in range(2))
    expected = np.full(150, 2.0) if weight == "scalar" else plain
    quietly(reference.fit, DENSE, y, sample_weight=expected)
    quietly(other.fit, DENSE, y, sample_weight=given)
    assert_same_weights(other, reference, 1e-14)


PROGRAM = """
import resource, sys, warnings
import numpy as np
from scipy import sparse
import skgd

rng = np.random.default_rng(0)
n, features, entries = 200_000, 50_000, 20

def rows(n):
    columns = rng.integers(0, features, n * entries).astype(np.int32)
    indptr = np.arange(0, n * entries + 1, entries)
    return sparse.csr_matrix((np.ones(n * entries), columns, indptr), shape=(n, features))

def peak():
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024**2 if sys.platform == "darwin" else 1024)

warnings.simplefilter("ignore")
model = skgd.MLPClassifier((8,), max_iter=1, n_jobs=1, {parameters})
small = rows(100)
model.fit(small, np.arange(100) % 2).predict(small)
X, y = rows(n).asformat("{container}"), rng.integers(0, 2, n)
before = peak()
model.fit(X, y).predict(X)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource usage.")
@pytest.mark.parametrize(
    ("parameters", "container"),
    [
        ("batch_size=1000", "csr"),
        ("batch_size=1000", "csc"),
        ("early_stopping=True, batch_size=1000", "csr"),
        ("solver='lbfgs'", "csc"),
    ],
)
def test_memory(parameters, container):
    """10 billion zeros, 4 million entries: 80 GB or 48 MB."""
    program = PROGRAM.format(parameters=parameters, container=container)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    # Copies of the entries, by row and of what is trained on, and the solver's vectors.
    assert float(done.stdout) < 500
