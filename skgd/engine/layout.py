"""Where the parameters and the numbers of each stage are in flat arrays.

The depth and the widths of a network are data, not types. The parameters are in the order
of the stages and their blocks, except that those of an input group come before those of the
stage that it adds to. A dense layer has its weights, row by row, then its bias. A
normalized layer has weights, scale and shift.
"""

import numpy as np

from skgd.engine.records import APART, STAGE, TILE, Work
from skgd.kernels.multiply import SCRATCH_SIZE
from skgd.kernels.views import aligned

__all__ = ["Layout", "MemoryPlan"]

# Parameters whose gradient is computed before they are updated. In float32, the gradient
# takes 256 kB: it stays in the second-level cache, also while the update reads and writes
# the parameters and their state.
TILE_SIZE = 65536


class Layout:
    """The stages of a network, and the sizes that follow from them.

    Parameters
    ----------
    stages : list of Stage
        In the order of the forward pass, each input group after the stage that it adds to.

    Attributes
    ----------
    begins : list of int
        The first parameter of each stage.

    blocks : list of tuple (int, int, Block)
        Index of the stage, first parameter and description, in the order of parameters.

    n_params, n_running : int
        The number of parameters, and of running statistics.

    numbers : ndarray, dtype=float64
        The hyperparameters of the stages.
    """

    def __init__(self, stages):
        self.stages = stages
        in_order: list[int] = []
        for index, stage in enumerate(stages):
            in_order.insert(len(in_order) - stage.is_group, index)
        self.begins = [0] * len(stages)
        self.blocks = []
        self.n_params = 0
        for index in in_order:
            self.begins[index] = self.n_params
            for block in stages[index].blocks:
                self.blocks.append((index, self.n_params, block))
                self.n_params += block.size
        self.n_running = sum(stage.n_running for stage in stages)
        self.numbers = np.array([n for stage in stages for n in stage.numbers], np.float64)

    @property
    def n_activated(self):
        """The number of outputs of all stages that are kept for each row."""
        kept = (s for s in self.stages if not (s.is_group or s.is_in_place))
        return sum(stage.outputs for stage in kept)

    def views(self, flat, kind, stage=None):
        """View the blocks of a kind in a flat array of parameters, or of their gradient.

        ``stage``, a class or a tuple of classes, selects the stages. Returns a list of
        arrays.
        """
        return [
            flat[begin : begin + block.size].reshape(block.shape)
            for index, begin, block in self.blocks
            if block.kind == kind and isinstance(self.stages[index], stage or object)
        ]

    def tiles(self, shared, factors=None):
        """Divide the parameters into tiles. Returns an array of TILE.

        If they are ``shared`` among threads, a block with several rows has at least two
        tiles. The block of an input group always has one. ``factors`` maps each kind to the
        index of its row of coefficients, by default 0.
        """
        found = []
        for index, begin, block in self.blocks:
            rows = block.shape[0] if len(block.shape) > 1 else 1
            columns = block.size // rows
            step = rows
            if not self.stages[index].is_group:
                step = -(-rows // 2) if shared else rows
                step = max(1, min(TILE_SIZE // columns, step))
            factor = (factors or {}).get(block.kind, 0)
            for row in range(0, rows, step):
                end = begin + min(row + step, rows) * columns
                is_weights = block.kind == "weights"
                tile = index, begin + row * columns, end, is_weights, block.is_summed
                found.append((*tile, factor))
        return np.array(found, dtype=TILE)

    def gradient_size(self, tiles):
        """Return how many parameters have their gradient computed before their update."""
        largest = int((tiles["end"] - tiles["begin"]).max())
        return max(min(TILE_SIZE, self.n_params), largest)

    def products(self, n_rows, n_values):
        """Count the multiplications of a forward pass.

        ``n_values`` is the number of values in all rows, without the zeros of sparse rows.
        """
        features = sum(s.inputs for s in self.stages if s.is_group) + self.stages[0].inputs
        first = next(s.outputs for s in self.stages)
        return n_rows * self.n_params - (n_rows * features - n_values) * first

    @staticmethod
    def shares(tiles, n_threads):
        """Divide the tiles among threads, with about as many parameters for each.

        Returns the first tile of each thread, then the number of tiles.
        """
        begin, end = tiles["begin"], tiles["end"]
        bounds = end[-1] * np.arange(1, n_threads) / n_threads
        inner = np.searchsorted((begin + end) / 2, bounds)
        return np.array([0, *inner, len(tiles)], dtype=np.int64)


class MemoryPlan:
    """Where the numbers of a mini-batch are in the memory that threads share.

    Parameters
    ----------
    layout : Layout
        The layout of the network.

    capacity : int
        The most rows of a mini-batch.

    n_targets, n_chunks : int, default=0
        The columns of targets, and the most chunks of a mini-batch. Predictions have
        neither, and no gradients.

    Attributes
    ----------
    stages : ndarray of shape (n_stages,), of STAGE
        The records that the kernels read.

    capacity, n_per_row : int
        The number of rows that the memory has space for, and of numbers per row.

    parts, part_size : int
        The first number of the chunks' memory, and the size of a chunk's memory.
    """

    def __init__(self, layout, capacity, n_targets=0, n_chunks=0):
        self.capacity = -(-capacity // APART) * APART
        self.stages = np.zeros(len(layout.stages), STAGE)
        self._n_own = SCRATCH_SIZE
        self._n_chunks = n_chunks
        self._dimensions = (n_targets, layout.stages[0].inputs if n_chunks else 0)
        # First the weight, the targets and the features of each row.
        self.n_per_row = 1 + sum(self._dimensions)
        self.part_size = APART
        numbers = running = 0
        source, source_delta = -1, -1
        before = self.stages[0]
        for record, stage, begin in zip(
            self.stages, layout.stages, layout.begins, strict=True
        ):
            record.inputs, record.outputs = stage.inputs, stage.outputs
            record.begin = begin
            record.end = begin + sum(block.size for block in stage.blocks)
            record.numbers, record.n_numbers = numbers, len(stage.numbers)
            record.running, record.n_running = running, stage.n_running
            record.own, record.part = self._n_own, self.part_size
            if stage.is_group:
                record.source = record.source_delta = -1
                record.value, record.delta = before.value, before.delta
            else:
                record.source, record.source_delta = source, source_delta
                record.value = source if stage.is_in_place else self._take(stage.outputs)
                record.delta = -1
                # A first stage that maps the data without parameters needs no gradient.
                if n_chunks and (source >= 0 or stage.blocks or not stage.inputs):
                    shares = source_delta >= 0 and not stage.keeps_delta
                    record.delta = source_delta if shares else self._take(stage.outputs)
                source, source_delta = record.value, record.delta
                before = record
            numbers += len(stage.numbers)
            running += stage.n_running
            self._n_own += stage.n_own
            self.part_size += stage.n_part
        self.parts = self.n_per_row * self.capacity

    def _take(self, n):
        """Reserve ``n`` numbers for each row; return the first."""
        self.n_per_row += n
        return self.n_per_row - n

    def allocate(self, dtype, gradient_size=0, n_squares=0):
        """Allocate the memory of the first thread: a ``Work``."""
        n_shared = self.parts + self._n_chunks * self.part_size
        arrays = aligned((n_shared, self._n_own, gradient_size), dtype)
        return Work._make([*arrays, np.zeros(APART, dtype=np.int64), np.zeros(n_squares)])

    def another(self, work, shares_gradient):
        """Allocate the memory of another thread that trains on the same mini-batch."""
        own, gradient = aligned((len(work.own), len(work.gradient)), work.own.dtype)
        return work._replace(
            own=own, gradient=work.gradient if shares_gradient else gradient
        )
