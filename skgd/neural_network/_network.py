"""Lay out the stages of a network, from its widths, activations and kind of data."""

from functools import lru_cache
from itertools import pairwise

from skgd import embeddings
from skgd.activations import Parametric
from skgd.engine.layout import Layout
from skgd.engine.stage import Stage
from skgd.stages import (
    Activate,
    BatchNorm,
    Bias,
    Dense,
    Dropout,
    LayerNorm,
    ParametricActivate,
    Periodic,
    PiecewiseLinear,
    Scale,
    SparseColumns,
)

__all__ = ["description", "embedding_stage", "layout_of"]


def layout_of(
    units,
    activations,
    normalization=None,
    is_sparse=False,
    dropout=(),
    scales_inputs=False,
    embedding=None,
):
    """Lay out a multi-layer perceptron.

    Parameters
    ----------
    units : sequence of int
        Number of features, widths of the hidden layers, number of outputs.

    activations : sequence of Activation or Parametric
        One for each hidden layer, and one more if the last layer has one.

    normalization : tuple of (float, float) or 'layer', default=None
        Momentum and epsilon, if the hidden layers have batch normalization; or 'layer'.

    is_sparse : bool, default=False
        Whether the inputs are sparse rows.

    dropout : tuple of float, default=()
        Rates of the inputs and of each hidden layer, if there are any.

    scales_inputs : bool, default=False
        Whether each input has a weight before the first layer; only if they are dense.

    embedding : tuple, default=None
        The embedding of the inputs, as `embedding_stage` returns it.

    Returns
    -------
    Layout
        The same object for the same network, so that it can be a key of caches.
    """
    described = tuple(map(description, activations))
    dropout = dropout if any(dropout) else (0.0,) * len(units)
    return _layout_of(
        tuple(units), described, normalization, is_sparse, dropout, scales_inputs, embedding
    )


def embedding_stage(embedding, edges):
    """Return the stage of an embedding and its arguments, None without one.

    ``edges`` has the edges of the bins of each column, for an embedding with bins.
    """
    if isinstance(embedding, embeddings.PiecewiseLinear):
        return PiecewiseLinear, tuple(len(own) - 1 for own in edges)
    if isinstance(embedding, embeddings.Periodic):
        return Periodic, *embedding.waves
    return None


def description(activation):
    """Return the class of an activation's stage, its own class and its arguments."""
    stage: type[Activate] = Activate
    if isinstance(activation, Parametric):
        stage, activation = ParametricActivate, activation.activation
    return stage, type(activation), *activation.numbers().tolist()


@lru_cache(maxsize=32)
def _layout_of(
    units, described, normalization, is_sparse, dropout, scales_inputs, embedding
):
    stages: list[Stage] = []
    kind, *sizes = embedding or (None,)
    if dropout[0] and not is_sparse:
        stages.append(Dropout(units[0], dropout[0], 0))
    if scales_inputs:
        stages.append(Scale(units[0]))
    if kind is Periodic:
        stages.append(Periodic(units[0], units[0], *sizes))
        units = (stages[-1].outputs, *units[1:])
    last = len(units) - 2
    for index, (inputs, outputs) in enumerate(pairwise(units)):
        # With batch normalization, its shift takes the place of the bias.
        has_bias = normalization in (None, "layer") or index == last
        if index == 0 and is_sparse:
            stages += [Bias(outputs, has_bias), SparseColumns(inputs, outputs, dropout[0])]
        else:
            stages.append(Dense(inputs, outputs, has_bias))
        if index == 0 and kind is PiecewiseLinear:
            stages.append(PiecewiseLinear(sizes[0], outputs))
        if not has_bias:
            stages.append(BatchNorm(outputs, *normalization))
        if index < len(described):
            if normalization == "layer":
                stages.append(LayerNorm(outputs))
            stage, activation, *numbers = described[index]
            stages.append(stage(outputs, activation(*numbers)))
            if index < last and dropout[index + 1]:
                stages.append(Dropout(outputs, dropout[index + 1], index + 1))
    return Layout(stages)
