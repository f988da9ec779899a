"""A solver without a network, as a method of ``scipy.optimize.minimize``."""

import inspect
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from skgd.compile.jit import jit
from skgd.engine.binding import bind_steps
from skgd.engine.contracts import check_definition, coefficients, factors
from skgd.engine.plugins import Progress, Schedule
from skgd.engine.records import TILE, make_steps

__all__ = ["minimize"]

DEFAULTS: dict[str, Any] = {
    "learning_rate_init": 0.001,
    "learning_rate": "constant",
    "maxiter": 1000,
    "gtol": 1e-5,
    "disp": False,
}
# Arguments that SciPy passes to every method, by default None or an empty tuple.
REFUSED = "hess", "hessp", "bounds", "constraints"
MESSAGES = {
    0: "No component of the gradient is larger than gtol.",
    1: "Maximum number of iterations has been exceeded.",
    2: "A variable, the gradient or the function is not finite. Lower learning_rate_init.",
    99: "`callback` raised `StopIteration`.",
}
# The updates whose coefficients are computed at once.
N_AT_A_TIME = 1024


def minimize(solver, fun, x0, args=(), jac=None, callback=None, **options):
    """Minimize a function; see :meth:`skgd.engine.plugins.Solver.__call__`."""
    check_definition(solver)
    solver._validate_params()
    options = _checked(solver, jac, options)
    solver, schedule = solver.resolved(), _schedule(options["learning_rate"])
    theta = np.atleast_1d(np.array(x0, dtype=np.float64))
    if theta.ndim > 1:
        raise ValueError(f"x0 must have one dimension, got the shape {theta.shape}.")
    problem = _Problem(fun, jac, args if isinstance(args, tuple) else (args,))
    takes_result = callback is not None and (
        set(inspect.signature(callback).parameters) == {"intermediate_result"}
    )
    n_numbers = len(coefficients(solver, np.ones(1), np.zeros(1, dtype=int)))
    kernels = bind_steps(((type(solver), n_numbers),), theta.dtype)
    state = np.zeros((solver.n_slots, theta.size))
    tiles = np.zeros(1, TILE)
    tiles["end"] = theta.size
    (steps,) = make_steps(1, tile_stop=1)
    nit, x, slope = 0, theta.copy(), problem.slope(theta)
    while (status := _status(x, slope, nit, options)) is None:
        place = nit % N_AT_A_TIME
        if place == 0:
            table = _table(solver, schedule, nit, options)
        if solver.needs_norm:
            steps["norm"] = np.linalg.norm(slope)
        _update(kernels, tiles, theta, state, slope, table[place], steps[0])
        last, nit, x = (x, slope), nit + 1, theta.copy()
        slope = problem.slope(x)
        try:
            if takes_result:
                found = OptimizeResult(x=x.copy(), fun=problem.value(x))
                callback(intermediate_result=found)
            elif callback is not None:
                callback(x.copy())
        except StopIteration:
            status = 99
            break
    if status == 2 and nit:
        x, slope = last
    value = problem.value(x)
    if not np.isfinite(value):
        status = 2
    if options["disp"]:
        print(MESSAGES[status])
    return OptimizeResult(
        x=x,
        fun=value,
        jac=slope,
        nit=nit,
        nfev=problem.nfev,
        njev=problem.njev,
        status=status,
        success=status == 0,
        message=MESSAGES[status],
    )


@jit
def _update(kernels, tiles, theta, state, gradient, coefficients, step):
    """Update all parameters with the kernel that trains networks."""
    kernels.update(tiles, theta, state, gradient, coefficients, step)


class _Problem:
    """A function and its gradient; counts their evaluations."""

    def __init__(self, fun, jac, args):
        self.fun, self.jac, self.args = fun, jac, args
        self.nfev = self.njev = 0

    def value(self, x):
        """Return the value at x."""
        self.nfev += 1
        value = np.asarray(self.fun(x.copy(), *self.args))
        if value.size != 1:
            raise ValueError(f"fun must return a number, got the shape {value.shape}.")
        return value.item()

    def slope(self, x):
        """Return the gradient at x."""
        self.njev += 1
        slope = np.atleast_1d(np.array(self.jac(x.copy(), *self.args), dtype=np.float64))
        if slope.shape != x.shape:
            raise ValueError(
                f"jac must return an array of shape {x.shape}, as x0 is, got the shape "
                f"{slope.shape}."
            )
        return slope


def _checked(solver, jac, options):
    """Return all options; raise if one is not valid."""
    for name in REFUSED:
        value = options.pop(name, None)
        if not (value is None or (isinstance(value, tuple | list) and not value)):
            raise ValueError(
                f"{name} cannot be used with method={solver!r}, which follows the gradient "
                "alone. Leave it out, or use another method."
            )
    if not callable(jac):
        raise ValueError(
            f"method={solver!r} needs the gradient: pass jac, a function that returns it, "
            "or jac=True to scipy.optimize.minimize if fun returns (value, gradient)."
        )
    tol = options.pop("tol", None)
    unknown = sorted(set(options) - set(DEFAULTS))
    if unknown:
        raise ValueError(
            f"options[{unknown[0]!r}] is not known to method={solver!r}. Options are "
            f"{', '.join(DEFAULTS)}."
        )
    options = {**DEFAULTS, **({} if tol is None else {"gtol": tol}), **options}
    for name, kind, is_allowed, allowed in (
        ("learning_rate_init", Real, lambda v: 0 < v < np.inf, "a finite number > 0"),
        ("maxiter", Integral, lambda v: v >= 0, "an int >= 0"),
        ("gtol", Real, lambda v: v >= 0, "a number >= 0"),
    ):
        value = options[name]
        if not (isinstance(value, kind) and is_allowed(value)):
            raise ValueError(f"options[{name!r}] must be {allowed}, got {value!r}.")
    return options


class _Function(Schedule):
    """The schedule that a function of the updates defines."""

    def __init__(self, function):
        self.function = function

    def __call__(self, progress):
        return self.function(progress.update, progress.n_updates)


def _schedule(given):
    """Return the Schedule that a name, an object or a function stands for."""
    if isinstance(given, str) and given in Schedule.registry:
        return Schedule.registry[given]()
    if isinstance(given, Schedule):
        check_definition(given)
        given._validate_params()
        return given
    if callable(given) and not isinstance(given, type):
        return _Function(given)
    raise ValueError(
        f"options['learning_rate'] must be one of {sorted(Schedule.registry)}, a Schedule "
        f"of skgd.schedules or a function of (update, n_updates), got {given!r}."
    )


def _table(solver, schedule, nit, options):
    """Return the coefficients of the next updates, each of shape (1, n_coefficients)."""
    t = np.arange(nit, min(nit + N_AT_A_TIME, options["maxiter"]))
    # Each update is an epoch of one sample.
    progress = Progress(t, int(options["maxiter"]), t, t)
    rate = options["learning_rate_init"] * factors(schedule, progress)
    # The last column is 1, since the solver acts on all variables.
    columns = [*coefficients(solver, rate, t), np.ones(len(t))]
    return np.stack(columns, axis=1)[:, np.newaxis]


def _status(x, slope, nit, options):
    """Return the status with which to stop, or None to continue."""
    if not (np.isfinite(x).all() and np.isfinite(slope).all()):
        return 2
    if np.abs(slope).max(initial=0) <= options["gtol"]:
        return 0
    return 1 if nit >= options["maxiter"] else None
