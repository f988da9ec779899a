r"""Piecewise-linear components of a number between quantiles of its column.

.. math:: c_t = \mathrm{clamp}\left( \frac{x - b_{t-1}}{b_t - b_{t-1}}, 0, 1 \right)

except that the first is not clamped below, and the last is not clamped above.

References
----------
Y. Gorishniy, I. Rubachev, A. Babenko (2022). "On embeddings for numerical features in
tabular deep learning." NeurIPS, arXiv:2203.05556.
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval

from skgd.engine import NumericEmbedding

__all__ = ["PiecewiseLinear"]


class PiecewiseLinear(NumericEmbedding):
    """Piecewise-linear functions of each number, between quantiles of its column.

    The network reads them in addition to the number. Each bin between two quantiles has its
    own weights, which are of the kind 'embedding' and start at 0.

    Parameters
    ----------
    n_bins : int, default=48
        The most bins of a column. Equal quantiles count once. All columns together may have
        at most 65,535 bins.

    Examples
    --------
    >>> import numpy as np
    >>> from skgd import MLPRegressor
    >>> from skgd.embeddings import PiecewiseLinear
    >>> X = np.linspace(-1, 1, 41).reshape(-1, 1)
    >>> embedding = PiecewiseLinear(n_bins=4)
    >>> model = MLPRegressor(numeric_embedding=embedding, tol=10).fit(X, X[:, 0])
    >>> model.stages_["edges"][0].round(1).tolist()
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """

    name = "piecewise_linear"
    _parameter_constraints: dict = {"n_bins": [Interval(Integral, 1, 65535, closed="both")]}

    def __init__(self, n_bins=48) -> None:
        self.n_bins = n_bins
