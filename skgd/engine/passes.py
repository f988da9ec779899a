"""A block of rows forward through the network, and its errors backward.

Of a mini-batch's ``rows``, a thread takes those from ``first`` to ``last``, in whole
chunks. What is summed over rows is summed by chunks first: a result must not depend on the
number of threads.
"""

from skgd.engine.batch_norm import (
    finish_moments,
    merge_moments,
    moments_of,
    normalise,
    normalise_backward,
    scale_and_shift_gradient,
)
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
from skgd.engine.products import input_gradient, linear, sparse_linear
from skgd.engine.records import APART
from skgd.engine.team import meet
from skgd.engine.views import matrix, vector

__all__ = ["backward", "errors", "forward", "gather", "gathered", "outputs_of", "sums_of"]


@jit
def gather(samples, order, start, first, last, buffers):
    """Copy the rows ``order[start + first : start + last]`` into the buffers.

    An empty ``order`` stands for the rows as they come: their features stay in place.
    """
    shuffled = order.shape[0] > 0
    n_targets = samples.y.shape[1]
    features = buffers.inputs.shape[0] // buffers.weight.shape[0]
    for i in range(first, last):
        row = order[start + i] if shuffled else start + i
        if shuffled:
            source = vector(samples.X, row * features, features)
            target = vector(buffers.inputs, i * features, features)
            for j in range(features):
                target[j] = source[j]
        for k in range(n_targets):
            buffers.y[i * n_targets + k] = samples.y[row, k]
        buffers.weight[i] = samples.weight[row] if samples.weight.shape[0] > 0 else 1


@jit
def gathered(samples, order, start, first, last, features, buffers):
    """View the features of gathered rows."""
    if order.shape[0] > 0:
        return matrix(buffers.inputs, first * features, last - first, features)
    return matrix(samples.X, (start + first) * features, last - first, features)


@jit
def _per_row(buffer, column, table, layer, first, last, buffers):
    """View rows of what is kept per row of a mini-batch for a layer."""
    outputs = table[layer, OUTPUTS]
    start = table[layer, column] * buffers.weight.shape[0] + first * outputs
    return matrix(buffer, start, last - first, outputs)


@jit
def outputs_of(table, layer, first, last, buffers):
    """View a layer's activations."""
    return _per_row(buffers.activated, ACTIVATED, table, layer, first, last, buffers)


@jit
def _normalised(table, layer, first, last, buffers):
    return _per_row(buffers.activated, NORMALISED, table, layer, first, last, buffers)


@jit
def errors(table, layer, first, last, buffers):
    """View the gradient by a layer's linear output."""
    return _per_row(buffers.delta, ACTIVATED, table, layer, first, last, buffers)


@jit
def _moments(table, layer, buffers):
    return matrix(buffers.moments, 3 * table[layer, NORMAL], 3, table[layer, OUTPUTS])


@jit
def sums_of(table, layer, buffers):
    """View the gradients by a layer's gamma and beta."""
    return matrix(buffers.sums, 2 * table[layer, NORMAL], 2, table[layer, OUTPUTS])


@jit
def _part(chunk, table, layer, backward, buffers):
    """View what a chunk of rows adds to the moments, or ``backward`` to the sums."""
    n_normal, outputs = buffers.moments.shape[0] // 3, table[layer, OUTPUTS]
    start = chunk * (4 * n_normal + APART) + APART
    start += 2 * (n_normal if backward else 0) + 2 * table[layer, NORMAL]
    return matrix(buffers.chunk_moments, start, 2, outputs)


@jit
def _part_weight(chunk, buffers):
    """View the sum of the weights of a chunk of rows: each layer writes the same."""
    n_normal = buffers.moments.shape[0] // 3
    return vector(buffers.chunk_moments, chunk * (4 * n_normal + APART), 1)


@jit
def _write_moments(rows, first, last, chunk, table, layer, buffers, epsilon, moments, team):
    """Write the moments of all rows from those of chunks, of which this thread has some."""
    for begin in range(first, last, chunk):
        end = min(begin + chunk, last)
        index = begin // chunk
        _part_weight(index, buffers)[0] = moments_of(
            _normalised(table, layer, begin, end, buffers),
            vector(buffers.weight, begin, end - begin),
            _part(index, table, layer, False, buffers),
        )
    meet(team)
    total = moments.dtype.type(0)
    moments[:] = 0
    for index in range((rows + chunk - 1) // chunk):
        weight = _part_weight(index, buffers)[0]
        merge_moments(_part(index, table, layer, False, buffers), weight, total, moments)
        total += weight
    finish_moments(total, epsilon, moments)


@jit
def _write_sums(rows, first, last, chunk, table, layer, buffers, sums, team):
    """Write the gradients by gamma and beta over all rows, likewise."""
    for begin in range(first, last, chunk):
        end = min(begin + chunk, last)
        scale_and_shift_gradient(
            _normalised(table, layer, begin, end, buffers),
            errors(table, layer, begin, end, buffers),
            _part(begin // chunk, table, layer, True, buffers),
        )
    meet(team)
    sums[:] = 0
    for index in range((rows + chunk - 1) // chunk):
        part = _part(index, table, layer, True, buffers)
        for k in range(2):
            for j in range(sums.shape[1]):
                sums[k, j] += part[k, j]


@jit
def _linear_outputs(
    samples, order, start, first, last, layer, table, theta, buffers, multiply
):
    """Write the linear outputs of a layer, where batch normalization looks for them."""
    inputs, outputs = table[layer, INPUTS], table[layer, OUTPUTS]
    weights = matrix(theta, table[layer, WEIGHTS], inputs, outputs)
    if table[layer, NORMAL] >= 0:
        # The shift comes after the normalization.
        bias = vector(theta, table[layer, BIAS], 0)
        out = _normalised(table, layer, first, last, buffers)
    else:
        bias = vector(theta, table[layer, BIAS], outputs)
        out = outputs_of(table, layer, first, last, buffers)
    if layer > 0:
        X = outputs_of(table, layer - 1, first, last, buffers)
        linear(X, weights, bias, out, multiply, buffers.room)
    elif samples.row_starts.shape[0] > 0:
        sparse_linear(samples, order, start + first, weights, bias, out)
    else:
        X = gathered(samples, order, start, first, last, inputs, buffers)
        linear(X, weights, bias, out, multiply, buffers.room)


@jit
def forward(
    samples,
    order,
    start,
    rows,
    first,
    last,
    chunk,
    table,
    theta,
    buffers,
    multiply,
    activate,
    epsilon,
    team,
):
    """Write the activations of all layers; the last stays linear."""
    final = table.shape[0] - 1
    for layer in range(table.shape[0]):
        outputs = table[layer, OUTPUTS]
        out = outputs_of(table, layer, first, last, buffers)
        _linear_outputs(
            samples,
            order,
            start,
            first,
            last,
            layer,
            table,
            theta,
            buffers,
            multiply,
        )
        if table[layer, NORMAL] >= 0:
            moments = _moments(table, layer, buffers)
            _write_moments(
                rows, first, last, chunk, table, layer, buffers, epsilon, moments, team
            )
            normalise(
                _normalised(table, layer, first, last, buffers),
                vector(theta, table[layer, GAMMA], outputs),
                vector(theta, table[layer, BIAS], outputs),
                moments,
                out,
            )
        if layer < final:
            activate(vector(out, 0, out.size))


@jit
def backward(
    rows,
    first,
    last,
    chunk,
    total,
    table,
    theta,
    buffers,
    multiply,
    differentiate,
    team,
):
    """Write the errors of all layers, from those of the last.

    ``total`` is the sum of the weights of the mini-batch.
    """
    for layer in range(table.shape[0] - 1, 0, -1):
        inputs, outputs = table[layer, INPUTS], table[layer, OUTPUTS]
        weights = matrix(theta, table[layer, WEIGHTS], inputs, outputs)
        delta = errors(table, layer - 1, first, last, buffers)
        input_gradient(
            errors(table, layer, first, last, buffers),
            weights,
            delta,
            multiply,
            buffers.room,
        )
        a = outputs_of(table, layer - 1, first, last, buffers)
        differentiate(vector(a, 0, a.size), vector(delta, 0, delta.size))
        if table[layer - 1, NORMAL] >= 0:
            sums = sums_of(table, layer - 1, buffers)
            _write_sums(rows, first, last, chunk, table, layer - 1, buffers, sums, team)
            normalise_backward(
                _normalised(table, layer - 1, first, last, buffers),
                vector(buffers.weight, first, last - first),
                total,
                vector(theta, table[layer - 1, GAMMA], inputs),
                _moments(table, layer - 1, buffers),
                sums,
                delta,
            )
