"""What the parameters of a network may be, alone and together."""

from numbers import Integral, Real
from operator import is_
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from skgd._caller import warn
from skgd.activations import ACTIVATIONS
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = [
    "CONSTRAINTS",
    "Choice",
    "check_compatible",
    "check_parameters",
    "hidden_layer_sizes",
]


class Choice(StrOptions):
    """Strings, listed in order: the order of a set differs between processes."""

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


CONSTRAINTS: dict = {
    "hidden_layer_sizes": [
        "array-like",
        Interval(Integral, 1, None, closed="left"),
    ],
    "activation": [Choice(set(ACTIVATIONS))],
    "solver": [Choice({*SOLVERS, "lbfgs"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [
        Choice({"auto"}),
        Interval(Integral, 1, None, closed="left"),
    ],
    "learning_rate": [Choice(set(SCHEDULES))],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "rho": [Interval(Real, 0, 1, closed="left")],
    "decay_rate": [Interval(Real, 0, None, closed="left")],
    "decay_steps": [Interval(Integral, 1, None, closed="left")],
    "staircase": ["boolean"],
    "batch_normalization": ["boolean"],
    "batch_normalization_momentum": [Interval(Real, 0, 1, closed="left")],
    "batch_normalization_epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_jobs": [
        Interval(Integral, 1, None, closed="left"),
        Interval(Integral, None, -1, closed="right"),
        None,
    ],
}


# The parameters of each estimator that were valid last.
_VALID: WeakKeyDictionary = WeakKeyDictionary()


def check_parameters(estimator):
    """Validate the parameters alone, if they have changed since they were valid last.

    To validate all takes as long as some mini-batches.

    Raises
    ------
    ValueError
        If one is not valid.
    """
    values = [getattr(estimator, name) for name in estimator._parameter_constraints]
    valid = _VALID.get(estimator)
    if valid is None or not all(map(is_, values, valid)):
        estimator._validate_params()
        _VALID[estimator] = values


def hidden_layer_sizes(estimator):
    """Return the widths of the hidden layers, as a list.

    Raises
    ------
    ValueError
        If one is not a positive integer.
    """
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if np.iterable(sizes) else [sizes]
    # True and False are integers to Python.
    if not all(isinstance(n, Integral) and n > 0 and n is not True for n in sizes):
        raise ValueError(
            "hidden_layer_sizes must be an integer > 0 or a sequence of integers > 0, got "
            f"{estimator.hidden_layer_sizes!r}."
        )
    return sizes


def check_compatible(estimator, incremental):
    """Refuse parameters that do not go together, and warn of one without effect.

    Parameters
    ----------
    estimator : BaseMLP
        Has parameters that are valid alone.

    incremental : bool
        Whether this is ``partial_fit``.

    Raises
    ------
    ValueError
        If it asks for what cannot be.
    """
    if estimator.solver == "lbfgs":
        if estimator.batch_normalization:
            raise ValueError(
                "batch_normalization=True needs mini-batches, which solver='lbfgs' "
                f"does not have; use one of {sorted(SOLVERS)}."
            )
        if estimator.learning_rate != "constant":
            warn(
                f"learning_rate={estimator.learning_rate!r} has no effect with "
                "solver='lbfgs', which chooses its own steps."
            )
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    if estimator.batch_normalization and estimator.batch_size == 1:
        raise ValueError(
            "batch_normalization=True needs mini-batches of at least 2 rows, got "
            "batch_size=1."
        )
