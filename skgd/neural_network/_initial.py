"""The initial weights that ``init`` asks for."""

import numpy as np

from skgd.engine.contracts import check_function
from skgd.initializers import INITIALIZERS, Initializer
from skgd.neural_network._constraints import check_arguments

__all__ = ["drawn_weights", "initializer_of"]


def initializer_of(estimator):
    """Return the function that draws the initial weights, None for scikit-learn's way.

    Raises
    ------
    ValueError
        If ``init`` is not valid.
    """
    init = estimator.init
    if isinstance(init, str):
        return INITIALIZERS[init]
    if isinstance(init, Initializer):
        check_arguments("init", init, init._parameter_constraints)
    check_function("init", init, ("shape", "rng"))
    return init


def drawn_weights(init, shape, random_state, dtype):
    """Draw the weights of a layer, or raise if ``init`` does not return valid ones."""
    found = init(shape, random_state)
    try:
        weights = np.asarray(found)
    except ValueError:  # lists of different lengths
        weights = np.empty(0)
    if weights.shape != shape or weights.dtype.kind not in "fiu":
        is_array = isinstance(found, np.ndarray)
        got = f"{found.dtype} of shape {found.shape}" if is_array else repr(found)
        raise ValueError(
            f"init={init!r} must return an array of real numbers of shape {shape}, got "
            f"{got}."
        )
    rounded = weights.astype(dtype)
    bad = ~np.isfinite(rounded)
    if bad.any():
        raise ValueError(
            f"init={init!r} must return numbers that are finite in {np.dtype(dtype)}, the "
            f"dtype of X, got {weights[bad][0]}."
        )
    return rounded
