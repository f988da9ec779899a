"""Chooses the length of the compiled calls of a fit, and the number of their threads.

Results depend on neither, so both can follow measured times. A call is so short that a user
who presses Ctrl-C does not notice a delay. A fit tries one thread and all of its threads
for some milliseconds each, and continues with the faster. It spends at most a twentieth of
its time on trying the slower one again.
"""

__all__ = ["Pace"]

# The duration of a compiled call, in seconds. Python handles signals only between calls.
CALL_SECONDS = 0.2

# Limits of the first call, whose duration is not known: multiplications in the forward
# passes, and mini-batches. The latter are fewer with several threads, which are tried next.
FIRST_CALL_PRODUCTS = 100_000_000
FIRST_CALL_BATCHES, FIRST_CALL_BATCHES_OF_MANY = 256, 16

# The shortest trial, in seconds. If other processes are busy, threads take turns of some
# 3 ms on a core. A shorter trial might have the core to itself, and mislead.
TRIAL_SECONDS = 0.005

# The part of the recent time that is spent on trials, and the length of this recent time.
TRIALS, RECENT_SECONDS = 0.05, 2.0


class Pace:
    """Chooses the next compiled call from the times of the previous calls.

    Parameters
    ----------
    most : int
        The most threads to use.

    products : int
        The most multiplications in the forward pass of a mini-batch.

    Attributes
    ----------
    most : int
        As given. The caller sets it to 1 if no thread can be started.

    limit : int
        The number of mini-batches that take about ``CALL_SECONDS``.
    """

    def __init__(self, most, products):
        self.most = most
        batches = FIRST_CALL_BATCHES if most == 1 else FIRST_CALL_BATCHES_OF_MANY
        self.limit = max(1, min(batches, FIRST_CALL_PRODUCTS // products))
        # By number of threads: the time of a mini-batch in the last call, and the total
        # time of recent calls.
        self._seconds = {1: 0.0, most: 0.0}
        self._spent = {1: 0.0, most: 0.0}

    def next_call(self):
        """Return the number of threads and of mini-batches of the next call."""
        if self.most == 1 or not self._seconds[1]:
            return 1, self.limit
        if not self._seconds[self.most]:
            # If the cores are busy, a mini-batch of several threads may take milliseconds.
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
        """Record the duration of a call.

        Parameters
        ----------
        n_threads, n_batches : int
            The threads and the mini-batches of the call.

        seconds : float
            The duration of the call.
        """
        if not n_batches:
            return
        self._seconds[n_threads] = seconds / n_batches
        self._spent[n_threads] += seconds
        faded = min(1.0, RECENT_SECONDS / sum(self._spent.values()))
        for n in self._spent:
            self._spent[n] *= faded
        # With several threads, the limit grows slowly: the next call may be with the slower
        # number of threads.
        growth = 8 if self.most == 1 else 2
        if seconds < CALL_SECONDS / 4 and n_batches > self.limit // 2:
            self.limit *= int(max(2, min(growth, CALL_SECONDS / 4 / seconds)))
        elif seconds > CALL_SECONDS:
            self.limit = max(1, int(self.limit * CALL_SECONDS / seconds))
