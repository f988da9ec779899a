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


def rmsprop(theta, state, g, rate, t, *, rho, epsilon, centered=False, momentum=0.0):
    n_slots = 1 + centered + (momentum > 0)
    s, *others = state or [np.zeros_like(theta)] * n_slots
    s, kept, size = rho * s + (1 - rho) * g**2, [], 0.0
    if centered:
        m = rho * others[0] + (1 - rho) * g
        kept, size = [m], m**2
    step = g / (np.sqrt(np.maximum(s - size, 0)) + epsilon)
    if momentum > 0:
        step = momentum * others[-1] + step
        kept = [*kept, step]
    return theta - rate * step, (s, *kept)


def adam(theta, state, g, rate, t, *, beta_1, beta_2, epsilon, amsgrad=False):
    m, v, *largest = state or [np.zeros_like(theta)] * (2 + amsgrad)
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    step = rate * np.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
    largest = [np.maximum(largest[0], v)] if amsgrad else []
    size = np.sqrt(largest[0] if amsgrad else v)
    return theta - step * m / (size + epsilon), (m, v, *largest)


def nadam(theta, state, g, rate, t, *, beta_1, beta_2, epsilon, momentum_decay=0.004):
    m, v = state or (np.zeros_like(theta), np.zeros_like(theta))
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    momenta = [beta_1 * (1 - 0.5 * 0.96 ** (k * momentum_decay)) for k in range(1, t + 3)]
    step = (1 - momenta[t]) / (1 - np.prod(momenta[: t + 1])) * g
    step = step + momenta[t + 1] / (1 - np.prod(momenta)) * m
    size = np.sqrt(v / (1 - beta_2 ** (t + 1)))
    return theta - rate * step / (size + epsilon), (m, v)


def adagrad(theta, state, g, rate, t, *, epsilon):
    (s,) = state or (np.zeros_like(theta),)
    s = s + g**2
    return theta - rate * g / (np.sqrt(s) + epsilon), (s,)


def lion(theta, state, g, rate, t, *, beta_1, beta_2):
    (m,) = state or (np.zeros_like(theta),)
    theta = theta - rate * np.sign(beta_1 * m + (1 - beta_1) * g)
    return theta, (beta_2 * m + (1 - beta_2) * g,)


SOLVERS = {
    "minibatch": minibatch,
    "momentum": momentum,
    "sgd": momentum,
    "rmsprop": rmsprop,
    "adam": adam,
    "nadam": nadam,
    "adagrad": adagrad,
    "lion": lion,
}

# What multiplies the gradient: (new state, rates so far, t, **hyperparameters) -> array.
STEP_SIZES = {
    "minibatch": lambda state, rates, t: rates[t],
    # The sum of how far a gradient of now and of each update before moves the parameter.
    "momentum": lambda state, rates, t, *, momentum, nesterovs_momentum: sum(
        momentum**k * eta
        for k, eta in enumerate([*rates, *[rates[t]] * nesterovs_momentum][::-1])
    ),
    "rmsprop": lambda state, rates, t, *, rho, epsilon, centered=False, momentum=0.0: (
        rates[t]
        * sum(momentum**k for k in range(t + 1))
        / (np.sqrt(np.maximum(state[0] - (state[1] ** 2 if centered else 0), 0)) + epsilon)
    ),
    "adam": lambda state, rates, t, *, beta_1, beta_2, epsilon, amsgrad=False: (
        rates[t] * np.sqrt(1 - beta_2 ** (t + 1)) / (np.sqrt(state[1 + amsgrad]) + epsilon)
    ),
    "nadam": lambda state, rates, t, *, beta_1, beta_2, epsilon, momentum_decay=0.004: (
        rates[t] / (np.sqrt(state[1] / (1 - beta_2 ** (t + 1))) + epsilon)
    ),
    "adagrad": lambda state, rates, t, *, epsilon: rates[t] / (np.sqrt(state[0]) + epsilon),
    "lion": lambda state, rates, t, *, beta_1, beta_2: (
        rates[t] * (1 - beta_2 ** (t + 1)) / (np.abs(state[0]) + 1e-30)
    ),
}
STEP_SIZES["sgd"] = STEP_SIZES["momentum"]

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
        {"rho": 0.9, "epsilon": 1e-3, "centered": False, "momentum": 0.9},
        {"rho": 0.9, "epsilon": 1e-2, "centered": True, "momentum": 0.5},
    ],
    "adam": [
        {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-3},
        {"beta_1": 0.9, "beta_2": 0.9, "epsilon": 1e-8, "amsgrad": True},
        {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-2, "amsgrad": True},
    ],
    "nadam": [
        {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2, "momentum_decay": 0.5},
        {"beta_1": 0.0, "beta_2": 0.0, "epsilon": 1e-3, "momentum_decay": 0.0},
    ],
    "adagrad": [{"epsilon": 1e-8}, {"epsilon": 1e-2}],
    "lion": [{"beta_1": 0.9, "beta_2": 0.99}, {"beta_1": 0.0, "beta_2": 0.5}],
}
SETTINGS["sgd"] = SETTINGS["momentum"]
