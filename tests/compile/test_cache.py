"""Compiled kernels on disk: found again, and never wrong."""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import types
from collections import Counter
from pathlib import Path

import numba
import numpy as np
import pytest

import skgd
from skgd import _warm_up, precompile
from skgd.compile import cache, sources
from skgd.compile.announce import announced
from skgd.compile.jit import jit

PACKAGE = Path(skgd.__file__).parent


@pytest.fixture(autouse=True)
def directory(monkeypatch, tmp_path):
    """A cache of their own; and the JIT on, also where it is off for the other tests."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 0)
    monkeypatch.setattr(cache, "places", lambda: [tmp_path])
    monkeypatch.setattr(cache, "cache_directory", lambda: tmp_path)
    # The kernels of this file pass for the package's.
    monkeypatch.setattr(sources, "identify", lambda function: "known")
    monkeypatch.delenv("SKGD_DISK_CACHE", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    cache._warn_that_nothing_is_kept.cache_clear()
    sources._are_unchanged.cache_clear()
    yield tmp_path
    sources._are_unchanged.cache_clear()


def one_more(x):
    return x + 1.0


def five_more(x):
    return x + 5.0


def make(function=one_more):
    """Make a kernel that no process has compiled."""
    return jit(types.FunctionType(function.__code__, globals())).dispatcher


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
    "of other code": lambda written: bytes([written[0] ^ 1]) + written[1:],
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
    assert make(five_more)(2.0) == 7.0
    other = only_file(directory)
    other.rename(file)
    assert compiled(make())


def test_other_code_is_compiled_anew(monkeypatch):
    assert compiled(make())
    monkeypatch.setattr(sources, "FINGERPRINT", bytes(32))
    monkeypatch.setattr(sources, "_fingerprint", lambda: bytes(32))
    assert compiled(make())
    assert not compiled(make())


def test_bounds_checks_are_compiled_anew(monkeypatch):
    assert compiled(make())
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    assert compiled(make())


def test_without_a_place_every_process_compiles(monkeypatch, directory):
    monkeypatch.setattr(cache, "places", list)
    monkeypatch.setattr(cache, "cache_directory", lambda: None)
    with pytest.warns(UserWarning, match=r"Set .* NUMBA_CACHE_DIR .* again") as caught:
        for _ in range(2):
            kernel = make()
            assert kernel(2.0) == 3.0
            assert sum(kernel.stats.cache_misses.values()) == 1
    # Once per process.
    assert [warning.filename for warning in caught] == [__file__]
    assert not list(directory.iterdir())


@pytest.mark.parametrize("name", ["FINGERPRINT", "_fingerprint"])
def test_without_sources_nothing_is_cached(monkeypatch, directory, name):
    """There are none to be read, or no longer."""
    monkeypatch.setattr(sources, name, None if name.isupper() else lambda: None)
    with pytest.warns(UserWarning, match="files cannot be read or have changed") as caught:
        for _ in range(2):
            assert compiled(make())
    assert len(caught) == 1
    assert not list(directory.iterdir())


def test_where_nothing_can_be_written_what_is_found_is_no_warning(monkeypatch):
    assert compiled(make())
    monkeypatch.setattr(cache, "cache_directory", lambda: None)
    kernel = make()
    assert kernel(2.0) == 3.0
    assert sum(kernel.stats.cache_hits.values()) == 1


@pytest.mark.parametrize("verbose", [False, True])
def test_compiling_is_announced(verbose, caplog, capsys, monkeypatch):
    caplog.set_level(logging.INFO, logger="skgd")

    def messages():
        with announced("the test", verbose):
            for function in (one_more, five_more):
                make(function)(2.0)
        found = [record.message for record in caplog.records]
        caplog.clear()
        assert capsys.readouterr().out.splitlines() == (found if verbose else [])
        return found

    began, ended = messages()
    assert began.startswith("skgd compiles the test, once per installation and dtype.")
    assert re.fullmatch(r"skgd has compiled the test in \d+\.\d s\.", ended)
    # What is found is not announced.
    assert not messages()
    monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    began, ended = messages()
    assert began.startswith("skgd compiles the test, in every process.")


def test_compiling_that_fails_is_not_announced_as_done(caplog):
    caplog.set_level(logging.INFO, logger="skgd")
    with pytest.raises(numba.TypingError), announced("the test"):
        make()("text")
    (began,) = (record.message for record in caplog.records)
    assert began.startswith("skgd compiles the test")


def test_a_directory_that_goes_away_is_no_error(monkeypatch, directory):
    monkeypatch.setattr(cache, "cache_directory", lambda: directory / "gone")
    assert compiled(make())
    assert compiled(make())


def test_a_full_disk_is_no_error(directory):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kernel = make()
    # No file may be longer: the first bytes are written, the next are refused.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert kernel(2.0) == 3.0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(directory.iterdir())
    assert compiled(make())
    assert not compiled(make())


@pytest.mark.parametrize("method", ["replace", "read_bytes", "write_bytes"])
def test_a_file_that_another_process_has_open_is_no_error(method, monkeypatch, directory):
    """As on Windows, which refuses to replace, read or write it."""
    assert compiled(make())
    before = only_file(directory).read_bytes()
    only_file(directory).write_bytes(before[:-1])

    allowed = getattr(Path, method)

    def refuse(path, *args):
        if path.suffix == ".py":
            return allowed(path, *args)
        raise PermissionError("[WinError 5] Access is denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, refuse)
        assert compiled(make())
    # Nothing else is left behind, and what could not be read is replaced.
    assert only_file(directory)
    assert compiled(make()) == (method != "read_bytes")


def test_what_is_where_nobody_can_write_is_found(monkeypatch, directory, tmp_path):
    """As in a container image, whose kernels were compiled by another user."""
    assert compiled(make())
    writable = tmp_path / "home"
    writable.mkdir()
    monkeypatch.setattr(cache, "places", lambda: [directory, writable])
    monkeypatch.setattr(cache, "cache_directory", lambda: writable)
    assert not compiled(make())
    # What is of no use there is written to the next place, and found in it.
    (file,) = directory.glob("*.skgd")
    file.write_bytes(file.read_bytes()[:-1])
    assert compiled(make())
    assert not compiled(make())
    assert only_file(writable).name == file.name


def test_the_environment_switches_it_off(monkeypatch, directory):
    monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    assert compiled(make())
    assert not list(directory.iterdir())
    monkeypatch.setenv("SKGD_DISK_CACHE", "1")
    assert compiled(make())
    # nor is anything read.
    monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    assert compiled(make())
    # As good as not set.
    monkeypatch.setenv("SKGD_DISK_CACHE", "")
    assert not compiled(make())


@pytest.mark.parametrize("value", ["off", "2", "True", " "])
def test_the_environment_is_not_guessed(monkeypatch, value):
    monkeypatch.setenv("SKGD_DISK_CACHE", value)
    with pytest.raises(ValueError, match=f"SKGD_DISK_CACHE must be 0 or 1, got '{value}'"):
        make()


# --------------------------------------------------------------------------- the places


@pytest.fixture
def places(monkeypatch, tmp_path):
    names = ["NUMBA_CACHE_DIR", "package", "user"]
    chosen = {name: tmp_path / name for name in names}
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(chosen["NUMBA_CACHE_DIR"]))
    monkeypatch.setattr(cache, "_PACKAGE", chosen["package"])
    monkeypatch.setattr(cache, "places", _PLACES)

    class AppDirs:
        def __init__(self, name, appauthor):
            self.user_cache_dir = str(chosen["user"])

    monkeypatch.setattr(cache, "AppDirs", AppDirs)
    return chosen


_PLACES, _DIRECTORY = cache.places.__wrapped__, cache.cache_directory.__wrapped__


def find_directory():
    """Look for the place, past the fixture's and what a process remembers."""
    return _DIRECTORY()


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


def test_without_a_home_nothing_is_written_to_a_directory_named_tilde(
    monkeypatch, places, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    places["package"].touch()
    places["user"] = Path("~/.cache/skgd")
    assert find_directory() is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package"]


# ------------------------------------------------------------------------ other processes


@pytest.fixture
def copy(tmp_path):
    """A package whose kernels may be edited."""
    copy = tmp_path / "skgd"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


LINK = """
import json, os, sys
import numpy as np
import skgd
from skgd.engine.loops import loss_loops
from skgd.losses import Poisson

if len(sys.argv) > 1:
    # Upgrade the package that this process has imported.
    source, old, new = sys.argv[1:]
    stamp, text = os.stat(source), open(source, encoding="utf-8").read()
    assert text.count(old) == 1 and len(old) == len(new)
    with open(source, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def run():
    import warnings
    from skgd.compile.cache import counts

    z = np.zeros((1, 2))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, link = loss_loops(Poisson, z.dtype)
        link(z, np.empty(0))
    stats = link.dispatcher.stats
    return {
        "package": os.path.dirname(skgd.__file__),
        "z": z[0].tolist(),
        "hits": sum(stats.cache_hits.values()),
        "misses": sum(stats.cache_misses.values()),
        "written": counts["written"],
        "warnings": [str(warning.message) for warning in caught],
    }
"""
ONCE = LINK + "print(json.dumps(run()))"
EIGHT_TIMES = (
    LINK
    + """
import multiprocessing
context = multiprocessing.get_context("fork")
start = context.Barrier(8)


def together(queue):
    start.wait()
    queue.put(run())


queue = context.SimpleQueue()
processes = [context.Process(target=together, args=(queue,)) for _ in range(8)]
for process in processes:
    process.start()
print(json.dumps([queue.get() for _ in processes]))
for process in processes:
    process.join()
"""
)
WEIGHTS = """
import hashlib, json, warnings
import numpy as np
import skgd
from skgd.compile.cache import counts

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20))
y = X[:, 0] * X[:, 1]
found = []
for options in ({"batch_normalization": True}, {"solver": "lbfgs"}):
    model = skgd.MLPRegressor(hidden_layer_sizes=(9,), max_iter=3, random_state=3)
    model.set_params(verbose=True, **options).fit(X, y)
    found += [hashlib.sha256(weights).hexdigest() for weights in model.coefs_]
print(json.dumps([found, counts["compiled"], counts["found"]]))
"""
FIT = """
import json, warnings
import numpy as np
from scipy import sparse
import skgd
from skgd.solvers import SOLVERS

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
for dtype in ("float32", "float64"):
    X = rng.normal(size=(600, 30)).astype(dtype)
    y = X[:, 0] > 0
    for scaler in (skgd.MinMaxScaler(clip=True), skgd.MeanScaler(), skgd.ZScoreScaler()):
        for given in (X, np.asfortranarray(X), X[::2], X.astype("float16")):
            scaler.inverse_transform(scaler.fit_transform(given))
        if not isinstance(scaler, skgd.MinMaxScaler):
            scaler.fit(X, sample_weight=1.0 + y).transform(X)
    for solver in [*SOLVERS, "lbfgs"]:
        for model in (
            skgd.MLPClassifier((300, 200), solver=solver, max_iter=2, n_jobs=2),
            skgd.MLPClassifier(
                solver=solver,
                max_iter=2,
                early_stopping=True,
                batch_normalization=solver != "lbfgs",
            ),
        ):
            for rows in (X, sparse.csr_matrix(X)):
                model.fit(rows, y, sample_weight=1.0 + y).predict_proba(rows)
            if solver != "lbfgs":
                model.set_params(early_stopping=False).partial_fit(X, y)
    skgd.MLPRegressor("poisson", learning_rate="adaptive", max_iter=2).fit(X, abs(X))
from skgd.compile.cache import counts

print(json.dumps(counts))
"""


# They take a while, and are the same whatever this process does with its kernels.
in_other_processes = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT or numba.config.BOUNDSCHECK),
    reason="It is run without NUMBA_DISABLE_JIT and NUMBA_BOUNDSCHECK.",
)


def start(*arguments, path=PACKAGE.parent, **variables):
    environment = {
        **os.environ,
        "PYTHONPATH": str(path),
        "SKGD_DISK_CACHE": "1",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=path,
    )


def output(*arguments, **kwargs):
    process = start(*arguments, **kwargs)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return out


def what(found):
    return found["z"], found["hits"], found["misses"]


@pytest.mark.slow
@in_other_processes
def test_an_upgrade_is_compiled_anew(copy, tmp_path):
    """Of a function that is compiled into another file's kernel, size and time kept."""
    source = copy / "losses" / "poisson.py"
    old, new = (f'exp(z)."""\n        return {f}(z)' for f in ("exp", "abs"))

    def run(*edit, **variables):
        found = json.loads(output("-c", ONCE, *edit, path=tmp_path, **variables))
        assert Path(found["package"]) == copy
        return found["z"], found["hits"], found["misses"], found["written"] > 0

    # The process has imported the old code: that is what it compiles, and does not keep.
    fresh = {"PYTHONDONTWRITEBYTECODE": "1"}
    assert run(source, old, new, **fresh) == ([1, 1], 0, 1, False)
    # The link is now abs(z). It leaves .pyc files behind,
    assert run(PYTHONDONTWRITEBYTECODE="") == ([0, 0], 0, 1, True)
    # by which Python does not see the next edit: the old code is not kept as the new.
    stamp, text = source.stat(), source.read_text(encoding="utf-8")
    source.write_text(text.replace(new, old), encoding="utf-8")
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert run() == ([0, 0], 0, 1, False)
    for directory in copy.rglob("__pycache__"):
        for path in directory.glob("*.pyc"):
            path.unlink()
    assert run() == ([1, 1], 0, 1, True)
    assert run() == ([1, 1], 1, 0, False)


@pytest.mark.slow
@in_other_processes
def test_who_compiles_gets_the_same_as_who_loads(copy, tmp_path):
    """To the last bit."""
    outputs = [output("-c", WEIGHTS, path=tmp_path).splitlines() for _ in range(2)]
    announced = [[line for line in lines if "skgd" in line] for lines in outputs]
    assert [line.partition(" in ")[0] for line in announced[0]] == [
        "skgd compiles the training",
        "skgd has compiled the training",
        "skgd compiles the training by L-BFGS, once per installation and dtype. Compiling "
        "all for a first fit takes 10 to 30 s.",
        "skgd has compiled the training by L-BFGS",
    ]
    assert not announced[1]
    runs = [json.loads(lines[-1]) for lines in outputs]
    (weights, compiled, found), (weights_again, compiled_again, found_again) = runs
    assert compiled > 0 == found
    assert compiled_again == 0 < found_again
    assert weights_again == weights


@pytest.mark.slow
@in_other_processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system has no fork.")
def test_eight_processes_that_compile_at_once(copy, tmp_path):
    assert not list(copy.rglob("*.skgd"))
    found = json.loads(output("-c", EIGHT_TIMES, path=tmp_path))
    assert [each["z"] for each in found] == [[1, 1]] * 8
    # It was compiled at least twice at the same time, and each time written.
    assert sum(each["misses"] for each in found) >= 2
    assert all(each["written"] >= each["misses"] for each in found)
    after = json.loads(output("-c", ONCE, path=tmp_path))
    assert what(after) == ([1, 1], 1, 0)
    left = {path.suffix for path in (copy / "__pycache__").iterdir()}
    assert left - {".pyc"} == {".skgd"}


# Elsewhere a process cannot be told where the home is.
posix_home = pytest.mark.skipif(
    os.name != "posix", reason="Windows does not look for the user's cache in HOME."
)


@pytest.mark.slow
@posix_home
@in_other_processes
def test_an_installation_and_a_home_that_cannot_be_written(copy, tmp_path):
    """Files stand where directories should be: nobody can write there, not even root."""
    (copy / "__pycache__").touch()
    (tmp_path / "home").touch()
    before = sorted(tmp_path.rglob("*"))
    found = json.loads(
        output(
            "-c",
            ONCE,
            path=tmp_path,
            HOME=str(tmp_path / "home"),
            XDG_CACHE_HOME="",
            NUMBA_CACHE_DIR=str(tmp_path / "home"),
            PYTHONDONTWRITEBYTECODE="1",
        )
    )
    assert what(found) == ([1, 1], 0, 1)
    assert found["written"] == 0
    (warning,) = found["warnings"]
    assert "NUMBA_CACHE_DIR" in warning
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@posix_home
@in_other_processes
def test_a_package_in_a_zip_file(copy, tmp_path):
    """It is cached where it can be, and an upgrade is compiled anew."""
    archive = shutil.make_archive(tmp_path / "skgd", "zip", tmp_path, "skgd")
    source = copy / "losses" / "poisson.py"

    def run(path, **variables):
        elsewhere = {"XDG_CACHE_HOME": "", "HOME": str(tmp_path / "home"), **variables}
        program = ONCE.replace(
            "import json", f"import sys; sys.path[:0] = [{path!r}]\nimport json", 1
        )
        return json.loads(
            output("-P", "-c", program, path=tmp_path / "nothing", **elsewhere)
        )

    (tmp_path / "nothing").mkdir()
    (tmp_path / "home").touch()
    chosen = {"NUMBA_CACHE_DIR": str(tmp_path / "chosen")}
    assert what(run(archive, **chosen)) == ([1, 1], 0, 1)
    found = run(archive, **chosen)
    assert found["package"] == str(Path(archive) / "skgd")
    assert what(found) == ([1, 1], 1, 0)
    assert not found["warnings"]
    (warning,) = run(archive)["warnings"]
    assert "NUMBA_CACHE_DIR" in warning
    text = source.read_text(encoding="utf-8")
    changed = text.replace("return exp(z)\n", "return exp(z) + 1.0\n")
    assert changed != text
    source.write_text(changed, encoding="utf-8")
    archive = shutil.make_archive(tmp_path / "skgd", "zip", tmp_path, "skgd")
    assert what(run(archive, **chosen)) == ([2, 2], 0, 1)


# ---------------------------------------------------------------------------------- ahead


@pytest.mark.slow
@in_other_processes
def test_after_precompile_nothing_is_compiled():
    """In the cache that is there: precompile fills it."""
    done = output("-m", "skgd.precompile").splitlines()
    assert re.fullmatch(r"1/9 training, float32: [\d.]+ s", done[0])
    assert re.fullmatch(r"9/9 all networks, float64: [\d.]+ s", done[8])
    assert re.fullmatch(r"\d+ kernels compiled and \d+ found in [\d.]+ s", done[9])
    assert Path(done[10]).is_dir()
    counts = json.loads(output("-c", FIT))
    assert set(counts) == {"found"}
    assert counts["found"] > 20


def test_precompile_says_why_nothing_is_kept(monkeypatch, capsys):
    monkeypatch.setattr(
        precompile, "compile_all", lambda dtypes, verbose: Counter(compiled=1)
    )
    assert precompile.main([]).endswith(" could not be written.")
    assert "kernels compiled" in capsys.readouterr().out
    monkeypatch.setattr(cache, "cache_directory", lambda: None)
    assert "NUMBA_CACHE_DIR" in precompile.main([])
    monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    assert "SKGD_DISK_CACHE=0" in precompile.main([])
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert "NUMBA_DISABLE_JIT" in precompile.main([])
    assert not capsys.readouterr().out


@in_other_processes
def test_warm_up_compiles_also_where_nothing_is_kept(monkeypatch, caplog, capsys):
    monkeypatch.setenv("SKGD_DISK_CACHE", "0")
    compiled, parts = [], _warm_up.PARTS
    for part in parts:
        monkeypatch.setitem(
            parts, part, lambda dtype, part=part: compiled.append((part, dtype))
        )
    skgd.warm_up(np.float64)
    assert compiled == [(part, "float64") for part in parts]
    assert not capsys.readouterr().out


@in_other_processes
@pytest.mark.parametrize("verbose", [False, True])
def test_warm_up_tells_its_progress(verbose, monkeypatch, caplog, capsys):
    caplog.set_level(logging.INFO, logger="skgd")
    monkeypatch.setattr(_warm_up, "cpu_count", lambda: 1)
    for part in _warm_up.PARTS:
        monkeypatch.setitem(_warm_up.PARTS, part, lambda dtype: None)
    skgd.warm_up(["float64", "float32"], verbose=verbose)
    lines = [record.message for record in caplog.records]
    assert [line.partition(":")[0] for line in lines[:3]] == [
        "1/9 training, float32",
        "2/9 training, float64",
        "3/9 L-BFGS, float64",
    ]
    assert capsys.readouterr().out.splitlines() == (lines if verbose else [])


@pytest.mark.parametrize(
    "dtypes", ["float16", int, (), ["float32", "half"], [None], ["a b"]]
)
def test_warm_up_knows_two_dtypes(dtypes):
    with pytest.raises(ValueError, match="dtypes must be 'float32', 'float64' or"):
        skgd.warm_up(dtypes)


def test_warm_up_has_nothing_to_do_without_the_jit(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    monkeypatch.setattr(_warm_up, "compile_all", pytest.fail)
    skgd.warm_up()
