r"""A moving average of the parameters.

.. math::

    \bar \theta \leftarrow \bar \theta + \frac{1 - d}{1 - d^{k + 1}} (\theta - \bar \theta)

with the decay :math:`d` and :math:`k` updates in the average before. This is an exponential
moving average, divided by the sum of its weights. It is not biased towards its start.

References
----------
B. T. Polyak, A. B. Juditsky (1992). "Acceleration of stochastic approximation by
averaging." SIAM Journal on Control and Optimization 30(4).
"""

from skgd.engine import Step

__all__ = ["Average"]


class Average(Step):
    """Keeps a moving average of the parameters, which it does not change.

    Parameters
    ----------
    decay : float
        The part of the average that an update keeps.

    start : int, default=0
        The number of updates before the first one of the average.
    """

    n_slots = 1

    def __init__(self, decay, start=0):
        self.decay = decay
        self.start = start

    def coefficients(self, rate, t):
        """Return the weight of the new parameters in the average."""
        return ((1 - self.decay) / (1 - self.decay ** (t - self.start + 1.0)),)

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the same parameter, and its new average."""
        (part,) = coefficients
        (average,) = state
        return theta, (average + part * (theta - average),)
