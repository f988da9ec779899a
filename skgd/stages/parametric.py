r"""The parametric activation of a hidden layer.

.. math:: y = a f(z) + (1 - a) z

with a weight a for each unit.
"""

from skgd.engine.loops import parametric_loops
from skgd.engine.stage import Block
from skgd.stages.activate import Activate

__all__ = ["ParametricActivate"]


class ParametricActivate(Activate):
    """Applies an activation, mixed with the identity by a weight of each unit.

    Parameters
    ----------
    units : int
        The units of the layer.

    activation : Activation
        The plug-in.
    """

    keeps_delta = True

    def __init__(self, units, activation):
        super().__init__(units, activation)
        # The gradient is one of the inputs.
        self.is_in_place = False
        self.blocks = (Block("activation", (units,)),)

    def kernels(self, dtype):
        """Return loops over the functions of the activation."""
        return parametric_loops(type(self.activation), dtype)  # type: ignore[arg-type]
