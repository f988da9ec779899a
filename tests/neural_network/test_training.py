"""The epoch loop: what it prints, keeps and never changes, and the state after Ctrl-C."""

import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import accuracy_score, r2_score

from skgd import MLPClassifier, MLPRegressor
from skgd.engine.full_batch.lbfgs import minimize
from skgd.neural_network import _lbfgs, _stochastic, _trainer
from skgd.solvers import SOLVERS
from tests.engine.helpers import PURE_PYTHON, assert_close

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 5))
CLASSES = (X[:, 0] + X[:, 1] > 0).astype(int)
TARGETS = X[:, 0] * 2 - X[:, 1]
ESTIMATORS = {MLPClassifier: CLASSES, MLPRegressor: TARGETS}
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


# -------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["C", "F", "sparse"])
@every_estimator
def test_the_data_are_never_written_to(estimator, kind, dtype, solver):
    rows = (
        sparse.csr_array(X.astype(dtype))
        if kind == "sparse"
        else (np.array(X, dtype=dtype, order=kind))
    )
    y = ESTIMATORS[estimator].astype(dtype if estimator is MLPRegressor else int)
    weight = np.linspace(0, 2, 80).astype(dtype)
    arrays = [
        y,
        weight,
        *([rows.data, rows.indices, rows.indptr] if kind == "sparse" else [rows]),
    ]
    kept = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    model = estimator(hidden_layer_sizes=(6,), solver=solver, max_iter=3, random_state=0)
    model.fit(rows, y, weight)
    model.predict(rows)
    if solver != "lbfgs":
        model.partial_fit(rows, y, sample_weight=weight)
        model.set_params(early_stopping=True).fit(rows, y, weight)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@every_estimator
def test_rows_of_no_weight_do_not_count(estimator, solver):
    y = ESTIMATORS[estimator]
    weight = np.ones(80)
    weight[::3] = 0
    parameters = {"solver": solver, "shuffle": False, "random_state": 0, "max_iter": 10}
    one = estimator(**parameters).fit(X, y, weight)
    other = estimator(**parameters).fit(X[weight > 0], y[weight > 0])
    assert_close(one.predict(X), other.predict(X), 1e-6)
    assert one.loss_ == pytest.approx(other.loss_, rel=1e-6)


@every_estimator
def test_mini_batches_of_no_weight_do_not_count(estimator):
    y = ESTIMATORS[estimator]
    weight = np.ones(80)
    weight[20:60] = 0
    parameters = {
        "batch_size": 20,
        "shuffle": False,
        "random_state": 0,
        "max_iter": 10,
    }
    one = estimator(**parameters).fit(X, y, weight)
    other = estimator(**parameters).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.loss_curve_ == other.loss_curve_
    # but they have been seen.
    assert (one.t_, other.t_) == (800, 400)


# ----------------------------------------------------------------------- early stopping


@pytest.mark.parametrize("batch_normalization", [False, True])
@every_estimator
def test_early_stopping_keeps_the_best(monkeypatch, estimator, batch_normalization):
    rows = []

    def watched(*args):
        _, held_out = split(*args)
        rows.append(held_out)
        return np.setdiff1d(np.arange(80), held_out), held_out

    split = _stochastic.split
    monkeypatch.setattr(_stochastic, "split", watched)
    y = ESTIMATORS[estimator]
    model = estimator(
        early_stopping=True,
        validation_fraction=0.3,
        batch_normalization=batch_normalization,
        learning_rate_init=0.05,
        n_iter_no_change=5,
        random_state=0,
    ).fit(X, y)
    (held_out,) = rows
    score = accuracy_score if estimator is MLPClassifier else r2_score
    found = score(y[held_out], model.predict(X[held_out]))
    assert found == pytest.approx(model.best_validation_score_, abs=1e-12)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_
    assert model.n_iter_ < 200
    assert model.best_loss_ is None


# ----------------------------------------------------------------------------- printing


@every_estimator
def test_verbose_prints_each_epoch(estimator, capsys):
    model = estimator(verbose=True, random_state=0, max_iter=7, tol=0)
    model.fit(X, ESTIMATORS[estimator])
    lines = capsys.readouterr().out.splitlines()
    expected = [
        f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(model.loss_curve_, 1)
    ]
    assert lines == expected
    assert len(lines) == 7


def test_verbose_prints_scores_and_why_it_stops(capsys):
    model = MLPClassifier(
        verbose=True, random_state=0, early_stopping=True, n_iter_no_change=2
    ).fit(X, CLASSES)
    lines = capsys.readouterr().out.splitlines()
    scores = [line for line in lines if line.startswith("Validation score:")]
    assert scores == [f"Validation score: {s:f}" for s in model.validation_scores_]
    assert lines[-1] == (
        "Validation score did not improve more than tol=0.000100 for 2 consecutive "
        "epochs. Stopping."
    )


def test_verbose_prints_the_rates(capsys):
    MLPRegressor(
        solver="momentum",
        learning_rate="adaptive",
        learning_rate_init=0.001,
        verbose=True,
        tol=1e9,
        n_iter_no_change=1,
        random_state=0,
    ).fit(X, TARGETS)
    out = capsys.readouterr().out
    rates = [float(rate) for rate in re.findall(r"Setting learning rate to (\S+)", out)]
    np.testing.assert_allclose(rates, 0.001 / 5.0 ** np.arange(1, 6), atol=1e-6)
    assert out.splitlines()[-1].endswith("Learning rate too small. Stopping.")


def test_verbose_of_lbfgs(capsys):
    model = MLPRegressor(solver="lbfgs", verbose=True, random_state=0, max_iter=5)
    model.fit(X, TARGETS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_ == 5
    assert lines[-1] == f"Iteration 5, loss = {model.loss_:.8f}"


def test_silence(capsys):
    MLPClassifier(max_iter=3).fit(X, CLASSES)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


# ------------------------------------------------------------------------------- Ctrl-C


def interrupt(monkeypatch, after):
    """Press Ctrl-C after so many compiled calls of an epoch each."""
    n_calls = 0
    call = _trainer.Trainer._call

    def interrupted(self, *args):
        nonlocal n_calls
        n_calls += 1
        if n_calls > after:
            raise KeyboardInterrupt
        self._pace.limit = 4
        return call(self, *args)

    monkeypatch.setattr(_trainer.Trainer, "_call", interrupted)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("after", [0, 1, 3])
@every_estimator
def test_an_interrupted_fit_is_a_usable_model(
    monkeypatch, estimator, after, batch_normalization, early_stopping
):
    y = ESTIMATORS[estimator]
    model = estimator(
        hidden_layer_sizes=(7,),
        batch_size=20,
        batch_normalization=batch_normalization,
        early_stopping=early_stopping,
        random_state=0,
        warm_start=True,
        validation_fraction=0.3,
    )
    with monkeypatch.context() as patch:
        interrupt(patch, after)
        with pytest.warns(UserWarning, match="Training interrupted by user"):
            model.fit(X, y)
    assert len(model.loss_curve_) == model.n_iter_ <= 200
    if not early_stopping:
        assert model.n_iter_ == after
    assert np.isfinite(model.predict(X).astype(float)).all()
    # and training goes on.
    n_before = len(model.loss_curve_)
    model.set_params(max_iter=5).fit(X, y)
    assert len(model.loss_curve_) == n_before + model.n_iter_
    if not early_stopping:
        model.partial_fit(X, y)
        assert len(model.loss_curve_) == n_before + 6


@every_estimator
@pytest.mark.parametrize("after", [0, 1])
def test_an_interrupted_lbfgs_is_a_usable_model(monkeypatch, estimator, after):
    n_calls = 0
    call = _lbfgs._Descender._call

    def interrupted(self):
        nonlocal n_calls
        n_calls += 1
        if n_calls > after:
            raise KeyboardInterrupt
        return call(self)

    monkeypatch.setattr(_lbfgs._Descender, "_call", interrupted)
    monkeypatch.setattr(_lbfgs.Pace, "next_call", lambda pace: (1, 16))
    model = estimator(hidden_layer_sizes=(7,), solver="lbfgs", random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, ESTIMATORS[estimator])
    assert (model.n_iter_ > 0) == np.isfinite(model.loss_) == (after > 0)
    assert model.n_iter_ < 20
    assert np.isfinite(model.predict(X).astype(float)).all()


@every_estimator
@pytest.mark.parametrize("number", [10**20, np.int32(20)])
def test_any_whole_number_bounds_lbfgs(estimator, number):
    def fit(**bounds):
        model = estimator(
            hidden_layer_sizes=(2,), solver="lbfgs", tol=1e-2, random_state=0, **bounds
        )
        return model.fit(X, ESTIMATORS[estimator])

    expected = fit(max_iter=int(min(number, 1000)))
    # All numbers are of one type to the compiled loop.
    compiled = {} if PURE_PYTHON else minimize.dispatcher.overloads
    n_compiled = len(compiled)
    model = fit(max_iter=number, max_fun=number)
    assert model.n_iter_ == expected.n_iter_ > 1
    assert len(compiled) == n_compiled


@every_estimator
def test_an_error_is_not_an_interrupt(monkeypatch, estimator):
    def fail(self, *args):
        raise MemoryError

    monkeypatch.setattr(_trainer.Trainer, "_call", fail)
    model = estimator()
    with pytest.raises(MemoryError):
        model.fit(X, ESTIMATORS[estimator])
    assert vars(model) == vars(estimator())


# -------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("batch_normalization", [False, True])
@every_estimator
def test_partial_fit_is_a_fit_in_steps(estimator, batch_normalization, solver):
    """In the order of the rows: each fit seeds its shuffles anew."""
    y = ESTIMATORS[estimator]
    parameters = {
        "solver": solver,
        "batch_normalization": batch_normalization,
        "batch_size": 30,
        "shuffle": False,
        "random_state": 0,
        "learning_rate": "inverse_time",
        "decay_steps": 4,
    }
    whole = estimator(**parameters, max_iter=6).fit(X, y)
    steps = estimator(**parameters)
    for _ in range(6):
        steps.partial_fit(X, y, **({"classes": [0, 1]} if y is CLASSES else {}))
    for a, b in zip(whole.coefs_, steps.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.loss_curve_ == steps.loss_curve_
    assert (whole.n_iter_, steps.n_iter_, whole.t_) == (6, 1, steps.t_)


def test_a_fit_without_warm_start_starts_over():
    model = MLPClassifier(max_iter=4, random_state=0).fit(X, CLASSES)
    curve = model.loss_curve_
    assert model.fit(X, CLASSES).loss_curve_ == curve
    model.set_params(warm_start=True).fit(X, CLASSES)
    assert model.loss_curve_[:4] == curve
    assert model.loss_curve_[4] < curve[-1]
    assert len(model.loss_curve_) == 8


def test_patience_counts_epochs_without_improvement():
    model = MLPRegressor(tol=1e9, n_iter_no_change=3, random_state=0).fit(X, TARGETS)
    # The first epoch improves on infinity, more than three must fail to improve.
    assert model.n_iter_ == 5
    model.set_params(n_iter_no_change=np.inf, max_iter=20).fit(X, TARGETS)
    assert model.n_iter_ == 20
