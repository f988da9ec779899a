"""What the pages of docs/benchmarks have in common."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

__all__ = ["best_seconds", "conditions", "publish", "table"]

PAGES = Path(__file__).parents[1] / "docs" / "benchmarks"


def best_seconds(functions, rounds):
    """Let the functions take turns; return the best time of each."""
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            started = perf_counter()
            function()
            best[i] = min(best[i], perf_counter() - started)
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


def table(header, rows):
    """Write a Markdown table; all but the first column are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(name, text, write):
    """Print a page and, on demand, put it into the documentation."""
    print(text)
    if write:
        PAGES.mkdir(parents=True, exist_ok=True)
        (PAGES / f"{name}.md").write_text(text)
