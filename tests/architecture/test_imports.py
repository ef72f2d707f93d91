"""Which package may use which: the contracts stand in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


def test_imports_point_in_one_direction() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


FOR_PAGES_AND_FILES = {"flask", "flask_security", "wtforms", "werkzeug", "typst", "aiohttp", "alembic", "openpyxl"}


@pytest.mark.parametrize(
    ("process", "not_needed"),
    [
        ("workers.dispatcher", {"twilio", "sendgrid"}),
        ("workers.clock", {"twilio", "sendgrid"}),
        ("workers.send, channels.text.twilio", {"sendgrid"}),
        ("workers.send, channels.email.sendgrid", {"twilio"}),
        ("workers.send, channels.phone.call_list", {"twilio", "sendgrid"}),
    ],
)
def test_workers_do_without_what_only_others_need(process: str, not_needed: set[str]) -> None:
    """A small machine runs six of them: each library that a worker does without is megabytes for every one."""
    program = (
        f"import sys, workers.__main__, {process}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) & (FOR_PAGES_AND_FILES | not_needed) == set()
