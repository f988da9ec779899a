r"""Batch normalization, between the linear map and the activation.

With weights :math:`w_i` of sum :math:`W` and for each unit,

.. math::

    \mu &= \tfrac1W \sum_i w_i x_i, \qquad
    \sigma^2 = \tfrac1W \sum_i w_i (x_i - \mu)^2, \\
    \hat x_i &= \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad
    y_i = \gamma \hat x_i + \beta

and backwards, for the gradient :math:`\delta_i` of the objective by :math:`y_i`,

.. math::

    \frac{\partial}{\partial \gamma} = \sum_i \delta_i \hat x_i, \quad
    \frac{\partial}{\partial \beta} = \sum_i \delta_i, \quad
    \frac{\partial}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \left(
    \delta_i - \frac{w_i}{W} \left( \frac{\partial}{\partial \beta}
    + \hat x_i \frac{\partial}{\partial \gamma} \right) \right)

The running statistics are moving averages that weigh the :math:`k`-th mini-batch
:math:`(1 - m) / (1 - m^k)`, so that the first counts fully and none counts for a start
value.

References
----------
S. Ioffe, C. Szegedy (2015). "Batch normalization: accelerating deep network training by
reducing internal covariate shift." ICML, arXiv:1502.03167.
"""

import math

import numpy as np

from skgd.engine.jit import jit

__all__ = ["fold", "normalise", "normalise_backward", "update_running"]


@jit
def normalise(x, weight, gamma, epsilon, out, moments):
    """Replace ``x`` by its normalised values, and write gamma times them to ``out``.

    ``moments`` takes the mean, the variance and 1 / sqrt(variance + epsilon).
    """
    rows, units = x.shape
    mean, variance, scale = moments[0], moments[1], moments[2]
    total = x.dtype.type(0)
    mean[:] = 0
    for i in range(rows):
        total += weight[i]
        for j in range(units):
            mean[j] += weight[i] * x[i, j]
    variance[:] = 0
    for j in range(units):
        mean[j] /= total
    for i in range(rows):
        for j in range(units):
            deviation = x[i, j] - mean[j]
            variance[j] += weight[i] * (deviation * deviation)
    for j in range(units):
        variance[j] /= total
        scale[j] = 1.0 / math.sqrt(variance[j] + epsilon)
    for i in range(rows):
        for j in range(units):
            normal = (x[i, j] - mean[j]) * scale[j]
            x[i, j] = normal
            out[i, j] = gamma[j] * normal


@jit
def normalise_backward(
    normal, weight, gamma, moments, delta, gamma_gradient, beta_gradient
):
    """Turn ``delta``, the gradient by the outputs, into that by the inputs."""
    rows, units = delta.shape
    scale = moments[2]
    total = delta.dtype.type(0)
    gamma_gradient[:] = 0
    for i in range(rows):
        total += weight[i]
        for j in range(units):
            gamma_gradient[j] += delta[i, j] * normal[i, j]
    for i in range(rows):
        share = weight[i] / total
        for j in range(units):
            common = beta_gradient[j] + normal[i, j] * gamma_gradient[j]
            delta[i, j] = gamma[j] * scale[j] * (delta[i, j] - share * common)


@jit
def update_running(moments, momentum, n_batches, running):
    """Move the running mean and variance towards the mini-batch ``n_batches``."""
    step = running.dtype.type((1.0 - momentum) / (1.0 - momentum ** (n_batches + 1)))
    for k in range(2):
        for j in range(running.shape[1]):
            running[k, j] += step * (moments[k, j] - running[k, j])


def fold(weights, gamma, beta, mean, variance, epsilon):
    """Write a normalised layer as a plain one, with its running statistics.

    Parameters
    ----------
    weights : ndarray of shape (inputs, outputs)
        The linear map.

    gamma, beta, mean, variance : ndarray of shape (outputs,)
        Scale, shift and running statistics.

    epsilon : float
        What is added to the variance.

    Returns
    -------
    weights : ndarray of shape (inputs, outputs)
    bias : ndarray of shape (outputs,)
        The layer maps x to ``x @ weights + bias``.
    """
    scale = gamma / np.sqrt(variance + epsilon)
    return weights * scale, beta - mean * scale
