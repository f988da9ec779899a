"""A search in rungs gives survivors the results of a search without rungs."""

import itertools
import os
import pickle
import signal
import time
import warnings
from zlib import crc32

import numpy as np
import pytest
from joblib import parallel_config
from scipy.sparse import csr_matrix
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from skgd import MLPClassifier, MLPRegressor, TabularMLPClassifier, ZScoreScaler
from skgd.losses import Huber
from skgd.model_selection import EpochHalvingSearchCV
from skgd.model_selection._plan import epochs_of_rungs
from skgd.model_selection._shared_fits import SharedFits
from skgd.neural_network._run import Run
from skgd.schedules import Cosine
from skgd.solvers import SOLVERS
from tests.neural_network.test_run import SETTINGS
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(90, 5))
TARGETS = {MLPRegressor: X @ RNG.normal(size=5), MLPClassifier: RNG.randint(3, size=90)}
RATES = {"learning_rate_init": loguniform(1e-4, 0.1)}
SMALL = {"hidden_layer_sizes": (4,), "batch_size": 20, "random_state": 0}


def bits(model, X, y):
    """Score by a number that differs with any bit of the weights."""
    network = model.steps[-1][1] if isinstance(model, Pipeline) else model
    return (
        crc32(b"".join(a.tobytes() for a in network.coefs_ + network.intercepts_)) % 10**6
    )


def halving(estimator, parameters=RATES, n_candidates=9, **others):
    others = {"max_epochs": 9, "cv": 2, "random_state": 1} | others
    return EpochHalvingSearchCV(estimator, parameters, n_candidates=n_candidates, **others)


def last_rung(search):
    """Return the candidates of the last rung, and their rows of cv_results_."""
    rows = np.flatnonzero(search.cv_results_["iter"] == search.n_iterations_ - 1)
    return search.cv_results_["candidate"][rows], rows


def assert_same_scores(search, plain):
    """Compare the last rung with a search without rungs."""
    candidates, rows = last_rung(search)
    for name, values in plain.cv_results_.items():
        if "test" in name and not name.startswith("rank"):
            found = search.cv_results_[name][rows]
            np.testing.assert_array_equal(found, values[candidates], name)
    found = [search.cv_results_["params"][row] for row in rows]
    assert found == [plain.cv_results_["params"][c] for c in candidates]


@all_pairs(
    estimator=TARGETS,
    early_stopping=[False, True],
    in_pipeline=[False, True],
    sparse=[False, True],
    n_jobs=[None, 2],
    factor=[None, 3],
)
def test_scores_of_a_search_to_the_end(
    estimator, early_stopping, in_pipeline, sparse, n_jobs, factor
):
    network = estimator(**SMALL, early_stopping=early_stopping)
    model, prefix = network, ""
    if in_pipeline:
        model = Pipeline([("scale", StandardScaler(with_mean=False)), ("net", network)])
        prefix = "net__"
    rows, y = csr_matrix(X) if sparse else X, TARGETS[estimator]
    parameters = {f"{prefix}{name}": values for name, values in RATES.items()}
    search = halving(model, parameters, factor=factor, n_jobs=n_jobs).fit(rows, y)
    to_the_end = clone(model).set_params(**{f"{prefix}max_iter": 9})
    options = {"n_iter": 9, "cv": 2, "random_state": 1}
    plain = RandomizedSearchCV(to_the_end, parameters, **options).fit(rows, y)
    assert_same_scores(search, plain)
    assert search.n_candidates_ == ([9] if factor is None else [9, 3, 1])
    assert search.n_resources_ == ([9] if factor is None else [1, 3, 9])
    if factor is None:
        assert search.best_index_ == plain.best_index_
        assert search.best_score_ == plain.best_score_
        np.testing.assert_array_equal(search.predict(rows), plain.predict(rows))
        for name in ("rank_test_score", "param_" + prefix + "learning_rate_init"):
            np.testing.assert_array_equal(search.cv_results_[name], plain.cv_results_[name])


@pytest.mark.parametrize("settings", [name for name in SETTINGS if name != "validated"])
def test_survivors_go_on_bitwise(settings):
    settings = {**SMALL, **SETTINGS[settings]}
    for k, estimator in enumerate(TARGETS):
        model = estimator(**settings, solver=list(SOLVERS)[k])
        search = halving(model, scoring=bits, refit=False).fit(X, TARGETS[estimator])
        model.set_params(max_iter=9)
        options = {"n_iter": 9, "cv": 2, "random_state": 1, "scoring": bits, "refit": False}
        plain = RandomizedSearchCV(model, RATES, **options).fit(X, TARGETS[estimator])
        assert_same_scores(search, plain)


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.PCG64])
def test_survivors_have_generators_of_their_own(generator):
    network = MLPRegressor(**SMALL, tol=0)
    network.random_state = np.random.RandomState(generator(3))
    options = {"scoring": bits, "refit": False, "random_state": 1, "cv": 2}
    search = halving(network, **options).fit(X, TARGETS[MLPRegressor])
    plain = RandomizedSearchCV(network.set_params(max_iter=9), RATES, n_iter=9, **options)
    assert search.n_candidates_ == [9, 3, 1]
    assert_same_scores(search, plain.fit(X, TARGETS[MLPRegressor]))


def test_a_splitter_without_seed_keeps_its_rows():
    """Early stopping holds the same rows out in each rung."""
    kept = []

    class Spy(ShuffleSplit):
        def split(self, *args):
            kept.append(1)
            return super().split(*args)

    settings = {
        "early_stopping": True,
        "validation_fraction": Spy(),
        "n_iter_no_change": 99,
    }
    network = MLPClassifier(**SMALL, **settings)
    search = halving(network, n_candidates=4, factor=2, refit=False)
    search.fit(X, TARGETS[MLPClassifier])
    assert search.n_iterations_ == 3
    assert len(kept) == 4 * 2


def test_lists_in_the_order_of_a_grid():
    grid = {"alpha": [1.0, 0.1], "activation": ["tanh", "relu"]}
    network, y = MLPRegressor(**SMALL), TARGETS[MLPRegressor]
    search = halving(network, grid, "all", factor=None).fit(X, y)
    plain = GridSearchCV(network.set_params(max_iter=9), grid, cv=2).fit(X, y)
    assert_same_scores(search, plain)
    assert search.best_index_ == plain.best_index_


def test_fewer_combinations_than_candidates():
    network, y = MLPRegressor(**SMALL), TARGETS[MLPRegressor]
    grid = {"alpha": [1.0, 0.1], "activation": ["tanh", "relu"]}
    with pytest.warns(UserWarning, match="n_candidates=9 .* all 4 combinations") as found:
        search = halving(network, grid, factor=None).fit(X, y)
    assert not any("n_iter=" in str(warning.message) for warning in found)
    with pytest.warns(UserWarning, match="n_iter=9"):
        plain = RandomizedSearchCV(
            network.set_params(max_iter=9), grid, n_iter=9, cv=2, random_state=1
        ).fit(X, y)
    assert_same_scores(search, plain)


def test_whole_steps_are_searched():
    model = Pipeline([("scale", "passthrough"), ("net", MLPRegressor(**SMALL))])
    grid = {
        "scale": ["passthrough", StandardScaler(), ZScoreScaler()],
        "net": [MLPRegressor(**SMALL), MLPRegressor(**SMALL, loss=Huber(0.5))],
    }
    y = TARGETS[MLPRegressor]
    search = halving(model, grid, "all", factor=2).fit(X, y)
    plain = GridSearchCV(model, clone(grid, safe=False), cv=2)
    for network in plain.param_grid["net"]:
        network.set_params(max_iter=9)
    plain.fit(X, y)
    candidates, rows = last_rung(search)
    found = search.cv_results_["mean_test_score"][rows]
    np.testing.assert_array_equal(found, plain.cv_results_["mean_test_score"][candidates])


def test_a_pipeline_in_a_pipeline():
    inner = make_pipeline(StandardScaler(), MLPRegressor(**SMALL, max_iter=9))
    model = make_pipeline(SimpleImputer(), inner)
    grid = {"pipeline__mlpregressor__alpha": [0.1, 10]}
    y = TARGETS[MLPRegressor]
    search = halving(model, grid, "all", factor=2, max_epochs=None).fit(X, y)
    assert search.n_resources_ == [5, 9]
    assert_same_scores(search, GridSearchCV(model, grid, cv=2).fit(X, y))


def test_schedules_end_with_the_last_rung():
    network = MLPRegressor(**SMALL, learning_rate=Cosine())
    seen = []

    def rate(model, X, y):
        seen.append((model.n_iter_, model.learning_rate_curve_[-1]))
        return 0.0

    halving(network, n_candidates=3, scoring=rate, refit=False).fit(
        X, TARGETS[MLPRegressor]
    )
    once = clone(network).set_params(max_iter=9)
    rates = once.fit(X[:45], TARGETS[MLPRegressor][:45]).learning_rate_curve_
    assert {n for n, _ in seen} == {3, 9}
    start = {n: rates[n - 1] / rates[0] for n in (3, 9)}
    for n, last in seen:
        assert any(
            np.isclose(last, start[n] * rate)
            for rate in np.unique([value / start[n] for m, value in seen if m == n])
        )


class Counting(TransformerMixin, BaseEstimator):
    """Counts its fits, in the class."""

    fits: list = []

    def __init__(self, shift=0.0, copy=True):
        self.shift = shift
        self.copy = copy

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        Counting.fits.append((self.shift, len(X)))
        return self

    def transform(self, X):
        X = X.copy() if self.copy else X
        X += self.shift
        return X


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_transformers_are_fitted_once(n_jobs):
    model = make_pipeline(StandardScaler(), Counting(), MLPRegressor(**SMALL))
    distributions = {"counting__shift": [0.0, 1.0], "mlpregressor__alpha": [1, 2, 3, 4.5]}
    Counting.fits.clear()
    search = halving(model, distributions, "all", cv=3, n_jobs=n_jobs, factor=2)
    search.fit(X, TARGETS[MLPRegressor])
    assert search.n_candidates_ == [8, 4, 2, 1]
    best = search.best_params_["counting__shift"]
    folds = [(0.0, 60), (1.0, 60)] * 3
    assert sorted(Counting.fits) == sorted([*folds, (best, 90)])


@pytest.mark.parametrize("shift", [lambda X: X + 1, np.abs])
def test_functions_are_told_apart(shift):
    model = make_pipeline(FunctionTransformer(np.sin), MLPRegressor(**SMALL))
    grid = {"functiontransformer__func": [np.sin, shift, np.sin]}
    search = halving(model, grid, "all", factor=None, scoring=bits, refit=False)
    found = search.fit(X, TARGETS[MLPRegressor]).cv_results_["mean_test_score"]
    assert found[0] == found[2] != found[1]


def test_transformers_may_write_to_their_input():
    model = make_pipeline(StandardScaler(), Counting(copy=False), MLPRegressor(**SMALL))
    grid = {"counting__shift": [1.0, 2.0, 3.0]}
    y = TARGETS[MLPRegressor]
    search = halving(model, grid, "all", factor=None).fit(X.copy(), y)
    model.set_params(mlpregressor__max_iter=9)
    assert_same_scores(search, GridSearchCV(model, grid, cv=2).fit(X.copy(), y))
    # Training scores are of the rows as they were, for each candidate.
    scores = []
    for copy in (True, False):
        model = make_pipeline(StandardScaler(copy=copy), MLPRegressor(**SMALL))
        search = halving(model, {"mlpregressor__alpha": [1, 1, 2]}, "all", factor=None)
        search.set_params(return_train_score=True).fit(X, y)
        scores.append(search.cv_results_["mean_train_score"].tolist())
    assert scores[0] == scores[1]
    assert scores[0][0] == scores[0][1]


def test_outputs_of_transformers_are_told_apart():
    """Also by what is not a parameter."""
    pandas = pytest.importorskip("pandas")
    seen = []

    def look(X):
        seen.append(isinstance(X, pandas.DataFrame))
        return X

    model = make_pipeline(
        StandardScaler(), FunctionTransformer(look), MLPRegressor(**SMALL)
    )
    framed = StandardScaler().set_output(transform="pandas")
    grid = {"standardscaler": [StandardScaler(), framed]}
    halving(model, grid, "all", factor=None, refit=False).fit(X, TARGETS[MLPRegressor])
    assert True in seen
    assert False in seen


def test_dropped_candidates_are_freed():
    fits = SharedFits()
    used: dict[str, set] = {"a": set(), "b": set()}
    for name, own in used.items():
        cached = fits.memory(own).cache(lambda t, X, y: (X + 1, t))
        first, _ = cached(StandardScaler(), X, None)
        cached(StandardScaler(with_std=name == "a"), first, None)
    assert len(fits._fits) == 3
    fits.keep(used["b"])
    assert set(fits._fits) == used["b"]
    assert len(fits._origins) == 2


def test_candidates_that_stop_early_are_not_trained_again():
    network = MLPRegressor(**SMALL, tol=1e9, n_iter_no_change=1)
    n_fits = []

    def count(model, X, y):
        n_fits.append(model.n_iter_)
        return 0.0

    search = halving(network, n_candidates=4, min_epochs=4, factor=2, scoring=count)
    search.fit(X, TARGETS[MLPRegressor])
    assert search.n_candidates_ == [4, 2, 1]
    assert n_fits == [3] * 8
    last = search.cv_results_["iter"] > 0
    assert (search.cv_results_["mean_fit_time"][last] == 0).all()


def test_the_best_is_of_the_last_rung():
    scores = iter([*[9.0] * 18, 0.5, 0.5, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25])
    search = halving(MLPRegressor(**SMALL), scoring=lambda *_: next(scores))
    search.fit(X, TARGETS[MLPRegressor])
    assert search.best_index_ == 12
    assert search.best_score_ == 0.25
    assert search.cv_results_["candidate"].tolist() == [*range(9), 0, 1, 2, 1]
    assert search.best_params_ is search.cv_results_["params"][12]
    assert search.best_estimator_.max_iter == 9
    assert search.best_params_["learning_rate_init"] == pytest.approx(
        search.best_estimator_.learning_rate_init
    )


@pytest.mark.parametrize(
    ("arguments", "rungs"),
    [
        ((60, 3, "auto", 200), [12, 31, 78, 200]),
        ((60, 3, 7, 200), [7, 21, 65, 200]),
        ((5, 3, 2, 200), [2, 200]),
        ((2, 3, "auto", 200), [200]),
        ((60, 3, 200, 200), [200]),
        ((60, 3, "auto", 2), [1, 2]),
        ((60, 1.5, 10, 20), [10, 14, 20]),
        ((243, 3, 1, 243), [1, 3, 9, 27, 81, 243]),
    ],
)
def test_rungs(arguments, rungs):
    assert epochs_of_rungs(*arguments) == rungs


def test_the_network_decides_without_max_epochs():
    network = MLPRegressor(**SMALL, max_iter=5)
    search = halving(network, max_epochs=None).fit(X, TARGETS[MLPRegressor])
    assert search.n_resources_[-1] == 5
    assert search.best_estimator_.n_iter_ == 5


BAD = {
    "max_iter cannot be searched": {"parameters": {"max_iter": [3, 4]}},
    "max_iter=50 of MLPRegressor must be 200": {"estimator": MLPRegressor(max_iter=50)},
    "min_epochs=20 must be at most max_epochs=9": {"min_epochs": 20},
    "solver='lbfgs' has no epochs": {"parameters": {"solver": ["adam", "lbfgs"]}},
    "or a Pipeline whose last step is one, got Ridge": {"estimator": Ridge()},
    "got TabularMLPClassifier": {"estimator": TabularMLPClassifier()},
    "got Counting": {"estimator": make_pipeline(StandardScaler(), Counting())},
    "The 'factor' parameter": {"factor": 1},
    "The 'n_candidates' parameter": {"n_candidates": "some"},
    "The 'max_epochs' parameter": {"max_epochs": 0},
    "Invalid parameter 'alphas'": {"parameters": {"alphas": [1, 2]}},
    "refit=False does not say which": {"scoring": ["r2", "neg_max_error"], "refit": False},
    "must have at least one fold": {"cv": []},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    arguments = {"estimator": MLPRegressor(**SMALL), **BAD[message]}
    n_candidates = arguments.pop("n_candidates", 2 if "parameters" in arguments else 9)
    search = halving(**arguments, n_candidates=n_candidates)
    before = dict(vars(search))
    with pytest.raises(ValueError, match=message):
        search.fit(X, TARGETS[MLPRegressor])
    assert vars(search) == before


def test_failures():
    y = TARGETS[MLPRegressor]
    grid = {"alpha": [-1.0, 0.1, 1.0]}
    network = MLPRegressor(**SMALL)
    with (
        pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 6"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search = halving(network, grid, "all", factor=1.5).fit(X, y)
    assert np.isnan(search.cv_results_["mean_test_score"][0])
    assert 0 not in search.cv_results_["candidate"][3:]
    with pytest.warns(FitFailedWarning):
        search = halving(network, grid, "all", factor=1.5, error_score=9.0, refit=False)
        search.fit(X, y)
    # It survives, and is not tried again.
    assert search.best_params_ == {"alpha": -1.0}
    assert search.n_candidates_ == [3, 2, 2]
    with pytest.raises(ValueError, match="alpha"):
        halving(network, grid, "all", error_score="raise").fit(X, y)
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        halving(network, {"alpha": [-1.0]}, "all").fit(X, y)


def both(model, X, y):
    return {"r2": model.score(X, y), "negative": -model.score(X, y)}


@pytest.mark.parametrize("scoring", [["r2", "neg_mean_squared_error"], both])
def test_several_scores(scoring):
    y = TARGETS[MLPRegressor]
    search = halving(MLPRegressor(**SMALL), scoring=scoring, refit="r2").fit(X, y)
    alone = halving(MLPRegressor(**SMALL), scoring="r2").fit(X, y)
    assert search.multimetric_
    assert not alone.multimetric_
    assert search.best_index_ == alone.best_index_
    assert search.score(X, y) == alone.score(X, y)
    name = "negative" if scoring is both else "neg_mean_squared_error"
    assert f"mean_test_{name}" in search.cv_results_
    free = halving(MLPRegressor(**SMALL), scoring=scoring, refit=False, factor=None)
    assert not hasattr(free.fit(X, y), "best_index_")
    chosen = halving(
        MLPRegressor(**SMALL), scoring=scoring, refit=lambda results: 2, factor=None
    ).fit(X, y)
    assert chosen.best_index_ == 2
    if scoring is both:
        with pytest.raises(ValueError, match="refit must be set"):
            halving(MLPRegressor(**SMALL), scoring=scoring).fit(X, y)


def test_weights_groups_and_train_scores():
    y, weight = TARGETS[MLPRegressor], RNG.uniform(size=90)
    groups, cv = np.arange(90) // 10, GroupKFold(3)
    network = MLPRegressor(**SMALL)
    options = {"cv": cv, "return_train_score": True, "random_state": 1}
    search = halving(network, **options)
    search.fit(X, y, sample_weight=weight, groups=groups)
    network = clone(network).set_params(max_iter=9)
    plain = RandomizedSearchCV(network, RATES, n_iter=9, **options)
    assert_same_scores(search, plain.fit(X, y, sample_weight=weight, groups=groups))
    assert "mean_train_score" in search.cv_results_
    with config_context(enable_metadata_routing=True):
        network = MLPRegressor(**SMALL).set_fit_request(sample_weight=True, groups=False)
        network.set_score_request(sample_weight=True)
        routed = halving(network, **options)
        assert "sample_weight" in str(routed.get_metadata_routing())
        routed.fit(X, y, sample_weight=weight, groups=groups)
        network = clone(network).set_params(max_iter=9)
        plain = RandomizedSearchCV(network, RATES, n_iter=9, **options)
        assert_same_scores(routed, plain.fit(X, y, sample_weight=weight, groups=groups))


def test_a_search_has_the_methods_of_its_estimator():
    y = TARGETS[MLPClassifier]
    search = halving(MLPClassifier(**SMALL))
    assert is_classifier(search)
    assert hasattr(search, "predict_proba")
    assert not hasattr(search, "transform")
    assert not hasattr(halving(MLPRegressor()), "predict_proba")
    with pytest.raises(NotFittedError):
        search.predict(X)
    copied = clone(search)
    search.fit(X, y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))
    assert again.score(X, y) == search.score(X, y)
    assert search.n_features_in_ == 5
    assert search.classes_.tolist() == [0, 1, 2]
    assert search.refit_time_ > 0
    assert search.n_splits_ == 2
    np.testing.assert_array_equal(
        copied.fit(X, y).cv_results_["mean_test_score"],
        search.cv_results_["mean_test_score"],
    )
    assert cross_val_score(clone(search), X, y, cv=2).shape == (2,)
    unfit = halving(MLPClassifier(**SMALL), refit=False).fit(X, y)
    with pytest.raises(AttributeError):
        unfit.predict(X)


def test_columns_have_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcde"))
    search = halving(MLPRegressor(**SMALL)).fit(frame, TARGETS[MLPRegressor])
    assert list(search.feature_names_in_) == list("abcde")


def process(model, X, y):
    return os.getpid()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_backends(backend, capsys):
    """A backend of processes that is asked for is used, with the same bits."""
    y = TARGETS[MLPRegressor]
    network = MLPRegressor(**SMALL, batch_normalization=True, early_stopping=True)
    model = make_pipeline(ZScoreScaler(), network)
    rates = {"mlpregressor__" + name: values for name, values in RATES.items()}
    search = halving(model, rates, scoring={"bits": bits, "process": process})
    search.set_params(refit="bits", verbose=2)
    expected = clone(search).fit(X, y).cv_results_["mean_test_bits"]
    lines = capsys.readouterr().out.count("Candidate ")
    with parallel_config(backend, n_jobs=2):
        found = search.fit(X, y).cv_results_
    np.testing.assert_array_equal(found["mean_test_bits"], expected)
    is_here = found["split0_test_process"] == os.getpid()
    assert is_here.all() if backend == "threading" else not is_here.any()
    assert capsys.readouterr().out.count("Candidate ") == lines == 2 * (9 + 3 + 1)


def interrupting(n_scores, way):
    """Return a score that is interrupted, after so many."""
    # Threads score at the same time.
    counter = itertools.count(1)

    def score(model, X, y):
        n_seen = next(counter)
        if n_seen == n_scores:
            way()
        return float(n_seen)

    return score


def press():
    raise KeyboardInterrupt


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_keeps_finished_rungs(n_jobs):
    def way():
        if n_jobs == 1:
            raise KeyboardInterrupt
        os.kill(os.getpid(), signal.SIGINT)
        # What a thread is at work on takes longer than the signal.
        time.sleep(1)

    network = MLPRegressor(**SMALL, tol=0)
    search = halving(network, n_jobs=n_jobs, scoring=interrupting(20, way))
    search.set_params(max_epochs=9, min_epochs=1)
    # A process that a shell has started in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    message = "Search interrupted by user, after 1 of 3 rungs"
    try:
        with pytest.warns(UserWarning, match=message):
            search.fit(X, TARGETS[MLPRegressor])
    finally:
        signal.signal(signal.SIGINT, before)
    assert search.n_candidates_ == [9]
    assert len(search.cv_results_["params"]) == 9
    best = search.cv_results_["mean_test_score"].argmax()
    assert search.best_params_ == search.cv_results_["params"][best]
    assert not hasattr(search, "best_estimator_")
    with pytest.raises((AttributeError, NotFittedError)):
        search.predict(X)


def test_an_interrupt_of_the_first_rung_is_raised():
    search = halving(MLPRegressor(**SMALL), scoring=interrupting(3, press))
    before = dict(vars(search))
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, TARGETS[MLPRegressor])
    assert vars(search) == before


def test_an_interrupt_ends_a_loop_of_searches():
    search = halving(MLPRegressor(**SMALL), scoring=interrupting(20, press))
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(search, X, TARGETS[MLPRegressor])


def test_an_interrupt_in_the_middle_of_training(monkeypatch):
    advance = Run.advance

    def interrupted(run, n_epochs, task=None):
        if run.n_iter:
            raise KeyboardInterrupt
        advance(run, n_epochs, task)

    monkeypatch.setattr(Run, "advance", interrupted)
    with pytest.warns(UserWarning, match="Search interrupted"):
        search = halving(MLPRegressor(**SMALL)).fit(X, TARGETS[MLPRegressor])
    assert search.n_iterations_ == 1


def test_progress(capsys):
    halving(MLPRegressor(**SMALL), verbose=1).fit(X, TARGETS[MLPRegressor])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[:3] for line in lines] == [
        ["Rung 1/3: 9 candidates", "2 folds", "epoch 1/9"],
        ["Rung 2/3: 3 candidates", "2 folds", "epoch 3/9"],
        ["Rung 3/3: 1 candidates", "2 folds", "epoch 9/9"],
    ]
    halving(MLPRegressor(**SMALL), verbose=2).fit(X, TARGETS[MLPRegressor])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + 2 * 13
    assert lines[-2].startswith("Candidate ")


def test_callbacks():
    pytest.importorskip("sklearn.callback")

    class Names:
        def __init__(self):
            self.begun = []

        def setup(self, estimator, context):
            self.begun.append("setup")

        def on_fit_task_begin(self, estimator, context):
            self.begun.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            self.begun.append(f"end of {context.task_name}")

        def teardown(self, estimator, context):
            self.begun.append("teardown")

    names = Names()
    search = halving(MLPRegressor(**SMALL)).set_callbacks(names)
    search.fit(X, TARGETS[MLPRegressor])
    assert names.begun[:4] == ["setup", "fit", "search", "rung"]
    assert names.begun[-2:] == ["end of fit", "teardown"]
    count = names.begun.count
    assert count("rung") == count("end of rung") == 3
    assert count("candidate-split-evaluation") == 2 * 13
    assert count("refit-with-best-params") == 1


def test_callbacks_of_the_network():
    callback = pytest.importorskip("sklearn.callback")

    class Epochs(callback.AutoPropagatedCallback):
        max_propagation_depth = None

        def __init__(self):
            self.n = 0

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            self.n += context.task_name == "epoch"

        def teardown(self, estimator, context):
            pass

    epochs = Epochs()
    search = halving(MLPRegressor(**SMALL), scoring=bits).set_callbacks(epochs)
    search.fit(X, TARGETS[MLPRegressor])
    assert epochs.n == 2 * (9 * 1 + 3 * 2 + 1 * 6) + 9
    expected = halving(MLPRegressor(**SMALL), scoring=bits).fit(X, TARGETS[MLPRegressor])
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


def test_only_the_last_rung_warns_of_no_convergence():
    """As for a whole fit, and not for those that go on."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", ConvergenceWarning)
        halving(MLPRegressor(**SMALL), cv=KFold(3)).fit(X, TARGETS[MLPRegressor])
    messages = [str(w.message) for w in found if w.category is ConvergenceWarning]
    assert len(messages) == 3 + 1
    assert all("(9) reached" in message for message in messages)


CHECKED = [
    halving(
        estimator(hidden_layer_sizes=(20,), random_state=0, tol=0),
        {"learning_rate_init": [0.003, 0.01, 0.03]},
        "all",
        max_epochs=100,
        min_epochs=30,
        # Errors are to be those of the data.
        error_score="raise",
    )
    for estimator in TARGETS
]


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_conformance(index):
    """scikit-learn's checks."""
    for estimator, check in estimator_checks_generator(CHECKED[index]):
        check(estimator)
