"""The activation of a hidden layer."""

from functools import cache

from skgd.compile.jit import jit, jit_named, scalar
from skgd.engine.loops import first, reader, second
from skgd.engine.stage import Stage

__all__ = ["SLOPE_ARGUMENTS", "Activate", "activation_loops"]


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
        # In place, only the value is left to compute the slope from.
        self.is_in_place = activation.slope_of == "value"
        self.numbers = tuple(activation.numbers())

    @property
    def key(self):
        """Return the key that stages with the same kernels share."""
        return type(self), type(self.activation)

    def kernels(self, dtype):
        """Return the kernels: loops over the functions of the activation."""
        return activation_loops(type(self.activation), dtype)  # type: ignore[arg-type]


@cache
def activation_loops(activation, dtype):
    """Return the kernels of the stage of an activation: forward, backward, gradient.

    ``activation`` is a subclass of Activation. For the kernels, see
    :class:`skgd.engine.stage.Stage`.
    """
    value, slope = scalar(activation.value, dtype), scalar(activation.slope, dtype)
    read = reader(activation)

    # If the slope is a function of the value, the stage works in place.
    source = second if activation.slope_of == "value" else first
    slope_arguments = SLOPE_ARGUMENTS[activation.slope_of]

    def forward(stage, step, inputs, parameters, outputs, work):
        numbers, x = read(work.numbers, outputs), source(inputs, outputs)
        for i in range(outputs.shape[0]):
            outputs[i] = value(x[i], *numbers)

    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        numbers, z = read(work.numbers, outputs), source(inputs, outputs)
        for i in range(outputs.shape[0]):
            delta[i] *= slope(*slope_arguments(z[i], outputs[i]), *numbers)

    def gradient(stage, step, inputs, parameters, delta, out, work):
        """There are no parameters."""

    parts = activation.slope_of, len(activation.argument_names())
    return (
        jit_named("activate", forward, activation.value, *parts),
        jit_named("differentiate", backward, activation.slope, *parts),
        jit_named("no_gradient", gradient),
    )


@jit
def _input(z, value):
    return (z,)


@jit
def _value(z, value):
    return (value,)


@jit
def _both(z, value):
    return z, value


# By `slope_of`: returns the first arguments of a slope, from the input and the value.
SLOPE_ARGUMENTS = {"input": _input, "value": _value, "both": _both}
