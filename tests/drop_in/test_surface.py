"""The public names are compared with scikit-learn's, so that additions are noticed."""

import inspect

import numpy as np
import pytest
from sklearn import neural_network as sk
from sklearn.base import clone

import skgd
from tests.drop_in.tasks import CLASSIFICATION, SINCE_1_7, TASKS, data, fitted
from tests.pairs import all_pairs

PAIRS = [(skgd.MLPClassifier, sk.MLPClassifier), (skgd.MLPRegressor, sk.MLPRegressor)]
pairs = pytest.mark.parametrize(
    ("ours", "theirs"), PAIRS, ids=["MLPClassifier", "MLPRegressor"]
)

OWN_ARGUMENTS = {"X_val", "y_val", "sample_weight_val", "groups"}
OWN_ATTRIBUTES = {
    "validation_loss_curve_",
    "learning_rate_curve_",
    "best_epoch_",
    "stop_reason_",
    "stages_",
}
EMPTY = inspect.Parameter.empty


def parameters(function):
    return list(inspect.signature(function).parameters.values())


def public(names):
    return {name for name in names if not name.startswith("_")}


@pairs
def test_constructor(ours, theirs):
    """In order, with the defaults, positional where they are; more only behind them."""
    mine, known = parameters(ours), parameters(theirs)
    if not SINCE_1_7 and theirs is sk.MLPRegressor:
        # As in every newer version, the loss comes first.
        assert mine.pop(0).name == "loss"
    for a, b in zip(mine, known, strict=False):
        assert (a.name, a.default, a.kind) == (b.name, b.default, b.kind)
    more = mine[len(known) :]
    assert len(mine) > len(known)
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in more)
    assert all(p.default is not EMPTY for p in more)


@pairs
def test_methods(ours, theirs):
    methods = public(name for name, _ in inspect.getmembers(theirs, callable))
    assert {"fit", "partial_fit", "predict", "score"} < methods
    assert methods <= set(dir(ours))
    for name in methods:
        mine, known = (parameters(getattr(cls, name)) for cls in (ours, theirs))
        own = [p for p in mine if p.name in OWN_ARGUMENTS]
        assert all(p.default is not EMPTY for p in own)
        mine = [p for p in mine if p not in own]
        if not SINCE_1_7:
            mine = [p for p in mine if p.name != "sample_weight"]
            known = [p for p in known if p.name != "sample_weight"]
        assert [(p.name, p.default, p.kind) for p in mine] == [
            (p.name, p.default, p.kind) for p in known
        ], name


@pairs
def test_values_of_parameters(ours, theirs):
    """What scikit-learn's own declarations accept, skgd accepts."""
    for name, known in theirs._parameter_constraints.items():
        mine = ours._parameter_constraints[name]
        for constraint in known:
            options = getattr(constraint, "options", None)
            if options is not None:
                wider = next(c for c in mine if hasattr(c, "options"))
                alike = [c for c in mine if str(c) == str(constraint)]
                assert alike or options <= wider.options, name
            else:
                assert str(constraint) in [str(c) for c in mine], name


@all_pairs(task=TASKS, solver=["sgd", "adam", "lbfgs"], early_stopping=[False, True])
def test_fitted_attributes(task, solver, early_stopping):
    X, y, _ = data(task)
    ours, theirs = fitted(
        task, X, y, {}, solver=solver, early_stopping=early_stopping, max_iter=3
    )
    names = public(vars(theirs))
    assert {"coefs_", "intercepts_", "n_iter_", "t_", "loss_"} <= names
    for name in names:
        assert hasattr(ours, name), name
        a, b = getattr(ours, name), getattr(theirs, name)
        if isinstance(b, str | int | bool | None):
            assert a == b, name
        elif isinstance(b, list):
            assert isinstance(a, list)
            assert len(a) == len(b)
        elif isinstance(b, np.ndarray):
            assert (a.shape, a.dtype) == (b.shape, b.dtype), name
        else:
            assert np.ndim(a) == np.ndim(b), name
    # Nor are there any that do not belong: what is public is a parameter or known.
    extra = public(vars(ours)) - names - set(ours.get_params()) - OWN_ATTRIBUTES
    assert extra == set()
    assert hasattr(ours, "partial_fit") == (solver != "lbfgs")


@pairs
def test_tags(ours, theirs):
    """Which checks and which meta-estimators treat it how."""
    mine, known = ours().__sklearn_tags__(), theirs().__sklearn_tags__()
    # scikit-learn 1.6 keeps quiet about the sparse rows that it takes.
    known.input_tags.sparse = True
    for name in ("estimator_type", "classifier_tags", "regressor_tags", "input_tags"):
        assert getattr(mine, name) == getattr(known, name), name
    assert mine.requires_fit == known.requires_fit
    # As do all versions about the several outputs of the regressor.
    assert mine.target_tags.multi_output or not known.target_tags.multi_output


@pytest.mark.parametrize("task", [CLASSIFICATION[0], "regression"])
def test_positional_parameters(task):
    cls, known = PAIRS[task == "regression"]
    if known is sk.MLPClassifier:
        assert cls((5,), "tanh").get_params()["activation"] == "tanh"
    else:
        assert cls("poisson", (5,), "tanh").get_params()["loss"] == "poisson"
    assert clone(cls(solver="sgd")).solver == "sgd"
