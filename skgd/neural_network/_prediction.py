"""Predictions of a plain network: a chain of (weights, bias, activation)."""

import numpy as np
from scipy.sparse import issparse

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
    dtype = np.result_type(X.dtype, coefs[0].dtype)
    units = [coefs[0].shape[0], *(coef.shape[1] for coef in coefs)]
    layout = Layout(units, sparse=issparse(X))
    samples = as_samples(X, dtype)
    out = np.empty((X.shape[0], layout.units[-1]), dtype=dtype)
    predict_blocks(
        samples,
        IN_ORDER,
        layout.table,
        pack(coefs, intercepts, dtype),
        Buffers.allocate(layout, block_rows(layout, len(out)), 1, dtype),
        *prediction_rules(activation, loss, dtype.name),
        out,
        ALONE,
    )
    return out
