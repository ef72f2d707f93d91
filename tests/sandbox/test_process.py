"""The sandbox as a process: what it keeps, and how it starts and stops."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from channels.sandbox.credentials import DEFAULT, hub_environment
from channels.sandbox.keys import public_key
from tests.conftest import ROOT
from tests.services.sandbox import Sandbox


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """A sandbox of its own; gives its address. It must end by itself when it is told to, with status 0."""
    command = [sys.executable, "-m", "channels.sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+(?=/ )", process.stdout.readline())
        assert found
        try:
            yield found.group()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)
        assert process.returncode == 0


def text(url: str, to: str = "+447700900123", callback: str = "") -> requests.Response:
    form = {"To": to, "From": DEFAULT.sender, "Body": "Hello"} | ({"StatusCallback": callback} if callback else {})
    path = f"{url}/2010-04-01/Accounts/{DEFAULT.account_sid}/Messages.json"
    return requests.post(path, data=form, auth=(DEFAULT.account_sid, DEFAULT.auth_token), timeout=10)


def test_a_second_start_remembers_everything_and_still_tells_the_hub(tmp_path: Path) -> None:
    keep = ("--data", str(tmp_path), "--everyone-reachable", "--hub-url", "http://127.0.0.1:9")
    with running(*keep) as url:
        sid = text(url, callback="http://127.0.0.1:9/status?d=1").json()["sid"]
        key = requests.get(f"{url}/sandbox/api/public-key", timeout=10).json()["public_key"]
    with running(*keep) as url:
        found = requests.get(f"{url}/sandbox/api/messages", timeout=10).json()["messages"]
        waiting = requests.get(f"{url}/sandbox/api/webhooks", timeout=10).json()["twilio"]["waiting"]

    assert [message["id"] for message in found] == [sid]
    assert waiting == 2
    assert key == public_key(tmp_path)


def test_the_public_key_is_known_before_the_sandbox_starts(tmp_path: Path) -> None:
    known = public_key(tmp_path)
    command = [sys.executable, "-m", "channels.sandbox", "--print-public-key", "--data", str(tmp_path)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout
    assert printed.strip() == known
    assert (tmp_path / "sandbox-signing-key.pem").stat().st_mode & 0o777 == 0o600


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "channels.sandbox", "--port", port]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith("The sandbox has stopped: ")
    assert port in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_ids_are_new_ones_after_everything_was_forgotten(sandbox: Sandbox) -> None:
    first = text(sandbox.url).json()["sid"]
    sandbox.post("reset")
    assert text(sandbox.url).json()["sid"] != first
    assert sandbox.get("summary")["text"] == {"accepted": 1, "distinct_recipients": 1, "duplicates": 0}


@pytest.mark.parametrize("what", ["messages?channel=post", "messages?page=0"])
def test_a_question_that_makes_no_sense_gets_a_clear_answer(sandbox: Sandbox, what: str) -> None:
    answer = requests.get(f"{sandbox.url}/sandbox/api/{what}", timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_hubs_settings_name_the_sandbox_for_everything() -> None:
    settings = hub_environment("http://127.0.0.1:8001", "key", smtp_port=8025)
    addresses = {name for name, value in settings.items() if value == "http://127.0.0.1:8001"}
    assert addresses == {"SENDGRID_BASE_URL", "TWILIO_BASE_URL", "MASTODON_BASE_URL"}
    assert settings["SMTP_URL"] == f"smtp://{DEFAULT.smtp_user}:{DEFAULT.smtp_password}@127.0.0.1:8025"
