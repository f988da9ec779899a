"""Error messages that name what the caller knows: parameters, arguments, columns."""

import inspect
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, wraps
from typing import Any, Self, TypeVar

from sklearn.base import BaseEstimator, _fit_context, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)

from skgd._faults import data_fault
from skgd._state import unchanged_by_errors
from skgd._synonyms import name_hint, nested_hint, value_hint

__all__ = ["Explained", "explained", "explained_fit"]

Method = TypeVar("Method", bound=Callable)


def explained(method: Method) -> Method:
    """Decorate a method to complete the messages of its errors.

    The messages then name the estimator's class even if the method is inherited, the
    argument that the caller may have meant, and the argument, column and row at fault. The
    types of the errors do not change.
    """
    signature = inspect.signature(method)

    @wraps(method)
    def call(self, *args, **kwargs) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (OverflowError, TypeError, ValueError) as error:
            try:
                arguments = signature.bind(self, *args, **kwargs).arguments
            except TypeError:
                if type(error) is TypeError:
                    error.args = (_wrong_call(error, method, signature, self, kwargs),)
            else:
                _name_data(error, self, arguments)
            raise

    # For tools that do not follow `__wrapped__`.
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


def explained_fit(method: Method) -> Method:
    """Decorate a method that fits: check the parameters first, and explain errors."""
    return explained(_fit_context(prefer_skip_nested_validation=True)(method))


def _wrong_call(error, method, signature, estimator, kwargs):
    cls = type(estimator)
    message = str(error).replace(
        f"{method.__qualname__}(", f"{cls.__name__}.{method.__name__}("
    )
    accepted = list(signature.parameters)[1:]
    unknown = [name for name in kwargs if name not in accepted]
    if unknown:
        allowed = f"It takes {', '.join(accepted)}."
        hint = name_hint(unknown[0], cls, method.__name__, accepted)
        return f"{message}. {hint or allowed}"
    by_name = [p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
    if by_name and "positional arguments but" in message:
        message += f". Pass {by_name[0].name} and all that follows by name."
    return message


def _name_data(error, estimator, arguments):
    """Begin the message with the argument, column and row at fault."""
    if isinstance(error, InvalidParameterError | NotFittedError):
        return
    if re.search(r"\b(X|y|sample_weight)_val\b", str(error)):
        return
    labels = is_classifier(estimator)
    names = list(estimator._explained_data)
    if not (labels or is_regressor(estimator)):
        names.remove("y")
    given = {name: arguments[name] for name in names if name in arguments}
    data = {n: value for n, value in given.items() if n in "Xy" or value is not None}
    message = str(error)
    try:
        fault = data_fault(message, data, labels) if data else None
    except Exception:
        # Data that cannot be searched must not hide the error.
        return
    if fault is not None and not message.startswith(fault):
        error.args = (f"{fault}\n{message}",)


@cache
def _valid_defaults(cls):
    """Return the default of each parameter, ``empty`` if it has no valid default."""
    found, parameters = {}, inspect.signature(cls).parameters
    for name in cls._get_param_names():
        default = parameters[name].default
        try:
            validate_parameter_constraints(
                cls._parameter_constraints, {name: default}, cls.__name__
            )
        except InvalidParameterError:
            default = inspect.Parameter.empty
        found[name] = default
    return found


class Explained(BaseEstimator):
    """Adds hints to errors about parameters."""

    # The arguments that are searched for faults.
    _explained_data: tuple[str, ...] = ("X", "y", "sample_weight", "groups")

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = explained(cls.__init__)  # type: ignore[method-assign]

    def set_params(self, **params) -> Self:
        """Set parameters by name, all of them or none.

        Parameters
        ----------
        **params : dict
            The parameters.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If a parameter does not exist.
        """
        try:
            with ExitStack() as stack:
                for one in (self, *vars(self).values(), *params.values()):
                    if hasattr(one, "set_params") and not isinstance(one, type):
                        stack.enter_context(unchanged_by_errors(one))
                self._check_nested(params)
                return super().set_params(**params)
        except ValueError as error:
            known = self._get_param_names()
            names = (name.partition("__")[0] for name in params)
            unknown = next((name for name in names if name not in known), None)
            hint = name_hint(unknown, type(self), "set_params", known) if unknown else None
            if hint:
                error.args = (f"{error} {hint}",)
            raise

    def _check_nested(self, params):
        """Raise if ``a__b`` is set although ``a`` has no parameters, such as a name."""
        nested: dict[str, dict] = {}
        for key, value in params.items():
            name, delimiter, inner = key.partition("__")
            if delimiter and name in self._get_param_names():
                nested.setdefault(name, {})[inner] = value
        for name, inner in nested.items():
            value = params.get(name, getattr(self, name))
            if not hasattr(value, "set_params") or isinstance(value, type):
                keys = ", ".join(f"{name}__{key}" for key in inner)
                hint = nested_hint(name, inner, value, self._parameter_constraints)
                raise ValueError(
                    f"{keys} cannot be set: {name}={value!r} of {type(self).__name__} has "
                    f"no parameters of its own. {hint or ''}".rstrip()
                )

    def _validate_params(self):
        cls: Any = type(self)
        # Checking defaults again would take a tenth of a small fit.
        defaults = _valid_defaults(cls).items()
        params = {n: getattr(self, n) for n, d in defaults if getattr(self, n) is not d}
        try:
            validate_parameter_constraints(cls._parameter_constraints, params, cls.__name__)
        except InvalidParameterError as error:
            # "The 'name' parameter of ..."
            name = str(error).split("'")[1]
            hint = value_hint(name, getattr(self, name), self._parameter_constraints)
            if hint:
                error.args = (f"{error} {hint}",)
            raise
