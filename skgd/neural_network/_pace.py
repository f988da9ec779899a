"""How long the compiled calls of a fit are, and with how many threads.

Results depend on neither, so both follow the clock: a call is to take about as long as a
person does not notice when pressing Ctrl-C, and where a second thread does not help, since
its core is busy with something else, a fit goes on with one.
"""

__all__ = ["Pace"]

# How long a compiled call may take, in seconds: Python handles no signal before.
CALL_SECONDS = 0.2

# The first call, of which nothing is known, is of no more than this many multiplications
# in the forward pass: sixteen mini-batches, unless they are huge.
FIRST_CALL_PRODUCTS = 100_000_000

# How long to look at a number of threads before judging it, in seconds.
JUDGED_SECONDS = 0.02

# Of so many calls one, an eighth as long, tries the other number of threads.
CALLS_A_TRIAL = 16


class Pace:
    """Decides about the next call from the time that the last ones took.

    Parameters
    ----------
    most : int
        The most threads to use.

    products : int
        Multiplications in the forward pass of a mini-batch, at most.

    Attributes
    ----------
    most : int
        As given.

    choices : tuple of int
        The numbers of threads to choose from.

    limit : int
        Mini-batches that take about ``CALL_SECONDS``.
    """

    def __init__(self, most, products):
        self.most = most
        self.choices = (most, 1) if most > 1 else (1,)
        self.limit = max(1, min(16, FIRST_CALL_PRODUCTS // products))
        self._seconds = {}
        # By the number of threads, of the calls since the last judgement: their
        # mini-batches and seconds.
        self._since = dict.fromkeys(self.choices, (0, 0.0))
        self._calls = 0

    def next_call(self):
        """Return the number of threads and of mini-batches of the next call."""
        self._calls += 1
        if self.most not in self._seconds or len(self.choices) == 1:
            return self.most, self.limit
        best = min(self._seconds, key=self._seconds.get)
        other = next(n for n in self.choices if n != best)
        if other not in self._seconds or self._calls % CALLS_A_TRIAL == 0:
            return other, max(1, self.limit // 8)
        return best, self.limit

    def record(self, n_threads, n_batches, seconds):
        """Learn what a call of so many mini-batches took."""
        if seconds < CALL_SECONDS / 4 and n_batches > self.limit // 2:
            # So short a call tells how long threads take to start.
            self.limit *= int(max(2, min(8, CALL_SECONDS / 4 / seconds)))
            return
        batches, spent = self._since[n_threads]
        batches, spent = batches + n_batches, spent + seconds
        if batches and spent >= JUDGED_SECONDS:
            # Of good news half is believed: a short trial beside a busy process may have
            # been lucky, and a whole call that is not takes twice its time.
            now = spent / batches
            before = self._seconds.get(n_threads, now)
            self._seconds[n_threads] = max(now, (before + now) / 2)
            batches, spent = 0, 0.0
        self._since[n_threads] = batches, spent
        if seconds > CALL_SECONDS:
            self.limit = max(1, int(self.limit * CALL_SECONDS / seconds))
