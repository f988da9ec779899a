"""The contracts of plug-ins: all in the registries fulfill them, and others fail."""

import copy
import functools
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

import skgd
from skgd.activations import ACTIVATIONS, Activation
from skgd.losses import CLASSIFICATION_LOSSES, LINKS, LOSSES, REGRESSION_LOSSES, Loss
from skgd.schedules import SCHEDULES, FunctionSchedule, Schedule
from skgd.solvers import SOLVERS, Momentum, Solver
from skgd.testing import check_plugin
from tests.oracles import activations, losses, schedules, solvers

REGISTERED = list(
    dict.fromkeys(
        [
            *SOLVERS.values(),
            *SCHEDULES.values(),
            *ACTIVATIONS.values(),
            *LOSSES.values(),
        ]
    )
)
each_plugin = pytest.mark.parametrize("plugin", REGISTERED, ids=lambda p: p.__name__)


@each_plugin
def test_registered_plugins_fulfill_their_contract(plugin):
    check_plugin(plugin())


@each_plugin
def test_a_plugin_is_an_estimator_without_fit(plugin):
    made = plugin()
    assert repr(made) == f"{plugin.__name__}()"
    assert made.get_params() == clone(made).get_params()
    assert sorted(plugin.argument_names()) == sorted(made.get_params())
    assert set(plugin._parameter_constraints) == set(made.get_params())
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(again) is plugin
        assert again.get_params() == made.get_params()
    assert plugin.__name__ in sys.modules[plugin.__module__].__all__
    package = sys.modules[plugin.__module__.rpartition(".")[0]]
    assert plugin.__name__ in package.__all__


def test_every_plugin_has_an_oracle():
    assert set(solvers.SOLVERS) == set(SOLVERS)
    assert set(schedules.SCHEDULES) == set(SCHEDULES)
    assert set(activations.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(LOSSES) == set(losses.LOSSES)


def test_the_first_loss_of_a_link_predicts():
    assert LINKS["identity"] is REGRESSION_LOSSES["squared_error"]
    assert LINKS["logistic"] is CLASSIFICATION_LOSSES["log_loss"]


def test_the_docstrings_name_what_is_registered():
    for network in (skgd.MLPClassifier, skgd.MLPRegressor):
        for registry in (SOLVERS, SCHEDULES, ACTIVATIONS):
            for name, plugin in registry.items():
                summary = plugin.__doc__.partition("\n")[0]
                text = " ".join(network.__doc__.split())
                assert f"- '{name}': {summary}" in text or f"- '{name}': The same" in text
    for name in REGRESSION_LOSSES:
        assert f"- '{name}': " in skgd.MLPRegressor.__doc__
    for name in CLASSIFICATION_LOSSES:
        assert f"- '{name}': " in skgd.MLPClassifier.__doc__


@pytest.mark.slow
def test_objects_leave_numba_alone():
    script = (
        "import copy, pickle, sys\n"
        "from sklearn.base import clone\n"
        "import skgd, skgd.testing\n"
        "from skgd import activations, losses, schedules, solvers\n"
        "made = [c() for r in (activations.ACTIVATIONS, solvers.SOLVERS,\n"
        "                      schedules.SCHEDULES, losses.LINKS) for c in r.values()]\n"
        "made += [skgd.MLPClassifier(solver=solvers.Adam(0.8), activation=made[0]),\n"
        "         skgd.MLPRegressor(losses.Poisson(), learning_rate=made[-6])]\n"
        "for one in made:\n"
        "    repr(one), one.get_params(), clone(one).set_params(), copy.deepcopy(one)\n"
        "    pickle.loads(pickle.dumps(one))\n"
        "assert not {'numba', 'llvmlite'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)


# What check_plugin finds


class Leaky(Activation):
    slope_of = "input"

    def __init__(self, leak=0.1):
        self.leak = leak

    @staticmethod
    def value(z, leak):
        return z if z > 0.0 else leak * z

    @staticmethod
    def slope(z, leak):
        return 1.0 if z > 0.0 else leak


class WrongSlope(Leaky):
    @staticmethod
    def slope(z, leak):
        return leak


class SlopeOfValue(Leaky):
    """The slope is one of the input, but is called with the value."""

    slope_of = "value"

    @staticmethod
    def value(z, leak):
        return math.exp(-z * z) + leak

    @staticmethod
    def slope(z, leak):
        return -2.0 * z * math.exp(-z * z)


class Wide(Leaky):
    @staticmethod
    def value(z, leak):
        return np.float64(z) if z > 0.0 else np.float64(leak * z)


class OfArrays(Leaky):
    @staticmethod
    def value(z, leak):
        return np.maximum(z, np.array([leak * z]))


class Infinite(Leaky):
    @staticmethod
    def value(z, leak):
        return 1.0 / z if z != 0.0 else np.inf

    @staticmethod
    def slope(z, leak):
        return -1.0 / (z * z) if z != 0.0 else np.inf


class NoGain(Leaky):
    gain = -1.0


class Converting(Leaky):
    def __init__(self, leak=1):
        self.leak = float(leak)


class Busy(Leaky):
    def __init__(self, leak=0.1):
        self.leak = leak
        self.twice = 2 * leak


class Uncompilable(Leaky):
    """Plain Python can call what compiled code cannot."""

    @staticmethod
    def value(z, leak):
        return sorted({"a": z}.items(), key=str)[0][1] if z > 0.0 else leak * z


class Absolute(Loss):
    """The slope lacks a factor."""

    def __init__(self, size=2.0):
        self.size = size

    @staticmethod
    def value(z, y, size):
        return size * abs(z - y)

    @staticmethod
    def slope(z, y, size):
        return 1.0 if z > y else -1.0


class OpenDomain(Absolute):
    domain = (3.0, 1.0, "both")


class LogOfTarget(Absolute):
    """The domain has a target too many."""

    domain = (0.0, np.inf, "left")

    @staticmethod
    def value(z, y, size):
        return z * math.log(y) if y > 0.0 else math.nan

    @staticmethod
    def slope(z, y, size):
        return math.log(y) if y > 0.0 else math.nan


class Uphill(Solver):
    @staticmethod
    def update(theta, g, state, coefficients):
        (eta,) = coefficients
        return theta + 2.0 * eta * g, state


class Forgetting(Momentum):
    @staticmethod
    def update(theta, g, state, coefficients):
        return theta, ()


class OnlyParameter(Solver):
    @staticmethod
    def update(theta, g, state, coefficients):
        return theta


class NoSlots(Solver):
    """It does not say how many numbers it keeps."""

    @staticmethod
    def update(theta, g, state, coefficients):
        (m,) = state
        return theta - coefficients[0] * m, (m + g,)


class NoCoefficient(Momentum):
    def coefficients(self, rate, t):
        return rate, self.friction


class Named(Leaky):
    def __init__(self, leak="much"):
        self.leak = leak


class Dividing(Solver):
    n_slots = 1

    @staticmethod
    def update(theta, g, state, coefficients):
        (s,) = state
        s = s + g * g
        return theta - g / np.sqrt(s), (s,)


class Counting(Solver):
    """It counts calls, which a thread or a longer call changes."""

    calls = 0

    def coefficients(self, rate, t):
        type(self).calls += 1
        return (rate / self.calls,)

    @staticmethod
    def update(theta, g, state, coefficients):
        (eta,) = coefficients
        return theta - eta * g, state


class BareRate(Momentum):
    def coefficients(self, rate, t):
        return rate


class Negative(Schedule):
    def __call__(self, progress):
        return 1.0 - progress.update


class FromTheFirst(Schedule):
    """It depends on where the call begins."""

    def __call__(self, progress):
        return np.linspace(1, 0.5, len(progress.update))


class OneShort(Schedule):
    def __call__(self, progress):
        return np.ones(len(progress.update) - 1)


class Rising(Schedule):
    def __call__(self, progress):
        return np.ones(len(progress.update))

    def after_plateau(self, rate):
        return -rate


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        (Momentum, "A plug-in is an object of a subclass of Activation, Loss, Solver, Sch"),
        ("adam", "got 'adam'."),
        (Momentum(momentum=2), "The 'momentum' parameter of Momentum must be a float"),
        (Activation(), "Activation must define value(z), as every Activation does."),
        (
            WrongSlope(),
            "WrongSlope.slope is 0.1 at z = 0.5, where the difference of values",
        ),
        (SlopeOfValue(), "A slope of z needs slope_of = 'input'."),
        (Named(), "The 'leak' parameter of Named must be a number, since compiled"),
        (Wide(), "Wide.value returns a float64 for arguments that are float32"),
        (OfArrays(), "OfArrays.value must return a number"),
        (Infinite(), "Infinite.value is inf at z = 0.0."),
        (NoGain(), "NoGain.gain must be a number > 0, got -1.0."),
        (Converting(), "Converting.__init__ must store leak as it is given"),
        (Busy(), "must store its arguments and nothing else, but sets ['twice']."),
        (
            Uncompilable(),
            "Uncompilable.value cannot be compiled for float64. Functions of numbers",
        ),
        (
            Absolute(),
            "Absolute.slope is 1.0 at z = -0.3, y = -2.0, where the difference of",
        ),
        (OpenDomain(), "OpenDomain.domain must be (lowest, highest, 'both', 'neither', 'l"),
        (LogOfTarget(), "LogOfTarget.value is nan at z = -2.0, y = 0.0."),
        (Uphill(), "Uphill.update does not go downhill: from 2, 11 updates by the grad"),
        (Forgetting(), "must return the parameter and a tuple of n_slots = 1 numbers, go"),
        (OnlyParameter(), "must return the parameter and a tuple of n_slots = 0 numbers"),
        (
            NoSlots(),
            "NoSlots.update(2.0, 0.0, [], [0.1]) raised ValueError: not enough values",
        ),
        (
            NoCoefficient(),
            "The coefficients of solver=NoCoefficient() raised AttributeError: 'NoCoef",
        ),
        (Dividing(), "Dividing.update returns nan for a gradient of 0.0 and the state (0"),
        (Counting(), "Counting.coefficients of an update must depend only on"),
        (BareRate(), "The coefficients of solver=BareRate() must be a tuple, got array("),
        (Negative(), "learning_rate=Negative() must return finite numbers >= 0, got -1.0"),
        (FromTheFirst(), "FromTheFirst must depend only on the position in the training"),
        (OneShort(), "must return a number or an array of shape (11,), got shape (10,)."),
        (Rising(), "Rising.after_plateau must return a rate > 0 or None, got -0.1."),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_plugins_that_violate_their_contract(plugin, sentence):
    with pytest.raises(AssertionError) as error:
        check_plugin(plugin)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    "function",
    [
        lambda update, n_updates: 0.5,
        lambda update, n_updates=None: 1 / (1.0 + update),
        functools.partial(lambda rate, update, n_updates: rate, 0.5),
    ],
)
def test_functions_as_schedules(function):
    check_plugin(FunctionSchedule(function))


def test_one_of_a_user_keeps_to_the_contract():
    check_plugin(Leaky(0.3))
