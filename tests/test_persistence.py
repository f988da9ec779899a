"""Models are saved and loaded, also those of earlier versions."""

import io
import pickle
import subprocess
import sys
import warnings
from copy import copy as shallow
from copy import deepcopy

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline

import skgd
from skgd import MLPClassifier, MLPRegressor, _state
from skgd.activations import Tanh
from skgd.schedules import SCHEDULES, FunctionSchedule, InverseTime
from skgd.solvers import SOLVERS, Adam
from tests.fixtures.write import FOLDER, MODELS, X, fitted, outputs, trained_on
from tests.pairs import all_pairs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def through_joblib(model, **kwargs):
    file = io.BytesIO()
    joblib.dump(model, file, **kwargs)
    file.seek(0)
    return joblib.load(file)


def through_skops(model):
    skops = pytest.importorskip("skops.io")
    dumped = skops.dumps(model)
    cls = type(model)
    return skops.loads(dumped, trusted=[f"{cls.__module__}.{cls.__qualname__}"])


WAYS = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "joblib": through_joblib,
    "joblib, compressed": lambda model: through_joblib(model, compress=3),
    "skops": through_skops,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_the_same(name, way):
    model, y = fitted(name), MODELS[name][1]
    before, attributes = outputs(model, X), joblib.hash(vars(model))
    copy = WAYS[way](model)
    assert joblib.hash(vars(model)) == attributes
    assert set(vars(copy)) == set(vars(model))
    assert_equal(outputs(copy, X), before)
    # and so is what becomes of it,
    assert_equal(trained_on(copy, X, y), trained_on(model, X, y))
    # or of one with its parameters.
    for again in (clone(copy), type(copy)(**copy.get_params())):
        assert_equal(outputs(again.fit(X, y), X), outputs(fitted(name), X))


def untrusted(model):
    """Return the types that skops has to be told to trust."""
    skops = pytest.importorskip("skops.io")
    return skops.get_untrusted_types(data=skops.dumps(model))


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", [*SOLVERS, "sgd", "lbfgs"])
def test_skops_has_to_trust_nothing_but_the_network(
    solver, early_stopping, batch_normalization
):
    if solver == "lbfgs" and (early_stopping or batch_normalization):
        pytest.skip("They do not go together.")
    for cls, module, y in (
        (MLPClassifier, "classifier", X[:, 0] > 0),
        (MLPRegressor, "regressor", X[:, 0]),
    ):
        model = cls(
            hidden_layer_sizes=(3,),
            solver=solver,
            early_stopping=early_stopping,
            batch_normalization=batch_normalization,
            max_iter=2,
            random_state=0,
        )
        expected = [f"skgd.neural_network._{module}.{cls.__name__}"]
        assert untrusted(model.fit(X, y)) == expected
        model.set_params(early_stopping=False)
        if solver != "lbfgs":
            assert untrusted(model.partial_fit(X, y)) == expected
        assert untrusted(model.set_params(warm_start=True).fit(X, y)) == expected


def test_skops_has_to_trust_nothing_but_the_scaler_and_plugins():
    weight = np.arange(24.0)
    for scaler, module in (
        (skgd.MinMaxScaler(), "min_max"),
        (skgd.MeanScaler(), "mean"),
        (skgd.StandardScaler(), "standard"),
        (skgd.ZScoreScaler(), "z_score"),
    ):
        expected = [f"skgd.preprocessing._{module}.{type(scaler).__name__}"]
        weights = {} if module == "min_max" else {"sample_weight": weight}
        assert untrusted(scaler.fit(X)) == expected
        assert untrusted(scaler.partial_fit(X, **weights)) == expected
        assert untrusted(scaler.merge(deepcopy(scaler))) == expected
    expected = ["skgd.preprocessing._robust_clip.RobustClipScaler"]
    assert untrusted(skgd.RobustClipScaler().fit(X)) == expected
    model = with_objects(learning_rate=InverseTime(decay_steps=1)).fit(X, X[:, 0])
    assert untrusted(model) == [
        "skgd.activations.tanh.Tanh",
        "skgd.neural_network._regressor.MLPRegressor",
        "skgd.schedules.inverse_time.InverseTime",
        "tests.test_persistence.Mine",
    ]


@pytest.mark.slow
def test_another_process_needs_nothing_but_the_pickle(tmp_path):
    for name in MODELS:
        model = fitted(name)
        (tmp_path / name).write_bytes(pickle.dumps((model, X, outputs(model, X))))
    script = (
        "import pickle, sys, pathlib\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    model, X, expected = pickle.loads(path.read_bytes())\n"
        "    method = 'transform' if hasattr(model, 'transform') else 'predict_proba'\n"
        "    method = method if hasattr(model, method) else 'predict'\n"
        "    assert (getattr(model, method)(X) == expected[0]).all(), path\n"
        "    print(path.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], check=True, capture_output=True, text=True
    )
    assert sorted(done.stdout.split()) == sorted(MODELS)


# ------------------------------------------------------------------------------- versions


@pytest.mark.parametrize("name", ["adam", "z_score"])
def test_another_version_warns(monkeypatch, name):
    model = fitted(name)
    pickled = pickle.dumps(model)
    expected = outputs(model, X)
    monkeypatch.setattr(_state, "__version__", "999.0")
    message = (
        f"{type(model).__name__} of skgd from version {skgd.__version__} when using "
        "version 999.0"
    )
    with pytest.warns(InconsistentVersionWarning, match=message) as seen:
        copy = pickle.loads(pickled)
    assert len(seen) == 1
    assert_equal(outputs(copy, X), expected)
    # Python's own unpickler, and joblib's, too.
    found = list(seen)
    for load in (pickle._loads, lambda content: joblib.load(io.BytesIO(content))):
        with pytest.warns(InconsistentVersionWarning, match=message) as others:
            load(pickled)
        found += others
    assert {warning.filename for warning in found} == {__file__}
    # What it is written by counts, not what it was first written by.
    pickle.loads(pickle.dumps(copy))


def test_a_state_without_a_version_warns():
    with pytest.warns(InconsistentVersionWarning, match="from version unknown when"):
        skgd.MeanScaler().__setstate__({"copy": True})


def test_the_version_is_no_attribute():
    copy = pickle.loads(pickle.dumps(fitted("adam")))
    assert not any("version" in name for name in vars(copy))
    state = copy.__getstate__()
    assert state["_skgd_version"] == skgd.__version__
    assert state is not vars(copy)


RELEASED = sorted(FOLDER.glob("*/*.pkl"))


@pytest.mark.parametrize(
    "path", RELEASED, ids=lambda path: f"{path.parent.name} {path.stem}"
)
def test_models_of_earlier_releases(path):
    """Up to rounding, which depends on the processor."""
    content = pickle.loads(path.read_bytes())
    with warnings.catch_warnings():
        # Also scikit-learn's, of the encoder of the classes.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = pickle.loads(content["model"])
    X, y = content["X"], content["y"]
    for found, expected in [
        (outputs(model, X), content["outputs"]),
        (trained_on(model, X, y), content["trained_on"]),
    ]:
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == b.dtype
            if a.dtype.kind == "f":
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
            else:
                np.testing.assert_array_equal(a, b)


def test_this_version_has_written_all_models():
    """Before a release: ``python -m tests.fixtures.write``."""
    written = {path.stem for path in RELEASED if path.parent.name == skgd.__version__}
    assert written == set(MODELS)


# -------------------------------------------------------------------------------- resuming


@all_pairs(solver=SOLVERS, schedule=SCHEDULES, seed=["integer", "generator"])
def test_partial_fit_goes_on_from_a_pickle(solver, schedule, seed):
    """Bit for bit, as without one."""
    rate = {"learning_rate": schedule}
    if SCHEDULES[schedule].needs_n_updates:
        rate = {"learning_rate": SCHEDULES[schedule](total=100)}
    elif schedule == "inverse_time":
        rate["decay_steps"] = 3

    def make():
        return MLPClassifier(
            (4,),
            solver=solver,
            **rate,
            batch_size=8,
            batch_normalization=schedule == "constant",
            n_iter_no_change=1,
            tol=1e3,
            random_state=0 if seed == "integer" else np.random.RandomState(0),
        )

    _, y = MODELS["adam"]
    whole, resumed = make(), make()
    for epoch in range(6):
        whole.partial_fit(X, y, classes=np.unique(y))
        if epoch == 3:
            resumed = pickle.loads(pickle.dumps(resumed))
        resumed.partial_fit(X, y, classes=np.unique(y))
    assert resumed.loss_curve_ == whole.loss_curve_
    assert_equal(resumed.coefs_ + resumed.intercepts_, whole.coefs_ + whole.intercepts_)
    assert joblib.hash(vars(resumed)) == joblib.hash(vars(whole))


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_a_warm_start_goes_on_from_a_pickle(solver):
    """Bit for bit as a warm start does; without a state that is one longer fit."""

    def make(**kwargs):
        return MLPRegressor(
            hidden_layer_sizes=(4,),
            solver=solver,
            # So large that the signs of Lion's averages change.
            learning_rate_init=0.1,
            random_state=np.random.RandomState(0),
            shuffle=False,
            **kwargs,
        )

    y = X[:, 0]
    whole = make(warm_start=True, max_iter=2).fit(X, y).fit(X, y)
    resumed = make(warm_start=True, max_iter=2).fit(X, y)
    resumed = pickle.loads(pickle.dumps(resumed)).fit(X, y)
    assert_equal(resumed.coefs_ + resumed.intercepts_, whole.coefs_ + whole.intercepts_)
    longer = make(max_iter=4).fit(X, y)
    same = all(map(np.array_equal, longer.coefs_, resumed.coefs_))
    assert same == (solver == "minibatch")


# ------------------------------------------------------------------------------------ size


def n_bytes(model):
    return sum(array.nbytes for array in model.coefs_ + model.intercepts_)


@pytest.mark.parametrize("batch_normalization", [False, True])
@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_a_pickle_holds_what_it_takes_to_go_on_and_no_more(solver, batch_normalization):
    if solver == "lbfgs" and batch_normalization:
        pytest.skip("They do not go together.")
    rows = np.tile(X, (1, 20))
    model = MLPRegressor(
        hidden_layer_sizes=(300,),
        solver=solver,
        max_iter=2,
        batch_normalization=batch_normalization,
    ).fit(rows, X[:, 0])
    n_slots = SOLVERS[solver].n_slots if solver in SOLVERS else 0
    # The weights; those that are not folded; what the solver keeps of each.
    copies = 1 + batch_normalization + n_slots
    size = len(pickle.dumps(model))
    assert copies * n_bytes(model) < size < (copies + 0.1) * n_bytes(model)


def test_a_pickle_has_no_state_of_other_weights():
    model = MLPRegressor(hidden_layer_sizes=(300,), max_iter=2).fit(X, X[:, 0])
    with_state = len(pickle.dumps(model))
    model.set_params(solver="lbfgs").fit(X, X[:, 0])
    assert with_state - len(pickle.dumps(model)) > 2 * n_bytes(model)
    assert not hasattr(model, "_progress")


# --------------------------------------------------------------------------------- plug-ins


class Mine(Adam):
    """A solver that can be imported."""


def mine(update, n_updates):
    return 1 / (1 + update)


def with_objects(**parameters):
    return MLPRegressor(
        **{
            "hidden_layer_sizes": (3,),
            "solver": Mine(beta_1=0.5),
            "activation": [Tanh()],
            "learning_rate": mine,
            "max_iter": 2,
            "random_state": 0,
            **parameters,
        }
    )


@pytest.mark.parametrize("way", ["pickle", "joblib", "skops"])
def test_plugins_that_can_be_imported(way):
    # skops has no functions of other packages than SciPy and NumPy.
    rate = InverseTime(decay_steps=1) if way == "skops" else mine
    model = with_objects(learning_rate=rate).fit(X, X[:, 0])
    if way == "skops":
        skops = pytest.importorskip("skops.io")
        dumped = skops.dumps(model)
        copy = skops.loads(dumped, trusted=skops.get_untrusted_types(data=dumped))
    else:
        copy = WAYS[way](model)
    assert repr(copy) == repr(model)
    assert_equal(outputs(copy, X), outputs(model, X))
    for _ in range(2):
        for one in (copy, model):
            one.partial_fit(X, X[:, 0])
    assert copy.loss_curve_ == model.loss_curve_
    assert_equal(outputs(copy, X), outputs(model, X))


def local_solver():
    class Local(Adam):
        pass

    return Local()


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"learning_rate": lambda update, n_updates: 1.0}, "learning_rate=<function <lam"),
        ({"learning_rate": FunctionSchedule(lambda u, n: 1.0)}, "learning_rate=FunctionS"),
        ({"solver": local_solver()}, "solver=Local() of MLPRegressor"),
        ({"activation": [local_solver()]}, "activation=[Local()] of MLPRegressor"),
    ],
)
def test_plugins_that_cannot_be_imported(parameters, name):
    model = with_objects(**parameters)
    for dump in (
        pickle.dumps,
        lambda model: pickle.dumps(make_pipeline(model)),
        lambda model: joblib.dump(model, io.BytesIO()),
    ):
        with pytest.raises(pickle.PicklingError) as error:
            dump(model)
        assert str(error.value).startswith(name)
        assert "Move its function or class to the top level of a module" in str(error.value)
    # What copies code has no need to import it.
    for copied in (deepcopy(model), shallow(model), clone(model)):
        assert repr(copied) == repr(model)
    cloudpickle = pytest.importorskip("cloudpickle")
    again = pickle.loads(cloudpickle.dumps(make_pipeline(model)))
    assert again[0].get_params().keys() == model.get_params().keys()
