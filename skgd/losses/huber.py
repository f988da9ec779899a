r"""Huber's loss, summed over the outputs.

.. math::

    \ell(z, y) = \sum_k h(z_k - y_k), \qquad
    h(e) = \begin{cases}
        \tfrac12 e^2 & |e| \le \delta \\
        \delta \left( |e| - \tfrac12 \delta \right) & |e| > \delta
    \end{cases}

References
----------
P. J. Huber (1964). "Robust estimation of a location parameter." Annals of Mathematical
Statistics 35, 73-101.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine import Loss

__all__ = ["Huber"]


class Huber(Loss):
    """Half the squared error near the target, linear far from it.

    Parameters
    ----------
    delta : float, default=1.0
        The loss is linear for errors larger than this, in units of the target.

    Examples
    --------
    >>> from skgd.losses import Huber
    >>> Huber.value(3.0, 0.0, delta=1.0)
    2.5
    """

    name = "huber"
    _parameter_constraints = {"delta": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, delta=1.0) -> None:
        self.delta = delta

    @staticmethod
    def value(z, y, delta):
        """Return the loss."""
        e = abs(z - y)
        return delta * (e - 0.5 * delta) if e > delta else 0.5 * (e * e)

    @staticmethod
    def slope(z, y, delta):
        """Return z - y, limited to between -delta and delta."""
        e = z - y
        return delta if e > delta else (-delta if e < -delta else e)
