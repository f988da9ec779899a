"""Checks of plug-ins: their definitions, and the values that they return."""

import inspect
from functools import cache
from numbers import Integral
from types import FunctionType

import numpy as np

from skgd.engine.plugins import Activation, Loss, NumericEmbedding, Schedule, Solver
from skgd.engine.stage import KINDS

__all__ = [
    "check_definition",
    "check_function",
    "check_step_size",
    "coefficients",
    "factors",
    "scheduled_factors",
]

# The functions of numbers that a plug-in must define, and their first arguments. The
# arguments of the constructor follow, except in a solver.
FUNCTIONS = {
    Activation: {"value": "z", "slope": "a"},
    Loss: {"value": "z y", "slope": "z y", "link": "z"},
    Solver: {"update": "theta g state coefficients"},
    Schedule: {},
    NumericEmbedding: {},
}
FUNCTIONS_OF_ROWS = {"evaluate": "z y weight scale delta", "apply_link": "z"}


def check_definition(plugin):
    """Raise if a plug-in does not define what its base class requires.

    Parameters
    ----------
    plugin : Plugin
        An instance of one of the base classes in ``FUNCTIONS``.

    Raises
    ------
    TypeError
        If something is missing or wrong. The message names it.
    """
    cls = type(plugin)
    _check_class(cls)  # type: ignore[arg-type]
    for name in cls.argument_names():
        if not hasattr(plugin, name):
            raise TypeError(
                f"{cls.__name__}.__init__ must store its argument {name} as self.{name}."
            )


@cache
def _check_class(cls):
    base = next(base for base in FUNCTIONS if issubclass(cls, base))
    arguments = _argument_names(cls)
    functions = FUNCTIONS[base]
    if base is Loss and cls.evaluate is not None:
        functions = FUNCTIONS_OF_ROWS
    if base is Activation:
        if cls.slope_of not in ("value", "input", "both"):
            raise TypeError(
                f"{cls.__name__}.slope_of must be 'value', 'input' or 'both', got "
                f"{cls.slope_of!r}."
            )
        if cls.slope_of == "both":
            functions = {**functions, "slope": "z a"}
    if base is Solver:
        arguments = []
    for name, first in functions.items():
        takes = [*first.split(), *arguments]
        if name != "link" and getattr(cls, name) is getattr(base, name, None):
            raise TypeError(
                f"{cls.__name__} must define {name}({', '.join(takes)}), as every "
                f"{base.__name__} does."
            )
        _check_function_of_numbers(cls, name, takes, len(first.split()))
    if base is Solver and cls.step_size is not None:
        _check_function_of_numbers(cls, "step_size", ["state", "coefficients"], 2)
    if base is Schedule and cls.__call__ is Schedule.__call__:
        raise TypeError(
            f"{cls.__name__} must define __call__(self, progress), as every Schedule does."
        )
    if base is Solver:
        kinds, shown = cls.kinds, ", ".join(map(repr, KINDS))
        if not (isinstance(kinds, tuple) and set(kinds) <= set(KINDS)):
            raise TypeError(
                f"{cls.__name__}.kinds must be a tuple of some of {shown}, got {kinds!r}."
            )
        if cls.acts_on != "parameter":
            raise TypeError(
                f"{cls.__name__}.acts_on must be 'parameter', as of every Solver, got "
                f"{cls.acts_on!r}."
            )
    n_slots = getattr(cls, "n_slots", 0)
    if not (isinstance(n_slots, Integral) and int(n_slots) >= 0):
        raise TypeError(f"{cls.__name__}.n_slots must be an int >= 0, got {n_slots!r}.")


def _argument_names(cls):
    """Return the names of the constructor's arguments; refuse ``*args``, ``**kwargs``."""
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise TypeError(
                f"{cls.__name__}.__init__ must name all of its arguments, got {parameter}."
            )
    return list(cls.argument_names())


def _check_function_of_numbers(cls, name, takes, n_first):
    """Raise if the function is not a static method with the arguments in ``takes``."""
    shown = f"{cls.__name__}.{name}"
    static = inspect.getattr_static(cls, name)
    function = getattr(cls, name)
    if not (isinstance(static, staticmethod) and isinstance(function, FunctionType)):
        raise TypeError(
            f"{shown} must be a plain function under @staticmethod: it is compiled, and "
            f"takes ({', '.join(takes)})."
        )
    signature = inspect.signature(function)
    try:
        signature.bind(*takes)
    except TypeError as error:
        raise TypeError(
            f"{shown} must take ({', '.join(takes)}), but takes {signature}: {error}."
        ) from None
    for place, parameter in enumerate(list(signature.parameters)[n_first:], n_first):
        if parameter in takes[n_first:] and takes[place] != parameter:
            raise TypeError(
                f"{shown} must take the arguments of the constructor in its order, "
                f"({', '.join(takes)}), but takes {signature}."
            )


def factors(schedule, progress, parameter="learning_rate"):
    """Return the factors that a schedule has for the next updates.

    Parameters
    ----------
    schedule : Schedule
        The schedule.

    progress : Progress
        The position of the next updates in the training.

    parameter : str, default="learning_rate"
        The estimator's parameter that sets the schedule, for messages.

    Returns
    -------
    factors : ndarray of shape (n,), dtype=float64

    Raises
    ------
    ValueError
        If the schedule fails, or if it returns anything but finite numbers >= 0.
    """
    shape = progress.update.shape

    def shown():
        return f"{parameter}={getattr(schedule, 'function', schedule)!r}"

    try:
        found = schedule(progress)
    except Exception as error:
        raise ValueError(
            f"{shown()} raised {type(error).__name__}: {error}. The updates that it is "
            f"asked for are an array of shape {shape}, n_updates={progress.n_updates}."
        ) from error
    try:
        # Refuses complex numbers, whose imaginary part would be dropped.
        values = np.asarray(found).astype(np.float64, casting="same_kind", copy=False)
        values = np.broadcast_to(values, shape)
    except (TypeError, ValueError):
        got = f"shape {np.shape(found)}" if isinstance(found, np.ndarray) else repr(found)
        raise ValueError(
            f"{shown()} must return a number or an array of shape {shape}, got {got}."
        ) from None
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        where = int(bad.argmax())
        raise ValueError(
            f"{shown()} must return finite numbers >= 0, got {values[where]} at update "
            f"{progress.update[where]}."
        )
    # A copy, so that the loop always gets the same type: a broadcast array is read-only.
    return np.array(values, order="C")


def check_step_size(parameter, solver):
    """Raise if a solver does not define ``step_size`` together with its ``update``."""
    # For each name, the position in the MRO of the first class that defines it.
    first = {
        name: next(k for k, c in enumerate(type(solver).__mro__) if name in vars(c))
        for name in ("step_size", "update", "coefficients")
    }
    if solver.step_size is None or first["step_size"] > min(first.values()):
        raise ValueError(
            f"{parameter} needs to know the step size of the solver, which "
            f"{type(solver).__name__} does not define, or not together with its update. "
            f"Define {type(solver).__name__}.step_size, set l1_ratio=0, or use another "
            "solver, such as 'adam'."
        )


def scheduled_factors(schedules, progress, highest_rate):
    """Return the factors of scheduled parameters other than the learning rate.

    Parameters
    ----------
    schedules : dict of str to Schedule
        The schedule of each parameter.

    progress : Progress
        The position of the next updates in the training.

    highest_rate : float
        The highest initial dropout rate.

    Returns
    -------
    factors : dict of str to ndarray of shape (n,)
        The factors of each parameter.

    Raises
    ------
    ValueError
        As for :func:`factors`, or if a dropout rate is 1 or more.
    """
    found = {n: factors(s, progress, f"{n}__schedule") for n, s in schedules.items()}
    rates = highest_rate * found.get("dropout", np.zeros(1))
    if rates.max(initial=0) >= 1:
        where = int((rates >= 1).argmax())
        raise ValueError(
            f"dropout__schedule={schedules['dropout']!r} returns the factor "
            f"{found['dropout'][where]} at update {progress.update[where]}, which makes "
            f"the rate of dropout {rates[where]}: it must be less than 1. Lower the "
            "initial rate, or the factor."
        )
    return found


def coefficients(step, rate, t):
    """Return the coefficients of a step for the next updates.

    Parameters
    ----------
    step : Step
        The step, such as a solver.

    rate : ndarray of shape (n,)
        The learning rate of each update.

    t : ndarray of shape (n,)
        The number of updates before each update.

    Returns
    -------
    coefficients : list of ndarray of shape (n,), dtype=float64

    Raises
    ------
    ValueError
        If the step fails, or if it returns anything but a tuple of numbers.
    """

    def shown():
        # Only for messages: the repr of an estimator takes longer than the rest.
        return f"{'solver=' if isinstance(step, Solver) else ''}{step!r}"

    try:
        found = step.coefficients(rate, t)
    except Exception as error:
        raise ValueError(
            f"The coefficients of {shown()} raised {type(error).__name__}: {error}. They "
            f"are asked for with arrays rate and t of shape {rate.shape}."
        ) from error
    if not isinstance(found, tuple):
        raise ValueError(f"The coefficients of {shown()} must be a tuple, got {found!r}.")
    values = []
    for place, coefficient in enumerate(found):
        try:
            value = np.asarray(coefficient).astype(np.float64, casting="same_kind")
            values.append(np.broadcast_to(value, rate.shape))
        except (TypeError, ValueError):
            raise ValueError(
                f"The coefficients of {shown()} must be numbers or arrays of shape "
                f"{rate.shape}, got {coefficient!r} at {place}."
            ) from None
    return values


def check_function(parameter, function, arguments):
    """Raise if a function does not take these arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some functions in C have no signature.
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ValueError(
            f"{parameter}={function!r} must take ({', '.join(arguments)}), but takes "
            f"{signature}: {error}."
        ) from None
