"""Validate the docstrings of the public names, as setup.cfg configures it.

numpydoc's own hook reads source files; the estimators' docstrings are put together at
import, so here the objects are imported.
"""

import configparser
import importlib
import inspect
import re
import sys
from pathlib import Path

from numpydoc.validate import validate

import skgd

# Of their classes, the functions of numbers have only a sentence.
PLUGINS = (
    "activations",
    "dask",
    "initializers",
    "inspection",
    "losses",
    "model_selection",
    "neural_network",
    "onnx",
    "schedules",
    "solvers",
    "testing",
)


def public_objects():
    """Yield the import path of each public function, class and its own public methods."""
    for module in PLUGINS:
        for name in importlib.import_module(f"skgd.{module}").__all__:
            if not name.isupper():
                yield f"skgd.{module}.{name}"
    for name in skgd.__all__:
        obj = getattr(skgd, name)
        if not callable(obj):
            continue
        yield f"skgd.{name}"
        if not inspect.isclass(obj):
            continue
        for attribute in dir(obj):
            member = inspect.getattr_static(obj, attribute)
            function = getattr(member, "fn", member)  # behind available_if
            module = getattr(function, "__module__", None) or ""
            if not attribute.startswith("_") and module.startswith("skgd."):
                yield f"skgd.{name}.{attribute}"


def main():
    """Print what is wrong; return how many errors there are."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[1] / "setup.cfg")
    section = config["tool:numpydoc_validation"]
    ignored = set(re.split(r",\s*", section["checks"]))
    exclude = re.compile("|".join(section["exclude"].split()))
    n_objects = n_errors = 0
    for path in public_objects():
        if exclude.search(path):
            continue
        n_objects += 1
        for code, message in validate(path)["errors"]:
            if code not in ignored:
                n_errors += 1
                print(f"{path}: {code} {message}")
    print(f"{n_objects} public docstrings, {n_errors} errors")
    return n_errors


if __name__ == "__main__":
    sys.exit(min(main(), 1))
