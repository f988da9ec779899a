r"""An activation and the identity, mixed by a weight that each unit learns.

.. math:: f_a(z) = a f(z) + (1 - a) z

References
----------
D. Holzmüller, L. Grinsztajn, I. Steinwart (2024). "Better by default: strong pre-tuned MLPs
and boosted trees on tabular data." NeurIPS, arXiv:2407.04491.
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skgd.engine.plugins import Plugin

__all__ = ["Parametric"]


class Parametric(Plugin):
    """An activation and the identity, mixed by a weight that each unit learns.

    The weights are parameters of the kind 'activation'. The fitted ones are in
    ``stages_["activation"]``.

    Parameters
    ----------
    activation : str or Activation
        The function f.

    initial : float, default=1.0
        The weight a that units start from: with 1 it is f, with 0 the identity.

    Examples
    --------
    >>> from skgd import MLPRegressor
    >>> from skgd.activations import Parametric
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
    >>> model = MLPRegressor(
    ...     hidden_layer_sizes=(2,),
    ...     activation=Parametric("selu"),
    ...     solver="lbfgs",
    ...     random_state=0,
    ... ).fit(X, y)
    >>> [weights.shape for weights in model.stages_["activation"]]
    [(2,)]
    """

    _parameter_constraints: dict = {
        "initial": [Interval(Real, -np.inf, np.inf, closed="neither")]
    }

    def __init__(self, activation, initial=1.0) -> None:
        self.activation = activation
        self.initial = initial

    @property
    def gain(self):
        """The gain of the function, if it is an object."""
        return self.activation.gain
