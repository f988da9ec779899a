"""The compiled kernels on disk.

Numba's own cache notices changes in the file of a kernel, but not in the files of the
kernels that it calls, which are compiled into it (numba issue 1833). It also has an index
file for each function, and two processes may overwrite each other's index.

This cache has a file for each compiled signature. The file begins with a stamp: hashes of
the sources, of the file's name and of its content. If the stamp does not match, the file is
outdated, truncated or from elsewhere, and the kernel is compiled again.

With the environment variable ``SKGD_DISK_CACHE=0``, nothing is read or written.
"""

import hashlib
import os
import re
import sys
import tempfile
import uuid
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

from llvmlite import __version__ as llvmlite_version
from numba import __version__ as numba_version
from numba import config

from skgd._caller import warn
from skgd.compile import announce, sources
from skgd.compile.environment import is_set
from skgd.compile.numba_private import AppDirs, from_bytes, to_bytes

__all__ = ["KernelCache", "cache_directory", "counts", "is_on", "places"]

_PACKAGE = Path(__file__).parents[1]

# How many signatures this process has "found" on disk, "compiled" and "written".
counts: Counter[str] = Counter()


def is_on():
    """Return whether the disk cache is enabled."""
    return is_set("SKGD_DISK_CACHE", default="1")


@cache
def places():
    """List the directories where compiled kernels may be, in the order of preference.

    Returns
    -------
    list of pathlib.Path
        ``NUMBA_CACHE_DIR`` if it is set, the package's ``__pycache__``, the user's cache.
    """
    found = [_PACKAGE / "__pycache__"]
    if os.environ.get("NUMBA_CACHE_DIR"):
        found.insert(0, Path(os.environ["NUMBA_CACHE_DIR"], "skgd"))
    user = Path(AppDirs("skgd", appauthor=False).user_cache_dir)
    # If there is no home directory, the path begins with the character ~.
    if user.is_absolute():
        found.append(user)
    return found


@cache
def cache_directory():
    """Return the first of the directories that is writable.

    Returns
    -------
    pathlib.Path or None
        None if no directory is writable. Each process then compiles for itself.
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
    """Warn that every process compiles again; once per process and reason."""
    warn(
        f"skgd cannot keep compiled kernels on disk: {reason} Every process compiles them "
        "again, for 10 to 30 s."
    )


def _stamp(identity, name, content):
    """Return the stamp of a file, from the code's identity, the name and the content."""
    return b"".join(hashlib.sha256(p).digest() for p in (identity, name.encode(), content))


class KernelCache:
    """The cache of a function's compiled signatures, with the interface of Numba's caches.

    Parameters
    ----------
    function : function
        The Python function.

    options : str
        Identifies the options of the compilation.

    Raises
    ------
    ValueError
        If ``SKGD_DISK_CACHE`` is neither 0 nor 1.
    """

    def __init__(self, function, options):
        self._function = function
        self._options = options
        self._enabled = is_on()

    @property
    def cache_path(self):
        return str(cache_directory())

    def _identity(self):
        """Return bytes that identify the sources, or None if nothing may be saved."""
        if not self._enabled or sources.FINGERPRINT is None:
            return None
        # If this fails, the kernel is compiled in every process.
        with suppress(Exception):
            return sources.FINGERPRINT + repr(sources.identify(self._function)).encode()
        return None

    def _file_name(self, signature, codegen):
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        # Each installation has its own files.
        versions = str(_PACKAGE), sys.version, numba_version, llvmlite_version
        flags = bool(config.BOUNDSCHECK), str(config.OPT), config.USING_SVML
        processor = codegen.magic_tuple()
        key = name, str(signature), self._options, processor, versions, flags
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return f"{re.sub(r'[^a-zA-Z0-9_.-]', '_', name)[:150]}-{digest}.skgd"

    def load_overload(self, signature, context):
        """Return the compiled signature from the disk, or None."""
        context.refresh()
        content = self._read(self._file_name(signature, context.codegen()))
        if content is None:
            counts["compiled"] += 1
            announce.begin(self._is_kept)
            return None
        counts["found"] += 1
        return from_bytes(context, content)

    def _is_kept(self):
        """Return whether compiled kernels are saved; warn if they should be but are not."""
        if not self._enabled:
            return False
        if not sources.are_unchanged():
            _warn_that_nothing_is_kept(
                "its files cannot be read or have changed since it was imported, which a "
                "new process may mend."
            )
            return False
        if self._identity() is not None and cache_directory() is None:
            _warn_that_nothing_is_kept(
                "no directory for them can be written. Set the environment variable "
                "NUMBA_CACHE_DIR to one that can."
            )
        return self._identity() is not None and cache_directory() is not None

    def _read(self, name):
        """Return the content of the first valid file with this name, or None."""
        identity = self._identity()
        for place in places() if identity else ():
            try:
                written = (place / name).read_bytes()
            except OSError:
                continue
            stamp, content = written[:96], written[96:]
            if stamp == _stamp(identity, name, content):
                return content
        return None

    def save_overload(self, signature, result):
        """Save a compiled signature."""
        announce.end()
        content = to_bytes(result) if self._is_kept() else None
        identity = self._identity()
        if content is None or identity is None:
            return
        name = self._file_name(signature, result.codegen)
        path = cache_directory() / name
        written = path.with_suffix(f".{uuid.uuid4().hex}")
        try:
            written.write_bytes(_stamp(identity, name, content) + content)
            written.replace(path)
            counts["written"] += 1
        except OSError:
            # The disk is full or read-only, or another process reads the file, which
            # Windows does not replace then. The next process compiles again.
            with suppress(OSError):
                written.unlink(missing_ok=True)
