r"""The focal loss of one class among several, with a softmax link.

.. math::

    \ell(z, y) = -(1 - p_y)^\gamma \log p_y, \qquad
    p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}

The first column of the target is the index of the class. If there is a second column, it is
the label smoothing.

References
----------
T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár (2017). "Focal loss for dense object
detection." ICCV, arXiv:1708.02002.
"""

import math
from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Loss, exp_of_rows

__all__ = ["MultinomialFocal"]


class MultinomialFocal(Loss):
    """The focal loss of one class among several, with a softmax link.

    Parameters
    ----------
    gamma : float, default=2.0
        The exponent of the weight, whose base is one minus the probability of the true
        class.

    Examples
    --------
    >>> from skgd.losses import MultinomialFocal
    >>> MultinomialFocal().out_activation
    'softmax'
    """

    name = "focal"
    out_activation = "softmax"
    domain = (0, float("inf"), "left")
    takes_smoothing = True
    _parameter_constraints = {"gamma": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, gamma=2.0) -> None:
        self.gamma = gamma

    @staticmethod
    def evaluate(z, y, weight, scale, delta, gamma):
        """Return the weighted sum of the rows' losses, and write their slopes."""
        total = 0.0
        n_classes = z.shape[1]
        exp_of_rows(z, delta)
        for i in range(z.shape[0]):
            # `rest` sums the exponentials of all classes but the largest one (the first of
            # several), whose exponential is 1.
            top, rest = -1, 0.0
            for k in range(n_classes):
                if top < 0 and z[i, k] == 0.0:
                    top = k
                else:
                    rest += delta[i, k]
            target, share, hit = int(y[i, 0]), 0.0, 1.0
            if y.shape[1] > 1:
                share = float(y[i, 1]) / n_classes
                hit -= float(y[i, 1])
            row = pull = 0.0
            for k in range(n_classes):
                part = share + hit if k == target else share
                if part == 0.0:
                    z[i, k] = 0.0
                    continue
                power = float(delta[i, k])
                log_p = float(z[i, k]) - math.log1p(rest)
                others = rest if k == top else 1.0 + rest - power
                q = others / (1.0 + rest)
                focus = q**gamma
                row -= part * focus * log_p
                # The derivative with respect to log(p).
                slope = -focus
                if q > 0.0:
                    slope += gamma * power / (1.0 + rest) * focus / q * log_p
                pull += part * slope
                z[i, k] = part * slope
            w = scale * weight[i]
            for k in range(n_classes):
                p = delta[i, k] / (1.0 + rest)
                delta[i, k] = w * (z[i, k] - p * pull)
            total += weight[i] * row
        return total

    @staticmethod
    def apply_link(z, gamma):
        """Replace each row by its softmax."""
        exp_of_rows(z, z)
        for i in range(z.shape[0]):
            partition = z[i].sum()
            for k in range(z.shape[1]):
                z[i, k] /= partition
