r"""The log loss of one class among several, with a softmax link.

.. math:: \ell(z, y) = \log \sum_k e^{z_k} - z_y

The target is the index of the class, in one column.
"""

import math

from skgd.engine import Loss, exp, jit

__all__ = ["multinomial_log_loss"]


@jit
def _subtract_largest(z):
    """Subtract from each row its largest value, so that no exponential overflows."""
    for i in range(z.shape[0]):
        largest = z[i, 0]
        for k in range(1, z.shape[1]):
            largest = max(largest, z[i, k])
        for k in range(z.shape[1]):
            z[i, k] -= largest


@jit
def _exponentials(z, out):
    """Write exp(z): a loop that vectorises."""
    for e in range(z.shape[0]):
        out[e] = exp(z[e])


@jit
def evaluate(z, y, weight, scale, delta):
    _subtract_largest(z)
    _exponentials(z.reshape(-1), delta.reshape(-1))
    total = 0.0
    for i in range(z.shape[0]):
        target = int(y[i, 0])
        partition = z.dtype.type(0)
        for k in range(z.shape[1]):
            partition += delta[i, k]
        w = scale * weight[i]
        for k in range(z.shape[1]):
            delta[i, k] *= w / partition
        delta[i, target] -= w
        total += weight[i] * (math.log(partition) - z[i, target])
    return total


@jit
def link(z):
    _subtract_largest(z)
    _exponentials(z.reshape(-1), z.reshape(-1))
    for i in range(z.shape[0]):
        partition = z.dtype.type(0)
        for k in range(z.shape[1]):
            partition += z[i, k]
        for k in range(z.shape[1]):
            z[i, k] /= partition


multinomial_log_loss = Loss("log_loss", evaluate, link, out_activation="softmax")
