"""What workers do before training: describe, validate and encode their rows."""

from copy import copy

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from skgd.dask._collections import Shard
from skgd.neural_network._data import Data
from skgd.neural_network._parameters import Parameters
from skgd.neural_network._stochastic import begin
from skgd.neural_network._validation import Validation, validated

__all__ = ["begun", "described", "facts", "prepared"]


def described(shard, has_classes):
    """Return the number of rows, whether any has a weight, class counts, and some rows.

    The last are an example of each class, and at least two rows if there are as many.
    """
    y, n_rows = np.asarray(shard.y), shard.n_rows
    counts: dict = {}
    rows = np.arange(min(2, n_rows))
    if has_classes and y.size == n_rows:
        classes, first, numbers = np.unique(
            y.ravel(), return_index=True, return_counts=True
        )
        if classes.dtype.kind == "f":
            # One number that is not a class is enough for the error message.
            is_class = classes % 1 == 0
            first = np.append(first[is_class], first[~is_class][:1])
        counts = dict(zip(classes.tolist(), numbers.tolist(), strict=True))
        rows = np.union1d(rows, first)
    X, y = (a.iloc[rows] if hasattr(a, "iloc") else a[rows] for a in (shard.X, shard.y))
    has_weight = n_rows > 0 and (shard.weight is None or np.any(shard.weight))
    return n_rows, has_weight, counts, Shard(X, y)


def begun(shard, estimator, balance, layout, plugins, dtype, seeds):
    """Validate and encode the rows of a worker; return a replica.

    ``balance`` has the weight of each class, if they are balanced.
    """
    estimator, weight = copy(estimator), shard.weight
    X, y = estimator._validate_input(shard.X, shard.y, incremental=True, reset=False)
    y, _ = estimator._encode(y, dtype)
    if weight is not None:
        weight = _check_sample_weight(weight, X, dtype=X.dtype, ensure_non_negative=True)
    estimator.batch_size = min(estimator.batch_size, len(y))
    weight = estimator._weigh(y, weight)
    if balance is not None:
        balanced = balance[y[:, 0].astype(int)].astype(dtype)
        weight = balanced if weight is None else balanced * weight
    theta, center = np.zeros(layout.n_params, dtype), np.zeros(X.shape[1], dtype)
    # Placeholders: each part of an epoch receives its parameters.
    parameters = Parameters(theta, np.zeros(layout.n_running), center)
    generator, data = np.random.RandomState(seeds), Data(X, y, weight)
    return begin(
        estimator, layout, plugins, data, parameters, generator, False, goes_on=False
    )


def facts(run):
    """Return the number of mini-batches, the weight of the rows, and their mean."""
    rows = run._rows
    weight = rows.weight.sum(dtype=float) if rows.weight.size else len(rows.y)
    return len(run._batches.bounds) - 1, weight, rows.center


def prepared(shard, estimator, codes):
    """Validate and encode validation data; ``codes`` are some encoded targets."""
    data = validated(estimator, tuple(shard), codes, codes.dtype)
    return Validation(data, restores=False, takes_last=True)
