"""What processes log holds ids, and nothing of a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from config.logs import mask_personal_data, set_up_logs
from config.settings import Settings


@pytest.fixture
def logs_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("to +447700900123 failed", "to … failed"),
        ("to +44 7700 900 123 failed", "to … failed"),
        ("no mailbox ann.lee+x@mail.example.org", "no mailbox …"),
        ("delivery 4477009001 of 12", "delivery 4477009001 of 12"),
        ("2026-11-22T12:00:00+00:00", "2026-11-22T12:00:00+00:00"),
    ],
)
def test_numbers_and_mailboxes_are_made_unreadable(said: str, written: str) -> None:
    assert mask_personal_data(None, "", {"event": said})["event"] == written


@pytest.mark.usefixtures("logs_restored")
def test_a_collector_gets_one_json_object_a_line_from_us_and_from_libraries(
    settings_for: Callable[..., Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    settings_for(log_format="json")
    set_up_logs()
    structlog.get_logger("ours").info("slice planned", announcement=7)
    logging.getLogger("theirs").warning("could not reach %s", "ann@example.org")
    logging.getLogger("twilio.http_client").info("Body: everything that was sent")

    ours, theirs = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert (ours["event"], ours["announcement"], ours["level"]) == ("slice planned", 7, "info")
    assert theirs["event"] == "could not reach …"


@pytest.mark.usefixtures("logs_restored")
def test_an_exceptions_trace_is_masked_too(
    settings_for: Callable[..., Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    settings_for(log_format="plain")
    set_up_logs()
    try:
        raise ValueError("+447700900123 is not known")
    except ValueError:
        structlog.get_logger("ours").exception("failed")

    said = capfd.readouterr().err
    assert "ValueError" in said
    assert "7700" not in said
