"""Ctrl-C: a fit stops at once, warns, and leaves a network that predicts.

If the fit is one of many, as in a search, the search ends.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from types import FunctionType

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn import ensemble, feature_selection, model_selection, multiclass, multioutput
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline

from skgd import (
    MeanScaler,
    MinMaxScaler,
    MLPClassifier,
    MLPRegressor,
    ZScoreScaler,
    _caller,
)
from skgd.compile.jit import Kernel
from skgd.neural_network import _lbfgs, _trainer
from skgd.neural_network._run import Run
from skgd.parallel.threads import run_together

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
from skgd.neural_network._orders import WORTH_COMPILING, draw_orders
# A shell may have started the tests in the background, without.
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
{fit}
warmup = type(model)(**model.get_params() | {{"max_iter": 1, "max_fun": 1}})
model.set_params(max_iter=10**9, max_fun=10**9, tol=0.0, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    warmup.fit(X[:50], y[:50])
# Many short epochs have a kernel of their own.
draw_orders(np.random.RandomState(0), np.arange(WORTH_COMPILING), n_epochs=1)
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


@pytest.mark.slow
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
        # Whatever goes wrong, the test ends. To compile takes minutes on a busy machine.
        killer = threading.Timer(900, process.kill)
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
@pytest.mark.parametrize("attribute", ["_best_loss", "_best", "_n_without_improvement"])
def test_attributes_agree(monkeypatch, attribute, early_stopping):
    """Ctrl-C arrives between any two statements, here as an attribute is set."""
    if attribute in ("_best", "_best_loss") and early_stopping != (attribute == "_best"):
        pytest.skip("not set in these epochs")
    signals = [KeyboardInterrupt]

    def interrupted(run, name, value):
        object.__setattr__(run, name, value)
        if name == attribute and len(run.epochs) > 3 and signals:
            raise signals.pop()

    monkeypatch.setattr(Run, "__setattr__", interrupted)
    X = np.random.default_rng(0).standard_normal((100, 3))
    y = X.sum(axis=1)
    model = MLPRegressor(
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
    # Those of other tests: scikit-learn's callbacks leave some.
    before = threading.active_count()
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
    assert threading.active_count() < before + 10


class Slow(np.ndarray):
    """An array whose attributes are looked up in Python."""

    def __getattribute__(self, name):
        return super().__getattribute__(name)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("order", ["C", "F"])
def test_arguments_of_kernels_are_looked_up_in_c(order, monkeypatch):
    """Numba drops an interrupt that arrives while Python looks up an attribute for it."""
    found = set()

    def collect(value):
        if isinstance(value, tuple):
            for part in value:
                collect(part)
        elif isinstance(type(value).__getattribute__, FunctionType):
            found.add(type(value))

    call, calls = Kernel.__call__, []

    def looked_at(kernel, *args):
        calls.append(kernel)
        collect(args)
        return call(kernel, *args)

    monkeypatch.setattr(Kernel, "__call__", looked_at)
    X = np.array(np.random.default_rng(0).standard_normal((60, 3)), order=order)
    X, y, weight = (a.view(Slow) for a in (X, X[:, 0], np.ones(60)))
    for scaler in (ZScoreScaler(), MinMaxScaler(), MeanScaler()):
        scaler.inverse_transform(scaler.fit_transform(X))
    assert calls
    for parameters in (
        {"batch_normalization": True, "n_jobs": 2},
        {"early_stopping": True},
        {"solver": "lbfgs"},
    ):
        calls.clear()
        model = MLPRegressor(max_iter=2, **parameters)
        model.fit(X, y, sample_weight=weight).predict(X)
        model.fit(sparse.csr_array(X), y).predict(X)
        assert calls
    assert not found


# ---------------------------------------------------------------------- one fit of many

SEARCH = """
import os, signal, warnings
import numpy as np
import skgd
from sklearn.model_selection import GridSearchCV
signal.signal(signal.SIGINT, signal.default_int_handler)
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.standard_normal((2000, 20))
y = 1e3 * rng.standard_normal(2000)
class Network(skgd.MLPRegressor):
    def fit(self, X, y):
        os.write(1, b"fitting\\n")
        return super().fit(X, y)
parameters = {parameters} | {{"hidden_layer_sizes": (50, 50), "activation": "tanh"}}
skgd.MLPRegressor(**parameters, max_iter=1, max_fun=1).fit(X[:50], y[:50])
model = Network(**parameters, max_iter=10**9, max_fun=10**9, tol=0.0)
search = GridSearchCV(model, {{"alpha": [1e-4, 1e-3, 1e-2]}}, cv=2, n_jobs={n_jobs})
try:
    search.fit(X, y)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
SEARCHES = {
    "lbfgs": ({"solver": "lbfgs"}, 1),
    "adam": ({"n_iter_no_change": 10**9}, 1),
    "early stopping": (
        {"early_stopping": True, "n_iter_no_change": 10**9},
        1,
    ),
    "two processes": ({"n_iter_no_change": 10**9}, 2),
}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one process.")
@pytest.mark.parametrize("name", SEARCHES)
def test_one_ctrl_c_ends_a_search(name):
    parameters, n_jobs = SEARCHES[name]
    program = SEARCH.format(
        parameters=parameters,
        n_jobs=n_jobs,
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A terminal sends Ctrl-C to all processes of a group.
        start_new_session=True,
    ) as process:
        killer = threading.Timer(900, process.kill)
        killer.daemon = True
        killer.start()
        for _ in range(n_jobs):
            assert process.stdout.readline() == "fitting\n", process.stderr.read()
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n", process.stderr.read()
        assert process.wait() == 0
        killer.cancel()


@pytest.fixture
def pressed(monkeypatch):
    """Ctrl-C arrives in each compiled call of training; the calls are counted."""
    calls = []

    def press(function, arguments, most):
        calls.append(function)
        raise KeyboardInterrupt

    monkeypatch.setattr(_trainer, "run_together", press)
    monkeypatch.setattr(_lbfgs, "run_together", press)
    return calls


X = np.random.default_rng(0).standard_normal((60, 3))
CLASSES = np.arange(60) % 3
TARGETS = X[:, 0]
SOLVERS = {
    "adam": {},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True},
}


def search(model):
    return model_selection.GridSearchCV(model, {"alpha": [1e-4, 1e-3]}, cv=2)


def randomized(model):
    return model_selection.RandomizedSearchCV(
        model, {"alpha": [1e-4, 1e-3]}, n_iter=2, cv=2
    )


def ranked(model):
    return feature_selection.RFE(model, importance_getter="coefs_")


CLASSIFIERS = [
    search,
    randomized,
    multiclass.OneVsRestClassifier,
    multiclass.OneVsOneClassifier,
    ensemble.BaggingClassifier,
    lambda model: ensemble.StackingClassifier([("a", model), ("b", model)]),
    lambda model: ensemble.VotingClassifier([("a", model), ("b", model)]),
    lambda model: make_pipeline(ZScoreScaler(), search(model)),
]
REGRESSORS = [
    search,
    ranked,
    ensemble.AdaBoostRegressor,
    ensemble.BaggingRegressor,
    multioutput.MultiOutputRegressor,
    multioutput.RegressorChain,
    lambda model: search(TransformedTargetRegressor(model)).set_params(
        param_grid={"regressor__alpha": [1e-4, 1e-3]}
    ),
    lambda model: FeatureUnion([("a", feature_selection.SelectFromModel(model))]),
]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("estimator", "many"),
    [(MLPClassifier, many) for many in CLASSIFIERS]
    + [(MLPRegressor, many) for many in REGRESSORS],
)
def test_the_first_of_many_fits_is_the_last(estimator, many, solver, pressed):
    model = many(estimator(random_state=0, **SOLVERS[solver]))
    y = CLASSES if estimator is MLPClassifier else TARGETS
    if "multioutput" in type(model).__module__:
        y = np.column_stack([y, -y])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert len(pressed) == 1


@pytest.mark.parametrize(
    "many",
    [
        model_selection.cross_val_score,
        model_selection.cross_validate,
        model_selection.cross_val_predict,
        model_selection.learning_curve,
        lambda *args: model_selection.learning_curve(
            *args, exploit_incremental_learning=True
        ),
        lambda *args: model_selection.validation_curve(
            *args, param_name="alpha", param_range=[1e-4, 1e-3]
        ),
        lambda *args: model_selection.permutation_test_score(*args, n_permutations=2),
        lambda model, X, y: joblib.Parallel(n_jobs=1)(
            joblib.delayed(clone(model).fit)(X, y) for _ in range(2)
        ),
    ],
)
def test_ctrl_c_ends_what_fits_many(many, pressed):
    with pytest.raises(KeyboardInterrupt):
        many(MLPRegressor(random_state=0), X, TARGETS)
    assert len(pressed) == 1


def test_in_threads_of_joblib(pressed):
    """A thread of joblib has its frames, too."""
    with pytest.raises(KeyboardInterrupt), joblib.parallel_config("threading", n_jobs=2):
        model_selection.cross_val_score(MLPRegressor(random_state=0), X, TARGETS)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        make_pipeline,
        lambda model: make_pipeline(ZScoreScaler(), make_pipeline(model)),
        TransformedTargetRegressor,
        lambda model: TransformedTargetRegressor(make_pipeline(ZScoreScaler(), model)),
    ],
)
def test_a_fit_that_is_called_directly_keeps_it(wrap, solver, pressed):
    model = wrap(MLPRegressor(random_state=0, **SOLVERS[solver]))
    with pytest.warns(UserWarning, match="interrupted"):
        assert model.fit(X, TARGETS) is model
    assert np.isfinite(model.predict(X)).all()


def test_partial_fit_that_is_called_directly_keeps_it(pressed):
    with pytest.warns(UserWarning, match="interrupted"):
        model = MLPRegressor(random_state=0).partial_fit(X, TARGETS)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("second", SOLVERS)
@pytest.mark.parametrize("first", SOLVERS)
@pytest.mark.parametrize("fitted", [False, True])
def test_the_second_one_goes_up(fitted, first, second, method, pressed, monkeypatch):
    """It need not arrive in the same fit; the estimator is as it was."""
    if method == "partial_fit" and second != "adam":
        return
    model = MLPRegressor(random_state=0, **SOLVERS[second])
    if fitted:
        with monkeypatch.context() as context:
            context.setattr(_trainer, "run_together", run_together)
            context.setattr(_lbfgs, "run_together", run_together)
            model.set_params(tol=10, n_iter_no_change=1).fit(X, TARGETS)
    before = joblib.hash(vars(model))
    with pytest.warns(UserWarning, match="interrupted"):
        MLPRegressor(random_state=0, **SOLVERS[first]).fit(X, TARGETS)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            getattr(model, method)(X, TARGETS)
        assert joblib.hash(vars(model)) == before
    # Much later it is a first one again.
    monkeypatch.setattr(_caller, "monotonic", lambda: time.monotonic() + 2.5)
    with pytest.warns(UserWarning, match="interrupted"):
        getattr(model, method)(X, TARGETS)


def test_a_second_interrupt_after_a_search_is_raised(pressed):
    with pytest.raises(KeyboardInterrupt):
        search(MLPRegressor(random_state=0)).fit(X, TARGETS)
    with pytest.raises(KeyboardInterrupt):
        MLPRegressor(random_state=0).fit(X, TARGETS)
