"""The whole of it, as a person runs it: from one command to everybody accounted for, and to nothing left behind."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import requests

from tests.processes.runs import running
from tests.services.sandbox import free_port

RunHub = Callable[..., CompletedProcess[str]]

OWN = {
    # What a person may have set, and the demo must leave alone; each of them would be fatal.
    "DATABASE_URL": "postgresql://real.example/people",
    "REDIS_URL": "redis://real.example",
    "TWILIO_ACCOUNT_SID": "ACreal",
    "SECRET_KEY": "too short",
    "SMTP_URL": "smtp://real.example",
}


def test_the_demo_reaches_everyone_accounts_for_them_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://real.example/people\nGROUP_NAME=Real people\n")
    arguments = ("demo", "--json", "--port", str(free_port()))
    with running(tmp_path, *arguments, **OWN) as first:
        told = json.loads(first.wait_for("\n"))
        said = first.errors.read_text()
        _check_account(told)
        _check_that_it_is_up(said)
        _, seconds = first.stop(signal.SIGKILL)
        assert seconds < 5

    with running(tmp_path, *arguments, "--exit", **OWN) as second:
        assert json.loads(second.wait_for("\n")) == told
        assert second.process.wait(60) == 0
        assert second.left() == []
    said = second.errors.read_text()
    assert f"{told['audience']:,} people are here from an earlier start." in said
    assert "is on its way to" not in said


def _check_account(told: dict[str, dict[str, int]]) -> None:
    reach, sandbox = told["reach"], told["sandbox"]
    assert set(reach) == {"reached", "on_its_way", "waiting_for_call", "posted", "declined", "not_reached"}
    assert sum(reach.values()) == told["audience"] > 600
    assert reach["on_its_way"] == 0
    assert reach["reached"] > 300
    for channel in ("email", "text"):
        assert told["by_channel"][channel]["sent"] >= sandbox[channel]["accepted"] > 100
        assert sandbox[channel]["duplicates"] == 0
    assert sum(told["by_channel"][channel]["delivered"] for channel in ("email", "text")) == reach["reached"]


def _check_that_it_is_up(said: str) -> None:
    address = _found(r"Sign in at (\S+)", said)
    password = _found(r"organiser@everyway\.example +password (\S+)", said)
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(f"{address}/readyz").text == "ok\n"
        form = session.get(address)  # leads to the sign-in page
        token = _found(r'name="csrf_token"[^>]* value="([^"]+)"', form.text)
        answer = session.post(
            form.url,
            data={"email": "organiser@everyway.example", "password": password, "csrf_token": token},
            headers={"Referer": address},
        )
        assert "Spring meeting" in answer.text
        assert session.get(_found(r"mailboxes: (\S+)", said)).ok


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found.group(1)


def test_start_runs_everything_and_ctrl_c_ends_it_all_at_once(tmp_path: Path, run_hub: RunHub) -> None:
    port = free_port()
    with running(tmp_path, "start", PORT=str(port)) as run:
        said = run.wait_for("Everyway is running: ")
        assert re.search(r"^\d\d:\d\d:\d\d web +\| .*Listening at", said, re.MULTILINE)
        assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).text == "ok\n"

        again = run_hub("start", PORT=str(free_port()))
        assert (again.returncode, again.stdout) == (1, "")
        assert re.fullmatch(rf"Everyway runs in \S+ already \(process {run.process.pid}\)\. .*\n", again.stderr)

        status, seconds = run.stop(signal.SIGINT)
        assert (status, run.errors.read_text()) == (0, "")
        assert "Traceback" not in run.output.read_text()
        assert seconds < 5


@pytest.mark.parametrize("command", [("start",), ("demo", "--exit")])
def test_a_port_in_use_is_one_line(run_hub: RunHub, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = ("--port", port) if "demo" in command else ()
        result = run_hub(*command, *given, PORT=port)

    assert result.returncode == 1
    assert result.stderr == f"Port {port} is in use by another program. Choose another port.\n"
