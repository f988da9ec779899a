r"""The log loss of one class among several, with a softmax link.

.. math:: \ell(z, y) = \log \sum_k e^{z_k} - z_y

The target is the index of the class, in one column.
"""

import math

from skgd.engine import Loss, exp, jit

__all__ = ["multinomial_log_loss"]


@jit
def evaluate(z, y, weight, scale, delta):
    total = 0.0
    for i in range(z.shape[0]):
        target = int(y[i, 0])
        largest = z[i, 0]
        for k in range(1, z.shape[1]):
            largest = max(largest, z[i, k])
        partition = z.dtype.type(0)
        for k in range(z.shape[1]):
            delta[i, k] = exp(z[i, k] - largest)
            partition += delta[i, k]
        w = scale * weight[i]
        for k in range(z.shape[1]):
            delta[i, k] *= w / partition
        delta[i, target] -= w
        total += weight[i] * (math.log(partition) + largest - z[i, target])
    return total


@jit
def link(z):
    for i in range(z.shape[0]):
        largest = z[i, 0]
        for k in range(1, z.shape[1]):
            largest = max(largest, z[i, k])
        partition = z.dtype.type(0)
        for k in range(z.shape[1]):
            z[i, k] = exp(z[i, k] - largest)
            partition += z[i, k]
        for k in range(z.shape[1]):
            z[i, k] /= partition


multinomial_log_loss = Loss("log_loss", evaluate, link, out_activation="softmax")
