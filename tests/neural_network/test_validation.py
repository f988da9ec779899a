"""The caller's validation data: their score, what is recorded, and what is printed."""

import pickle
import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss, make_scorer, mean_gamma_deviance
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    PredefinedSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.pipeline import Pipeline

import skgd
from skgd import MLPClassifier, MLPRegressor, ZScoreScaler
from skgd.losses import Quantile
from skgd.neural_network._run import Run
from skgd.solvers import SOLVERS
from tests.drop_in.tasks import CLASSIFICATION, data, quietly
from tests.oracles.losses import LOSSES
from tests.pairs import all_pairs

TASKS = [*CLASSIFICATION, "regression", "multioutput", "poisson"]
SMALL = {"hidden_layer_sizes": (7,), "batch_size": 20, "random_state": 0}
TRAIN, HELD_OUT = slice(0, 100), slice(100, None)


def network(task, **parameters):
    estimator = MLPClassifier if task in CLASSIFICATION else MLPRegressor
    if task == "poisson":
        parameters["loss"] = "poisson"
    return estimator(**{**SMALL, **parameters})


def parts(task, weighted=False, **kwargs):
    """Return the arguments of fit, without and with validation data."""
    X, y, rest = data(task, weighted=weighted, **kwargs)
    train = {"X": X[TRAIN], "y": y[TRAIN]}
    held_out = {"X_val": X[HELD_OUT], "y_val": y[HELD_OUT]}
    if weighted:
        weight = rest["sample_weight"].copy()
        weight[::10] = 0
        train["sample_weight"] = weight[TRAIN]
        held_out["sample_weight_val"] = weight[HELD_OUT]
    return train, {**train, **held_out}


def fitted(task, arguments, **parameters):
    return quietly(network(task, **parameters).fit, **arguments)


def assert_same_weights(a, b):
    for one, other in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        np.testing.assert_array_equal(one, other)


def mean_loss(model, X, y, weight=None):
    """Compute the loss from the weights, in float64."""
    z = X.toarray() if sparse.issparse(X) else X
    layers = list(zip(model.coefs_, model.intercepts_, strict=True))
    for W, b in layers[:-1]:
        z = np.maximum(z @ W.astype(float) + b, 0)
    z = z @ layers[-1][0].astype(float) + layers[-1][1]
    if hasattr(model, "classes_") and y.ndim == 1:
        y = np.searchsorted(model.classes_, y)
    names = {"identity": "squared_error", "exp": "poisson"}
    oracle = LOSSES[names.get(model.out_activation_, "log_loss"), model.out_activation_]
    y = y.reshape(len(y), -1).astype(float)
    values = oracle.value(z, y)
    if model.out_activation_ == "exp":
        # The oracle's differs by what does not depend on z.
        values = values - oracle.value(np.zeros_like(z), y) + 1
    return np.average(values, weights=weight)


# ------------------------------------------------------------ X_val without early stopping


@all_pairs(
    task=TASKS,
    solver=SOLVERS,
    dtype=[np.float32, np.float64],
    container=["dense", "csr"],
    weighted=[False, True],
    normalized=[False, True],
)
def test_validation_data_change_nothing(
    task, solver, dtype, container, weighted, normalized
):
    kind = {"weighted": weighted, "dtype": dtype, "container": container}
    train, both = parts(task, **kind)
    parameters = {"solver": solver, "batch_normalization": normalized, "max_iter": 6}
    plain = fitted(task, train, **parameters)
    model = fitted(task, both, **parameters)
    assert_same_weights(model, plain)
    assert model.loss_curve_ == plain.loss_curve_
    assert plain.validation_loss_curve_ is plain.validation_scores_ is None
    assert plain.best_epoch_ is None
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == 6
    X, y = both["X_val"], both["y_val"]
    weight = both.get("sample_weight_val")
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    if task != "poisson":
        np.testing.assert_allclose(
            model.validation_loss_curve_[-1], mean_loss(model, X, y, weight), tolerance
        )
    score = model.score(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.validation_scores_[-1], score, tolerance)
    best = max(model.validation_scores_)
    assert model.best_validation_score_ == best
    # The last of equals.
    assert model.best_epoch_ == 6 - model.validation_scores_[::-1].index(best)
    assert model.stop_reason_ == "max_iter"
    early = fitted(task, train, **{**parameters, "max_iter": model.best_epoch_})
    for name in ("coefs_", "intercepts_"):
        for one, other in zip(
            getattr(model, f"best_{name}"), getattr(early, name), strict=True
        ):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("task", TASKS)
def test_the_loss_is_in_the_unit_of_the_training_loss(task):
    """With all rows in one mini-batch, that of an epoch is of the weights before it."""
    train, _ = parts(task)
    arguments = {**train, "X_val": train["X"], "y_val": train["y"]}
    model = fitted(task, arguments, batch_size=100, alpha=0.0, max_iter=8)
    np.testing.assert_allclose(
        model.validation_loss_curve_[:-1], model.loss_curve_[1:], rtol=1e-12
    )


def test_several_threads_record_the_same():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 40)), rng.integers(3, size=3000)
    one, two = (
        quietly(
            MLPClassifier((256, 128), max_iter=2, random_state=0, n_jobs=n_jobs).fit,
            X[:500],
            y[:500],
            X_val=X,
            y_val=y,
        )
        for n_jobs in (1, 2)
    )
    assert one.validation_loss_curve_ == two.validation_loss_curve_
    assert one.validation_scores_ == two.validation_scores_


def test_an_overflow_of_the_validation_data_is_recorded_only():
    X = np.linspace(-1, 1, 40)[:, None]
    model = quietly(
        MLPRegressor(max_iter=3, random_state=0).fit,
        X.astype(np.float32),
        X[:, 0],
        X_val=3e38 * X,
        y_val=X[:, 0],
    )
    assert np.isnan(model.validation_loss_curve_).all()
    assert np.isnan(model.validation_scores_).all()
    assert model.best_epoch_ is None


# --------------------------------------------------------------- X_val and early stopping


@all_pairs(
    task=TASKS,
    scoring=[None, "loss"],
    container=["dense", "csc"],
    weighted=[False, True],
    normalized=[False, True],
)
def test_validation_data_replace_the_split(task, scoring, container, weighted, normalized):
    train, both = parts(task, weighted=weighted, container=container)
    parameters = {
        "early_stopping": True,
        "n_iter_no_change": 2,
        "max_iter": 100,
        "learning_rate_init": 0.05,
        "batch_normalization": normalized,
        "scoring": scoring,
    }
    model = fitted(task, both, **parameters)
    assert model.stop_reason_ == "no_improvement"
    assert model.best_loss_ is None
    assert not hasattr(model, "best_coefs_")
    n_rows = np.count_nonzero(train.get("sample_weight", np.ones(100)))
    assert model.t_ == model.n_iter_ * (n_rows if normalized else 100)
    # The weights are those of the best epoch, of all rows to train on.
    early = fitted(task, train, **{**parameters, **STOPS, "max_iter": model.best_epoch_})
    assert_same_weights(model, early)
    watched = model.validation_scores_
    if scoring == "loss":
        assert watched == [-loss for loss in model.validation_loss_curve_]
    assert model.best_validation_score_ == max(watched) == watched[model.best_epoch_ - 1]


STOPS = {"early_stopping": False, "n_iter_no_change": np.inf}


@pytest.mark.parametrize(
    ("scoring", "is_given", "is_first"),
    [(None, False, True), (None, True, False), ("accuracy", False, False)],
)
def test_which_of_equally_good_epochs_is_kept(scoring, is_given, is_first):
    X, y, _ = data("binary")
    arguments = {"X_val": X, "y_val": y} if is_given else {}
    model = MLPClassifier(
        early_stopping=True, scoring=scoring, learning_rate_init=1e-9, random_state=0
    )
    quietly(model.fit, X, y, **arguments)
    assert len(set(model.validation_scores_)) == 1
    assert model.best_epoch_ == (1 if is_first else model.n_iter_)


def test_the_split_has_a_loss_too():
    X, y, _ = data("multiclass")
    model = quietly(MLPClassifier(early_stopping=True, **SMALL).fit, X, y)
    assert len(model.validation_loss_curve_) == len(model.validation_scores_)
    losses = np.array(model.validation_loss_curve_)
    assert losses[-1] < losses[0]


# ------------------------------------------------------------------------------ scoring


def minus_log_loss(estimator, X, y):
    return -log_loss(y, estimator.predict_proba(X), labels=estimator.classes_)


@pytest.mark.parametrize("task", ["binary", "multiclass", "strings"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_names_and_functions(task, early_stopping):
    _, both = parts(task)
    curves = [
        fitted(task, both, scoring=scoring, early_stopping=early_stopping, max_iter=5)
        for scoring in ("loss", "neg_log_loss", minus_log_loss)
    ]
    for model in curves[1:]:
        np.testing.assert_allclose(
            model.validation_scores_, curves[0].validation_scores_, rtol=1e-12
        )
    accuracy = fitted(task, both, early_stopping=early_stopping, max_iter=5)
    for scoring in ("accuracy", make_scorer(accuracy_score)):
        model = fitted(
            task, both, scoring=scoring, early_stopping=early_stopping, max_iter=5
        )
        assert model.validation_scores_ == accuracy.validation_scores_


@pytest.mark.parametrize(
    ("task", "scoring"),
    [("multilabel", "f1_macro"), ("multioutput", "r2"), ("regression", "r2")],
)
def test_scorers_of_other_targets(task, scoring):
    _, both = parts(task, weighted=True)
    model = fitted(task, both, scoring=scoring, max_iter=3)
    scorer = sklearn.metrics.get_scorer(scoring)
    expected = scorer(
        model, both["X_val"], both["y_val"], sample_weight=both["sample_weight_val"]
    )
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-12)


def test_a_scorer_gets_a_snapshot():
    kept = []

    def keep(estimator, X, y):
        kept.append(estimator)
        return 0.0

    _, both = parts("binary")
    frame = pd.DataFrame(both["X"]).add_prefix("x")
    both.update(X=frame, X_val=pd.DataFrame(both["X_val"], columns=frame.columns))
    model = fitted("binary", both, scoring=keep, max_iter=3)
    # The first is the initial network, which shows whether there is a score.
    assert len(kept) == 4
    assert_same_weights(kept[-1], model)
    first = fitted("binary", both, max_iter=1)
    assert_same_weights(kept[1], first)


def test_another_scoring_starts_anew():
    _, both = parts("binary")
    model = fitted("binary", both, early_stopping=True, warm_start=True, max_iter=3)
    model.set_params(scoring="loss")
    quietly(model.fit, **both)
    assert model.best_validation_score_ == max(model.validation_scores_[3:]) < 0
    assert model.best_epoch_ > 3


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("accurate", "Did you mean scoring='accuracy'"),
        (lambda model, X, y: "good", "must return a number, got 'good'"),
        (
            lambda model, X, y: np.nan,
            "must return a finite number, got nan: choose another",
        ),
        (lambda model, X, y: accuracy_score(y, y[1:]), "^scoring=.* cannot score the val"),
    ],
)
def test_scoring_that_is_none(scoring, message):
    _, both = parts("binary")
    with pytest.raises(ValueError, match=message):
        fitted("binary", both, scoring=scoring, early_stopping=True)


def test_a_score_that_stops_being_a_number():
    scores = iter([0.5, np.nan])
    _, both = parts("binary")
    with pytest.raises(ValueError, match=r"score .* is nan in epoch 1 .*: choose another"):
        fitted("binary", both, scoring=lambda *args: next(scores), early_stopping=True)


def state_of(model):
    """Return what tells changes; functions have no hash that does."""
    return joblib.hash({n: v for n, v in vars(model).items() if n != "scoring"})


def gamma_deviance(model, X, y):
    """Refuses negative predictions, which the initial network has."""
    return -mean_gamma_deviance(y, model.predict(X))


def of_some_rows(model, X, y):
    return gamma_deviance(model, X[:9], y[:9])


def of_a_quantile(model, X, y):
    return -mean_gamma_deviance(y, model.predict(X)[:, 0])


def returns_an_array(model, X, y):
    return model.predict(X)


def asks_for_what_there_is_not(model, X, y):
    return model.decision_function(X).mean()


@pytest.mark.parametrize("fit", ["X_val", "early_stopping", "warm_start", "partial_fit"])
@pytest.mark.parametrize(
    ("task", "scoring", "error"),
    [
        ("multiclass", "roc_auc", ValueError),
        ("multiclass", "f1", ValueError),
        ("multilabel", "balanced_accuracy", ValueError),
        ("strings", "r2", ValueError),
        ("regression", "accuracy", ValueError),
        # Some targets are negative.
        ("regression", "neg_mean_squared_log_error", ValueError),
        ("binary", returns_an_array, ValueError),
        ("binary", asks_for_what_there_is_not, AttributeError),
        ("binary", lambda model, X: 0.0, TypeError),
        ("binary", lambda model, X, y: {}["score"], KeyError),
        ("binary", lambda model, X, y: 1 / 0, ZeroDivisionError),
    ],
)
def test_a_scorer_that_does_not_suit(task, scoring, error, fit, monkeypatch):
    _, both = parts(task)
    model = network(task, scoring=scoring, early_stopping=fit == "early_stopping")
    if fit == "early_stopping":
        both = {"X": both["X"], "y": both["y"]}
    method, classes = model.fit, {}
    if fit == "partial_fit":
        method = model.partial_fit
        if task in CLASSIFICATION:
            is_multilabel = task == "multilabel"
            classes["classes"] = np.arange(3) if is_multilabel else np.unique(both["y"])
    if fit == "warm_start":
        model.set_params(warm_start=True, scoring="loss", max_iter=2)
        quietly(model.fit, **both)
        model.set_params(scoring=scoring)
    before = state_of(model)
    monkeypatch.setattr(Run, "advance", None)
    with pytest.raises(error, match=r"^\W?scoring=.* (cannot score|must return)"):
        method(**both, **classes)
    assert state_of(model) == before


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("scoring", "loss"),
    [
        ("neg_mean_gamma_deviance", "squared_error"),
        (gamma_deviance, "squared_error"),
        (of_some_rows, "squared_error"),
        (of_a_quantile, Quantile([0.2, 0.7])),
    ],
)
def test_a_scorer_that_suits_after_the_first_epoch(scoring, loss, early_stopping):
    X, y = data("regression")[0], np.full(150, 9.0)
    settings = {"loss": loss, "learning_rate_init": 0.3, "early_stopping": early_stopping}
    model = network("regression", learning_rate="cosine", max_iter=5, **settings)
    initial = clone(model).set_params(learning_rate_init=1e-9, max_iter=1)
    assert (quietly(initial.fit, X, y, X_val=X, y_val=y).predict(X[:9]) < 0).any()
    model.set_params(scoring=scoring)
    quietly(model.fit, X, y, X_val=X, y_val=y)
    assert len(model.validation_scores_) == 5


@pytest.mark.parametrize("response", ["predict", "predict_proba"])
@pytest.mark.parametrize("task", [*CLASSIFICATION, "regression", "multioutput"])
def test_a_scorer_that_fails_sees_a_perfect_network(task, response):
    _, both = parts(task)
    calls = []

    def score(y, predicted):
        calls.append(np.asarray(predicted))
        if len(calls) == 1:
            raise ValueError("of the initial network")
        return 0.0

    if response == "predict_proba" and task not in CLASSIFICATION:
        return
    model = network(task, scoring=make_scorer(score, response_method=response), max_iter=2)
    quietly(model.fit, **both)
    assert len(calls) == 4
    expected = both["y_val"]
    if response == "predict_proba" and task != "multilabel":
        expected = (np.asarray(expected)[:, np.newaxis] == model.classes_) * 1.0
        expected = expected[:, 1] if task == "binary" else expected
    np.testing.assert_array_equal(calls[1], expected)


def test_the_first_score_changes_nothing():
    """Nor does it warn, though there are no predictions of some classes."""
    for task, name in (("multiclass", "precision_macro"), ("regression", "r2")):
        scorer = sklearn.metrics.get_scorer(name)
        calls = []

        def counted(model, X, y, scorer=scorer, calls=calls):
            calls.append(len(y))
            with warnings.catch_warnings():
                if len(calls) > 1:
                    warnings.simplefilter("ignore")
                return scorer(model, X, y)

        settings = {"dropout": 0.1, "max_iter": 4, "early_stopping": True}
        _, both = parts(task)
        watched = fitted(task, both, scoring=counted, **settings)
        plain = fitted(task, both, scoring="loss", **settings, tol=0.0)
        assert watched.loss_curve_ == plain.loss_curve_
        assert watched.validation_loss_curve_ == plain.validation_loss_curve_
        assert len(calls) == 5
        # partial_fit goes on with a scorer that is known.
        other = network(task, scoring=counted)
        classes = {"classes": np.unique(both["y"])} if task == "multiclass" else {}
        del calls[1:]
        for _ in range(3):
            other.partial_fit(**both, **classes)
        assert len(calls) == 5


def test_scoring_without_weights():
    _, both = parts("binary", weighted=True)
    with pytest.raises(TypeError, match=r"takes no sample_weight.*sample_weight_val"):
        fitted("binary", both, scoring=minus_log_loss)


# ------------------------------------------------------------------------------ splitters


def test_groups_stay_together():
    X, y, _ = data("multiclass")
    groups = np.arange(len(y)) // 5
    splitter = GroupShuffleSplit(test_size=0.4, random_state=0)
    train, held_out = next(splitter.split(X, y, groups))
    settings = {"early_stopping": True, "scoring": "loss", "max_iter": 4}
    model = fitted(
        "multiclass",
        {"X": X, "y": y, "groups": list(groups)},
        validation_fraction=splitter,
        **settings,
    )
    held = {"X_val": X[held_out], "y_val": y[held_out]}
    other = fitted("multiclass", {"X": X[train], "y": y[train], **held}, **settings)
    assert model.validation_loss_curve_ == other.validation_loss_curve_
    assert_same_weights(model, other)


def test_the_first_split_is_used():
    fold = np.repeat([-1, 0, 1], 50)
    X, y, _ = data("regression")
    model = fitted(
        "regression",
        {"X": X, "y": y},
        early_stopping=True,
        validation_fraction=PredefinedSplit(fold),
        max_iter=3,
    )
    assert model.t_ == 3 * 100


def test_a_splitter_reads_labels():
    X, y, _ = data("strings")
    splitter = StratifiedShuffleSplit(test_size=30, random_state=0)
    model = fitted(
        "strings",
        {"X": X, "y": y},
        early_stopping=True,
        validation_fraction=splitter,
        max_iter=2,
    )
    assert model.t_ == 2 * 120
    # scikit-learn's has no such parameter.
    assert model.to_sklearn().validation_fraction == 0.1


class Splits(GroupShuffleSplit):
    """Gives splits of its own."""

    def __init__(self, *splits):
        self.splits = splits

    def split(self, X, y, groups):
        return iter(self.splits)


@pytest.mark.parametrize(
    ("splitter", "groups", "message"),
    [
        (GroupShuffleSplit(), None, r"(?s)validation_fraction=Group.*'groups' .*None"),
        (StratifiedKFold(), None, r"validation_fraction=Stratified.*'continuous'"),
        (Splits(), None, r"validation_fraction=.*there is no split"),
        (Splits(([0, 999], [1, 2])), None, r"validation_fraction=.*150 rows.*999"),
        (GroupShuffleSplit(), np.zeros(149), "X has 150 rows, y has .*, groups has 149"),
        (GroupShuffleSplit(), [np.nan] * 150, "groups has NaN in row 0"),
    ],
)
def test_a_splitter_that_cannot_split(splitter, groups, message):
    X, y, _ = data("regression")
    model = network("regression", early_stopping=True, validation_fraction=splitter)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, groups=groups)


def test_a_splitter_of_masks():
    X, y, _ = data("regression")
    mask = np.arange(150) < 100
    models = [
        fitted("regression", {"X": X, "y": y}, early_stopping=True, validation_fraction=s)
        for s in (Splits((mask, ~mask)), Splits((range(100), range(100, 150))))
    ]
    assert models[0].t_ == 100 * models[0].n_iter_
    assert_same_weights(*models)


@pytest.mark.parametrize("value", [GroupShuffleSplit, "0.1", 5, [0.1]])
def test_invalid_splitters(value):
    X, y, _ = data("binary")
    model = MLPClassifier(early_stopping=True, validation_fraction=value)
    with pytest.raises(ValueError, match="a splitter of"):
        model.fit(X, y)


# ------------------------------------------------------------------------- stop reasons


def test_why_training_has_stopped(monkeypatch):
    train, _ = parts("regression")
    reasons = {
        "max_iter": {"max_iter": 2},
        "no_improvement": {"tol": 1e3, "n_iter_no_change": 1},
        "rate_too_small": {"tol": 1e3, "n_iter_no_change": 1, "learning_rate": "adaptive"},
    }
    for reason, parameters in reasons.items():
        assert fitted("regression", train, **parameters).stop_reason_ == reason
    lbfgs = fitted("regression", train, solver="lbfgs", batch_size="auto", max_iter=2)
    assert lbfgs.stop_reason_ == "max_iter"
    assert lbfgs.best_epoch_ is lbfgs.validation_loss_curve_ is None
    lbfgs = fitted("regression", train, solver="lbfgs", batch_size="auto", tol=1.0)
    assert lbfgs.stop_reason_ == "no_improvement"


def test_a_fit_that_is_interrupted():
    calls = []

    def interrupt(model, X, y):
        calls.append(model)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return 0.0

    _, both = parts("binary")
    with pytest.warns(UserWarning, match="interrupted"):
        model = network("binary", scoring=interrupt).fit(**both)
    assert model.stop_reason_ == "interrupted"


# ------------------------------------------------------------------------------ verbose


@pytest.mark.parametrize("verbose", [True, 1])
def test_scikit_learns_lines(capsys, verbose):
    _, both = parts("binary")
    model = fitted("binary", both, verbose=verbose, max_iter=2)
    lines = capsys.readouterr().out.splitlines()
    expected = []
    for epoch in range(2):
        expected += [
            f"Iteration {epoch + 1}, loss = {model.loss_curve_[epoch]:.8f}",
            f"Validation score: {model.validation_scores_[epoch]:f}",
        ]
    assert [line for line in lines if line.startswith(("Iter", "Valid"))] == expected


@pytest.mark.parametrize("is_given", [False, True])
def test_one_line_an_epoch(capsys, is_given):
    parameters = {"learning_rate": "inverse_time", "decay_steps": 5, "max_iter": 3}
    model = fitted("binary", parts("binary")[is_given], verbose=2, **parameters)
    *lines, last = capsys.readouterr().out.splitlines()[-4:]
    for epoch, line in enumerate(lines):
        # Five updates an epoch.
        rate = f"{0.001 / (1 + epoch):.3g}"
        found = re.fullmatch(
            r"Epoch (\d)/3: loss (\S+)(, validation loss (\S+), score (\S+)( \*)?)?, "
            r"rate (\S+), \d:\d\d:\d\d left",
            line,
        )
        assert found[1] == str(epoch + 1)
        assert float(found[2]) == pytest.approx(model.loss_curve_[epoch], rel=1e-5)
        assert found[7] == rate
        assert bool(found[3]) == is_given
        if is_given:
            loss, score = model.validation_loss_curve_, model.validation_scores_
            assert float(found[4]) == pytest.approx(loss[epoch], rel=1e-5)
            assert float(found[5]) == pytest.approx(score[epoch], rel=1e-5)
            assert bool(found[6]) == (score[epoch] >= max(score[: epoch + 1]))
    best = f" Best epoch: {model.best_epoch_}." * is_given
    assert last == f"Stopped after epoch 3: max_iter.{best}"
    silent = fitted("binary", parts("binary")[is_given], **parameters)
    assert_same_weights(silent, model)
    # Epochs are counted as by best_epoch_.
    quietly(model.set_params(warm_start=True).fit, **parts("binary")[is_given])
    first, *_, last = capsys.readouterr().out.splitlines()
    best = f" Best epoch: {model.best_epoch_}." * is_given
    assert first.startswith("Epoch 4/6: ")
    assert last == f"Stopped after epoch 6: max_iter.{best}"


def test_why_lbfgs_has_stopped(capsys):
    settings = {"solver": "lbfgs", "batch_size": "auto", "max_iter": 2}
    fitted("binary", parts("binary")[0], verbose=2, **settings)
    *_, iteration, last = capsys.readouterr().out.splitlines()
    assert iteration.startswith("Iteration 2, loss = ")
    assert last == "Stopped after iteration 2: max_iter."


# -------------------------------------------------------------------- fits that go on


@pytest.mark.parametrize("task", ["multiclass", "regression"])
@pytest.mark.parametrize("normalized", [False, True])
def test_partial_fit_keeps_curves_and_the_best_weights(task, normalized):
    train, both = parts(task)
    settings = {"shuffle": False, "batch_normalization": normalized}
    whole = fitted(task, both, max_iter=6, **settings)
    steps = network(task, **settings)
    classes = {"classes": np.unique(train["y"])} if task in CLASSIFICATION else {}
    for _ in range(6):
        steps.partial_fit(**both, **classes)
        assert steps.stop_reason_ == ""
    for name in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
        assert getattr(steps, name) == getattr(whole, name)
    assert steps.best_epoch_ == whole.best_epoch_
    for one, other in zip(steps.best_coefs_, whole.best_coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    steps.partial_fit(**train)
    assert steps.best_epoch_ == whole.best_epoch_
    assert len(steps.validation_scores_) == 6


def test_curves_keep_step():
    train, both = parts("multiclass")
    model = network("multiclass")
    for arguments in (train, both, train, both):
        model.partial_fit(**arguments, classes=[1, 3, 5])
    for curve in (model.validation_loss_curve_, model.validation_scores_):
        np.testing.assert_array_equal(np.isnan(curve), [True, False, True, False])
    assert model.best_epoch_ in (2, 4)


def test_a_new_fit_forgets():
    train, both = parts("binary")
    model = fitted("binary", both, max_iter=2)
    quietly(model.fit, **train)
    assert model.best_epoch_ is model.validation_loss_curve_ is None
    assert not hasattr(model, "best_coefs_")


# ----------------------------------------------------------------- within scikit-learn


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pipeline_scales_it(early_stopping):
    _, both = parts("multiclass")
    net = network("multiclass", early_stopping=early_stopping, max_iter=5)
    with sklearn.config_context(enable_metadata_routing=True):
        net.set_fit_request(X_val=True, y_val=True)
        model = Pipeline(
            [("scale", ZScoreScaler()), ("net", net)], transform_input=["X_val"]
        )
        quietly(model.fit, **both)
    scaler = ZScoreScaler().fit(both["X"])
    scaled = {**both, **{name: scaler.transform(both[name]) for name in ("X", "X_val")}}
    alone = fitted("multiclass", scaled, early_stopping=early_stopping, max_iter=5)
    assert model[-1].validation_loss_curve_ == alone.validation_loss_curve_


def test_groups_are_metadata():
    X, y, _ = data("multiclass")
    net = network(
        "multiclass",
        early_stopping=True,
        validation_fraction=GroupShuffleSplit(),
        max_iter=2,
    )
    with sklearn.config_context(enable_metadata_routing=True):
        net.set_fit_request(groups=True)
        search = GridSearchCV(net, {"alpha": [0.1]}, cv=2)
        quietly(search.fit, X, y, groups=np.arange(len(y)) // 5)
    assert search.best_estimator_.n_iter_ == 2


def test_clones_and_pickles():
    _, both = parts("binary")
    model = fitted("binary", both, scoring=minus_log_loss, max_iter=2)
    assert clone(model).scoring is minus_log_loss
    again = pickle.loads(pickle.dumps(model))
    assert again.validation_scores_ == model.validation_scores_
    for one in (model, again):
        one.partial_fit(**both)
    assert again.validation_scores_ == model.validation_scores_


# -------------------------------------------------------------------------- what is wrong

X, CLASSES, _ = data("multiclass")
WRONG = {
    "no targets": ({"X_val": X}, "got only X_val"),
    "no rows": ({"y_val": CLASSES}, "got only y_val"),
    "weights alone": ({"sample_weight_val": CLASSES}, "got only sample_weight_val"),
    "features": ({"X_val": X[:, :2], "y_val": CLASSES}, "X_val has 2 features"),
    "shape": ({"X_val": X[0], "y_val": CLASSES}, r"X_val must be an array of shape"),
    "rows": ({"X_val": X, "y_val": CLASSES[1:]}, "X_val has 150 rows, y_val has 149"),
    "class": ({"X_val": X, "y_val": CLASSES + 1}, "New in y_val: "),
    "other labels": ({"X_val": X, "y_val": ["a"] * 150}, "New in y_val: "),
    "labels": ({"X_val": X, "y_val": np.eye(3)[CLASSES // 2]}, "y_val"),
    "NaN": ({"X_val": X * np.nan, "y_val": CLASSES}, "X_val has NaN in column 0"),
    "too large": ({"X_val": X * 1e300, "y_val": CLASSES}, "Input X_val contains infinity"),
    "strings": ({"X_val": [["a"] * 6] * 150, "y_val": CLASSES}, "X_val must hold real"),
    "negative": (
        {"X_val": X, "y_val": CLASSES, "sample_weight_val": -CLASSES},
        "`sample_weight_val`",
    ),
    "no weight": (
        {"X_val": X, "y_val": CLASSES, "sample_weight_val": 0 * CLASSES},
        "sample_weight_val must .* at least one",
    ),
    "length": (
        {"X_val": X, "y_val": CLASSES, "sample_weight_val": CLASSES[1:]},
        "sample_weight_val",
    ),
    "groups": ({"groups": CLASSES}, "groups needs early_stopping"),
}


@pytest.mark.parametrize("assume_finite", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_validation_data(case, early_stopping, assume_finite):
    arguments, message = WRONG[case]
    model = network("multiclass", early_stopping=early_stopping)
    with (
        sklearn.config_context(assume_finite=assume_finite),
        pytest.raises(ValueError, match=message),
    ):
        model.fit(X.astype(np.float32), CLASSES, **arguments)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_wrong_validation_targets_of_a_regressor(method):
    X, y, _ = data("multioutput")
    cases = [
        ("multioutput", y[:, :2], "y_val must have 3 columns.* got 2"),
        ("multioutput", np.full_like(y, np.nan), "y_val has NaN"),
        ("poisson", -abs(y[:, 0]) - 1, "needs y_val >= 0"),
    ]
    for task, wrong, message in cases:
        targets = data(task)[1]
        with pytest.raises(ValueError, match=message):
            getattr(network(task), method)(X, targets, X_val=X, y_val=wrong)
    with pytest.raises(ValueError, match="X_val must have at least 2 rows"):
        getattr(network("regression"), method)(X, y[:, 0], X_val=X[:1], y_val=y[:1, 0])


def test_names_of_features():
    frame = pd.DataFrame(X).add_prefix("x")
    with pytest.raises(ValueError, match=r"X_val.*feature names"):
        network("multiclass").fit(
            frame, CLASSES, X_val=frame[frame.columns[::-1]], y_val=CLASSES
        )


def test_labels_of_a_multilabel_network():
    X, y, _ = data("multilabel")
    for wrong, message in (
        (y[:, 0], "y_val must have a column"),
        (y[:, :2], "y_val|X_val"),
    ):
        with pytest.raises(ValueError, match=message):
            network("multilabel").fit(X, y, X_val=X, y_val=wrong)


def test_lbfgs_refuses_it():
    model = network("binary", solver="lbfgs", batch_size="auto")
    with pytest.raises(ValueError, match=r"X_val .*solver='lbfgs'.*'adam'"):
        model.fit(X, CLASSES, X_val=X, y_val=CLASSES)
    with pytest.raises(ValueError, match=r"scoring='loss' needs mini-batches.*'adam'"):
        model.set_params(scoring="loss").fit(X, CLASSES)


def test_lbfgs_forgets_the_curves_of_the_fit_before():
    model = fitted("binary", parts("binary")[1], early_stopping=True)
    full_batch = {"solver": "lbfgs", "batch_size": "auto"}
    fresh = fitted("binary", parts("binary")[0], **full_batch)
    model.set_params(early_stopping=False, **full_batch)
    quietly(model.fit, **parts("binary")[0])
    names = [{n for n in vars(m) if n.endswith("_")} for m in (model, fresh)]
    assert names[0] == names[1]
    assert model.best_epoch_ is None


def test_networks_from_scikit_learn_go_on_with_it():
    _, both = parts("binary")
    theirs = sklearn.neural_network.MLPClassifier(max_iter=2, random_state=0)
    quietly(theirs.fit, both["X"], both["y"])
    model = skgd.MLPClassifier.from_sklearn(theirs).partial_fit(**both)
    assert model.best_epoch_ == 3
    assert len(model.validation_scores_) == len(model.loss_curve_) == 3
    assert model.stop_reason_ == ""
