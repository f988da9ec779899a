r"""Combinations of cosines of a number, with learned frequencies.

.. math:: W_2 \cos(2 \pi w_1 x + b_1) + b_2

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine import NumericEmbedding

__all__ = ["Periodic"]


class Periodic(NumericEmbedding):
    """Combinations of cosines of each number, with learned frequencies.

    The network reads them in addition to the number. Their parameters are of the kind
    'periodic', whose learning rate is by default 0.1 times that of the others.

    Parameters
    ----------
    n_frequencies : int, default=16
        The number of cosines of each column.

    n_outputs : int, default=3
        The number of combinations of these cosines.

    sigma : float, default=0.1
        The standard deviation of the initial frequencies.

    Examples
    --------
    >>> from skgd import MLPRegressor
    >>> from skgd.embeddings import Periodic
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
    >>> model = MLPRegressor(
    ...     hidden_layer_sizes=(5,), numeric_embedding=Periodic(), tol=10
    ... ).fit(X, y)
    >>> [array.shape for array in model.stages_["periodic"]], model.coefs_[0].shape
    ([(1, 16), (1, 16), (1, 3, 16), (1, 3)], (4, 5))
    """

    name = "periodic"
    rate_factors = {"periodic": 0.1}
    _parameter_constraints: dict = {
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "n_outputs": [Interval(Integral, 1, None, closed="left")],
        "sigma": [Interval(Real, 0, np.inf, closed="neither")],
    }

    def __init__(self, n_frequencies=16, n_outputs=3, sigma=0.1) -> None:
        self.n_frequencies = n_frequencies
        self.n_outputs = n_outputs
        self.sigma = sigma

    @property
    def waves(self):
        """Return the numbers of frequencies and outputs."""
        return self.n_frequencies, self.n_outputs

    def initial(self, n_columns, random_state):
        """Draw the parameters, with a row for each column: w1, b1, W2, b2."""
        n, bound = self.n_frequencies, 1 / np.sqrt(self.n_frequencies)
        return np.hstack(
            [
                self.sigma * random_state.standard_normal((n_columns, n)),
                random_state.uniform(-np.pi, np.pi, (n_columns, n)),
                random_state.uniform(-bound, bound, (n_columns, self.n_outputs * (n + 1))),
            ]
        )
