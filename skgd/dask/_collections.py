"""Dask collections: load their rows on workers, and compute from them lazily."""

from collections import Counter
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, NamedTuple

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask import delayed
from dask.optimization import cull
from distributed import Client, KilledWorker, futures_of, get_client, wait
from scipy import sparse

__all__ = [
    "client_of",
    "concatenated",
    "explained_lost_workers",
    "lazily",
    "load",
    "of_each",
    "rows_of",
    "submit",
]

FRAMES = dd.DataFrame, dd.Series


class Shard(NamedTuple):
    """Rows that are together on a worker."""

    X: Any
    y: Any = None
    weight: Any = None

    @property
    def n_rows(self):
        """The number of rows."""
        return self.X.shape[0]


def client_of(client):
    """Return the client, by default the current one."""
    if client is not None:
        if not isinstance(client, Client):
            raise TypeError(
                f"client must be a distributed.Client or None, got {type(client).__name__}."
            )
        if client.status != "running":
            raise ValueError(
                f"client is {client.status}. Pass one that is connected, or None for the "
                "current one."
            )
        return client
    try:
        return get_client()
    except ValueError:
        raise ValueError(
            "There is no Dask client. Create one, such as distributed.Client(), or pass "
            "it as client."
        ) from None


@contextmanager
def explained_lost_workers():
    """Raise a clear error if workers are lost with data that cannot be computed again."""
    try:
        yield
    except (CancelledError, KilledWorker) as error:
        raise RuntimeError(
            "Workers were lost with data that Dask cannot compute again, or ran out of "
            "memory more often than Dask allows. Fit again, on a collection whose graph "
            f"begins at files or in the client. ({type(error).__name__}: {error})"
        ) from error


def blocks(name, collection, optimize_graph=True):
    """Return the blocks of rows of a collection, as delayed objects."""
    if isinstance(collection, FRAMES):
        return list(collection.to_delayed(optimize_graph))
    if not isinstance(collection, da.Array):
        raise TypeError(
            f"{name} must be a Dask array or dataframe, got {type(collection).__name__}. "
            "Make one, such as by dask.array.from_array, or use to_local()."
        )
    if any(len(chunks) > 1 for chunks in collection.chunks[1:]):
        raise ValueError(
            f"{name} has its columns in {len(collection.chunks[1])} chunks. Put them in "
            f"one: {name}.rechunk({{1: -1}})."
        )
    return collection.to_delayed(optimize_graph).ravel().tolist()


def rows_of(X, y=None, weight=None, suffix=""):
    """Return the blocks of rows of some collections, each as a delayed `Shard`.

    Raises
    ------
    ValueError
        If they are not partitioned alike. The workers compare the numbers of rows and the
        columns, and raise if a partition does not match.
    """
    given = {f"X{suffix}": X, f"y{suffix}": y, f"sample_weight{suffix}": weight}
    parts = {name: blocks(name, c) for name, c in given.items() if c is not None}
    (first, n), *others = ((name, len(found)) for name, found in parts.items())
    if X.ndim != 2:
        raise ValueError(f"{first} must have two dimensions, got {X.ndim}.")
    for name, n_others in others:
        if n_others != n:
            raise ValueError(
                f"{first} has {n} partitions, but {name} has {n_others}. Partition them "
                "alike, by rechunk or repartition."
            )
    texts = [
        column
        for column, dtype in getattr(X, "dtypes", pd.Series()).items()
        if not (dtype == "object" or pd.api.types.is_numeric_dtype(dtype))
    ]
    if texts:
        raise ValueError(
            f"{first} must have numbers only, but column {texts[0]!r} has dtype "
            f"{X.dtypes[texts[0]]}. Encode it, or leave it out."
        )
    columns = _columns(X)
    fields = [
        f for f, c in zip(Shard._fields, (X, y, weight), strict=True) if c is not None
    ]
    return [
        delayed(_shard, pure=False)(i, columns, list(parts), fields, *row)
        for i, row in enumerate(zip(*parts.values(), strict=True))
    ]


def _columns(X):
    return list(X.columns) if hasattr(X, "columns") else X.shape[1]


def _shard(index, columns, names, fields, *parts):
    """Join the parts of a partition, or raise if they do not match."""
    found, n_rows = _columns(parts[0]), parts[0].shape[0]
    if found != columns:
        raise ValueError(
            f"Partition {index} of {names[0]} has the columns {found}, but {names[0]} has "
            f"{columns}. Select the same columns in each partition."
        )
    for name, part in zip(names, parts, strict=True):
        if part.shape[0] != n_rows:
            raise ValueError(
                f"Partition {index} has {n_rows} rows of {names[0]}, but "
                f"{part.shape[0]} of {name}. Partition them alike, by rechunk or "
                "repartition."
            )
    return Shard(**dict(zip(fields, parts, strict=True)))


def concatenated(*shards):
    """Return the rows of several shards; a single shard is not copied."""
    some = [shard for shard in shards if shard.n_rows] or shards[:1]
    return some[0] if len(some) == 1 else Shard(*map(_joined, zip(*some, strict=True)))


def _joined(parts):
    if parts[0] is None:
        return None
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return (pd.concat if hasattr(parts[0], "iloc") else np.concatenate)(parts)


def load(client, X, y, weight=None, suffix=""):
    """Compute the rows, and join those that are on the same worker.

    Partitions that are in memory stay where they are. Of the others, each worker computes
    a range of neighbors, so that the result does not depend on the scheduler.

    Returns
    -------
    list of tuple (Future, str)
        Each shard and its worker, in the order of the partitions.
    """
    if y is None:
        raise ValueError("y is None. Pass the targets, partitioned like X.")
    parts, workers = rows_of(X, y, weight, suffix), sorted(client.nthreads())
    if not workers:
        raise ValueError("The Dask cluster has no workers. Wait for them, or add some.")
    groups: dict = {}
    for i, holder in enumerate(_holders(client, X)):
        worker = holder or workers[len(workers) * i // len(parts)]
        groups.setdefault(worker, []).append(parts[i])
    shards = []
    for worker, group in groups.items():
        futures = client.compute(group, workers=[worker], allow_other_workers=True)
        shards.append((submit(client, worker, concatenated, *futures), worker))
    return shards


def _holders(client, X):
    """Yield the worker that has most of the data of each partition, or None."""
    parts = blocks("X", X, optimize_graph=False)
    graph = dict(X.__dask_graph__())
    found = [futures_of(cull(graph, [part.key])[0]) for part in parts]
    futures = [future for futures in found for future in futures]
    wait(futures)
    where = client.who_has(futures) if futures else {}
    for futures in found:
        counts = Counter(worker for future in futures for worker in where[future.key])
        yield min(counts, key=lambda worker: (-counts[worker], worker), default=None)


def submit(client, worker, function, *args):
    """Submit a task to a worker; Dask may move it to another one if the worker is lost."""
    return client.submit(
        function, *args, workers=[worker], allow_other_workers=True, pure=False
    )


def of_each(client, placed, function, *args):
    """Call a function on each future, on its worker, and return the results."""
    return client.gather([submit(client, w, function, f, *args) for f, w in placed])


def lazily(model, method, X, **kwargs):
    """Apply a method of a local estimator to each block; return a lazy collection."""
    blocks("X", X)
    is_frame = isinstance(X, FRAMES)
    # One row tells dtype and shape, and whether the features are those fitted.
    row = np.zeros((1, *X.shape[1:]), dtype=float if is_frame else X.dtype)
    if isinstance(X, dd.DataFrame):
        row = pd.DataFrame(row, columns=X.columns)
    like = getattr(model, method)(row, **kwargs)[:0]

    def called(rows):
        return getattr(model, method)(rows, **kwargs) if rows.shape[0] else like

    if is_frame:
        return X.map_partitions(called, meta=like)
    if like.ndim == 1:
        # Older Dask cannot drop an axis of sparse arrays.
        like_column, chunks = like[:, np.newaxis], (X.chunks[0], (1,))
        column = X.map_blocks(
            lambda rows: called(rows)[:, np.newaxis], chunks=chunks, meta=like_column
        )
        return column[:, 0]
    return X.map_blocks(called, chunks=(X.chunks[0], like.shape[1:]), meta=like)
