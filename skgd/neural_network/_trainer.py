"""Epochs of compiled training, in calls short enough for Python to stay in charge."""

from dataclasses import dataclass, replace

import numpy as np

from skgd._threads import n_cores, run_together
from skgd.engine.records import APART, Buffers, Network
from skgd.engine.team import ALONE, Team
from skgd.engine.train import BATCHES, COUNTS, UPDATES, train
from skgd.neural_network._orders import draw_orders
from skgd.neural_network._pace import Pace, clock

__all__ = ["WORTH_SHARING", "Progress", "Trainer", "apart", "most_rows"]


@dataclass
class Progress:
    """What a solver carries from one mini-batch to the next.

    Attributes
    ----------
    solver : str
        Whose state it is.

    state : ndarray of shape (n_slots, n_params)
        What the update rule keeps per parameter.

    rate : float
        What the schedule starts from; ``learning_rate='adaptive'`` lowers it.

    n_updates : int
        Updates made.

    n_seen : int
        Samples seen in the epochs before this one, as ``'invscaling'`` counts them.
    """

    solver: str
    state: np.ndarray
    rate: float
    n_updates: int = 0
    n_seen: int = 0

    def copy(self):
        """Copy the state too."""
        return replace(self, state=self.state.copy())


# Multiplications in a mini-batch's forward products that are worth a second thread: some
# 20 µs of a core for the whole step, where meeting the other thread costs about 1 µs.
WORTH_SHARING = 250_000

# The dtypes whose loop this process has compiled or loaded: nothing else is in its type.
_COMPILED: set[np.dtype] = set()


def most_rows(layout, batch_size):
    """Return the rows of the largest mini-batch.

    If the network is normalised, a single last row joins the mini-batch before it.
    """
    return batch_size + (layout.n_normal > 0)


def apart(shape):
    """Make rows of zeros, each in cache lines of its own."""
    n_rows, n_columns = shape
    return np.zeros((n_rows + 2, APART), dtype=np.int64)[1:-1, :n_columns]


class Trainer:
    """Runs epochs.

    Parameters
    ----------
    samples : Samples
        The data.

    layout : Layout
        The network's.

    parameters : Parameters
        Updated in place.

    progress : Progress
        Updated in place.

    rules : Rules
        The compiled plug-ins.

    settings : Settings
        The numbers.

    random_state : RandomState or None
        Shuffles the rows before each epoch, as scikit-learn does; None takes them as
        they come.

    n_threads : int
        How many threads to train with, where there is enough to do for them.
    """

    def __init__(
        self,
        samples,
        layout,
        parameters,
        progress,
        rules,
        settings,
        random_state,
        n_threads,
    ):
        self._samples = samples
        self._parameters = parameters
        self._progress = progress
        self._rules = rules
        self._settings = settings
        self._random_state = random_state
        n_samples, n_targets = samples.y.shape
        rows = min(most_rows(layout, settings.batch_size), n_samples)
        products = rows * layout.n_params
        n_chunks = -(-rows // settings.chunk)
        tiles = layout.tiles(shared=n_chunks > 1)
        self._network = Network(
            layout.table,
            tiles,
            layout.layers,
            parameters.theta,
            progress.state,
            parameters.running,
        )
        self._n_totals = n_chunks + len(tiles)
        self._pace = Pace(max(1, min(n_threads, n_chunks)), products, n_cores())
        self._shares = {n: layout.shares(tiles, n) for n in self._pace.choices}
        buffers = Buffers.allocate(
            layout,
            rows,
            n_targets,
            parameters.theta.dtype,
            n_chunks,
            settings.by_rows,
        )
        self._buffers = [buffers]
        for _ in range(1, self._pace.most):
            self._buffers.append(buffers.another(settings.by_rows))
        self._counts = apart((self._pace.most, COUNTS))
        self._order = np.arange(n_samples)

    @property
    def epochs_per_call(self):
        """The number of epochs that a compiled call gets through in its time."""
        n_samples = self._samples.y.shape[0]
        return max(1, self._pace.limit * self._settings.batch_size // n_samples)

    def _orders(self, n_epochs):
        if self._random_state is None:
            return np.empty((n_epochs, 0), dtype=np.int64)
        orders = draw_orders(self._random_state, self._order, n_epochs)
        self._order = orders[-1].copy()
        return orders

    def run(self, n_seen):
        """Train for some epochs.

        Parameters
        ----------
        n_seen : ndarray of shape (n_epochs,), dtype=int64
            For the schedule, the samples seen before each epoch.

        Yields
        ------
        float
            The mean objective of each epoch, as soon as the compiled call returns that it
            ends in. One that is not finite is the last.
        """
        n_epochs = n_seen.size
        orders = self._orders(n_epochs)
        totals = np.zeros((n_epochs, self._n_totals))
        losses = np.empty(n_epochs)
        done = 0
        while done < n_epochs and (done == 0 or np.isfinite(losses[done - 1])):
            rest = slice(done, None)
            done += self._call(orders[rest], n_seen[rest], totals[rest], losses[rest])
            yield from losses[rest.start : done].tolist()

    def compile(self):
        """Compile the loop, by a call for no mini-batch."""
        dtype = self._parameters.theta.dtype
        if dtype not in _COMPILED:
            none = np.empty((0, 0), dtype=np.int64), np.empty(0, dtype=np.int64)
            sums = np.empty((0, self._n_totals)), np.empty(0)
            train(*self._arguments(ALONE, 0, *none, *sums))
            _COMPILED.add(dtype)

    def _arguments(self, team, limit, orders, n_seen, totals, losses):
        """Return the arguments of one thread's compiled call."""
        return (
            self._samples,
            orders,
            n_seen,
            self._progress.rate,
            self._network,
            self._buffers[team.thread],
            self._rules,
            self._settings,
            limit,
            self._counts[team.thread],
            totals,
            losses,
            self._shares[team.n_threads],
            team,
        )

    def _call(self, orders, n_seen, totals, losses):
        """Make one compiled call and adapt its length to the time that it took."""
        progress, parameters = self._progress, self._parameters
        most, limit = self._pace.next_call()
        self._counts[:, UPDATES] = progress.n_updates
        self._counts[:, BATCHES] = parameters.n_batches
        arrivals = apart((1, 1))[0]

        def calls(n_threads):
            return [
                self._arguments(
                    Team(thread, n_threads, arrivals), limit, orders, n_seen, totals, losses
                )
                for thread in range(n_threads)
            ]

        n_threads, started = most, clock()
        try:
            results = run_together(train, calls, most)
            n_threads = len(results)
            return results[0]
        finally:
            # Also after Ctrl-C: the updates have been made.
            n_batches = int(self._counts[0, BATCHES]) - parameters.n_batches
            self._pace.record(n_threads, n_batches, *(clock() - started))
            if n_threads < most:
                self._pace.most = 1
            # A thread that sat out has not counted.
            self._counts[:] = self._counts[0]
            progress.n_updates = int(self._counts[0, UPDATES])
            parameters.n_batches = int(self._counts[0, BATCHES])
