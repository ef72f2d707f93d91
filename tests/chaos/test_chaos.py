"""The short version of what ``hub chaos`` does for as long as one likes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.chaos.plan import plan
from tests.conftest import ROOT

MINUTES, SEED, PEOPLE = "0.6", "20", "2000"
PATIENCE_SECONDS = 500


@pytest.mark.usefixtures("postgresql", "valkey_server")  # so that what is missing is said
def test_everybody_is_told_once_whatever_is_killed_wiped_restarted_or_slow() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--minutes", MINUTES, "--seed", SEED, "--people", PEOPLE, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.stdout, done.stderr[-4000:]
    verdict = json.loads(done.stdout)
    assert verdict["wrong"] == [], done.stderr[-4000:]
    assert verdict["kills"] > 5
    assert verdict["people told"] > int(PEOPLE)
    assert verdict["ever uncertain"] > 0


def test_the_same_seed_does_the_same_things() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60) != plan(8, 60)


def test_only_processes_are_killed_while_providers_are_well() -> None:
    whats = {event.what for event in plan(7, 60) if 0 < event.at < 20}
    assert whats == {"kill", "opt out"}
