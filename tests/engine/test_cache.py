"""Compiled kernels on disk: found again, and never wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import skgd
from skgd.engine import cache
from skgd.engine.jit import jit

PACKAGE = Path(skgd.__file__).parent


@pytest.fixture(autouse=True)
def directory(monkeypatch, tmp_path):
    """A cache of their own; and the JIT on, also where it is off for the other tests."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(cache, "cache_directory", lambda: tmp_path)
    return tmp_path


def make(add=1.0, name="kernel"):
    """Make a kernel that no process has compiled."""

    def kernel(x):
        return x + add

    kernel.__qualname__ = name
    return jit(kernel).dispatcher


def compiled(kernel):
    """Run a kernel; tell whether it was compiled or found."""
    assert kernel(2.0) == 3.0
    assert kernel.stats.cache_path == str(cache.cache_directory())
    hits, misses = kernel.stats.cache_hits, kernel.stats.cache_misses
    assert sum(hits.values()) + sum(misses.values()) == 1
    return bool(misses)


def only_file(directory):
    (file,) = directory.iterdir()
    return file


def test_a_kernel_is_found_again(directory):
    assert compiled(make())
    file = only_file(directory)
    written = file.read_bytes()
    assert not compiled(make())
    assert only_file(directory) == file
    assert file.read_bytes() == written


def test_each_signature_has_its_file(directory):
    kernel = make()
    for x in (2.0, 2, numba.np.numpy_support.np.float32(2)):
        kernel(x)
    assert len(list(directory.iterdir())) == 3
    other = make()
    other(2)
    assert sum(other.stats.cache_hits.values()) == 1


DAMAGE = {
    "empty": lambda written: b"",
    "shorter than its stamp": lambda written: written[:40],
    "only its stamp": lambda written: written[:64],
    "truncated": lambda written: written[:-1],
    "half": lambda written: written[: len(written) // 2],
    "longer": lambda written: written + b"\0",
    "of other sources": lambda written: bytes([written[0] ^ 1]) + written[1:],
    "corrupt": lambda written: written[:-20] + bytes([written[-20] ^ 1]) + written[-19:],
    "foreign": lambda written: b"#!/bin/sh\n" * 100,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_compiled_anew(directory, damage):
    assert compiled(make())
    file = only_file(directory)
    written = file.read_bytes()
    file.write_bytes(damage(written))
    assert compiled(make())
    # and written anew.
    assert not compiled(make())


def test_the_file_of_another_kernel_is_compiled_anew(directory):
    assert compiled(make())
    file = only_file(directory)
    file.unlink()
    assert make(add=5.0, name="other")(2.0) == 7.0
    other = only_file(directory)
    other.rename(file)
    assert compiled(make())


def test_other_sources_are_compiled_anew(monkeypatch):
    assert compiled(make())
    monkeypatch.setattr(cache, "source_hash", lambda: bytes(32))
    assert compiled(make())
    assert not compiled(make())


def test_bounds_checks_are_compiled_anew(monkeypatch):
    assert compiled(make())
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    assert compiled(make())


def test_without_a_place_every_process_compiles(monkeypatch, directory):
    monkeypatch.setattr(cache, "cache_directory", lambda: None)
    assert make()(2.0) == 3.0
    assert not list(directory.iterdir())


def test_without_readable_sources_nothing_is_cached(monkeypatch, directory):
    monkeypatch.setattr(cache, "source_hash", lambda: None)
    for _ in range(2):
        assert compiled(make())
    assert not list(directory.iterdir())


def test_a_directory_that_goes_away_is_no_error(monkeypatch, directory):
    monkeypatch.setattr(cache, "cache_directory", lambda: directory / "gone")
    assert compiled(make())
    assert compiled(make())


def test_a_full_disk_is_no_error(monkeypatch, directory):
    def write_bytes(path, content):
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    assert compiled(make())
    assert not list(directory.iterdir())


def test_it_can_be_switched_off_and_flushed(directory):
    kernel = make()
    kernel._cache.disable()
    kernel(2.0)
    assert not list(directory.iterdir())
    kernel._cache.enable()
    kernel(2)
    assert only_file(directory)
    kernel._cache.flush()
    assert not list(directory.iterdir())


# --------------------------------------------------------------------------- the places


@pytest.fixture
def places(monkeypatch, tmp_path):
    names = ["NUMBA_CACHE_DIR", "package", "user"]
    chosen = {name: tmp_path / name for name in names}
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(chosen["NUMBA_CACHE_DIR"]))
    monkeypatch.setattr(cache, "_PACKAGE", chosen["package"])

    class AppDirs:
        def __init__(self, name, appauthor):
            self.user_cache_dir = str(chosen["user"])

    monkeypatch.setattr(cache, "AppDirs", AppDirs)
    return chosen


def find_directory():
    """Look for the place, past the fixture's and what a process remembers."""
    return _ORIGINAL.__wrapped__()


_ORIGINAL = cache.cache_directory


def test_the_places_in_their_order(monkeypatch, places):
    assert find_directory() == places["NUMBA_CACHE_DIR"] / "skgd"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    assert find_directory() == places["package"] / "__pycache__"
    # A file where a directory should be: nobody can write there, not even root.
    shutil.rmtree(places["package"])
    places["package"].touch()
    assert find_directory() == places["user"]
    places["user"].rmdir()
    places["user"].touch()
    assert find_directory() is None


def test_a_read_only_directory_is_passed_over(monkeypatch, places):
    def refuse(dir):
        if Path(dir).is_relative_to(places["NUMBA_CACHE_DIR"]):
            raise PermissionError

        class File:
            def close(self):
                pass

        return File()

    monkeypatch.setattr(cache.tempfile, "TemporaryFile", refuse)
    assert find_directory() == places["package"] / "__pycache__"


def test_every_source_of_a_kernel_counts(monkeypatch, tmp_path):
    copy = tmp_path / "skgd"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "_PACKAGE", copy)
    hashes = {cache.source_hash.__wrapped__()}
    n_files = 0
    for package in cache.KERNEL_PACKAGES:
        for path in (copy / package).glob("*.py"):
            path.write_bytes(path.read_bytes() + b"\n")
            hashes.add(cache.source_hash.__wrapped__())
            n_files += 1
    assert len(hashes) == n_files + 1
    (copy / "losses" / "one_more.py").touch()
    hashes.add(cache.source_hash.__wrapped__())
    assert len(hashes) == n_files + 2
    # What is no source of a kernel does not count.
    (copy / "neural_network" / "one_more.py").touch()
    (copy / "losses" / "notes.txt").touch()
    hashes.add(cache.source_hash.__wrapped__())
    assert len(hashes) == n_files + 2
    shutil.rmtree(copy / "losses")
    assert cache.source_hash.__wrapped__() is None


# ------------------------------------------------------------------------ other processes

RELU = """
import json
import numpy as np
from numba import float64
from skgd.activations import ACTIVATIONS
import skgd

kernel = ACTIVATIONS["relu"].forward
forward, _ = ACTIVATIONS["relu"].bind(float64)
z = np.array([[-2.0, 3.0]])
forward(z, np.zeros(2))
stats = kernel.dispatcher.stats
print(json.dumps({
    "file": skgd.__file__,
    "z": z.tolist(),
    "hits": sum(stats.cache_hits.values()),
    "misses": sum(stats.cache_misses.values()),
}))
"""
FIT = """
import json
import numpy as np
import skgd
from skgd.engine.train import train

X = np.linspace(-1, 1, 40).reshape(20, 2)
skgd.MLPRegressor(random_state=0).partial_fit(X, X[:, 0])
stats = train.dispatcher.stats
print(json.dumps({
    "hits": sum(stats.cache_hits.values()),
    "misses": sum(stats.cache_misses.values()),
}))
"""


def start(script, path, **variables):
    environment = {
        **os.environ,
        "PYTHONPATH": str(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_DISABLE_JIT": "0",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=path,
    )


def finish(process):
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return json.loads(out)


def test_an_edited_kernel_is_compiled_anew(tmp_path):
    """Also where it is compiled into the kernel of another file, with the stamps kept."""
    copy = tmp_path / "skgd"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    variables = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first = finish(start(RELU, tmp_path, **variables))
    assert Path(first["file"]).parent == copy
    assert (first["z"], first["hits"], first["misses"]) == ([[0, 3]], 0, 1)
    second = finish(start(RELU, tmp_path, **variables))
    assert (second["z"], second["hits"], second["misses"]) == ([[0, 3]], 1, 0)
    source = copy / "engine" / "elementary.py"
    stamp = source.stat()
    old = source.read_text(encoding="utf-8")
    new = old.replace(
        "def _zero_64(x):\n    return 0.0", "def _zero_64(x):\n    return 0.5"
    )
    assert len(new) == len(old)
    assert new != old
    source.write_text(new, encoding="utf-8")
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    third = finish(start(RELU, tmp_path, **variables))
    # max(z, 0.5) now.
    assert (third["z"], third["hits"], third["misses"]) == ([[0.5, 3]], 0, 1)


def test_processes_that_compile_at_the_same_time(tmp_path):
    variables = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    path = PACKAGE.parent
    for found in map(finish, [start(RELU, path, **variables) for _ in range(3)]):
        assert found["z"] == [[0, 3]]
    after = finish(start(RELU, path, **variables))
    assert (after["z"], after["hits"], after["misses"]) == ([[0, 3]], 1, 0)
    assert all(f.suffix == ".skgd" for f in (tmp_path / "cache" / "skgd").iterdir())


def test_the_training_loop_is_found_by_the_next_process():
    """In the cache that is there: the first of the two processes may have to fill it."""
    path = PACKAGE.parent
    finish(start(FIT, path))
    found = finish(start(FIT, path))
    assert (found["hits"], found["misses"]) == (1, 0)
