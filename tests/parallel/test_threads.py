"""Threads train together: what they may not change, and what they give back."""

import multiprocessing
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_info, threadpool_limits

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.neural_network._run import Run
from skgd.parallel import threads
from skgd.parallel.pace import Pace
from tests.engine.helpers import PURE_PYTHON

pytestmark = [
    pytest.mark.skipif(PURE_PYTHON, reason="Python's threads share one interpreter lock"),
    pytest.mark.filterwarnings("ignore:.*Maximum iterations"),
]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def fitted(X, y, n_jobs, **parameters):
    model = MLPClassifier(
        (128, 100), batch_size=250, max_iter=3, random_state=0, n_jobs=n_jobs, **parameters
    )
    return model.fit(X, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "parameters", [{}, {"batch_normalization": True}, {"solver": "rmsprop"}]
)
def test_their_number_changes_no_bit(parameters, dtype, digits, monkeypatch):
    X, y = digits[0].astype(dtype), digits[1]
    # Always the most threads: left to itself, a fit chooses by the clock.
    monkeypatch.setattr(Pace, "next_call", lambda self: (self.most, self.limit))
    used = []
    together = threads.run_together
    monkeypatch.setattr(
        "skgd.neural_network._trainer.run_together",
        lambda function, calls, n: used.append(n) or together(function, calls, n),
    )
    alone = fitted(X, y, 1, **parameters)
    assert set(used) == {1}
    for n_jobs in (2, 3):
        used.clear()
        several = fitted(X, y, n_jobs, **parameters)
        # 250 rows are two chunks of 125 rows and less.
        assert set(used) == {2}
        assert several.loss_curve_ == alone.loss_curve_
        for a, b in zip(
            several.coefs_ + several.intercepts_,
            alone.coefs_ + alone.intercepts_,
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)


def test_small_mini_batches_are_not_shared(digits, monkeypatch):
    monkeypatch.setattr(
        "skgd.neural_network._trainer.run_together",
        lambda function, calls, n: [function(*calls(1)[0])] if n == 1 else pytest.fail(),
    )
    MLPClassifier((16,), batch_size=32, max_iter=2, n_jobs=2).fit(*digits)


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def test_blas_keeps_its_threads(digits, monkeypatch):
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        during = []
        advance = Run.advance

        def watched(self, *args):
            during.append(blas_threads())
            return advance(self, *args)

        monkeypatch.setattr(Run, "advance", watched)
        fitted(*digits, n_jobs=2).predict(digits[0])
        assert during == [before]
        assert blas_threads() == before


def test_concurrent_fits_are_those_one_after_the_other(digits):
    expected = fitted(*digits, n_jobs=1)
    models = [None] * 6
    before = blas_threads()

    def fit(index):
        models[index] = fitted(*digits, n_jobs=1 + index % 2)

    threads = [threading.Thread(target=fit, args=(i,)) for i in range(len(models))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blas_threads() == before
    for model in models:
        for a, b in zip(model.coefs_, expected.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_number_available():
    assert threads.available_threads(3) == 3
    assert threads.available_threads(-1) >= 1
    with threadpool_limits(1, user_api="blas"):
        assert threads.available_threads(None) == 1
    with threadpool_limits(1, user_api="openmp"):
        assert threads.available_threads(None) == 1
    inside = Parallel(n_jobs=2, backend="threading")(
        delayed(threads.available_threads)(None) for _ in range(2)
    )
    assert inside == [1, 1]
    with pytest.raises(ValueError, match="n_jobs"):
        MLPClassifier(n_jobs=0).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_the_number_available_in_a_worker(backend):
    """What is asked for, as long as joblib's own loops would run in threads there."""
    results = Parallel(n_jobs=2, backend=backend)(
        delayed(_available_in_two_levels)(n_jobs) for n_jobs in (3, None)
    )
    assert results == [(3, [1, 1]), (1, [1, 1])]


def _available_in_two_levels(n_jobs):
    call = delayed(threads.available_threads)
    return threads.available_threads(n_jobs), Parallel(2)([call(n_jobs), call(n_jobs)])


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_the_number_available_in_a_pool(method):
    """Its processes may not start others, but threads."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(_available_without_a_warning, (3,)) == 3


def _available_without_a_warning(n_jobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return threads.available_threads(n_jobs)


@pytest.fixture
def refuse(monkeypatch):
    """Let no thread start from one on, counted from 0; return those that were asked for."""

    def from_thread(number):
        asked, start = [], threading.Thread.start

        def limited(thread):
            asked.append(thread)
            if len(asked) > number:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", limited)
        return asked

    return from_thread


@pytest.mark.parametrize("number", [0, 1, 2])
def test_without_a_thread_the_caller_works_alone(number, refuse):
    calls, asked = [], refuse(number)
    results = threads.run_together(
        lambda *args: calls.append((*args, threading.current_thread())) or "done",
        lambda n_threads: [(thread, n_threads) for thread in range(n_threads)],
        3,
    )
    assert results == ["done"]
    assert calls == [(0, 1, threading.current_thread())]
    assert len(asked) == number + 1
    for thread in asked[:number]:
        thread.join(60)
    assert not any(thread.is_alive() for thread in asked)


def test_an_interrupt_is_not_lost_where_a_thread_cannot_start(refuse, monkeypatch):
    refuse(1)
    finish = threads._finish

    def interrupted(go, done, errors, tell):
        finish(go, done, errors, tell)
        errors.append(KeyboardInterrupt())

    monkeypatch.setattr(threads, "_finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        threads.run_together(pytest.fail, lambda n: [()] * n, 2)


@pytest.mark.parametrize("number", [0, 1, 4])
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_training_without_a_thread_changes_no_bit(solver, number, refuse, monkeypatch):
    """From the first on, from the second that is needed, and in a later call."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 40))
    y = X[:, 0] * X[:, 1]
    parameters = {"solver": solver, "max_iter": 8, "random_state": 0, "batch_size": 1000}
    monkeypatch.setattr("skgd.neural_network._lbfgs.WORTH_SHARING", 0)
    monkeypatch.setattr(
        Pace, "next_call", lambda self: (self.most, 4 if solver == "lbfgs" else 1)
    )

    def fit(n_jobs):
        model = MLPRegressor(hidden_layer_sizes=(50,), n_jobs=n_jobs, **parameters)
        return model.fit(X, y)

    alone = fit(1)
    asked = refuse(number)
    limited = fit(3)
    # After the first refusal, none is asked for.
    assert len(asked) == number + 1
    assert limited.loss_ == alone.loss_
    assert limited.n_iter_ == alone.n_iter_
    for a, b in zip(limited.coefs_, alone.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("number", [0, 1])
def test_predictions_and_scalers_without_a_thread(number, refuse, monkeypatch):
    X = np.random.default_rng(0).standard_normal((30_000, 100))
    model = MLPRegressor(hidden_layer_sizes=(256,), max_iter=1, n_jobs=3).fit(
        X[:200], X[:200, 0]
    )
    expected = model.predict(X)
    scaled = ZScoreScaler().fit_transform(X)
    monkeypatch.setattr(threads, "available_threads", lambda n_jobs: 3)
    asked = refuse(number)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert len(asked) == number + 1
    asked.clear()
    np.testing.assert_array_equal(ZScoreScaler().fit_transform(X), scaled)
    assert asked


AT_EXIT = """
import atexit, warnings
import numpy as np
import skgd
from skgd.parallel import threads
from skgd.parallel.pace import Pace

warnings.simplefilter("ignore")
Pace.next_call = lambda self: (self.most, self.limit)
X = np.random.default_rng(0).standard_normal((20_000, 100))
y = X[:, 0]


def work():
    scaled = skgd.ZScoreScaler().fit_transform(X)
    network = {"hidden_layer_sizes": (128,), "max_iter": 2, "random_state": 0, "n_jobs": 2}
    model = skgd.MLPRegressor(batch_size=1000, **network).fit(scaled, y)
    other = skgd.MLPRegressor(solver="lbfgs", **network).fit(scaled, y)
    return [scaled, *model.coefs_, *other.coefs_, model.predict(scaled)]


before = work()


@atexit.register
def again():
    for a, b in zip(work(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    print("the same at exit")
"""


@pytest.mark.slow
def test_at_exit():
    """Python 3.12 and later start no threads there."""
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, text=True, timeout=300
    )
    assert (done.stdout, done.stderr) == ("the same at exit\n", "")


def test_an_error_of_any_call_is_raised():
    def work(number):
        if number == 2:
            raise ArithmeticError("second")
        return number

    with pytest.raises(ArithmeticError, match="second"):
        threads.run_together(work, lambda n: [(1,), (2,)], 2)


def simulated(pace, seconds, total):
    """Make calls that take so long a mini-batch; return the time, by their threads."""
    spent = dict.fromkeys(seconds, 0.0)
    while sum(spent.values()) < total:
        n_threads, n_batches = pace.next_call()
        call = n_batches * seconds[n_threads]
        spent[n_threads] += call
        pace.record(n_threads, n_batches, call)
    return spent


def test_calls_become_as_long_as_a_person_does_not_notice():
    pace = Pace(1, products=1000)
    assert pace.next_call() == (1, 256)
    pace.record(1, 256, 0.01)
    assert pace.next_call() == (1, 1280)
    pace.record(1, 1280, 0.08)
    assert pace.next_call() == (1, 1280)
    # A call that took too long is followed by a shorter one.
    pace.record(1, 1280, 0.4)
    assert pace.next_call() == (1, 640)
    # That tells of what several threads save is short.
    assert Pace(2, products=1000).next_call() == (1, 16)
    # The first call with huge mini-batches is of one.
    assert Pace(1, products=10**9).next_call() == (1, 1)


@pytest.mark.parametrize("ratio", [0.05, 0.55, 0.95])
def test_threads_that_help_are_used(ratio):
    pace = Pace(2, products=1000)
    spent = simulated(pace, {1: 1e-4, 2: ratio * 1e-4}, 5.0)
    assert spent[1] < 0.65
    # Twice as slow, they are soon left.
    assert simulated(pace, {1: 1.5 * ratio * 1e-4, 2: 2 * ratio * 1e-4}, 5.0)[2] < 1.0


@pytest.mark.parametrize("ratio", [1.05, 1.9, 20])
def test_threads_that_do_not_help_are_not_used(ratio):
    pace = Pace(2, products=1000)
    spent = simulated(pace, {1: 1e-4, 2: ratio * 1e-4}, 5.0)
    assert 0 < spent[2] < 0.65
    assert simulated(pace, {1: 1e-4, 2: 0.6e-4}, 5.0)[1] < 1.0


def test_threads_that_turn_bad_cost_one_call():
    """No call of several threads is much longer than all calls before."""
    pace, total = Pace(2, products=1000), 0.0
    while total < 1.0:
        n_threads, n_batches = pace.next_call()
        assert n_batches * 1e-4 <= max(2 * total, 16e-4)
        pace.record(n_threads, n_batches, n_batches * 1e-4)
        total += n_batches * 1e-4


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads are not placed")
def test_threads_may_run_wherever_the_process_may():
    """Each begins on a core of its own, which its work is then not bound to."""
    cores = os.sched_getaffinity(0)
    found = threads.run_together(os.sched_getaffinity, lambda n: [(0,)] * n, 3)
    assert found == [cores] * 3
    assert os.sched_getaffinity(0) == cores
