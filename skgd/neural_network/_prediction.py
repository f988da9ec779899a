"""Predictions of a plain network: a chain of (weights, bias, activation)."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.sparse import issparse

from skgd._threads import available_threads, run_together
from skgd.engine.announce import announced
from skgd.engine.layout import Layout
from skgd.engine.predict import predict as predict_blocks
from skgd.engine.records import Buffers
from skgd.engine.team import ALONE
from skgd.neural_network._data import IN_ORDER, as_samples
from skgd.neural_network._parameters import pack
from skgd.neural_network._rules import prediction_rules

__all__ = ["block_rows", "predict"]

# The activations of a block of rows stay within the second-level cache.
BLOCK_ELEMENTS = 2**17

# Multiplications that are worth more threads: a millisecond of one core, where to start
# two takes some 0.4.
WORTH_SHARING = 50_000_000


def block_rows(layout, n_samples):
    """Return how many rows to process at a time."""
    return min(n_samples, max(32, min(1024, BLOCK_ELEMENTS // layout.n_activated)))


# The dtypes whose predictions this process has compiled or loaded.
_COMPILED: set[np.dtype] = set()


@lru_cache(maxsize=32)
def _layout(units, sparse):
    """Make the layout of a plain network once for many small predictions."""
    return Layout(units, sparse=sparse)


def predict(X, coefs, intercepts, activation, loss, n_jobs, verbose=False):
    """Predict from rows of the right shape.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The rows, of floats. Sparse ones are validated.

    coefs, intercepts : list of ndarray
        The layers.

    activation : str
        Of the hidden layers.

    loss : Loss
        Its link is that of the output.

    n_jobs : int or None
        Threads for many rows; as for the fit.

    verbose : bool or int, default=False
        Whether to print that the predictions are compiled.

    Returns
    -------
    predictions : ndarray of shape (n_samples, n_outputs)
        In the wider dtype of the rows and the weights.

    finite_rows, finite_predictions : bool
        Whether all numbers of an ndarray ``X`` are finite, and whether all predictions are.
    """
    dtype = np.promote_types(X.dtype, coefs[0].dtype)
    units = (coefs[0].shape[0], *(coef.shape[1] for coef in coefs))
    layout = _layout(units, issparse(X))
    theta = pack(coefs, intercepts, dtype)
    out = np.empty((X.shape[0], units[-1]), dtype=dtype)
    rows = block_rows(layout, len(out))

    def part(first, last):
        return predict_blocks(
            as_samples(X[first:last], dtype),
            IN_ORDER,
            layout.table,
            theta,
            Buffers.for_predictions(layout, rows, dtype),
            rules,
            out[first:last],
            ALONE,
        )

    with announced(f"the predictions in {dtype}", verbose):
        rules = prediction_rules(activation, loss, dtype)
        if dtype not in _COMPILED:
            part(0, 0)
            _COMPILED.add(dtype)
    # Of a sparse matrix, the size is what is not zero.
    products = layout.products(len(out), X.size)
    if products < WORTH_SHARING:
        return out, *part(0, len(out))
    n_blocks = -(-len(out) // rows)
    most = min(available_threads(n_jobs), n_blocks, 1 + products // WORTH_SHARING)

    def ranges(n_threads):
        firsts = [n_blocks * thread // n_threads for thread in range(n_threads)]
        return list(
            pairwise([*(min(rows * first, len(out)) for first in firsts), len(out)])
        )

    return out, *map(all, zip(*run_together(part, ranges, most), strict=True))
