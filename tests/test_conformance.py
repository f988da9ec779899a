"""scikit-learn's own checks, with one skip and, for tables, one expected failure."""

import ast
import inspect
from functools import cache
from unittest import SkipTest

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator

from skgd import (
    MeanScaler,
    MinMaxScaler,
    MLPClassifier,
    MLPRegressor,
    RobustClipScaler,
    StandardScaler,
    TabularMLPClassifier,
    TabularMLPRegressor,
    ZScoreScaler,
)
from skgd.neural_network import HiddenLayerTransformer
from skgd.schedules import SCHEDULES
from skgd.solvers import SOLVERS
from tests.pairs import rows_with_all_pairs

DEFAULTS = [
    MinMaxScaler(),
    MinMaxScaler(clip=True),
    MeanScaler(),
    StandardScaler(),
    StandardScaler(with_mean=False),
    ZScoreScaler(),
    ZScoreScaler(with_mean=False),
    RobustClipScaler(),
    MLPClassifier(),
    MLPRegressor(),
    HiddenLayerTransformer(MLPClassifier((5,), max_iter=20, random_state=0)),
    HiddenLayerTransformer(
        MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0)
    ),
]
TABLES = [
    # Small tables have few mini-batches.
    estimator(hidden_layer_sizes=(32,), n_members=2, max_iter=40, batch_size=16)
    for estimator in (TabularMLPClassifier, TabularMLPRegressor)
]

# Rates that a solver learns with. The checks' regression targets are in the hundreds, and
# not scaled.
RATES = {
    MLPClassifier: {"minibatch": 0.1, "momentum": 0.01, "adagrad": 0.01},
    MLPRegressor: {"minibatch": 0.003},
}
# Not 'invscaling': it is scikit-learn's, which counts rows, so that a row of weight 2
# cannot be the same as two rows. The checks ask for that. Not 'step', since fits of few
# updates warn that they have not reached the second step.
MLPS = [
    estimator(
        solver=solver,
        learning_rate_init=RATES[estimator].get(solver, 0.001),
        batch_normalization=batch_normalization,
        learning_rate=learning_rate,
        # As for 'step'.
        staircase=False,
    )
    for estimator, solver, batch_normalization, learning_rate in [
        *rows_with_all_pairs(
            list(RATES),
            ["minibatch", "momentum", "rmsprop", "adam"],
            [False, True],
            ["constant", "inverse_time"],
        ),
        (MLPClassifier, "momentum", False, "adaptive"),
        (MLPRegressor, "momentum", True, "adaptive"),
        (MLPClassifier, "momentum", False, "exponential"),
        (MLPClassifier, "nadam", False, "constant"),
        (MLPClassifier, "adagrad", True, "constant"),
        (MLPRegressor, "lion", False, "constant"),
    ]
]
# Few iterations: later the probabilities of one check come to 1, as scikit-learn's do.
MLPS += [estimator(solver="lbfgs", max_iter=20) for estimator in RATES]
# The first four have each of the values above.
SLOW = MLPS[4:-2]

# An MLP has no decision_function.
SKIPPED = {"check_classifiers_multilabel_output_format_decision_function"}

# As of scikit-learn's own estimators that draw for each row.
FAILING = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A row of weight 2 is in one fold and has one dropout mask, two rows have two."
    )
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:lbfgs failed to converge"),
]


def name_of(check):
    return getattr(check, "func", check).__name__


def run(check, *args):
    """Run a check. It fails if it is skipped but should not be, or the other way round."""
    expected = name_of(check) in SKIPPED
    if name_of(check) in FAILING and isinstance(args[-1], tuple(map(type, TABLES))):
        with pytest.raises(AssertionError):
            check(*args)
        pytest.xfail(FAILING[name_of(check)])
    try:
        check(*args)
    except (SkipTest, pytest.skip.Exception) as skipped:
        if not expected:
            pytest.fail(f"{name_of(check)} was skipped: {skipped}")
        pytest.skip(str(skipped))
    assert not expected, f"{name_of(check)} ran: it is no longer to be skipped"


def test_the_configurations():
    """What is added to a registry is to be checked too."""
    assert {mlp.solver for mlp in MLPS} == {*SOLVERS, "lbfgs"} - {"sgd"}
    # Those over the whole training raise in partial_fit, which the checks call.
    others = {"invscaling", "step", *(n for n in SCHEDULES if SCHEDULES[n].needs_n_updates)}
    assert {mlp.learning_rate for mlp in MLPS} == set(SCHEDULES) - others


# Not by parametrize_with_checks: before scikit-learn 1.8 it hands over a generator, which
# pytest warns of.
CHECKS = [
    pytest.param(
        *pair,
        id=" ".join(f"{pair[0]}-{name_of(pair[1])}".split()),
        marks=[pytest.mark.slow] if estimator in SLOW else [],
    )
    for estimator in [*DEFAULTS, *TABLES, *MLPS]
    for pair in estimator_checks_generator(estimator)
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_check_estimator(estimator, check):
    run(check, estimator)


# ------------------------------------- what scikit-learn defines, but runs nowhere itself

NOT_APPLICABLE = {
    "check_estimator": "runs the checks",
    "check_array_api_input_and_values": "for estimators that support the array API",
    "check_class_weight_balanced_classifiers": "for classifiers with class_weight",
}
TRANSFORMERS = {
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
}


@cache
def unused():
    """Find the checks that no function of scikit-learn's module names."""
    tree = ast.parse(inspect.getsource(estimator_checks))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    used = {
        node.id
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id != function.name
    }
    names = [function.name for function in functions]
    return sorted(n for n in names if n.startswith("check_") and n not in used)


def applies(name, estimator):
    if name in NOT_APPLICABLE:
        return False
    return name not in TRANSFORMERS or hasattr(estimator, "transform")


def test_checks_that_do_not_apply_are_listed():
    """A name that scikit-learn has dropped, or runs itself, is to be dropped here."""
    known = {name for name in unused() if not applies(name, MLPClassifier())}
    assert known == {*NOT_APPLICABLE, *TRANSFORMERS}


# Some fit to arrays what they give data frames to, and the other way round.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        pytest.param(estimator, name, id=f"{type(estimator).__name__}-{name}")
        for estimator in [*DEFAULTS, *TABLES]
        for name in unused()
        if applies(name, estimator)
    ],
)
def test_other_checks(estimator, name):
    check = getattr(estimator_checks, name)
    run(check, type(estimator).__name__, clone(estimator))


def test_the_skips():
    """What is skipped is still there to be skipped: ``run`` holds the rest."""
    assert {name_of(check.values[1]) for check in CHECKS} >= SKIPPED
