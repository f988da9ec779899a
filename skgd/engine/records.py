"""What the kernels are given, under names."""

from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from skgd.engine.multiply import ROOM

__all__ = ["APART", "Buffers", "Network", "PredictionRules", "Rules", "Samples", "Settings"]


# Numbers between what different threads write to: one cache line of float32, two of 8 bytes
# each, which come as a pair.
APART = 16


# Bytes: a cache line, and the widest vector.
LINE = 64


def _arrays(lengths, dtype):
    """Make arrays that each begin with a cache line, in one piece of memory."""
    line = LINE // np.dtype(dtype).itemsize
    sizes = [-(-length // line) * line for length in lengths]
    memory = np.empty(sum(sizes) + line, dtype=dtype)
    first = -memory.__array_interface__["data"][0] % LINE // memory.itemsize
    starts = accumulate(sizes, initial=first)
    return [memory[i : i + n] for i, n in zip(starts, lengths, strict=False)]


class Samples(NamedTuple):
    """The data, read-only. Dense or sparse rows: the other kind is empty.

    Attributes
    ----------
    X : ndarray of shape (n_samples * n_features,)
        Dense rows.

    values, columns, row_starts : ndarray
        Sparse rows: data, indices (int32) and indptr (int64) of a csr matrix.

    y : ndarray of shape (n_samples, n_targets)
        Targets, in the dtype of X.

    weight : ndarray of shape (n_samples,) or (0,)
        Sample weights; none stand for ones.
    """

    X: Any
    values: Any
    columns: Any
    row_starts: Any
    y: Any
    weight: Any


class Network(NamedTuple):
    """The parameters and what belongs to each of them, in flat buffers.

    Attributes
    ----------
    table, layers : ndarray
        See :mod:`skgd.engine.layout`.

    tiles : ndarray of shape (n_tiles, 3)
        What the layers are cut into; whole layers where only their gradient is asked for.

    theta : ndarray of shape (n_params,)
        The parameters.

    state : ndarray of shape (n_slots, n_params)
        The solver's.

    running : ndarray of shape (2 * n_normal,)
        Running mean and variance of the normalised layers, layer by layer.

    running_rows : ndarray of shape (1,), dtype=float64
        The rows that they are averages of; see :mod:`skgd.engine.batch_norm`.
    """

    table: Any
    tiles: Any
    layers: Any
    theta: Any
    state: Any
    running: Any
    running_rows: Any


class Buffers(NamedTuple):
    """The workspace of a block of rows.

    Threads share all but the moments, the sums, the gradient of a tile and the room.

    Attributes
    ----------
    inputs, y, weight : ndarray
        The gathered rows.

    activated : ndarray
        For each layer its activations, and the normalised values if it has them.

    delta : ndarray
        For each layer the gradient of the objective by its linear output.

    chunk_moments : ndarray of shape (n_chunks * (APART + 4 * n_normal),)
        Of each chunk of the rows the weight, and what it adds to the moments and the sums.

    moments : ndarray of shape (3 * n_normal,)
        Mean, variance and 1 / deviation of the mini-batch, layer by layer.

    sums : ndarray of shape (2 * n_normal,)
        Gradients by gamma and beta, layer by layer.

    gradient : ndarray
        Of the parameters of some tiles, or of all parameters over each chunk of the rows.

    room : ndarray of shape (ROOM,)
        For what a product copies.
    """

    inputs: Any
    y: Any
    weight: Any
    activated: Any
    delta: Any
    chunk_moments: Any
    moments: Any
    sums: Any
    gradient: Any
    room: Any

    @classmethod
    def allocate(cls, layout, rows, n_targets, dtype, n_chunks=1, by_rows=False):
        """Make room for blocks of up to ``rows`` rows, in ``n_chunks``.

        The gradient is of some tiles or, ``by_rows``, over each of the chunks.
        """
        lengths = (
            0 if layout.sparse else rows * layout.units[0],
            rows * n_targets,
            rows,
            rows * layout.n_activated,
            rows * layout.n_activated,
            n_chunks * (APART + 4 * layout.n_normal),
            3 * layout.n_normal,
            2 * layout.n_normal,
            n_chunks * layout.n_params if by_rows else layout.tile_room,
            ROOM,
        )
        return cls(*_arrays(lengths, dtype))

    @classmethod
    def for_predictions(cls, layout, rows, dtype):
        """Make room for predictions of blocks of up to ``rows`` rows."""
        lengths = rows, rows * layout.n_activated, ROOM
        weight, activated, room = _arrays(lengths, dtype)
        none = room[:0]
        return cls(none, none, weight, activated, *[none] * 5, room)

    def another(self, by_rows):
        """Make the workspace of another thread on the same block."""
        own = ["moments", "sums", "room"] + ["gradient"] * (not by_rows)
        lengths = [len(getattr(self, name)) for name in own]
        arrays = _arrays(lengths, self.room.dtype)
        return self._replace(**dict(zip(own, arrays, strict=True)))


class Rules(NamedTuple):
    """The plug-in kernels, as first-class functions; see :mod:`skgd.engine.plugins`."""

    multiply: Any
    activate: Any
    differentiate: Any
    evaluate: Any
    update: Any
    rate: Any


class PredictionRules(NamedTuple):
    """Those of the plug-in kernels that a prediction needs."""

    multiply: Any
    activate: Any
    link: Any


class Settings(NamedTuple):
    """The numbers that training is governed by.

    Attributes
    ----------
    batch_size, chunk : int
        Rows in a mini-batch, and in the part of it that a thread takes at least.

    by_rows : bool
        Whether the gradient is summed from those over chunks of rows.

    alpha, norm_momentum, norm_epsilon : float
        The penalty; those of batch normalization.

    solver, schedule : ndarray, dtype=float64
        Their hyperparameters.
    """

    batch_size: int
    chunk: int
    by_rows: bool
    alpha: float
    norm_momentum: float
    norm_epsilon: float
    solver: np.ndarray
    schedule: np.ndarray
