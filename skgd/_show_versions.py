"""Print what a bug report needs."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from joblib import cpu_count
from threadpoolctl import threadpool_info

from skgd._version import __version__
from skgd.compile.jit import import_numba
from skgd.parallel.threads import available_threads

__all__ = ["show_versions"]

PACKAGES = (
    *("scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl"),
    *("numba", "llvmlite", "pandas", "polars"),
)
VARIABLES = (
    *("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK", "NUMBA_CPU_NAME"),
    *("SKGD_DISK_CACHE", "SKGD_PLAIN_PRODUCTS"),
)


def _version_of(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def show_versions() -> None:
    """Print the system, the versions of the dependencies, and where kernels are kept.

    Bug reports should include it.

    Examples
    --------
    >>> import skgd
    >>> skgd.show_versions()  # doctest: +SKIP
    """
    numba = import_numba()
    from llvmlite.binding import get_host_cpu_name

    from skgd.compile.cache import cache_directory

    blas = [
        f"{library['internal_api']} {library['version']}, {library['num_threads']} threads"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    sections = {
        "System": {
            "python": sys.version.replace("\n", " "),
            "executable": sys.executable,
            "machine": platform.platform(),
            "CPU": f"{get_host_cpu_name()}, {cpu_count()} cores",
        },
        "Dependencies": {"skgd": __version__, **{p: _version_of(p) for p in PACKAGES}},
        "Threads": {
            "of a fit": f"up to {available_threads(None)}, started by skgd",
            "of Numba": "none: its threading layers are not used",
            "BLAS": "; ".join(blas) or None,
        },
        "Kernels": {
            "compiled": not numba.config.DISABLE_JIT,
            "kept in": cache_directory(),
            **{name: os.environ.get(name, "not set") for name in VARIABLES},
        },
    }
    for title, lines in sections.items():
        print(f"{title}:")
        for name, value in lines.items():
            print(f"{name:>18}: {value}")
