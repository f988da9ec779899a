"""Compile all kernels ahead, as for a container image: ``python -m skgd.precompile``.

Every process after that finds them on disk.
"""

import argparse
import sys
from time import perf_counter

from skgd._warm_up import DTYPES, compile_all
from skgd.compile.jit import import_numba

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> str | None:
    """Compile, and print what is done.

    Parameters
    ----------
    arguments : list of str, default=None
        Those of the command line.

    Returns
    -------
    str or None
        Why the kernels are not on disk, if they are not.
    """
    parser = argparse.ArgumentParser(
        prog="python -m skgd.precompile",
        description="Compile all kernels of skgd ahead and keep them on disk.",
    )
    parser.parse_args(arguments)
    config = import_numba().config

    from skgd.compile.cache import cache_directory, is_on

    if config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set: nothing is compiled."
    if not is_on():
        return "SKGD_DISK_CACHE=0: nothing would be kept."
    if cache_directory() is None:
        return "There is no writable place for compiled kernels; set NUMBA_CACHE_DIR."
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
