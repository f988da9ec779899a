"""How long the compiled calls of a fit are, and with how many threads.

Results depend on neither, so both follow the clock: a call is to take about as long as a
person does not notice when pressing Ctrl-C, and where a second thread does not help, since
its core is busy with something else, a fit goes on with one.
"""

from math import ceil
from time import perf_counter, process_time

import numpy as np

__all__ = ["Pace", "clock"]

# How long a compiled call may take, in seconds: Python handles no signal before.
CALL_SECONDS = 0.2

# The first call, of which nothing is known, is of no more than this many multiplications
# in the forward pass: sixteen mini-batches, unless they are huge.
FIRST_CALL_PRODUCTS = 100_000_000

# How long to look at a number of threads before judging it, in seconds. A fit begins with
# one: the threads of a BLAS library that has just been used wait on the other cores
# for up to 100 ms, and beside them a mini-batch of two threads takes ten times as long.
JUDGED_SECONDS = 0.02

# Of all cores, the part by which those that other threads of the process use, and those
# for all threads of the fit, may exceed them. Beyond, more threads are not tried but once
# in ``CALLS_A_TRIAL`` looks: what others use may not be what it takes.
CROWD = 0.1

# How long a first look at more threads is, in seconds with one: it may take ten times that.
GLANCE_SECONDS = 0.002

# The most calls between two trials of more threads than one; the first follow sooner.
CALLS_A_TRIAL = 16


def clock():
    """Return the time, and how long this process has had cores in use, in seconds."""
    return np.array([perf_counter(), process_time()])


class Pace:
    """Decides about the next call from the time that the last ones took.

    Parameters
    ----------
    most : int
        The most threads to use.

    products : int
        Multiplications in the forward pass of a mini-batch, at most.

    n_cores : int
        The cores that there are for it.

    Attributes
    ----------
    most : int
        As given; to be set to 1 where no thread can be started.

    choices : tuple of int
        The numbers of threads to choose from.

    limit : int
        Mini-batches that take about ``CALL_SECONDS``.
    """

    def __init__(self, most, products, n_cores):
        self.most = most
        self._n_cores = n_cores
        self.choices = (1, most) if most > 1 else (1,)
        self.limit = max(1, min(16, FIRST_CALL_PRODUCTS // products))
        # By the number of threads, of a mini-batch.
        self._seconds = {}
        # Of the calls since the last judgement, mini-batches, seconds, and those of all
        # cores that this process used.
        self._since = dict.fromkeys(self.choices, (0, 0.0, 0.0))
        # The last looks at one in which other threads of the process kept the cores busy.
        self._crowded = 0
        # Calls until the next trial, and between the last two.
        self._wait = self._gap = 1
        # How long the next trial is.
        self._trial = GLANCE_SECONDS

    def next_call(self):
        """Return the number of threads and of mini-batches of the next call."""
        if self.most == 1:
            return 1, self.limit
        if 1 not in self._seconds:
            batches, spent, _ = self._since[1]
            rest = ceil((JUDGED_SECONDS / spent - 1) * batches) if batches else self.limit
            return 1, min(self.limit, rest)
        alone, together = (self._seconds.get(n) for n in self.choices)
        # One needs no trials: it is used as soon as more take longer than it did.
        if together is not None and together < alone:
            return self.most, self.limit
        if self._crowded % CALLS_A_TRIAL:
            return 1, min(self.limit, ceil(JUDGED_SECONDS / alone))
        if together is not None and self._trial == GLANCE_SECONDS:
            self._wait -= 1
            if self._wait >= 0:
                return 1, self.limit
            self._wait = self._gap = min(2 * self._gap, CALLS_A_TRIAL)
        return self.most, ceil(self._trial / alone)

    def record(self, n_threads, n_batches, seconds, cpu_seconds):
        """Learn what a call of so many mini-batches took.

        Parameters
        ----------
        n_threads, n_batches : int
            What the call was of.

        seconds, cpu_seconds : float
            How long it took, and how long this process had cores in use meanwhile.
        """
        batches, spent, used = self._since[n_threads]
        batches, spent, used = batches + n_batches, spent + seconds, used + cpu_seconds
        # What it would have taken with one thread.
        alone = batches * self._seconds.get(1, 0.0)
        hopeless = n_threads > 1 and spent > 2 * alone
        if batches and (hopeless or max(spent, alone) >= JUDGED_SECONDS):
            self._judge(n_threads, spent / batches)
            if n_threads == 1:
                wanted = used / spent - 1 + min(self.most, self._n_cores)
                is_crowded = wanted > (1 + CROWD) * self._n_cores
                self._crowded = self._crowded + 1 if is_crowded else 0
            batches, spent, used = 0, 0.0, 0.0
        self._since[n_threads] = batches, spent, used
        if n_threads > 1:
            self._trial = JUDGED_SECONDS if batches else GLANCE_SECONDS
        if seconds < CALL_SECONDS / 4 and n_batches > self.limit // 2:
            self.limit *= int(max(2, min(8, CALL_SECONDS / 4 / seconds)))
        elif seconds > CALL_SECONDS:
            self.limit = max(1, int(self.limit * CALL_SECONDS / seconds))

    def _judge(self, n_threads, seconds):
        """Set how long a mini-batch takes with so many threads."""
        other = min(
            (s for n, s in self._seconds.items() if n != n_threads), default=seconds
        )
        # Ten times as long, beside what may end soon, is as bad as twice.
        seconds = min(seconds, 2 * other)
        before = self._seconds.get(n_threads, seconds)
        if seconds < other < before:
            # Of good news half is believed: a short trial beside a busy process may have
            # been lucky, and a whole call that is not takes twice its time.
            seconds = (before + seconds) / 2
            self._wait = self._gap = 1
        self._seconds[n_threads] = seconds
