"""What the kernels' code is, for those compiled from other code to be told apart."""

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pkgutil import iter_modules
from types import CodeType
from typing import Any

__all__ = ["KERNEL_PACKAGES", "code_hash", "files_at_import", "is_hashed"]

# Where kernels are defined. The rest of the package compiles nothing.
KERNEL_PACKAGES = (
    "activations",
    "compile",
    "engine",
    "engine.full_batch",
    "kernels",
    "losses",
    "parallel",
    "preprocessing",
    "schedules",
    "solvers",
    "stages",
)
_PREFIXES = tuple(f"skgd.{package}." for package in KERNEL_PACKAGES)

# What a code object does: the rest is names of files and numbers of lines.
_CODE = (
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_flags",
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_exceptiontable",
    "co_name",
    "co_qualname",
)


@cache
def code_hash():
    """Hash the code of all modules where kernels are defined.

    It is Python's compiled code that is hashed, not the source beside it, which may be
    newer: where an upgrade keeps size and time of a file, Python goes on with the old
    ``.pyc``.

    Returns
    -------
    bytes or None
        None where there is no code to be had, or the files are no longer those that have
        been imported: nothing is cached then.
    """
    digest = hashlib.sha256()
    if files_at_import() is None or _files() != files_at_import():
        return None
    try:
        for spec in _specs():
            code = spec.loader.get_code(spec.name)
            if code is None:
                return None
            digest.update(repr((spec.name, _content(code))).encode())
    except Exception:
        # Code without a hash costs the cache, never the fit.
        return None
    return digest.digest()


def _content(value):
    """Return the content of a code object or constant, the same in every process.

    Not by marshal: the format of its bytes that does not depend on reference counts
    cannot hold the slices that are constants since Python 3.14.
    """
    if isinstance(value, CodeType):
        return [_content(getattr(value, name)) for name in _CODE]
    if isinstance(value, tuple):
        return tuple(map(_content, value))
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return value


@cache
def files_at_import():
    """Tell the files of these modules from others; called when skgd is imported.

    To hash their code then would take 30 ms of each import.

    Returns
    -------
    list of tuple or None
        Of each file the name and what no other version of it shares: the inode, the size,
        the time stamp and, where the system keeps it, the time of the last change, which
        cannot be set. None where these are not files.
    """
    return _files()


def _files():
    try:
        # Of a module in a zip file, the file is the archive.
        found = [
            (spec.name, os.stat(getattr(spec.loader, "archive", spec.origin)))
            for spec in _specs()
        ]
    except (AttributeError, ImportError, OSError, TypeError):
        return None
    return [
        (name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        for name, stat in found
    ]


def _specs():
    """Find the modules, also those that are not imported before the first kernel."""
    for package in KERNEL_PACKAGES:
        spec: Any = find_spec(f"skgd.{package}")
        yield spec
        for module in iter_modules(spec.submodule_search_locations):
            finder: Any = module.module_finder
            yield finder.find_spec(f"{spec.name}.{module.name}")


def is_hashed(function):
    """Tell whether `code_hash` covers a function and the kernels compiled into it.

    It does not cover plug-ins from outside this package. They are closed over by the
    kernels that skgd makes of them.

    Parameters
    ----------
    function : function
        The Python function of a kernel.

    Returns
    -------
    bool
    """
    closed_over = [cell.cell_contents for cell in function.__closure__ or ()]
    return f"{function.__module__}.".startswith(_PREFIXES) and all(
        isinstance(part, int)
        or (hasattr(part, "__wrapped__") and is_hashed(part.__wrapped__))
        for part in closed_over
    )
