"""What is small can be read at one go. About 300 lines a file and 25 a function are meant; these are the limits."""

from __future__ import annotations

import ast

from tests.architecture.tree import ROOT, modules

LINES_IN_A_FILE = 350
LINES_IN_A_FUNCTION = 45


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path, _ in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_IN_A_FILE} == {}


def test_no_function_is_too_long_to_read() -> None:
    lengths = {
        f"{path}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LINES_IN_A_FUNCTION} == {}
