"""Compile all kernels ahead of time: ``python -m skgd.precompile``.

Later processes load them from disk. This suits container images, for example.
"""

import argparse
import sys
from time import perf_counter

from skgd._warm_up import DTYPES, compile_all
from skgd.compile.jit import import_numba

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> str | None:
    """Compile all kernels and print the progress.

    Parameters
    ----------
    arguments : list of str, default=None
        The arguments of the command line; by default those of the process.

    Returns
    -------
    str or None
        Why the kernels are not on disk, if they are not.
    """
    parser = argparse.ArgumentParser(
        prog="python -m skgd.precompile",
        description="Compile all kernels of skgd ahead of time and keep them on disk.",
    )
    parser.parse_args(arguments)
    config = import_numba().config

    from skgd.compile.cache import cache_directory, is_on

    if config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set: nothing is compiled. Unset it."
    if not is_on():
        return "SKGD_DISK_CACHE=0: nothing would be kept on disk. Unset it."
    if cache_directory() is None:
        return (
            "No directory for compiled kernels is writable. Set NUMBA_CACHE_DIR to one "
            "that is."
        )
    start = perf_counter()
    done = compile_all(list(DTYPES), verbose=True)
    print(
        f"{done['compiled']} kernels compiled and {done['found']} found in "
        f"{perf_counter() - start:.1f} s\n{cache_directory()}"
    )
    if done["written"] < done["compiled"]:
        return f"{done['compiled'] - done['written']} could not be written."
    return None


if __name__ == "__main__":
    sys.exit(main())
