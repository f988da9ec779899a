"""The compiled kernels on disk.

Numba's own cache asks only whether the file of the kernel itself has changed, not the
files of the kernels that it calls and that are compiled into it (numba issue 1833). It
also keeps one index a function, which two processes may overwrite for each other. Here a
compiled signature is one file that carries a hash of all kernel sources and one of itself:
whatever is stale, foreign, truncated or half-written does not match, and is compiled anew.
"""

import hashlib
import os
import pickle
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

from numba import __version__ as numba_version
from numba import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

__all__ = ["KERNEL_PACKAGES", "KernelCache", "cache_directory", "source_hash"]

# Where kernels are defined. The rest of the package compiles nothing.
KERNEL_PACKAGES = (
    "activations",
    "engine",
    "losses",
    "preprocessing",
    "schedules",
    "solvers",
)
_PACKAGE = Path(__file__).parents[1]


@cache
def source_hash():
    """Hash the sources of all kernels.

    Returns
    -------
    bytes or None
        None where the sources cannot be read, as in a zip file: nothing is cached then.
    """
    digest = hashlib.sha256()
    try:
        for package in KERNEL_PACKAGES:
            for path in sorted((_PACKAGE / package).iterdir()):
                if path.suffix == ".py":
                    digest.update(f"{package}/{path.name}\0".encode())
                    digest.update(path.read_bytes())
    except OSError:
        return None
    return digest.digest()


@cache
def cache_directory():
    """Find the first writable place for compiled kernels.

    In this order: ``NUMBA_CACHE_DIR``, the package's ``__pycache__``, the user's cache.

    Returns
    -------
    pathlib.Path or None
        None where no place can be written: kernels are then compiled in every process.
    """
    places = [
        _PACKAGE / "__pycache__",
        Path(AppDirs("skgd", appauthor=False).user_cache_dir),
    ]
    if os.environ.get("NUMBA_CACHE_DIR"):
        places.insert(0, Path(os.environ["NUMBA_CACHE_DIR"], "skgd"))
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        return place
    return None


def _stamp(path, content):
    """Sign what a file holds, for the file of this name only."""
    return source_hash() + hashlib.sha256(path.name.encode() + content).digest()


class KernelCache(_Cache):
    """One function's compiled signatures, a file each.

    Parameters
    ----------
    function : function
        The Python function.
    """

    def __init__(self, function):
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._enabled = True

    @property
    def cache_path(self):
        return str(cache_directory())

    def enable(self):
        self._enabled = True

    def disable(self):
        self._enabled = False

    def flush(self):
        for path in cache_directory().glob(f"{self._name}-*.skgd"):
            path.unlink(missing_ok=True)

    def _path(self, signature, codegen):
        if not self._enabled or source_hash() is None or cache_directory() is None:
            return None
        versions = f"{sys.version} {numba_version} {bool(config.BOUNDSCHECK)}"
        key = f"{signature} {codegen.magic_tuple()} {versions}".encode()
        name = f"{self._name}-{hashlib.sha256(key).hexdigest()[:16]}.skgd"
        return cache_directory() / name

    def load_overload(self, sig, target_context):
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        if path is None:
            return None
        try:
            written = path.read_bytes()
        except OSError:
            return None
        stamp, content = written[:64], written[64:]
        if stamp != _stamp(path, content):
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(content))

    def save_overload(self, sig, data):
        path = self._path(sig, data.codegen)
        if path is None or data.library.has_dynamic_globals:
            return
        content = dumps(data._reduce())
        written = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            written.write_bytes(_stamp(path, content) + content)
            written.replace(path)
        except OSError:
            # A full or read-only disk costs the next process a compilation, no more.
            with suppress(OSError):
                written.unlink(missing_ok=True)
