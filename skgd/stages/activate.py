"""The activation of a hidden layer."""

from skgd.engine.loops import activation_loops
from skgd.engine.stage import Stage

__all__ = ["Activate"]


class Activate(Stage):
    """Applies an activation to each unit.

    Parameters
    ----------
    units : int
        The units of the layer.

    activation : Activation
        The plug-in.
    """

    keeps_delta = False

    def __init__(self, units, activation):
        super().__init__(units, units)
        self.activation = activation
        # The slope must be a function of the value.
        self.is_in_place = activation.slope_of == "value"
        self.numbers = tuple(activation.numbers())

    @property
    def key(self):
        """Return the key that stages with the same kernels share."""
        return type(self), type(self.activation)

    def kernels(self, dtype):
        """Return loops over the functions of the activation."""
        return activation_loops(type(self.activation), dtype)  # type: ignore[arg-type]
