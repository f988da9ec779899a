"""The page about your own plug-ins: its steps are applied to a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "add_a_solver.md"
NAMES = {
    "solvers": ("adamax", "AdaMax"),
    "schedules": ("triangular", "Triangular"),
    "activations": ("celu", "CELU"),
    "losses": ("log_cosh", "LogCosh"),
}


def blocks():
    """Yield (file, language, text, whether it is appended) of the blocks of files."""
    path = appended = None
    pattern = r"^`([\w/]+\.py)`(, at the end)?:$|^```(\w+)\n(.*?)^```$"
    text = PAGE.read_text(encoding="utf-8").partition("## In the package")[2]
    for found in re.finditer(pattern, text, flags=re.M | re.S):
        if found[1]:
            path, appended = found[1], bool(found[2])
        elif found[3] in ("python", "diff") and not found[4].startswith(">>>"):
            yield path, found[3], found[4], appended


def patched(text, diff):
    """Apply a block of a diff, whose old lines occur once."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] != "+")
    new = "".join(line[1:] for line in lines if line[0] != "-")
    assert text.count(old) == 1, old
    return text.replace(old, new)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    for name in ("skgd", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "_build", "auto_examples")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "setup.cfg", folder)
    for name, language, text, appended in blocks():
        path = folder / name
        if language == "diff":
            path.write_text(patched(path.read_text(encoding="utf-8"), text), "utf-8")
        elif appended:
            path.write_text(path.read_text("utf-8") + "\n\n" + text, "utf-8")
        else:
            assert not path.exists()
            path.write_text(text, "utf-8")
    return folder


def run(folder, *command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_has_one_of_each_kind():
    found = {path for path, *_ in blocks()}
    for kind, (name, _) in NAMES.items():
        assert {
            f"skgd/{kind}/{name}.py",
            f"skgd/{kind}/__init__.py",
            f"tests/oracles/{kind}.py",
        } <= found
    assert len(found) == 12


@pytest.mark.slow
def test_names_and_docstrings_follow(copy):
    out = run(
        copy,
        "-c",
        "import skgd\n"
        "print(skgd.__file__)\n"
        "print(skgd.MLPRegressor.__doc__)\n"
        "for name in ('solver', 'learning_rate', 'activation', 'loss'):\n"
        "    print(*skgd.MLPRegressor._parameter_constraints[name])\n",
    )
    assert out.startswith(str(copy))
    for name, _ in NAMES.values():
        # The type, the list and the constraint.
        assert out.count(f"'{name}'") == 3


@pytest.mark.slow
def test_what_the_page_says_passes_the_tests_that_all_share(copy):
    names = [name for pair in NAMES.values() for name in pair]
    chosen = " or ".join(
        [*names, "oracle", "registry", "docstrings", "declared", "imports"]
    )
    out = run(
        copy,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen),
        *(f"tests/{kind}" for kind in NAMES),
        *("tests/test_plugins.py", "tests/test_imports.py"),
        "tests/neural_network/test_plugin_parameters.py",
    )
    assert int(re.search(r"(\d+) passed", out)[1]) > 60
