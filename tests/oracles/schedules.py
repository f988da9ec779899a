"""Learning-rate schedules: (initial, t, n_seen, **hyperparameters) -> rate.

``t`` counts the updates made before, ``n_seen`` the samples of the epochs before.
"""


def constant(initial, t, n_seen):
    return initial


def inverse_time(initial, t, n_seen, *, decay_rate, decay_steps, staircase):
    periods = t // decay_steps if staircase else t / decay_steps
    return initial / (1 + decay_rate * periods)


def invscaling(initial, t, n_seen, *, power_t):
    return initial / (n_seen + 1) ** power_t


SCHEDULES = {
    "constant": constant,
    "inverse_time": inverse_time,
    "invscaling": invscaling,
    "adaptive": constant,  # what lowers the initial rate happens between epochs
}

# Hyperparameters that a trace should be seen with.
SETTINGS = {
    "constant": [{}],
    "inverse_time": [
        {"decay_rate": 1.0, "decay_steps": 10, "staircase": True},
        {"decay_rate": 0.3, "decay_steps": 7, "staircase": True},
        {"decay_rate": 0.3, "decay_steps": 7, "staircase": False},
        {"decay_rate": 0.0, "decay_steps": 1, "staircase": False},
    ],
    "invscaling": [{"power_t": 0.5}, {"power_t": 0.0}, {"power_t": 1.3}],
    "adaptive": [{}],
}
