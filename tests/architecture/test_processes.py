"""The Procfile runs everything that there is to run."""

from __future__ import annotations

import re

from config.channels import CHANNELS
from tests.architecture.tree import ROOT


def _processes() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(re.fullmatch(r"([\w-]+): *(.+)", line).groups() for line in lines if line and line[0] != "#")  # type: ignore[union-attr]


def test_every_channel_has_a_worker_for_its_queue() -> None:
    commands = list(_processes().values())
    assert [name for name in CHANNELS if f"python -m workers send {name}" not in commands] == []


def test_there_is_a_web_server_a_dispatcher_a_clock_and_a_release_step() -> None:
    processes = _processes()
    assert processes["web"].startswith("gunicorn ")
    assert processes["dispatcher"] == "python -m workers dispatcher"
    assert processes["clock"] == "python -m workers clock"
    assert processes["release"] == "python -m hub migrate"


def test_nothing_works_on_a_channel_that_does_not_exist() -> None:
    sends = [
        match[1] for each in _processes().values() if (match := re.fullmatch(r"python -m workers send (\S+)", each))
    ]
    assert sorted(sends) == sorted(CHANNELS)
