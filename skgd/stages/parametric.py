r"""The parametric activation of a hidden layer.

.. math:: y = a f(z) + (1 - a) z

with a weight :math:`a` for each unit.
"""

from functools import cache

from skgd.compile.jit import jit_named, scalar
from skgd.engine.loops import reader
from skgd.engine.stage import Block
from skgd.kernels.views import vector
from skgd.stages.activate import SLOPE_ARGUMENTS, Activate

__all__ = ["ParametricActivate"]


class ParametricActivate(Activate):
    """Mixes an activation with the identity, by a weight for each unit.

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
        # The gradient with respect to the weights needs the inputs.
        self.is_in_place = False
        self.blocks = (Block("activation", (units,)),)

    def kernels(self, dtype):
        """Return the kernels: loops over the functions of the activation."""
        return _loops(type(self.activation), dtype)  # type: ignore[arg-type]


@cache
def _loops(activation, dtype):
    """Return the kernels of a parametric activation: forward, backward, gradient.

    ``activation`` is a subclass of Activation.
    """
    value, slope = scalar(activation.value, dtype), scalar(activation.slope, dtype)
    read = reader(activation)
    slope_arguments = SLOPE_ARGUMENTS[activation.slope_of]

    def forward(stage, step, inputs, parameters, outputs, work):
        numbers, units = read(work.numbers, outputs), stage.outputs
        for start in range(0, outputs.shape[0], units):
            z, out = vector(inputs, start, units), vector(outputs, start, units)
            for j in range(units):
                a = parameters[j]
                out[j] = a * value(z[j], *numbers) + (1 - a) * z[j]

    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        numbers, units = read(work.numbers, outputs), stage.outputs
        for start in range(0, outputs.shape[0], units):
            z, by_out = vector(inputs, start, units), vector(delta, start, units)
            by_z = vector(input_delta, start, units)
            for j in range(units):
                a, known = parameters[j], slope_arguments(z[j], value(z[j], *numbers))
                by_z[j] = by_out[j] * (a * slope(*known, *numbers) + (1 - a))

    def gradient(stage, step, inputs, parameters, delta, out, work):
        numbers, units = read(work.numbers, out), stage.outputs
        out[:] = 0
        for start in range(0, delta.shape[0], units):
            z, by_out = vector(inputs, start, units), vector(delta, start, units)
            for j in range(units):
                out[j] += by_out[j] * (value(z[j], *numbers) - z[j])

    parts = activation.slope_of, len(activation.argument_names())
    return (
        jit_named("mix", forward, activation.value, *parts),
        jit_named(
            "differentiate_mix", backward, activation.value, activation.slope, *parts
        ),
        jit_named("gradient_of_mix", gradient, activation.value, *parts),
    )
