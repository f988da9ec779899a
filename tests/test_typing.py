"""The public surface is typed, for mypy and for editors."""

import inspect
from pathlib import Path

import pytest

import skgd
from skgd import activations, losses, schedules, solvers, testing
from skgd.engine.plugins import Activation, Loss, Plugin, Schedule, Solver

BASES = [Plugin, Activation, Loss, Schedule, Solver]
ESTIMATORS = [getattr(skgd, name) for name in skgd.__all__ if name[0].isupper()]
FUNCTIONS = [skgd.show_versions, skgd.warm_up, testing.check_plugin]
PLUGINS = [
    getattr(module, name)
    for module in (activations, losses, schedules, solvers)
    for name in module.__all__
    if not name.isupper()
]


def own_methods(cls):
    """Yield the public methods that skgd defines, as functions."""
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        member = getattr(member, "fn", getattr(member, "__func__", member))
        is_own = (getattr(member, "__module__", None) or "").startswith("skgd.")
        if inspect.isfunction(member) and is_own and not name.startswith("_"):
            yield member


def is_typed(function):
    return inspect.signature(function).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("cls", [*ESTIMATORS, *BASES])
def test_methods(cls):
    # Numba compiles it, and knows no ** of the signature that would let others override it.
    assert {f.__qualname__ for f in own_methods(cls) if not is_typed(f)} <= {"Loss.link"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions(function):
    assert is_typed(function)


@pytest.mark.parametrize("cls", [*ESTIMATORS, *PLUGINS])
def test_constructors(cls):
    assert not inspect.isfunction(cls.__init__) or is_typed(cls.__init__)


def test_the_package_says_so():
    assert Path(skgd.__file__).with_name("py.typed").is_file()
