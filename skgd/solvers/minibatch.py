r"""Mini-batch gradient descent.

.. math:: \theta \leftarrow \theta - \eta g

References
----------
H. Robbins, S. Monro (1951). "A stochastic approximation method."
The Annals of Mathematical Statistics 22(3).
"""

from skgd.engine import Solver

__all__ = ["Minibatch"]


class Minibatch(Solver):
    """Plain gradient descent on mini-batches.

    Examples
    --------
    >>> from skgd.solvers import Minibatch
    >>> Minibatch()
    Minibatch()
    """

    name = "minibatch"

    @staticmethod
    def update(theta, g, state, coefficients):
        """Return the new parameter, without a state."""
        (eta,) = coefficients
        return theta - eta * g, state

    @staticmethod
    def step_size(state, coefficients):
        """Return the learning rate."""
        return coefficients[0]
