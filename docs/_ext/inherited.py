"""``{inherited} skgd.MLPClassifier`` lists the methods that a class has from scikit-learn.

Each links to scikit-learn's page of it, where there is one.
"""

import importlib
import inspect
import re

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

# Base classes without a page, and those whose pages list their methods.
PAGES = {"_MetadataRequester": "BaseEstimator", "_SetOutputMixin": "TransformerMixin"}


def inherited(cls):
    """List (name, class in scikit-learn's documentation, first line of the docstring)."""
    found = []
    for name in dir(cls):
        method = getattr(cls, name, None)
        static = inspect.getattr_static(cls, name)
        function = getattr(static, "fn", static)  # behind available_if
        module = getattr(function, "__module__", None) or ""
        if (
            name.startswith("_")
            or not module.startswith("sklearn.")
            or not callable(method)
        ):
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base)).__name__
        summary = inspect.getdoc(method).partition("\n")[0]
        # References into scikit-learn's own pages: only their text.
        summary = re.sub(r":\w+:`([^<`]*?)(?: <[^`]*>)?`", r"\1", summary)
        found.append((name, PAGES.get(owner, owner), summary))
    return found


class Inherited(Directive):
    """A heading and a line a method, or nothing."""

    required_arguments = 1

    def run(self):
        module, _, name = self.arguments[0].rpartition(".")
        methods = inherited(getattr(importlib.import_module(module), name))
        if not methods:
            return []
        lines = [".. rubric:: Methods of scikit-learn's base classes", ""]
        for name, owner, summary in methods:
            reference = f":meth:`{name} <sklearn.base.{owner}.{name}>`"
            lines += [f"- {reference}: {summary}"]
        container = nodes.container()
        source = f"methods of {self.arguments[0]}"
        self.state.nested_parse(StringList(lines, source), 0, container)
        return container.children


def setup(app):
    """Register the directive."""
    app.add_directive("inherited", Inherited)
    return {"parallel_read_safe": True}
