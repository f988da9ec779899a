"""``{plugin-figure} schedules`` draws all plug-ins of a registry, at each build.

A new plug-in appears by itself. The kinds are schedules and activations.
"""

from pathlib import Path

import matplotlib
import numpy as np
from docutils import nodes
from matplotlib.figure import Figure
from plugins import registered
from sphinx.util.docutils import SphinxDirective

from skgd.inspection import LearningRateDisplay

# Below a folder that neither git nor Sphinx looks into.
FOLDER = "_build/figures"
N_UPDATES, UPDATES_PER_EPOCH = 5000, 50


def draw_schedule(ax, plugin):
    """Draw the factors of a training."""
    LearningRateDisplay.from_schedule(
        plugin(), N_UPDATES, updates_per_epoch=UPDATES_PER_EPOCH, ax=ax
    )
    ax.set(xlabel="", ylabel="", ylim=(-0.05, 1.1), xticks=[0, N_UPDATES])


def draw_activation(ax, plugin):
    """Draw the function, and its slope with dots."""
    activation, z = plugin(), np.linspace(-4, 4, 321)
    numbers = [getattr(activation, name) for name in activation.argument_names()]
    value = np.array([activation.value(x, *numbers) for x in z])
    known = zip(*activation.slope_arguments(z, value), strict=True)
    slope = np.array([activation.slope(*x, *numbers) for x in known])
    ax.plot(z, value)
    ax.plot(z, slope, ":")
    ax.set(ylim=(-2.2, 3.2), xticks=[-4, 0, 4])


KINDS = {
    "schedules": (
        draw_schedule,
        f"The factor of the learning rate in {N_UPDATES} updates, {UPDATES_PER_EPOCH} an "
        "epoch, with the defaults of each schedule. Under 'adaptive' it also falls when "
        "training stops improving.",
    ),
    "activations": (
        draw_activation,
        "The activations, and their slopes (dotted), with the defaults of each.",
    ),
}


def save(env, figure, name, caption):
    """Write a picture, and return the node that shows it."""
    path = Path(env.srcdir, FOLDER, f"{name}.svg")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date and random names: the same picture is the same file.
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(path, transparent=False, metadata={"Date": None})
    image = nodes.image(uri=f"/{FOLDER}/{name}.svg", alt=caption)
    return nodes.figure("", image, nodes.caption(caption, caption))


class PluginFigure(SphinxDirective):
    """A picture of each plug-in of a kind."""

    required_arguments = 1

    def run(self):
        kind = self.arguments[0]
        draw, caption = KINDS[kind]
        plugins = registered(kind)
        columns = 6
        rows = -(-len(plugins) // columns)
        figure = Figure(figsize=(11, 1.9 * rows), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
        for ax, (names, plugin, _) in zip(axes, plugins, strict=False):
            draw(ax, plugin)
            ax.set_title(names[0], fontsize=10)
            ax.grid(alpha=0.3)
        for ax in axes[len(plugins) :]:
            ax.remove()
        return [save(self.env, figure, kind, caption)]


def setup(app):
    """Register the directive."""
    app.add_directive("plugin-figure", PluginFigure)
    return {"parallel_read_safe": True}
