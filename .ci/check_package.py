"""Check what is in the wheel and in the source distribution of a folder."""

import re
import sys
import tarfile
import tomllib
import zipfile
from email.parser import BytesParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the sources are to be tested and documented with.
IN_SDIST = ["skgd", "tests", "docs", "examples"]
GENERATED = {
    "_build",
    "generated",
    "auto_examples",
    "__pycache__",
    "sg_execution_times.rst",
}


def sources(folder):
    """List the files of a folder of this clone that are not generated."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not set(path.parts) & GENERATED
    }


def only(folder, pattern):
    """Return the one file of a name."""
    (found,) = folder.glob(pattern)
    return found


def check_same(what, found, expected):
    """Exit with the differences of two sets, if there are any."""
    if found != expected:
        sys.exit(
            f"{what}: not expected {sorted(found - expected)}, "
            f"missing {sorted(expected - found)}"
        )


def check_wheel(path):
    """Check that it is the package, its license and its metadata, and no more."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        metadata = BytesParser().parsebytes(wheel.read(f"{info}/METADATA"))
        license = wheel.read(f"{info}/licenses/LICENSE")
    files = ["METADATA", "RECORD", "WHEEL", "top_level.txt", "licenses/LICENSE"]
    check_same("wheel", names, sources("skgd") | {f"{info}/{name}" for name in files})
    if license != (ROOT / "LICENSE").read_bytes():
        sys.exit("The license is another one.")
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    required = [line for line in metadata.get_all("Requires-Dist") if "extra" not in line]
    check_same("dependencies", _normal(required), _normal(project["dependencies"]))


def _normal(requirements):
    """Return requirements with their version specifiers in order."""
    parts = (re.match(r"([\w-]+)(.*)", line).groups() for line in requirements)
    return {name + ",".join(sorted(rest.split(","))) for name, rest in parts}


def check_sdist(path):
    """Check that the package can be built, tested and documented from it."""
    with tarfile.open(path) as sdist:
        names = {member.name for member in sdist.getmembers() if member.isfile()}
    names = {name.partition("/")[2] for name in names}
    for folder in IN_SDIST:
        inside = {name for name in names if name.startswith(f"{folder}/")}
        check_same(f"sdist, {folder}", inside, sources(folder))
    rest = {name for name in names if name.partition("/")[0] not in IN_SDIST}
    rest = {name for name in rest if not name.startswith("skgd.egg-info/")}
    files = ["CHANGELOG.md", "CITATION.cff", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md"]
    files += ["LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "SECURITY.md"]
    files += ["pyproject.toml", "setup.cfg"]
    check_same("sdist", rest, set(files))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    check_wheel(only(folder, "*.whl"))
    check_sdist(only(folder, "*.tar.gz"))
    print(*sorted(path.name for path in folder.iterdir()), sep="\n")
