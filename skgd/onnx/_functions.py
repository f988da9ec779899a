"""Write activations and links as nodes."""

import numpy as np

from skgd.activations import (
    ELU,
    GELU,
    SELU,
    HardTanh,
    Identity,
    LeakyReLU,
    Logistic,
    Mish,
    ReLU,
    SiLU,
    Softplus,
    Tanh,
)
from skgd.engine import Activation
from skgd.losses import LOSSES

__all__ = ["register", "write_function"]


def _softplus(g, z):
    return g.Add(g.Max(z, 0.0), g.Log(g.Add(g.Exp(g.Neg(g.Abs(z))), 1.0)))


def _leaky_relu(g, z, alpha):
    return g.Add(g.Max(z, 0.0), g.Mul(g.Min(z, 0.0), alpha))


def _elu(g, z, alpha):
    return g.Add(g.Max(z, 0.0), g.Mul(g.Sub(g.Exp(g.Min(z, 0.0)), 1.0), alpha))


def _gelu(g, z):
    # onnxruntime has Erf in float32 only.
    erf = g.Erf(g.cast(g.Mul(z, 0.5**0.5), np.float32))
    return g.Mul(g.Mul(z, 0.5), g.Add(g.cast(erf, g.dtype), 1.0))


ACTIVATIONS = {
    Identity: lambda g, z: z,
    Logistic: lambda g, z: g.Sigmoid(z),
    Tanh: lambda g, z: g.Tanh(z),
    ReLU: lambda g, z: g.Max(z, 0.0),
    LeakyReLU: _leaky_relu,
    ELU: _elu,
    SELU: lambda g, z: g.Mul(_elu(g, z, 1.6732632423543772), 1.0507009873554805),
    GELU: _gelu,
    SiLU: lambda g, z: g.Mul(z, g.Sigmoid(z)),
    Mish: lambda g, z: g.Mul(z, g.Tanh(_softplus(g, z))),
    Softplus: _softplus,
    HardTanh: lambda g, z: g.Max(g.Min(z, 1.0), -1.0),
}


def _quantiles(g, z, *levels):
    is_first = np.arange(len(levels)) == 0
    ones = np.triu(np.ones((len(levels), len(levels)), g.dtype))
    return g.MatMul(g.Where(is_first, z, _softplus(g, z)), ones)


# Writers by the name of the link. They need only the number of the loss's arguments.
LINKS = {
    "identity": lambda g, z, *arguments: z,
    "exp": lambda g, z, *arguments: g.Exp(z),
    "logistic": lambda g, z, *arguments: g.Sigmoid(z),
    "softmax": lambda g, z, *arguments: g.Softmax(z, axis=-1),
    "quantiles": _quantiles,
}

# Writers by the functions that the nodes replace: a subclass with other functions needs
# other nodes.
_WRITERS: dict = {}


def _functions_of(plugin):
    if issubclass(plugin, Activation):
        return (plugin.value,)
    return plugin.link, plugin.apply_link


def register(plugin, function) -> None:
    """Define how an activation, or the link of a loss, is written in ONNX.

    Parameters
    ----------
    plugin : type
        A subclass of :class:`skgd.activations.Activation` or :class:`skgd.losses.Loss`.

    function : callable
        Called as ``function(g, z, *arguments)`` with the name of the linear input (for a
        link, the linear output) and the arguments of the plug-in's constructor. It returns
        the name of the result. ``g.Add(z, 1.0)`` adds a node of the type Add and returns
        the name of its output; the same works for all types of ONNX. Positional arguments
        are inputs: names or numbers. Keyword arguments are attributes of the node.

    Examples
    --------
    >>> from skgd.activations import Activation
    >>> from skgd.onnx import register
    >>> class Square(Activation):
    ...     slope_of = "input"
    ...
    ...     @staticmethod
    ...     def value(z):
    ...         return z * z
    ...
    ...     @staticmethod
    ...     def slope(z):
    ...         return 2.0 * z
    >>> register(Square, lambda g, z: g.Mul(z, z))
    """
    _WRITERS[_functions_of(plugin)] = function


def write_function(g, z, plugin):
    """Write an activation or the link of a loss, and return the name of the result."""
    kind = type(plugin)
    try:
        function = _WRITERS[_functions_of(kind)]
    except KeyError:
        what = "activation" if isinstance(plugin, Activation) else "link"
        raise NotImplementedError(
            f"skgd cannot write the {what} of {kind.__name__} in ONNX. Say how before the "
            f"export: skgd.onnx.register({kind.__name__}, function), where function(g, z, "
            "*arguments) returns, for example, g.Tanh(z)."
        ) from None
    return function(g, z, *plugin.numbers().tolist())


for _activation, _function in ACTIVATIONS.items():
    register(_activation, _function)
for (_, _link), _loss in LOSSES.items():
    register(_loss, LINKS[_link])
