"""From the parameters of an estimator to plug-in objects."""

from skgd.activations import ACTIVATIONS
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS

__all__ = ["activations_of", "schedule_of", "solver_of"]


def _object(estimator, registry, name):
    cls = registry[name]
    return cls(**{name: getattr(estimator, name) for name in cls.argument_names()})


def solver_of(estimator):
    """Return the solver as an object."""
    return _object(estimator, SOLVERS, estimator.solver)


def schedule_of(estimator):
    """Return the schedule as an object."""
    return _object(estimator, SCHEDULES, estimator.learning_rate)


def activations_of(estimator, n_hidden):
    """Return the activation of each hidden layer as an object."""
    return [ACTIVATIONS[estimator.activation]()] * n_hidden
