r"""Half the Poisson deviance with a log link, summed over the outputs.

.. math::

    \ell(z, y) = \sum_k \left( y_k \log \frac{y_k}{\mu_k} - y_k + \mu_k \right),
    \qquad \mu = e^z
"""

from skgd.engine import Loss, exp, jit, log, one, zero

__all__ = ["poisson"]


@jit
def evaluate(z, y, weight, scale, delta):
    total = 0.0
    for i in range(z.shape[0]):
        w = scale * weight[i]
        deviance = 0.0
        for k in range(z.shape[1]):
            target = y[i, k]
            mean = exp(z[i, k])
            delta[i, k] = w * (mean - target)
            # y log y is 0 at y = 0.
            logarithm = log(target if target > zero(target) else one(target))
            deviance += target * (logarithm - z[i, k]) - target + mean
        total += weight[i] * deviance
    return total


@jit
def link(z):
    for i in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[i, k] = exp(z[i, k])


poisson = Loss("poisson", evaluate, link, out_activation="exp")
