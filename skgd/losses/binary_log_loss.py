r"""The log loss of independent yes-or-no outputs: binary and multilabel classification.

.. math::

    \ell(z, y) = \sum_k \left( \log(1 + e^{z_k}) - y_k z_k \right), \qquad y_k \in \{0, 1\}

computed as :math:`\max(z, 0) - y z + \log(1 + e^{-|z|})`, which neither overflows nor
needs the probabilities clipped.
"""

from skgd.engine import Loss, exp, jit, log1p, logistic, zero

__all__ = ["binary_log_loss"]


@jit
def _terms(z, y, delta):
    """Replace each z by its loss, and write the slope: a loop that vectorises."""
    for e in range(z.shape[0]):
        linear = z[e]
        delta[e] = logistic(linear) - y[e]
        positive = zero(linear) if linear < zero(linear) else linear
        z[e] = positive - y[e] * linear + log1p(exp(-abs(linear)))


@jit
def evaluate(z, y, weight, scale, delta):
    _terms(z.reshape(-1), y.reshape(-1), delta.reshape(-1))
    total = 0.0
    for i in range(z.shape[0]):
        w = scale * weight[i]
        loss = 0.0
        for k in range(z.shape[1]):
            delta[i, k] *= w
            loss += z[i, k]
        total += weight[i] * loss
    return total


@jit
def link(z):
    for i in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[i, k] = logistic(z[i, k])


binary_log_loss = Loss("log_loss", evaluate, link, out_activation="logistic")
