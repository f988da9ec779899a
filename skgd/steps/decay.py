r"""Decoupled decay of the weights.

.. math:: \theta \leftarrow \theta - \eta \lambda \theta

It comes before the solver's own change, as in AdamW: both start from the same parameters.

References
----------
I. Loshchilov, F. Hutter (2019). "Decoupled weight decay regularization." ICLR,
arXiv:1711.05101.
"""

from skgd.engine import Step

__all__ = ["Decay"]


class Decay(Step):
    """Shrinks the weights.

    Parameters
    ----------
    strength : float
        What a learning rate of 1 would take away.
    """

    kinds = ("weights",)

    def __init__(self, strength):
        self.strength = strength

    def coefficients(self, rate, t):
        """Return the part that an update takes away."""
        return (rate * self.strength,)

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new weight."""
        (part,) = coefficients
        return theta - part * theta, state
