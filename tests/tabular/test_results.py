"""The results of the estimators for tables: those of oracles, and bitwise reproducible."""

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    d2_pinball_score,
    log_loss,
    make_scorer,
    r2_score,
    roc_auc_score,
)

from skgd import TabularMLPClassifier, TabularMLPRegressor
from skgd.activations import Parametric
from skgd.embeddings import Periodic, PiecewiseLinear
from skgd.losses import Huber, Quantile, Tweedie
from skgd.schedules import FlatCos, Scheduled
from skgd.stages import Periodic as PeriodicStage
from skgd.tabular import _base, _plan
from skgd.tabular._columns import encode
from tests.pairs import all_pairs
from tests.tabular.tables import CLASSES, SMALL, X, Y, classifier, regressor, same_fit

# ------------------------------------------------------------------------- the same bits


@all_pairs(
    n_jobs=[1, 2, 3],
    kind=["classes", "labels", "numbers", "quantiles"],
    options=[
        {},
        {"refit": True, "activation": Parametric("selu")},
        {"n_members": 7, "dropout": Scheduled(0.2, FlatCos())},
        {"max_one_hot": 2},
    ],
)
def test_bits_do_not_depend_on_the_threads(n_jobs, kind, options):
    model, y = {
        "classes": (classifier(calibrate=True, label_smoothing=0.1), CLASSES),
        "labels": (classifier(), np.array([CLASSES == "low", Y > 1]).T.astype(int)),
        "numbers": (regressor(), Y),
        "quantiles": (regressor(loss=Quantile([0.1, 0.5, 0.9])), Y),
    }[kind]
    weight = np.arange(len(X)) % 3
    model.set_params(**options)
    one = clone(model).set_params(n_jobs=1).fit(X, y, sample_weight=weight)
    other = clone(model).set_params(n_jobs=n_jobs).fit(X, y, sample_weight=weight)
    same_fit(one, other)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_bits_do_not_depend_on_the_container():
    frame = X.assign(color=X["color"].astype("category"))
    expected = regressor().fit(X, Y)
    containers = [
        frame,
        X.set_index(X.index[::-1]),
        pl.DataFrame({name: X[name].to_list() for name in X}, nan_to_null=True),
        X.convert_dtypes(),
    ]
    for table in containers:
        model = regressor().fit(table, Y)
        same_fit(model, expected)
        np.testing.assert_array_equal(model.predict(table), expected.predict(X))
    # Without names, columns are the same.
    objects = regressor().fit(X.to_numpy(dtype=object), Y)
    same_fit(objects, expected)
    numbers = X[["income", "age"]].to_numpy()
    expected = regressor().fit(numbers, Y)
    for order in ("C", "F"):
        same_fit(regressor().fit(np.array(numbers, order=order), Y), expected)
    same_fit(regressor().fit(numbers[::-1][::-1], Y), expected)
    same_fit(regressor().fit(numbers.tolist(), Y.tolist()), expected)


def test_rows_are_predicted_alone():
    model = regressor().fit(X, Y)
    alone = np.concatenate([model.predict(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_allclose(alone, model.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("estimator", [classifier, regressor])
def test_rows_without_weight_are_left_out(estimator):
    y = CLASSES if estimator is classifier else Y
    seen = np.arange(len(X)) % 4 != 0
    left_out = X.copy()
    left_out.loc[~seen, "income"] = 1e9
    left_out.loc[~seen, "city"] = "nowhere"
    weighted = estimator().fit(left_out, y, sample_weight=seen * 3.0)
    expected = estimator().fit(X[seen], y[seen])
    assert np.isnan(weighted.oof_prediction_[~seen]).all()
    np.testing.assert_allclose(
        weighted.oof_prediction_[seen], expected.oof_prediction_, rtol=1e-4, atol=1e-5
    )
    for scale in (1e-60, 1e60):
        scaled = estimator().fit(left_out, y, sample_weight=seen * scale)
        np.testing.assert_allclose(
            scaled.oof_prediction_, weighted.oof_prediction_, rtol=1e-5
        )


# -------------------------------------------------------------------------------- oracles


def folds_of(y, n_folds=5, seed=0):
    """Deal shuffled rows, sorted by target, out to the folds."""
    shuffled = np.random.RandomState(seed).permutation(len(y))
    order = sorted(shuffled, key=lambda i: y[i])
    return [np.sort(order[fold::n_folds]) for fold in range(n_folds)]


def outputs_of(model, parameters, table):
    """Predict by a network of two dense layers in plain NumPy."""
    encoded = encode(model._columns, table).X.astype(np.float64)
    sizes = encoded.shape[1], 16, model.n_outputs_
    layers, place = [], 0
    for inputs, outputs in pairwise(sizes):
        end = place + inputs * outputs
        weights = parameters[place:end].reshape(inputs, outputs)
        layers.append((weights, parameters[end : end + outputs]))
        place = end + outputs
    assert place == len(parameters)
    (w1, b1), (w2, b2) = layers
    return np.maximum(encoded @ w1 + b1, 0) @ w2 + b2


NUMBERS = X[["income", "age"]]
DENSE = {"numeric_embedding": None, "activation": "relu", "max_iter": 10}


@pytest.mark.parametrize("n_members", [2, 5, 7])
@pytest.mark.parametrize("estimator", [classifier, regressor])
def test_predictions_out_of_fold(estimator, n_members):
    y = CLASSES if estimator is classifier else Y
    codes = np.unique(y, return_inverse=True)[1] if estimator is classifier else y
    model = estimator(n_members=n_members, **DENSE).fit(NUMBERS, y)

    def predicted(member, table):
        found = outputs_of(model, member["parameters"], table)
        if estimator is classifier:
            return softmax(found, axis=1)
        return np.clip(found * Y.std() + Y.mean(), Y.min(), Y.max())

    folds = folds_of(codes)
    total, count = np.zeros((len(y), model.n_outputs_)), np.zeros((len(y), 1))
    for k, (member, curve) in enumerate(
        zip(model.members_, model.validation_loss_curves_, strict=True)
    ):
        rows = folds[k % 5]
        found = predicted(member, NUMBERS.iloc[rows])
        total[rows] += found
        count[rows] += 1
        if estimator is classifier:
            loss = log_loss(codes[rows], found, labels=range(3))
            assert loss == pytest.approx(curve[member["best_epoch"] - 1], rel=1e-4)
    with np.errstate(invalid="ignore"):
        expected = (total / count).reshape(model.oof_prediction_.shape)
    assert np.isnan(expected).any() == (n_members < 5)
    np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-4, atol=1e-5)
    mean = np.mean([predicted(member, NUMBERS) for member in model.members_], axis=0)
    method = model.predict_proba if estimator is classifier else model.predict
    np.testing.assert_allclose(
        method(NUMBERS), mean.reshape(model.oof_prediction_.shape), rtol=1e-4, atol=1e-5
    )


def test_cosines():
    """Of the numbers, not of the column that says where one is missing."""
    embedding = Periodic(4, n_outputs=2, sigma=0.5)
    options = {"numeric_embedding": embedding, "activation": "relu"}
    model = regressor(n_jobs=2, **options).fit(NUMBERS, Y)
    same_fit(model, regressor(n_jobs=1, **options).fit(NUMBERS, Y))
    model.set_params(numeric_embedding=None)
    x, total = encode(model._columns, NUMBERS).X.astype(float), 0.0
    for member in model.members_:
        sizes = [2 * (4 * 4 + 2), 7 * 16, 16, 16, 1]
        waves, *layers = np.split(member["parameters"].astype(float), np.cumsum(sizes)[:-1])
        w1, b1, W2, b2 = PeriodicStage.split(waves.reshape(2, -1), 4)
        cosines = np.cos(2 * np.pi * w1 * x[:, :2, np.newaxis] + b1)
        combined = np.einsum("ijf,jkf->ijk", cosines, W2) + b2
        inputs = np.hstack([x, combined.reshape(len(x), -1)])
        weights, bias, out, shift = layers
        hidden = np.maximum(inputs @ weights.reshape(7, 16) + bias, 0)
        z = (hidden @ out + shift) * Y.std() + Y.mean()
        total += np.clip(z, Y.min(), Y.max()) / 2
    np.testing.assert_allclose(model.predict(NUMBERS), total, rtol=1e-4, atol=1e-5)


def test_bins_as_many_as_asked_for():
    model = regressor(numeric_embedding=PiecewiseLinear(n_bins=7)).fit(X, Y)
    edges = [c["edges"] for c in model._columns if c["kind"] == "number"]
    assert [len(own) for own in edges] == [8, 8]


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("is_multilabel", [False, True])
def test_temperature(is_multilabel, given):
    """The least log loss on a grid, of the mean predictions."""
    codes = np.unique(CLASSES, return_inverse=True)[1]
    y = np.eye(3, dtype=int)[codes] if is_multilabel else CLASSES
    weight = 1.0 + np.arange(len(X)) % 2
    seen, rows = (slice(0, 60), slice(60, None)) if given else (slice(None),) * 2
    data = {"X_val": X[rows], "y_val": y[rows], "sample_weight_val": weight[rows]}
    plain = classifier(n_members=7, learning_rate_init=0.03, max_iter=10)
    model = clone(plain).set_params(calibrate=True)
    for each in (plain, model):
        each.fit(X[seen], y[seen], sample_weight=weight[seen], **(data if given else {}))
    assert plain.temperature_ == 1
    p = plain.predict_proba(X[rows]) if given else plain.oof_prediction_
    codes, weight = codes[rows], weight[rows]

    def tempered(t):
        if is_multilabel:
            return p ** (1 / t) / (p ** (1 / t) + (1 - p) ** (1 / t))
        return p ** (1 / t) / (p ** (1 / t)).sum(axis=1, keepdims=True)

    def loss(t):
        right = np.eye(3, dtype=bool)[codes]
        q = tempered(t)
        q = np.where(right, q, 1 - q if is_multilabel else 1)
        losses = -np.log(np.maximum(q, 1e-38)).sum(axis=1)
        return np.average(losses, weights=weight)

    grid = np.exp(np.linspace(-3, 3, 2001))
    best = grid[np.argmin([loss(t) for t in grid])]
    assert 0.05 < best < 20
    assert model.temperature_ == pytest.approx(best, rel=0.005)
    if not given:
        expected = tempered(model.temperature_)
        np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-5)


def test_refit():
    """All rows, for the epochs with the best mean loss."""
    plain = regressor(max_iter=12, learning_rate_init=0.05).fit(X, Y)
    model = regressor(max_iter=12, learning_rate_init=0.05, refit=True).fit(X, Y)
    n_epochs = int(np.mean(plain.validation_loss_curves_, axis=0).argmin()) + 1
    assert {member["best_epoch"] for member in model.members_} == {n_epochs}
    np.testing.assert_array_equal(model.oof_prediction_, plain.oof_prediction_)
    # Other rows than those of the members before.
    for a, b in zip(model.members_, plain.members_, strict=True):
        assert (a["parameters"] != b["parameters"]).any()


def test_the_training_loss_ends_no_refit(monkeypatch):
    monkeypatch.setattr(_base, "_joint_best", lambda curves: 12)
    model = regressor(
        refit=True, n_iter_no_change=1, learning_rate_init=3.0, max_iter=12
    ).fit(X, Y)
    assert model.stop_reason_ == "no_improvement"
    assert max(model.n_iter_) < 12
    assert {member["best_epoch"] for member in model.members_} == {12}


# ------------------------------------------------------------------------------- max_time


@pytest.fixture
def pace(monkeypatch):
    """Measure nothing, but have an epoch take so long."""

    def takes(seconds):
        monkeypatch.setattr(_base, "epoch_seconds", lambda *args: seconds)

    return takes


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize(
    ("epoch", "fewer"), [(1e-3, False), (1000.0, True), (4000.0, True)]
)
def test_a_plan_has_the_same_bits_without_a_clock(pace, epoch, fewer, refit):
    pace(epoch)
    model = regressor(max_time=10_000.0, n_jobs=2, refit=refit, n_members=6).fit(X, Y)
    assert model.stop_reason_ == "max_iter"
    plan = {name: model.plan_[name] for name in ("n_members", "max_iter")}
    if fewer:
        assert plan["n_members"] * plan["max_iter"] < 24
    else:
        assert plan == {"n_members": 20, "max_iter": 4}
    assert len(model.members_) == plan["n_members"]
    assert model.plan_["epoch_seconds"] == epoch
    again = regressor(n_jobs=1, refit=refit, **plan).fit(X, Y)
    same_fit(model, again)


@all_pairs(
    seconds=[0.5, 5.0, 50.0, 500.0],
    epoch=[0.1, 1.0, 10.0],
    n_members=[1, 2, 5],
    max_iter=[1, 10, 100],
    n_threads=[1, 2, 4],
)
def test_plans_end_in_time(seconds, epoch, n_members, max_iter, n_threads):
    members, n_epochs = _plan.plan_for(seconds, epoch, n_members, max_iter, n_threads)
    assert 1 <= n_epochs <= max_iter
    assert 1 <= members <= max(n_members, _plan.MOST_MEMBERS)
    rounds = -(-members // n_threads)
    assert rounds * n_epochs * epoch <= seconds or (rounds, n_epochs) == (1, 1)


def test_the_entries_of_a_measured_plan():
    model = regressor(max_time=1.0).fit(X, Y)
    assert set(model.plan_) == {
        "n_members",
        "max_iter",
        "epoch_seconds",
        "compile_seconds",
    }
    assert model.plan_["epoch_seconds"] > 0


@pytest.fixture
def impatient(monkeypatch):
    """The time is over after so many looks at the clock, two an epoch."""

    def most(n_checks):
        class Impatient(_base.Clock):
            checks = 0

            def reason(self):
                self.checks += 1
                return "max_time" if self.checks > n_checks else ""

        monkeypatch.setattr(_base, "Clock", Impatient)

    return most


@pytest.mark.parametrize("refit", [False, True])
def test_a_deadline_keeps_the_best_epochs(impatient, refit):
    """It comes in the middle of an epoch."""
    impatient(11)
    model = regressor(n_members=3, n_jobs=1, refit=refit).fit(X, Y)
    assert model.stop_reason_ == "max_time"
    assert model.n_iter_.tolist() == [4, 1]
    complete = regressor(n_members=3).fit(X, Y)
    np.testing.assert_array_equal(
        model.members_[0]["parameters"], complete.members_[0]["parameters"]
    )
    assert np.isfinite(model.predict(X)).all()


def test_no_time_for_an_epoch(impatient):
    impatient(0)
    with pytest.raises(ValueError, match=r"max_time=10.0 is over .* about .* seconds"):
        regressor(max_time=10.0).fit(X, Y)


def test_a_refit_that_is_not_finished_is_dropped(impatient):
    impatient(20)
    model = regressor(n_jobs=1, refit=True, learning_rate_init=0.01).fit(X, Y)
    assert model.stop_reason_ == "max_time"
    same_fit(model, regressor(learning_rate_init=0.01).fit(X, Y))


# --------------------------------------------------------------------- data to choose by


@pytest.mark.parametrize("estimator", [classifier, regressor])
def test_validation_data(estimator):
    y = CLASSES if estimator is classifier else Y
    model = estimator().fit(X[:90], y[:90], X_val=X[90:], y_val=y[90:])
    assert np.isnan(model.oof_prediction_).all()
    assert model.oof_prediction_.shape[0] == 90
    # Rows of weight 0 do not count.
    wrong = np.roll(y, 1)
    both = pd.concat([X[90:], X[90:]], ignore_index=True)
    weight = np.repeat([1.0, 0.0], 30)
    targets = np.append(y[90:], wrong[90:])
    weighted = estimator().fit(
        X[:90], y[:90], X_val=both, y_val=targets, sample_weight_val=weight
    )
    np.testing.assert_allclose(
        weighted.validation_loss_curves_, model.validation_loss_curves_, rtol=1e-5
    )


def test_groups_are_held_out_together():
    groups = np.arange(len(X)) // 8
    model = regressor(n_members=1).fit(X, Y, groups=groups)
    held_out = ~np.isnan(model.oof_prediction_)
    assert 0 < held_out.sum() < len(X)
    for group in range(15):
        assert len(set(held_out[groups == group])) == 1
    named = regressor(n_members=1).fit(X, Y, groups=[f"g{g:02}" for g in groups])
    same_fit(named, model)


def test_folds_are_stratified():
    y = np.repeat(["a", "b", "c"], [100, 15, 5])
    for seed in range(5):
        model = classifier(n_members=1, max_iter=1, random_state=seed).fit(X, y)
        held_out = ~np.isnan(model.oof_prediction_[:, 0])
        assert np.unique(y[held_out], return_counts=True)[1].tolist() == [20, 3, 1]


def score_of_truth(estimator, X, y):
    return accuracy_score(y, estimator.predict(X))


SCORES = {
    "accuracy": lambda y, p, classes: accuracy_score(y, classes[p.argmax(axis=1)]),
    "neg_log_loss": lambda y, p, classes: -log_loss(y, p, labels=classes),
    "roc_auc_ovr": lambda y, p, classes: roc_auc_score(y, p, multi_class="ovr"),
    score_of_truth: lambda y, p, classes: accuracy_score(y, classes[p.argmax(axis=1)]),
}


@pytest.mark.parametrize("scoring", SCORES)
def test_scoring(scoring):
    model = classifier(
        n_members=5,
        scoring=scoring,
        max_iter=20,
        learning_rate_init=0.02,
        label_smoothing=0,
    )
    model.fit(X, CLASSES)
    codes = np.unique(CLASSES, return_inverse=True)[1]
    by_loss = clone(model).set_params(scoring=None).fit(X, CLASSES)
    assert by_loss.validation_loss_curves_ == model.validation_loss_curves_
    score = SCORES[scoring]
    for rows in folds_of(codes):
        found, other = (
            score(CLASSES[rows], m.oof_prediction_[rows], model.classes_)
            for m in (model, by_loss)
        )
        assert found >= other - 1e-6
    if scoring == "neg_log_loss":
        same_fit(model, by_loss)


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "f1_macro"])
def test_scoring_of_labels(scoring):
    y = np.array([CLASSES == "low", Y > 1]).T.astype(int)
    model = classifier(scoring=scoring).fit(X, y)
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error"])
def test_scoring_of_numbers_is_in_their_unit(scoring):
    found = []
    for factor in (1.0, 1e6):

        def score(estimator, X, y, factor=factor):
            assert abs(y).max() <= abs(Y * factor).max() * (1 + 1e-6)
            found.append(r2_score(y, estimator.predict(X)))
            return found[-1]

        regressor(scoring=score, n_jobs=1).fit(X, Y * factor)
    np.testing.assert_allclose(*np.split(np.array(found), 2), rtol=1e-3, atol=1e-4)
    assert regressor(scoring=scoring).fit(X, Y).stop_reason_ == "max_iter"


def test_smoothing_and_class_weights():
    confident = classifier(learning_rate_init=0.1, max_iter=40)
    plain = clone(confident).fit(X, CLASSES)
    smooth = clone(confident).set_params(label_smoothing=0.5).fit(X, CLASSES)
    assert smooth.predict_proba(X).max() < plain.predict_proba(X).max()
    automatic = clone(confident).set_params(scoring="accuracy").fit(X, CLASSES)
    explicit = clone(automatic).set_params(label_smoothing=0.1).fit(X, CLASSES)
    same_fit(automatic, explicit)
    counts = dict(zip(*np.unique(CLASSES, return_counts=True), strict=True))
    weights = {name: 40 / count for name, count in counts.items()}
    balanced = clone(confident).set_params(class_weight="balanced").fit(X, CLASSES)
    by_hand = clone(confident).set_params(class_weight=weights).fit(X, CLASSES)
    np.testing.assert_allclose(
        balanced.predict_proba(X), by_hand.predict_proba(X), rtol=1e-2, atol=1e-3
    )
    rows = np.array([weights[name] for name in CLASSES])
    by_rows = clone(confident).fit(X, CLASSES, sample_weight=rows)
    np.testing.assert_allclose(
        by_rows.predict_proba(X), by_hand.predict_proba(X), rtol=1e-2, atol=1e-3
    )


# --------------------------------------------------------------------------------- losses

LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "gamma", Tweedie(1.5)]


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1e6, 1e30])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_targets_of_any_unit(loss, scale):
    y = np.exp(Y / 2)
    fast = {"max_iter": 60, "learning_rate_init": 0.02, "batch_size": 16}
    model = regressor(loss=loss, **fast).fit(X, y * scale)
    assert model.score(X, y * scale) > 0.5
    if loss != "huber":
        one = regressor(loss=loss, **fast).fit(X, y)
        np.testing.assert_allclose(
            model.predict(X) / scale, one.predict(X), rtol=0.05, atol=0.05
        )


def test_the_threshold_of_huber_is_in_the_unit_of_the_targets():
    for scale in (1e-3, 1e3):
        one = regressor(loss=Huber(delta=1.5)).fit(X, Y)
        other = regressor(loss=Huber(delta=1.5 * scale)).fit(X, Y * scale)
        np.testing.assert_allclose(other.predict(X) / scale, one.predict(X), rtol=1e-3)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_several_targets_of_different_units(loss):
    y = np.exp(np.column_stack([Y / 2, -Y / 2])) * [1.0, 1e6]
    model = regressor(
        loss=loss, max_iter=60, learning_rate_init=0.02, batch_size=16, n_members=3
    )
    model.fit(X, y)
    assert model.predict(X).shape == model.oof_prediction_.shape == y.shape
    assert (r2_score(y, model.predict(X), multioutput="raw_values") > 0.5).all()


def test_quantiles():
    rng = np.random.default_rng(0)
    x = rng.random((2000, 1))
    y = x[:, 0] * (1 + rng.exponential(size=2000)) * 1e4
    model = TabularMLPRegressor(
        **SMALL | {"max_iter": 30}, loss=Quantile([0.1, 0.5, 0.9]), learning_rate_init=0.01
    ).fit(x, y)
    found = model.predict(x)
    assert found.shape == model.oof_prediction_.shape == (2000, 3)
    assert (np.diff(found, axis=1) >= 0).all()
    np.testing.assert_allclose(
        (y[:, np.newaxis] <= found).mean(axis=0), [0.1, 0.5, 0.9], atol=0.05
    )
    d2 = [
        d2_pinball_score(y, p, alpha=a)
        for p, a in zip(found.T, [0.1, 0.5, 0.9], strict=True)
    ]
    assert model.score(x, y) == pytest.approx(np.mean(d2))
    one = regressor(loss=Quantile(0.9)).fit(x, y)
    assert one.predict(x).shape == y.shape


def test_predictions_are_within_the_range_of_training():
    model = regressor(max_iter=30, learning_rate_init=0.1).fit(X, Y)
    extreme = X.assign(income=1e300)
    found = np.concatenate([model.predict(X), model.predict(extreme)])
    assert Y.min() <= found.min()
    assert found.max() <= Y.max()


def test_members_learn():
    """A rule of a category and a bend, which a linear model does not find."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"number": rng.normal(size=3000), "city": rng.integers(0, 40, 3000).astype(str)}
    )
    odd = table["city"].astype(int).to_numpy() % 2
    y = np.where(odd, np.abs(table["number"]), 1.0)
    params = SMALL | {"max_iter": 20, "learning_rate_init": 0.01}
    model = TabularMLPRegressor(**params).fit(table[:2000], y[:2000])
    assert model.score(table[2000:], y[2000:]) > 0.8
    labels = np.array(["no", "yes"])[(y > 0.8).astype(int)]
    model = TabularMLPClassifier(**params).fit(table[:2000], labels[:2000])
    assert model.score(table[2000:], labels[2000:]) > 0.9


def test_weights_without_a_scorer_for_them():
    scoring = make_scorer(accuracy_score)
    weight = np.ones(len(X))
    same_fit(
        classifier(scoring=scoring).fit(X, CLASSES, sample_weight=weight),
        classifier(scoring=scoring).fit(X, CLASSES),
    )
    with pytest.raises(TypeError, match=r"takes no sample_weight\. Choose another scoring"):
        classifier(scoring=score_of_truth).fit(X, CLASSES, sample_weight=weight)
