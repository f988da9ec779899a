r"""The pinball loss, for one or several quantiles.

.. math::

    \ell(z, y) = \sum_j \max\left( q_j (y - p_j),\ (q_j - 1) (y - p_j) \right)

The conditional quantiles of the levels :math:`q_j` minimize it. For one level, the
prediction is :math:`p = z`. For several levels, the predictions are

.. math:: p_1 = z_1, \qquad p_j = p_{j-1} + \log(1 + e^{z_j})

so that they never cross.

References
----------
R. Koenker, G. Bassett (1978). "Regression quantiles." Econometrica 46, 33-50.
"""

from numbers import Real

import numpy as np
from sklearn.metrics import d2_pinball_score
from sklearn.utils._param_validation import Interval

from skgd.engine import Loss, exp, log1p, logistic

__all__ = ["Quantile", "Quantiles"]


class Quantile(Loss):
    """The pinball loss, for quantiles of a single target.

    Parameters
    ----------
    quantile : float or array-like of float, default=0.5
        The level, above 0 and below 1. Several levels, in increasing order, are predicted
        together, with a column for each. Their predictions never cross.

    Examples
    --------
    >>> from skgd.losses import Quantile
    >>> Quantile.value(0.0, 2.0, quantile=0.75)
    1.5
    """

    name = "quantile"
    one_target = True
    _parameter_constraints = {
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"]
    }

    def __init__(self, quantile=0.5) -> None:
        self.quantile = quantile

    @staticmethod
    def value(z, y, quantile):
        """Return the pinball loss of z."""
        e = z - y
        return (1.0 - quantile) * e if e > 0.0 else -quantile * e

    @staticmethod
    def slope(z, y, quantile):
        """Return the derivative of the pinball loss."""
        e = z - y
        # In the last case, e is 0 or NaN.
        return 1.0 - quantile if e > 0.0 else (-quantile if e < 0.0 else e)

    def resolved(self) -> Loss:
        """Return the loss itself, or ``Quantiles`` for several levels."""
        if isinstance(self.quantile, Real):
            return self
        levels = np.asarray(self.quantile)
        if (
            levels.ndim != 1
            or levels.dtype.kind not in "iuf"
            or not levels.size
            or not (np.diff([0, *levels, 1]) > 0).all()
        ):
            raise ValueError(
                "The 'quantile' parameter of Quantile must be a number, or a list of "
                "numbers in increasing order, above 0 and below 1. Got "
                f"{self.quantile!r} instead."
            )
        return Quantiles(self.quantile)

    def score(self, y, predicted, sample_weight) -> float:
        """Return the mean D² pinball score of the levels."""
        columns = predicted.reshape(len(predicted), -1).T
        scores = [
            d2_pinball_score(y, column, sample_weight=sample_weight, alpha=level)
            for level, column in zip(self.numbers().tolist(), columns, strict=True)
        ]
        return float(np.mean(scores))


class Quantiles(Quantile):
    """The sum of the pinball losses of several levels.

    Parameters
    ----------
    quantile : array-like of float, default=(0.1, 0.5, 0.9)
        The levels.

    Examples
    --------
    >>> from skgd.losses import Quantiles
    >>> Quantiles().outputs_per_target
    3
    """

    out_activation = "quantiles"
    takes_array = True

    def __init__(self, quantile=(0.1, 0.5, 0.9)) -> None:
        self.quantile = quantile

    @property
    def outputs_per_target(self) -> int:  # type: ignore[override]
        """The number of levels."""
        return len(self.quantile)

    @staticmethod
    def evaluate(z, y, weight, scale, delta, levels):
        """Return the weighted sum of the rows' losses, and write their slopes."""
        total = 0.0
        for i in range(z.shape[0]):
            w, row, prediction = scale * weight[i], 0.0, 0.0
            for k in range(z.shape[1]):
                x = float(z[i, k])
                if k == 0:
                    prediction = x
                else:
                    prediction += max(x, 0.0) + log1p(exp(-abs(x)))
                e = prediction - y[i, 0]
                slope = 1.0 - levels[k] if e > 0.0 else (-levels[k] if e < 0.0 else e)
                row += slope * e
                delta[i, k] = w * slope
            # An output acts on its own quantile and on all higher ones.
            for k in range(z.shape[1] - 1, 0, -1):
                delta[i, k - 1] += delta[i, k]
                delta[i, k] *= logistic(z[i, k])
            total += weight[i] * row
        return total

    @staticmethod
    def apply_link(z, levels):
        """Replace the outputs of each row by its quantiles, the sums of the increments."""
        for i in range(z.shape[0]):
            for k in range(1, z.shape[1]):
                x = z[i, k]
                z[i, k] = z[i, k - 1] + max(x, 0) + log1p(exp(-abs(x)))
