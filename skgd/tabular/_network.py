"""The network for a table: its stages, its initial parameters, its rows."""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from skgd.activations import Parametric
from skgd.engine.binding import no_rows
from skgd.engine.layout import Layout
from skgd.engine.stage import Stage
from skgd.neural_network._network import description
from skgd.neural_network._parameters import Parameters
from skgd.stages import (
    Bias,
    Dense,
    Dropout,
    Embedding,
    Lookup,
    Periodic,
    PiecewiseLinear,
)
from skgd.tabular._columns import n_bin_rows, n_values, of_kind

__all__ = ["DTYPE", "initial_parameters", "layout_of_table", "rows_of_table"]

DTYPE = np.dtype(np.float32)

# The size of the vector of an embedded category.
EMBEDDING_SIZE = 8


def layout_of_table(
    columns, n_dense, hidden, activations, n_outputs, dropout=0.0, waves=()
):
    """Lay out a network: input groups of the columns, then hidden layers.

    Parameters
    ----------
    columns : list of dict
        See :func:`skgd.tabular._columns.learn_columns`.

    n_dense : int
        The number of columns of ``Table.X``.

    hidden : sequence of int
        The numbers of units of the hidden layers, at least one layer.

    activations : sequence of Activation or Parametric
        One for each hidden layer.

    n_outputs : int
        The number of outputs.

    dropout : float, default=0.0
        The rate after each hidden layer; 0 for predictions.

    waves : tuple of (int, int), default=()
        The numbers of frequencies and outputs of a periodic embedding, if there is one.

    Returns
    -------
    Layout
        The same object for the same network, so that it can be a key of caches.
    """
    values = (n_values(columns, kind) for kind in ("one_hot", "embedding"))
    sizes = n_dense, *map(tuple, (n_bin_rows(columns), *values))
    described = tuple(map(description, activations))
    n_numbers = len(of_kind(columns, "number"))
    periodic = (n_dense, n_numbers, *waves) if waves and n_numbers else ()
    return _layout_of(sizes, tuple(hidden), described, n_outputs, dropout, periodic)


@lru_cache(maxsize=32)
def _layout_of(sizes, hidden, described, n_outputs, dropout, periodic):
    n_dense, n_bins, one_hot, embedded = sizes
    first, n_codes = hidden[0], len(one_hot) + len(embedded)
    stages: list[Stage] = [Periodic(*periodic)] if periodic else []
    n_dense = stages[0].outputs if periodic else n_dense
    stages.append(Dense(n_dense, first) if n_dense else Bias(first))
    if n_bins:
        stages.append(PiecewiseLinear(n_bins, first))
    if one_hot:
        stages.append(Lookup(one_hot, (0, n_codes), first))
    if embedded:
        place = len(one_hot), n_codes
        stages.append(Embedding(embedded, EMBEDDING_SIZE, place, first))
    for index, (units, following) in enumerate(pairwise((*hidden, n_outputs))):
        stage, activation, *arguments = described[index]
        stages.append(stage(units, activation(*arguments)))
        if dropout:
            stages.append(Dropout(units, dropout, index))
        stages.append(Dense(units, following))
    return Layout(stages)


def initial_parameters(layout, n_columns, plugins, random_state):
    """Draw the initial parameters of a network for a table.

    Weights are normal with variance 1 / inputs, and biases are uniform. The weights of bins
    and those of the last layer are zero: a network starts with constant predictions, and
    its first layer is linear in each column.

    Parameters
    ----------
    layout : Layout
        The layout of the network.

    n_columns : int
        The number of columns that the first layer reads.

    plugins : Plugins
        Has the activations of the hidden layers, and the embedding.

    random_state : RandomState
        The generator.

    Returns
    -------
    parameters : Parameters
    """
    theta = np.zeros(layout.n_params, DTYPE)
    mixed = iter([a.initial for a in plugins.activations if isinstance(a, Parametric)])
    first, n_before = layout.stages[0], 0
    if isinstance(first, Periodic):
        n_before, n_columns = 1, n_columns + first.outputs - first.inputs
    for index, begin, block in layout.blocks:
        stage = layout.stages[index]
        is_first = index == n_before or stage.is_group
        if isinstance(stage, PiecewiseLinear) or index == len(layout.stages) - 1:
            continue
        scale = 1 / np.sqrt(max(1, n_columns) if is_first else stage.inputs)
        view = theta[begin : begin + block.size]
        if block.kind == "activation":
            view[:] = next(mixed)
        elif block.kind == "periodic":
            view[:] = plugins.embedding.initial(block.shape[0], random_state).ravel()
        elif block.kind == "bias":
            view[:] = random_state.uniform(-scale, scale, block.size)
        else:
            deviation = 1.0 if block.kind == "embedding" else scale
            view[:] = deviation * random_state.standard_normal(block.size)
    return Parameters(theta, np.empty(0), np.zeros(layout.stages[0].inputs, DTYPE))


def rows_of_table(table, y=None, weight=None):
    """Describe encoded rows for the kernels, without a copy.

    Parameters
    ----------
    table : Table
        The encoded rows.

    y : ndarray of shape (n_samples, n_targets), default=None
        Encoded targets.

    weight : ndarray of shape (n_samples,), default=None
        Sample weights.

    Returns
    -------
    Rows
    """
    fields = {name: array.reshape(-1) for name, array in table._asdict().items()}
    if y is not None:
        fields["y"] = y
    if weight is not None:
        fields["weight"] = weight
    for name, array in fields.items():
        fields[name] = array.view()
        fields[name].flags.writeable = False
    return no_rows(DTYPE)._replace(**fields)
