"""The pictures of docs/benchmarks, by matplotlib, which is imported when one is drawn."""

import textwrap
from pathlib import Path

import numpy as np

__all__ = ["bars", "lines", "places", "pyplot", "rungs"]

PICTURES = Path(__file__).parents[1] / "docs" / "benchmarks"
# Legible on a phone, too.
WIDTH = 6.0
COLORS = {
    "skgd": "#1f6fb4",
    "skgd, 1 thread": "#8fbfe6",
    "scikit-learn": "#f08c28",
    "PyTorch": "#d1495b",
    "JAX": "#5a9c4b",
    "products": "#555555",
}


def pyplot():
    """Import matplotlib."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit(
            "The pictures need matplotlib: pip install '.[bench]', or leave out --write."
        ) from None
    matplotlib.use("Agg")
    # Letters stay letters, and the same picture gives the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "skgd"})
    from matplotlib import pyplot

    return pyplot


def _save(figure, name):
    figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")


def bars(name, title, labels, series, unit):
    """Draw a group of bars a label: ratios, from 1 on, on a logarithmic scale.

    Parameters
    ----------
    name, title : str
        The name of the file, and the title of the picture.

    labels : list of str
        A group each.

    series : dict of str to list of float
        By library, a value a label; None where there is none.

    unit : str
        What is drawn.
    """
    plt = pyplot()
    height = 0.8 / len(series)
    size = WIDTH, 1.2 + 0.16 * len(series) * len(labels)
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    for k, (library, values) in enumerate(series.items()):
        places = [i + (k - (len(series) - 1) / 2) * height for i in range(len(labels))]
        drawn = [(p, v) for p, v in zip(places, values, strict=True) if v is not None]
        axes.barh(
            [place for place, _ in drawn],
            [ratio - 1 for _, ratio in drawn],
            height,
            left=1,
            label=library,
            color=COLORS[library],
        )
    axes.set_yticks(range(len(labels)), [textwrap.fill(label, 26) for label in labels])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel(unit)
    axes.set_title(title)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=len(series), frameon=False)
    _save(figure, name)


def lines(name, panels, unit):
    """Draw panels of lines side by side, two a row, both scales logarithmic.

    Parameters
    ----------
    name : str
        The name of the file.

    panels : list of (title, x label, x values, {library: values})
        None where a library has no value.

    unit : str
        What is drawn.
    """
    plt = pyplot()
    n_rows = -(-len(panels) // 2)
    figure, grid = plt.subplots(
        n_rows, 2, figsize=(WIDTH, 3.2 * n_rows), layout="constrained"
    )
    for axes, (title, label, x, series) in zip(grid.flat, panels, strict=True):
        for library, values in series.items():
            drawn = [(a, b) for a, b in zip(x, values, strict=True) if b is not None]
            axes.plot(
                *zip(*drawn, strict=True), "o-", label=library, color=COLORS[library], ms=4
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(x, [f"{value:g}" for value in x], minor=False)
        axes.yaxis.set_major_locator(plt.LogLocator(subs=(1, 3)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.set_xlabel(label)
        axes.set_ylabel(unit)
        axes.set_title(title, fontsize="medium")
        axes.grid(alpha=0.3)
    handles, names = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    _save(figure, name)


def rungs(name, results):
    """Draw the mean score of each candidate of a search, from rung to rung.

    Parameters
    ----------
    name : str
        The name of the file.

    results : dict
        The ``cv_results_`` of an EpochHalvingSearchCV.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(WIDTH, 4), layout="constrained")
    candidates, epochs = np.asarray(results["candidate"]), np.asarray(results["n_epochs"])
    best = candidates[epochs == epochs.max()]
    for candidate in np.unique(candidates):
        rows = candidates == candidate
        color = COLORS["skgd" if candidate in best else "products"]
        alpha = 1 if candidate in best else 0.4
        scores = results["mean_test_score"][rows]
        axes.plot(epochs[rows], scores, "o-", color=color, alpha=alpha, ms=4)
    axes.set_xscale("log")
    axes.set_xticks(np.unique(epochs), np.unique(epochs), minor=False)
    axes.minorticks_off()
    axes.set_xlabel("epochs")
    axes.set_ylabel("mean score of the folds")
    axes.grid(alpha=0.3)
    _save(figure, name)


def places(name, title, points, x_label, y_label):
    """Draw named points; the x axis is logarithmic, and the y axis has its best on top.

    Parameters
    ----------
    name, title : str
        The name of the file, and the title of the picture.

    points : dict of str to (float, float)
        By name.

    x_label, y_label : str
        What is drawn.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")
    x_all = [x for x, _ in points.values()]
    middle = np.sqrt(min(x_all) * max(x_all))
    for label, (x, y) in points.items():
        ours = label.startswith("skgd")
        # Labels on the right would run into each other: ours are above, the others below.
        if x <= middle:
            at, ha, va = (9, 0), "left", "center"
        elif ours:
            at, ha, va = (0, 8), "right", "bottom"
        else:
            at, ha, va = (0, -8), "right", "top"
        color = COLORS["skgd"] if ours else COLORS["products"]
        axes.plot(x, y, "o", color=color, markersize=10 if ours else 7)
        axes.annotate(
            label,
            (x, y),
            xytext=at,
            textcoords="offset points",
            ha=ha,
            va=va,
            color=color,
            weight="bold" if ours else "normal",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(0.2)
    axes.invert_yaxis()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    _save(figure, name)
