"""Resident memory of this process, as Linux counts it."""

import ctypes
import gc
from pathlib import Path
from threading import Event, Thread

__all__ = ["peak", "resident", "watched"]

STATUS = Path("/proc/self/status")

# How often memory is looked at while something else runs, in seconds.
INTERVAL = 0.005


def resident(what="VmRSS"):
    """Return MB: ``VmRSS`` is all, ``VmHWM`` was the most, ``RssAnon`` is not of files."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise KeyError(what)


def _settle():
    """Give back to the system what is free, so that its use by a call is counted."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def peak(call):
    """Return by how many MB resident memory grows at most during a call."""
    _settle()
    # The maximum begins anew.
    Path("/proc/self/clear_refs").write_text("5")
    before = resident()
    call()
    return resident("VmHWM") - before


def watched(call, kinds):
    """Return by how many MB each kind grows at most during a call, as far as seen."""
    _settle()
    before = [resident(kind) for kind in kinds]
    most = list(before)
    ended = Event()

    def watch():
        while not ended.wait(INTERVAL):
            most[:] = [max(a, resident(kind)) for a, kind in zip(most, kinds, strict=True)]

    watcher = Thread(target=watch)
    watcher.start()
    try:
        call()
    finally:
        ended.set()
        watcher.join()
    return [after - a for after, a in zip(most, before, strict=True)]
