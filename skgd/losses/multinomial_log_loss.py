r"""The log loss of one class among several, with a softmax link.

.. math:: \ell(z, y) = \log \sum_k e^{z_k} - z_y

The target is the index of the class, in one column.
"""

import math

from skgd.engine import Loss, exp

__all__ = ["MultinomialLogLoss"]


class MultinomialLogLoss(Loss):
    """The log loss of one class among several, with a softmax link.

    Examples
    --------
    >>> from skgd.losses import MultinomialLogLoss
    >>> MultinomialLogLoss().out_activation
    'softmax'
    """

    name = "log_loss"
    out_activation = "softmax"
    domain = (0, float("inf"), "left")

    @staticmethod
    def evaluate(z, y, weight, scale, delta):
        """Return the weighted sum of the rows' losses, and write their slopes."""
        total = 0.0
        for i in range(z.shape[0]):
            largest = z[i, 0]
            for k in range(1, z.shape[1]):
                largest = max(largest, z[i, k])
            for k in range(z.shape[1]):
                z[i, k] -= largest
        logits, slopes = z.reshape(-1), delta.reshape(-1)
        for e in range(logits.shape[0]):
            slopes[e] = exp(logits[e])
        for i in range(z.shape[0]):
            target = int(y[i, 0])
            partition = delta[i].sum()
            w = scale * weight[i]
            for k in range(z.shape[1]):
                delta[i, k] *= w / partition
            delta[i, target] -= w
            total += weight[i] * (math.log(partition) - z[i, target])
        return total

    @staticmethod
    def apply_link(z):
        """Replace each row by its softmax."""
        for i in range(z.shape[0]):
            largest = z[i, 0]
            for k in range(1, z.shape[1]):
                largest = max(largest, z[i, k])
            for k in range(z.shape[1]):
                z[i, k] -= largest
        logits = z.reshape(-1)
        for e in range(logits.shape[0]):
            logits[e] = exp(logits[e])
        for i in range(z.shape[0]):
            partition = z[i].sum()
            for k in range(z.shape[1]):
                z[i, k] /= partition
