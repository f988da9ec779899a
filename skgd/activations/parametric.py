r"""A mixture of an activation and the identity, whose weight each unit learns.

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
    """A mixture a f(z) + (1 - a) z of an activation and the identity.

    Each unit learns its weight a. The weights are parameters of the kind 'activation'. The
    fitted weights are in ``stages_["activation"]``.

    Parameters
    ----------
    activation : str or Activation
        The activation f.

    initial : float, default=1.0
        The initial weight a of each unit. With 1, a unit begins as f; with 0, as the
        identity.

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
        """The gain of the activation, which must be an object."""
        return self.activation.gain
