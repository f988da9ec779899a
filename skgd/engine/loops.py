"""Loops over the functions of losses and of the steps of an update.

The functions of a plug-in are plain Python functions of numbers. They are compiled for a
dtype and inlined into these loops.
"""

from functools import cache

from skgd.compile.jit import jit, jit_named, scalar
from skgd.engine.stage import KINDS
from skgd.kernels.views import vector

__all__ = ["first", "loss_loops", "reader", "second", "solver_loop"]

# The most parameters in an inner loop. With their gradient and state, they stay in the
# first-level cache. Sums of squares over a piece are in the precision of the parameters.
PIECE = 2048


@cache
def loss_loops(loss, dtype):
    """Return the two kernels of a loss, a subclass of Loss.

    ``evaluate(z, y, weight, scale, numbers, delta)`` returns sum_i weight_i loss(z_i, y_i)
    in float64 and writes scale * weight_i * d loss(z_i, y_i) / d z_i to ``delta``. ``z``
    and ``delta`` have the shape (rows, n_outputs), ``y`` has the shape (rows, n_targets).
    ``numbers`` are the arguments of the loss. ``z`` is overwritten.

    ``link(z, numbers)`` replaces the linear outputs by the predictions.
    """
    n_arguments = len(loss.argument_names())
    read = _array if loss.takes_array else reader(loss)
    if loss.evaluate is not None:
        # Compiled as they are, not by `scalar`: the sum of the losses must stay a float64.
        evaluate_rows, link_rows = jit(loss.evaluate), jit(loss.apply_link)

        def evaluate(z, y, weight, scale, numbers, delta):
            return evaluate_rows(z, y, weight, scale, delta, *read(numbers, z))

        def link(z, numbers):
            link_rows(z, *read(numbers, z))

        return (
            jit_named("evaluate_rows", evaluate, loss.evaluate, n_arguments),
            jit_named("link_rows", link, loss.apply_link, n_arguments),
        )

    value, slope = scalar(loss.value, dtype), scalar(loss.slope, dtype)
    predict = scalar(loss.link, dtype)

    def terms(z, y, delta, numbers):
        """Write the slope and the loss of each output, in a loop that vectorizes."""
        for e in range(z.shape[0]):
            linear, target = z[e], y[e]
            delta[e] = slope(linear, target, *numbers)
            z[e] = value(linear, target, *numbers)

    parts = loss.value, loss.slope, n_arguments
    terms = jit_named("terms", terms, *parts)

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
        jit_named("evaluate", evaluate, *parts),
        jit_named("link", link, loss.link, n_arguments),
    )


@cache
def solver_loop(steps, dtype):
    """Return the kernel that updates some tiles of the parameters.

    ``steps`` is the chain of the update: pairs of a subclass of Step and the number of its
    coefficients.

    ``update(tiles, theta, state, gradient, coefficients, step)`` updates the tiles from
    ``step.tile`` to ``step.tile_stop``. ``gradient[0]`` belongs to the parameter
    ``step.origin``. ``coefficients`` has a row for each ``factor`` of a tile. The row lists
    for each step its coefficients, and 1 if the step acts on these tiles, otherwise 0.
    """
    read, view, advance, parts = _chain(steps, dtype)

    def piece(theta, gradient, slots, numbers):
        for i in range(theta.shape[0]):
            theta[i], _ = advance(theta[i], gradient[i], slots, i, numbers)

    piece = jit_named("piece", piece, *parts)

    def update(tiles, theta, state, gradient, coefficients, step):
        index = step.tile
        while index < step.tile_stop:
            factor, first = tiles[index].factor, tiles[index].begin
            end = first
            while index < step.tile_stop and tiles[index].factor == factor:
                end = tiles[index].end
                index += 1
            numbers = read(coefficients[factor], theta, step)
            for begin in range(first, end, PIECE):
                size = min(PIECE, end - begin)
                piece(
                    vector(theta, begin, size),
                    vector(gradient, begin - step.origin, size),
                    view(state, begin, size),
                    numbers,
                )

    return jit_named("update", update, *parts)


@cache
def _chain(steps, dtype):
    """Return three kernels of a chain of steps, and the parts of their names.

    ``read`` reads the coefficients of the steps, ``view`` views their slots, and
    ``advance`` applies the steps to a parameter.
    """
    if not steps:
        return (
            jit_named("read", lambda coefficients, like, record: ()),
            jit_named("view", lambda state, begin, size: ()),
            jit_named("advance", lambda theta, g, slots, i, numbers: (theta, g)),
            (),
        )
    *before, (step, n) = steps
    read_before, view_before, advance_before, parts = _chain(tuple(before), dtype)
    first_number = sum(1 + n for _, n in before)
    first_slot = sum(step.n_slots for step, _ in before)
    function, n_read = step.update, step.n_slots
    if step.shrinks:
        # This step reads the state of the solver before it, and has no state of its own.
        solver, _ = before[-1]
        function, n_read = solver.step_size, solver.n_slots
        first_slot -= n_read
    is_before, is_partial = step.acts_on == "gradient", set(step.kinds) != set(KINDS)
    marks = zip("gnks", (is_before, step.needs_norm, is_partial, step.shrinks), strict=True)
    # Short, since the names of files are limited in length.
    parts += function, f"{n_read}-{n}" + "".join(mark for mark, on in marks if on)
    rule, numbers_of = scalar(function, dtype), _each(n, _number)
    slots_of, kept, keep = (
        _each(n_read, _slot),
        _each(n_read, _kept),
        _each(step.n_slots, _keep),
    )
    more_of = _norm if step.needs_norm else _each(0, _number)
    if step.shrinks:
        rule, more_of = _soft_threshold(rule, parts), _weight
    is_on = _is_positive if is_partial else _always
    parameter, slope = (first, second) if is_before else (second, first)

    def read(coefficients, like, record):
        own = vector(coefficients, first_number, n + 1)
        numbers = (*numbers_of(own, like), *more_of(like, record))
        return read_before(coefficients, like, record), numbers, is_on(own[n])

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
        jit_named("read", read, *parts),
        jit_named("view", view, *parts),
        jit_named("advance", advance, *parts),
        parts,
    )


def _soft_threshold(step_size, parts):
    """Return the update of a step that shrinks, from the step size of the solver."""

    def shrink(theta, g, state, coefficients):
        strength, weight = coefficients[-2], coefficients[-1]
        most = step_size(state, coefficients[:-2]) * (strength / weight)
        # NaN stays NaN: neither comparison holds.
        part = most if theta > most else theta
        part = -most if theta < -most else part
        return theta - part, ()

    return jit_named("shrink", shrink, *parts)


def reader(plugin):
    """Return a kernel that reads a plug-in's arguments from an array, as a tuple."""
    return _each(len(plugin.argument_names()), _number)


@cache
def _each(n, item):
    """Return a kernel of any arguments: the tuple of ``item(k, *args)`` for k < n."""
    if n == 0:
        return jit_named("each_0", lambda *args: ())
    before, last = _each(n - 1, item), n - 1

    def each(*args):
        return (*before(*args), item(last, *args))

    return jit_named(f"each_{n}", each, item)


@jit
def _number(k, values, like):
    """Return item ``k`` in the dtype of ``like``."""
    return like.dtype.type(values[k])


@jit
def _array(values, like):
    """Return all items as one array."""
    return (values,)


@jit
def _slot(k, state, begin, size):
    """View slot ``k`` of some parameters."""
    return vector(state, k * state.shape[1] + begin, size)


@jit
def _kept(k, slots, i):
    return slots[k][i]


@jit
def _keep(k, slots, i, values):
    slots[k][i] = values[k]


@jit
def _norm(like, record):
    return (like.dtype.type(record.norm),)


@jit
def _weight(like, record):
    return (like.dtype.type(record.weight),)


@jit
def _always(number):
    return True


@jit
def _is_positive(number):
    return number > 0


@jit
def first(one, other):
    return one


@jit
def second(one, other):
    return other
