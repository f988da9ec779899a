"""From the names of plug-ins to compiled kernels."""

from functools import cache

from skgd.activations import ACTIVATIONS
from skgd.engine.jit import functions, import_numba
from skgd.engine.multiply import bind as bind_multiply
from skgd.engine.records import PredictionRules, Rules
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = ["hyperparameters", "prediction_rules", "training_rules"]


def _numba_dtype(dtype):
    return getattr(import_numba(), dtype.name)


@cache
def prediction_rules(activation, loss, dtype):
    """Compile what a prediction needs.

    Parameters
    ----------
    activation : str
        A name in ``ACTIVATIONS``.

    loss : Loss
        Its link is what counts.

    dtype : dtype
        The network's, float32 or float64.

    Returns
    -------
    PredictionRules
    """
    T = _numba_dtype(dtype)
    return functions(
        PredictionRules(
            bind_multiply(T), ACTIVATIONS[activation].bind(T)[0], loss.bind_link(T)
        )
    )


@cache
def training_rules(activation, loss, solver, schedule, dtype):
    """Compile the plug-ins of the training loop, ``solver`` and ``schedule`` by name.

    Returns
    -------
    Rules
    """
    T = _numba_dtype(dtype)
    activate, differentiate = ACTIVATIONS[activation].bind(T)
    return functions(
        Rules(
            bind_multiply(T),
            activate,
            differentiate,
            loss.bind_evaluate(T),
            SOLVERS[solver].bind(T),
            SCHEDULES[schedule].bind(),
        )
    )


def hyperparameters(estimator, plugin):
    """Return the values of the parameters that a solver or schedule asks for."""
    import numpy as np

    values = [float(getattr(estimator, name)) for name in plugin.hyperparameters]
    return np.array(values, dtype=np.float64)
