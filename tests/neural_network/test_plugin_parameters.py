"""Plug-ins as names, objects and functions: their meaning, and their errors."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone

from skgd import MLPClassifier, MLPRegressor
from skgd.activations import ACTIVATIONS, Activation, Identity, ReLU, Tanh
from skgd.engine.contracts import factors
from skgd.engine.plugins import Progress
from skgd.losses import Huber, MultinomialLogLoss, Poisson, SquaredError, Tweedie
from skgd.neural_network._constraints import CONSTRAINTS, FLAT
from skgd.neural_network._plugins import (
    activations_of,
    loss_of,
    schedule_of,
    solver_of,
)
from skgd.schedules import (
    SCHEDULES,
    Constant,
    FunctionSchedule,
    InverseTime,
    Schedule,
)
from skgd.solvers import SOLVERS, Adam, Momentum, RMSProp, Solver
from tests.engine.helpers import PURE_PYTHON

X, Y = np.float32([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1.0, 1.0, 0.0])

each_network = pytest.mark.parametrize("network", [MLPClassifier, MLPRegressor])


class Leaky(Activation):
    """One of a user, with parameters."""

    slope_of = "input"

    def __init__(self, leak=0.1, width=2.0):
        self.leak = leak
        self.width = width

    @staticmethod
    def value(z, leak, width):
        return width * (z if z > 0.0 else leak * z)

    @staticmethod
    def slope(z, leak, width):
        return width * (1.0 if z > 0.0 else leak)


class Total(Schedule):
    """A schedule that needs to know how many updates there will be."""

    needs_n_updates = True

    def __init__(self, total=None):
        self.total = total

    def __call__(self, progress):
        return 1 - progress.update / (self.total or progress.n_updates)


def progress(n=5, n_updates=100):
    update = np.arange(n)
    return Progress(update, n_updates, update // 3, 30 * (update // 3))


# Names and flat parameters


SETTINGS = {
    "momentum": 0.3,
    "nesterovs_momentum": False,
    "beta_1": 0.4,
    "beta_2": 0.5,
    "epsilon": 0.6,
    "rho": 0.7,
    "power_t": 0.8,
    "decay_rate": 0.25,
    "decay_steps": 7,
    "staircase": False,
}


def test_the_flat_parameters():
    assert {*FLAT["solver"], *FLAT["learning_rate"]} == set(SETTINGS)
    for network in (MLPClassifier, MLPRegressor):
        assert set(SETTINGS) <= set(network().get_params())
        assert network._parameter_constraints.keys() == network().get_params().keys()


@pytest.mark.parametrize(
    ("parameter", "registry"), [("solver", SOLVERS), ("learning_rate", SCHEDULES)]
)
def test_a_hyperparameter_is_declared_once(parameter, registry):
    """A name stands for the object with its defaults."""
    defaults = {
        name: p.default for name, p in inspect.signature(MLPRegressor).parameters.items()
    }
    used = set()
    for plugin in registry.values():
        for name, argument in inspect.signature(plugin).parameters.items():
            if name in FLAT[parameter] and name not in plugin.own_arguments:
                used.add(name)
                assert argument.default == defaults[name]
                assert CONSTRAINTS[name] is plugin._parameter_constraints[name] or (
                    list(map(str, CONSTRAINTS[name]))
                    == list(map(str, plugin._parameter_constraints[name]))
                )
    assert used == set(FLAT[parameter])


@each_network
@pytest.mark.parametrize("name", SOLVERS)
def test_a_name_is_an_object_of_the_flat_parameters(network, name):
    solver = solver_of(network(solver=name, **SETTINGS))
    assert type(solver) is SOLVERS[name]
    expected = SOLVERS[name]().get_params()
    flat = set(FLAT["solver"]) - set(solver.own_arguments)
    expected |= {key: SETTINGS[key] for key in expected if key in flat}
    assert solver.get_params() == expected
    assert solver_of(network(solver=name)).get_params() == SOLVERS[name]().get_params()


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_name_of_a_schedule(name):
    schedule = schedule_of(MLPClassifier(learning_rate=name, **SETTINGS))
    assert type(schedule) is SCHEDULES[name]
    expected = SCHEDULES[name]().get_params()
    expected |= {key: SETTINGS[key] for key in expected if key in FLAT["learning_rate"]}
    assert schedule.get_params() == expected


@pytest.mark.parametrize(
    ("given", "n_hidden", "expected"),
    [
        ("relu", 2, [ReLU, ReLU]),
        (Tanh(), 2, [Tanh, Tanh]),
        (["relu", Tanh()], 2, [ReLU, Tanh]),
        (("relu",), 1, [ReLU]),
        ("relu", 0, []),
        ([], 0, []),
    ],
)
def test_activations(given, n_hidden, expected):
    model = MLPClassifier((3,) * n_hidden, activation=given)
    assert list(map(type, activations_of(model, n_hidden))) == expected


def test_losses():
    assert type(loss_of(MLPRegressor("poisson"))) is Poisson
    loss = SquaredError()
    assert loss_of(MLPRegressor(loss)) is loss


def test_objects_pass_as_they_are():
    solver, schedule, leaky = Adam(beta_1=0.5), InverseTime(decay_steps=3), Leaky(0.3)
    model = MLPRegressor(solver=solver, learning_rate=schedule, activation=leaky)
    assert solver_of(model) is solver
    assert schedule_of(model) is schedule
    assert activations_of(model, 1) == [leaky]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"solver": Adam(beta_2=0.9), "beta_1": 0.8},
            "beta_1=0.8 has no effect with solver=Adam(beta_2=0.9). Leave beta_1 at its "
            "default, 0.9, and write solver=Adam(beta_1=0.8, beta_2=0.9).",
        ),
        (
            {"solver": Adam(), "rho": 0.8},
            "rho=0.8 has no effect with solver=Adam(). Leave rho at its default, 0.9.",
        ),
        (
            {"learning_rate": InverseTime(), "staircase": False},
            "staircase=False has no effect with learning_rate=InverseTime(). Leave "
            "staircase at its default, True, and write "
            "learning_rate=InverseTime(staircase=False).",
        ),
        (
            {"learning_rate": np.add, "power_t": 1.0},
            "power_t=1.0 has no effect with learning_rate=FunctionSchedule(",
        ),
    ],
)
@each_network
def test_flat_parameters_beside_an_object(network, parameters, message):
    model = network(**parameters)
    for method in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="has no effect") as error:
            if method == model.partial_fit and network is MLPClassifier:
                method(X, Y, classes=[0, 1])
            else:
                method(X, Y)
        assert str(error.value).startswith(message)


def test_the_defaults_are_those_of_the_class():
    class Mine(MLPRegressor):
        def __init__(self, solver="adam", beta_1=0.5):
            super().__init__(solver=solver, beta_1=beta_1)

    assert type(solver_of(Mine(solver=Adam()))) is Adam
    with pytest.raises(ValueError, match=r"beta_1=0\.9 has no effect .* default, 0\.5"):
        solver_of(Mine(solver=Adam(), beta_1=0.9))


# What is no plug-in


class WithoutUpdate(Solver):
    pass


class WithoutSlope(Activation):
    @staticmethod
    def value(z):
        return z


class WithoutCall(Schedule):
    pass


class NotStatic(Solver):
    def update(self, g, state, coefficients):
        return self, state


class NegativeSlots(Momentum):
    n_slots = -1


class OfLayers(Momentum):
    kinds = ("weights", "layers")


class OfOneKind(Momentum):
    kinds = "weights"


class OnTheGradient(Momentum):
    acts_on = "gradient"


class SlopeOfNothing(Tanh):
    slope_of = "nothing"


class SlopeOfOne(Tanh):
    slope_of = "both"


class OtherOrder(Leaky):
    @staticmethod
    def slope(z, width, leak):
        return width


class TooFew(Leaky):
    @staticmethod
    def slope(z, leak):
        return leak


class Forgetful(Leaky):
    def __init__(self, leak=0.1, width=2.0):
        self.leak = leak


class Many(Solver):
    def __init__(self, *rates):
        self.rates = rates


class RowsOnly(Poisson):
    @staticmethod
    def evaluate(z, y, weight, scale, delta):
        return 0.0


class LikeASolver:
    def update(self, theta, g, state, coefficients):
        return theta, state


NAMES = f"a str among {{{str(sorted(ACTIVATIONS))[1:-1]}}}"


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("solver", Adam, "skgd.solvers.Solver object. Got <class 'skgd.solvers.adam.Adam"),
        ("solver", Adam, "Did you mean solver=Adam()?"),
        ("solver", "AdamW", "Did you mean solver='adam' with weight_decay=0.01?"),
        ("solver", "AMSGrad", "Did you mean solver=Adam(amsgrad=True)?"),
        ("solver", ReLU(), "Did you mean activation=ReLU()?"),
        ("solver", InverseTime(decay_steps=3), "mean learning_rate=InverseTime(decay_ste"),
        ("solver", LikeASolver(), "or a skgd.solvers.Solver object."),
        ("solver", WithoutUpdate(), "WithoutUpdate must define update(theta, g, state,"),
        ("solver", NotStatic(), "NotStatic.update must be a plain function under @static"),
        ("solver", NegativeSlots(), "NegativeSlots.n_slots must be an int >= 0, got -1."),
        ("solver", OfLayers(), "OfLayers.kinds must be a tuple of some of 'weights', 'bi"),
        ("solver", OfOneKind(), "'activation', 'periodic', got 'weights'."),
        ("solver", OnTheGradient(), "acts_on must be 'parameter', as of every Solver, go"),
        ("solver", Many(), "Many.__init__ must name all of its arguments, got *rates."),
        ("solver", Adam(beta_1=2), "solver=Adam(beta_1=2): The 'beta_1' parameter of Ad"),
        ("solver", Adam(beta_1="a"), "must be a float in the range [0.0, 1.0). Got 'a' i"),
        ("activation", Tanh, "Did you mean activation=Tanh()?"),
        ("activation", [Tanh], "Did you mean activation=Tanh()?"),
        ("activation", [Adam()], "Did you mean solver=Adam()?"),
        ("activation", ["sigmoid"], "Did you mean activation='logistic'?"),
        (
            "activation",
            3,
            f"{NAMES}, a skgd.activations.Activation object, a skgd.activations.Parametric "
            "object or a list of these, one for each hidden layer. Got 3 instead.",
        ),
        ("activation", ["relu", "tanh"], "is a list of 2, but hidden_layer_sizes=(100,)"),
        ("activation", [], "is a list of 0, but hidden_layer_sizes=(100,) asks for 1:"),
        ("activation", WithoutSlope(), "WithoutSlope must define slope(a), as every Act"),
        ("activation", SlopeOfOne(), "SlopeOfOne.slope must take (z, a), but takes (a): "),
        ("activation", SlopeOfNothing(), "SlopeOfNothing.slope_of must be 'value', 'in"),
        ("activation", OtherOrder(), "arguments of the constructor in its order, (a, le"),
        ("activation", TooFew(), "TooFew.slope must take (a, leak, width), but takes (z"),
        ("activation", Forgetful(), "must store its argument width as self.width."),
        ("activation", Leaky("a"), "activation=Leaky(leak='a'): The 'leak' parameter of L"),
        ("activation", Leaky([1.0]), "must be a number, since compiled functions take i"),
        ("activation", Leaky(leak=1e39), "activation__leak=1e+39 is too large for float32"),
        ("solver", Adam(epsilon=1e-50), "solver__epsilon=1e-50 is too small for float32"),
        ("learning_rate", Constant, "Did you mean learning_rate=Constant()?"),
        ("learning_rate", Leaky(), "Did you mean activation=Leaky()?"),
        ("learning_rate", WithoutCall(), "WithoutCall must define __call__(self, progress"),
        ("learning_rate", lambda update: 1.0, "must take (update, n_updates), but takes"),
        ("learning_rate", 0.1, "Did you mean learning_rate_init=0.1?"),
        ("learning_rate", InverseTime(decay_steps=0.5), "The 'decay_steps' parameter of I"),
    ],
)
@each_network
def test_invalid_plugins(network, parameter, value, message):
    model = network(**{parameter: value})
    with pytest.raises((TypeError, ValueError)) as error:
        model.fit(X, Y)
    assert message in str(error.value)
    assert parameter in str(error.value)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Poisson, "Did you mean loss=Poisson()?"),
        (Adam(), "Did you mean solver=Adam()?"),
        (MultinomialLogLoss(), "loss=MultinomialLogLoss() is a loss of classes. Use MLPCl"),
        (RowsOnly(), "RowsOnly must define apply_link(z), as every Loss does."),
        (
            3,
            "'quantile', 'squared_error', 'tweedie'} or a skgd.losses.Loss object.",
        ),
        (Tweedie(0.5), "The 'power' parameter of Tweedie must be a float in the range"),
        (Huber(0), "The 'delta' parameter of Huber must be a float in the range (0.0, in"),
        ("gamma", "loss='gamma' needs y > 0, got 0.0."),
    ],
)
def test_losses_that_are_refused(loss, message):
    with pytest.raises((TypeError, ValueError)) as error:
        MLPRegressor(loss).fit(X, Y)
    assert message in str(error.value)


def test_targets_outside_of_the_domain():
    for loss in ("poisson", Poisson()):
        with pytest.raises(ValueError, match=r"loss='poisson' needs y >= 0, got -1\.5"):
            MLPRegressor(loss).fit(X, [1.0, 0.0, -1.5, 2.0])


# Nested parameters


@each_network
def test_nested_parameters(network):
    model = network(solver=Adam(), learning_rate=InverseTime(), activation=Leaky())
    assert model.get_params()["solver__beta_1"] == 0.9
    model.set_params(solver__beta_1=0.5, learning_rate__decay_steps=3, activation__leak=1)
    assert (model.solver.beta_1, model.activation.leak) == (0.5, 1)
    copy = clone(model)
    assert copy.solver is not model.solver
    assert repr(copy) == repr(model)
    copy.set_params(solver=RMSProp(), solver__rho=0.3)
    assert copy.solver.rho == 0.3
    assert "solver__beta_1" not in network().get_params()


@each_network
def test_a_name_has_no_parameters(network):
    model = network(solver="adam")
    name = network.__name__
    with pytest.raises(ValueError, match="solver__beta_1 cannot be set") as error:
        model.set_params(solver__beta_1=0.5, max_iter=3)
    assert str(error.value) == (
        f"solver__beta_1 cannot be set: solver='adam' of {name} has no parameters of its "
        "own. Write solver=Adam(beta_1=0.5)."
    )
    assert model.max_iter == 200
    for parameters, end in [
        ({"solver__rho": 0.5}, "solver=Adam() takes beta_1, beta_2, epsilon, amsgrad."),
        ({"solver": "sgd", "solver__momentum": 0.5}, "solver=Momentum(momentum=0.5)."),
        ({"solver": "lbfgs", "solver__tol": 0.5}, "has no parameters of its own."),
        ({"solver": Adam, "solver__beta_1": 0.5}, "has no parameters of its own."),
        ({"learning_rate": "invscaling", "learning_rate__power_t": 1}, "(power_t=1)."),
        ({"activation__leak": 1}, "activation=ReLU() takes no parameters."),
        ({"batch_size__n": 1}, "has no parameters of its own."),
    ]:
        with pytest.raises(ValueError, match="cannot be set") as error:
            model.set_params(**parameters)
        assert str(error.value).endswith(end)
        assert repr(model) == f"{name}()"


@each_network
def test_nested_parameters_are_set_together_or_not(network):
    model = network(solver=Adam(), learning_rate=InverseTime())
    with pytest.raises(ValueError, match="Invalid parameter 'nothing' for estimator Adam"):
        model.set_params(alpha=3, solver__beta_1=0.5, solver__nothing=1)
    with pytest.raises(ValueError, match="Invalid parameter 'nothing' for estimator Inv"):
        model.set_params(solver__beta_1=0.5, learning_rate__nothing=1)
    assert (model.alpha, model.solver.beta_1) == (0.0001, 0.9)


# Schedules of users


def test_a_function_is_a_schedule():
    def rate(update, n_updates):
        return 1 - update / n_updates

    schedule = schedule_of(MLPRegressor(learning_rate=rate))
    assert isinstance(schedule, FunctionSchedule)
    np.testing.assert_array_equal(factors(schedule, progress(3, 4)), [1, 0.75, 0.5])
    copy = clone(MLPRegressor(learning_rate=rate))
    assert copy.learning_rate is rate


@pytest.mark.parametrize(
    "value", [0.5, 1, np.float32(0.5), [0.5] * 5, np.ones(5, int), True]
)
def test_factors_that_are_numbers(value):
    found = factors(FunctionSchedule(lambda update, n_updates: value), progress())
    assert found.dtype == np.float64
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, np.broadcast_to(value, 5))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda u, n: -1.0 * u, "must return finite numbers >= 0, got -1.0 at update 1."),
        (lambda u, n: np.where(u < 3, 1.0, np.nan), "numbers >= 0, got nan at update 3."),
        (lambda u, n: np.inf, "finite numbers >= 0, got inf at update 0."),
        (lambda u, n: u[:2], "a number or an array of shape (5,), got shape (2,)."),
        (lambda u, n: u[:, None] * u, "an array of shape (5,), got shape (5, 5)."),
        (lambda u, n: None, "a number or an array of shape (5,), got None."),
        (lambda u, n: "0.5", "a number or an array of shape (5,), got '0.5'."),
        (lambda u, n: u * 1j, "a number or an array of shape (5,), got shape (5,)."),
        (
            lambda u, n: 1.0 if u < 3 else 0.5,
            "raised ValueError: The truth value of an arr",
        ),
        (
            lambda u, n: 1 / 0,
            "raised ZeroDivisionError: division by zero. The updates that",
        ),
    ],
)
def test_invalid_results_of_a_schedule(function, message):
    with pytest.raises(ValueError) as error:
        factors(FunctionSchedule(function), progress())
    assert str(error.value).startswith(f"learning_rate={function!r} ")
    assert message in str(error.value)


def test_a_function_that_needs_what_partial_fit_does_not_know():
    schedule = FunctionSchedule(lambda update, n_updates: 1 - update / n_updates)
    with pytest.raises(ValueError, match=r"raised TypeError: .* n_updates=None\."):
        factors(schedule, progress(n_updates=None))


@pytest.mark.parametrize("network", [MLPClassifier, MLPRegressor])
def test_a_schedule_that_needs_the_number_of_updates(network):
    assert type(schedule_of(network(learning_rate=Total()))) is Total
    model = network(learning_rate=Total())
    with pytest.raises(ValueError, match=r"learning_rate=Total\(\) needs .* Set its total"):
        model.partial_fit(X, Y, **({"classes": [0, 1]} if network is MLPClassifier else {}))
    model.set_params(learning_rate__total=10)
    assert schedule_of(model, incremental=True).total == 10


def test_the_registries_hold_classes_of_their_names():
    for registry, base in [(SOLVERS, Solver), (ACTIVATIONS, Activation)]:
        for name, plugin in registry.items():
            assert issubclass(plugin, base)
            assert name in (plugin.name, "sgd")
    assert ACTIVATIONS["identity"] is Identity


class NoSlope(Activation):
    @staticmethod
    def value(z):
        return z

    @staticmethod
    def slope(a):
        return a.no_such_attribute


class NoNumber(Huber):
    @staticmethod
    def value(z, y, delta):
        return {"loss": z - y}


class NoName(Solver):
    @staticmethod
    def update(theta, g, state, coefficients):
        return theta - no_such_name * g, state  # noqa: F821


@pytest.mark.skipif(bool(PURE_PYTHON), reason="Nothing is compiled.")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"activation": NoSlope()},
            "activation: NoSlope.slope cannot be compiled .* 'no_such_attribute'",
        ),
        (
            {"activation": [NoSlope()], "solver": "lbfgs"},
            "activation: NoSlope.slope cannot be compiled .* 'no_such_attribute'",
        ),
        ({"loss": NoNumber()}, "loss: NoNumber.value cannot be compiled for"),
        (
            {"solver": NoName(), "weight_decay": 0.1},
            "solver: NoName.update cannot be compiled .* 'no_such_name'",
        ),
    ],
)
def test_functions_that_numba_cannot_compile(parameters, message, dtype):
    """One sentence names the parameter and the method; Numba's message is its cause."""
    model = MLPRegressor(hidden_layer_sizes=(2,), **parameters)
    with pytest.raises(ValueError, match=message) as raised:
        model.fit(X.astype(dtype), Y)
    assert "\n" not in str(raised.value)
    assert dtype in str(raised.value) or "lbfgs" in parameters.values()
    assert len(str(raised.value.__cause__)) > len(str(raised.value))
    assert not hasattr(model, "coefs_")
