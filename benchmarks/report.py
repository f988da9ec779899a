"""What the benchmarks have in common: turns, arguments, tables and pages."""

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import plots

__all__ = [
    "DOCS",
    "best_seconds",
    "cell",
    "conditions",
    "insert",
    "options",
    "publish",
    "table",
]

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- Measured: begin -->", "<!-- Measured: end -->"


def options(doc, rounds=None):
    """Parse the command line: how many rounds to measure, and whether to write."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds, help="the best counts")
    parser.add_argument("--write", action="store_true", help="write the page in docs/")
    found = parser.parse_args()
    if found.write:
        # Not to find out after the measurement.
        plots.pyplot()
    return found


def best_seconds(functions, rounds, clock=perf_counter):
    """Let the functions take turns; return the best time of each."""
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            started = clock()
            function()
            best[i] = min(best[i], clock() - started)
    return best


def conditions():
    """Describe the machine and the versions."""
    packages = ["scikit-learn", "numpy", "scipy", "numba", "torch", "jax"]
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    machine = f"{cpu}, {os.cpu_count()} cores, {platform.system()}"
    return f"Python {platform.python_version()}, {', '.join(found)}; {machine}."


def cell(value, form="{:.3g}"):
    """Write a number, or a dash where there is none."""
    return "–" if value is None else form.format(value)


def table(header, rows):
    """Write a Markdown table; all but the first column are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(name, text, write):
    """Print a page and, on demand, put it into the documentation."""
    print(text)
    if write:
        (DOCS / "benchmarks" / f"{name}.md").write_text(text)


def insert(page, text, write):
    """Print what was measured and, on demand, put it between the marks of a page."""
    print(text)
    if write:
        path = DOCS / f"{page}.md"
        before, rest = path.read_text().split(BEGIN)
        _, after = rest.split(END)
        path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
