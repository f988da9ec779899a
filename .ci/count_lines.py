"""Count the code lines of each package: no docstrings, comments or blank lines."""

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "skgd"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}


def code_lines(source):
    """Return how many lines hold code."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


if __name__ == "__main__":
    count = Counter()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).parts[0]
        name = "skgd" if name.endswith(".py") else name
        count[name] += code_lines(path.read_text(encoding="utf-8"))
    for name, n_lines in sorted(count.items()):
        print(f"{n_lines:6} {name}")
    print(f"{count.total():6} in total")
