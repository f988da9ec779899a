"""Compile all kernels ahead, as for a container image: ``python -m skgd.precompile``.

Every process after that finds them on disk.
"""

import argparse
import sys
import warnings
from time import perf_counter

import numpy as np
from scipy.sparse import csr_array

from skgd.activations import ACTIVATIONS
from skgd.losses import REGRESSION_LOSSES
from skgd.neural_network import MLPClassifier, MLPRegressor
from skgd.neural_network._orders import WORTH_COMPILING, draw_orders
from skgd.preprocessing import MeanScaler, MinMaxScaler, ZScoreScaler
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = ["main", "precompile"]


def _networks():
    """Yield networks that have each plug-in between them."""
    small = {"hidden_layer_sizes": (2,), "max_iter": 1}
    for activation in ACTIVATIONS:
        yield MLPRegressor(activation=activation, **small)
    for solver in [*SOLVERS, "lbfgs"]:
        yield MLPRegressor(solver=solver, **small)
    for schedule in SCHEDULES:
        yield MLPRegressor(learning_rate=schedule, **small)
    for loss in REGRESSION_LOSSES:
        yield MLPRegressor(loss, **small)
    yield MLPRegressor(batch_normalization=True, **small)
    yield MLPClassifier(**small)


def precompile():
    """Make each kernel run once, in float32 and in float64.

    It fits small estimators: what users do is then compiled, for the very types that
    they use. A kernel that is on disk already is only loaded.
    """
    X = np.arange(12.0).reshape(6, 2) / 12
    # As of two and of three classes, and of several labels each.
    targets = [np.arange(6) % 2, np.arange(6) % 3, np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 2]]]
    with warnings.catch_warnings():
        # One epoch is not enough, of course.
        warnings.simplefilter("ignore", UserWarning)
        draw_orders(np.random.RandomState(0), np.arange(WORTH_COMPILING), n_epochs=1)
        for rows in (X.astype(np.float32), X):
            for scaler in (MinMaxScaler(), MeanScaler(), ZScoreScaler()):
                for order in "CF":
                    given = np.asarray(rows, order=order)
                    scaler.inverse_transform(scaler.fit_transform(given))
            for network in _networks():
                classifies = isinstance(network, MLPClassifier)
                for y in targets if classifies else targets[:1]:
                    network.fit(rows, y).predict(rows)
            MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit(
                csr_array(rows), targets[0]
            )


def main(arguments=None):
    """Precompile, and print what was done.

    Parameters
    ----------
    arguments : list of str, default=None
        Those of the command line.

    Returns
    -------
    str or None
        Why the kernels are not on disk, if they are not.
    """
    parser = argparse.ArgumentParser(
        prog="python -m skgd.precompile",
        description="Compile all kernels of skgd ahead and keep them on disk.",
    )
    parser.parse_args(arguments)
    from numba import config

    from skgd.engine.cache import cache_directory, counts, is_on

    if config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set: nothing is compiled."
    if not is_on():
        return "SKGD_DISK_CACHE=0: nothing would be kept."
    if cache_directory() is None:
        return "There is no writable place for compiled kernels; set NUMBA_CACHE_DIR."
    start = perf_counter()
    precompile()
    print(
        f"{counts['compiled']} kernels compiled and {counts['found']} found in "
        f"{perf_counter() - start:.1f} s\n{cache_directory()}"
    )
    if counts["written"] < counts["compiled"]:
        return f"{counts['compiled'] - counts['written']} could not be written."
    return None


if __name__ == "__main__":
    sys.exit(main())
