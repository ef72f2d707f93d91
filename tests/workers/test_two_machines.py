"""Two sets of processes that share a database and a queue server, and nothing else, split the work by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rq import Worker

from config.settings import Settings
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.queries import reach
from hub.deliveries.rules import Reach
from tests.conftest import ROOT
from tests.deliveries.people import announcement, somebody
from tests.services.sandbox import Sandbox
from workers.queue import connection, queue

PATIENCE_SECONDS = 120
PEOPLE = 600


@contextmanager
def machine(folder: Path) -> Iterator[None]:
    """The processes of one machine: dispatcher, clock and a worker, with a data folder of their own."""
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder)}
    with (folder / "log").open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "workers", *arguments], cwd=folder, env=environment, stdout=log, stderr=log
            )
            for arguments in (["dispatcher"], ["clock"], ["send", "text"])
        ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("valkey", "site", "database")
def test_two_machines_split_the_work_and_tell_nobody_twice(
    sandbox: Sandbox, tmp_path: Path, settings_for: Callable[..., Settings]
) -> None:
    settings_for(retry_minutes="0")
    now = utc_now()
    with write_session() as session:
        for number in range(PEOPLE):
            somebody(session, f"Person {number}", "text")
        made = announcement(session)
        service.check(session, made.id, now)
        service.launch(session, made.id, by=None, now=now)
    sandbox.post("faults", twilio={"latency_ms": 400})
    with machine(tmp_path / "one"), machine(tmp_path / "another"):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with read_session() as session:
                account = reach(session, made.id)
            if account.settled:
                break
            time.sleep(0.2)
        done = [worker.successful_job_count for worker in Worker.all(connection=connection(), queue=queue("text"))]
    assert account.settled
    assert account.adds_up
    assert account.places[Reach.REACHED] > PEOPLE * 0.9  # some numbers are dead
    assert sandbox.get("summary")["text"]["duplicates"] == 0
    assert len(done) == 2
    assert min(done) > 0
