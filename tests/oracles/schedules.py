"""Learning-rate schedules: (initial, t, n_seen, **hyperparameters) -> rate.

``t`` counts the updates made before, ``n_seen`` the samples of the epochs before.
"""

from functools import wraps
from math import cos, log2, pi


def warm(schedule):
    """Put a warm-up before a schedule. With a total, it gets the part ``t / total``."""

    @wraps(schedule)
    def warmed(initial, t, n_seen, *, warmup_steps=0, total=None, **settings):
        if t < warmup_steps:
            return t / warmup_steps * warmed(initial, 0, n_seen, total=total, **settings)
        t -= warmup_steps
        if total is not None:
            t = min(1, t / (total - warmup_steps))
        return initial * schedule(t, n_seen, **settings)

    return warmed


@warm
def constant(t, n_seen):
    return 1


@warm
def inverse_time(t, n_seen, *, decay_rate, decay_steps, staircase):
    periods = t // decay_steps if staircase else t / decay_steps
    return 1 / (1 + decay_rate * periods)


@warm
def invscaling(t, n_seen, *, power_t):
    return 1 / (n_seen + 1) ** power_t


@warm
def step(t, n_seen, *, step_size, gamma):
    factor = 1
    for _ in range(t // step_size):
        factor *= gamma
    return factor


@warm
def exponential(t, n_seen, *, gamma):
    return step(1, t, n_seen, step_size=1, gamma=gamma)


@warm
def polynomial(part, n_seen, *, power, lowest):
    return lowest + (1 - lowest) * (1 - part) ** power


def _wave(start, stop, part):
    return stop + (start - stop) * (1 + cos(pi * part)) / 2


@warm
def cosine(part, n_seen, *, n_cycles, growth, lowest):
    lengths = [growth**k for k in range(n_cycles)]
    left = part * sum(lengths)
    for length in lengths[:-1]:
        # An update at the end of a cycle is the first of the next.
        if left < length * (1 - 1e-12):
            return _wave(1, lowest, left / length)
        left -= length
    return _wave(1, lowest, left / lengths[-1])


@warm
def one_cycle(part, n_seen, *, pct_start, div_factor, final_div_factor):
    if part < pct_start:
        return _wave(1 / div_factor, 1, part / pct_start)
    rest = (part - pct_start) / (1 - pct_start)
    return _wave(1, 1 / div_factor / final_div_factor, rest)


@warm
def coslog(part, n_seen, *, n_cycles):
    return (1 - cos(2 * pi * log2(1 + (2**n_cycles - 1) * part))) / 2


@warm
def flat_cos(part, n_seen):
    return (1 + cos(pi * (max(1, 2 * part) - 1))) / 2


SCHEDULES = {
    "constant": constant,
    "inverse_time": inverse_time,
    "invscaling": invscaling,
    "adaptive": constant,  # what lowers the initial rate happens between epochs
    "step": step,
    "exponential": exponential,
    "polynomial": polynomial,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "coslog": coslog,
    "flat_cos": flat_cos,
}


def _settings(names, *values, totals=False):
    """Name the values, and append a warm-up, with a total too if there are some."""
    names = [*names.split(), "warmup_steps", *(["total"] if totals else [])]
    return [dict(zip(names, row, strict=True)) for row in values]


# Hyperparameters that a trace should be seen with.
SETTINGS = {
    "constant": [{"warmup_steps": 0}, {"warmup_steps": 9}],
    "inverse_time": _settings(
        "decay_rate decay_steps staircase",
        (1.0, 10, True, 0),
        (0.3, 7, True, 0),
        (0.3, 7, False, 5),
        (0.0, 1, False, 0),
    ),
    "invscaling": _settings("power_t", (0.5, 0), (0.0, 0), (1.3, 5)),
    "adaptive": [{"warmup_steps": 0}, {"warmup_steps": 1}],
    "step": _settings("step_size gamma", (10, 0.5, 0), (1, 0.9, 0), (7, 0.1, 20)),
    "exponential": _settings("gamma", (0.97, 0), (1, 0), (0.9, 3)),
    "polynomial": _settings(
        "power lowest",
        (1.0, 0.0, 0, 100),
        (2, 0.1, 0, 70),
        (0.5, 0.0, 20, 130),
        totals=True,
    ),
    "cosine": _settings(
        "n_cycles growth lowest",
        (1, 1.0, 0.0, 0, 100),
        (3, 1.0, 0.0, 0, 99),
        (3, 2, 0.1, 10, 80),
        (4, 0.7, 0.0, 0, 100),
        totals=True,
    ),
    "one_cycle": _settings(
        "pct_start div_factor final_div_factor",
        (0.3, 25.0, 1e4, 0, 100),
        (0.25, 10, 2, 4, 84),
        totals=True,
    ),
    "coslog": _settings("n_cycles", (4, 0, 100), (3, 0, 70), (1, 9, 100), totals=True),
    "flat_cos": _settings("", (0, 100), (9, 70), totals=True),
}
