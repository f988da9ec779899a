"""Predictions of a plain network: a chain of (weights, bias, activation)."""

import numpy as np

from skgd.engine.layout import Layout
from skgd.engine.records import Buffers
from skgd.neural_network._data import IN_ORDER, as_samples
from skgd.neural_network._parameters import pack
from skgd.neural_network._rules import prediction_rules

__all__ = ["block_rows", "predict"]

# The activations of a block of rows stay within the second-level cache.
BLOCK_ELEMENTS = 2**17


def block_rows(layout, n_samples):
    """Return how many rows to process at a time."""
    return min(n_samples, max(32, min(1024, BLOCK_ELEMENTS // layout.n_activated)))


def predict(X, coefs, intercepts, activation, loss):
    """Predict from validated rows.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The rows.

    coefs, intercepts : list of ndarray
        The layers.

    activation : str
        Of the hidden layers.

    loss : Loss
        Its link is that of the output.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
        In the wider dtype of the rows and the weights.
    """
    from skgd.engine.predict import predict as kernel

    dtype = np.result_type(X.dtype, coefs[0].dtype)
    layout = Layout([coefs[0].shape[0], *(coef.shape[1] for coef in coefs)])
    samples = as_samples(X, dtype)
    out = np.empty((X.shape[0], layout.units[-1]), dtype=dtype)
    sparse = samples.row_starts.size > 0
    kernel(
        samples,
        IN_ORDER,
        layout.table,
        pack(coefs, intercepts, dtype),
        Buffers.allocate(layout, block_rows(layout, len(out)), 1, dtype, sparse),
        *prediction_rules(activation, loss, dtype.name),
        out,
    )
    return out
