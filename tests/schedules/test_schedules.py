import inspect
import sys

import numpy as np
import pytest

from skgd.engine.plugins import Progress
from skgd.schedules import SCHEDULES
from tests.oracles import schedules as oracles

CASES = [(name, s) for name in SCHEDULES for s in oracles.SETTINGS[name]]


def test_every_schedule_has_an_oracle():
    assert set(oracles.SCHEDULES) == set(SCHEDULES)
    assert set(oracles.SETTINGS) == set(SCHEDULES)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_registry(name):
    schedule = SCHEDULES[name]
    assert schedule.name == name
    names = tuple(schedule.argument_names())
    assert set(names) == set(schedule._parameter_constraints)
    for settings in oracles.SETTINGS[name]:
        assert tuple(settings) == names
    module = sys.modules[schedule.__module__]
    assert ".. math::" in inspect.getdoc(module)


def progress(t, epoch_of=4, rows=25):
    """Where the training stands before updates, of which an epoch has some."""
    t = np.asarray(t)
    epoch = t // epoch_of
    return Progress(t, None, epoch, rows * epoch)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_a_trace_follows_the_oracle(name, settings):
    schedule = SCHEDULES[name](**settings)
    rates = 0.3 * schedule(progress(np.arange(100)))
    expected = [
        oracles.SCHEDULES[name](0.3, t, 25 * (t // 4), **settings) for t in range(100)
    ]
    assert rates.shape == (100,)
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=0)
    assert rates[0] == 0.3
    # In calls of other lengths they are the same, to the last bit.
    parts = [
        0.3 * schedule(progress(part)) for part in np.split(np.arange(100), [1, 8, 57])
    ]
    np.testing.assert_array_equal(np.concatenate(parts), rates)


def test_the_staircase_falls_with_the_update_after_each_period():
    for steps in (1, 3, 10, 49):
        schedule = SCHEDULES["inverse_time"](decay_rate=0.5, decay_steps=steps)
        rates = schedule(progress(np.arange(10 * steps)))
        falls = np.flatnonzero(np.diff(rates)) + 1
        np.testing.assert_array_equal(falls, np.arange(steps, 10 * steps, steps))


def test_a_schedule_counts_far():
    """A count of updates beyond the integers of float32."""
    schedule = SCHEDULES["inverse_time"](decay_rate=1.0, decay_steps=1)
    assert schedule(progress([2**40 + 1])) == 1 / (2**40 + 2)


def test_only_adaptive_goes_on_after_a_plateau():
    for name, schedule in SCHEDULES.items():
        assert (schedule.after_plateau is not None) == (name == "adaptive")


def test_adaptive_divides_by_five_down_to_a_millionth():
    rates = [0.001]
    while rates[-1] is not None:
        rates.append(SCHEDULES["adaptive"]().after_plateau(rates[-1]))
    np.testing.assert_allclose(rates[:-1], 0.001 / 5.0 ** np.arange(6), rtol=1e-12)
