"""The order of the layers, and the places of compiled code, read from the sources."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import skgd

PACKAGE = Path(skgd.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
PLUGINS = {
    *("solvers", "steps", "schedules", "activations", "losses", "embeddings"),
    "initializers",
}
ENGINE = {"compile", "engine", "kernels", "parallel", "stages"}
ESTIMATORS = {
    "dask",
    "model_selection",
    "neural_network",
    "onnx",
    "preprocessing",
    "tabular",
}
# The modules of no layer, for the estimators.
SHARED = {
    "_caller",
    "_explain",
    "_faults",
    "_state",
    "_synonyms",
    "_validation",
}

# Imported by the first kernel that is compiled.
WITH_NUMBA = [
    PACKAGE / name
    for name in (
        "compile/cache.py",
        "compile/first_class.py",
        "compile/numba_private.py",
        "kernels/vectors.py",
    )
]


def every_source(check):
    """Make a test of all sources; the error names the one that fails."""

    def test():
        for path in SOURCES:
            try:
                check(path)
            except AssertionError as error:
                error.add_note(f"in {path}")
                raise

    return test


def layer_of(path):
    """Return the subpackage of a source, '' for the top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree):
    """Yield (module, name) of all imports, name None for plain ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from ((node.module, alias.name) for alias in node.names)


def at_import_time(tree):
    """Yield the nodes that run when a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from at_import_time(node)


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def allowed(layer):
    """Return the subpackages that one may import from."""
    if layer in PLUGINS:
        return {"engine", "kernels", *({layer} & {"schedules"})}
    return {
        "": {
            "",
            "_show_versions",
            "_warm_up",
            "preprocessing",
            "neural_network",
            "tabular",
            "compile",
            "engine",
            "parallel",
            *SHARED,
            *PLUGINS,
        },
        "compile": {"compile", "_caller"},
        "parallel": {"parallel", "compile"},
        "kernels": {"kernels", "compile"},
        "engine": {"engine", "kernels", "parallel", "compile"},
        "stages": {"engine", "stages", "kernels", "parallel", "compile"},
        "preprocessing": {"preprocessing", "kernels", "parallel", "compile", *SHARED},
        "neural_network": {
            "neural_network",
            "preprocessing",
            *ENGINE,
            *SHARED,
            *PLUGINS,
        },
        "dask": {
            "dask",
            "neural_network",
            "parallel",
            "preprocessing",
            *SHARED,
            *PLUGINS,
        },
        "model_selection": {"model_selection", "neural_network", *SHARED, *PLUGINS},
        "tabular": {
            "tabular",
            "neural_network",
            "preprocessing",
            *ENGINE,
            *SHARED,
            *PLUGINS,
        },
        "onnx": {"onnx", "tabular", "neural_network", "preprocessing", *ENGINE, *PLUGINS},
    }[layer]


def test_the_layers_are_known():
    found = {layer_of(path) for path in SOURCES}
    assert found == {"", *ENGINE, *ESTIMATORS, *PLUGINS}


@every_source
def test_imports_point_one_way(path):
    layer = layer_of(path)
    may = allowed(layer)
    if path.name == "__init__.py":
        may = may | {layer}  # a registry lists its own files
    for module, name in imports(parse(path)):
        parts = module.split(".")
        if parts[0] == "skgd":
            there = parts[1] if len(parts) > 1 else (name or "")
            there = "" if there == "_version" else there
            assert there in may, f"{layer} imports {module}"


@every_source
def test_only_estimators_and_plugins_import_scikit_learn(path):
    """A plug-in is one without fit."""
    modules = {module.split(".")[0] for module, _ in imports(parse(path))}
    estimators = layer_of(path) in ESTIMATORS or path.stem in (
        *SHARED,
        "_show_versions",
        "_warm_up",
        "threads",
    )
    if not estimators:
        assert not modules & {"joblib", "threadpoolctl"}
    if not estimators and layer_of(path) not in PLUGINS and path.stem != "plugins":
        assert "sklearn" not in modules


@every_source
def test_numba_is_imported_when_it_is_needed(path):
    if path in WITH_NUMBA:
        return
    now = {
        module
        for node in at_import_time(parse(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module, _ in imports(node)
    }
    assert not {module.split(".")[0] for module in now} & {"numba", "llvmlite"}
    assert not {f"skgd.{path.parent.name}.{path.stem}" for path in WITH_NUMBA} & now


@pytest.mark.slow
def test_importing_skgd_costs_little_more_than_scikit_learn():
    """It imports nothing but its own modules and some of Python's."""
    code = """
import sys
import sklearn.neural_network
before = set(sys.modules)
import skgd
tops = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(tops - sys.stdlib_module_names))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout == "['skgd']\n"


@every_source
def test_one_decorator(path):
    """Numba's own decorators are used in compile/jit.py alone.

    And in views.py, for the slices that bounds checks need.
    """
    names = {name for module, name in imports(parse(path)) if module.startswith("numba")}
    decorators = {
        "njit",
        "jit",
        "vectorize",
        "guvectorize",
        "cfunc",
        "stencil",
        "generated_jit",
        "jitclass",
    }
    may = {"compile/jit.py": {"njit"}, "kernels/views.py": {"njit"}}
    where = may.get(path.relative_to(PACKAGE).as_posix(), set())
    assert names & decorators <= where
    text = path.read_text(encoding="utf-8")
    for decorator in decorators:
        assert f"numba.{decorator}" not in text


@every_source
def test_no_flags_elsewhere(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.keyword):
            value = getattr(node.value, "value", None)
            assert not (node.arg in ("fastmath", "parallel") and value is True)
            if node.arg in ("fastmath", "parallel", "nogil", "error_model"):
                assert path == PACKAGE / "compile" / "jit.py"
    assert "prange" not in path.read_text(encoding="utf-8")


@every_source
def test_no_kernels_where_the_cache_does_not_look(path):
    """Its fingerprint leaves the estimators of networks out."""
    if layer_of(path) == "neural_network":
        names = {name for _, name in imports(parse(path))}
        assert not {"jit", "strict_jit", "by_dtype", "Stub", "Kernel"} & names


@every_source
def test_private_names_of_numba_are_in_one_file(path):
    if path == PACKAGE / "compile" / "numba_private.py":
        return
    public = {"numba", "numba.types", "numba.extending"}
    public |= {"llvmlite", "llvmlite.ir", "llvmlite.binding"}
    for module, name in imports(parse(path)):
        if module.split(".")[0] in ("numba", "llvmlite"):
            assert module in public
            assert name in (None, "__version__") or not name.startswith("_")
            assert name not in ("core", "misc", "np")
    text = path.read_text(encoding="utf-8")
    for part in ("numba.core", "numba.np", "numba.misc", "numba._", "dispatcher._"):
        assert part not in text


def test_each_private_name_has_its_reasons():
    """A line above the import: since when it exists, and what to do when it goes."""
    path = PACKAGE / "compile" / "numba_private.py"
    blocks = re.split(r"\n\n+", path.read_text(encoding="utf-8"))
    private = [b for b in blocks if re.search(r"^from numba\.", b, flags=re.M)]
    assert len(private) > 5
    for block in private:
        assert re.match(r"# Since 0\.\d+", block)
        assert re.search(r"When (it|they) goe?s?:|with CompilerBase", block)


def test_every_plugin_is_in_a_registry():
    """A file that is in none would be dead."""
    for layer in ["stages", *PLUGINS]:
        registry = parse(PACKAGE / layer / "__init__.py")
        own = f"skgd.{layer}."
        listed = {m.removeprefix(own) for m, _ in imports(registry) if m.startswith(own)}
        files = {path.stem for path in (PACKAGE / layer).glob("*.py")} - {"__init__"}
        assert listed == files


def test_files_stay_small():
    """One concept a file."""
    for path in SOURCES:
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        assert n_lines <= 420, path


def test_the_public_names():
    assert dir(skgd) == sorted(skgd.__all__)
    for name in dir(skgd):
        assert hasattr(skgd, name)
