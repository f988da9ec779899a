import inspect
import sys

import numpy as np
import pytest

from skgd.engine.plugins import Progress
from skgd.schedules import SCHEDULES, FunctionSchedule
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


def progress(t, n_updates=None, epoch_of=4, rows=25):
    """Where the training stands before updates, of which an epoch has some."""
    t = np.asarray(t)
    epoch = t // epoch_of
    return Progress(t, n_updates, epoch, rows * epoch)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_a_trace_follows_the_oracle(name, settings):
    schedule = SCHEDULES[name](**settings)
    rates = 0.3 * schedule(progress(np.arange(100)))
    expected = [
        oracles.SCHEDULES[name](0.3, t, 25 * (t // 4), **settings) for t in range(100)
    ]
    assert rates.shape == (100,)
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-15)
    if name not in ("one_cycle", "coslog") and not settings.get("warmup_steps"):
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


def test_a_power_that_is_too_large_for_a_number():
    rates = SCHEDULES["invscaling"](power_t=400)(progress(np.arange(8)))
    np.testing.assert_array_equal(rates, [1.0] * 4 + [0.0] * 4)


def test_adaptive_divides_by_five_down_to_a_millionth():
    rates = [0.001]
    while rates[-1] is not None:
        rates.append(SCHEDULES["adaptive"]().after_plateau(rates[-1]))
    np.testing.assert_allclose(rates[:-1], 0.001 / 5.0 ** np.arange(6), rtol=1e-12)


OVER_TRAINING = [name for name in SCHEDULES if SCHEDULES[name].needs_n_updates]


def test_which_schedules_are_over_the_whole_training():
    names = {"polynomial", "cosine", "one_cycle", "coslog", "flat_cos"}
    assert set(OVER_TRAINING) == names


@pytest.mark.parametrize("name", OVER_TRAINING)
def test_a_total_stands_for_the_updates_of_the_fit(name):
    t = np.arange(60)
    expected = SCHEDULES[name]()(progress(t, 50))
    for n_updates in (None, 1000):
        found = SCHEDULES[name](total=50)(progress(t, n_updates))
        np.testing.assert_array_equal(found, expected)
    # Training that goes on keeps the last factor.
    np.testing.assert_array_equal(expected[50:], expected[50])


@pytest.mark.parametrize("name", OVER_TRAINING)
def test_a_training_of_one_update(name):
    assert np.isfinite(SCHEDULES[name]()(progress([0], 1))).all()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, schedule in SCHEDULES.items()
        if name != "invscaling" and "warmup_steps" in schedule.argument_names()
    ],
)
def test_a_warm_up_comes_before_the_schedule(name):
    """It rises from 0; invscaling counts samples, those of the warm-up too."""
    plain = SCHEDULES[name]()(progress(np.arange(20), 100))
    warm = SCHEDULES[name](warmup_steps=10)(progress(np.arange(30), 110))
    np.testing.assert_array_equal(warm[:10], np.arange(10) / 10 * plain[0])
    np.testing.assert_array_equal(warm[10:], plain)


def test_a_warm_up_of_a_function():
    schedule = FunctionSchedule(lambda update, n_updates: 1 - update / n_updates, 4)
    found = schedule(progress(np.arange(8), 8))
    np.testing.assert_array_equal(found, [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25])


def test_a_warm_up_that_does_not_end():
    for name in SCHEDULES:
        with pytest.raises(ValueError, match=r"warmup_steps=50 must be less .* 50; lower"):
            SCHEDULES[name](warmup_steps=50)(progress([0], 50))


def test_of_known_values():
    """By hand, at quarters of the training."""
    t = np.arange(5)
    expected = {
        "polynomial": [1, 0.75, 0.5, 0.25, 0],
        "cosine": [1, (1 + np.sqrt(0.5)) / 2, 0.5, (1 - np.sqrt(0.5)) / 2, 0],
        "flat_cos": [1, 1, 1, 0.5, 0],
    }
    for name, values in expected.items():
        found = SCHEDULES[name]()(progress(t, 4))
        np.testing.assert_allclose(found, values, rtol=1e-12, atol=1e-15)
    # The waves of coslog end at 1/15, 3/15 and 7/15, and are highest half-way in log2.
    waves = SCHEDULES["coslog"]()(progress([0, 1, 3, 7, 15], 15))
    np.testing.assert_allclose(waves, 0, atol=1e-15)
    # Two restarts, after 1/7 and 3/7.
    restarts = SCHEDULES["cosine"](n_cycles=3, growth=2)(progress(np.arange(700), 700))
    np.testing.assert_array_equal(np.flatnonzero(restarts == 1), [0, 100, 300])
