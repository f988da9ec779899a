"""Run epochs by compiled calls that are short enough for Python to keep control."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

import numpy as np

from skgd.engine.binding import bind
from skgd.engine.contracts import coefficients, factors, scheduled_factors
from skgd.engine.layout import MemoryPlan
from skgd.engine.plugins import Progress as SchedulePosition
from skgd.engine.records import Epochs, Network, Settings, make_steps
from skgd.engine.stage import KINDS
from skgd.engine.train import train
from skgd.neural_network._orders import Orders
from skgd.neural_network._parameters import Parameters
from skgd.parallel.pace import Pace
from skgd.parallel.threads import run_together
from skgd.steps import Decay

__all__ = [
    "WORTH_SHARING",
    "Batches",
    "Progress",
    "Trainer",
    "TrainingState",
]


@dataclass
class Progress:
    """The state of a solver and its schedule between mini-batches.

    Attributes
    ----------
    solver : str or Solver
        The solver whose state it is.

    state : ndarray of shape (n_slots, n_params)
        The numbers that the steps of the update keep for each parameter.

    rate : float
        The rate that the schedule's factors multiply; ``learning_rate='adaptive'`` lowers
        it.

    n_updates : int
        The number of updates made.

    n_seen : int
        The number of samples seen in earlier epochs, for ``'invscaling'``.

    initial : float or None
        The ``learning_rate_init`` from which ``rate`` was lowered; None in old pickles.

    summed_rate : float
        The sum of rates from which the solver's ``step_rates`` continues.
    """

    solver: object
    state: np.ndarray
    rate: float
    n_updates: int = 0
    n_seen: int = 0
    initial: float | None = None
    summed_rate: float = 0.0

    def rate_from(self, initial):
        """Return the rate for another initial one, lowered by the same factor."""
        if self.initial in (None, initial):
            return self.rate
        return self.rate / self.initial * initial

    def copy(self, dtype, rate, initial):
        """Return a copy, with a copied state and other rates."""
        state = self.state.astype(dtype)
        return replace(self, state=state, rate=rate, initial=initial)


@dataclass
class TrainingState:
    """Everything that training changes.

    Attributes
    ----------
    parameters : Parameters
        The parameters of the network.

    progress : Progress
        The state of the solver and the schedule.

    orders : Orders
        The orders of the rows.

    has_constant_rate : bool
        Whether all updates so far had the initial rate.
    """

    parameters: Parameters
    progress: Progress
    orders: Orders
    has_constant_rate: bool = True


class Batches(NamedTuple):
    """How the rows of an epoch are divided.

    Attributes
    ----------
    bounds : ndarray of shape (n_batches + 1,), dtype=int64
        Where the mini-batches begin, and the number of rows.

    chunk : int
        The number of rows in a chunk, the least that a thread takes.

    by_rows : bool
        Whether the gradient is the sum of the gradients over chunks of rows.

    alpha, absolute : float
        The strengths of the L2 penalty and, for the objective only, of the L1 penalty.

    n_updates : int or None
        The number of all updates of the fit, None if it is unknown.

    rate_factors : dict of str to float
        Factors of the learning rate by the kind of parameters; by default 1.

    seed : int
        The seed of the random numbers that stages draw.
    """

    bounds: np.ndarray
    chunk: int
    by_rows: bool
    alpha: float
    n_updates: int | None = None
    rate_factors: Mapping[str, float] = {}
    seed: int = 0
    absolute: float = 0.0


# The least multiplications in a mini-batch's forward products for a second thread. The
# whole step then takes a core some 20 µs, and a barrier takes about 1 µs.
WORTH_SHARING = 250_000

# The dtypes whose loop this process has compiled or loaded; its type has nothing else.
_COMPILED: set[np.dtype] = set()


@lru_cache(maxsize=32)
def _plan(layout, most, n_targets, n_chunks, factors):
    """Plan the memory of a training, once for many small ones of the same network."""
    tiles = layout.tiles(n_chunks > 1, dict(zip(KINDS, factors, strict=True)))
    return MemoryPlan(layout, most, n_targets, n_chunks), tiles


class Trainer:
    """Runs epochs by compiled calls.

    Parameters
    ----------
    rows : Rows
        The data.

    layout : Layout
        The layout of the network.

    plugins : Plugins
        Loss, solver and schedule.

    batches : Batches
        How an epoch is divided.

    state : TrainingState
        Updated in place.

    n_threads : int
        The maximum number of threads.
    """

    def __init__(self, rows, layout, plugins, batches, state, n_threads):
        self._rows = rows
        self._plugins = plugins
        self._batches = batches
        self._state = state
        parameters, progress = state.parameters, state.progress
        if parameters.average is not None:
            parameters.average = progress.state[-1]
        n_targets = rows.y.shape[1]
        dtype = parameters.theta.dtype
        most = int(np.diff(batches.bounds).max())
        n_chunks = -(-most // batches.chunk)
        products = most * layout.n_params
        self._pace = Pace(max(1, min(n_threads, n_chunks)), products)
        now = np.ones(1), np.array([progress.n_updates])
        chain = tuple((type(s), len(coefficients(s, *now))) for s in plugins.steps)
        self._n_columns = sum(1 + n for _, n in chain)
        # Kinds of parameters with the same rate and the same steps share coefficients.
        groups = [
            (batches.rate_factors.get(kind, 1.0), *(kind in s.kinds for s in plugins.steps))
            for kind in KINDS
        ]
        self._groups = list(dict.fromkeys(groups))
        rows_of_kinds = tuple(map(self._groups.index, groups))
        plan, tiles = _plan(layout, most, n_targets, n_chunks, rows_of_kinds)
        self._kernels = bind(layout, plan, type(plugins.loss), dtype, chain)
        self._network = Network(
            plan.stages,
            tiles,
            parameters.theta,
            progress.state,
            parameters.running,
            layout.numbers,
        )
        needs_norm = any(step.needs_norm for step in plugins.steps)
        size = layout.n_params if needs_norm else layout.gradient_size(tiles)
        if batches.by_rows:
            size = n_chunks * layout.n_params
        work = plan.allocate(dtype, size, len(tiles) if needs_norm else 0)
        self._works = [work]
        for _ in range(1, self._pace.most):
            self._works.append(plan.another(work, batches.by_rows or needs_norm))
        self._settings = {
            n: Settings(
                batches.by_rows,
                batches.alpha,
                batches.absolute,
                plugins.loss.numbers(),
                layout.shares(tiles, n),
            )
            for n in {1, self._pace.most}
        }
        self._steps = make_steps(
            self._pace.most,
            seed=batches.seed,
            capacity=plan.capacity,
            chunk=batches.chunk,
            parts=plan.parts,
            part_size=plan.part_size,
            update=progress.n_updates,
        )
        self._n_totals = n_chunks + len(tiles)
        self._highest_rate = max(getattr(s, "rate", 0.0) for s in layout.stages)
        # The rate before the last call and those of its updates; the updates' epochs.
        self._rates, self._epochs = np.array([progress.rate]), np.empty(0, dtype=int)
        # The rate of the last update of the last epoch.
        self.rate = progress.rate

    @property
    def epochs_per_call(self):
        """The number of epochs that one compiled call can run."""
        return max(1, self._pace.limit // (len(self._batches.bounds) - 1))

    def run(self, n_seen, before_call=None):
        """Train for some epochs.

        Parameters
        ----------
        n_seen : ndarray of shape (n_epochs,), dtype=int64
            For the schedule, the samples seen before each epoch.

        before_call : callable, default=None
            Called before each compiled call, about every 0.2 seconds. It may raise.

        Yields
        ------
        float
            The mean objective of each epoch, as soon as the compiled call returns in which
            the epoch ends. The first that is not finite is the last.
        """
        n_epochs = n_seen.size
        orders = self._state.orders.draw(n_epochs)
        totals = np.zeros((n_epochs, self._n_totals))
        losses, done = np.empty(n_epochs), 0
        while done < n_epochs and (done == 0 or np.isfinite(losses[done - 1])):
            if before_call is not None:
                before_call()
            rest = slice(done, None)
            epochs = Epochs(
                orders[rest],
                self._batches.bounds,
                None,
                None,
                None,
                totals[rest],
                losses[rest],
            )
            done += self._call(epochs, n_seen[rest])
            ends = np.searchsorted(self._epochs, np.arange(done - rest.start), "right")
            for loss, rate in zip(
                losses[rest.start : done].tolist(), self._rates[ends].tolist(), strict=True
            ):
                self.rate = rate
                yield loss

    def compile(self):
        """Compile the loop, by a call that runs no mini-batch."""
        dtype = self._network.theta.dtype
        if dtype not in _COMPILED:
            epochs = Epochs(
                np.empty((0, 0), dtype=np.int64),
                self._batches.bounds,
                np.empty((0, 0, 0)),
                np.empty(0),
                np.empty(0),
                np.empty((0, self._n_totals)),
                np.empty(0),
            )
            train(
                self._rows,
                epochs,
                self._network,
                self._works[0],
                self._kernels,
                self._settings[1],
                self._steps[0],
            )
            _COMPILED.add(dtype)

    def _coefficients(self, epochs, n_seen, limit):
        """Compute the fields of `Epochs` that have numbers for each update of a call."""
        n_batches = len(self._batches.bounds) - 1
        first = int(self._steps[0]["batch"][0])
        batch = np.arange(first, min(first + limit, n_batches * len(epochs.orders)))
        epoch = batch // n_batches
        weight = self._rows.weight
        if weight.size and not weight.all():
            # A mini-batch without weight makes no update.
            updates = []
            for k in range(epoch[-1] + 1):
                order = epochs.orders[k]
                ordered = weight[order] if order.size else weight
                sums = np.add.reduceat(ordered, self._batches.bounds[:-1], dtype=float)
                updates.append(sums > 0)
            epoch = epoch[np.concatenate(updates)[batch]]
        t = self._state.progress.n_updates + np.arange(len(epoch))
        progress = SchedulePosition(
            t,
            self._batches.n_updates,
            epoch + n_seen[0] // max(1, len(self._rows.y)),
            n_seen[epoch],
        )
        self._factors = factors(self._plugins.schedule, progress)
        scheduled = scheduled_factors(self._plugins.scheduled, progress, self._highest_rate)
        rate = self._state.progress.rate * self._factors
        self._rates, self._epochs = np.append(self._rates[-1], rate), epoch
        step_rates, self._sums = rate, rate
        if any(step.shrinks for step in self._plugins.steps):
            summed = self._state.progress.summed_rate
            step_rates, self._sums = self._plugins.solver.step_rates(rate, summed)
        table = np.empty((len(t), len(self._groups), self._n_columns))
        for row, (factor, *acts) in enumerate(self._groups):
            columns = []
            for step, is_on in zip(self._plugins.steps, acts, strict=True):
                own = factor * (step_rates if step.shrinks else rate)
                if type(step) is Decay and "weight_decay" in scheduled:
                    own = own * scheduled["weight_decay"]
                columns += [*coefficients(step, own, t), is_on]
            for k, column in enumerate(columns):
                table[:, row, k] = column
        averaging = np.empty(0)
        dropping = scheduled.get("dropout", averaging)
        if self._state.parameters.average is not None:
            # The last step computes the average: its coefficient, then whether it acts.
            averaging = table[:, 0, -2].copy()
        return {"coefficients": table, "averaging": averaging, "dropping": dropping}

    def _call(self, epochs, n_seen):
        """Make one compiled call and adapt its length to the time that it took."""
        progress, steps = self._state.progress, self._steps
        most, limit = self._pace.next_call()
        epochs = epochs._replace(**self._coefficients(epochs, n_seen, limit))
        before = {name: steps[0][name][0] for name in ("batch", "update", "counted")}
        self._works[0].arrivals[:] = 0

        def calls(n_threads):
            settings, found = self._settings[n_threads], []
            for step, work in zip(steps[:n_threads], self._works, strict=False):
                for name, value in before.items():
                    step[name] = value
                step["limit"], step["n_threads"] = limit, n_threads
                found.append(
                    (self._rows, epochs, self._network, work, self._kernels, settings, step)
                )
            return found

        n_threads, started = most, perf_counter()
        try:
            results = run_together(train, calls, most)
            n_threads = len(results)
            return results[0]
        finally:
            # Also after Ctrl-C: the updates have been made.
            n_updates = int(steps[0]["update"][0])
            made = n_updates - progress.n_updates
            self._pace.record(n_threads, made, perf_counter() - started)
            self._rates, self._epochs = self._rates[: made + 1], self._epochs[:made]
            self._state.has_constant_rate &= bool((self._factors[:made] == 1).all())
            if n_threads < most:
                self._pace.most = 1
            progress.n_updates = n_updates
            if made:
                progress.summed_rate = float(self._sums[made - 1])
            self._state.parameters.n_averaged += made
