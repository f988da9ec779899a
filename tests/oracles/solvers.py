"""Update rules: (theta, state, gradient, rate, t, **hyperparameters) -> theta, state.

``t`` counts the updates made before. The state is a tuple of arrays, None at the start.
"""

import numpy as np


def minibatch(theta, state, g, rate, t):
    return theta - rate * g, ()


def momentum(theta, state, g, rate, t, *, momentum, nesterovs_momentum):
    (v,) = state or (np.zeros_like(theta),)
    v = momentum * v - rate * g
    if nesterovs_momentum:
        return theta + momentum * v - rate * g, (v,)
    return theta + v, (v,)


def rmsprop(theta, state, g, rate, t, *, rho, epsilon, centered=False):
    s, *mean = state or (np.zeros_like(theta), *[np.zeros_like(theta)] * centered)
    s = rho * s + (1 - rho) * g**2
    if centered:
        m = rho * mean[0] + (1 - rho) * g
        deviation = np.sqrt(np.maximum(s - m**2, 0))
        return theta - rate * g / (deviation + epsilon), (s, m)
    return theta - rate * g / (np.sqrt(s) + epsilon), (s,)


def adam(theta, state, g, rate, t, *, beta_1, beta_2, epsilon):
    m, v = state or (np.zeros_like(theta), np.zeros_like(theta))
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    step = rate * np.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
    return theta - step * m / (np.sqrt(v) + epsilon), (m, v)


SOLVERS = {
    "minibatch": minibatch,
    "momentum": momentum,
    "sgd": momentum,
    "rmsprop": rmsprop,
    "adam": adam,
}

# Hyperparameters that a trace should be seen with.
SETTINGS = {
    "minibatch": [{}],
    "momentum": [
        {"momentum": 0.9, "nesterovs_momentum": True},
        {"momentum": 0.9, "nesterovs_momentum": False},
        {"momentum": 0.0, "nesterovs_momentum": True},
        {"momentum": 0.5, "nesterovs_momentum": False},
    ],
    "rmsprop": [
        {"rho": 0.9, "epsilon": 1e-8},
        {"rho": 0.99, "epsilon": 1e-2},
        {"rho": 0.0, "epsilon": 1e-3},
        {"rho": 0.9, "epsilon": 1e-2, "centered": True},
        {"rho": 0.5, "epsilon": 1e-1, "centered": True},
    ],
    "adam": [
        {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-3},
    ],
}
SETTINGS["sgd"] = SETTINGS["momentum"]
