"""Create the plug-in objects of an estimator from its parameters."""

from collections.abc import Mapping
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from skgd.activations import ACTIVATIONS, Activation, Identity, Parametric
from skgd.embeddings import EMBEDDINGS, NumericEmbedding
from skgd.engine import Step
from skgd.engine.contracts import check_definition, check_function, check_step_size
from skgd.losses import (
    CLASSIFICATION_LOSSES,
    LOSSES,
    OF_SEVERAL_CLASSES,
    REGRESSION_LOSSES,
    Loss,
    MultinomialFocal,
    MultinomialLogLoss,
)
from skgd.neural_network._constraints import (
    CONSTRAINTS,
    FLAT,
    OF_ONE_LAYER,
    ObjectOf,
    check_arguments,
    default_of,
    initial_of,
)
from skgd.schedules import SCHEDULES, FunctionSchedule, Schedule, Scheduled
from skgd.solvers import SOLVERS, Solver
from skgd.steps import Clip, Decay, Shrink

__all__ = [
    "Plugins",
    "activations_of",
    "check_numbers",
    "embedding_of",
    "has_own_link",
    "loss_of",
    "output_range",
    "plugins_of",
    "schedule_of",
    "solver_of",
]

REGISTRIES = {
    "solver": SOLVERS,
    "learning_rate": SCHEDULES,
    "dropout__schedule": SCHEDULES,
    "weight_decay__schedule": SCHEDULES,
    "activation": ACTIVATIONS,
    "numeric_embedding": EMBEDDINGS,
    "loss": REGRESSION_LOSSES | CLASSIFICATION_LOSSES,
}


class Plugins(NamedTuple):
    """The objects that a network is trained with.

    Attributes
    ----------
    activations : list of Activation or Parametric
        The activations of the hidden layers.

    solver : Solver or None
        None for 'lbfgs'.

    schedule : Schedule or None
        None for 'lbfgs'.

    loss : Loss or None
        None until the targets are known.

    before, after : tuple of Step
        The steps of an update before and after the solver.

    scheduled : dict of str to Schedule
        The schedules of parameters other than the learning rate.

    embedding : NumericEmbedding or None
        The embedding of the features.
    """

    activations: list[Activation | Parametric]
    solver: Solver | None
    schedule: Schedule | None
    loss: Loss | None = None
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    scheduled: Mapping[str, Schedule] = {}
    embedding: NumericEmbedding | None = None

    @property
    def steps(self):
        """The chain of steps of an update."""
        return (*self.before, self.solver, *self.after)

    @property
    def n_slots(self):
        """The numbers of state that an update keeps for each parameter."""
        return sum(step.n_slots for step in self.steps)


def plugins_of(estimator, n_hidden, incremental):
    """Return the plug-ins of an estimator except the loss, or raise if one is not valid."""
    activations = activations_of(estimator, n_hidden)
    if estimator.solver == "lbfgs":
        return Plugins(activations, None, None)
    scheduled = {
        name: schedule_of(estimator, incremental, name)
        for name in ("dropout", "weight_decay")
        if isinstance(getattr(estimator, name), Scheduled)
    }
    before: list[Step] = []
    if estimator.max_grad_norm is not None:
        before.append(Clip(float(estimator.max_grad_norm)))
    decay = initial_of(estimator.weight_decay)
    if decay:
        before.append(Decay(float(decay)))
    solver = solver_of(estimator)
    # The estimators for tables have no penalty.
    l1_ratio = getattr(estimator, "l1_ratio", 0.0)
    absolute = float(estimator.alpha) * float(l1_ratio) if l1_ratio else 0.0
    if absolute:
        check_step_size(f"{l1_ratio=}", solver)
    return Plugins(
        activations,
        solver,
        schedule_of(estimator, incremental),
        before=tuple(before),
        after=(Shrink(solver, absolute),) if absolute else (),
        scheduled=scheduled,
        embedding=embedding_of(estimator),
    )


def solver_of(estimator):
    """Return the Solver of an estimator whose solver is not 'lbfgs'.

    Raises
    ------
    ValueError
        If the solver is not valid, or if a flat parameter has no effect.
    """
    return _plugin(estimator, "solver", estimator.solver).resolved()


def schedule_of(estimator, incremental=False, parameter="learning_rate"):
    """Return the Schedule of an estimator.

    Parameters
    ----------
    estimator : BaseMLP
        Its ``learning_rate`` is a name, an object or a function.

    incremental : bool, default=False
        Whether this is ``partial_fit``, which does not know how many updates there will
        be.

    parameter : str, default="learning_rate"
        The parameter with the schedule. Any other than the learning rate is a Scheduled.

    Returns
    -------
    schedule : Schedule

    Raises
    ------
    ValueError
        As for :func:`solver_of`, or if the schedule needs the number of updates and
        ``partial_fit`` does not know it.
    """
    rate = getattr(estimator, parameter)
    if isinstance(rate, Scheduled):
        # The constraints of the initial value: a number or a list.
        plain = [c for c in CONSTRAINTS[parameter] if not isinstance(c, ObjectOf)]
        check_arguments(
            parameter, rate, {"initial": plain, "schedule": CONSTRAINTS["learning_rate"]}
        )
        parameter, rate = f"{parameter}__schedule", rate.schedule
    if callable(rate) and not isinstance(rate, Schedule):
        check_function(parameter, rate, ("update", "n_updates"))
        rate = FunctionSchedule(rate)
    schedule = _plugin(estimator, parameter, rate)
    if parameter != "learning_rate" and schedule.after_plateau is not None:
        raise ValueError(
            f"{parameter}={rate!r} has a schedule that changes only the learning rate, "
            "after a plateau. Use one without after_plateau, such as 'flat_cos'."
        )
    known = not incremental or getattr(schedule, "total", None) is not None
    if schedule.needs_n_updates and not known:
        remedy = "Set its total" if "total" in schedule.argument_names() else "Use fit"
        raise ValueError(
            f"{parameter}={schedule!r} needs the number of all updates, which "
            f"partial_fit does not know. {remedy}."
        )
    return schedule


def embedding_of(estimator):
    """Return the NumericEmbedding of an estimator, or None.

    Raises
    ------
    ValueError
        If ``numeric_embedding`` is not valid.
    """
    given = estimator.numeric_embedding
    return None if given is None else _plugin(estimator, "numeric_embedding", given)


def activations_of(estimator, n_hidden):
    """Return an Activation or a Parametric one for each hidden layer.

    Raises
    ------
    ValueError
        If one is not valid, or if their number is not that of the hidden layers.
    """
    given = estimator.activation
    if not isinstance(given, list | tuple):
        return [_activation(estimator, given)] * n_hidden
    if len(given) != n_hidden:
        raise ValueError(
            f"activation={given!r} is a list of {len(given)}, but hidden_layer_sizes="
            f"{estimator.hidden_layer_sizes!r} asks for {n_hidden}: one for each hidden "
            "layer. A single one, not in a list, applies to all layers."
        )
    return [_activation(estimator, activation) for activation in given]


def _activation(estimator, given):
    """Return the object that a name stands for, or check one; also within a Parametric."""
    if not isinstance(given, Parametric):
        return _plugin(estimator, "activation", given)
    check_arguments(
        "activation", given, {"activation": OF_ONE_LAYER, **given._parameter_constraints}
    )
    return Parametric(_plugin(estimator, "activation", given.activation), given.initial)


def output_range(estimator, activations):
    """Return the activation whose gain scales the output's initial weights.

    As in scikit-learn, it is the activation of the hidden layers, here of the last one.
    """
    if activations:
        return activations[-1]
    given = estimator.activation
    return (
        Identity() if isinstance(given, list | tuple) else activations_of(estimator, 1)[0]
    )


def loss_of(estimator, kind="continuous"):
    """Return the Loss of an estimator for a kind of target, 'continuous' or of classes.

    Raises
    ------
    ValueError
        If ``loss`` is not valid for this kind of target.
    """
    given = estimator.loss
    loss = _plugin(
        estimator, "loss", given.resolved() if isinstance(given, Loss) else given
    )
    if kind == "continuous":
        if isinstance(loss, MultinomialFocal | MultinomialLogLoss):
            raise ValueError(f"loss={loss!r} is a loss of classes. Use MLPClassifier.")
        return loss
    if kind == "multiclass" and type(loss) in OF_SEVERAL_CLASSES:
        loss = OF_SEVERAL_CLASSES[type(loss)](**loss.get_params())
    is_of_rows, link = (True, "softmax") if kind == "multiclass" else (False, "logistic")
    if (loss.evaluate is not None, loss.out_activation) != (is_of_rows, link):
        raise ValueError(
            f"loss={loss!r} cannot be used for y that is {kind}: it must have "
            f"out_activation={link!r}, got {loss.out_activation!r}, and define "
            f"{'evaluate' if is_of_rows else 'value and slope'}. Names are "
            f"{sorted(CLASSIFICATION_LOSSES)}."
        )
    if estimator.label_smoothing and is_of_rows and not loss.takes_smoothing:
        raise ValueError(
            f"label_smoothing={estimator.label_smoothing} has no effect with "
            f"loss={loss!r}, whose takes_smoothing is False. Set label_smoothing=0."
        )
    return loss


def has_own_link(loss):
    """Return whether a loss has a link that is not one of skgd's."""
    known = [one for (_, link), one in LOSSES.items() if link == loss.out_activation]
    links = (loss.link, loss.apply_link)
    return all((one.link, one.apply_link) != links for one in known)


def _plugin(estimator, parameter, value):
    """Return the object that a name stands for, or check an object."""
    # The estimators for tables have no flat parameters.
    names = [name for name in FLAT.get(parameter, ()) if hasattr(estimator, name)]
    if isinstance(value, str):
        if value not in REGISTRIES[parameter]:
            raise ValueError(
                f"{parameter} must be one of {sorted(REGISTRIES[parameter])}, got "
                f"{value!r}."
            )
        plugin = REGISTRIES[parameter][value]
        if not names:
            return plugin()
        flat = set(plugin.argument_names()) & set(names) - set(plugin.own_arguments)
        return plugin(**{name: getattr(estimator, name) for name in flat})
    try:
        check_definition(value)
    except TypeError as error:
        raise TypeError(f"{parameter} cannot be used: {error}") from None
    try:
        value._validate_params()
        check_numbers(value)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{parameter}={value!r}: {error}") from None
    for name in names:
        _check_default(estimator, name, parameter, value)
    return value


def _check_default(estimator, name, parameter, plugin):
    """Raise if a flat parameter is set although a plug-in object ignores it."""
    found, default = getattr(estimator, name), default_of(type(estimator), name)
    if found == default:
        return
    remedy = f"Leave {name} at its default, {default!r}"
    if name in plugin.argument_names():
        instead = clone(plugin).set_params(**{name: found})
        remedy += f", and write {parameter}={instead!r}"
    raise ValueError(
        f"{name}={found!r} has no effect with {parameter}={plugin!r}. {remedy}."
    )


def check_numbers(plugin):
    """Raise if an argument of a plug-in's compiled functions is not a number."""
    if not isinstance(plugin, Activation | Loss) or getattr(plugin, "takes_array", False):
        return
    for name, value in plugin.get_params(deep=False).items():
        if not isinstance(value, Real | np.bool_):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(plugin).__name__} must be a number, "
                f"since compiled functions take it. Got {value!r} instead."
            )
