"""Threads that train together: the result is the same, bit by bit, for any number."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skgd.parallel.barrier import barrier
from tests.engine.helpers import DTYPES, PURE_PYTHON, Model, trainer_of
from tests.engine.problems import LOSSES, draw

needs_jit = pytest.mark.skipif(
    PURE_PYTHON, reason="without the JIT nothing releases the GIL or counts atomically"
)


def test_one_thread_waits_for_nobody():
    arrivals = np.zeros(1, dtype=np.int64)
    barrier(arrivals, 1)
    assert arrivals[0] == 0


@needs_jit
def test_threads_wait_for_each_other():
    arrivals = np.zeros(1, dtype=np.int64)
    barrier(arrivals, 1)  # compiles
    n_threads, n_meetings = 3, 200
    # What each has reached, as seen by the others.
    reached = np.zeros(n_threads, dtype=np.int64)

    def run(thread):
        for meeting in range(n_meetings):
            reached[thread] = meeting
            barrier(arrivals, n_threads)
            if (reached < meeting).any():
                return False
            barrier(arrivals, n_threads)
        return True

    with ThreadPoolExecutor(n_threads) as pool:
        assert all(pool.map(run, range(n_threads)))
    assert arrivals[0] == 2 * n_meetings * n_threads


def fit(model, X, y, loss, n_threads, **options):
    trainer, parameters = trainer_of(
        model,
        X,
        y,
        loss,
        solver="adam",
        rate=0.01,
        alpha=0.1,
        n_threads=n_threads,
        random_state=np.random.RandomState(0),
        **options,
    )
    losses = list(trainer.run(len(X) * np.arange(6)))
    return losses, parameters


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("units", [(20, 30, 3), (20, 50, 30, 2), (5, 9)])
@pytest.mark.parametrize("batch_size", [33, 64, 130])
@pytest.mark.parametrize("by_rows", [False, True])
def test_any_number_of_threads(by_rows, batch_size, units, batch_normalization, dtype):
    loss = LOSSES["multinomial"]
    X, y, weight = draw(loss, 130, units[0], units[-1], weighted=True)
    options = {
        "weight": weight,
        "batch_size": batch_size,
        "chunk": 16,
        "by_rows": by_rows,
    }
    model = Model(units, dtype, batch_normalization)
    losses, parameters = fit(model, X, y, loss, 1, **options)
    for n_threads in (2, 3, 5):
        again, found = fit(model, X, y, loss, n_threads, **options)
        assert again == losses
        np.testing.assert_array_equal(found.theta, parameters.theta)
        np.testing.assert_array_equal(found.running, parameters.running)


@needs_jit
def test_a_thread_that_is_interrupted_often_is_waited_for():
    loss = LOSSES["squared_error"]
    X, y, _ = draw(loss, 64, 10, 2, weighted=False)
    model = Model((10, 20, 2))
    losses, _ = fit(model, X, y, loss, 1, batch_size=32, chunk=16)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(3) as pool:
            fits = [
                pool.submit(fit, model, X, y, loss, 2, batch_size=32, chunk=16)
                for _ in range(6)
            ]
            assert all(f.result()[0] == losses for f in fits)
    finally:
        sys.setswitchinterval(interval)
