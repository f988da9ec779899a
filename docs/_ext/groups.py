"""The pages of the networks show their parameters in groups; ``help`` keeps their order.

The build fails unless each parameter of each network is in exactly one group.
"""

import inspect
import re
from collections import Counter

from sphinx.errors import ExtensionError

import skgd

NETWORKS = (
    skgd.MLPClassifier,
    skgd.MLPRegressor,
    skgd.TabularMLPClassifier,
    skgd.TabularMLPRegressor,
)

# In the order of the page.
GROUPS = {
    "Columns": ["categorical_features", "max_one_hot"],
    "Architecture": [
        "hidden_layer_sizes",
        "activation",
        "batch_normalization",
        "batch_normalization_momentum",
        "batch_normalization_epsilon",
        "layer_normalization",
        "numeric_embedding",
        "init",
    ],
    "Objective": ["loss", "class_weight", "label_smoothing"],
    "Members": ["n_members", "refit", "calibrate"],
    "Training": ["max_iter", "max_time", "batch_size", "shuffle", "warm_start"],
    "Solver": [
        "solver",
        "momentum",
        "nesterovs_momentum",
        "rho",
        "beta_1",
        "beta_2",
        "epsilon",
        "max_grad_norm",
        "max_fun",
    ],
    "Learning rate": [
        "learning_rate_init",
        "learning_rate",
        "power_t",
        "decay_rate",
        "decay_steps",
        "staircase",
        "learning_rate_factors",
    ],
    "Regularization": ["alpha", "l1_ratio", "weight_decay", "dropout", "ema_decay"],
    "Validation and stopping": [
        "early_stopping",
        "validation_fraction",
        "scoring",
        "n_iter_no_change",
        "tol",
    ],
    "Output, randomness and threads": ["verbose", "random_state", "n_jobs"],
}


def check(app):
    """Raise if a parameter is not in exactly one group, or a group names none."""
    known = {name for network in NETWORKS for name in inspect.signature(network).parameters}
    counts = Counter(name for names in GROUPS.values() for name in names)
    wrong = sorted(name for name in known | set(counts) if counts[name] != (name in known))
    if wrong:
        raise ExtensionError(
            f"{__file__}: GROUPS must have each parameter of the networks once, and no "
            f"other name: {', '.join(wrong)}"
        )


def group(app, what, name, obj, options, lines):
    """Put the items below numpydoc's ``:Parameters:`` under the headings of the groups."""
    if obj not in NETWORKS:
        return
    start = lines.index(":Parameters:") + 1
    stop = next(i for i in range(start, len(lines)) if re.match(r"\S", lines[i]))
    items = re.split(r"^(?=    \*\*)", "\n".join(lines[start:stop]), flags=re.MULTILINE)
    # An item may document several parameters: "beta_1, beta_2".
    text_of = {re.search(r"\w+", item)[0]: item for item in items if item.strip()}
    result = [""]
    for title, names in GROUPS.items():
        texts = [text_of.pop(name) for name in names if name in text_of]
        if texts:
            result += [f"    .. rubric:: {title}", "", *"\n".join(texts).split("\n"), ""]
    if text_of:
        raise ExtensionError(f"{name}: the docstring has unknown parameters {[*text_of]}")
    lines[start:stop] = result


def setup(app):
    """Connect the check, and the grouping after numpydoc, whose priority is 500."""
    app.connect("builder-inited", check)
    app.connect("autodoc-process-docstring", group, priority=600)
    return {"parallel_read_safe": True}
