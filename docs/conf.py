"""Configuration of the documentation."""

import os
import re
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from docutils import nodes
from sklearn.exceptions import ConvergenceWarning
from sphinx_gallery.sorting import ExplicitOrder

import skgd

project = "skgd"
author = "The skgd developers"
copyright = "the skgd developers, BSD-3-Clause"
version = release = skgd.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx-mathjax-offline",  # a copy of MathJax: no page needs a network
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "figures",
    "groups",
    "inherited",
    "plugins",
    "techniques",
    "thumbnails",
]
exclude_patterns = [
    "_build",
    "_inventories",
    "auto_examples/**.md5",
    "auto_examples/**.py",
]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"
numpydoc_xref_param_type = False

# The names that the pages link to, kept here: a build needs no network.
intersphinx_mapping = {
    project: (url, f"_inventories/{project}.txt")
    for project, url in (
        ("numpy", "https://numpy.org/doc/stable/"),
        ("pandas", "https://pandas.pydata.org/docs/"),
        ("scikit-learn", "https://scikit-learn.org/stable/"),
        ("scipy", "https://docs.scipy.org/doc/scipy/"),
    )
}

# What is copied runs: without prompts, and without what is printed.
copybutton_prompt_text = r">>> |\.\.\.(?: |$)"
copybutton_prompt_is_regexp = True
copybutton_selector = ":not(.sphx-glr-script-out) > div.highlight > pre"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # The main job is run too, so that its output can be read.
    "filename_pattern": r"/(plot_|main_job)",
    "subsection_order": ExplicitOrder(
        ["../examples/data", "../examples/training", "../examples/networks"]
    ),
    "within_subsection_order": ExplicitOrder(
        [
            "plot_tutorial.py",
            "main_job.py",
            "plot_scalers.py",
            "plot_tables.py",
            "plot_many_rows.py",
            "plot_solvers.py",
            "plot_solver_paths.py",
            "plot_race.py",
            "plot_learning_rate_range.py",
            "plot_inverse_time_decay.py",
            "plot_curves.py",
            "plot_batch_normalization.py",
            "plot_regularization.py",
            "plot_imbalance.py",
            "plot_your_own.py",
            "*",
        ]
    ),
    "abort_on_example_error": False,
    "download_all_examples": False,
    "doc_module": ("skgd",),
    "backreferences_dir": "api/generated/backreferences",
    "inspect_global_variables": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "remove_config_comments": True,
    "image_scrapers": ("thumbnails",),
    "image_srcset": ["2x"],
    "capture_repr": (),
}
warnings.filterwarnings("ignore", category=ConvergenceWarning)
os.environ.setdefault("MPLBACKEND", "Agg")

html_theme = "pydata_sphinx_theme"
html_title = f"skgd {release}"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["skgd.css"]
html_js_files = ["search.js"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": f"skgd {release}",
    },
    "search_as_you_type": True,
    "github_url": "https://github.com/skgd/skgd",
    "show_prev_next": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
# Pages without pages below them need no navigation at their side.
html_sidebars = {
    page: []
    for page in (
        "add_a_solver",
        "auto_examples/plot_tutorial",
        "by_task",
        "changelog",
        "coming_from_keras_or_pytorch",
        "coming_from_sklearn",
        "index",
        "inside",
        "install",
        "promises",
        "saving_and_deploying",
        "user_guide",
        "what_it_does_not_do",
        "what_to_tune",
    )
}


def _skip(app, what, name, obj, skip, options):
    """Leave out what scikit-learn's base classes document: ``inherited`` lists it."""
    function = getattr(obj, "fn", obj)
    module = getattr(function, "__module__", None) or ""
    return True if not module.startswith("skgd") else skip


def _link_back(app, pagename, templatename, context, doctree):
    """Lead from sources to documentation, also with several public modules for one file."""
    if pagename.startswith("_modules/"):
        wrong = r"(api/generated/(skgd(?:\.\w+)?)\.(\w+)\.html#)[\w.]*?\b\3\b"
        context["body"] = re.sub(wrong, r"\1\2.\3", context["body"])


def _end_code(app, doctree):
    """Drop the empty line that ends a doctest in Markdown."""
    for block in doctree.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.rawsource.rstrip()
            block[:] = [nodes.Text(block.rawsource)]


def setup(app):
    app.connect("doctree-read", _end_code)
    app.connect("html-page-context", _link_back)
    app.connect("autodoc-skip-member", _skip)
