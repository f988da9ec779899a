"""Ctrl-C: a fit stops at once, warns, and leaves a network that predicts."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from skgd import MLPRegressor
from skgd._threads import run_together

FITS = {
    "short epochs": """
X, y = rng.standard_normal((200, 5)), rng.standard_normal(200)
model = skgd.MLPRegressor(hidden_layer_sizes=(4,), n_iter_no_change=10**9)
""",
    "a long epoch": """
X, y = rng.standard_normal((40_000, 100)), rng.standard_normal(40_000)
model = skgd.MLPRegressor(hidden_layer_sizes=(1000, 1000), batch_size=20)
""",
    "huge mini-batches": """
X, y = rng.standard_normal((40_000, 100)), rng.standard_normal(40_000)
model = skgd.MLPRegressor(hidden_layer_sizes=(300, 300), batch_size=10_000)
""",
    "early stopping": """
X, y = rng.standard_normal((400, 5)), rng.standard_normal(400) > 0
model = skgd.MLPClassifier((4,), n_iter_no_change=10**9, early_stopping=True)
""",
    "lbfgs": """
X, y = rng.standard_normal((100_000, 100)), rng.standard_normal(100_000)
model = skgd.MLPRegressor(hidden_layer_sizes=(300, 300), solver="lbfgs")
""",
    "short lbfgs": """
X, y = rng.standard_normal((2000, 20)), rng.standard_normal(2000) * 1e3
model = skgd.MLPRegressor(hidden_layer_sizes=(50, 50), activation="tanh", solver="lbfgs")
""",
}
PROGRAM = """
import signal, warnings
import numpy as np
import skgd
# A shell may have started the tests in the background, without.
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
{fit}
warmup = type(model)(**model.get_params() | {{"max_iter": 1, "max_fun": 1}})
model.set_params(max_iter=10**9, max_fun=10**9, tol=0.0, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    warmup.fit(X[:50], y[:50])
print("fitting", flush=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert model.fit(X, y) is model
print("stopped", flush=True)
assert ["interrupted" in str(w.message) for w in caught] == [True], caught
assert caught[0].filename == "<string>", caught[0].filename
assert np.isfinite(model.predict(X[:10])).all()
assert all(np.isfinite(coef).all() for coef in model.coefs_)
for curve in ("loss_curve_", "validation_scores_"):
    if getattr(model, curve, None) is not None:
        assert model.n_iter_ == len(getattr(model, curve))
print("usable", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one process.")
@pytest.mark.parametrize("fit", FITS)
def test_ctrl_c(fit):
    program = PROGRAM.format(fit=FITS[fit])
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # Whatever goes wrong, the test ends.
        killer = threading.Timer(120, process.kill)
        killer.daemon = True
        killer.start()
        assert process.stdout.readline() == "fitting\n", process.stderr.read()
        time.sleep(1.0)
        assert process.poll() is None
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stopped\n", process.stderr.read()
        elapsed = time.perf_counter() - sent
        assert process.stdout.readline() == "usable\n", process.stderr.read()
        assert process.wait() == 0
        killer.cancel()
    # It takes a fifth of one, on a machine that does nothing else.
    assert elapsed < 5


@pytest.fixture
def ctrl_c():
    """Python's own handler, whoever started the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("attribute", ["t_", "n_iter_", "loss_", "best_loss_"])
def test_attributes_agree(attribute, early_stopping):
    """Ctrl-C arrives between any two statements, here as an attribute is set."""

    if early_stopping and attribute == "best_loss_":
        attribute = "best_validation_score_"
    signals = [KeyboardInterrupt]

    class Interrupted(MLPRegressor):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            begun = len(getattr(self, "loss_curve_", ())) > 3
            if name == attribute and begun and signals:
                raise signals.pop()

    X = np.random.default_rng(0).standard_normal((100, 3))
    y = X.sum(axis=1)
    model = Interrupted(
        early_stopping=early_stopping, max_iter=50, solver="sgd", random_state=0
    )
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    assert not signals
    assert model.n_iter_ == len(model.loss_curve_)
    assert 3 <= model.n_iter_ < 50
    assert model.t_ == model.n_iter_ * (90 if early_stopping else 100)
    if early_stopping:
        assert len(model.validation_scores_) == model.n_iter_
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one thread.")
def test_threads_are_waited_for(ctrl_c):
    """A signal while threads run arrives when all of them are done."""
    done = []

    def work(thread):
        time.sleep(0.1)
        if thread == 0:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.2)
        done.append(thread)

    with pytest.raises(KeyboardInterrupt):
        run_together(work, lambda n: [(0,), (1,), (2,)], 3)
    assert sorted(done) == [0, 1, 2]
    assert run_together(lambda a, b: a + b, lambda n: [(1, 2), (3, 4)], 2) == [3, 7]
    with pytest.raises(ZeroDivisionError):
        run_together(lambda a: 1 // a, lambda n: [(1,), (0,)], 2)
    assert threading.active_count() < 10
