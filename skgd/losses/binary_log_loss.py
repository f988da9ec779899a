r"""The log loss of independent yes-or-no outputs: binary and multilabel classification.

.. math::

    \ell(z, y) = \sum_k \left( \log(1 + e^{z_k}) - y_k z_k \right), \qquad y_k \in \{0, 1\}

computed as :math:`\max(z, 0) - y z + \log(1 + e^{-|z|})`. This cannot overflow, and
probabilities need not be clipped.
"""

from skgd.engine import Loss, exp, log1p, logistic

__all__ = ["BinaryLogLoss"]


class BinaryLogLoss(Loss):
    """The log loss of a yes-or-no output, with a logistic link.

    For more than two classes, :class:`MultinomialLogLoss` replaces it.

    Examples
    --------
    >>> from skgd.losses import BinaryLogLoss
    >>> BinaryLogLoss().slope(0.0, 1.0)
    -0.5
    """

    name = "log_loss"
    out_activation = "logistic"
    domain = (0, 1, "both")

    @staticmethod
    def value(z, y):
        """Return log(1 + exp(z)) - y z."""
        return (0.0 if z < 0.0 else z) - y * z + log1p(exp(-abs(z)))

    @staticmethod
    def slope(z, y):
        """Return the probability minus y."""
        return logistic(z) - y

    @staticmethod
    def link(z):
        """Return the probability."""
        return logistic(z)
