"""Identifies the sources of compiled code, so that outdated code is not used.

The package has one fingerprint: a hash of its sources, computed when skgd is imported. A
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

__all__ = ["FINGERPRINT", "WITHOUT_KERNELS", "are_unchanged", "identify"]

# The packages without kernels.
WITHOUT_KERNELS = frozenset(
    {"dask", "model_selection", "neural_network", "onnx", "tabular"}
)


def _sources(folder):
    """Yield the contents of all modules except those of packages without kernels."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith((".py", ".pyc")):
            content = path.read_bytes()
            yield f"{path.name} {len(content)}\n".encode() + content
        elif path.is_dir() and path.name not in {"__pycache__", *WITHOUT_KERNELS}:
            yield f"{path.name}/\n".encode()
            yield from _sources(path)


def _fingerprint():
    """Return a hash of the sources as they are now, or None if they cannot be read."""
    try:
        found = b"".join(_sources(files("skgd")))
    except Exception:
        # Then there is no cache, but the import succeeds.
        return None
    return hashlib.sha256(found).digest() if found else None


# Computed before the modules with kernels are imported (see skgd/__init__.py). Compiled
# code is saved only if the sources were still the same after the last import. Therefore, if
# the sources are edited meanwhile, no code gets the fingerprint of other sources.
FINGERPRINT = _fingerprint()


def are_unchanged():
    """Return whether this process runs the sources that the fingerprint belongs to."""
    names = tuple(name for name in list(sys.modules) if f"{name}.".startswith("skgd."))
    return FINGERPRINT is not None and _are_unchanged(names)


@cache
def _are_unchanged(names):
    return _fingerprint() == FINGERPRINT and all(map(_runs_its_source, names))


@cache
def _runs_its_source(name):
    """Return whether a module's ``.pyc`` file has the same code as its source.

    If an upgrade keeps the size and the time of a file, Python uses the old ``.pyc`` file.
    """
    spec: Any = sys.modules[name].__spec__
    try:
        source, code = spec.loader.get_source(name), spec.loader.get_code(name)
        return source is None or code == _compile(source, spec.origin)
    except Exception:
        # Some loaders give neither. Then there is no cache, but the fit succeeds.
        return False


@cache
def _compile(source, path):
    return compile(source, path, "exec", dont_inherit=True)


def _codes(code):
    """List a code object and all code objects nested in it."""
    found = [code]
    for each in found:
        found += [part for part in each.co_consts if isinstance(part, CodeType)]
    return found


# ------------------------------------------------------------------------------- plug-ins

# Functions may read from these modules. What they read changes only with the version of
# Python or Numba, which the name of each file depends on.
_KNOWN = (builtins, math, cmath, np)
_CONSTANTS = (bool, int, float, complex, str, type(None))
# The description of each function when it was first compiled. Numba keeps the globals that
# the function read then.
_FIRST: dict = {}


def identify(function):
    """Describe what the code of a kernel depends on, apart from the package's sources.

    Parameters
    ----------
    function : function
        The Python function of the kernel.

    Returns
    -------
    tuple
        Its ``repr`` is the same in each process, and differs after a change.

    Raises
    ------
    Exception
        An exception of any type, if not everything that the code depends on can be found.
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
    """Return whether the package's fingerprint covers a function."""
    package, _, module = function.__module__.partition(".")
    return package == "skgd" and module.split(".")[0] not in WITHOUT_KERNELS


def _identify_part(value):
    """Describe a value that a kernel closes over, or reads from its module."""
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
    # In place of a plain function, compiled code calls an overload, which may be anywhere.
    raise TypeError(f"{value!r} is neither a number nor a kernel.")


def _identify_source(function):
    """Return the hash of a function's module, its place there, and the globals it reads."""
    names = function.__globals__
    module: Any = sys.modules[function.__module__]
    if function.__module__ == "__main__" or vars(module) is not names:
        raise ValueError(f"{function!r} is not from a module that can be imported.")
    source = module.__spec__.loader.get_source(module.__name__)
    # `scalar` has replaced the function by a copy with other literals for float32.
    code = getattr(function, "_double", function).__code__
    # A copy, without the specializations that Python 3.11 adds to code that it runs.
    place = _codes(_compile(source, module.__file__)).index(code.replace())
    read = {name for part in _codes(code) for name in part.co_names if name in names}
    values = [(name, _identify_part(names[name])) for name in sorted(read)]
    return hashlib.sha256(source.encode()).hexdigest(), place, values
