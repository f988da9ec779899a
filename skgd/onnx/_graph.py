"""Nodes of an ONNX graph, written one after the other."""

from functools import partial

import numpy as np
from onnx import TensorProto
from onnx.helper import np_dtype_to_tensor_dtype

__all__ = ["Graph"]


class Graph:
    """Adds nodes to the graph that skl2onnx converts a model to.

    ``g.Add(x, 1.0)`` adds a node of this type and returns the name of its output. Inputs
    are names, arrays, or numbers of the graph's ``dtype``. Keyword arguments are attributes
    of the node.

    Parameters
    ----------
    scope : skl2onnx Scope
        Creates unique names.

    container : skl2onnx ModelComponentContainer
        Receives the nodes.

    dtype : dtype, default=float64
        The dtype of numbers.
    """

    def __init__(self, scope, container, dtype=np.float64):
        self._scope, self._container = scope, container
        self.dtype = np.dtype(dtype)

    def __getattr__(self, op_type):
        if not op_type[0].isupper():
            raise AttributeError(op_type)
        return partial(self._add, op_type)

    def _add(self, op_type, *inputs, output=None, domain="", version=None, **attributes):
        names = [x if isinstance(x, str) else self._constant(x) for x in inputs]
        output = output or self._scope.get_unique_variable_name(op_type.lower())
        self._container.add_node(
            op_type, names, output, op_domain=domain, op_version=version, **attributes
        )
        return output

    def _constant(self, value):
        array = value if isinstance(value, np.ndarray) else np.asarray(value, self.dtype)
        name = self._scope.get_unique_variable_name("constant")
        kind, values = TensorProto.STRING, array.ravel()
        if array.dtype.kind in "OU":
            values = np.char.encode(values.astype(str), "utf-8")
        else:
            kind = np_dtype_to_tensor_dtype(array.dtype)
        self._container.add_initializer(name, kind, array.shape, values)
        return name

    def cast(self, x, dtype, output=None):
        """Return ``x`` in another dtype."""
        to = np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.Cast(x, to=to, output=output)
