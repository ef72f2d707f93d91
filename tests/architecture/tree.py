"""What is in the project, as the rules about it see it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "channels", "hub", "workers")
GENERATED = ROOT / "hub" / "migrations" / "versions"


@cache
def tracked_files() -> list[Path]:
    """Every file that belongs to the project: what git keeps, or, in an unpacked archive, what is there."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True)
    if answer.returncode == 0:
        return [path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not path.is_relative_to(ROOT / ".venv")]


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The path, as it is written in the project, and the parsed code of every module that people wrote."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.is_relative_to(GENERATED):
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))
