"""Predictions of a plain network, a chain of weights, biases and activations."""

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skgd.compile.announce import announced
from skgd.embeddings import Periodic, PiecewiseLinear
from skgd.engine.binding import bind, bind_loss
from skgd.engine.full_batch.objective import IN_ORDER
from skgd.engine.layout import MemoryPlan
from skgd.engine.predict import assess
from skgd.engine.predict import predict as predict_blocks
from skgd.engine.records import Network, make_steps
from skgd.losses import LINKS
from skgd.neural_network._data import as_rows
from skgd.neural_network._network import embedding_stage, layout_of
from skgd.neural_network._parameters import pack
from skgd.parallel.threads import available_threads, run_together

__all__ = ["block_rows", "evaluate", "mean_loss", "network_of", "predict", "predict_rows"]

# The activations of a block of rows stay within the second-level cache.
BLOCK_ELEMENTS = 2**17

# The least multiplications for each further thread: they take a core a millisecond, and
# two threads take some 0.4 ms to start.
WORTH_SHARING = 50_000_000


def block_rows(layout, n_samples):
    """Return how many rows to process at a time."""
    return min(n_samples, max(32, min(1024, BLOCK_ELEMENTS // layout.n_activated)))


# The dtypes whose predictions this process has compiled or loaded.
_COMPILED: set[np.dtype] = set()


@lru_cache(maxsize=32)
def _plan(layout, capacity):
    """Plan the memory of predictions, once for many small ones of the same network."""
    rows = block_rows(layout, capacity)
    return MemoryPlan(layout, rows), rows


def predict(X, coefs, intercepts, activations, loss, n_jobs, verbose=False, stages=None):
    """Predict from rows of the right shape.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The rows, of floats. Sparse ones are validated.

    coefs, intercepts : list of ndarray
        The layers.

    activations : sequence of Activation
        One for each hidden layer, and one for the last layer if it has one.

    loss : Loss
        Its link is that of the output.

    n_jobs : int or None
        The number of threads for many rows, as for the fit.

    verbose : bool or int, default=False
        Whether to print that the predictions are compiled.

    stages : dict, default=None
        The parameters of other layers, as ``stages_``.

    Returns
    -------
    predictions : ndarray of shape (n_samples, n_outputs)
        In the wider dtype of the rows and the weights.

    finite_rows, finite_predictions : bool
        Whether all numbers of an ndarray ``X`` are finite, and whether all predictions are.
    """
    dtype = np.promote_types(X.dtype, coefs[0].dtype)
    n_samples, stages = X.shape[0], stages or {}
    layers = coefs, intercepts, activations, stages
    layout, theta = network_of(X.shape[1], dtype, *layers, issparse(X))
    out = np.empty((n_samples, len(intercepts[-1])), dtype=dtype)

    def rows_of(first, last):
        return as_rows(X[first:last], dtype, edges=stages.get("edges", ()))

    # The size of a sparse matrix counts its non-zero numbers.
    products = layout.products(n_samples, X.size)
    jobs = n_jobs, products, verbose
    return out, *predict_rows(rows_of, layout, theta, loss, out, jobs)


def network_of(n_features, dtype, coefs, intercepts, activations, stages, is_sparse=False):
    """Return the layout and the parameters of a plain network, or raise.

    Parameters
    ----------
    n_features : int
        The number of columns of the rows.

    dtype : dtype
        The dtype of the parameters.

    coefs, intercepts, activations, stages
        As for :func:`predict`.

    is_sparse : bool, default=False
        Whether the rows are sparse.

    Returns
    -------
    layout : Layout
    theta : ndarray of shape (n_params,)
    """
    units = (coefs[0].shape[0], *(coef.shape[1] for coef in coefs))
    embedding: Any = None
    edges = stages.get("edges", ())
    if edges:
        embedding = PiecewiseLinear()
    elif "periodic" in stages:
        n_columns, n_outputs, n_frequencies = stages["periodic"][2].shape
        embedding, units = Periodic(n_frequencies, n_outputs), (n_columns, *units[1:])
    stage = embedding_stage(embedding, edges)
    normalization = "layer" if "scale" in stages else None
    layout = layout_of(units, activations, normalization, is_sparse, embedding=stage)
    theta = pack(coefs, intercepts, dtype, stages)
    if n_features != units[0] or theta.size != layout.n_params:
        # Weights were set by hand: a kernel would read beyond them.
        raise ValueError(
            f"coefs_ of shapes {[coef.shape for coef in coefs]} and intercepts_ of shapes "
            f"{[b.shape for b in intercepts]} do not make a network for rows of "
            f"{n_features} features. Set matching arrays, or fit again."
        )
    return layout, theta


def predict_rows(rows_of, layout, theta, loss, out, jobs):
    """Predict by the stages of a network.

    Parameters
    ----------
    rows_of : callable
        ``rows_of(first, last)`` returns the rows ``first`` to ``last - 1`` as Rows.

    layout : Layout
        The layout of the network.

    theta : ndarray of shape (n_params,)
        The parameters of the network.

    loss : Loss
        Its link is that of the output.

    out : ndarray of shape (n_samples, n_outputs)
        The array that the predictions are written to.

    jobs : tuple of (int or None, int, bool or int)
        ``n_jobs``, the multiplications, and whether to print that something is compiled.

    Returns
    -------
    finite_rows, finite_predictions : bool
        As for :func:`predict`.
    """
    dtype, (n_jobs, products, verbose) = theta.dtype, jobs
    plan, block = _plan(layout, min(len(out), 1024))
    network = Network(plan.stages, None, theta, None, np.empty(0), layout.numbers)

    def part(first, last):
        (steps,) = make_steps(1, capacity=plan.capacity)
        return predict_blocks(
            rows_of(first, last),
            IN_ORDER,
            network,
            plan.allocate(dtype),
            kernels,
            loss.numbers(),
            steps,
            out[first:last],
        )

    with announced(f"the predictions in {dtype}", verbose):
        kernels = bind(layout, plan, type(loss), dtype)
        if dtype not in _COMPILED:
            part(0, 0)
            _COMPILED.add(dtype)
    if products < WORTH_SHARING:
        return part(0, len(out))
    n_blocks = -(-len(out) // block)
    most = min(available_threads(n_jobs), n_blocks, 1 + products // WORTH_SHARING)

    def ranges(n_threads):
        firsts = [n_blocks * thread // n_threads for thread in range(n_threads)]
        return list(
            pairwise([*(min(block * first, len(out)) for first in firsts), len(out)])
        )

    return tuple(map(all, zip(*run_together(part, ranges, most), strict=True)))


def evaluate(data, coefs, intercepts, activations, loss, n_jobs, stages=None):
    """Predict, and compute the loss.

    Parameters
    ----------
    data : Data
        Rows, encoded targets and weights.

    coefs, intercepts, activations, loss, n_jobs, stages
        As for :func:`predict`.

    Returns
    -------
    predictions : ndarray of shape (n_samples, n_outputs)

    mean_loss : float
        The weighted mean of the losses, without penalty.
    """
    X, y, weight, *_ = data
    # Computed from the linear output, losses are exact even if a probability rounds to 0.
    link = LINKS["identity"]()
    z, *_ = predict(X, coefs, intercepts, activations, link, n_jobs, stages=stages)
    return z, mean_loss(z, y, weight, loss)


def mean_loss(z, y, weight, loss):
    """Return the weighted mean of the losses, and turn linear outputs into predictions.

    Parameters
    ----------
    z : ndarray of shape (n_samples, n_outputs)
        The linear outputs, overwritten by the predictions.

    y : ndarray of shape (n_samples, n_targets)
        The encoded targets.

    weight : ndarray of shape (n_samples,) or None
        The weights of the rows.

    loss : Loss
        The objective.

    Returns
    -------
    float
    """
    weight = np.ones(len(y)) if weight is None else weight
    # Weights that are not finite are reported later.
    with np.errstate(over="ignore", invalid="ignore"):
        y, weight = (np.require(a, z.dtype, ["C", "W"]) for a in (y, weight))
        kind: Any = type(loss)
        total = assess(z, y, weight, bind_loss(kind, z.dtype), loss.numbers())
        return total / weight.sum(dtype=np.float64)
