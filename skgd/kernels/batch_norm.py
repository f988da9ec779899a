r"""Batch normalization, between the linear map and the activation.

For each unit, with weights :math:`w_i` whose sum is :math:`W`,

.. math::

    \mu &= \tfrac1W \sum_i w_i x_i, \qquad
    \sigma^2 = \tfrac1W \sum_i w_i (x_i - \mu)^2, \\
    \hat x_i &= \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad
    y_i = \gamma \hat x_i + \beta

and in the backward pass, with the gradient :math:`\delta_i` with respect to :math:`y_i`,

.. math::

    \frac{\partial}{\partial \gamma} = \sum_i \delta_i \hat x_i, \quad
    \frac{\partial}{\partial \beta} = \sum_i \delta_i, \quad
    \frac{\partial}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \left(
    \delta_i - \frac{w_i}{W} \left( \frac{\partial}{\partial \beta}
    + \hat x_i \frac{\partial}{\partial \gamma} \right) \right)

The running statistics are moving averages of :math:`\mu` and :math:`\sigma^2`. The weight
of a mini-batch in them is its effective number of rows :math:`n`. This is the number of
rows if their weights are equal, and close to 1 if one row has nearly all the weight:

.. math::

    n = \frac{\left( \sum_i w_i \right)^2}{\sum_i w_i^2}, \qquad
    S \leftarrow m S + n, \qquad
    \bar\mu \leftarrow \bar\mu + \frac{n}{S} (\mu - \bar\mu), \qquad
    \bar\sigma^2 \leftarrow \bar\sigma^2 + \frac{n}{S} (\sigma^2 - \bar\sigma^2)

Initially, :math:`S = 0`. Therefore, the first mini-batch replaces the initial values. If
all mini-batches have the same :math:`n`, the step of the :math:`k`-th one is
:math:`(1 - m) / (1 - m^k)`. The sum of the weights could not replace :math:`n`: if one row
has nearly all the weight, the variance is close to 0, and would stay in the averages for
many mini-batches.

References
----------
S. Ioffe, C. Szegedy (2015). "Batch normalization: accelerating deep network training by
reducing internal covariate shift." ICML, arXiv:1502.03167.
"""

import math

from skgd.compile.jit import jit

__all__ = [
    "effective_rows",
    "finish_moments",
    "merge_moments",
    "moments_of",
    "normalize",
    "normalize_backward",
    "scale_and_shift_gradient",
    "update_running",
]


@jit
def moments_of(x, weight, part):
    """Write a chunk's moments: the mean, and the sum of the squared deviations from it.

    Returns
    -------
    float
        The sum of the chunk's weights. If it is zero, the moments are zero, too.
    """
    mean, squares = part[0], part[1]
    total = x.dtype.type(0)
    mean[:] = 0
    squares[:] = 0
    # Two rows at a time, so that the sums are read and written half as often.
    even = x.shape[0] - x.shape[0] % 2
    for i in range(0, even, 2):
        first, second = weight[i], weight[i + 1]
        total += first + second
        for j in range(x.shape[1]):
            mean[j] += first * x[i, j] + second * x[i + 1, j]
    for i in range(even, x.shape[0]):
        total += weight[i]
        for j in range(x.shape[1]):
            mean[j] += weight[i] * x[i, j]
    if total > 0:
        for j in range(x.shape[1]):
            mean[j] /= total
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                deviation = x[i, j] - mean[j]
                squares[j] += weight[i] * (deviation * deviation)
    return total


@jit
def merge_moments(part, total, before, moments):
    """Merge the moments of a chunk into those of the previous chunks.

    ``total`` is the weight of the chunk, ``before`` that of the previous chunks. See T. F.
    Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances", 1979.
    """
    if total > 0:
        share = total / (before + total)
        for j in range(part.shape[1]):
            delta = part[0, j] - moments[0, j]
            moments[0, j] += share * delta
            moments[1, j] += part[1, j] + delta * (before * share) * delta


@jit
def finish_moments(total, epsilon, gamma, moments):
    """Write the variance, 1 / deviation and gamma / deviation to the moments.

    The deviation is sqrt(variance + epsilon). ``total`` is the sum of the weights.
    """
    for j in range(moments.shape[1]):
        moments[1, j] /= total
        moments[2, j] = 1.0 / math.sqrt(moments[1, j] + moments.dtype.type(epsilon))
        moments[3, j] = gamma[j] * moments[2, j]


@jit
def normalize(x, beta, moments, out):
    """Write ``(x - mean) * gamma / deviation + beta``."""
    mean, factor = moments[0], moments[3]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - mean[j]) * factor[j] + beta[j]


@jit
def scale_and_shift_gradient(x, delta, moments, part):
    """Write a chunk's gradients with respect to gamma and beta.

    ``delta`` is the gradient with respect to the outputs.
    """
    mean, scale = moments[0], moments[2]
    gamma_gradient, beta_gradient = part[0], part[1]
    gamma_gradient[:] = 0
    beta_gradient[:] = 0
    # Two rows at a time, as above. With another array, LLVM would not vectorize the loop.
    even = delta.shape[0] - delta.shape[0] % 2
    for i in range(0, even, 2):
        for j in range(delta.shape[1]):
            first, second = delta[i, j], delta[i + 1, j]
            gamma_gradient[j] += first * (x[i, j] - mean[j]) + second * (
                x[i + 1, j] - mean[j]
            )
            beta_gradient[j] += first + second
    for i in range(even, delta.shape[0]):
        for j in range(delta.shape[1]):
            gamma_gradient[j] += delta[i, j] * (x[i, j] - mean[j])
            beta_gradient[j] += delta[i, j]
    for j in range(delta.shape[1]):
        gamma_gradient[j] *= scale[j]


@jit
def normalize_backward(x, weight, total, moments, sums, delta):
    """Replace the gradient with respect to the outputs by that with respect to the inputs.

    ``delta`` is this gradient, ``total`` the sum of the weights of the mini-batch. ``sums``
    are the gradients with respect to gamma and beta.
    """
    mean, scale, factor = moments[0], moments[2], moments[3]
    gamma_gradient, beta_gradient = sums[0], sums[1]
    total = delta.dtype.type(total)
    for i in range(delta.shape[0]):
        share = weight[i] / total
        for j in range(delta.shape[1]):
            normal = (x[i, j] - mean[j]) * scale[j]
            common = beta_gradient[j] + normal * gamma_gradient[j]
            delta[i, j] = factor[j] * (delta[i, j] - share * common)


@jit
def effective_rows(weight):
    """Return the effective number of rows; at least one weight must be positive."""
    # Weights are divided by the largest. Then squares do not overflow, and ones stay exact.
    largest = weight[0]
    for i in range(1, weight.shape[0]):
        largest = max(largest, weight[i])
    total = squares = 0.0
    for i in range(weight.shape[0]):
        part = float(weight[i] / largest)
        total += part
        squares += part * part
    return total * total / squares


@jit
def update_running(moments, step, running):
    """Move the running mean and variance towards those of a mini-batch."""
    for k in range(2):
        for j in range(running.shape[1]):
            running[k, j] += step * (moments[k, j] - running[k, j])
