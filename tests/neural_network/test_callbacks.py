"""scikit-learn's callbacks: when they are called, with what, and how they stop a fit."""

import io
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.fixes import parse_version

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.neural_network._run import Run
from tests.pairs import all_pairs

HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn below 1.9")
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)
X, Y = load_iris(return_X_y=True)
SETTINGS = {"hidden_layer_sizes": (7,), "max_iter": 4, "batch_size": 40, "random_state": 0}
BOTH = pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])


class Recorder:
    """Keeps what it is told; may stop, fail or write into all arrays."""

    def __init__(self, stop_after=None, fail_at=None, writes=False):
        self.calls, self.snapshots, self.given = [], [], []
        self.stop_after, self.fail_at, self.writes = stop_after, fail_at, writes

    def note(self, hook, context):
        self.calls.append((hook, context.task_name, context.task_id))
        if self.fail_at == self.calls[-1]:
            raise RuntimeError("the callback failed")

    def setup(self, estimator, context):
        self.note("setup", context)

    def teardown(self, estimator, context):
        self.note("teardown", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.note("begin", context)
        self.write(X, y, *(metadata or {}).values())

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.note("end", context)
        self.given.append((X, y, metadata))
        if self.writes:
            self.write(X, y, *(metadata or {}).values(), vars(fitted_estimator))
        self.snapshots.append(fitted_estimator)
        return context.task_id == self.stop_after and context.task_name == "epoch"

    def write(self, *values):
        """Overwrite all arrays, also those in lists, dicts and objects."""
        for value in values if self.writes else ():
            if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
                value.flags.writeable = True
                value[...] = 3
            elif isinstance(value, list):
                self.write(*value)
                value.append(None)
            elif isinstance(value, dict):
                self.write(*[v for n, v in value.items() if "callback" not in n])
            elif isinstance(value, csr_matrix):
                self.write(value.data)
            elif isinstance(value, pd.DataFrame):
                value.iloc[:, :] = 3
            elif hasattr(value, "_label_binarizer") or hasattr(value, "classes_"):
                self.write(vars(value))


class Propagated(Recorder):
    max_propagation_depth = None


def arrays_of(estimator):
    """Return all that a fit has published, and what training goes on from."""
    fitted = vars(estimator)
    names = [n for n in fitted if n.endswith("_") or n in ("_progress", "_normalized")]
    return {n: fitted[n] for n in names}


@BOTH
def test_set_callbacks_is_that_of_scikit_learn(cls):
    model = cls()
    assert hasattr(model, "set_callbacks") == HAS_CALLBACKS
    if HAS_CALLBACKS:
        assert model.set_callbacks(Recorder()) is model
        with pytest.raises(TypeError, match="FitCallback"):
            model.set_callbacks("progress")


@needs_callbacks
@BOTH
def test_hooks_in_order(cls):
    recorder = Recorder()
    cls(**SETTINGS).set_callbacks(recorder).fit(X, Y)
    epochs = [(hook, "epoch", i) for i in range(4) for hook in ("begin", "end")]
    assert recorder.calls == [
        ("setup", "fit", 0),
        ("begin", "fit", 0),
        *epochs,
        ("end", "fit", 0),
        ("teardown", "fit", 0),
    ]


@needs_callbacks
def test_lbfgs_and_partial_fit_have_no_epochs():
    recorder = Recorder()
    model = MLPClassifier(solver="lbfgs", random_state=0).set_callbacks(recorder)
    model.fit(X, Y)
    assert [call[:2] for call in recorder.calls[1:3]] == [("begin", "fit"), ("end", "fit")]
    assert recorder.snapshots[0].score(X, Y) == model.score(X, Y)
    recorder.calls.clear()
    model.set_params(solver="adam").partial_fit(X, Y)
    assert recorder.calls == []


def test_without_callbacks_epochs_share_calls(monkeypatch):
    calls = []
    safe = Run._safe_epochs
    monkeypatch.setattr(Run, "_safe_epochs", lambda run: calls.append(0) or safe(run))
    model = MLPClassifier(**SETTINGS)
    if HAS_CALLBACKS:
        model.set_callbacks(Recorder()).set_callbacks()
    model.fit(X, Y)
    assert len(calls) == 1


@needs_callbacks
@all_pairs(
    cls=[MLPClassifier, MLPRegressor],
    dtype=[np.float32, np.float64],
    kind=["dense", "sparse", "frame"],
    weighted=[False, True],
    options=[
        {},
        {"early_stopping": True},
        {"batch_normalization": True},
        {"ema_decay": 0.9, "batch_normalization": True},
        {"learning_rate": "adaptive", "dropout": 0.2},
        {"solver": "momentum", "shuffle": False, "n_jobs": 2},
        {"solver": "lbfgs"},
    ],
    n_fits=[1, 2],
)
def test_callbacks_that_write_change_nothing(cls, dtype, kind, weighted, options, n_fits):
    def fitted(*callbacks):
        rows = X.astype(dtype)
        if kind == "sparse":
            rows = csr_matrix(rows)
        if kind == "frame":
            rows = pd.DataFrame(rows, columns=list("abcd"))
        weight = np.linspace(0.5, 1, len(Y)) if weighted else None
        model = cls(**SETTINGS, **options).set_callbacks(*callbacks)
        for _ in range(n_fits):
            model.fit(rows, Y.astype(float), sample_weight=weight)
            model.set_params(warm_start=True)
        return model, rows, weight

    model, rows, weight = fitted(Recorder(writes=True))
    plain, plain_rows, _ = fitted()
    np.testing.assert_equal(arrays_of(model), arrays_of(plain))
    if kind == "sparse":
        rows, plain_rows = rows.toarray(), plain_rows.toarray()
    np.testing.assert_array_equal(rows, plain_rows)
    assert weight is None or weight[0] == 0.5


@needs_callbacks
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"early_stopping": True},
        {"batch_normalization": True},
        {"ema_decay": 0.5},
        {"learning_rate": "inverse_time", "decay_steps": 3},
    ],
    ids=str,
)
@BOTH
def test_a_snapshot_is_a_fit_that_stopped_there(cls, options):
    recorder = Recorder()
    names = pd.DataFrame(X, columns=list("abcd"))
    model = cls(**SETTINGS, **options).set_callbacks(recorder).fit(names, Y)
    for epochs, snapshot in enumerate(recorder.snapshots[:-1], 1):
        settings = {**SETTINGS, "max_iter": epochs}
        shorter = cls(**settings, **options).fit(names, Y)
        np.testing.assert_array_equal(snapshot.predict(names), shorter.predict(names))
        assert snapshot.loss_curve_ == shorter.loss_curve_
        assert snapshot.n_iter_ == epochs
        # It may go on, without a trace in the fit.
        if not options.get("early_stopping"):
            one, other = snapshot.partial_fit(names, Y), shorter.partial_fit(names, Y)
            assert np.array_equal(one.coefs_[0], other.coefs_[0])
    last = recorder.snapshots[-1]
    np.testing.assert_array_equal(last.predict(names), model.predict(names))
    assert len(model.loss_curve_) == 4


@needs_callbacks
def test_callbacks_receive_the_data_of_fit():
    labels = np.array(["one", "two", "three"])[Y]
    frame, weight = pd.DataFrame(X, columns=list("abcd")), np.ones(len(Y))
    recorder = Recorder()
    model = MLPClassifier(**SETTINGS).set_callbacks(recorder)
    model.fit(frame, labels, sample_weight=weight)
    for rows, targets, metadata in recorder.given:
        pd.testing.assert_frame_equal(rows, frame)
        assert rows is not frame
        assert (targets == labels).all()
        assert list(metadata) == ["sample_weight"]
        assert metadata["sample_weight"] is not weight
    recorder.given.clear()
    model.fit(frame, labels)
    assert recorder.given[0][2] is None


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
@BOTH
def test_stop(cls, early_stopping, capsys, recwarn):
    recorder = Recorder(stop_after=1)
    model = cls(early_stopping=early_stopping, verbose=2, **SETTINGS)
    model.set_callbacks(recorder).fit(X, Y)
    assert model.stop_reason_ == "callback"
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert "Stopped after epoch 2: callback." in capsys.readouterr().out
    assert not recwarn.list
    assert recorder.calls[-2:] == [("end", "fit", 0), ("teardown", "fit", 0)]


@needs_callbacks
def test_the_first_reason_to_stop_counts():
    model = MLPClassifier(tol=100, n_iter_no_change=1, **SETTINGS)
    assert model.set_callbacks(Recorder(stop_after=2)).fit(X, Y).n_iter_ == 3
    assert model.stop_reason_ == "no_improvement"


@needs_callbacks
@pytest.mark.parametrize(
    "fail_at",
    [
        ("setup", "fit", 0),
        ("begin", "fit", 0),
        ("begin", "epoch", 2),
        ("end", "epoch", 2),
        ("end", "fit", 0),
    ],
)
def test_a_callback_that_fails(fail_at):
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    before = clone(model), pickle.dumps(vars(model))
    recorder = Recorder(fail_at=fail_at)
    with pytest.raises(RuntimeError, match="the callback failed"):
        model.set_callbacks(recorder).fit(X[::2], Y[::2])
    assert recorder.calls[-1] == ("teardown", "fit", 0)
    model.set_callbacks()
    assert pickle.dumps(vars(model)) == before[1]


@needs_callbacks
def test_teardown_after_a_fit_that_fails():
    recorder = Recorder()
    model = MLPClassifier(**SETTINGS).set_callbacks(recorder)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), Y)
    assert [call[0] for call in recorder.calls] == ["setup", "begin", "teardown"]
    assert list(vars(model).keys() - model.get_params()) == ["_skl_callbacks"]


@needs_callbacks
def test_propagated_callbacks():
    recorder = Propagated()
    search = GridSearchCV(
        make_pipeline(ZScoreScaler(), MLPClassifier(**SETTINGS)),
        {"mlpclassifier__alpha": [0, 1]},
        cv=2,
    ).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="ZScoreScaler does not support callbacks"):
        search.fit(X, Y)
    # Two folds of two candidates, and the fit of the best one.
    ends = [call for call in recorder.calls if call[:2] == ("end", "epoch")]
    assert len(ends) == 5 * 4
    assert "_skl_callbacks" not in vars(search.best_estimator_[-1])
    assert search.best_estimator_[-1].n_iter_ == 4


@needs_callbacks
@pytest.mark.parametrize("place", ["alone", "pipeline", "search"])
@pytest.mark.parametrize("weighted", [False, True])
@BOTH
def test_scoring_monitor(cls, weighted, place):
    from sklearn.callback import ScoringMonitor

    scoring = "accuracy" if cls is MLPClassifier else "r2"
    monitor = ScoringMonitor(scoring=scoring)
    network = cls(**SETTINGS).set_callbacks(monitor)
    name = cls.__name__.lower()
    weight = np.linspace(0, 1, len(Y)) if weighted else None
    keyword = "sample_weight" if place == "alone" else f"{name}__sample_weight"
    given = {keyword: weight} if weighted else {}
    rows = ZScoreScaler().fit_transform(X)
    if place == "alone":
        network.fit(rows, Y, **given)
    elif place == "pipeline":
        make_pipeline(ZScoreScaler(), network).fit(X, Y, **given)
    else:
        pipeline = make_pipeline(ZScoreScaler(), network)
        GridSearchCV(pipeline, {f"{name}__alpha": [0, 1e-4]}, cv=2).fit(X, Y, **given)
    log = monitor.get_logs(select="all")
    scores = [
        row[scoring] for run in log for row in run.data if row["task_name"] == "epoch"
    ]
    assert len(scores) == (4 if place != "search" else 20)
    if place != "search":
        for epochs, score in enumerate(scores, 1):
            shorter = cls(**{**SETTINGS, "max_iter": epochs}).fit(rows, Y, weight)
            assert score == pytest.approx(shorter.score(rows, Y, weight))


@needs_callbacks
@pytest.mark.parametrize("place", ["alone", "pipeline", "search", "processes"])
def test_progress_bar(place, monkeypatch):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    model = MLPClassifier(**SETTINGS)
    if place == "pipeline":
        model = make_pipeline(model)
    if place in ("search", "processes"):
        n_jobs = 2 if place == "processes" else None
        grid = {"alpha": [0, 1e-4]}
        model = GridSearchCV(model, grid, cv=2, n_jobs=n_jobs)
    model.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, Y)
    printed = sys.stdout.getvalue()
    assert "MLPClassifier - fit" in printed
    assert "100%" in printed
    if place == "search":
        assert printed.count("MLPClassifier - fit") >= 5
    assert model.score(X, Y) > 0.2
