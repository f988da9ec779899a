"""The fingerprint of the sources, and plug-ins that bring their own."""

import importlib
import json
import math
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numba
import numpy as np
import pytest

import skgd
from skgd.activations import ACTIVATIONS, Activation
from skgd.compile import sources
from skgd.compile.jit import jit, strict_jit
from skgd.engine.loops import loss_loops, solver_loop
from skgd.losses import LINKS
from skgd.solvers import SOLVERS
from skgd.stages.activate import activation_loops

PACKAGE = Path(skgd.__file__).parent


@pytest.fixture
def fingerprint_of(monkeypatch):
    def fingerprint_of(folder):
        monkeypatch.setattr(sources, "files", lambda package: folder)
        return sources._fingerprint()

    return fingerprint_of


def test_every_source_counts_but_those_of_estimators(tmp_path, fingerprint_of):
    for path in PACKAGE.rglob("*.py"):
        copy = tmp_path / path.relative_to(PACKAGE)
        copy.parent.mkdir(exist_ok=True, parents=True)
        copy.write_bytes(path.read_bytes())
    before = fingerprint_of(tmp_path)
    assert before == sources.FINGERPRINT
    found = {before}
    for path in tmp_path.rglob("*.py"):
        content = path.read_bytes()
        path.write_bytes(content + b"#")
        inside = path.relative_to(tmp_path).parts[0] in sources.WITHOUT_KERNELS
        assert (fingerprint_of(tmp_path) == before) == inside
        found.add(fingerprint_of(tmp_path))
        path.write_bytes(content)
    assert fingerprint_of(tmp_path) == before
    n_inside = sum(len(list((tmp_path / r).rglob("*.py"))) for r in sources.WITHOUT_KERNELS)
    assert len(found) == 1 + len(list(tmp_path.rglob("*.py"))) - n_inside


def test_names_and_bounds_of_files_count(tmp_path, fingerprint_of):
    def written(**contents):
        for path in tmp_path.iterdir():
            path.unlink()
        for name, content in contents.items():
            (tmp_path / f"{name}.py").write_text(content)
        return fingerprint_of(tmp_path)

    found = [written(a="1", b="2"), written(a="12", b=""), written(a="1", c="2")]
    assert len(set(found)) == 3


def test_a_zip_file_has_the_same_fingerprint(tmp_path, fingerprint_of):
    with zipfile.ZipFile(tmp_path / "skgd.zip", "w") as file:
        for path in PACKAGE.rglob("*.py"):
            file.write(path, path.relative_to(PACKAGE.parent))
    folder = zipfile.Path(tmp_path / "skgd.zip", "skgd/")
    assert fingerprint_of(folder) == sources.FINGERPRINT


def test_without_sources_there_is_none(tmp_path, fingerprint_of):
    assert fingerprint_of(tmp_path) is None
    assert fingerprint_of(tmp_path / "missing") is None
    assert fingerprint_of(None) is None


def forget():
    sources._are_unchanged.cache_clear()
    sources._runs_its_source.cache_clear()


def test_the_package_runs_its_sources(monkeypatch):
    assert sources.are_unchanged()
    # Where it cannot be told, it does not.
    with monkeypatch.context() as patch:
        patch.setattr(sources.__spec__, "loader", None)
        forget()
        assert not sources.are_unchanged()
    forget()


def test_kernels_of_the_package_are_identified():
    for dtype in map(np.dtype, ("float32", "float64")):
        kernels = [solver_loop(((solver, 2),), dtype) for solver in SOLVERS.values()]
        for loss in LINKS.values():
            kernels += loss_loops(loss, dtype)
        for activation in ACTIVATIONS.values():
            kernels += activation_loops(activation, dtype)
        for kernel in kernels:
            assert repr(sources.identify(kernel.__wrapped__))


# -------------------------------------------------------------------------------- plug-ins

FUNCTIONS = """
import numba
import numpy as np

NUMBER = 0.5
TABLE = np.ones(3)

def helper(z):
    return z

dispatcher = numba.njit(helper)

def reads_a_number(z):
    return NUMBER * np.exp(z)

def reads_an_array(z):
    return TABLE[0] * z

def calls_a_function(z):
    return helper(z)

def calls_a_dispatcher(z):
    return NUMBER * dispatcher(z)

def closing_over(part):
    return lambda z: part(z)

def two(first):
    return (lambda z: z) if first else (lambda z: 2 * z)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module outside of the package, and of pytest's import hook."""
    name = "own_functions"
    (tmp_path / f"{name}.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name)
    del sys.modules[name]


def test_what_is_certain_is_identified(own):
    found = [
        sources.identify(function)
        for function in (
            own.reads_a_number,
            own.closing_over(jit(own.reads_a_number)),
            own.closing_over(strict_jit(own.reads_a_number)),
            own.closing_over((1, 2.0)),
            own.closing_over((1, 2)),
            own.closing_over(np.float32(2)),
            own.closing_over(np.exp),
            own.closing_over(math.exp),
            own.two(True),
            own.two(False),
        )
    ]
    assert len(set(map(repr, found))) == len(found)


@pytest.mark.parametrize(
    "name", ["reads_an_array", "calls_a_function", "calls_a_dispatcher"]
)
def test_what_is_not_certain_is_not(own, name):
    """Nor what closes over it."""
    function = getattr(own, name)
    for uncertain in (function, own.closing_over(jit(function))):
        with pytest.raises(TypeError, match="neither a number nor a kernel"):
            sources.identify(uncertain)


def test_code_that_is_in_no_file_is_not_identified(own):
    """As in a notebook, or made by exec."""
    source = "def made(z):\n    return z"
    for name in ("__main__", own.__name__):
        names = {"__name__": name}
        exec(source, names)
        with pytest.raises(ValueError, match="not from a module that can be imported"):
            sources.identify(names["made"])
    exec(source, vars(own))
    with pytest.raises(ValueError, match="not in list"):
        sources.identify(own.made)


def test_a_number_that_changes_in_a_process_ends_it(own, monkeypatch):
    """Numba keeps the number that it compiled with."""
    first = repr(sources.identify(own.reads_a_number))
    monkeypatch.setattr(own, "NUMBER", 0.25)
    with pytest.raises(ValueError, match="has changed since"):
        sources.identify(own.reads_a_number)
    monkeypatch.setattr(own, "NUMBER", 0.5)
    assert repr(sources.identify(own.reads_a_number)) == first


class Scaled(Activation):
    @staticmethod
    def value(z):
        return 0.5 * z

    @staticmethod
    def slope(a):
        return 0.5


def test_loops_of_a_plugin_differ_in_their_names():
    names = {kernel.__qualname__ for kernel in activation_loops(Scaled, np.dtype("f4"))}
    assert f"activate-{__name__}.Scaled.value-value-0" in names


MODULE = """
import math
import numpy as np
from skgd.activations import Activation
from skgd.compile.jit import jit
from skgd.losses import Loss
from skgd.solvers import Solver
import own_helper
from own_helper import doubled

FACTOR = 0.5

class Own(Activation):
    slope_of = "input"
    @staticmethod
    def value(z):
        return FACTOR * doubled(z) + math.tanh(z) - np.tanh(z)
    @staticmethod
    def slope(z):
        return 1.0

class OwnLoss(Loss):
    def __init__(self, delta=1.0):
        self.delta = delta
    @staticmethod
    def value(z, y, delta):
        return delta * 0.5 * (z - y) ** 2
    @staticmethod
    def slope(z, y, delta):
        return delta * (z - y)

class OwnSolver(Solver):
    @staticmethod
    def update(theta, g, state, coefficients):
        return theta - coefficients[0] * g, ()
"""
HELPER = """
from skgd.compile.jit import jit

@jit
def doubled(z):
    return 2.0 * z
"""
RUN = """
import json, warnings
import numpy as np
from skgd import MLPRegressor
from skgd.compile.cache import counts
import own
import own_helper

warnings.simplefilter("ignore")
{then}
X = np.arange(12.0).reshape(6, 2) / 12
losses = []
for dtype in ("float32", "float64"):
    model = MLPRegressor(own.OwnLoss(), hidden_layer_sizes=(2,), activation=own.Own(),
        solver=own.OwnSolver(), learning_rate_init=0.1, max_iter=2, random_state=0)
    losses.append(model.fit(X.astype(dtype), X[:, 0]).loss_)
print(json.dumps([losses, counts["compiled"], counts["written"]]))
"""


@pytest.fixture
def run(tmp_path):
    if numba.config.DISABLE_JIT or numba.config.BOUNDSCHECK:
        pytest.skip("It is run without NUMBA_DISABLE_JIT and NUMBA_BOUNDSCHECK.")
    (tmp_path / "own.py").write_text(MODULE)
    (tmp_path / "own_helper.py").write_text(HELPER)

    def run(then=""):
        done = subprocess.run(
            [sys.executable, "-c", RUN.format(then=then)],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGE.parent)]),
                "SKGD_DISK_CACHE": "1",
                "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=600,
        )
        return json.loads(done.stdout)

    return run


def edit(path, old, new):
    """Edit a module, its size and time kept."""
    stamp, text = path.stat(), path.read_text()
    assert text.count(old) == 1
    assert len(old) == len(new)
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


@pytest.mark.slow
def test_a_plugin_of_a_module_is_compiled_once(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    first, compiled, _ = run()
    assert compiled > 0
    assert run() == [first, 0, 0]
    # Whatever changes is compiled anew, with other results.
    seen = [first]
    for name, old, new in (
        ("own", "delta * (z - y)", "delta * (y - z)"),
        ("own", "FACTOR = 0.5", "FACTOR = 0.6"),
        ("own_helper", "2.0 * z", "3.0 * z"),
    ):
        edit(tmp_path / f"{name}.py", old, new)
        losses, compiled, written = run()
        assert compiled == written > 0
        assert losses not in seen
        seen.append(losses)
        assert run() == [losses, 0, 0]
    # A number of the module that is set at run time.
    losses, compiled, _ = run("own.FACTOR = 0.7")
    assert compiled > 0
    assert losses not in seen
    # The file of each kernel holds one version: this process compiles its own again.
    assert run()[0] == seen[-1]


@pytest.mark.slow
def test_a_plugin_that_has_changed_since_it_was_imported_is_not_kept(
    run, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    old, _, _ = run()
    path = tmp_path / "own.py"
    edit(path, "delta * (z - y)", "delta * (y - z)")
    new, _, _ = run()
    edit(path, "delta * (y - z)", "delta * (z - y)")
    # The process imports the old one, which then becomes the new one.
    then = f"""
from pathlib import Path
path = Path({str(path)!r})
path.write_text(path.read_text().replace("delta * (z - y)", "delta * (y - z)"))
"""
    assert run(then)[0] == old
    assert run()[0] == new
