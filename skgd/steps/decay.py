r"""Decoupled weight decay.

.. math:: \theta \leftarrow \theta - \eta \lambda \theta

As in AdamW, the step comes before the solver's: both start from the same parameters.

References
----------
I. Loshchilov, F. Hutter (2019). "Decoupled weight decay regularization." ICLR,
arXiv:1711.05101.
"""

from skgd.engine import Step

__all__ = ["Decay"]


class Decay(Step):
    """Shrinks the weights by a part of them.

    Parameters
    ----------
    strength : float
        The part of the weights that is subtracted with a learning rate of 1.
    """

    kinds = ("weights",)

    def __init__(self, strength):
        self.strength = strength

    def coefficients(self, rate, t):
        """Return the part of the weights that an update subtracts."""
        return (rate * self.strength,)

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new weight."""
        (part,) = coefficients
        return theta - part * theta, state
