"""The estimators for tables do what scikit-learn expects of estimators."""

import pickle
import subprocess
import sys
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgd import RobustClipScaler, TabularMLPClassifier, TabularMLPRegressor
from skgd.activations import SELU, Parametric
from skgd.losses import Huber, Quantile
from skgd.schedules import Cosine, FlatCos, Scheduled
from skgd.solvers import Adam
from tests.tabular.tables import CLASSES, SMALL, X, Y, classifier, regressor, same_fit

MODELS = {
    "classes": (classifier(calibrate=True), CLASSES),
    "labels": (classifier(), np.array([CLASSES == "low", Y > 1]).T.astype(int)),
    "numbers": (regressor(refit=True), Y),
    "targets": (regressor(numeric_embedding=None), np.array([Y, -Y]).T),
    "objects": (
        regressor(
            loss=Quantile([0.1, 0.9]),
            solver=Adam(),
            activation=Parametric(SELU()),
            learning_rate=Cosine(),
            dropout=Scheduled(0.2, FlatCos()),
            weight_decay=Scheduled(0.1, FlatCos()),
        ),
        Y,
    ),
}


@pytest.mark.parametrize(("model", "y"), MODELS.values(), ids=MODELS)
def test_copies(model, y):
    model = clone(model).fit(X, y)
    method = getattr(model, "predict_proba", model.predict)
    expected = method(X)
    for copy in (pickle.loads(pickle.dumps(model)), deepcopy(model)):
        same_fit(copy, model)
        assert set(vars(copy)) == set(vars(model))
        np.testing.assert_array_equal(getattr(copy, method.__name__)(X), expected)
    same_fit(clone(model).fit(X, y), model)
    same_fit(type(model)(**model.get_params(deep=False)).fit(X, y), model)
    # The second fit knows nothing of the first.
    before = model.members_
    same_fit(clone(model).fit(X, y), model.fit(X[::-1], y[::-1]).fit(X, y))
    assert model.members_ is not before


@pytest.mark.slow
def test_another_process_needs_nothing_but_the_pickle(tmp_path):
    for name, (model, y) in MODELS.items():
        model = clone(model).fit(X, y)
        (tmp_path / name).write_bytes(pickle.dumps((model, X, model.predict(X))))
    script = (
        "import pickle, sys, pathlib\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    model, X, expected = pickle.loads(path.read_bytes())\n"
        "    assert (model.predict(X) == expected).all(), path\n"
        "    print(path.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], check=True, capture_output=True, text=True
    )
    assert sorted(done.stdout.split()) == sorted(MODELS)


@pytest.mark.parametrize(("model", "y"), MODELS.values(), ids=MODELS)
def test_skops_has_to_trust_nothing_but_the_model_and_plugins(model, y):
    model = clone(model).fit(X, y)
    dumped = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=dumped)
    values = [*vars(model).values(), *model.get_params().values()]
    parts = [v for v in values if hasattr(v, "get_params")]
    named = {f"{type(o).__module__}.{type(o).__qualname__}" for o in [model, *parts]}
    assert set(types) <= named
    same_fit(skops.io.loads(dumped, trusted=types), model)
    np.testing.assert_array_equal(
        skops.io.loads(dumped, trusted=types).predict(X), model.predict(X)
    )


def test_searches():
    grid = [
        {"n_members": [1, 3], "dropout": [0.0, 0.5]},
        {"solver": [Adam()], "solver__beta_1": [0.5, 0.95]},
        {"dropout": [Scheduled(0.1, FlatCos())], "dropout__initial": [0.0, 0.3]},
        {"hidden_layer_sizes": [(4,), (8, 8)], "learning_rate": ["constant", Cosine()]},
    ]
    search = GridSearchCV(classifier(max_iter=2), grid, cv=2, error_score="raise")
    search.fit(X, CLASSES)
    assert len(search.cv_results_["params"]) == 12
    assert set(search.predict(X)) <= set(CLASSES)
    joblib.hash(search.best_estimator_)
    nested = GridSearchCV(
        regressor(max_iter=2, loss=Huber()),
        {"loss__delta": [0.1, 1.0]},
        error_score="raise",
    )
    assert nested.fit(X, Y).best_params_["loss__delta"] in (0.1, 1.0)


def test_nested_parameters():
    model = regressor(solver=Adam(), loss=Huber()).set_params(
        solver__beta_1=0.5, loss__delta=2.0
    )
    assert (model.solver.beta_1, model.loss.delta) == (0.5, 2.0)
    with pytest.raises(ValueError, match=r"solver=Adam\(beta_1=0.5\)"):
        regressor().set_params(solver__beta_1=0.5)


def test_pipelines():
    columns = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(), RobustClipScaler()),
                ["income", "age"],
            ),
            ("rest", "passthrough", ["city", "color", "owner"]),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(columns, classifier()).fit(X, CLASSES)
    assert list(model[-1].feature_names_in_) == list(X.columns)
    assert model.score(X, CLASSES) == model[-1].score(columns.transform(X), CLASSES)
    doubled = TransformedTargetRegressor(
        make_pipeline(FunctionTransformer(), regressor()),
        transformer=RobustClipScaler(),
    )
    assert doubled.fit(X, Y).predict(X).shape == Y.shape


def test_inspection():
    """Permuted columns, and grids of values, keep their types."""
    model = classifier().fit(X, CLASSES)
    found = permutation_importance(model, X, CLASSES, n_repeats=2, random_state=0)
    assert found.importances.shape == (5, 2)
    numbers = X.fillna(1.0).astype({"age": float})
    curve = partial_dependence(regressor().fit(numbers, Y), numbers, ["income"])
    assert np.isfinite(curve["average"]).all()


def test_groups_are_metadata():
    groups = np.arange(len(X)) % 12
    with config_context(enable_metadata_routing=True):
        model = regressor().set_fit_request(groups=True)
        scores = cross_val_score(
            model, X, Y, cv=GroupKFold(2), params={"groups": groups}, error_score="raise"
        )
    assert scores.shape == (2,)


class ScorerError(Exception):
    """Raised by a scorer."""


def fails(estimator, X, y):
    raise ScorerError


ERRORS = {
    "y": ({}, {"y": np.full(len(Y), np.nan)}),
    "columns": ({"categorical_features": ["nothing"]}, {}),
    "infinite": ({}, {"X": X.assign(age=np.inf)}),
    "after training": ({"scoring": fails}, {}),
    "validation": ({}, {"X_val": X, "y_val": np.full(len(Y), np.nan)}),
    "parameter": ({"dropout": 1.5}, {}),
    "no time": ({"max_time": 1e-9}, {}),
}


@pytest.mark.parametrize(("parameters", "given"), ERRORS.values(), ids=ERRORS)
def test_unchanged_by_errors(parameters, given):
    model = regressor().fit(X, Y)
    model.set_params(**parameters)
    before, attributes = joblib.hash(vars(model)), set(vars(model))
    with pytest.raises((ValueError, ScorerError)):
        model.fit(**{"X": X, "y": Y} | given)
    assert joblib.hash(vars(model)) == before
    fresh = regressor(**parameters)
    with pytest.raises((ValueError, ScorerError)):
        fresh.fit(**{"X": X, "y": Y} | given)
    assert set(vars(fresh)) == set(fresh.get_params(deep=False))
    assert attributes >= set(vars(fresh))


def global_state():
    return joblib.hash(np.random.get_state())  # noqa: NPY002


@pytest.mark.parametrize("estimator", [classifier, regressor])
@pytest.mark.parametrize("kind", ["frame", "array", "objects"])
def test_arguments_are_not_written_to(estimator, kind):
    frame = X[["income", "age"]].astype(float) if kind == "array" else X.copy()
    table = frame if kind == "frame" else frame.to_numpy(copy=True)
    y = CLASSES.copy() if estimator is classifier else Y.copy()
    weight = np.arange(len(X), dtype=float)
    arguments = [table, y, weight]
    before = joblib.hash(arguments)
    if kind != "frame":
        for array in arguments:
            array.flags.writeable = False
    state = global_state()
    model = estimator(refit=True).fit(table, y, sample_weight=weight)
    model.predict(table)
    assert joblib.hash(arguments) == before
    assert global_state() == state


def test_neither_partial_fit_nor_warm_start():
    for estimator in (TabularMLPClassifier, TabularMLPRegressor):
        assert not hasattr(estimator, "partial_fit")
        assert "warm_start" not in estimator().get_params()
        assert "<style" in estimator(**SMALL)._repr_html_()


def test_fitted_attributes():
    model = classifier(n_iter_no_change=1, max_iter=30).fit(X, CLASSES)
    assert [len(curve) for curve in model.loss_curves_] == model.n_iter_.tolist()
    for member, best, curve in zip(
        model.members_, model.best_epoch_, model.validation_loss_curves_, strict=True
    ):
        assert member["best_epoch"] == best
        assert best == len(curve) - np.argmin(curve[::-1])
    assert list(model.feature_names_in_) == list(X.columns)
    assert model.plan_ == {"n_members": 2, "max_iter": 30}
    assert list(model.classes_) == sorted(set(CLASSES))
    np.testing.assert_array_equal(
        model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)]
    )
    np.testing.assert_allclose(
        model.predict_log_proba(X), np.log(model.predict_proba(X)), rtol=1e-6
    )
    without_names = classifier().fit(X.to_numpy(), CLASSES)
    assert not hasattr(without_names, "feature_names_in_")
    assert without_names.n_features_in_ == 5


def test_verbose(capsys):
    model = regressor(verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    lines = [line for line in lines if line.startswith("Member")]
    assert len(lines) == sum(model.n_iter_)
    assert "Member 1/2, epoch 4/4: loss" in "\n".join(lines)
    assert all("left" in line and "validation loss" in line for line in lines)


def test_series_and_frames_as_targets():
    expected = regressor().fit(X, Y)
    same_fit(regressor().fit(X, pd.Series(Y)), expected)
    same_fit(regressor().fit(X, Y.tolist()), expected)
    classes = classifier().fit(X, CLASSES)
    same_fit(classifier().fit(X, pd.Series(CLASSES, dtype="category")), classes)
    same_fit(classifier().fit(X, CLASSES.astype(object)), classes)
