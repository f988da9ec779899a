"""From the parameters of an estimator to plug-in objects."""

import inspect
from functools import cache
from numbers import Integral, Real
from types import FunctionType

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError, make_constraint

from skgd.activations import ACTIVATIONS, Activation, Identity
from skgd.losses import REGRESSION_LOSSES, Loss, MultinomialLogLoss
from skgd.neural_network._constraints import FLAT
from skgd.schedules import SCHEDULES, FunctionSchedule, Schedule
from skgd.solvers import SOLVERS, Solver

__all__ = [
    "activations_of",
    "check_definition",
    "check_plugins",
    "coefficients",
    "factors",
    "kernel_arguments",
    "loss_of",
    "output_range",
    "schedule_of",
    "solver_of",
]

REGISTRIES = {
    "solver": SOLVERS,
    "learning_rate": SCHEDULES,
    "activation": ACTIVATIONS,
    "loss": REGRESSION_LOSSES,
}
# What a plug-in must define: the arguments of each function of numbers. Those of its
# constructor follow, except for a solver's.
FUNCTIONS = {
    Activation: {"value": "z", "slope": "x"},
    Loss: {"value": "z y", "slope": "z y", "link": "z"},
    Solver: {"update": "theta g state coefficients"},
    Schedule: {},
}
FUNCTIONS_OF_ROWS = {"evaluate": "z y weight scale delta", "apply_link": "z"}


def check_plugins(estimator, n_hidden, incremental):
    """Raise if a plug-in of an estimator is not valid."""
    activations_of(estimator, n_hidden)
    if estimator.solver != "lbfgs":
        solver_of(estimator)
        schedule_of(estimator, incremental)


def solver_of(estimator):
    """Return the Solver of an estimator, whose solver is not 'lbfgs'.

    Raises
    ------
    ValueError
        If it is not valid, or if there are parameters of the estimator without effect.
    """
    return _plugin(estimator, "solver", estimator.solver)


def schedule_of(estimator, incremental=False):
    """Return the Schedule of an estimator.

    Parameters
    ----------
    estimator : BaseMLP
        Its ``learning_rate`` is a name, an object or a function.

    incremental : bool, default=False
        Whether this is ``partial_fit``, which does not know how many updates there will
        be.

    Returns
    -------
    schedule : Schedule

    Raises
    ------
    ValueError
        As for :func:`solver_of`, or if the schedule needs to know.
    """
    rate = estimator.learning_rate
    if callable(rate) and not isinstance(rate, Schedule):
        _check_function(rate)
        rate = FunctionSchedule(rate)
    schedule = _plugin(estimator, "learning_rate", rate)
    known = not incremental or getattr(schedule, "total", None) is not None
    if schedule.needs_n_updates and not known:
        remedy = "Set its total" if "total" in schedule.argument_names() else "Use fit"
        raise ValueError(
            f"learning_rate={schedule!r} needs the number of all updates, which "
            f"partial_fit does not know. {remedy}."
        )
    return schedule


def activations_of(estimator, n_hidden):
    """Return an Activation for each hidden layer.

    Raises
    ------
    ValueError
        If one is not valid, or if there are more or fewer than hidden layers.
    """
    given = estimator.activation
    if not isinstance(given, list | tuple):
        return [_plugin(estimator, "activation", given)] * n_hidden
    if len(given) != n_hidden:
        raise ValueError(
            f"activation={given!r} is a list of {len(given)}, but hidden_layer_sizes="
            f"{estimator.hidden_layer_sizes!r} asks for {n_hidden}: one for each hidden "
            "layer. One that is not in a list is for all."
        )
    return [_plugin(estimator, "activation", activation) for activation in given]


def output_range(estimator, activations):
    """Return the activation whose gain is that of the output's initial weights.

    As in scikit-learn that is the one of the hidden layers, here the last of them.
    """
    if activations:
        return activations[-1]
    given = estimator.activation
    return (
        Identity() if isinstance(given, list | tuple) else activations_of(estimator, 1)[0]
    )


def loss_of(estimator):
    """Return the Loss of a regressor.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    loss = _plugin(estimator, "loss", estimator.loss)
    if isinstance(loss, MultinomialLogLoss):
        raise ValueError(f"loss={loss!r} is one of classes: use MLPClassifier.")
    return loss


def kernel_arguments(estimator):
    """Yield what compiled functions get of the arguments of plug-ins.

    Yields
    ------
    name : str
        The parameter, as ``set_params`` takes it.

    value : float
        Its value.

    is_divisor : bool
        Whether it must not be zero.
    """
    plugins = [("solver", solver_of(estimator))]
    for parameter in ("activation", "loss"):
        value = getattr(estimator, parameter)
        of_layers = value if isinstance(value, list | tuple) else [value]
        plugins += [(parameter, p) for p in of_layers if not isinstance(p, str)]
    for parameter, plugin in plugins:
        is_named = isinstance(getattr(estimator, parameter), str)
        prefix = "" if is_named else f"{parameter}__"
        for name, value in plugin.get_params(deep=False).items():
            if isinstance(value, Real):
                options = plugin._parameter_constraints.get(name, [Real])
                allowed = (make_constraint(o).is_satisfied_by(0.0) for o in options)
                yield prefix + name, value, not any(allowed)


def _plugin(estimator, parameter, value):
    """Return the object that a name stands for, or check an object."""
    names = FLAT[parameter]
    if isinstance(value, str):
        if value not in REGISTRIES[parameter]:
            raise ValueError(
                f"{parameter} must be one of {sorted(REGISTRIES[parameter])}, got "
                f"{value!r}."
            )
        plugin = REGISTRIES[parameter][value]
        if not names:
            return plugin()
        flat = [name for name in plugin.argument_names() if name in names]
        return plugin(**{name: getattr(estimator, name) for name in flat})
    try:
        check_definition(value)
    except TypeError as error:
        raise TypeError(f"{parameter} cannot be used: {error}") from None
    try:
        value._validate_params()
        _check_numbers(value)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{parameter}={value!r}: {error}") from None
    for name in names:
        _check_default(estimator, name, parameter, value)
    return value


def _check_default(estimator, name, parameter, plugin):
    """Raise if a flat parameter is set that an object takes no notice of."""
    found, default = getattr(estimator, name), _default(type(estimator), name)
    if found == default:
        return
    remedy = f"Leave {name} at its default, {default!r}"
    if name in plugin.argument_names():
        instead = clone(plugin).set_params(**{name: found})
        remedy += f", and write {parameter}={instead!r}"
    raise ValueError(
        f"{name}={found!r} has no effect with {parameter}={plugin!r}. {remedy}."
    )


def _default(cls, name):
    """Return the default of a parameter, also one that a subclass does not show."""
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if name in parameters:
            return parameters[name].default
    raise AssertionError(name)


def _check_numbers(plugin):
    """Raise if an argument of a plug-in's functions of numbers is no number."""
    if not isinstance(plugin, Activation | Loss):
        return
    for name, value in plugin.get_params(deep=False).items():
        if not isinstance(value, Real | np.bool_):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(plugin).__name__} must be a number, "
                f"since compiled functions take it. Got {value!r} instead."
            )


def check_definition(plugin):
    """Raise if the class of a plug-in lacks what its base class asks for.

    Parameters
    ----------
    plugin : Plugin
        Of one of the four families.

    Raises
    ------
    TypeError
        It names the class and what is missing.
    """
    cls = type(plugin)
    _check_class(cls)
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
    if base is Schedule and cls.__call__ is Schedule.__call__:
        raise TypeError(
            f"{cls.__name__} must define __call__(self, progress), as every Schedule does."
        )
    if base is Activation and cls.slope_of not in ("value", "input"):
        raise TypeError(
            f"{cls.__name__}.slope_of must be 'value' or 'input', got {cls.slope_of!r}."
        )
    n_slots = getattr(cls, "n_slots", 0)
    if not (isinstance(n_slots, Integral) and n_slots >= 0):
        raise TypeError(f"{cls.__name__}.n_slots must be an int >= 0, got {n_slots!r}.")


def _argument_names(cls):
    """Return the names of the constructor's arguments; there must be no others."""
    if cls.__init__ is object.__init__:
        return []
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise TypeError(
                f"{cls.__name__}.__init__ must name all of its arguments, got {parameter}."
            )
    return [parameter.name for parameter in parameters]


def _check_function_of_numbers(cls, name, takes, n_first):
    """Raise if it is no static method of these arguments."""
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


def _check_function(function):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some functions in C have none.
        return
    try:
        signature.bind("update", "n_updates")
    except TypeError as error:
        raise ValueError(
            f"learning_rate={function!r} must take (update, n_updates), but takes "
            f"{signature}: {error}."
        ) from None


def factors(schedule, progress):
    """Return the factors of the initial learning rate for the next updates.

    Parameters
    ----------
    schedule : Schedule
        What decides them.

    progress : Progress
        Where the training stands.

    Returns
    -------
    factors : ndarray of shape (n,), dtype=float64

    Raises
    ------
    ValueError
        If the schedule fails, or if it returns anything but finite numbers >= 0.
    """
    shape = progress.update.shape
    is_function = isinstance(schedule, FunctionSchedule)
    shown = f"learning_rate={schedule.function if is_function else schedule!r}"
    try:
        found = schedule(progress)
    except Exception as error:
        raise ValueError(
            f"{shown} raised {type(error).__name__}: {error}. The updates that it is asked "
            f"for are an array of shape {shape}, n_updates={progress.n_updates}."
        ) from error
    try:
        # Not even to drop the imaginary part.
        values = np.asarray(found).astype(np.float64, casting="same_kind", copy=False)
        values = np.broadcast_to(values, shape)
    except (TypeError, ValueError):
        got = f"shape {np.shape(found)}" if isinstance(found, np.ndarray) else repr(found)
        raise ValueError(
            f"{shown} must return a number or an array of shape {shape}, got {got}."
        ) from None
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        where = int(bad.argmax())
        raise ValueError(
            f"{shown} must return finite numbers >= 0, got {values[where]} at update "
            f"{progress.update[where]}."
        )
    return np.ascontiguousarray(values)


def coefficients(solver, rate, t):
    """Return what a solver computes for all parameters of the next updates.

    Parameters
    ----------
    solver : Solver
        What decides it.

    rate : ndarray of shape (n,)
        The learning rates.

    t : ndarray of shape (n,)
        The numbers of updates before.

    Returns
    -------
    coefficients : list of ndarray of shape (n,), dtype=float64

    Raises
    ------
    ValueError
        If they are not finite numbers.
    """
    found = solver.coefficients(rate, t)
    if not isinstance(found, tuple):
        raise ValueError(
            f"The coefficients of solver={solver!r} must be a tuple, got {found!r}."
        )
    values = []
    for place, coefficient in enumerate(found):
        try:
            value = np.asarray(coefficient).astype(np.float64, casting="same_kind")
            values.append(np.broadcast_to(value, rate.shape))
        except (TypeError, ValueError):
            raise ValueError(
                f"The coefficients of solver={solver!r} must be numbers or arrays of shape "
                f"{rate.shape}, got {coefficient!r} at {place}."
            ) from None
    return values
