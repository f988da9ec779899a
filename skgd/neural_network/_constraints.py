"""The allowed values of a network's parameters, alone and together."""

import inspect
from functools import cache
from numbers import Integral, Real
from operator import is_
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from skgd._caller import warn
from skgd.activations import ACTIVATIONS, Activation, Parametric
from skgd.embeddings import EMBEDDINGS, NumericEmbedding
from skgd.engine.plugins import Plugin
from skgd.engine.stage import KINDS
from skgd.initializers import INITIALIZERS, Initializer
from skgd.schedules import SCHEDULES, Schedule, Scheduled
from skgd.solvers import SOLVERS, Solver

__all__ = [
    "CONSTRAINTS",
    "FLAT",
    "OF_ONE_LAYER",
    "Choice",
    "ObjectOf",
    "check_arguments",
    "check_compatible",
    "check_parameters",
    "default_of",
    "dropout_rates",
    "hidden_layer_sizes",
    "initial_of",
    "shared",
]

# The flat parameters: arguments of a plug-in that is given by its name. They are listed by
# the parameter that takes the name.
FLAT = {
    "solver": (
        "momentum",
        "nesterovs_momentum",
        "beta_1",
        "beta_2",
        "epsilon",
        "rho",
    ),
    "learning_rate": ("power_t", "decay_rate", "decay_steps", "staircase"),
    "activation": (),
    "loss": (),
}


class Choice(StrOptions):
    """Strings, listed in order: the order of a set differs between processes."""

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


class ObjectOf(HasMethods):
    """An object of a family of plug-ins.

    ``family`` is the subpackage of the ``base`` class. ``registry`` has the plug-ins with
    names.
    """

    def __init__(self, base, family, registry):
        super().__init__("get_params")
        self.base = base
        self.family = family
        self.registry = registry

    def is_satisfied_by(self, val):
        return isinstance(val, self.base)

    def __str__(self):
        return f"a skgd.{self.family}.{self.base.__name__} object"


class OneForEach(HasMethods):
    """A list whose items each satisfy one of the constraints."""

    def __init__(self, *constraints):
        super().__init__("__iter__")
        self.constraints = constraints

    def is_satisfied_by(self, val):
        return isinstance(val, list | tuple) and all(
            any(c.is_satisfied_by(item) for c in self.constraints) for item in val
        )

    def __str__(self):
        return "a list of these, one for each hidden layer"


class FunctionOf(HasMethods):
    """A function; not a class, and not a plug-in that can be called."""

    def __init__(self, arguments):
        super().__init__("__call__")
        self.arguments = arguments

    def is_satisfied_by(self, val):
        return callable(val) and not isinstance(val, type | Plugin)

    def __str__(self):
        return f"a function of ({self.arguments})"


class Splitter(HasMethods):
    """An object that splits rows, not its class."""

    def __init__(self):
        super().__init__(["split", "get_n_splits"])

    def is_satisfied_by(self, val):
        return not isinstance(val, type) and super().is_satisfied_by(val)

    def __str__(self):
        return "a splitter of sklearn.model_selection, such as GroupShuffleSplit()"


OF_ONE_LAYER = [Choice(set(ACTIVATIONS)), ObjectOf(Activation, "activations", ACTIVATIONS)]
_PARAMETRIC = ObjectOf(Parametric, "activations", {})
_SCHEDULED = ObjectOf(Scheduled, "schedules", {})

CONSTRAINTS: dict = {
    "hidden_layer_sizes": [
        "array-like",
        Interval(Integral, 1, None, closed="left"),
    ],
    "activation": [*OF_ONE_LAYER, _PARAMETRIC, OneForEach(*OF_ONE_LAYER, _PARAMETRIC)],
    "solver": [Choice({*SOLVERS, "lbfgs"}), ObjectOf(Solver, "solvers", SOLVERS)],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [
        Choice({"auto"}),
        Interval(Integral, 1, None, closed="left"),
    ],
    "learning_rate": [
        Choice(set(SCHEDULES)),
        ObjectOf(Schedule, "schedules", SCHEDULES),
        FunctionOf("update, n_updates"),
    ],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left"), Splitter()],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "batch_normalization": ["boolean"],
    "batch_normalization_momentum": [Interval(Real, 0, 1, closed="left")],
    "batch_normalization_epsilon": [Interval(Real, 0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0, None, closed="left"), _SCHEDULED],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "learning_rate_factors": [dict, None],
    "ema_decay": [Interval(Real, 0, 1, closed="left"), None],
    "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple, _SCHEDULED],
    "scoring": [Choice({*get_scorer_names(), "loss"}), callable, None],
    "numeric_embedding": [
        Choice(set(EMBEDDINGS)),
        ObjectOf(NumericEmbedding, "embeddings", EMBEDDINGS),
        None,
    ],
    "layer_normalization": ["boolean"],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "init": [
        Choice(set(INITIALIZERS)),
        ObjectOf(Initializer, "initializers", INITIALIZERS),
        FunctionOf("shape, rng"),
    ],
    "n_jobs": [
        Interval(Integral, 1, None, closed="left"),
        Interval(Integral, None, -1, closed="right"),
        None,
    ],
}
# Flat parameters have the constraints of their plug-ins.
CONSTRAINTS.update(
    (name, plugin._parameter_constraints[name])
    for parameter, registry in (("solver", SOLVERS), ("learning_rate", SCHEDULES))
    for plugin in registry.values()
    for name in FLAT[parameter]
    if name in plugin._parameter_constraints and name not in plugin.own_arguments
)


def shared(arguments):
    """Return the arguments of a constructor that both estimators have."""
    return {name: arguments[name] for name in CONSTRAINTS}


# For each estimator, the parameters that were valid at the last check.
_VALID: WeakKeyDictionary = WeakKeyDictionary()


def check_parameters(estimator):
    """Validate each parameter on its own, if any has changed since the last check.

    The check takes as long as some mini-batches.

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


def check_arguments(parameter, plugin, constraints):
    """Raise if an argument of an object does not satisfy its constraints."""
    try:
        validate_parameter_constraints(
            constraints, plugin.get_params(deep=False), type(plugin).__name__
        )
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{parameter}={plugin!r}: {error}") from None


def hidden_layer_sizes(estimator):
    """Return the widths of the hidden layers, as a list.

    Raises
    ------
    ValueError
        If one is not a positive integer.
    """
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if np.iterable(sizes) else [sizes]
    # In Python, True is an integer.
    if not all(isinstance(n, Integral) and int(n) > 0 and n is not True for n in sizes):
        raise ValueError(
            "hidden_layer_sizes must be an integer > 0 or a sequence of integers > 0, got "
            f"{estimator.hidden_layer_sizes!r}."
        )
    return sizes


@cache
def _signature(cls):
    return inspect.signature(cls.__init__)


def default_of(cls, name):
    """Return the default of a parameter, also if only a base class has it."""
    for base in cls.__mro__:
        parameters = _signature(base).parameters
        if name in parameters:
            return parameters[name].default
    raise AssertionError(name)


def initial_of(value):
    """Return the value of a parameter, the initial one if it is scheduled."""
    return value.initial if isinstance(value, Scheduled) else value


def dropout_rates(estimator, n_hidden):
    """Return the initial rates of dropout: for the input and for each hidden layer.

    Raises
    ------
    ValueError
        If ``dropout`` is neither a rate nor a list of these rates.
    """
    rates = initial_of(estimator.dropout)
    if isinstance(rates, Real):
        rates = (0.0, *[rates] * n_hidden)
    allowed = Interval(Real, 0, 1, closed="left")
    is_list = isinstance(rates, list | tuple) and len(rates) == n_hidden + 1
    if not (is_list and all(map(allowed.is_satisfied_by, rates))):
        raise ValueError(
            f"dropout={estimator.dropout!r} must be a number in [0, 1) or, for "
            f"hidden_layer_sizes={estimator.hidden_layer_sizes!r}, a list of "
            f"{n_hidden + 1} of them: one for the input, and one for each hidden layer. "
            "A schedule applies to all of them: Scheduled([...], schedule)."
        )
    return tuple(map(float, rates))


def check_compatible(estimator, incremental):
    """Raise for parameters that exclude each other; warn of those without effect.

    Parameters
    ----------
    estimator : BaseMLP
        Each of its parameters is valid on its own.

    incremental : bool
        Whether this is ``partial_fit``.

    Raises
    ------
    ValueError
        If parameters exclude each other.
    """
    _check_factors(estimator.learning_rate_factors or {})
    if isinstance(estimator.solver, str) and estimator.solver != "lbfgs":
        solver = SOLVERS[estimator.solver]
        for name in solver.own_arguments:
            found = getattr(estimator, name)
            if found not in (default_of(type(estimator), name), getattr(solver(), name)):
                warn(
                    f"{name}={found!r} has no effect with solver={estimator.solver!r}. "
                    f"Write solver={solver(**{name: found})!r}, a class of skgd.solvers."
                )
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    weights = estimator.class_weight
    if incremental and "balanced" in (weights if isinstance(weights, list) else [weights]):
        raise ValueError(
            f"class_weight={weights!r} is not supported for partial_fit, which does not "
            "know all targets. Pass a dict: class_weight=dict(zip(classes, "
            "compute_class_weight('balanced', classes=classes, y=y))), where y is a sample "
            "of the targets. For multilabel targets, pass a list of a dict for each label."
        )
    if estimator.layer_normalization:
        if estimator.batch_normalization:
            raise ValueError(
                "batch_normalization=True and layer_normalization=True exclude each other: "
                "both normalize the hidden units. Set one of them to False: "
                "batch_normalization if mini-batches are small, otherwise "
                "layer_normalization, with which predictions take longer."
            )
        if 1 in hidden_layer_sizes(estimator):
            raise ValueError(
                "layer_normalization=True needs at least 2 units in each hidden layer, "
                "since a single unit always equals the mean, got hidden_layer_sizes="
                f"{estimator.hidden_layer_sizes!r}."
            )
    if estimator.batch_normalization and estimator.batch_size == 1:
        raise ValueError(
            "batch_normalization=True needs mini-batches of at least 2 rows, got "
            "batch_size=1. Increase it, or set batch_normalization=False."
        )


def _check_factors(factors):
    """Raise if ``learning_rate_factors`` has an unknown kind or an invalid factor."""
    allowed = Interval(Real, 0, None, closed="left")
    for kind, factor in factors.items():
        if kind not in KINDS:
            raise ValueError(
                f"learning_rate_factors={factors!r} has {kind!r}, which is not a kind of "
                f"parameters. The kinds are {', '.join(map(repr, KINDS))}."
            )
        if not allowed.is_satisfied_by(factor):
            raise ValueError(
                f"learning_rate_factors[{kind!r}] must be {allowed}, got {factor!r}."
            )
