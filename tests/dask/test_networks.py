"""Networks on Dask collections: data-parallel training, data, and errors."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

pytest.importorskip("distributed", reason="needs the extra dask")

import dask.array as da
import dask.dataframe as dd
import pandas as pd
from dask import delayed
from distributed import Future, wait

from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.activations import Parametric
from skgd.dask import DaskMLPClassifier, DaskMLPRegressor
from skgd.dask._training import State, averaged, submit
from skgd.schedules import Cosine, Scheduled
from skgd.solvers import SOLVERS
from tests.dask.test_scalers import frame_of
from tests.pairs import all_pairs

RNG = np.random.RandomState(0)
ROWS = RNG.normal(size=(120, 5))
TARGETS = {
    DaskMLPRegressor: ROWS @ RNG.normal(size=5),
    DaskMLPClassifier: RNG.randint(3, size=120),
}
WEIGHT = RNG.uniform(size=120)
WEIGHT[30:60] = 0
SMALL = {"hidden_layer_sizes": (7,), "batch_size": 40, "max_iter": 4, "random_state": 0}
every_network = pytest.mark.parametrize("estimator", TARGETS)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer.*:sklearn.exceptions.ConvergenceWarning"
)


def collections(*arrays, n_partitions=4):
    size = -(-len(arrays[0]) // n_partitions)
    return [da.from_array(a, chunks=(size, *a.shape[1:])) for a in arrays]


def frames(*arrays, n_partitions=4):
    tables = [
        pd.Series(a) if a.ndim == 1 else pd.DataFrame(a).add_prefix("column_")
        for a in arrays
    ]
    return [dd.from_pandas(table, npartitions=n_partitions) for table in tables]


def parameters_of(model):
    state = model._progress
    lists = model.coefs_, model.intercepts_, [state["state"]], *model.stages_.values()
    arrays = [a for arrays in lists for a in arrays if a is not None]
    return [*arrays, state["n_updates"], model.loss_curve_, model.t_]


@all_pairs(
    estimator=list(TARGETS),
    solver=sorted(SOLVERS),
    sync_every=["epoch", 1],
    dtype=["float32", "float64"],
    kind=["array", "frame", "sparse"],
    is_weighted=[False, True],
    more=[
        {},
        {"batch_normalization": True, "ema_decay": 0.9},
        {"dropout": 0.2, "max_grad_norm": 0.5, "learning_rate": Cosine()},
        {"activation": Parametric("selu"), "weight_decay": Scheduled(0.1, Cosine())},
        {"layer_normalization": True, "numeric_embedding": "periodic"},
        {"shuffle": False, "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 1.0},
    ],
)
def test_the_same_bits_again(
    client, estimator, solver, sync_every, dtype, kind, is_weighted, more
):
    """Whatever is combined, and the local estimator predicts the same."""
    make = frames if kind == "frame" else collections
    X, y, weight = make(ROWS.astype(dtype), TARGETS[estimator], WEIGHT)
    rows = X.compute()
    if kind == "sparse" and "numeric_embedding" not in more:
        X, rows = X.map_blocks(sparse.csr_array), sparse.csr_array(rows)
    weights = {"sample_weight": weight} if is_weighted else {}
    model = estimator(solver=solver, sync_every=sync_every, **SMALL, **more)
    one, again = (clone(model).fit(X, y, **weights) for _ in range(2))
    np.testing.assert_equal(parameters_of(again), parameters_of(one))
    assert one.coefs_[0].dtype == dtype
    assert one.n_iter_ == len(one.loss_curve_) == 4
    assert one.t_ == 4 * len(ROWS)
    assert np.isfinite(one.loss_)
    np.testing.assert_array_equal(one.predict(X), one.to_local().predict(rows))


@every_network
def test_an_average_of_each_update_is_gradient_descent(client, estimator):
    """The average of two gradients of the same size is that of all rows."""
    plain = {
        "solver": "minibatch",
        "shuffle": False,
        "learning_rate_init": 0.1,
        "alpha": 0.1,
    }
    settings = {**SMALL, **plain, "batch_size": 120}
    X, y = collections(ROWS, TARGETS[estimator], n_partitions=2)
    found = estimator(sync_every=1, **settings).fit(X, y)
    local = found._local(**settings).fit(ROWS, TARGETS[estimator])
    for one, other in zip(found.coefs_, local.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(found.loss_curve_, local.loss_curve_, rtol=1e-10)


def test_one_replica_is_one_process(client):
    """But for the order of the rows, which a worker draws anew."""
    settings = {**SMALL, "shuffle": False, "early_stopping": False, "solver": "adam"}
    X, y = collections(ROWS, TARGETS[DaskMLPRegressor], n_partitions=1)
    for every in ("epoch", 2):
        found = DaskMLPRegressor(sync_every=every, **settings).fit(X, y)
        local = MLPRegressor(**settings).fit(ROWS, TARGETS[DaskMLPRegressor])
        one, other = parameters_of(found), parameters_of(local)
        np.testing.assert_allclose(one.pop(-2), other.pop(-2), rtol=1e-14)
        np.testing.assert_equal(one, other)


def test_the_score_is_that_of_one_process(client):
    """Within 1 % at equal epochs, with four partitions."""
    X, y = load_digits(return_X_y=True)
    X = ZScoreScaler().fit_transform(X)
    settings = {"hidden_layer_sizes": (50,), "max_iter": 60, "random_state": 0}
    local = MLPClassifier(**settings).fit(X[:1200], y[:1200])
    found = DaskMLPClassifier(**settings).fit(*collections(X[:1200], y[:1200]))
    test = collections(X[1200:], y[1200:])
    assert found.score(*test) > local.score(X[1200:], y[1200:]) - 0.01
    assert found.score(*test, sample_weight=test[1] * 0 + 1.0) == found.score(*test)


@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_absolute_error"])
def test_validation_data(client, scoring):
    """Early stopping keeps the parameters of the best epoch."""
    X, y, weight = collections(ROWS, TARGETS[DaskMLPRegressor], WEIGHT)
    settings = {**SMALL, "max_iter": 30, "learning_rate_init": 0.3, "n_iter_no_change": 2}
    model = DaskMLPRegressor(early_stopping=True, scoring=scoring, **settings)
    # None of the weights may be zero everywhere.
    given = {"X_val": X[:60], "y_val": -y[:60]}
    model.fit(X, y, **given, sample_weight_val=weight[:60] + 1)
    assert model.stop_reason_ == "no_improvement"
    assert len(model.validation_scores_) == model.n_iter_ < 30
    best = model.validation_scores_[model.best_epoch_ - 1]
    assert best == model.best_validation_score_ == max(model.validation_scores_)
    # Scored again, the published network has that loss.
    loss = np.average((model.predict(X[:60]) + y[:60]) ** 2, weights=WEIGHT[:60] + 1) / 2
    expected = model.validation_loss_curve_[model.best_epoch_ - 1]
    np.testing.assert_allclose(loss, expected)
    again = clone(model).set_params(early_stopping=False, max_iter=3).fit(X, y, **given)
    assert len(again.best_coefs_) == 2


def test_classes_are_those_of_all_partitions(client):
    X, y = frames(ROWS, np.sort(TARGETS[DaskMLPClassifier]).astype(str))
    model = DaskMLPClassifier(class_weight="balanced", **SMALL).fit(X, y)
    np.testing.assert_array_equal(model.classes_, ["0", "1", "2"])
    assert list(model.feature_names_in_) == list(X.columns)
    local = model.to_local()
    assert type(local) is MLPClassifier
    assert local.class_weight == "balanced"
    table = X.compute()
    for method in ("predict", "predict_proba", "predict_log_proba", "hidden_features"):
        lazy = getattr(model, method)(X)
        assert isinstance(lazy, da.Array)
        np.testing.assert_array_equal(lazy, getattr(local, method)(table))


def test_balanced_classes_have_their_weights(client):
    y = (np.arange(120) % 4 == 0).astype(int)
    X, labels, weight = collections(ROWS, y, np.where(y, 2.0, 2 / 3))
    one = DaskMLPClassifier(class_weight="balanced", **SMALL).fit(X, labels)
    other = DaskMLPClassifier(**SMALL).fit(X, labels, weight)
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    "y", [(ROWS[:, :3] > 0).astype(int), ROWS[:, :2]], ids=["labels", "numbers"]
)
def test_targets_of_several_columns(client, y):
    X, targets = collections(ROWS, y)
    estimator = DaskMLPClassifier if y.dtype == int else DaskMLPRegressor
    model = estimator(**SMALL).fit(X, targets)
    predicted = model.predict(X)
    assert predicted.shape == y.shape
    assert predicted.chunks == targets.chunks
    assert model.score(X, targets) == model.to_local().score(ROWS, y)


@every_network
def test_a_warm_start_goes_on(client, estimator):
    X, y = collections(ROWS, TARGETS[estimator])
    model = estimator(warm_start=True, batch_normalization=True, **SMALL).fit(X, y)
    curve = list(model.loss_curve_)
    model.fit(X, y)
    assert model.loss_curve_[:4] == curve
    assert len(model.loss_curve_) == 8
    assert model.loss_curve_[4] < curve[0]


def test_rows_in_memory_stay_where_they_are(client):
    """Workers that have them train on them; the layout decides, not the scheduler."""
    workers = sorted(client.nthreads())
    X, y = collections(ROWS, TARGETS[DaskMLPRegressor])
    parts = [
        client.compute(p, workers=workers[i % 2])
        for i, p in enumerate(X.to_delayed().ravel())
    ]
    X = da.concatenate([da.from_delayed(p, (30, 5), float) for p in map(delayed, parts)])
    wait(parts)
    before = client.who_has(parts)
    models = [DaskMLPRegressor(**SMALL).fit(X, y) for _ in range(2)]
    assert {key: set(w) for key, w in client.who_has(parts).items()} == {
        key: set(w) for key, w in before.items()
    }
    np.testing.assert_equal(*map(parameters_of, models))


def test_unknown_chunk_sizes_and_empty_partitions(client):
    X, y = frames(ROWS, TARGETS[DaskMLPRegressor])
    X["y"] = y
    few = X[X["column_0"] > 1.5]
    model = DaskMLPRegressor(**SMALL).fit(few.drop(columns="y"), few["y"])
    assert 0 < model.t_ < 4 * 30
    assert np.isnan(model.predict(few.drop(columns="y")).chunks[0]).all()
    values = few.drop(columns="y").to_dask_array()
    again = DaskMLPRegressor(**SMALL).fit(values, few["y"].to_dask_array())
    np.testing.assert_equal(parameters_of(again), parameters_of(model))


def test_parameters_go_from_worker_to_worker(client, monkeypatch):
    """Tasks are sent references to them, and little else."""
    sent: dict = {}

    def recording(client, worker, function, *args):
        sent.setdefault(function.__name__, []).append(args)
        return submit(client, worker, function, *args)

    monkeypatch.setattr("skgd.dask._training.submit", recording)
    X, y = collections(ROWS, TARGETS[DaskMLPRegressor])
    model = DaskMLPRegressor(**{**SMALL, "hidden_layer_sizes": 2000}, sync_every=1)
    model.fit(X, y)
    # Three mini-batches an epoch.
    assert len(sent["averaged"]) == len(sent["trained"]) // 2 == 4 * 3
    assert len(sent["same"]) == 1
    assert all(isinstance(a, Future) for args in sent["averaged"] for a in args)
    for run, index, state, plan in sent["trained"]:
        assert isinstance(run, Future)
        assert isinstance(state, Future)
        assert len(pickle.dumps((index, plan))) < model.coefs_[0].nbytes / 20


def test_an_average_needs_little_memory():
    """It is made in the memory of one state, row by row."""
    one, other = (State(np.full((3, 10**5), i), np.empty(0), weight=i) for i in (1.0, 3.0))
    tracemalloc.start()
    found = averaged(one, other)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.flat is one.flat
    np.testing.assert_array_equal(found.flat, 2.5)
    assert peak < 1.1 * one.flat[0].nbytes


def test_remembered_averages(client, monkeypatch):
    """Parameters that are sent again are the same ones."""
    X, y = collections(ROWS, TARGETS[DaskMLPRegressor])
    one = DaskMLPRegressor(**SMALL).fit(X, y)
    monkeypatch.setattr("skgd.dask._training.REMEMBERED", 1)
    again = DaskMLPRegressor(**SMALL).fit(X, y)
    np.testing.assert_equal(parameters_of(again), parameters_of(one))


def test_copies(client):
    X, y = collections(ROWS, TARGETS[DaskMLPRegressor])
    model = DaskMLPRegressor(client=client, **SMALL).fit(X, y)
    assert clone(model).client is client
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.client is None
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_loss_that_is_not_finite(client):
    X, y = collections(ROWS, TARGETS[DaskMLPRegressor] * 1e3)
    model = DaskMLPRegressor(
        solver="minibatch", learning_rate_init=1e8, activation="identity", **SMALL
    )
    before = dict(vars(model))
    with pytest.raises(ValueError, match="Lower learning_rate_init"):
        model.fit(X, y)
    assert vars(model) == before


X, LABELS = collections(ROWS, TARGETS[DaskMLPClassifier])
BAD = [
    ({}, (ROWS, LABELS), TypeError, "X must be a Dask array or dataframe, got ndarray"),
    ({}, (X, ROWS[:, 0]), TypeError, "y must be a Dask array or dataframe, got ndarray"),
    ({}, (X, LABELS[:60]), ValueError, "X has 4 partitions, but y has 2"),
    ({}, (X, LABELS[1:]), ValueError, "Partition 0 has 30 rows of X, but 29 of y"),
    ({}, (X.rechunk((30, 2)), LABELS), ValueError, r"X.rechunk\(\{1: -1\}\)"),
    (
        {},
        (frame_of("abc", "abx"), LABELS[:8].rechunk(4)),
        ValueError,
        r"Partition 1 of X has the columns \[",
    ),
    ({}, (X[:, 0], LABELS), ValueError, "X must have two dimensions"),
    ({}, (X, LABELS, LABELS * 0), ValueError, "none of them has a weight above 0"),
    ({}, (X, LABELS, LABELS - 1.0), ValueError, "Negative values"),
    ({}, (X, LABELS + 0.5), ValueError, "Unknown label type: continuous"),
    ({}, (X * np.nan, LABELS), ValueError, "contains NaN"),
    ({"early_stopping": True}, (X, LABELS), ValueError, "needs X_val and y_val, since"),
    ({"solver": "lbfgs"}, (X, LABELS), ValueError, "solver='lbfgs' does not train in"),
    ({"numeric_embedding": "piecewise_linear"}, (X, LABELS), ValueError, "the quantiles"),
    ({"sync_every": 0}, (X, LABELS), ValueError, "'epoch'.* or an int in the range"),
    (
        {"class_weight": "balanced"},
        (X, (X[:, :2] > 0).astype(int).rechunk((30, 2))),
        ValueError,
        "not supported for multilabel",
    ),
]


TABLE = pd.DataFrame({"a": ROWS[:, 0], "b": pd.Categorical(TARGETS[DaskMLPClassifier])})
BAD += [
    ({}, (X, None), ValueError, "y is None. Pass the targets"),
    (
        {},
        (dd.from_pandas(TABLE, npartitions=4), LABELS),
        ValueError,
        "X must have numbers only, but column 'b' has dtype category",
    ),
    ({"client": "here"}, (X, LABELS), TypeError, "client must be a .*, got str"),
]


@pytest.mark.parametrize(("parameters", "data", "error", "message"), BAD)
def test_bad_input(client, parameters, data, error, message):
    model = DaskMLPClassifier(**parameters)
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(*data)
    assert vars(model) == before


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((ROWS, LABELS), TypeError, "X_val must be a Dask array or dataframe, got ndarray"),
        ((X, LABELS[:60]), ValueError, "X_val has 4 partitions, but y_val has 2"),
        ((X, LABELS[1:]), ValueError, "0 has 30 rows of X_val, but 29 of y_val"),
    ],
)
def test_bad_validation_data(client, given, error, message):
    with pytest.raises(error, match=message):
        DaskMLPClassifier(**SMALL).fit(X, LABELS, X_val=given[0], y_val=given[1])


def test_bad_predictions(client):
    model = DaskMLPClassifier(**SMALL).fit(X, LABELS)
    with pytest.raises(ValueError, match="X has 2 features"):
        model.predict(X[:, :2])
    with pytest.raises(TypeError, match=r"got ndarray.*to_local"):
        model.predict(ROWS)
    with pytest.raises(AttributeError, match=r"to_local\(\)\.partial_fit"):
        model.partial_fit(X, LABELS)
    with pytest.raises(ValueError, match=r"X_val.*features"):
        model.fit(X, LABELS, X_val=X[:, :2], y_val=LABELS)


def test_no_convergence_is_warned_of(client):
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        DaskMLPClassifier(**SMALL).fit(X, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DaskMLPClassifier(**{**SMALL, "max_iter": 50}, tol=10.0).fit(X, LABELS)
