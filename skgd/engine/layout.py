"""Where each layer lies in the flat buffers: depth and widths as data, not as types.

Layer ``l`` maps ``units[l]`` inputs to ``units[l + 1]`` outputs. In ``theta`` and in the
gradient it holds its weights, row by row, then the scale gamma if it is normalised, then
its bias (the shift beta where it is normalised): what the penalty acts on comes first, the
rest in one piece behind it.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np

__all__ = [
    "ACTIVATED",
    "BIAS",
    "COLUMNS",
    "END",
    "GAMMA",
    "INPUTS",
    "NORMAL",
    "NORMALISED",
    "OUTPUTS",
    "WEIGHTS",
    "Layout",
    "layout_of",
]

# The columns of the table, a row a layer. -1 stands for "there is none".
INPUTS = 0
OUTPUTS = 1
WEIGHTS = 2  # first parameter of the layer
GAMMA = 3  # of the batch normalisation's scale, or -1
BIAS = 4
END = 5  # first parameter behind the layer
NORMAL = 6  # number of normalised units in the layers before, or -1
ACTIVATED = 7  # of the activations, per row of a mini-batch, in the workspace
NORMALISED = 8  # of the normalised linear outputs, likewise, or -1
COLUMNS = 9

# Parameters whose gradient is computed before they are updated: 256 kB in float32, which
# stay in a second-level cache while the parameters and the solver's state stream past.
TILE = 65536


class Layout:
    """The table of a network, and the sizes that follow from it.

    Parameters
    ----------
    units : sequence of int
        Number of features, widths of the hidden layers, number of outputs.

    batch_normalization : bool, default=False
        Whether the hidden layers are normalised.

    sparse : bool, default=False
        Whether the inputs are sparse rows.

    Attributes
    ----------
    units, batch_normalization, sparse
        As given.

    table : ndarray of shape (n_layers, COLUMNS), dtype=int64
        What the kernels read.

    layers : ndarray of shape (2 * n_layers, 3), dtype=int64
        Of each layer the weights, from the first input to the last, and what follows them
        (0, 0).

    tile_room : int
        Parameters whose gradient is computed before they are updated.

    n_params, n_normal, n_activated : int
        Parameters, normalised units, and what is kept per row of a mini-batch.
    """

    def __init__(self, units, batch_normalization=False, sparse=False):
        self.units = tuple(int(n) for n in units)
        self.batch_normalization = batch_normalization
        self.sparse = sparse
        layers = list(pairwise(self.units))
        self.table = np.full((len(layers), COLUMNS), -1, dtype=np.int64)
        n_params = n_normal = n_activated = 0
        for index, (inputs, outputs) in enumerate(layers):
            row = self.table[index]
            row[[INPUTS, OUTPUTS]] = inputs, outputs
            row[WEIGHTS] = n_params
            n_params += inputs * outputs
            row[ACTIVATED] = n_activated
            n_activated += outputs
            if batch_normalization and index < len(layers) - 1:
                row[GAMMA] = n_params
                n_params += outputs
                row[NORMAL] = n_normal
                n_normal += outputs
                row[NORMALISED] = n_activated
                n_activated += outputs
            row[BIAS] = n_params
            n_params += outputs
            row[END] = n_params
        self.n_params = n_params
        whole = [((i, 0, inputs), (i, 0, 0)) for i, (inputs, _) in enumerate(layers)]
        self.layers = np.array(whole, dtype=np.int64).reshape(-1, 3)
        largest = self.sizes(self.tiles(shared=False)).max()
        self.tile_room = max(min(TILE, n_params), int(largest))
        self.n_normal = n_normal
        self.n_activated = n_activated

    def tiles(self, shared):
        """Cut the layers into tiles, whose gradient is computed at a time.

        Parameters
        ----------
        shared : bool
            Whether several threads take some each: of a small layer, too.

        Returns
        -------
        ndarray of shape (n_tiles, 3), dtype=int64
            As ``layers``, but for the inputs that a tile begins and ends at.
        """
        tiles = []
        for layer, (inputs, outputs) in enumerate(pairwise(self.units)):
            rows = -(-inputs // 2) if shared else inputs
            if self.sparse and layer == 0:
                rows = inputs
            else:
                rows = max(1, min(TILE // outputs, rows))
            tiles += [(layer, i, min(i + rows, inputs)) for i in range(0, inputs, rows)]
            tiles.append((layer, 0, 0))
        return np.array(tiles, dtype=np.int64)

    def products(self, n_rows, n_values):
        """Count the multiplications of a forward pass.

        Parameters
        ----------
        n_rows, n_values : int
            The rows, and the numbers in them: of sparse rows, those that are not zero.

        Returns
        -------
        int
        """
        zeros = n_rows * self.units[0] - n_values
        return n_rows * self.n_params - zeros * self.units[1]

    def sizes(self, tiles):
        """Count the parameters of each tile."""
        layer, first, last = tiles.T
        behind = self.table[layer, END] - self.table[layer, WEIGHTS]
        behind -= self.table[layer, INPUTS] * self.table[layer, OUTPUTS]
        return np.where(first < last, (last - first) * self.table[layer, OUTPUTS], behind)

    def shares(self, tiles, n_threads):
        """Divide tiles among threads, the parameters as evenly as they allow.

        Parameters
        ----------
        tiles : ndarray of shape (n_tiles, 3), dtype=int64
            The tiles.

        n_threads : int
            The number of threads.

        Returns
        -------
        ndarray of shape (n_threads + 1,), dtype=int64
            The first tile of each thread, and the number of tiles.
        """
        sizes = self.sizes(tiles)
        ends = np.cumsum(sizes)
        bounds = ends[-1] * np.arange(1, n_threads) / n_threads
        inner = np.searchsorted(ends - sizes / 2, bounds)
        return np.array([0, *inner, len(tiles)], dtype=np.int64)

    def weights(self, flat):
        """View the weights of each layer in a flat buffer.

        Parameters
        ----------
        flat : ndarray of shape (n_params,)
            Parameters, or their gradient.

        Returns
        -------
        list of ndarray of shape (inputs, outputs)
        """
        return [
            flat[row[WEIGHTS] : row[WEIGHTS] + row[INPUTS] * row[OUTPUTS]].reshape(
                row[INPUTS], row[OUTPUTS]
            )
            for row in self.table
        ]

    def biases(self, flat):
        """View the bias of each layer in a flat buffer, as ``weights`` does."""
        return [flat[row[BIAS] : row[BIAS] + row[OUTPUTS]] for row in self.table]

    def gammas(self, flat):
        """View the scale of each normalised layer, and None for the others."""
        return [
            flat[row[GAMMA] : row[GAMMA] + row[OUTPUTS]] if row[GAMMA] >= 0 else None
            for row in self.table
        ]


@lru_cache(maxsize=32)
def layout_of(units, batch_normalization=False, sparse=False):
    """Make a layout once for many small fits or predictions; ``units`` is a tuple."""
    return Layout(units, batch_normalization, sparse)
