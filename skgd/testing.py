"""Checks for your own plug-ins: solvers, schedules, activations and losses.

The contracts that they check are provisional until version 1.0.
"""

import warnings
from itertools import product
from numbers import Real

import numpy as np

from skgd.engine.contracts import check_definition, coefficients, factors
from skgd.engine.plugins import Activation, Loss, Progress, Schedule, Solver
from skgd.losses import BinaryLogLoss, Focal
from skgd.neural_network import MLPClassifier, MLPRegressor
from skgd.neural_network._plugins import check_numbers

__all__ = ["check_plugin"]

DTYPES: tuple = (np.float64, np.float32)
# Rows, outputs and updates to check a plug-in with.
N_ROWS, N_OUTPUTS, N_UPDATES = 7, 3, 11


def check_plugin(plugin: Activation | Loss | Schedule | Solver) -> None:
    """Check that a solver, schedule, activation or loss fulfills its contract.

    The check covers the constructor, and calls the plug-in's functions as plain Python. It
    compares slopes with finite differences. It finds results that are arrays, or that are
    float64 for float32 arguments. Finally, it trains a tiny network in both precisions,
    which compiles the functions and takes seconds.

    Parameters
    ----------
    plugin : Solver, Schedule, Activation or Loss
        The object to check, with its arguments.

    Raises
    ------
    AssertionError
        If the plug-in does not fulfill the contract; the message says where.

    Examples
    --------
    >>> from skgd.activations import Activation
    >>> from skgd.testing import check_plugin
    >>> class Leaky(Activation):
    ...     slope_of = "input"
    ...
    ...     def __init__(self, leak=0.1):
    ...         self.leak = leak
    ...
    ...     @staticmethod
    ...     def value(z, leak):
    ...         return z if z > 0.0 else leak * z
    ...
    ...     @staticmethod
    ...     def slope(z, leak):
    ...         return leak
    >>> check_plugin(Leaky(leak=0.2))
    Traceback (most recent call last):
        ...
    AssertionError: Leaky.slope is 0.2 at z = 0.5, where the difference of values is 1.0.
    """
    checks = {
        Activation: _check_activation,
        Loss: _check_loss,
        Solver: _check_solver,
        Schedule: _check_schedule,
    }
    found = [check for base, check in checks.items() if isinstance(plugin, base)]
    shown = f"class {plugin.__name__}" if isinstance(plugin, type) else repr(plugin)
    _require(
        found,
        f"A plug-in is an object of a subclass of {', '.join(c.__name__ for c in checks)}, "
        f"got {shown}.",
    )
    try:
        check_definition(plugin)
        plugin._validate_params()
        check_numbers(plugin)
    except (TypeError, ValueError) as error:
        raise AssertionError(str(error)) from error
    _check_constructor(plugin)
    plugin = _call_or_fail(plugin.resolved)
    # Compiled code does not warn.
    with np.errstate(all="ignore"):
        found[0](plugin)
    _check_training(plugin)


def _require(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def _check_constructor(plugin):
    cls = type(plugin)
    given = plugin.get_params(deep=False)
    for name, value in given.items():
        if isinstance(value, Real):
            # Another object than a conversion would return.
            given[name] = np.float64(value)
    again = cls(**given)
    for name, value in given.items():
        _require(
            getattr(again, name) is value,
            f"{cls.__name__}.__init__ must store {name} as it is given, but it turns "
            f"{value!r} into {getattr(again, name)!r}.",
        )
    _require(
        not set(vars(again)) - set(given),
        f"{cls.__name__}.__init__ must store its arguments and nothing else, but sets "
        f"{sorted(set(vars(again)) - set(given))}.",
    )


def _arguments(plugin, dtype):
    """Return the constructor's arguments as the compiled functions take them."""
    return [dtype(value) for value in plugin.numbers()]


def _called(where, function, *args):
    """Call a function of numbers; an error shows the call."""
    try:
        return function(*args)
    except Exception as error:
        shown = tuple(np.asarray(a).tolist() for a in args)
        kind = type(error).__name__
        raise AssertionError(f"{where}{shown} raised {kind}: {error}.") from error


def _check_number(where, result, dtype):
    """Check that a result is a number, in the dtype of the network."""
    _require(
        isinstance(result, Real),
        f"{where} must return a number: compiled loops call it for each element, and "
        f"allocate nothing. It returns {result!r}.",
    )
    _require(
        dtype is np.float64 or not isinstance(result, np.float64 | np.longdouble),
        f"{where} returns a float64 for arguments that are float32: compute with the "
        "arguments and with Python's numbers.",
    )


def _check_slope(where, slope, function, z, hint=""):
    """Compare a slope at z with both one-sided differences; at a kink it may be between."""
    step = 1e-6 * max(1.0, abs(z))
    sides = [
        (function(z + step) - function(z)) / step,
        (function(z) - function(z - step)) / step,
    ]
    size = max(abs(function(z)), 1.0)
    # For the rounding of the values, and for the curvature.
    allowed = 1e-4 * max(1.0, *map(abs, sides)) + 1e-9 * size
    _require(
        min(sides) - allowed <= slope <= max(sides) + allowed,
        f"{where}, where the difference of values is {float(np.mean(sides)):.6}.{hint}",
    )


def _check_activation(plugin):
    name = type(plugin).__name__
    _require(
        isinstance(plugin.gain, Real) and 0 < float(plugin.gain) < np.inf,
        f"{name}.gain must be a number > 0, got {plugin.gain!r}.",
    )
    for dtype in DTYPES:
        arguments = _arguments(plugin, dtype)
        for z in map(dtype, [0.5, -0.5, 0.0, 1.25, -1.25, 3.0, -3.0, 6.0, -6.0]):
            value = _called(f"{name}.value", plugin.value, z, *arguments)
            _check_number(f"{name}.value", value, dtype)
            _require(np.isfinite(value), f"{name}.value is {value} at z = {float(z)}.")
            known = plugin.slope_arguments(z, dtype(value))
            hint = " A slope of z needs slope_of = 'input'."
            slope = _called(f"{name}.slope", plugin.slope, *known, *arguments)
            _check_number(f"{name}.slope", slope, dtype)
            if dtype is np.float64:
                _check_slope(
                    f"{name}.slope is {float(slope):.6} at z = {z}",
                    slope,
                    lambda z: plugin.value(z, *arguments),  # noqa: B023
                    z,
                    hint if plugin.slope_of == "value" else "",
                )


def _targets(plugin):
    """Return targets within the domain of a loss, with its ends if it includes them."""
    low, high, closed = plugin.domain
    _require(
        low < high and closed in ("both", "neither", "left", "right"),
        f"{type(plugin).__name__}.domain must be (lowest, highest, 'both', 'neither', "
        f"'left' or 'right'), got {plugin.domain!r}.",
    )
    if np.isinf(low) and np.isinf(high):
        return [-2.0, 0.0, 0.5, 3.0]
    if np.isinf(high):
        inside = [low + 0.5, low + 1.0, low + 3.0]
    elif np.isinf(low):
        inside = [high - 3.0, high - 1.0, high - 0.5]
    else:
        inside = [low + part * (high - low) for part in (0.25, 0.5, 0.75)]
    if closed in ("both", "left") and np.isfinite(low):
        inside.append(low)
    if closed in ("both", "right") and np.isfinite(high):
        inside.append(high)
    return [float(y) for y in inside]


def _check_loss(plugin):
    name = type(plugin).__name__
    _require(
        isinstance(plugin.out_activation, str) and plugin.out_activation,
        f"{name}.out_activation must be the name of the link, got "
        f"{plugin.out_activation!r}.",
    )
    if plugin.evaluate is not None:
        _check_loss_of_rows(plugin)
        return
    targets = _targets(plugin)
    for dtype in DTYPES:
        arguments = _arguments(plugin, dtype)
        for y, z in product(map(dtype, targets), map(dtype, [-2.0, -0.3, 0.0, 0.7, 2.5])):
            value = _called(f"{name}.value", plugin.value, z, y, *arguments)
            slope = _called(f"{name}.slope", plugin.slope, z, y, *arguments)
            link = _called(f"{name}.link", plugin.link, z, *arguments)
            for kind, number in [("value", value), ("slope", slope), ("link", link)]:
                _check_number(f"{name}.{kind}", number, dtype)
                _require(
                    np.isfinite(number),
                    f"{name}.{kind} is {number} at z = {float(z)}, y = {float(y)}.",
                )
            if dtype is np.float64:
                _check_slope(
                    f"{name}.slope is {float(slope):.6} at z = {z}, y = {y}",
                    slope,
                    lambda z: plugin.value(z, y, *arguments),  # noqa: B023
                    z,
                )


def _check_loss_of_rows(plugin):
    """Check a loss that couples the outputs of a row; the targets are classes."""
    name = type(plugin).__name__
    rng = np.random.default_rng(0)
    y = (np.arange(N_ROWS) % N_OUTPUTS).astype(float)[:, np.newaxis]
    n_outputs = plugin.outputs_per_target if plugin.takes_array else N_OUTPUTS
    outputs, weight, scale = rng.normal(size=(N_ROWS, n_outputs)), np.ones(N_ROWS), 0.5
    weight[::2] = 2.0
    arguments = [plugin.numbers()] if plugin.takes_array else plugin.numbers()

    def total(z, delta=None):
        delta = np.empty_like(z) if delta is None else delta
        return plugin.evaluate(z.copy(), y, weight, scale, delta, *arguments)

    slopes = np.full_like(outputs, np.nan)
    _check_number(f"{name}.evaluate", total(outputs, slopes), np.float64)
    for i, k in product(range(N_ROWS), range(n_outputs)):

        def along(value, i=i, k=k):
            z = outputs.copy()
            z[i, k] = value
            return scale * total(z)

        _check_slope(
            f"{name}.evaluate writes the slope {slopes[i, k]:.6} for row {i}, output {k}",
            slopes[i, k],
            along,
            outputs[i, k],
        )
    predicted = outputs.copy()
    plugin.apply_link(predicted, *arguments)
    _require(
        np.isfinite(predicted).all() and not np.array_equal(predicted, outputs),
        f"{name}.apply_link must replace the linear outputs by finite predictions.",
    )


def _call_or_fail(function, *args):
    """Call a function, and turn a ValueError about the plug-in into an AssertionError."""
    try:
        return function(*args)
    except ValueError as error:
        raise AssertionError(str(error)) from error


def _check_solver(plugin):
    name = type(plugin).__name__
    rate, t = np.linspace(0.1, 0.05, N_UPDATES), np.arange(N_UPDATES)
    table = _call_or_fail(coefficients, plugin, rate, t)
    _require(
        all(np.isfinite(column).all() for column in table),
        f"{name}.coefficients must return finite numbers, got {table}.",
    )
    later = _call_or_fail(coefficients, plugin, rate[3:], t[3:])
    _require(
        len(later) == len(table)
        and all(np.array_equal(a[3:], b) for a, b in zip(table, later, strict=True)),
        f"{name}.coefficients of an update must depend only on its rate and t: called for "
        "the updates from the fourth on, it returns other numbers than for all updates.",
    )
    sizes = np.broadcast_arrays(*plugin.step_coefficients(rate, t))
    for dtype in DTYPES:
        theta, state = dtype(2.0), (dtype(0),) * plugin.n_slots
        for update in range(N_UPDATES):
            # A gradient of zero too, which the first mini-batch may have.
            g = dtype(0.0) if update == 0 else theta - dtype(0.5)
            given = tuple(dtype(column[update]) for column in table)
            if plugin.needs_norm:
                given = *given, abs(g)
            result = _called(f"{name}.update", plugin.update, theta, g, state, given)
            _require(
                isinstance(result, tuple)
                and len(result) == 2
                and isinstance(result[1], tuple)
                and len(result[1]) == plugin.n_slots,
                f"{name}.update must return the parameter and a tuple of n_slots = "
                f"{plugin.n_slots} numbers, got {result!r}.",
            )
            for number in (result[0], *result[1]):
                _check_number(f"{name}.update", number, dtype)
                _require(
                    np.isfinite(number),
                    f"{name}.update returns {number} for a gradient of {float(g)} and the "
                    f"state {tuple(map(float, state))}.",
                )
            theta, state = dtype(result[0]), tuple(map(dtype, result[1]))
            if plugin.step_size is not None:
                given = tuple(dtype(column[update]) for column in sizes)
                size = _called(f"{name}.step_size", plugin.step_size, state, given)
                _check_number(f"{name}.step_size", size, dtype)
                _require(
                    0 <= size < np.inf,
                    f"{name}.step_size must be finite and >= 0, got {size}.",
                )
        _require(
            abs(theta - 0.5) < 1.5,
            f"{name}.update does not go downhill: from 2, {N_UPDATES} updates by the "
            f"gradient of (theta - 0.5)² / 2 lead to {float(theta):.6}.",
        )


def _check_schedule(plugin):
    name = type(plugin).__name__
    update = np.arange(N_UPDATES)
    for n_updates in (1000, None):
        known = n_updates is not None or getattr(plugin, "total", None) is not None
        if plugin.needs_n_updates and not known:
            continue
        progress = Progress(update, n_updates, update // 4, 40 * (update // 4))
        found = _call_or_fail(factors, plugin, progress)
        later = Progress(
            progress.update[3:], n_updates, progress.epoch[3:], progress.n_samples_seen[3:]
        )
        _require(
            np.array_equal(found[3:], _call_or_fail(factors, plugin, later)),
            f"{name} must depend only on the position in the training: called for the "
            "updates from the fourth on, it returns other factors than for all updates.",
        )
    if plugin.after_plateau is not None:
        rate = plugin.after_plateau(0.1)
        _require(
            rate is None or (isinstance(rate, Real) and 0 < float(rate) < np.inf),
            f"{name}.after_plateau must return a rate > 0 or None, got {rate!r}.",
        )


def _network(plugin):
    """Return a tiny network with the plug-in, and targets for it."""
    settings = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
    y: np.ndarray = np.linspace(-1, 1, N_ROWS)
    families = {"activation": Activation, "solver": Solver, "learning_rate": Schedule}
    for parameter, base in families.items():
        if isinstance(plugin, base):
            return MLPRegressor(**{parameter: plugin}, **settings), y
    if plugin.out_activation == "softmax" or isinstance(plugin, BinaryLogLoss | Focal):
        y = np.arange(N_ROWS) % (2 if plugin.evaluate is None else N_OUTPUTS)
        return MLPClassifier(loss=plugin, **settings), y
    return MLPRegressor(plugin, **settings), np.resize(_targets(plugin), N_ROWS)


def _check_training(plugin):
    """Train a network with the plug-in in both precisions, which compiles it."""
    before = dict(vars(plugin))
    for dtype in DTYPES:
        network, y = _network(plugin)
        X = np.linspace(-1, 1, 2 * N_ROWS, dtype=dtype).reshape(N_ROWS, 2)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # Two epochs are few.
                predicted = network.fit(X, y).predict(X)
        except Exception as error:
            raise AssertionError(
                f"A network of {dtype.__name__} with {plugin!r} does not train: "
                f"{type(error).__name__}: {error}"
            ) from error
        _require(
            network.coefs_[0].dtype == dtype and len(predicted) == N_ROWS,
            f"A network with {plugin!r} must stay in {dtype.__name__}, the dtype of X.",
        )
    _require(
        vars(plugin).keys() == before.keys()
        and all(vars(plugin)[name] is value for name, value in before.items()),
        f"A fit must not change the plug-in, but it has changed {plugin!r}.",
    )
