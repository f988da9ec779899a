r"""Half the squared error, summed over the outputs.

.. math:: \ell(z, y) = \tfrac12 \sum_k (z_k - y_k)^2
"""

from skgd.engine import Loss, jit

__all__ = ["squared_error"]


@jit
def evaluate(z, y, weight, scale, delta):
    total = 0.0
    for i in range(z.shape[0]):
        w = scale * weight[i]
        squares = 0.0
        for k in range(z.shape[1]):
            residual = z[i, k] - y[i, k]
            delta[i, k] = w * residual
            squares += residual * residual
        total += weight[i] * squares
    return 0.5 * total


@jit
def link(z):
    pass


squared_error = Loss("squared_error", evaluate, link, out_activation="identity")
