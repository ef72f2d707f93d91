"""The doctor finds what is wrong, and says what to do about it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import requests
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import Engine

from config.channels import CHANNELS
from config.settings import Settings
from hub.db import utc_now, write_session
from hub.deliveries.models import ChannelStop
from hub.processes import checks_inside, checks_outside
from hub.processes.findings import Check, Finding, Level
from hub.processes.signs import leave_sign
from tests.services.sandbox import Sandbox, free_port

SettingsFor = Callable[..., Settings]


def problems(check: Check) -> dict[str, Finding]:
    return {finding.subject: finding for finding in check() if finding.level is Level.PROBLEM}


def test_a_hub_that_is_not_set_up_is_told_what_to_do_first(
    run_hub: Callable[..., CompletedProcess[str]], settings_for: SettingsFor
) -> None:
    result = run_hub("doctor", "--json", SANDBOX="0", PUBLIC_URL=f"http://localhost:{free_port()}")

    told = json.loads(result.stdout)
    found = [each for each in told["findings"] if each["level"] == "problem"]
    wrong = {each["subject"]: each for each in found}
    assert (result.returncode, result.stderr) == (1, "")
    assert told["problems"] == len(found)
    assert "python3 -m hub migrate" in wrong["Database"]["text"] + wrong["Database"]["to_do"]
    assert "hub start" in wrong["Queue"]["to_do"]
    assert "Nobody else reaches" in wrong["PUBLIC_URL"]["text"] or "Nothing answers" in wrong["PUBLIC_URL"]["text"]
    assert all(each["to_do"] for each in wrong.values())


def test_a_database_of_this_version_is_fine(database: Engine) -> None:
    assert [finding.level for finding in checks_inside.check_database()] == [Level.FINE]


def test_a_database_that_is_behind_is_a_problem(settings_for: SettingsFor, postgresql: Any) -> None:
    with postgresql.empty_database() as url:
        settings_for(database_url=url)

        assert "hub migrate" in problems(checks_inside.check_database)["Database"].to_do


def test_a_queue_without_workers_is_a_problem_for_every_channel(valkey: Redis) -> None:
    assert not problems(checks_inside.check_queue)
    found = problems(checks_inside.check_processes)
    assert set(found) == {f"Worker: {entry.label}" for entry in CHANNELS.values()} | {"Dispatcher", "Clock"}


def test_workers_a_dispatcher_and_a_clock_are_seen(valkey: Redis) -> None:
    queues = [Queue(entry.queue, connection=valkey, serializer=JSONSerializer) for entry in CHANNELS.values()]
    worker = SimpleWorker(queues, connection=valkey, serializer=JSONSerializer)
    worker.register_birth()
    for name in ("dispatcher", "clock"):
        leave_sign(valkey, name)

    found = list(checks_inside.check_processes())
    assert [finding.level for finding in found] == [Level.FINE]
    assert "1 for email" in found[0].text


def test_a_queue_server_that_is_away_is_a_problem(settings_for: SettingsFor) -> None:
    settings_for(redis_url=f"redis://127.0.0.1:{free_port()}")

    assert "REDIS_URL" in problems(checks_inside.check_queue)["Queue"].to_do
    assert list(checks_inside.check_processes()) == []


def test_a_stopped_channel_is_a_problem_with_its_reason(sqlite_database: Engine) -> None:
    with write_session() as session:
        session.add(ChannelStop(channel="text", code="20003", reason="Twilio refuses us.", stopped_at=utc_now()))

    assert "Twilio refuses us." in problems(checks_inside.check_stopped_channels)["Text message"].text


def test_reports_that_would_be_refused_are_a_problem(settings_for: SettingsFor) -> None:
    settings_for(sendgrid_api_key="SG.key", sendgrid_webhook_public_key="", public_url="https://hub.example.org")

    found = problems(checks_inside.check_settings)
    assert "https://hub.example.org/webhooks/sendgrid/events" in found["SENDGRID_WEBHOOK_PUBLIC_KEY"].to_do
    assert "SANDBOX" in found  # the tests' own


def test_mail_in_the_name_of_a_free_provider_is_a_problem(settings_for: SettingsFor) -> None:
    settings_for(email_from="riverside.group@gmail.com")

    assert "EMAIL_FROM" in problems(checks_inside.check_settings)


def test_providers_that_take_our_credentials_are_fine(sandbox: Sandbox, sqlite_database: Engine) -> None:
    levels = {finding.subject: finding.level for finding in checks_outside.check_channels()}

    assert levels == {"Email": Level.FINE, "Text message": Level.FINE, "Social media": Level.FINE}


def test_a_provider_that_refuses_us_matters_once_somebody_relies_on_it(
    sandbox: Sandbox, sqlite_database: Engine, settings_for: SettingsFor
) -> None:
    from hub.processes.demo_people import make_people

    settings_for(twilio_auth_token="wrong")
    assert not problems(checks_outside.check_channels)
    with write_session() as session:
        list(make_people(session, 100, utc_now()))

    assert "TWILIO_AUTH_TOKEN" in problems(checks_outside.check_channels)["Text message"].text


def test_our_own_address_is_recognised(site: str, settings_for: SettingsFor) -> None:
    assert [finding.level for finding in checks_outside.check_public_address()] == [Level.FINE]
    assert requests.get(f"{site}/readyz", timeout=10).status_code in {200, 503}

    settings_for(public_url=f"{site}/elsewhere")
    assert "not as this hub does" in problems(checks_outside.check_public_address)["PUBLIC_URL"].text


def test_an_address_that_only_this_machine_knows_is_a_problem_when_live(settings_for: SettingsFor) -> None:
    settings_for(public_url=f"http://127.0.0.1:{free_port()}", sandbox="0")

    texts = [finding.text for finding in checks_outside.check_public_address()]
    assert "Nobody else reaches" in texts[0]
    assert "Nothing answers" in texts[1]


def test_clocks_that_agree_are_fine(sandbox: Sandbox) -> None:
    assert [finding.level for finding in checks_outside.check_clock()] == [Level.FINE]


def test_a_clock_that_is_wrong_is_a_problem(sandbox: Sandbox, time_machine: Any) -> None:
    time_machine.move_to(time.time() - 3600)

    found = problems(checks_outside.check_clock)["Clock"]
    assert re.search(r"3,[56]\d\d s behind that of 127\.0\.0\.1", found.text)


def test_room_on_the_disk_is_said() -> None:
    assert [finding.subject for finding in checks_inside.check_disk()] == ["Disk"]
