"""Activations and their derivatives, both as functions of the linear input z."""

import numpy as np
from scipy.special import ndtr


def _logistic(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _logistic_derivative(z):
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def _softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _gelu(z):
    return np.where(z == -np.inf, 0, z) * ndtr(z)


def _gelu_derivative(z):
    return ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _silu(z):
    return np.where(z == -np.inf, 0, z) * _logistic(z)


def _silu_derivative(z):
    return _logistic(z) + z * _logistic_derivative(z)


def _mish(z):
    return np.where(z == -np.inf, 0, z) * np.tanh(_softplus(z))


def _mish_derivative(z):
    return np.tanh(_softplus(z)) + z * _logistic(z) / np.cosh(_softplus(z)) ** 2


def _elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_derivative(z):
    return np.exp(np.minimum(z, 0))


# What makes mean 0 and variance 1 a fixed point.
SCALE, ALPHA = 1.0507009873554804934, 1.6732632423543772848

# name: (value, derivative)
ACTIVATIONS = {
    "identity": (lambda z: z, np.ones_like),
    "logistic": (_logistic, _logistic_derivative),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, 0.01 * z),
        lambda z: np.where(z > 0, 1, 0.01),
    ),
    "elu": (_elu, _elu_derivative),
    "selu": (
        lambda z: SCALE * np.where(z > 0, z, ALPHA * _elu(z)),
        lambda z: SCALE * np.where(z > 0, 1, ALPHA * _elu_derivative(z)),
    ),
    "gelu": (_gelu, _gelu_derivative),
    "silu": (_silu, _silu_derivative),
    "mish": (_mish, _mish_derivative),
    "softplus": (_softplus, _logistic),
    "hard_tanh": (
        lambda z: np.clip(z, -1, 1),
        lambda z: (abs(z) < 1).astype(z.dtype),
    ),
}
