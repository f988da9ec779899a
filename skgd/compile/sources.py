"""Which code this process runs, for what is compiled from other code to be told apart.

The package has one fingerprint: a hash of its sources, taken when skgd is imported. A
plug-in from outside the package is identified by its own source file.
"""

import builtins
import cmath
import hashlib
import math
import sys
from functools import cache
from importlib.resources import files
from types import CodeType
from typing import Any

import numpy as np

from skgd.compile.jit import Kernel, Stub

__all__ = ["ESTIMATORS", "FINGERPRINT", "are_unchanged", "identify"]

# The rooms that define no kernels.
ESTIMATORS = frozenset(
    {"dask", "inspection", "model_selection", "neural_network", "onnx", "tabular"}
)


def _sources(folder):
    """Yield the modules' contents, but those of estimators: they define no kernels."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith((".py", ".pyc")):
            content = path.read_bytes()
            yield f"{path.name} {len(content)}\n".encode() + content
        elif path.is_dir() and path.name not in {"__pycache__", *ESTIMATORS}:
            yield f"{path.name}/\n".encode()
            yield from _sources(path)


def _fingerprint():
    """Hash the sources as they are now; None if there are none to be read."""
    try:
        found = b"".join(_sources(files("skgd")))
    except Exception:
        # Code without a hash costs the cache, never the import.
        return None
    return hashlib.sha256(found).digest() if found else None


# Before the modules with kernels are imported (see skgd/__init__.py). What is compiled is
# written only if the sources were still the same after the last import: an edit before it
# puts no old code under the new fingerprint, nor new code under the old.
FINGERPRINT = _fingerprint()


def are_unchanged():
    """Return whether the modules that this process runs are of the fingerprint."""
    names = tuple(name for name in list(sys.modules) if f"{name}.".startswith("skgd."))
    return FINGERPRINT is not None and _are_unchanged(names)


@cache
def _are_unchanged(names):
    return _fingerprint() == FINGERPRINT and all(map(_runs_its_source, names))


@cache
def _runs_its_source(name):
    """Return whether Python gets the same code from a module's .pyc as from its source.

    Where an upgrade keeps size and time of a file, Python goes on with the old ``.pyc``.
    """
    spec: Any = sys.modules[name].__spec__
    try:
        source, code = spec.loader.get_source(name), spec.loader.get_code(name)
        return source is None or code == _compile(source, spec.origin)
    except Exception:
        # A loader that gives neither costs the cache, never the fit.
        return False


@cache
def _compile(source, path):
    return compile(source, path, "exec", dont_inherit=True)


def _codes(code):
    """List a code object and those within it."""
    found = [code]
    for each in found:
        found += [part for part in each.co_consts if isinstance(part, CodeType)]
    return found


# ------------------------------------------------------------------------------- plug-ins

# What a function reads from them is Python's, NumPy's and Numba's, of known versions.
_KNOWN = (builtins, math, cmath, np)
_CONSTANTS = (bool, int, float, complex, str, type(None))
# Numba keeps the globals that a function had when it was compiled first.
_FIRST: dict = {}


def identify(function):
    """Describe what decides the code of a kernel, beyond the package's fingerprint.

    Parameters
    ----------
    function : function
        The Python function of the kernel.

    Returns
    -------
    tuple
        Its ``repr`` is the same in each process, and another after a change.

    Raises
    ------
    Exception
        Of any kind, if it is not certain what decides the code.
    """
    cells = [_identify_part(cell.cell_contents) for cell in function.__closure__ or ()]
    found = function.__module__, function.__qualname__, cells
    if _is_own(function):
        return found
    defaults = _identify_part((function.__defaults__, function.__kwdefaults__))
    found = *found, defaults, *_identify_source(function)
    if _FIRST.setdefault(function, found) != found:
        raise ValueError(f"{function!r} has changed since it was first compiled.")
    return found


def _is_own(function):
    """Tell whether the package's fingerprint covers a function."""
    package, _, module = function.__module__.partition(".")
    return package == "skgd" and module.split(".")[0] not in ESTIMATORS


def _identify_part(value):
    """Describe what a kernel closes over, or reads from its module."""
    if type(value) in _CONSTANTS or isinstance(value, np.number | np.bool_):
        return type(value).__name__, repr(value)
    if type(value) is tuple:
        return [_identify_part(item) for item in value]
    if isinstance(value, Kernel):
        return identify(value.__wrapped__), sorted(value._fastmath)
    if isinstance(value, Stub) and _is_own(value._make):
        return identify(value._make)
    name = getattr(value, "__name__", "")
    for module in _KNOWN:
        if value is module or vars(module).get(name) is value:
            return module.__name__, name
    # A plain function is not what compiled code calls: that is an overload from anywhere.
    raise TypeError(f"{value!r} is neither a number nor a kernel.")


def _identify_source(function):
    """Return a module's hash, which of its functions this is, and the globals it reads."""
    names = function.__globals__
    module: Any = sys.modules[function.__module__]
    if function.__module__ == "__main__" or vars(module) is not names:
        raise ValueError(f"{function!r} is not from a module that can be imported.")
    source = module.__spec__.loader.get_source(module.__name__)
    # For float32 another function stands in, with other literals.
    code = getattr(function, "_double", function).__code__
    # The copy is free of what Python 3.11 notes in code that it runs.
    place = _codes(_compile(source, module.__file__)).index(code.replace())
    read = {name for part in _codes(code) for name in part.co_names if name in names}
    values = [(name, _identify_part(names[name])) for name in sorted(read)]
    return hashlib.sha256(source.encode()).hexdigest(), place, values
