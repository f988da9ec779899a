"""A network with or without batch normalization: forward, objective, backward, training.

A network is a list of layers, each a dict of arrays: 'weights' of shape (inputs, outputs),
'bias', 'gamma' where its linear output is normalized over the mini-batch, 'scale' and
'shift' where it is over the units of a row, and 'mix' where its activation is mixed with
the identity.
"""

from typing import Any, NamedTuple

import numpy as np

from tests.oracles.activations import ACTIVATIONS
from tests.oracles.schedules import SCHEDULES
from tests.oracles.solvers import SOLVERS


class Pass(NamedTuple):
    """What a layer did with a mini-batch."""

    inputs: Any
    shifted: Any  # linear output, normalized and shifted: what is activated
    normal: Any  # normalized linear output, before scale and shift
    mean: Any
    variance: Any


def moments(x, weight):
    """Return weighted mean and (biased) variance of the columns."""
    mean = (weight[:, None] * x).sum(axis=0) / weight.sum()
    variance = (weight[:, None] * (x - mean) ** 2).sum(axis=0) / weight.sum()
    return mean, variance


def forward(layers, X, activation, *, weight=None, epsilon=0.0, running=None, masks=None):
    """Return the linear output, and a Pass for each layer.

    ``masks``, one a layer, multiply its inputs.

    ``running``, (mean, variance) a layer, takes the place of the mini-batch's moments.
    """
    value, _ = ACTIVATIONS[activation]
    weight = np.ones(len(X), dtype=X.dtype) if weight is None else weight
    passes = []
    inputs = X
    for index, layer in enumerate(layers):
        inputs = inputs if masks is None else inputs * masks[index]
        x = inputs @ layer["weights"]
        normal = mean = variance = None
        if "gamma" in layer:
            mean, variance = moments(x, weight) if running is None else running[index]
            normal = (x - mean) / np.sqrt(variance + epsilon)
            x = layer["gamma"] * normal
        shifted = x + layer["bias"]
        if "scale" in layer:
            shifted = layer["scale"] * normal_rows(shifted) + layer["shift"]
        passes.append(Pass(inputs, shifted, normal, mean, variance))
        inputs = value(shifted)
        if "mix" in layer:
            inputs = layer["mix"] * inputs + (1 - layer["mix"]) * shifted
    return shifted, passes


def normal_rows(x, epsilon=1e-5):
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def normal_rows_backward(x, by_normal, epsilon=1e-5):
    """Return the gradient by the rows: through their Jacobian matrices, one by one."""
    found, n = [], x.shape[1]
    for row, slope in zip(x, by_normal, strict=True):
        centered, deviation = row - row.mean(), np.sqrt(row.var() + epsilon)
        by_centered = np.eye(n) / deviation
        by_centered -= np.outer(centered, centered) / n / deviation**3
        found.append((np.eye(n) - 1 / n) @ by_centered @ slope)
    return np.array(found)


def penalty(layers, alpha):
    return alpha / 2 * sum((layer["weights"] ** 2).sum() for layer in layers)


def objective(layers, X, y, activation, loss, *, weight=None, alpha=0.0, epsilon=0.0):
    """Return the mean objective of a mini-batch, with the penalty."""
    weight = np.ones(len(X), dtype=X.dtype) if weight is None else weight
    z, _ = forward(layers, X, activation, weight=weight, epsilon=epsilon)
    rows = weight * loss.value(z, y)
    return (rows.sum() + penalty(layers, alpha)) / weight.sum()


def normalize_backward(x, delta, weight, gamma, epsilon):
    """Return the gradients by x and gamma, from ``delta``, that by the shifted output.

    By the chain rule through normalized values, variance and mean, one after the other.
    """
    w = weight[:, None]
    total = weight.sum()
    mean, variance = moments(x, weight)
    deviation = np.sqrt(variance + epsilon)
    by_gamma = (delta * (x - mean) / deviation).sum(axis=0)
    by_normal = delta * gamma
    by_variance = (by_normal * (x - mean)).sum(axis=0) * -0.5 / deviation**3
    by_mean = -by_normal.sum(axis=0) / deviation
    by_mean = by_mean - by_variance * (2 * w * (x - mean)).sum(axis=0) / total
    by_x = by_normal / deviation + (by_variance * 2 * (x - mean) + by_mean) * w / total
    return by_x, by_gamma


def gradient(
    layers, X, y, activation, loss, *, weight=None, alpha=0.0, epsilon=0.0, masks=None
):
    """Return the gradient of the mean objective, a dict like that of the layer."""
    value, derivative = ACTIVATIONS[activation]
    weight = np.ones(len(X), dtype=X.dtype) if weight is None else weight
    numbers = {"weight": weight, "epsilon": epsilon, "masks": masks}
    z, passes = forward(layers, X, activation, **numbers)
    gradients, by_output = [None] * len(layers), None
    delta = weight[:, None] * loss.gradient(z, y) / weight.sum()
    for index in reversed(range(len(layers))):
        layer, done = layers[index], passes[index]
        found = {"bias": delta.sum(axis=0)}
        if "mix" in layer:
            slope = derivative(done.shifted)
            found["mix"] = (by_output * (value(done.shifted) - done.shifted)).sum(axis=0)
            delta = by_output * (layer["mix"] * slope + 1 - layer["mix"])
            found["bias"] = delta.sum(axis=0)
        if "scale" in layer:
            x = done.inputs @ layer["weights"] + layer["bias"]
            found["shift"] = delta.sum(axis=0)
            found["scale"] = (delta * normal_rows(x)).sum(axis=0)
            delta = normal_rows_backward(x, delta * layer["scale"])
            found["bias"] = delta.sum(axis=0)
        if "gamma" in layer:
            x = done.inputs @ layer["weights"]
            delta, found["gamma"] = normalize_backward(
                x, delta, weight, layer["gamma"], epsilon
            )
        found["weights"] = done.inputs.T @ delta
        found["weights"] += alpha / weight.sum() * layer["weights"]
        gradients[index] = found
        if index > 0:
            delta = delta @ layer["weights"].T
            if masks is not None:
                delta = delta * masks[index]
            by_output = delta
            delta = delta * derivative(passes[index - 1].shifted)
    return gradients


def batches(n_samples, batch_size, normalized):
    """Return (start, stop) of the mini-batches of an epoch.

    With batch normalization they are even, and none is of a single row.
    """
    if not normalized:
        starts = list(range(0, n_samples, batch_size))
        return list(zip(starts, [*starts[1:], n_samples], strict=True))
    n_batches = min(-(-n_samples // batch_size), n_samples // 2)
    parts = np.array_split(np.arange(n_samples), n_batches)
    return [(part[0], part[-1] + 1) for part in parts]


def effective_rows(weight):
    """Return how many rows of equal weight tell as much as these."""
    return weight.sum() ** 2 / (weight**2).sum()


def running_moments(seen, counts, decay):
    """Return the moving averages of the moments of all mini-batches, for each layer.

    The latest counts by its rows, the one before ``decay`` times that, ..., in parts of
    their sum.
    """
    ages = np.arange(len(seen))[::-1]
    parts = decay**ages * np.array(counts)
    parts = parts / parts.sum()
    averages = []
    for layer in zip(*seen, strict=True):
        averages.append(
            None
            if layer[0] is None
            else tuple(
                sum(p * m for p, m in zip(parts, kind, strict=True))
                for kind in zip(*layer, strict=True)
            )
        )
    return averages


class Epoch(NamedTuple):
    """What an epoch left."""

    loss: float
    layers: list
    running: list


def train(
    layers,
    X,
    y,
    activation,
    loss,
    *,
    orders,
    batch_size,
    solver,
    learning_rate,
    rate,
    hyper,
    weight=None,
    alpha=0.0,
    epsilon=0.0,
    decay=0.9,
):
    """Yield an Epoch for each of the ``orders`` of the rows.

    ``hyper`` holds two dicts: the solver's and the schedule's hyperparameters.
    """
    update, schedule = SOLVERS[solver], SCHEDULES[learning_rate]
    n_samples = len(X)
    weight = np.ones(n_samples, dtype=X.dtype) if weight is None else weight
    normalized = "gamma" in layers[0]
    state, seen, counts, t = {}, [], [], 0
    for epoch, order in enumerate(orders):
        objectives, rows = [], []
        for start, stop in batches(n_samples, batch_size, normalized):
            chosen = order[start:stop]
            if weight[chosen].sum() == 0:
                continue
            batch = X[chosen], y[chosen], activation, loss
            numbers = {"weight": weight[chosen], "alpha": alpha, "epsilon": epsilon}
            objectives.append(objective(layers, *batch, **numbers))
            rows.append(len(chosen))
            slopes = gradient(layers, *batch, **numbers)
            _, passes = forward(
                layers, batch[0], activation, weight=weight[chosen], epsilon=epsilon
            )
            seen.append([None if p.mean is None else (p.mean, p.variance) for p in passes])
            counts.append(effective_rows(weight[chosen]))
            eta = schedule(rate, t, epoch * n_samples, **hyper[1])
            layers = [dict(layer) for layer in layers]
            for index, layer in enumerate(layers):
                for kind in layer:
                    key = index, kind
                    layer[kind], state[key] = update(
                        layer[kind],
                        state.get(key),
                        slopes[index][kind],
                        eta,
                        t,
                        **hyper[0],
                    )
            t += 1
        mean = np.average(objectives, weights=rows)
        yield Epoch(mean, layers, running_moments(seen, counts, decay))
