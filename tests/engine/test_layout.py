from itertools import pairwise, product

import numpy as np
import pytest

from skgd.activations import Tanh
from skgd.engine.layout import TILE_SIZE, MemoryPlan
from skgd.engine.records import APART
from skgd.engine.stage import KINDS
from skgd.neural_network._network import layout_of
from skgd.stages import BatchNorm

UNITS = [(3, 2), (1, 1, 1), (4, 5, 6, 2), (700, 300, 10), (3, 40000, 2), (2, *(3,) * 20, 1)]
NORMALIZED, PLAIN = (0.9, 1e-5), None


def make(units, normalization=None, is_sparse=False):
    return layout_of(units, [Tanh()] * (len(units) - 2), normalization, is_sparse)


CASES = list(product(UNITS, (PLAIN, NORMALIZED), (False, True)))
every_case = pytest.mark.parametrize(("units", "normalization", "is_sparse"), CASES)
every_layout = pytest.mark.parametrize(
    "layout",
    [make(*case) for case in CASES],
    ids=lambda layout: f"{len(layout.stages)}-{layout.n_params}-{layout.stages[0].inputs}",
)


@every_layout
def test_every_parameter_has_one_place(layout):
    seen = np.zeros(layout.n_params, dtype=int)
    for kind in KINDS:
        for view in layout.views(seen, kind):
            view += 1
    assert (seen == 1).all()


@every_case
def test_the_views_have_the_layers_shapes(units, normalization, is_sparse):
    layout = make(units, normalization, is_sparse)
    flat = np.zeros(layout.n_params)
    pairs = list(pairwise(units))
    assert sorted(w.shape for w in layout.views(flat, "weights")) == sorted(pairs)
    assert [w.shape for w in layout.views(flat, "weights")] == pairs
    assert [b.shape for b in layout.views(flat, "bias")] == [(n,) for n in units[1:]]
    hidden = list(units[1:-1]) if normalization else []
    assert [g.size for g in layout.views(flat, "scale")] == hidden
    # Mean and variance of each unit, and the count of the layer's rows.
    assert layout.n_running == sum(2 * n + 1 for n in hidden)
    assert layout.n_params == sum((i + 1) * o for i, o in pairs) + sum(hidden)
    shifts = layout.views(flat, "bias", BatchNorm)
    assert [shift.size for shift in shifts] == hidden


@every_layout
def test_the_parameters_of_a_layer_follow_each_other(layout):
    """The weights, the scale and the bias: what is published in that order."""
    index = np.arange(layout.n_params)
    found = []
    weights, biases = layout.views(index, "weights"), layout.views(index, "bias")
    scales = [*layout.views(index, "scale"), *[index[:0]] * len(weights)]
    for layer in zip(weights, scales, biases, strict=False):
        found += [array.ravel() for array in layer]
    np.testing.assert_array_equal(np.concatenate(found), index)


@every_layout
def test_the_blocks_are_those_of_the_stages(layout):
    end = 0
    for index, begin, block in layout.blocks:
        assert begin == end
        assert block in layout.stages[index].blocks
        end = begin + block.size
    assert end == layout.n_params
    plan = MemoryPlan(layout, 1)
    for row, stage in zip(plan.stages, layout.stages, strict=True):
        assert row.end - row.begin == sum(block.size for block in stage.blocks)


@every_layout
@pytest.mark.parametrize("shared", [False, True])
def test_every_parameter_is_in_one_tile(layout, shared):
    seen = np.zeros(layout.n_params, dtype=int)
    tiles = layout.tiles(shared, {"bias": 1})
    room = layout.gradient_size(tiles)
    end = 0
    for tile in tiles:
        assert tile.begin == end
        end = tile.end
        seen[tile.begin : tile.end] += 1
        assert 0 < tile.end - tile.begin <= room
    assert (seen == 1).all()
    kinds = np.full(layout.n_params, "", dtype="U10")
    for _, begin, block in layout.blocks:
        kinds[begin : begin + block.size] = block.kind
    for tile in tiles:
        (kind,) = set(kinds[tile.begin : tile.end])
        assert tile.is_weights == (kind == "weights")
        assert tile.factor == (kind == "bias")
        stage = layout.stages[tile.stage]
        assert tile.is_summed == isinstance(stage, BatchNorm)
        # Whole rows of the weights, which the gradient is computed of.
        if kind == "weights":
            assert (tile.end - tile.begin) % stage.outputs == 0
            if not stage.is_group:
                assert tile.end - tile.begin <= max(TILE_SIZE, stage.outputs)


@every_layout
@pytest.mark.parametrize("n_threads", [1, 2, 3, 8, 64])
def test_threads_share_all_tiles(layout, n_threads):
    tiles = layout.tiles(shared=True)
    shares = layout.shares(tiles, n_threads)
    assert len(shares) == n_threads + 1
    assert (shares[0], shares[-1]) == (0, len(tiles))
    assert (np.diff(shares) >= 0).all()


def test_two_threads_share_a_wide_network_evenly():
    layout = make((784, 512, 256, 10))
    tiles = layout.tiles(shared=True)
    sizes = tiles["end"] - tiles["begin"]
    middle = layout.shares(tiles, 2)[1]
    assert 0.4 < sizes[:middle].sum() / sizes.sum() < 0.6


@every_layout
@pytest.mark.parametrize("capacity", [1, 15, 33])
@pytest.mark.parametrize(("n_targets", "n_chunks"), [(0, 0), (1, 1), (3, 4)])
def test_nothing_in_the_shared_memory_overlaps(layout, capacity, n_targets, n_chunks):
    """Weight, targets, features, outputs and gradients of each row; parts of the chunks."""
    plan = MemoryPlan(layout, capacity, n_targets, n_chunks)
    assert plan.capacity >= capacity
    assert plan.capacity % APART == 0
    work = plan.allocate(np.dtype("float32"), 5)
    assert len(work.gradient) == 5
    seen = np.zeros(len(work.shared), dtype=int)
    features = layout.stages[0].inputs if n_chunks else 0
    seen[: (1 + n_targets + features) * plan.capacity] += 1
    places = set()
    for row, stage in zip(plan.stages, layout.stages, strict=True):
        for place in {row.value, row.delta} - {-1}:
            # What is in place, or replaces the gradient, has the place of the stage before.
            if place not in places:
                first = place * plan.capacity
                seen[first : first + stage.outputs * plan.capacity] += 1
            places.add(place)
        if n_chunks:
            for chunk in range(n_chunks):
                first = plan.parts + chunk * plan.part_size + row.part
                seen[first : first + stage.n_part] += 1
                assert row.part + stage.n_part <= plan.part_size
    assert (seen <= 1).all()
    assert (seen[: plan.parts] == 1).all()
    for array in work[:3]:
        assert array.ctypes.data % 64 == 0
    other = plan.another(work, shares_gradient=True)
    assert other.shared is work.shared
    assert other.arrivals is work.arrivals
    assert other.gradient is work.gradient
    assert not np.shares_memory(other.own, work.own)


@every_layout
def test_what_a_stage_reads_is_what_the_one_before_has_written(layout):
    plan = MemoryPlan(layout, 7, 1, 1)
    value = delta = -1
    for row, stage in zip(plan.stages, layout.stages, strict=True):
        if stage.is_group:
            assert (row.value, row.delta) == (value, delta)
            assert (row.source, row.source_delta) == (-1, -1)
            continue
        assert (row.source, row.source_delta) == (value, delta)
        assert (row.value == row.source) == stage.is_in_place
        assert (row.delta == row.source_delta) == (not stage.keeps_delta)
        value, delta = row.value, row.delta
    # Neither a prediction nor the rows of the data have a gradient.
    assert (MemoryPlan(layout, 7).stages["delta"] == -1).all()


@every_layout
def test_what_threads_have_of_their_own_does_not_overlap(layout):
    plan = MemoryPlan(layout, 7, 1, 1)
    own = plan.allocate(np.dtype("float64")).own
    seen = np.zeros(len(own), dtype=int)
    running = np.zeros(layout.n_running, dtype=int)
    numbers = np.zeros(len(layout.numbers), dtype=int)
    for row, stage in zip(plan.stages, layout.stages, strict=True):
        seen[row.own : row.own + stage.n_own] += 1
        running[row.running : row.running + row.n_running] += 1
        numbers[row.numbers : row.numbers + row.n_numbers] += 1
        np.testing.assert_array_equal(
            layout.numbers[row.numbers : row.numbers + row.n_numbers], stage.numbers
        )
    assert (seen <= 1).all()
    assert (running == 1).all()
    assert (numbers == 1).all()


def test_the_products_of_sparse_rows_are_of_what_is_not_zero():
    dense, rows = make((30, 9, 2)), make((30, 9, 2), is_sparse=True)
    assert dense.n_params == rows.n_params
    assert dense.products(10, 300) == rows.products(10, 300) == 10 * dense.n_params
    assert rows.products(10, 40) == 10 * rows.n_params - 260 * 9
