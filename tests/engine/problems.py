"""Small data for small networks."""

import numpy as np

from skgd.losses import (
    REGRESSION_LOSSES,
    BinaryLogLoss,
    Focal,
    MultinomialFocal,
    MultinomialLogLoss,
    Quantiles,
)
from tests.engine.helpers import Model
from tests.oracles import network as oracle
from tests.oracles.losses import oracle_of

LOSSES = {
    **REGRESSION_LOSSES,
    "quantiles": Quantiles,
    "binary": BinaryLogLoss,
    "focal": Focal,
    "multinomial": MultinomialLogLoss,
    "multinomial focal": MultinomialFocal,
}


def draw(loss, rows, n_features, n_outputs, *, weighted, seed=0):
    """Draw X, y (in float64) and weights, two of them zero, or None."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, n_features))
    y = oracle_of(loss).draw_targets(rng, rows, n_outputs).astype(float)
    weight = None
    if weighted:
        weight = rng.uniform(0.5, 2, rows)
        weight[[0, rows // 2]] = 0
    return X, y, weight


def away_from_kinks(X, weight, epsilon, **description):
    """Make a Model none of whose units is close to where relu bends."""
    for seed in range(1000):
        model = Model(**description, seed=seed)
        _, passes = oracle.forward(
            model.layers(), X, model.activation, weight=weight, epsilon=epsilon
        )
        if min(np.abs(p.shifted).min() for p in passes[:-1]) > 1e-3:
            return model
    raise AssertionError("no seed found")
