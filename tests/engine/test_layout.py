from itertools import product

import numpy as np
import pytest

from skgd.engine.layout import END, WEIGHTS, Layout

UNITS = [(3, 2), (1, 1, 1), (4, 5, 6, 2), (700, 300, 10), (3, 40000, 2), (2, *(3,) * 20, 1)]
every_layout = pytest.mark.parametrize(
    "layout",
    [Layout(u, b, s) for u, b, s in product(UNITS, (False, True), (False, True))],
    ids=lambda layout: f"{len(layout.units)}-{layout.n_params}-{layout.sparse}",
)


@every_layout
def test_every_parameter_has_one_place(layout):
    seen = np.zeros(layout.n_params, dtype=int)
    for views in (layout.weights(seen), layout.biases(seen), layout.gammas(seen)):
        for view in views:
            if view is not None:
                view += 1
    assert (seen == 1).all()


@every_layout
def test_the_views_have_the_layers_shapes(layout):
    flat = np.zeros(layout.n_params)
    pairs = list(zip(layout.units, layout.units[1:], strict=False))
    assert [w.shape for w in layout.weights(flat)] == pairs
    assert [b.size for b in layout.biases(flat)] == list(layout.units[1:])
    normalised = [g is not None for g in layout.gammas(flat)]
    assert normalised == [layout.batch_normalization] * (len(pairs) - 1) + [False]
    hidden = sum(layout.units[1:-1]) if layout.batch_normalization else 0
    assert layout.n_normal == hidden
    assert layout.n_params == sum((i + 1) * o for i, o in pairs) + hidden


@every_layout
def test_the_penalised_parameters_come_first(layout):
    index = np.arange(layout.n_params)
    for row, weights in zip(layout.table, layout.weights(index), strict=True):
        np.testing.assert_array_equal(
            weights.ravel(), np.arange(row[WEIGHTS], row[WEIGHTS] + weights.size)
        )
        assert row[END] > weights.max()


@every_layout
@pytest.mark.parametrize("shared", [False, True])
def test_every_parameter_is_in_one_tile(layout, shared):
    seen = np.zeros(layout.n_params, dtype=int)
    weights = layout.weights(seen)
    tiles = layout.tiles(shared)
    for (layer, first, last), size in zip(tiles, layout.sizes(tiles), strict=True):
        if first < last:
            tile = weights[layer][first:last]
        else:
            row = layout.table[layer]
            tile = seen[row[WEIGHTS] + weights[layer].size : row[END]]
        tile += 1
        assert tile.size == size <= layout.tile_room
    assert (seen == 1).all()


@every_layout
@pytest.mark.parametrize("n_threads", [1, 2, 3, 8, 64])
def test_threads_share_all_tiles(layout, n_threads):
    tiles = layout.tiles(shared=True)
    shares = layout.shares(tiles, n_threads)
    assert len(shares) == n_threads + 1
    assert (shares[0], shares[-1]) == (0, len(tiles))
    assert (np.diff(shares) >= 0).all()


def test_two_threads_share_a_wide_network_evenly():
    layout = Layout((784, 512, 256, 10))
    tiles = layout.tiles(shared=True)
    sizes = layout.sizes(tiles)
    middle = layout.shares(tiles, 2)[1]
    assert 0.4 < sizes[:middle].sum() / sizes.sum() < 0.6
