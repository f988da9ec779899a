"""A block of rows forward through the network, and its errors backward."""

from skgd.engine.batch_norm import normalise, normalise_backward
from skgd.engine.jit import jit
from skgd.engine.layout import (
    ACTIVATED,
    BIAS,
    GAMMA,
    INPUTS,
    NORMAL,
    NORMALISED,
    OUTPUTS,
    WEIGHTS,
)
from skgd.engine.products import (
    column_sums,
    input_gradient,
    linear,
    sparse_linear,
    sparse_weight_gradient,
    weight_gradient,
)
from skgd.engine.views import matrix, vector

__all__ = ["backward", "forward", "gather", "layer_output"]


@jit
def gather(samples, order, start, rows, buffers):
    """Copy the rows ``order[start:]`` of the data into the buffers.

    An empty ``order`` stands for the rows as they come: they are not copied then.
    Returns the sum of their weights.
    """
    shuffled = order.shape[0] > 0
    n_targets = samples.y.shape[1]
    features = buffers.inputs.shape[0] // buffers.weight.shape[0]
    total = 0.0
    for i in range(rows):
        row = order[start + i] if shuffled else start + i
        if shuffled:
            for j in range(features):
                buffers.inputs[i * features + j] = samples.X[row * features + j]
        for k in range(n_targets):
            buffers.y[i * n_targets + k] = samples.y[row, k]
        if samples.weight.shape[0] > 0:
            buffers.weight[i] = samples.weight[row]
        else:
            buffers.weight[i] = 1
        total += buffers.weight[i]
    return total


@jit
def layer_output(table, layer, rows, buffers):
    """View the activations of a layer."""
    outputs = table[layer, OUTPUTS]
    capacity = buffers.weight.shape[0]
    return matrix(buffers.activated, table[layer, ACTIVATED] * capacity, rows, outputs)


@jit
def _normalised(table, layer, rows, buffers):
    capacity = buffers.weight.shape[0]
    start = table[layer, NORMALISED] * capacity
    return matrix(buffers.activated, start, rows, table[layer, OUTPUTS])


@jit
def _moments(table, layer, buffers):
    return matrix(buffers.moments, 3 * table[layer, NORMAL], 3, table[layer, OUTPUTS])


@jit
def _first_inputs(samples, order, start, rows, features, buffers):
    if order.shape[0] > 0:
        return matrix(buffers.inputs, 0, rows, features)
    return matrix(samples.X, start * features, rows, features)


@jit
def forward(samples, order, start, rows, table, theta, buffers, activate, epsilon):
    """Write the activations of all layers; the last stays linear."""
    last = table.shape[0] - 1
    for layer in range(table.shape[0]):
        inputs, outputs = table[layer, INPUTS], table[layer, OUTPUTS]
        weights = matrix(theta, table[layer, WEIGHTS], inputs, outputs)
        bias = vector(theta, table[layer, BIAS], outputs)
        out = layer_output(table, layer, rows, buffers)
        normal = table[layer, NORMAL] >= 0
        product = _normalised(table, layer, rows, buffers) if normal else out
        if layer > 0:
            linear(layer_output(table, layer - 1, rows, buffers), weights, product)
        elif samples.row_starts.shape[0] > 0:
            sparse_linear(
                samples.values,
                samples.columns,
                samples.row_starts,
                order,
                start,
                weights,
                product,
            )
        else:
            X = _first_inputs(samples, order, start, rows, inputs, buffers)
            linear(X, weights, product)
        if normal:
            normalise(
                product,
                buffers.weight,
                vector(theta, table[layer, GAMMA], outputs),
                epsilon,
                out,
                _moments(table, layer, buffers),
            )
        if layer < last:
            activate(out, bias)
        else:
            for i in range(rows):
                for k in range(outputs):
                    out[i, k] += bias[k]


@jit
def backward(samples, order, start, rows, table, theta, gradient, buffers, differentiate):
    """Write the gradient, from that by the linear output in ``buffers.delta``."""
    last = table.shape[0] - 1
    here, before = buffers.delta, buffers.delta_before
    for layer in range(last, -1, -1):
        inputs, outputs = table[layer, INPUTS], table[layer, OUTPUTS]
        weights_gradient = matrix(gradient, table[layer, WEIGHTS], inputs, outputs)
        bias_gradient = vector(gradient, table[layer, BIAS], outputs)
        delta = matrix(here, 0, rows, outputs)
        if layer == last:
            column_sums(delta, bias_gradient)
        else:
            out = layer_output(table, layer, rows, buffers)
            differentiate(out, delta, bias_gradient)
            if table[layer, NORMAL] >= 0:
                normalise_backward(
                    _normalised(table, layer, rows, buffers),
                    buffers.weight,
                    vector(theta, table[layer, GAMMA], outputs),
                    _moments(table, layer, buffers),
                    delta,
                    vector(gradient, table[layer, GAMMA], outputs),
                    bias_gradient,
                )
        if layer > 0:
            out = layer_output(table, layer - 1, rows, buffers)
            weight_gradient(out, delta, weights_gradient)
            weights = matrix(theta, table[layer, WEIGHTS], inputs, outputs)
            input_gradient(delta, weights, matrix(before, 0, rows, inputs))
            here, before = before, here
        elif samples.row_starts.shape[0] > 0:
            sparse_weight_gradient(
                samples.values,
                samples.columns,
                samples.row_starts,
                order,
                start,
                delta,
                weights_gradient,
            )
        else:
            X = _first_inputs(samples, order, start, rows, inputs, buffers)
            weight_gradient(X, delta, weights_gradient)
