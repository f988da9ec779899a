"""Write the stages of a network as nodes."""

import numpy as np

from skgd.onnx._functions import write_function
from skgd.stages import (
    Activate,
    Bias,
    Dense,
    Embedding,
    LayerNorm,
    Lookup,
    Periodic,
    PiecewiseLinear,
)

__all__ = ["write_network"]


def write_network(g, layout, theta, inputs):
    """Write the forward pass of one network, or of several members at once.

    Parameters
    ----------
    g : Graph
        The graph.

    layout : Layout
        The stages, as in predictions.

    theta : ndarray of shape (n_params,) or (n_members, n_params)
        The parameters. With those of members, the result is a tensor over members.

    inputs : dict
        The names of the inputs of the first stage and of each input group, by the class of
        the stage.

    Returns
    -------
    str
        The name of the linear output.
    """
    lead = theta.shape[:-1]
    parameters: list = [[] for _ in layout.stages]
    for index, begin, block in layout.blocks:
        shape = block.shape if len(block.shape) > 1 else (1, *block.shape)
        values = theta[..., begin : begin + block.size]
        parameters[index].append(values.reshape(*lead, *shape))
    z = inputs.get(Dense)
    for stage, blocks in zip(layout.stages, parameters, strict=True):
        kind = type(stage)
        if isinstance(stage, Activate):
            value = write_function(g, z, stage.activation)
            if blocks:
                value = g.Add(z, g.Mul(g.Sub(value, z), blocks[0]))
            z = value
        elif kind is LayerNorm:
            z = _normalized(g, z, stage, *blocks)
        elif kind is Dense:
            z = g.Add(g.MatMul(z, blocks[0]), blocks[1])
        elif kind is Bias:
            z = blocks[0]
        elif kind is Periodic:
            z = _write_periodic(g, z, stage, blocks[0])
        elif kind in (Embedding, Lookup, PiecewiseLinear):
            x = inputs[kind]
            if kind is Embedding:
                # Code 0 is the vector 0.
                vectors = np.pad(blocks[0], [(0, 0), (1, 0), (0, 0)])
                shape = np.array([len(vectors), -1, stage.inputs])
                x = g.Reshape(g.Gather(vectors, x, axis=1), shape)
            z = g.Add(z, g.MatMul(x, blocks[-1]))
        else:
            raise NotImplementedError(f"skgd cannot write {kind.__name__} layers in ONNX.")
    return z


def _normalized(g, z, stage, scale, shift):
    """Write layer normalization; its operator is newer than the oldest opset."""

    def mean(x):
        return g.Div(g.ReduceSum(x, np.array([-1]), keepdims=1), stage.outputs)

    d = g.Sub(z, mean(z))
    deviation = g.Sqrt(g.Add(mean(g.Mul(d, d)), stage.numbers[0]))
    return g.Add(g.Mul(g.Div(d, deviation), scale), shift)


def _write_periodic(g, z, stage, rows):
    """Write the inputs, followed by the combinations of cosines of the first columns."""
    n_columns, n_waves, n_outputs = stage.numbers
    *lead, _, _ = rows.shape
    ends = np.cumsum([n_waves, n_waves, n_outputs * n_waves])
    w1, b1, W2, b2 = np.split(rows[..., np.newaxis, :, :], ends, axis=-1)
    x = g.Unsqueeze(g.Gather(z, np.arange(n_columns), axis=1), np.array([2]))
    turns = g.Add(g.Mul(x, w1), b1 * b1.dtype.type(1 / (2 * np.pi)))
    # As the kernel does: onnxruntime has no cosine of float64, and this one is exact for
    # large numbers.
    distance = g.Abs(g.Sub(turns, g.Round(turns)))
    waves = g.Sin(g.Mul(g.Sub(0.25, distance), 2 * np.pi))
    W2 = W2.reshape(*lead, n_columns, n_outputs, n_waves)
    combined = g.Einsum(waves, W2, equation="...ncf,...ckf->...nck")
    shape = np.array([*lead, -1, n_columns * n_outputs])
    combined = g.Reshape(g.Add(combined, b2), shape)
    return g.Concat(g.Expand(z, np.array([*lead, 1, 1])), combined, axis=-1)
