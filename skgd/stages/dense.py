r"""The linear map of a layer.

.. math:: z = x W + b
"""

from skgd.engine import dense
from skgd.engine.stage import Block, Stage

__all__ = ["Dense"]


class Dense(Stage):
    """The linear map of a layer.

    Parameters
    ----------
    inputs, outputs : int
        The units of the layer before, and of this one.

    bias : bool, default=True
        Whether a bias is added.
    """

    is_dense = True

    def __init__(self, inputs, outputs, bias=True):
        super().__init__(inputs, outputs)
        self.blocks = (Block("weights", (inputs, outputs)),)
        if bias:
            self.blocks += (Block("bias", (outputs,)),)

    forward = staticmethod(dense.forward)
    backward = staticmethod(dense.backward)
    gradient = staticmethod(dense.gradient)
