"""Square thumbnails of the gallery: one plot of each example, without titles and legends.

A scaled picture of several plots would not be legible.
"""

import shutil
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import matplotlib_scraper

FOLDER = "_build/thumbnails"
# The figure of an example and the plot in it, if they are not the first ones.
CHOSEN = {"plot_curves": (0, 1), "plot_tutorial": (3, 0)}
# How many figures of an example have been drawn: each block calls its own scraper.
drawn: Counter = Counter()


def _square(figure, chosen, path):
    """Write one plot of a figure."""
    axis = figure.axes[chosen]
    where = axis.get_position().bounds
    figure.set_layout_engine("none")
    figure.suptitle("")
    for other in [*figure.axes, *figure.legends]:
        is_twin = other in figure.axes and other.get_position().bounds == where
        if not is_twin:
            other.remove()
    for twin in figure.axes:
        twin.set_position((0.15, 0.1, 0.8, 0.85))
        twin.set(title="", xlabel="", ylabel="")
        if twin.get_legend():
            twin.get_legend().remove()
    figure.set_size_inches(3.2, 3.2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=125)


def _get_sg_image_scraper():
    """Return what sphinx-gallery calls after a block of an example."""

    def scrape(block, block_vars, gallery_conf):
        figures = [plt.figure(number) for number in plt.get_fignums()]
        result = matplotlib_scraper(block, block_vars, gallery_conf)
        stem = Path(block_vars["src_file"]).stem
        number, chosen = CHOSEN.get(stem, (0, 0))
        if 0 <= number - drawn[stem] < len(figures):
            path = Path(gallery_conf["src_dir"], FOLDER, f"{stem}.png")
            _square(figures[number - drawn[stem]], chosen, path)
        drawn[stem] += len(figures)
        return result

    return scrape


def _replace(app):
    """Put the squares, or names of files, where sphinx-gallery has put scaled pictures."""
    for thumbnail in Path(app.srcdir, "auto_examples").rglob("thumb/sphx_glr_*_thumb.png"):
        stem = thumbnail.stem.removeprefix("sphx_glr_").removesuffix("_thumb")
        square = Path(app.srcdir, FOLDER, f"{stem}.png")
        if square.is_file():
            shutil.copy(square, thumbnail)
        else:
            figure = Figure(figsize=(3.2, 3.2))
            figure.text(0.5, 0.5, f"python\n{stem}.py", size=17, ha="center", va="center")
            figure.savefig(thumbnail, dpi=125)


def setup(app):
    """Replace the thumbnails after sphinx-gallery, whose priority is 500."""
    app.connect("builder-inited", _replace, priority=600)
    return {"parallel_read_safe": True}
