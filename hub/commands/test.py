"""`hub test`: Everyway's own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from hub.cli_options import data_option

ROOT = Path(__file__).resolve().parents[2]

NO_TESTS_RUN = 5
WRONG_USAGE = 4
CHOOSES_WORKERS = ("-n", "--numprocesses", "--pdb", "--trace", "--collect-only", "--co")

EXAMPLE = """
\b
Examples:
  python3 -m hub test
  python3 -m hub test tests/channels -k segments
  HUB_REQUIRE_ALL=1 python3 -m hub test     (a missing browser or server is a failure)
"""


@click.command("test", epilog=EXAMPLE, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENTS]...")
@data_option
def run_tests(arguments: tuple[str, ...]) -> int:
    """Run the tests. Whatever follows goes to pytest.

    They use databases, queues and settings of their own, never yours. What a test needs and this machine lacks
    (a browser) is named with the line that installs it.
    """
    for each in arguments:
        path = each.partition("::")[0]
        if path.endswith(".py") and not (ROOT / path).exists():  # under xdist, pytest itself doesn't say which
            raise click.BadParameter(f"there is no {path}")
    command = [sys.executable, "-m", "pytest", *_workers(arguments), *arguments]
    with subprocess.Popen(command, cwd=ROOT) as pytest:
        try:
            status = pytest.wait()
        except KeyboardInterrupt:
            pytest.wait()
            raise
    return 2 if status == WRONG_USAGE else min(status, 1)


def _workers(arguments: tuple[str, ...]) -> list[str]:
    if any(each.startswith(CHOOSES_WORKERS) for each in arguments):
        return []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ["-n", str(max(2, cores)), "--dist", "worksteal"]
