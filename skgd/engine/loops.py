"""Loops over the functions of numbers that plug-ins are made of.

A plug-in's functions are plain Python. Each is compiled for a dtype, and inlined into a
loop that is written here once. A literal such as ``0.5`` takes the dtype of the network:
in Numba, as in NumPy before version 2, a float64 would make everything float64.
"""

from functools import cache
from types import FunctionType

import numpy as np

from skgd.compile.jit import jit
from skgd.kernels.views import vector

__all__ = ["activation_loops", "loss_loops", "scalar", "solver_loop"]

# Parameters in a loop, at most: with their gradient and state they stay in the first-level
# cache, and sums of squares are of so many in their own precision.
PIECE = 2048


@cache
def scalar(function, dtype):
    """Compile a plug-in's function of numbers for a dtype."""
    if dtype == np.float32:
        code = function.__code__
        constants = tuple(np.float32(c) if type(c) is float else c for c in code.co_consts)
        single = FunctionType(
            code.replace(co_consts=constants),
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        single.__qualname__ = function.__qualname__
        function = single
    return jit(function)


def _named(name, function, *parts):
    """Compile a loop under a name that tells it from others of the same source.

    The disk cache goes by the name. The parts are the functions of numbers that the loop
    closes over, and what else decides its code.
    """
    names = (getattr(part, "__qualname__", str(part)) for part in parts)
    function.__qualname__ = "-".join([name, *names])
    return jit(function)


@cache
def _reader(n):
    """Return a kernel of (values, like): the first n values, in the dtype of ``like``."""
    if n == 0:
        return _named("read_0", lambda values, like: ())
    before, last = _reader(n - 1), n - 1

    def read(values, like):
        return (*before(values, like), like.dtype.type(values[last]))

    return _named(f"read_{n}", read)


@cache
def _slots(n):
    """Return a kernel of (state, begin, size): n views of what is kept for parameters."""
    if n == 0:
        return _named("slots_0", lambda state, begin, size: ())
    before, last = _slots(n - 1), n - 1

    def slots(state, begin, size):
        view = vector(state, last * state.shape[1] + begin, size)
        return (*before(state, begin, size), view)

    return _named(f"slots_{n}", slots)


@cache
def _slot_reader(n):
    """Return a kernel of (slots, i): the n numbers kept for parameter i."""
    if n == 0:
        return _named("read_slots_0", lambda slots, i: ())
    before, last = _slot_reader(n - 1), n - 1

    def read_slots(slots, i):
        return (*before(slots, i), slots[last][i])

    return _named(f"read_slots_{n}", read_slots)


@cache
def _slot_writer(n):
    """Return a kernel of (slots, i, values), which keeps the n values."""
    if n == 0:
        return _named("write_slots_0", lambda slots, i, values: None)
    before, last = _slot_writer(n - 1), n - 1

    def write_slots(slots, i, values):
        before(slots, i, values)
        slots[last][i] = values[last]

    return _named(f"write_slots_{n}", write_slots)


@cache
def activation_loops(activation, dtype):
    """Return the three kernels of an activation's stage.

    Parameters
    ----------
    activation : type
        A subclass of Activation.

    dtype : dtype
        The network's.

    Returns
    -------
    forward, backward, gradient : Kernel
        See :class:`skgd.engine.stage.Stage`.
    """
    value, slope = scalar(activation.value, dtype), scalar(activation.slope, dtype)
    read = _reader(len(activation.argument_names()))

    if activation.slope_of == "value":

        def forward(stage, step, inputs, parameters, outputs, work):
            numbers = read(work.numbers, outputs)
            for i in range(outputs.shape[0]):
                outputs[i] = value(outputs[i], *numbers)

        def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
            numbers = read(work.numbers, outputs)
            for i in range(outputs.shape[0]):
                delta[i] *= slope(outputs[i], *numbers)

    else:

        def forward(stage, step, inputs, parameters, outputs, work):
            numbers = read(work.numbers, outputs)
            for i in range(outputs.shape[0]):
                outputs[i] = value(inputs[i], *numbers)

        def backward(stage, step, inputs, parameters, outputs, delta, input_delta, work):
            numbers = read(work.numbers, outputs)
            for i in range(outputs.shape[0]):
                delta[i] *= slope(inputs[i], *numbers)

    def gradient(stage, step, inputs, parameters, delta, out, work):
        """There are no parameters."""

    parts = activation.slope_of, len(activation.argument_names())
    return (
        _named("activate", forward, activation.value, *parts),
        _named("differentiate", backward, activation.slope, *parts),
        _named("no_gradient", gradient),
    )


@cache
def loss_loops(loss, dtype):
    """Return the two kernels of a loss.

    Parameters
    ----------
    loss : type
        A subclass of Loss.

    dtype : dtype
        The network's.

    Returns
    -------
    evaluate : Kernel
        Of (z, y, weight, scale, numbers, delta): returns sum_i weight_i loss(z_i, y_i) in
        float64 and writes scale * weight_i * d loss(z_i, y_i) / d z_i to ``delta``. ``z``
        and ``delta`` are of shape (rows, n_outputs), ``y`` of shape (rows, n_targets),
        ``numbers`` are the arguments of the loss. What is left in ``z`` is of no use.

    link : Kernel
        Of (z, numbers): replaces the linear output by the prediction.
    """
    n_arguments = len(loss.argument_names())
    read = _reader(n_arguments)
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


@jit
def penalize(theta, gradient, bounds, strength):
    """Add the gradient of half of ``strength`` times the squares; return their sum."""
    begin, end, origin = bounds
    total = 0.0
    for start in range(begin, end, PIECE):
        size = min(PIECE, end - start)
        parameters = vector(theta, start, size)
        slopes = vector(gradient, start - origin, size)
        squares, factor = theta.dtype.type(0), theta.dtype.type(strength)
        for i in range(size):
            squares += parameters[i] * parameters[i]
            slopes[i] += factor * parameters[i]
        total += squares
    return total


@cache
def solver_loop(solver, n_coefficients, dtype):
    """Return the kernel that updates some tiles of the parameters.

    Parameters
    ----------
    solver : type
        A subclass of Solver.

    n_coefficients : int
        The numbers that its ``coefficients`` returns.

    dtype : dtype
        The network's.

    Returns
    -------
    update : Kernel
        Of (tiles, theta, state, gradient, coefficients, step, totals): updates the tiles
        from ``step.tile`` to ``step.tile_stop``; ``gradient`` begins with that of parameter
        ``step.origin``, ``coefficients`` has a row for each factor of the rate. The penalty
        of each tile, times the rows of the mini-batch, is added to ``totals``, whose last
        numbers are the tiles'.
    """
    rule = scalar(solver.update, dtype)
    read = _reader(n_coefficients)
    n = solver.n_slots
    views, read_slots, write_slots = _slots(n), _slot_reader(n), _slot_writer(n)

    def piece(theta, gradient, slots, numbers):
        for i in range(theta.shape[0]):
            theta[i], kept = rule(theta[i], gradient[i], read_slots(slots, i), numbers)
            write_slots(slots, i, kept)

    parts = solver.update, n, n_coefficients
    piece = _named("piece", piece, *parts)

    def update(tiles, theta, state, gradient, coefficients, step, totals):
        first_total = totals.shape[0] - tiles.shape[0]
        index = step.tile
        while index < step.tile_stop:
            factor, first = tiles[index].factor, tiles[index].begin
            end = first
            while index < step.tile_stop and tiles[index].factor == factor:
                begin, end = tiles[index].begin, tiles[index].end
                if tiles[index].is_weights and step.strength > 0:
                    squares = penalize(
                        theta, gradient, (begin, end, step.origin), step.strength
                    )
                    totals[first_total + index] += 0.5 * step.strength * squares * step.rows
                index += 1
            numbers = read(coefficients[factor], theta)
            for begin in range(first, end, PIECE):
                size = min(PIECE, end - begin)
                piece(
                    vector(theta, begin, size),
                    vector(gradient, begin - step.origin, size),
                    views(state, begin, size),
                    numbers,
                )

    return _named("update", update, *parts)
