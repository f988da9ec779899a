r"""The log loss of one class among several, with a softmax link.

.. math:: \ell(z, y) = \log \sum_k e^{z_k} - z_y

The first column of the target is the index of the class. If there is a second column, it is
the label smoothing.
"""

import math

from skgd.engine import Loss, exp_of_rows

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
    takes_smoothing = True

    @staticmethod
    def evaluate(z, y, weight, scale, delta):
        """Return the weighted sum of the rows' losses, and write their slopes."""
        total = 0.0
        exp_of_rows(z, delta)
        for i in range(z.shape[0]):
            target = int(y[i, 0])
            partition = delta[i].sum()
            w = scale * weight[i]
            for k in range(z.shape[1]):
                delta[i, k] *= w / partition
            delta[i, target] -= w
            total += weight[i] * (math.log(partition) - z[i, target])
            if y.shape[1] > 1:
                share = y[i, 1] / z.shape[1]
                delta[i, target] += w * y[i, 1]
                for k in range(z.shape[1]):
                    delta[i, k] -= w * share
                total += weight[i] * (y[i, 1] * z[i, target] - share * z[i].sum())
        return total

    @staticmethod
    def apply_link(z):
        """Replace each row by its softmax."""
        exp_of_rows(z, z)
        for i in range(z.shape[0]):
            partition = z[i].sum()
            for k in range(z.shape[1]):
                z[i, k] /= partition
