"""Training by a chain of steps, one array of parameters at a time, in plain NumPy."""

import numpy as np

from tests.oracles import network as oracle
from tests.oracles.solvers import SOLVERS, STEP_SIZES

KINDS = {
    "weights": "weights",
    "bias": "bias",
    "gamma": "scale",
    "mix": "activation",
    "scale": "scale",
    "shift": "bias",
}


def train(
    layers,
    X,
    y,
    loss,
    orders,
    *,
    solver,
    hyper,
    rate,
    batch_size,
    alpha=0.0,
    epsilon=0.0,
    max_norm=None,
    weight_decay=0.0,
    ema_decay=0.0,
    rate_factors=None,
    absolute=0.0,
    weight=None,
    masks_of=None,
    rate_factor=lambda t: 1.0,
    decay_factor=lambda t: 1.0,
):
    """Yield the layers and the moving averages of the parameters after each epoch.

    ``masks_of(t, n_rows)`` returns what multiplies the inputs of each layer in an update,
    ``rate_factor(t)`` and ``decay_factor(t)`` what multiplies rate and decay.
    """
    weight = np.ones(len(X)) if weight is None else weight
    update = SOLVERS[solver]
    layers = [dict(layer) for layer in layers]
    averages = [{kind: 0 * array for kind, array in layer.items()} for layer in layers]
    state, t = {}, 0
    for order in orders:
        for start, stop in oracle.batches(len(X), batch_size, "gamma" in layers[0]):
            rows = order[start:stop]
            numbers = {"weight": weight[rows], "alpha": alpha, "epsilon": epsilon}
            if masks_of is not None:
                numbers["masks"] = masks_of(t, stop - start)
            slopes = oracle.gradient(layers, X[rows], y[rows], "tanh", loss, **numbers)
            if max_norm is not None:
                squares = sum((g**2).sum() for layer in slopes for g in layer.values())
                shrink = min(1.0, max_norm / np.sqrt(squares))
                slopes = [{k: shrink * g for k, g in layer.items()} for layer in slopes]
            for index, layer in enumerate(layers):
                for kind, before in layer.items():
                    key, g = (index, kind), slopes[index][kind]
                    eta = rate * rate_factor(t) * (rate_factors or {}).get(KINDS[kind], 1.0)
                    theta, state[key] = update(before, state.get(key), g, eta, t, **hyper)
                    if kind == "weights":
                        theta = theta - eta * decay_factor(t) * weight_decay * before
                        if absolute:
                            own = rate * (rate_factors or {}).get("weights", 1.0)
                            rates = [own * rate_factor(k) for k in range(t + 1)]
                            size = STEP_SIZES[solver](state[key], rates, t, **hyper)
                            most = size * absolute / weight[rows].sum()
                            theta = np.sign(theta) * np.maximum(abs(theta) - most, 0)
                    average = averages[index]
                    average[kind] = ema_decay * average[kind] + (1 - ema_decay) * theta
                    layer[kind] = theta
            t += 1
        # Divided by the sum of their weights.
        yield (
            [dict(layer) for layer in layers],
            [{k: a / (1 - ema_decay**t) for k, a in one.items()} for one in averages],
        )
