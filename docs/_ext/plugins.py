"""Directives that read the registries: a new plug-in appears by itself.

- ``{plugin-table} solvers`` is a table of all solvers,
- ``{plugin} solvers momentum`` is the formula and the references of one, from the docstring
  of its file,
- ``{plugin-rest} solvers`` is the same for all that the page has not shown before.
"""

import importlib
import inspect
import re
import sys

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

# What makes up a table: its plug-ins under their public names.
REGISTRIES = {
    "solvers": ("SOLVERS",),
    "schedules": ("SCHEDULES",),
    "activations": ("ACTIVATIONS",),
    "losses": ("LOSSES",),
}


def registered(kind):
    """List (names, class, docstring of its file), a line a plug-in."""
    package = importlib.import_module(f"skgd.{kind}")
    names = {}
    for registry in REGISTRIES[kind]:
        for key, plugin in getattr(package, registry).items():
            names.setdefault(plugin, []).append(key if kind != "losses" else plugin.name)
    return [
        (list(dict.fromkeys(keys)), plugin, inspect.getdoc(sys.modules[plugin.__module__]))
        for plugin, keys in names.items()
    ]


def markdown(docstring):
    """Turn the little reStructuredText of these docstrings to Markdown."""
    summary, _, rest = docstring.partition("\n\n")
    text, _, references = rest.partition("References\n----------\n")
    if references:
        items = [" ".join(item.split()) for item in references.strip().split("\n\n")]
        text += "\n\n**Source.** " + "\n\n".join(items)
    text = text.replace("``", "`")
    text = re.sub(r"\.\. math::[ ]*(\S[^\n]*)", r"$$\n\1\n$$", text)
    text = re.sub(
        r"\.\. math::\n\n((?:[ ]+[^\n]*\n?|\n)+)",
        lambda found: "```{math}\n" + inspect.cleandoc(found[1]) + "\n```\n\n",
        text,
    )
    text = re.sub(r":math:`([^`]+)`", r"$\1$", text)
    return summary, text


def call(plugin):
    """Write the constructor's call with its defaults."""
    signature = inspect.signature(plugin)
    return f"{plugin.__name__}{signature.replace(return_annotation=signature.empty)}"


class PluginTable(SphinxDirective):
    """A table of all plug-ins of a kind."""

    required_arguments = 1

    def run(self):
        kind = self.arguments[0]
        heads = {
            "solvers": ["`solver`", "Object", "What it is", "State"],
            "schedules": ["`learning_rate`", "Object", "What it is"],
            "activations": ["`activation`", "Object", "What it is"],
            "losses": ["Loss", "Object", "What it is", "Prediction"],
        }[kind]
        rows = []
        for names, plugin, docstring in registered(kind):
            row = [
                ", ".join(f"`'{name}'`" for name in names),
                f"`{call(plugin)}`",
                docstring.partition("\n")[0].rstrip("."),
            ]
            if kind == "solvers":
                row.append(f"{plugin.n_slots} per parameter" if plugin.n_slots else "–")
            if kind == "losses":
                row.append(f"`{plugin.out_activation}`")
            rows.append(row)
        lines = [
            "| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows]
        ]
        return _parsed(self, lines)


class Plugin(SphinxDirective):
    """Formula and references of one plug-in."""

    required_arguments = 2

    def run(self):
        kind, name = self.arguments
        self.env.temp_data.setdefault("plugins", set()).add((kind, name))
        for keys, _, docstring in registered(kind):
            if name in keys:
                return _parsed(self, markdown(docstring)[1].splitlines())
        raise self.error(f"no {name!r} among the {kind}")


class PluginRest(SphinxDirective):
    """All plug-ins of a kind that this page has not shown."""

    required_arguments = 1

    def run(self):
        kind = self.arguments[0]
        shown = self.env.temp_data.get("plugins", set())
        result = []
        for keys, _, docstring in registered(kind):
            if not any((kind, key) in shown for key in keys):
                summary, text = markdown(docstring)
                lines = [f"**`'{keys[0]}'`** {summary}", "", *text.splitlines()]
                result += _parsed(self, lines)
        return result


def _parsed(directive, lines):
    container = nodes.container()
    source = directive.get_source_info()[0]
    directive.state.nested_parse(StringList(lines, source), 0, container)
    return container.children


def setup(app):
    """Register the directives."""
    app.add_directive("plugin-table", PluginTable)
    app.add_directive("plugin", Plugin)
    app.add_directive("plugin-rest", PluginRest)
    # The tables change with the registries, not with the pages: read them every time.
    app.connect("env-before-read-docs", _always_read)
    return {"parallel_read_safe": True}


def _always_read(app, env, names):
    if "user_guide" not in names and "user_guide" in env.all_docs:
        names.append("user_guide")
