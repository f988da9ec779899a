r"""Uniform initial weights in a fixed range.

.. math:: w \sim U(-s, s)
"""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skgd.engine.plugins import Initializer

__all__ = ["Uniform"]


class Uniform(Initializer):
    """Uniform weights, whose range does not depend on the size of the layer.

    Parameters
    ----------
    scale : float, default=0.05
        The weights are between -scale and scale.

    Examples
    --------
    >>> from skgd.initializers import Uniform
    >>> Uniform(scale=0.1)
    Uniform(scale=0.1)
    """

    name = "uniform"
    _parameter_constraints: dict = {"scale": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, scale=0.05) -> None:
        self.scale = scale

    def __call__(self, shape, rng):
        """Return uniform numbers."""
        return rng.uniform(-self.scale, self.scale, shape)
