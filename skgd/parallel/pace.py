"""How long the compiled calls of a fit are, and with how many threads.

Results depend on neither, so both follow the clock. A call takes about as long as a person
does not notice when pressing Ctrl-C. A fit tries one thread and all of its threads for
some ms each, goes on with the faster, and spends a twentieth of its time on trying again.
"""

__all__ = ["Pace"]

# How long a compiled call may take, in seconds: Python handles no signal before.
CALL_SECONDS = 0.2

# The first call, of which nothing is known, is of no more than this many multiplications
# in the forward pass, and mini-batches. Several threads learn from it, so it is short.
FIRST_CALL_PRODUCTS = 100_000_000
FIRST_CALL_BATCHES, FIRST_CALL_BATCHES_OF_MANY = 256, 16

# How long a trial is at least, in seconds. Beside a busy process, threads share a core in
# turns of some 3 ms: a shorter trial may have the core for itself.
TRIAL_SECONDS = 0.005

# The share of the time for trials, and how many of the last seconds are looked at for it.
TRIALS, RECENT_SECONDS = 0.05, 2.0


class Pace:
    """Decides about the next call from those before.

    Parameters
    ----------
    most : int
        The most threads to use.

    products : int
        Multiplications in the forward pass of a mini-batch, at most.

    Attributes
    ----------
    most : int
        As given; to be set to 1 where no thread can be started.

    limit : int
        Mini-batches that take about ``CALL_SECONDS``.
    """

    def __init__(self, most, products):
        self.most = most
        batches = FIRST_CALL_BATCHES if most == 1 else FIRST_CALL_BATCHES_OF_MANY
        self.limit = max(1, min(batches, FIRST_CALL_PRODUCTS // products))
        # By the number of threads: of a mini-batch in the last call, and of recent calls.
        self._seconds = {1: 0.0, most: 0.0}
        self._spent = {1: 0.0, most: 0.0}

    def next_call(self):
        """Return the number of threads and of mini-batches of the next call."""
        if self.most == 1 or not self._seconds[1]:
            return 1, self.limit
        if not self._seconds[self.most]:
            # Where cores are busy, each mini-batch of several threads may take ms.
            return self.most, max(1, self.limit // 8)
        faster = min(self._seconds, key=self._seconds.__getitem__)
        tried = min(self._spent, key=self._spent.__getitem__)
        budget = TRIALS * sum(self._spent.values()) - self._spent[tried]
        if self._spent[tried] < TRIAL_SECONDS:
            budget = 2 * TRIAL_SECONDS
        if budget < TRIAL_SECONDS:
            return faster, self.limit
        return tried, max(1, min(self.limit, int(budget / self._seconds[tried])))

    def record(self, n_threads, n_batches, seconds):
        """Learn what a call took.

        Parameters
        ----------
        n_threads, n_batches : int
            What the call was of.

        seconds : float
            How long it took.
        """
        if not n_batches:
            return
        self._seconds[n_threads] = seconds / n_batches
        self._spent[n_threads] += seconds
        faded = min(1.0, RECENT_SECONDS / sum(self._spent.values()))
        for n in self._spent:
            self._spent[n] *= faded
        # No call of several threads is longer than all before: they may be slower there.
        growth = 8 if self.most == 1 else 2
        if seconds < CALL_SECONDS / 4 and n_batches > self.limit // 2:
            self.limit *= int(max(2, min(growth, CALL_SECONDS / 4 / seconds)))
        elif seconds > CALL_SECONDS:
            self.limit = max(1, int(self.limit * CALL_SECONDS / seconds))
