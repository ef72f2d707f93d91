"""What every adapter in the registry owes the hub, whoever wrote it: see channels.base.Channel."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from channels.base import (
    Accepted,
    Channel,
    Content,
    Message,
    Misconfigured,
    Outcome,
    Rejected,
    TryLater,
    Unknown,
)
from config.channels import CHANNELS, AddressKind, ChannelEntry
from config.settings import Settings
from tests.channels.wire import Reply, Request, Wrong, closed_port, reply, wire

ADAPTERS = [(entry, provider) for entry in CHANNELS.values() for provider in entry.adapters]
OUTCOMES = (Accepted, Rejected, TryLater, Misconfigured, Unknown)
OUTSIDE = [(entry, provider) for entry, provider in ADAPTERS if provider != "call_list"]
"""The adapters that need somebody outside, who can be away."""
BY_HTTP = [(entry, provider) for entry, provider in OUTSIDE if provider != "smtp"]
ONE_BY_ONE = {"smtp", "mastodon"}
ROOM = 1000
"""The most messages that any adapter may hold at a time."""
TEXT = Content(text="Hello ((name))", subject="News for ((name))", html="<p>Hello ((name))</p>", fields=("name",))


def provider_of(adapter: tuple[ChannelEntry, str]) -> str:
    return adapter[1]


@dataclass
class Adapter:
    """One adapter of the registry, and how to open it."""

    entry: ChannelEntry
    provider: str

    def open(self, **settings: Any) -> Channel:
        """The adapter with these settings, as the hub opens it."""
        channel: Channel = resolve_name(self.entry.adapters[self.provider])(Settings(sandbox=True, **settings))
        return channel

    def messages(self, count: int) -> Iterator[Message]:
        """As many messages to people of this channel."""
        for number in range(count):
            address = {
                AddressKind.PHONE: f"+4477009{number:05d}",
                AddressKind.EMAIL: f"person{number}@example.org",
                AddressKind.ACCOUNT: "",
            }[self.entry.address]
            link = f"https://hub.example.org/u/{number}"
            yield Message(number + 1, address, TEXT, {"name": f"Rumpelstiltskin {number}"}, unsubscribe_url=link)


def at(url: str, mail_server: str) -> dict[str, Any]:
    """Settings that send everything to these servers."""
    return {
        "email_from": "hub@example.org",
        "sendgrid_api_key": "SG.key",
        "sendgrid_base_url": url,
        "smtp_url": mail_server,
        "twilio_account_sid": "AC1",
        "twilio_auth_token": "secret",
        "twilio_from": "+447700900001",
        "twilio_base_url": url,
        "mastodon_base_url": url,
        "mastodon_access_token": "token",
    }


def any_provider(request: Request) -> Reply:
    """An answer that every provider could give."""
    found = {"id": "1", "sid": "SM1", "status": "active", "scopes": ["mail.send"]}
    return reply(200 if request.method == "GET" else 201, found)


@pytest.fixture(params=ADAPTERS, ids=provider_of)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return Adapter(*request.param)


@pytest.fixture(params=OUTSIDE, ids=provider_of)
def outside(request: pytest.FixtureRequest) -> Adapter:
    return Adapter(*request.param)


@pytest.fixture(params=BY_HTTP, ids=provider_of)
def by_http(request: pytest.FixtureRequest) -> Adapter:
    return Adapter(*request.param)


@pytest.fixture
def well() -> Iterator[dict[str, Any]]:
    """Settings of an installation where everything is well."""
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = int(spare.getsockname()[1])
    mail_server = Controller(Sink(), hostname="127.0.0.1", port=port)
    mail_server.start()
    with wire(any_provider) as server:
        yield at(server.url, f"smtp://127.0.0.1:{port}")
    mail_server.stop()


def test_every_message_gets_exactly_one_outcome(adapter: Adapter, well: dict[str, Any]) -> None:
    channel = adapter.open(**well)
    results = list(channel.send(adapter.messages(30)))
    channel.close()
    assert sorted(number for number, _ in results) == list(range(1, 31))
    assert all(isinstance(outcome, Accepted) for _, outcome in results)


def test_a_channel_can_be_used_again_and_closed_twice(adapter: Adapter, well: dict[str, Any]) -> None:
    channel = adapter.open(**well)
    for _ in range(3):
        assert len(list(channel.send(adapter.messages(2)))) == 2
    assert list(channel.send([])) == []
    assert channel.check() is None
    channel.close()
    channel.close()


def test_a_channel_that_was_never_used_can_be_closed(adapter: Adapter, well: dict[str, Any]) -> None:
    adapter.open(**well).close()


def test_messages_are_read_no_faster_than_there_is_room(adapter: Adapter, well: dict[str, Any]) -> None:
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for message in adapter.messages(50 if adapter.provider in ONE_BY_ONE else 2 * ROOM + 500):
            read += 1
            yield message

    channel = adapter.open(**well)
    assert read == 0
    answered = 0
    for _ in channel.send(source()):
        answered += 1
        assert read <= answered + ROOM
    channel.close()
    assert answered == read


TROUBLE: dict[str, Reply] = {
    "hangs up": Wrong.CLOSES,
    "resets": Wrong.RESETS,
    "talks nonsense": b"\x00\xffnonsense\r\n\r\n",
    "answers with a page": reply(200, b"<html>Welcome to the caf\xe9's Wi-Fi</html>"),
    "answers with nothing": reply(200),
    "fails": reply(500, b"<html>Internal Server Error</html>"),
    "answers with the wrong JSON": reply(200, [[{"errors": 1}]]),
    "refuses with the wrong JSON": reply(400, {"errors": {"field": []}, "code": {"x": 1}}),
}


@pytest.mark.parametrize("answer", TROUBLE.values(), ids=TROUBLE.keys())
def test_no_answer_of_a_provider_raises(by_http: Adapter, answer: Reply) -> None:
    with wire(lambda _: answer) as server:
        channel = by_http.open(**at(server.url, mail_server=""))
        results = list(channel.send(by_http.messages(1)))
        found = channel.check()
        assert found is None or found
        channel.close()
    assert [number for number, _ in results] == [1]
    assert isinstance(results[0][1], OUTCOMES)


def test_a_provider_that_is_away_is_tried_later(outside: Adapter) -> None:
    url = closed_port()
    channel = outside.open(**at(url, url.replace("http", "smtp")))
    results = list(channel.send(outside.messages(1)))
    assert channel.check()
    channel.close()
    assert [number for number, _ in results] == [1]
    assert isinstance(results[0][1], TryLater)


def test_what_is_missing_is_named_and_ends_the_reading(outside: Adapter) -> None:
    channel = outside.open()
    source = outside.messages(5)
    ((number, outcome),) = channel.send(source)
    assert isinstance(outcome, Misconfigured)
    assert "is not set" in outcome.reason
    assert outcome.reason == channel.check()
    channel.close()
    assert [number, *(message.delivery_id for message in source)] == [1, 2, 3, 4, 5]


def test_nothing_personal_is_logged(adapter: Adapter, well: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    ours = [name for name in logging.root.manager.loggerDict if not name.startswith(("aiosmtpd", "mail"))]
    with caplog.at_level(logging.DEBUG):
        channel = adapter.open(**well)
        outcomes: list[Outcome] = [outcome for _, outcome in channel.send(adapter.messages(3))]
        channel.close()
    assert len(outcomes) == 3
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name in ours)
    for personal in ("Rumpelstiltskin", "person1", "7700900001", "secret", "SG.key"):
        assert personal not in logged
