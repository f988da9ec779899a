"""Check that the README and the first pages have the numbers of docs/benchmarks.

Also that versions are the same everywhere, and that the links of pages outside of the site
lead to files and headings of this clone.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "docs" / "benchmarks"
# The README's rows of the raw tables, by their method in docs/benchmarks/tables.md.
METHODS = {
    "skgd's networks for tables": "skgd",
    "skgd's networks for tables, `max_time=20`": "skgd_20s",
    "boosted trees, tuned for 20 s": "hgb_20s",
    "`HistGradientBoosting`": "hgb",
    "imputer, scaler, one-hot encoder and scikit-learn's MLP": "hand_made",
    "random forest": "forest",
}


def read(path):
    """Return the text of a file of this clone."""
    return (ROOT / path).read_text(encoding="utf-8")


def tables(text):
    """List the tables of a Markdown text: dictionaries by the names of the columns."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        lines = [line.strip().strip("|").split("|") for line in block.splitlines()]
        head, _, *rows = [[cell.strip() for cell in line] for line in lines]
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def section(page, title):
    """Return what is below a heading of a page of the benchmarks."""
    text = (BENCHMARKS / page).read_text(encoding="utf-8")
    return re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def same(shown, measured):
    """Return whether a number is a measured one, rounded to the digits that it shows."""
    decimals = len(shown.partition(".")[2])
    return abs(float(shown) - float(measured)) <= 0.501 * 10**-decimals


def check_training(rows):
    """Yield the differences of the README's table of epochs."""
    case = ""
    for row in rows:
        first, dtype, *_ = row.values()
        case = first or case
        times, ratios = (
            next(line for line in table if case in line.values())
            for table in tables(section("training.md", dtype))
        )
        measured = {name: times[name] for name in times.keys() & row.keys()}
        measured["times as fast as scikit-learn"] = ratios["scikit-learn"]
        for name, value in measured.items():
            if not same(row[name], value):
                yield f"{case}, {dtype}, {name}: {row[name]}, measured {value}"


def check_tables(rows):
    """Yield the differences of the README's table of raw tables."""
    summary, scores = tables(section("tables.md", "The reported half"))
    measured = {row["method"]: row for row in summary}
    for row in rows:
        label, ahead, rank, seconds = row.values()
        found = measured[METHODS[label]]
        expected = [(rank, found["mean rank"])]
        expected += zip(
            seconds.split("; "), (found["fit, s"], found["longest, s"]), strict=True
        )
        if ahead:
            n_ahead, n_tables = map(int, ahead.split(" of "))
            expected += [(str(n_tables), len(scores))]
            share = float(found["> hgb"].rstrip("%")) / 100
            expected += [(str(n_ahead), share * len(scores))]
        for shown, value in expected:
            if not same(shown, value):
                yield f"{label}: {shown}, measured {value}"


def check_answers(rows):
    """Yield numbers of docs/benchmarks.md that are not in the page of their link."""
    for row in rows:
        what, unit, *cells = row.values()
        link = re.search(r"\(benchmarks/(\w+\.md)\)", what)[1]
        numbers = set(re.findall(r"[\d.,]*\d", (BENCHMARKS / link).read_text("utf-8")))
        for shown in filter(None, cells):
            if shown not in numbers:
                yield f"docs/benchmarks.md: {shown} {unit} is not in {link}"


def check_start(readme):
    """Yield the difference of the README's time to load compiled code."""
    (rows,) = tables((BENCHMARKS / "cold_start.md").read_text("utf-8"))
    seconds = {row["process"]: float(row["skgd"]) for row in rows}
    loading = seconds["first fit of a later process"] - seconds["import"]
    shown = re.search(r"process loads it in ([\d.]+) s", readme)[1]
    if not same(shown, loading):
        yield f"README.md: compiled code loads in {shown} s, measured {loading:.2f}"


def check_versions():
    """Yield the places that name another version."""
    version = re.search(r'__version__ = "(.*)"', read("skgd/_version.py"))[1]
    log, date = re.search(r"^## \[(.*)\] - (.*)$", read("CHANGELOG.md"), re.M).groups()
    citation = dict(re.findall(r"^([\w-]+): (.*)$", read("CITATION.cff"), re.M))
    for place, other in (("CHANGELOG.md", log), ("CITATION.cff", citation["version"])):
        if other != version:
            yield f"{place} has version {other}, skgd/_version.py {version}"
    if date == "unreleased":
        print(f"CHANGELOG.md: {version} has no date yet")
    elif citation.get("date-released") != date:
        yield f"CITATION.cff does not have the date of CHANGELOG.md, {date}"


def check_supported():
    """Yield the pages that name other supported versions than pyproject.toml."""
    project, oldest = read("pyproject.toml"), read(".ci/oldest.txt")
    low, bound = re.search(r'"numba>=([\d.]+),<([\d.]+)"', project).groups()
    major, minor = bound.split(".")
    sklearn = re.search(r'"scikit-learn>=([\d.]+)"', project)[1]
    python = re.findall(r"Python :: (3\.\d+)", project)
    expected = {
        "README.md": [
            f"Python {python[0]} or newer",
            f"scikit-learn {sklearn} to ",
            f"Numba {low} to {major}.{int(minor) - 1}",
            f"Python {python[0]} to {python[-1]}",
        ],
        "docs/install.md": [f"Python {python[0]} or newer", f"scikit-learn {sklearn} to "],
        "docs/promises.md": [f"below {bound}", f"Python from {python[0]} to {python[-1]}"],
    }
    for line in re.findall(r"^(.*)==(.*)$", oldest, re.M):
        name = {"numba": "Numba", "numpy": "NumPy", "scipy": "SciPy"}.get(line[0], line[0])
        expected["docs/promises.md"].append(f"| {name} | {line[1]} |")
    for page, phrases in expected.items():
        for phrase in phrases:
            if phrase not in read(page):
                yield f"{page} does not have {phrase!r}, as of pyproject.toml"


def check_links():
    """Yield the relative links of the pages at the top that lead nowhere."""
    for page in sorted(ROOT.glob("*.md")):
        text = page.read_text("utf-8")
        for name, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", text):
            target = ROOT / name if name else page
            if not target.exists():
                yield f"{page.name}: no file {name}"
            elif anchor:
                heads = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.M)
                slugs = [re.sub(r"[^\w -]", "", head).lower() for head in heads]
                if anchor not in [slug.replace(" ", "-") for slug in slugs]:
                    yield f"{page.name}: no heading {name}#{anchor}"


def main():
    """Print what differs; return whether anything does."""
    readme = read("README.md")
    training, raw = tables(readme)
    wrong = [
        *check_training(training),
        *check_tables(raw),
        *check_start(readme),
        *check_answers(tables(read("docs/benchmarks.md"))[0]),
        *check_versions(),
        *check_supported(),
        *check_links(),
    ]
    print(*wrong, f"{len(wrong)} wrong numbers, versions or links", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
