r"""Normal initial weights with a fixed standard deviation.

.. math:: w \sim N(0, s^2)
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine.plugins import Initializer

__all__ = ["Normal"]


class Normal(Initializer):
    """Normal weights, whose deviation does not depend on the size of the layer.

    Parameters
    ----------
    scale : float, default=0.05
        The standard deviation.

    Examples
    --------
    >>> from skgd.initializers import Normal
    >>> Normal(scale=0.1)
    Normal(scale=0.1)
    """

    name = "normal"
    _parameter_constraints: dict = {"scale": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, scale=0.05) -> None:
        self.scale = scale

    def __call__(self, shape, rng):
        """Return normal numbers."""
        return rng.normal(0.0, self.scale, shape)
