import inspect
import sys

import numpy as np
import pytest

from skgd import MLPClassifier
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
    assert set(schedule.hyperparameters) <= set(MLPClassifier().get_params())
    for settings in oracles.SETTINGS[name]:
        assert tuple(settings) == schedule.hyperparameters
    module = sys.modules[f"skgd.schedules.{name}"]
    assert ".. math::" in inspect.getdoc(module)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_a_trace_follows_the_oracle(name, settings):
    schedule = SCHEDULES[name]
    rate = schedule.bind()
    hyper = np.array([settings[key] for key in schedule.hyperparameters], dtype=float)
    rates = [rate(0.3, t, 25 * (t // 4), hyper) for t in range(100)]
    expected = [
        oracles.SCHEDULES[name](0.3, t, 25 * (t // 4), **settings) for t in range(100)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=0)
    assert rates[0] == 0.3


def test_the_staircase_falls_with_the_update_after_each_period():
    rate = SCHEDULES["inverse_time"].bind()
    for steps in (1, 3, 10, 49):
        hyper = np.array([0.5, steps, 1.0])
        rates = [rate(1.0, t, 0, hyper) for t in range(10 * steps)]
        falls = np.flatnonzero(np.diff(rates)) + 1
        np.testing.assert_array_equal(falls, np.arange(steps, 10 * steps, steps))


def test_a_schedule_counts_far():
    """A count of updates beyond the integers of float32."""
    hyper = np.array([1.0, 1.0, 1.0])
    rate = SCHEDULES["inverse_time"].bind()(1.0, 2**40 + 1, 0, hyper)
    assert rate == 1 / (2**40 + 2)


def test_only_adaptive_goes_on_after_a_plateau():
    for name, schedule in SCHEDULES.items():
        assert (schedule.after_plateau is not None) == (name == "adaptive")


def test_adaptive_divides_by_five_down_to_a_millionth():
    rates = [0.001]
    while rates[-1] is not None:
        rates.append(SCHEDULES["adaptive"].after_plateau(rates[-1]))
    np.testing.assert_allclose(rates[:-1], 0.001 / 5.0 ** np.arange(6), rtol=1e-12)
