"""Ctrl-C keeps the finished members, and the best epoch of the others."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skgd.neural_network import _trainer
from skgd.parallel import threads
from skgd.parallel.threads import run_together
from skgd.tabular import _members, _plan
from tests.tabular.tables import X, Y, regressor, same_fit


@pytest.fixture
def pressed(monkeypatch):
    """Ctrl-C arrives in some compiled call of training."""

    def press(call):
        calls = []

        def interrupted(function, arguments, n_threads):
            calls.append(function)
            if len(calls) == call:
                raise KeyboardInterrupt
            return run_together(function, arguments, n_threads)

        monkeypatch.setattr(_trainer, "run_together", interrupted)

    return press


def test_the_best_epochs_are_kept(pressed):
    pressed(7)
    model = regressor(n_members=3, n_jobs=1)
    with pytest.warns(UserWarning, match="interrupted"):
        assert model.fit(X, Y) is model
    assert model.stop_reason_ == "interrupted"
    assert model.n_iter_.tolist() == [4, 2]
    assert len(model.members_) == 2
    complete = regressor(n_members=3).fit(X, Y)
    for member, curve, whole in zip(
        model.members_,
        model.validation_loss_curves_,
        complete.validation_loss_curves_,
        strict=False,
    ):
        assert curve == whole[: len(curve)]
        assert member["best_epoch"] == np.argmin(curve) + 1
    np.testing.assert_array_equal(
        model.members_[0]["parameters"], complete.members_[0]["parameters"]
    )
    held_out = ~np.isnan(model.oof_prediction_)
    expected = ~np.isnan(regressor(n_members=2).fit(X, Y).oof_prediction_)
    np.testing.assert_array_equal(held_out, expected)
    assert np.isfinite(model.predict(X)).all()


def test_before_the_first_epoch(pressed):
    pressed(1)
    model = regressor(n_jobs=1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert not hasattr(model, "members_")


def test_while_the_pace_is_measured(pressed, monkeypatch):
    monkeypatch.setattr(_plan, "MEASURED_SECONDS", 0.0)
    pressed(1)
    with pytest.raises(KeyboardInterrupt):
        regressor(n_jobs=1, max_time=100.0).fit(X, Y)


def test_an_interrupted_refit_is_dropped(pressed):
    """The members are finished, their refits are not."""
    pressed(10)
    with pytest.warns(UserWarning, match="interrupted"):
        model = regressor(n_jobs=1, refit=True, learning_rate_init=0.01).fit(X, Y)
    assert model.stop_reason_ == "interrupted"
    same_fit(model, regressor(learning_rate_init=0.01).fit(X, Y))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_ends(pressed, n_jobs):
    pressed(5)
    search = GridSearchCV(regressor(n_jobs=n_jobs), {"n_members": [1, 2]}, cv=2)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one thread.")
def test_threads_end_early():
    """They end early, since Ctrl-C reaches the main thread alone."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    told = threading.Event()

    def work(thread):
        if thread == 0:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert told.wait(60)

    try:
        with pytest.raises(KeyboardInterrupt):
            run_together(work, lambda n: [(0,), (1,)], 2, told.set)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_in_one_member_ends_the_others():
    calls = []

    def score(estimator, X, y):
        calls.append(threading.get_ident())
        # Before training, each member has its scorer checked.
        if len(calls) > 20:
            raise RuntimeError("no score")
        return 0.0

    with pytest.raises(RuntimeError, match="no score"):
        regressor(scoring=score, n_jobs=2, n_members=20).fit(X, Y)
    assert len(calls) <= 22


def test_without_threads(monkeypatch):
    """Where none can be started, members train one after the other."""
    expected = regressor(n_members=3).fit(X, Y)

    class Unstartable(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "Thread", Unstartable)
    same_fit(regressor(n_members=3, n_jobs=2).fit(X, Y), expected)


def test_members_end_by_the_clock_alone():
    assert _members.Clock(deadline=-np.inf).reason() == "max_time"
    clock = _members.Clock()
    assert clock.reason() == ""
    clock.is_interrupted = True
    with pytest.raises(_members.StoppedError):
        clock.check()


PROGRAM = """
import signal, warnings
import numpy as np
import skgd
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
X, y = rng.standard_normal((20_000, 20)), rng.standard_normal(20_000)
class Network(skgd.TabularMLPRegressor):
    def _train(self, *args):
        print("fitting", flush=True)
        super()._train(*args)
model = Network(max_iter=10**6, n_members=3, n_jobs={n_jobs}, hidden_layer_sizes=(64,))
skgd.TabularMLPRegressor(max_iter=1, n_members=1).fit(X[:50], y[:50])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(X, y)
assert model.stop_reason_ == "interrupted"
assert ["interrupted" in str(w.message) for w in caught] == [True], caught
assert caught[0].filename == "<string>", caught[0].filename
assert np.isfinite(model.predict(X[:10])).all()
print(len(model.members_), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one process.")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_signal(n_jobs):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(n_jobs=n_jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        killer = threading.Timer(900, process.kill)
        killer.daemon = True
        killer.start()
        assert process.stdout.readline() == "fitting\n", process.stderr.read()
        time.sleep(3.0)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == f"{n_jobs}\n", process.stderr.read()
        assert process.wait() == 0
        killer.cancel()
