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
    ("log_loss", "logistic"): Loss(
        lambda z, y: (np.logaddexp(np.zeros_like(z), z) - y * z).sum(axis=1),
        lambda z, y: _logistic(z) - y,
        _logistic,
        lambda rng, rows, n_outputs: rng.integers(2, size=(rows, n_outputs)),
    ),
    ("log_loss", "softmax"): Loss(
        _multinomial_value, _multinomial_gradient, _softmax, _draw_classes
    ),
}


def oracle_of(loss):
    """Return the oracle of one of skgd's losses."""
    return LOSSES[loss.name, loss.out_activation]
