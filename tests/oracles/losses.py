"""Losses of rows of linear outputs z: value, gradient by z, and link."""

from typing import Any, NamedTuple

import numpy as np


class Loss(NamedTuple):
    value: Any  # (z, y) -> loss of each row
    gradient: Any  # (z, y) -> its derivative by z
    link: Any  # (z) -> prediction
    draw_targets: Any  # (rng, rows, n_outputs) -> y, in the coding of skgd's kernels


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _logistic(z):
    return np.exp(-np.logaddexp(np.zeros_like(z), -z))


def _multinomial_value(z, y):
    largest = z.max(axis=1)
    log_sum = np.log(np.exp(z - largest[:, None]).sum(axis=1)) + largest
    return log_sum - z[np.arange(len(z)), y[:, 0].astype(int)]


def _multinomial_gradient(z, y):
    return _softmax(z) - (y == np.arange(z.shape[1]))


def _poisson_value(z, y):
    positive = np.where(y > 0, y, 1)
    return (y * (np.log(positive) - z) - y + np.exp(z)).sum(axis=1)


def _huber(z, y, delta=1.0):
    e = np.abs(z - y)
    return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2)).sum(axis=1)


def _tweedie_value(z, y, power=1.5):
    mu = np.exp(z)
    rest = np.where(y > 0, y, 0) ** (2 - power) / ((1 - power) * (2 - power))
    rest = rest - y * mu ** (1 - power) / (1 - power) + mu ** (2 - power) / (2 - power)
    return rest.sum(axis=1)


def _draw_tweedie(rng, rows, n_outputs):
    return rng.gamma(2.0, size=(rows, n_outputs)) * (rng.random((rows, n_outputs)) > 0.3)


def _quantiles(z):
    steps = np.logaddexp(np.zeros_like(z), z)
    steps[:, 0] = z[:, 0]
    return steps.cumsum(axis=1)


LEVELS = np.array([0.1, 0.5, 0.9])


def _quantiles_value(z, y):
    e = y - _quantiles(z)
    return np.maximum(LEVELS * e, (LEVELS - 1) * e).sum(axis=1)


def _quantiles_gradient(z, y):
    by_prediction = np.where(_quantiles(z) > y, 1 - LEVELS, -LEVELS)
    by_step = by_prediction[:, ::-1].cumsum(axis=1)[:, ::-1]
    by_step[:, 1:] *= _logistic(z[:, 1:])
    return by_step


def _multinomial_focal_value(z, y, gamma=2.0):
    log_p = -_multinomial_value(z, y)
    return -((1 - np.exp(log_p)) ** gamma) * log_p


def _multinomial_focal_gradient(z, y, gamma=2.0):
    log_p = -_multinomial_value(z, y)[:, None]
    p = np.exp(log_p)
    by_log_p = gamma * (1 - p) ** (gamma - 1) * p * log_p - (1 - p) ** gamma
    return -by_log_p * _multinomial_gradient(z, y)


def _focal_value(z, y, gamma=2.0):
    # Minus the logarithm of the probability of the right answer.
    signed = np.where(y > 0, z, -z)
    cost = np.logaddexp(np.zeros_like(z), -signed)
    return (_logistic(-signed) ** gamma * cost).sum(axis=1)


def _focal_gradient(z, y, gamma=2.0):
    sign = np.where(y > 0, 1, -1)
    p, q = _logistic(sign * z), _logistic(-sign * z)
    cost = np.logaddexp(np.zeros_like(z), -sign * z)
    return -sign * q**gamma * (gamma * p * cost + q)


def _draw_classes(rng, rows, n_outputs):
    return rng.permutation(np.arange(rows) % n_outputs)[:, None]


# (name, out_activation): Loss
LOSSES = {
    ("squared_error", "identity"): Loss(
        lambda z, y: ((z - y) ** 2).sum(axis=1) / 2,
        lambda z, y: z - y,
        lambda z: z,
        lambda rng, rows, n_outputs: rng.normal(size=(rows, n_outputs)),
    ),
    ("poisson", "exp"): Loss(
        _poisson_value,
        lambda z, y: np.exp(z) - y,
        np.exp,
        lambda rng, rows, n_outputs: rng.poisson(1.0, (rows, n_outputs)),
    ),
    ("absolute_error", "identity"): Loss(
        lambda z, y: np.abs(z - y).sum(axis=1),
        lambda z, y: np.sign(z - y),
        lambda z: z,
        lambda rng, rows, n_outputs: rng.normal(size=(rows, n_outputs)),
    ),
    ("huber", "identity"): Loss(
        _huber,
        lambda z, y: np.clip(z - y, -1, 1),
        lambda z: z,
        lambda rng, rows, n_outputs: rng.normal(size=(rows, n_outputs)),
    ),
    ("quantile", "identity"): Loss(
        lambda z, y: np.abs(z - y).sum(axis=1) / 2,
        lambda z, y: np.sign(z - y) / 2,
        lambda z: z,
        lambda rng, rows, n_outputs: rng.normal(size=(rows, n_outputs)),
    ),
    ("quantile", "quantiles"): Loss(
        _quantiles_value,
        _quantiles_gradient,
        _quantiles,
        lambda rng, rows, n_outputs: rng.normal(size=(rows, 1)),
    ),
    ("gamma", "exp"): Loss(
        lambda z, y: (z - np.log(y) + y * np.exp(-z) - 1).sum(axis=1),
        lambda z, y: 1 - y * np.exp(-z),
        np.exp,
        lambda rng, rows, n_outputs: rng.gamma(2.0, size=(rows, n_outputs)),
    ),
    ("tweedie", "exp"): Loss(
        _tweedie_value,
        lambda z, y: np.exp(0.5 * z) - y * np.exp(-0.5 * z),
        np.exp,
        _draw_tweedie,
    ),
    ("log_loss", "logistic"): Loss(
        lambda z, y: (np.logaddexp(np.zeros_like(z), z) - y * z).sum(axis=1),
        lambda z, y: _logistic(z) - y,
        _logistic,
        lambda rng, rows, n_outputs: rng.integers(2, size=(rows, n_outputs)),
    ),
    ("focal", "logistic"): Loss(
        _focal_value,
        _focal_gradient,
        _logistic,
        lambda rng, rows, n_outputs: rng.integers(2, size=(rows, n_outputs)),
    ),
    ("focal", "softmax"): Loss(
        _multinomial_focal_value, _multinomial_focal_gradient, _softmax, _draw_classes
    ),
    ("log_loss", "softmax"): Loss(
        _multinomial_value, _multinomial_gradient, _softmax, _draw_classes
    ),
}


def oracle_of(loss):
    """Return the oracle of one of skgd's losses."""
    return LOSSES[loss.name, loss.out_activation]
