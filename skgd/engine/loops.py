"""Loops over the functions of numbers that plug-ins are made of.

A plug-in's functions are plain Python. Each is compiled for a dtype, and inlined into a
loop that is written here once. A literal such as ``0.5`` takes the dtype of the network:
in Numba, as in NumPy before version 2, a float64 would make everything float64.
"""

from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from skgd.compile.jit import jit
from skgd.engine.stage import KINDS
from skgd.kernels.views import vector

__all__ = [
    "activation_loops",
    "loss_loops",
    "parametric_loops",
    "scalar",
    "solver_loop",
]

# Parameters in a loop, at most: with their gradient and state they stay in the first-level
# cache, and sums of squares are of so many in their own precision.
PIECE = 2048


@cache
def activation_loops(activation, dtype):
    """Return the kernels of an activation's stage: forward, backward, gradient.

    ``activation`` is a subclass of Activation; see :class:`skgd.engine.stage.Stage`.
    """
    value, slope = scalar(activation.value, dtype), scalar(activation.slope, dtype)
    read = _each(len(activation.argument_names()), _number)

    # A slope that is a function of the value lets the stage work in place.
    argument = _second if activation.slope_of == "value" else _first

    def forward(stage, step, inputs, parameters, outputs, work):
        numbers, x = read(work.numbers, outputs), argument(inputs, outputs)
        for i in range(outputs.shape[0]):
            outputs[i] = value(x[i], *numbers)

    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        numbers, x = read(work.numbers, outputs), argument(inputs, outputs)
        for i in range(outputs.shape[0]):
            delta[i] *= slope(x[i], *numbers)

    def gradient(stage, step, inputs, parameters, delta, out, work):
        """There are no parameters."""

    parts = activation.slope_of, len(activation.argument_names())
    return (
        _named("activate", forward, activation.value, *parts),
        _named("differentiate", backward, activation.slope, *parts),
        _named("no_gradient", gradient),
    )


@cache
def parametric_loops(activation, dtype):
    """Return the kernels of a parametric activation: forward, backward, gradient.

    ``activation`` is a subclass of Activation; the parameters are one weight a unit.
    """
    value, slope = scalar(activation.value, dtype), scalar(activation.slope, dtype)
    read = _each(len(activation.argument_names()), _number)
    argument = _second if activation.slope_of == "value" else _first

    def forward(stage, step, inputs, parameters, outputs, work):
        numbers, units = read(work.numbers, outputs), stage.outputs
        for start in range(0, outputs.shape[0], units):
            z, out = vector(inputs, start, units), vector(outputs, start, units)
            for j in range(units):
                a = parameters[j]
                out[j] = a * value(z[j], *numbers) + (1 - a) * z[j]

    def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
        numbers, units = read(work.numbers, outputs), stage.outputs
        for start in range(0, outputs.shape[0], units):
            z, by_out = vector(inputs, start, units), vector(delta, start, units)
            by_z = vector(input_delta, start, units)
            for j in range(units):
                a, x = parameters[j], argument(z[j], value(z[j], *numbers))
                by_z[j] = by_out[j] * (a * slope(x, *numbers) + (1 - a))

    def gradient(stage, step, inputs, parameters, delta, out, work):
        numbers, units = read(work.numbers, out), stage.outputs
        out[:] = 0
        for start in range(0, delta.shape[0], units):
            z, by_out = vector(inputs, start, units), vector(delta, start, units)
            for j in range(units):
                out[j] += by_out[j] * (value(z[j], *numbers) - z[j])

    parts = activation.slope_of, len(activation.argument_names())
    return (
        _named("mix", forward, activation.value, *parts),
        _named("differentiate_mix", backward, activation.value, activation.slope, *parts),
        _named("gradient_of_mix", gradient, activation.value, *parts),
    )


@cache
def loss_loops(loss, dtype):
    """Return the two kernels of a loss, a subclass of Loss.

    Returns
    -------
    evaluate : Kernel
        Of (z, y, weight, scale, numbers, delta): returns sum_i weight_i loss(z_i, y_i) in
        float64 and writes scale * weight_i * d loss(z_i, y_i) / d z_i to ``delta``. ``z``
        and ``delta`` are of shape (rows, n_outputs), ``y`` of shape (rows, n_targets),
        ``numbers`` are the arguments of the loss. ``z`` is overwritten.

    link : Kernel
        Of (z, numbers): replaces the linear output by the prediction.
    """
    n_arguments = len(loss.argument_names())
    read = _whole if loss.takes_array else _each(n_arguments, _number)
    if loss.evaluate is not None:
        # Functions of arrays: a literal stays a float64, as the sum of the losses must.
        evaluate_rows, link_rows = jit(loss.evaluate), jit(loss.apply_link)

        def evaluate(z, y, weight, scale, numbers, delta):
            return evaluate_rows(z, y, weight, scale, delta, *read(numbers, z))

        def link(z, numbers):
            link_rows(z, *read(numbers, z))

        return (
            _named("evaluate_rows", evaluate, loss.evaluate, n_arguments),
            _named("link_rows", link, loss.apply_link, n_arguments),
        )

    value, slope = scalar(loss.value, dtype), scalar(loss.slope, dtype)
    predict = scalar(loss.link, dtype)

    def terms(z, y, delta, numbers):
        """Write the slope and the loss of each output: a loop that vectorizes."""
        for e in range(z.shape[0]):
            linear, target = z[e], y[e]
            delta[e] = slope(linear, target, *numbers)
            z[e] = value(linear, target, *numbers)

    parts = loss.value, loss.slope, n_arguments
    terms = _named("terms", terms, *parts)

    def evaluate(z, y, weight, scale, numbers, delta):  # type: ignore[no-redef]
        terms(z.reshape(-1), y.reshape(-1), delta.reshape(-1), read(numbers, z))
        total = 0.0
        for i in range(z.shape[0]):
            w = scale * weight[i]
            row = 0.0
            for k in range(z.shape[1]):
                delta[i, k] *= w
                row += z[i, k]
            total += weight[i] * row
        return total

    def link(z, numbers):  # type: ignore[no-redef]
        values, arguments = z.reshape(-1), read(numbers, z)
        for e in range(values.shape[0]):
            values[e] = predict(values[e], *arguments)

    return (
        _named("evaluate", evaluate, *parts),
        _named("link", link, loss.link, n_arguments),
    )


@cache
def solver_loop(steps, dtype):
    """Return the kernel that updates some tiles of the parameters.

    ``steps`` is the chain: pairs of a subclass of Step and the number of ``coefficients``
    that it returns.

    Returns
    -------
    update : Kernel
        Of (tiles, theta, state, gradient, coefficients, step): updates the tiles from
        ``step.tile`` to ``step.tile_stop``; ``gradient`` begins with that of parameter
        ``step.origin``. ``coefficients`` has a row for each factor of the rate: for each
        step its coefficients, and whether it acts on parameters of this factor.
    """
    read, view, advance, parts = _chain(steps, dtype)

    def piece(theta, gradient, slots, numbers):
        for i in range(theta.shape[0]):
            theta[i], _ = advance(theta[i], gradient[i], slots, i, numbers)

    piece = _named("piece", piece, *parts)

    def update(tiles, theta, state, gradient, coefficients, step):
        index = step.tile
        while index < step.tile_stop:
            factor, first = tiles[index].factor, tiles[index].begin
            end = first
            while index < step.tile_stop and tiles[index].factor == factor:
                end = tiles[index].end
                index += 1
            numbers = read(coefficients[factor], theta, step.norm)
            for begin in range(first, end, PIECE):
                size = min(PIECE, end - begin)
                piece(
                    vector(theta, begin, size),
                    vector(gradient, begin - step.origin, size),
                    view(state, begin, size),
                    numbers,
                )

    return _named("update", update, *parts)


@cache
def _chain(steps, dtype):
    """Return three kernels of a chain of steps, and the parts of their names.

    They read the numbers of the steps, view their slots, and apply them to a parameter.
    """
    if not steps:
        return (
            _named("read", lambda coefficients, like, norm: ()),
            _named("view", lambda state, begin, size: ()),
            _named("advance", lambda theta, g, slots, i, numbers: (theta, g)),
            (),
        )
    *before, (step, n) = steps
    read_before, view_before, advance_before, parts = _chain(tuple(before), dtype)
    first_number = sum(1 + n for _, n in before)
    first_slot = sum(step.n_slots for step, _ in before)
    is_before, is_partial = step.acts_on == "gradient", set(step.kinds) != set(KINDS)
    marks = zip("gnk", (is_before, step.needs_norm, is_partial), strict=True)
    # Short, since names of files have a limit.
    parts += step.update, f"{step.n_slots}-{n}" + "".join(mark for mark, on in marks if on)
    rule, numbers_of = scalar(step.update, dtype), _each(n, _number)
    slots_of, kept, keep = (_each(step.n_slots, item) for item in (_slot, _kept, _keep))
    norm_of = _norm if step.needs_norm else _each(0, _number)
    is_on = _is_positive if is_partial else _always
    parameter, slope = (_first, _second) if is_before else (_second, _first)

    def read(coefficients, like, norm):
        own = vector(coefficients, first_number, n + 1)
        numbers = (*numbers_of(own, like), *norm_of(like, norm))
        return read_before(coefficients, like, norm), numbers, is_on(own[n])

    def view(state, begin, size):
        own = slots_of(state, first_slot * state.shape[1] + begin, size)
        return view_before(state, begin, size), own

    def advance(theta, g, slots, i, numbers):
        slots_before, own = slots
        numbers_before, coefficients, acts = numbers
        theta, g = advance_before(theta, g, slots_before, i, numbers_before)
        if acts:
            new, values = rule(theta, g, kept(own, i), coefficients)
            keep(own, i, values)
            theta, g = parameter(theta, new), slope(g, new)
        return theta, g

    return (
        _named("read", read, *parts),
        _named("view", view, *parts),
        _named("advance", advance, *parts),
        parts,
    )


@cache
def scalar(function, dtype):
    """Compile a plug-in's function of numbers for a dtype."""
    if dtype == np.float32:
        code = function.__code__
        constants = tuple(np.float32(c) if type(c) is float else c for c in code.co_consts)
        single: Any = FunctionType(
            code.replace(co_consts=constants),
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        single.__qualname__, single._double = function.__qualname__, function
        function = single
    return jit(function)


def _named(name, function, *parts):
    """Compile a loop under a name that tells it from others of the same source.

    The disk cache goes by the name. The parts are the functions of numbers that the loop
    closes over, and what else decides its code.
    """
    names = (
        f"{part.__module__}.{part.__qualname__}" if callable(part) else str(part)
        for part in parts
    )
    function.__qualname__ = "-".join([name, *names])
    return jit(function)


@cache
def _each(n, item):
    """Return a kernel of any arguments: the tuple of ``item(k, *args)`` for k < n."""
    if n == 0:
        return _named("each_0", lambda *args: ())
    before, last = _each(n - 1, item), n - 1

    def each(*args):
        return (*before(*args), item(last, *args))

    return _named(f"each_{n}", each, item)


@jit
def _number(k, values, like):
    """Read a number in the dtype of ``like``."""
    return like.dtype.type(values[k])


@jit
def _whole(values, like):
    return (values,)


@jit
def _slot(k, state, begin, size):
    """View what is kept in a slot for some parameters."""
    return vector(state, k * state.shape[1] + begin, size)


@jit
def _kept(k, slots, i):
    return slots[k][i]


@jit
def _keep(k, slots, i, values):
    slots[k][i] = values[k]


@jit
def _norm(like, norm):
    return (like.dtype.type(norm),)


@jit
def _always(number):
    return True


@jit
def _is_positive(number):
    return number > 0


@jit
def _first(one, other):
    return one


@jit
def _second(one, other):
    return other
