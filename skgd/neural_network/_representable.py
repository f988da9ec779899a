"""Find parameters that the dtype of a network cannot represent."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import make_constraint

from skgd.activations import Parametric
from skgd.neural_network._constraints import initial_of

__all__ = ["check_representable"]


def check_representable(estimator, solver, dtype):
    """Raise if a parameter becomes infinite in the dtype, or zero where it must not."""
    given: list[tuple] = [
        (name, getattr(estimator, name), None) for name in ("alpha", "learning_rate_init")
    ]
    if estimator.batch_normalization:
        name = "batch_normalization_epsilon"
        given.append((name, getattr(estimator, name), []))
    given.append(("weight_decay", initial_of(estimator.weight_decay), None))
    sigma = getattr(estimator.numeric_embedding, "sigma", 0.0)
    given.append(("numeric_embedding__sigma", sigma, None))
    if estimator.max_grad_norm is not None:
        given.append(("max_grad_norm", estimator.max_grad_norm, []))
    for name, value, options in [*given, *_kernel_arguments(estimator, solver)]:
        with np.errstate(over="ignore", under="ignore"):
            rounded = dtype.type(value)
        overflows = np.isinf(rounded) and not np.isinf(value)
        if overflows or (rounded == 0 != value and not _may_be_zero(options)):
            size = "large" if rounded else "small"
            change = "Decrease" if rounded else "Increase"
            raise ValueError(
                f"{name}={value} is too {size} for {dtype.name}, the dtype of the network. "
                f"{change} it, or fit to X in float64."
            )


def _may_be_zero(options):
    """Return whether zero satisfies one of some constraints; None allows any number."""
    return options is None or any(
        make_constraint(option).is_satisfied_by(0.0) for option in options
    )


def _kernel_arguments(estimator, solver):
    """Yield the arguments of plug-ins that compiled functions take.

    Yields
    ------
    name : str
        The parameter, as ``set_params`` takes it.

    value : float
        Its value.

    options : list or None
        The constraints of the parameter.
    """
    plugins = [("" if isinstance(estimator.solver, str) else "solver__", solver)]
    for parameter in ("activation", "loss"):
        value = getattr(estimator, parameter)
        for plugin in value if isinstance(value, list | tuple) else [value]:
            plugins.append((f"{parameter}__", plugin))
            if isinstance(plugin, Parametric):
                plugins.append((f"{parameter}__activation__", plugin.activation))
    for prefix, plugin in plugins:
        for name in () if isinstance(plugin, str) else plugin.argument_names():
            value = getattr(plugin, name)
            if isinstance(value, Real):
                yield prefix + name, value, plugin._parameter_constraints.get(name)
