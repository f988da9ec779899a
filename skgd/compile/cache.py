"""The compiled kernels on disk.

Numba's own cache asks only whether the file of the kernel itself has changed, not the
files of the kernels that it calls and that are compiled into it (numba issue 1833). It
also keeps one index a function, which two processes may overwrite for each other. Here a
compiled signature is one file that carries a hash of all kernels' code and one of itself:
whatever is stale, foreign, truncated or half-written does not match, and is compiled anew.

With the environment variable ``SKGD_DISK_CACHE=0`` nothing is read or written.
"""

import hashlib
import os
import pickle
import sys
import tempfile
import uuid
import warnings
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

from numba import __version__ as numba_version
from numba import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from skgd.compile import announce
from skgd.compile.sources import code_hash, is_hashed

__all__ = ["KernelCache", "cache_directory", "counts", "is_on", "places"]

_PACKAGE = Path(__file__).parents[1]

# The signatures that this process has "found", "compiled" and "written".
counts: Counter[str] = Counter()


def is_on():
    """Tell what ``SKGD_DISK_CACHE`` says.

    Returns
    -------
    bool
        True if it is 1, or not set.

    Raises
    ------
    ValueError
        If it is neither 0 nor 1.
    """
    value = os.environ.get("SKGD_DISK_CACHE") or "1"
    if value not in ("0", "1"):
        raise ValueError(
            f"The environment variable SKGD_DISK_CACHE must be 0 or 1, got {value!r}."
        )
    return value == "1"


@cache
def places():
    """List where compiled kernels may be, in the order of preference.

    Returns
    -------
    list of pathlib.Path
        In ``NUMBA_CACHE_DIR``, the package's ``__pycache__``, the user's cache.
    """
    found = [_PACKAGE / "__pycache__"]
    if os.environ.get("NUMBA_CACHE_DIR"):
        found.insert(0, Path(os.environ["NUMBA_CACHE_DIR"], "skgd"))
    user = Path(AppDirs("skgd", appauthor=False).user_cache_dir)
    # Without a home it begins with the character ~.
    if user.is_absolute():
        found.append(user)
    return found


@cache
def cache_directory():
    """Find the first of the places that can be written.

    Returns
    -------
    pathlib.Path or None
        None where there is none. What no place has is then compiled in every process.
    """
    for place in places():
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        return place
    return None


@cache
def _warn_that_nothing_is_kept(reason):
    """Warn once per process."""
    warnings.warn(
        f"skgd cannot keep compiled kernels on disk: {reason} Every process compiles them "
        "again, for 10 to 30 s.",
        UserWarning,
        stacklevel=2,
    )


def _stamp(name, content):
    """Sign what a file holds, for the file of this name only."""
    return code_hash() + hashlib.sha256(name.encode() + content).digest()


class KernelCache(_Cache):
    """One function's compiled signatures, a file each.

    Parameters
    ----------
    function : function
        The Python function.

    callee : bool
        Whether it is compiled for other kernels only.

    Raises
    ------
    ValueError
        If ``SKGD_DISK_CACHE`` is neither 0 nor 1.
    """

    def __init__(self, function, callee):
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._callee = callee
        self._enabled = is_on()
        self._is_hashed = is_hashed(function)

    @property
    def cache_path(self):
        return str(cache_directory())

    def enable(self):
        self._enabled = True

    def disable(self):
        self._enabled = False

    def flush(self):
        if cache_directory() is not None:
            for path in cache_directory().glob(f"{self._name}-*.skgd"):
                # Windows removes no file that another process has open.
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _file_name(self, signature, codegen):
        """Name the file of a signature, or return None if it must not have one."""
        if not (self._enabled and self._is_hashed and code_hash()):
            return None
        key = (
            str(signature),
            self._callee,
            codegen.magic_tuple(),
            # Of several installations, each has its files.
            str(_PACKAGE),
            sys.version,
            numba_version,
            bool(config.BOUNDSCHECK),
            str(config.OPT),
            config.USING_SVML,
        )
        return f"{self._name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.skgd"

    def load_overload(self, sig, target_context):
        target_context.refresh()
        content = self._read(self._file_name(sig, target_context.codegen()))
        if content is None:
            counts["compiled"] += 1
            announce.begin(self._is_kept())
            return None
        counts["found"] += 1
        return CompileResult._rebuild(target_context, *pickle.loads(content))

    def _is_kept(self):
        """Return whether what is compiled is kept; warn if it is not, but should be."""
        if not (self._enabled and self._is_hashed):
            return False
        if code_hash() is None:
            _warn_that_nothing_is_kept(
                "its files cannot be read or have changed since it was imported, which a "
                "new process may mend."
            )
            return False
        if cache_directory() is None:
            _warn_that_nothing_is_kept(
                "no directory for them can be written. Set the environment variable "
                "NUMBA_CACHE_DIR to one that can."
            )
            return False
        return True

    def _read(self, name):
        """Read the first valid file of a name."""
        for place in places() if name else ():
            try:
                written = (place / name).read_bytes()
            except OSError:
                continue
            stamp, content = written[:64], written[64:]
            if stamp == _stamp(name, content):
                return content
        return None

    def save_overload(self, sig, data):
        announce.end()
        name = self._file_name(sig, data.codegen)
        if name is None or cache_directory() is None or data.library.has_dynamic_globals:
            return
        content = dumps(data._reduce())
        path = cache_directory() / name
        written = path.with_suffix(f".{uuid.uuid4().hex}")
        try:
            written.write_bytes(_stamp(name, content) + content)
            written.replace(path)
            counts["written"] += 1
        except OSError:
            # A full or read-only disk costs the next process a compilation, no more. So
            # does a file that another process reads, which Windows does not replace.
            with suppress(OSError):
                written.unlink(missing_ok=True)
