"""Write the inputs of a model, and the columns of tables, as nodes."""

from bisect import bisect_right
from itertools import accumulate, groupby

import numpy as np
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

from skgd.onnx._graph import Graph
from skgd.stages import Dense, Embedding, Lookup, PiecewiseLinear
from skgd.tabular._columns import of_kind

__all__ = ["Inputs", "components", "encode", "smooth_clip"]


class Inputs:
    """The inputs of a model: one for all columns, one for each column, or a mix.

    Parameters
    ----------
    g : Graph
        The graph.

    operator : skl2onnx Operator
        The operator that is converted.
    """

    def __init__(self, g: Graph, operator) -> None:
        self._g, self._variables = g, operator.inputs
        widths = [variable.get_second_dimension() for variable in operator.inputs]
        known = [width for width in widths if isinstance(width, int)]
        model = operator.raw_operator
        expected = model.n_features_in_
        if sum(known) != expected if known == widths else len(widths) > 1:
            shapes = [variable.type.shape for variable in operator.inputs]
            raise ValueError(
                f"{type(model).__name__} was fitted to {expected} columns, but the export "
                f"has inputs of the shapes {shapes}. Give it rows with the columns of "
                "training."
            )
        self._starts = list(accumulate(known or [expected], initial=0))

    def numbers(self, indices, dtype):
        """Return some columns side by side, in a dtype."""
        return self._joined(indices, lambda x: self._g.cast(x, dtype))

    def column(self, index):
        """Return a column, and the dtype of its numbers or None for strings."""
        kind = self._type_of(index)
        if isinstance(kind, StringTensorType):
            return self._joined([index]), None
        is_single = isinstance(kind, FloatTensorType)
        column = self.numbers([index], np.float64)
        return column, np.float32 if is_single else np.float64

    def check_numbers(self, columns):
        """Raise if one of some columns of numbers has strings."""
        for c in columns:
            if isinstance(self._type_of(c["index"]), StringTensorType):
                raise TypeError(
                    f"column {c['name']!r} has numbers, but the export has strings as its "
                    "input. Give it numbers."
                )

    def _type_of(self, index):
        return self._variables[self._place(index)].type

    def _place(self, index):
        return bisect_right(self._starts, index) - 1

    def _joined(self, indices, convert=lambda x: x):
        g, parts = self._g, []
        for place, group in groupby(indices, self._place):
            name, first = self._variables[place].full_name, self._starts[place]
            local = [index - first for index in group]
            if local != list(range(self._starts[place + 1] - first)):
                name = g.Gather(name, np.array(local), axis=1)
            parts.append(convert(name))
        return parts[0] if len(parts) == 1 else g.Concat(*parts, axis=1)


def smooth_clip(g, x, center, scale, clip):
    """Write :func:`skgd.preprocessing._robust.smooth_clip`."""
    # Beyond this, z / c is so large that the result is the bound, but its square overflows.
    far = min(1e100 * clip, np.finfo(np.float64).max)
    z = g.Clip(g.Div(g.Sub(x, center), scale), -far, far)
    t = g.Div(z, clip)
    z = g.Div(z, g.Sqrt(g.Add(g.Mul(t, t), 1.0)))
    # Rounding may exceed the bound.
    return g.Clip(z, -clip, clip)


def encode(g, inputs, columns):
    """Write :func:`skgd.tabular._columns.encode`, in double precision until the bins.

    Parameters
    ----------
    g : Graph
        The graph, of float64.

    inputs : Inputs
        The table.

    columns : list of dict
        The learned columns of the estimator.

    Returns
    -------
    dict
        The name of the input of each stage, by the class of the stage.
    """
    numbers = of_kind(columns, "number")
    found: dict[type, str] = {}
    read = [*numbers, *of_kind(columns, "missing")]
    dense = []
    if read:
        z, missing = _scaled(g, inputs, read)
        single = g.cast(z, np.float32)
        if numbers:
            n = np.arange(len(numbers))
            dense.append(g.Gather(single, n, axis=1) if len(n) < len(read) else single)
        indicators = [j for j, c in enumerate(read) if c["missing"]]
        if indicators:
            dense.append(
                g.cast(g.Gather(missing, np.array(indicators), axis=1), np.float32)
            )
        edges = [c["edges"] for c in numbers if c["edges"] is not None]
        if edges:
            found[PiecewiseLinear] = g.cast(components(g, z, edges), np.float32)
    for c in of_kind(columns, "binary"):
        signs = [-1, 1] if len(c["values"]) == 2 else [1]
        dense.append(g.cast(_codes(g, inputs, c, signs), np.float32))
    if dense:
        found[Dense] = g.Concat(*dense, axis=1)
    one_hot, embedded = of_kind(columns, "one_hot"), of_kind(columns, "embedding")
    if one_hot:
        hot = []
        for c in one_hot:
            codes = np.arange(1, len(c["values"]) + 1)
            hot.append(g.Equal(_codes(g, inputs, c, codes), codes[np.newaxis]))
        found[Lookup] = g.cast(g.Concat(*hot, axis=1), np.float32)
    if embedded:
        rows, first = [], 1
        for c in embedded:
            last = first + len(c["values"])
            rows.append(_codes(g, inputs, c, np.arange(first, last)))
            first = last
        found[Embedding] = g.Concat(*rows, axis=1)
    return found


def _scaled(g, inputs, columns):
    """Write scaled numbers, 0 if they are missing, and whether each is missing."""
    inputs.check_numbers(columns)
    x = inputs.numbers([c["index"] for c in columns], np.float64)
    missing = g.IsNaN(x)
    center, scale = np.array([[c["center"], c["scale"]] for c in columns]).T
    z = smooth_clip(g, x, center, scale, 3.0)
    return g.Where(missing, 0.0, z), missing


def components(g, z, edges):
    """Write the components of columns of float64 in bins, by the edges of each column."""
    sizes = [len(e) - 1 for e in edges]
    lower = np.concatenate([e[:-1] for e in edges])
    width = np.concatenate([np.diff(e) for e in edges])
    bounds = np.zeros((2, lower.size))
    bounds[1] = 1
    # The first bin of a column is not clamped below, the last not above.
    ends = np.cumsum(sizes)
    bounds[0, ends - sizes], bounds[1, ends - 1] = -np.inf, np.inf
    column = np.repeat(np.arange(len(edges)), sizes)
    fractions = g.Div(g.Sub(g.Gather(z, column, axis=1), lower), width)
    return g.Min(g.Max(fractions, bounds[0]), bounds[1])


def _codes(g, inputs, column, codes):
    """Write the code of each category, 0 for others and for missing ones."""
    x, dtype = inputs.column(column["index"])
    codes, values = np.asarray(codes), column["values"]
    if dtype is None:
        return g.LabelEncoder(
            x,
            domain="ai.onnx.ml",
            version=2,
            keys_strings=[str(value) for value in values],
            values_int64s=codes.tolist(),
            default_int64=0,
        )
    numbers = [value for value in values if not isinstance(value, str)]
    if not numbers:
        raise TypeError(
            f"column {column['name']!r} has categories such as {values[0]!r}, but the "
            "export has numbers as its input. Give it strings."
        )
    # Numbers come before strings. They are rounded as the input is.
    keys = np.array(numbers, dtype).astype(np.float64)
    is_whole = bool((keys % 1 == 0).all())
    kind = np.dtype(np.int64 if is_whole else np.float32)
    place = g.LabelEncoder(
        g.cast(x, kind),
        domain="ai.onnx.ml",
        version=2,
        values_int64s=list(range(1, len(keys) + 1)),
        default_int64=0,
        **{"keys_int64s" if is_whole else "keys_floats": keys.astype(kind).tolist()},
    )
    # LabelEncoder does not look up float64: check that it has found the number itself.
    is_exact = g.Equal(g.Gather(np.append(np.nan, keys), place, axis=0), x)
    found = g.Gather(np.append(0, codes[: len(keys)]), place, axis=0)
    return g.Where(is_exact, found, np.array(0))
