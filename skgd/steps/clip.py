r"""Clipping of the gradient to a norm.

.. math:: g \leftarrow g \cdot \min \left( 1, \frac{c}{\lVert g \rVert} \right)

References
----------
R. Pascanu, T. Mikolov, Y. Bengio (2013). "On the difficulty of training recurrent neural
networks." ICML, arXiv:1211.5063.
"""

from skgd.engine import Step

__all__ = ["Clip"]


class Clip(Step):
    """Shortens the gradient of all parameters if its norm is too large.

    The gradient includes the penalty.

    Parameters
    ----------
    most : float
        The largest norm.
    """

    acts_on = "gradient"
    needs_norm = True

    def __init__(self, most):
        self.most = most

    def coefficients(self, rate, t):
        """Return the largest norm."""
        return (self.most,)

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new gradient."""
        most, norm = coefficients
        return g * (most / max(norm, most)), state
