r"""Orthogonal initial weights.

.. math:: W = g Q, \qquad Q^T Q = I \text{ or } Q Q^T = I

Q is uniformly distributed over all such matrices. It is the orthogonal factor of a matrix
of normal numbers, with signs that make the diagonal of the triangular factor positive.

References
----------
A. M. Saxe, J. L. McClelland, S. Ganguli (2014). "Exact solutions to the nonlinear dynamics
of learning in deep linear neural networks." ICLR, arXiv:1312.6120.
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine.plugins import Initializer

__all__ = ["Orthogonal"]


class Orthogonal(Initializer):
    """Weights with orthogonal columns of equal length, or rows if there are fewer rows.

    Parameters
    ----------
    gain : float, default=1.0
        The length of the columns or rows.

    Examples
    --------
    >>> from skgd.initializers import Orthogonal
    >>> Orthogonal(gain=1.4)
    Orthogonal(gain=1.4)
    """

    name = "orthogonal"
    _parameter_constraints: dict = {"gain": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, gain=1.0) -> None:
        self.gain = gain

    def __call__(self, shape, rng):
        """Return an orthogonal matrix times the gain."""
        q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
        q = self.gain * q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return q if shape[0] >= shape[1] else q.T
