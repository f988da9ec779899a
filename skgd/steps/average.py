r"""A moving average of the parameters.

.. math::

    \bar \theta \leftarrow \bar \theta + \frac{1 - d}{1 - d^{k + 1}} (\theta - \bar \theta)

k counts the updates in the average. This is the moving average of decay d, divided by the
sum of its weights: it is not biased towards its start.

References
----------
B. T. Polyak, A. B. Juditsky (1992). "Acceleration of stochastic approximation by
averaging." SIAM Journal on Control and Optimization 30(4).
"""

from skgd.engine import Step

__all__ = ["Average"]


class Average(Step):
    """Averages the parameters, which stay as they are.

    Parameters
    ----------
    decay : float
        What the average keeps at each update.

    start : int, default=0
        The updates made before the first of the average.
    """

    n_slots = 1

    def __init__(self, decay, start=0):
        self.decay = decay
        self.start = start

    def coefficients(self, rate, t):
        """Return the part of the new parameters."""
        return ((1 - self.decay) / (1 - self.decay ** (t - self.start + 1.0)),)

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the parameter, and its new average."""
        (part,) = coefficients
        (average,) = state
        return theta, (average + part * (theta - average),)
