"""How work is divided among threads: rows of a mini-batch, or parameters."""

from skgd.compile.jit import jit

__all__ = ["share"]


@jit
def share(n, thread, n_threads):
    """Return where a thread's part of ``n`` equal items begins and ends."""
    return n * thread // n_threads, n * (thread + 1) // n_threads
