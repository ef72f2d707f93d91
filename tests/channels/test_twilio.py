"""Texts by Twilio, against a server that answers in every way there is."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from channels.base import (
    Accepted,
    Content,
    Message,
    Misconfigured,
    Outcome,
    Progress,
    Rejected,
    Rejection,
    TryLater,
    Unknown,
)
from channels.pool import Limits
from channels.text.twilio import TwilioChannel
from channels.text.twilio_http import http_client
from config.settings import Settings
from tests.channels.wire import Reply, Request, Wire, Wrong, closed_port, reply, wire

SID = "AC" + "0" * 32
HELLO = Content(text="Hello ((name))", fields=("name",))
IMPATIENT = Limits(connect_seconds=0.5, answer_seconds=0.2, largest_answer=20_000)


def created(sid: str = "SM1", **more: object) -> bytes:
    return reply(201, {"sid": sid, "status": "queued", "error_code": None, "num_segments": "1"} | more)


def refused(status: int, code: int, **headers: str) -> bytes:
    return reply(status, {"code": code, "message": "No", "more_info": "", "status": status}, **headers)


def settings(url: str, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "twilio_account_sid": SID,
        "twilio_auth_token": "secret",
        "twilio_from": "+447700900001",
        "twilio_base_url": url,
        "sandbox": True,
    }
    return Settings(**(given | more))


def message(number: int = 1, **more: Any) -> Message:
    given: dict[str, Any] = {"address": f"+4477009{number:05d}", "content": HELLO, "values": {"name": "Jo & co"}}
    return Message(number, **(given | more))


@pytest.fixture
def twilio() -> Iterator[Wire]:
    numbers = itertools.count()
    with wire(lambda _: created(f"SM{next(numbers):032x}")) as server:
        yield server


@pytest.fixture
def open_channel() -> Iterator[Callable[..., TwilioChannel]]:
    opened: list[TwilioChannel] = []

    def open_one(url: str, **more: Any) -> TwilioChannel:
        given = {name: more.pop(name) for name in ("limits", "in_flight") if name in more}
        opened.append(TwilioChannel(settings(url, **more), **given))
        return opened[-1]

    yield open_one
    for channel in opened:
        channel.close()


Opener = Callable[..., TwilioChannel]


def only(channel: TwilioChannel) -> Outcome:
    """The outcome of one text."""
    results = list(channel.send([message()]))
    assert [delivery_id for delivery_id, _ in results] == [1]
    return results[0][1]


def test_every_text_is_sent_and_answered_once(twilio: Wire, open_channel: Opener) -> None:
    results = dict(open_channel(twilio.url).send(message(number) for number in range(500)))
    assert sorted(results) == list(range(500))
    assert all(isinstance(outcome, Accepted) and outcome.parts == 1 for outcome in results.values())
    assert sorted(request.form["To"] for request in twilio.requests) == [message(n).address for n in range(500)]
    assert twilio.connections <= 64


def test_a_text_carries_what_twilio_has_to_know(twilio: Wire, open_channel: Opener) -> None:
    callback = "https://hub.example.org/webhooks/twilio/status?d=1"
    text = message(status_callback=callback, valid_for=timedelta(hours=20))
    list(open_channel(twilio.url).send([text]))
    assert twilio.requests[0].target == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert twilio.requests[0].form == {
        "To": "+447700900001",
        "From": "+447700900001",
        "Body": "Hello Jo & co",
        "StatusCallback": callback,
        "ValidityPeriod": "36000",
        "SmartEncoded": "false",
    }


def test_a_messaging_service_goes_before_a_number(twilio: Wire, open_channel: Opener) -> None:
    list(open_channel(twilio.url, twilio_messaging_service_sid="MG1").send([message()]))
    assert twilio.requests[0].form["MessagingServiceSid"] == "MG1"
    assert "From" not in twilio.requests[0].form


@pytest.mark.parametrize("body", ["Plain", "Café – “it’s” 10% off & more = 😀\n~*'()!", "a" * 1600])
def test_the_request_is_the_same_as_the_sdk_sends_over_its_own_client(
    twilio: Wire, open_channel: Opener, body: str
) -> None:
    callback = "https://hub.example.org/webhooks/twilio/status?d=1"
    text = Message(1, "+447700900123", Content(text=body), {}, callback, valid_for=timedelta(minutes=5))
    list(open_channel(twilio.url).send([text]))
    create_by_the_sdk(twilio.url, to=text.address, body=body, status_callback=callback, validity_period=300)
    ours, theirs = twilio.requests
    assert (ours.method, ours.target, ours.body) == (theirs.method, theirs.target, theirs.body)
    added_by_requests = {"accept-encoding", "connection"}
    assert ours.headers == {name: value for name, value in theirs.headers.items() if name not in added_by_requests}


def create_by_the_sdk(url: str, **given: Any) -> None:
    """One text as the documentation of the SDK sends it, to our own server."""

    class ToUs(TwilioHttpClient):  # type: ignore[misc]
        def request(self, method: str, uri: str, *args: Any, **more: Any) -> Any:
            return super().request(method, uri.replace("https://api.twilio.com", url), *args, **more)

    over = ToUs()
    Client(SID, "secret", http_client=over).messages.create(from_="+447700900001", smart_encoded=False, **given)
    over.session.close()


def test_the_sdks_own_calls_run_over_the_lean_client_too(twilio: Wire) -> None:
    async def create() -> str:
        over = http_client(twilio.url)
        made = await Client(SID, "secret", http_client=over).messages.create_async(
            to="+447700900123", from_="+447700900001", body="Hello"
        )
        await over.close()
        return str(made.sid)

    assert asyncio.run(create()) == f"SM{0:032x}"


ANSWERS: list[tuple[str, Reply, Outcome | type[Outcome]]] = [
    ("taken", created("SM9"), Accepted("SM9", 1)),
    ("taken, parts not known yet", created("SM9", num_segments="0"), Accepted("SM9", None)),
    ("taken, in pieces", (created("SM9")[:30], created("SM9")[30:60], created("SM9")[60:]), Accepted("SM9", 1)),
    (
        "taken, in chunks",
        b'HTTP/1.1 201 C\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"sid\r\n7\r\n":"SM9"\r\n1\r\n}\r\n0\r\n\r\n',
        Accepted("SM9", None),
    ),
    ("taken, ended by closing", (b'HTTP/1.1 201 C\r\n\r\n{"sid":"SM9"}', Wrong.CLOSES), Accepted("SM9", None)),
    ("taken, after an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n" + created("SM9"), Accepted("SM9", 1)),
    ("taken, says a broken answer", reply(201, b"<html>"), Unknown),
    ("taken, says an empty answer", reply(201), Unknown),
    ("taken, without an id", reply(201, {"status": "queued"}), Unknown),
    ("taken, says a list", reply(201, [1]), Unknown),
    ("taken and failed at once", created(error_code=21610), Rejected("21610", Rejection.OPTED_OUT)),
    ("not a number", refused(400, 21211), Rejected("21211", Rejection.CONTACT_POINT_IS_BAD)),
    ("not a mobile", refused(400, 21614), Rejected("21614", Rejection.CONTACT_POINT_IS_BAD)),
    ("opted out", refused(400, 21610), Rejected("21610", Rejection.OPTED_OUT)),
    ("too long", refused(400, 21617), Rejected("21617", Rejection.CONTENT)),
    ("no such country", refused(400, 21408), Rejected("21408", Rejection.NOT_DELIVERED)),
    ("a code that nobody knows", refused(400, 29999), Rejected("29999", Rejection.UNEXPLAINED)),
    ("bad request without a code", reply(400, b"no"), Rejected("400", Rejection.UNEXPLAINED)),
    ("too many requests", refused(429, 20429, Retry_After="7"), TryLater("20429", timedelta(seconds=7))),
    ("too many requests, says a proxy", reply(429, b""), TryLater("429", timedelta(seconds=5))),
    ("queue full", refused(400, 21611), TryLater("21611", timedelta(minutes=10))),
    ("come back later", reply(503, b"", Retry_After="30"), TryLater("503", timedelta(seconds=30))),
    ("unavailable", reply(503, b""), Unknown),
    ("server error", refused(500, 20500), Unknown),
    ("bad gateway", reply(502, b"<html>"), Unknown),
    ("gateway time-out", reply(504, b""), Unknown),
    ("request time-out", reply(408, b""), TryLater),
    ("wrong credentials", refused(401, 20003), Misconfigured),
    ("forbidden", reply(403, b""), Misconfigured),
    ("no such account", refused(404, 20404), Misconfigured),
    ("not Twilio at all", reply(404, b"<html>"), Misconfigured),
    ("moved", reply(301, b"", Location="https://example.org/"), Misconfigured),
    ("wrong sender", refused(400, 21606), Misconfigured),
    ("no answer", Wrong.HANGS, Unknown),
    ("closed without an answer", Wrong.CLOSES, Unknown),
    ("reset without an answer", Wrong.RESETS, Unknown),
    ("reset within the answer", (created()[:60], Wrong.RESETS), Unknown),
    ("closed within the answer", (created()[:-5], Wrong.CLOSES), Unknown),
    ("stuck within the answer", (created()[:60], Wrong.HANGS), Unknown),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", Unknown),
    (
        "an answer that says two lengths",
        b"HTTP/1.1 201 C\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        Unknown,
    ),
    ("an endless answer", reply(201, b"x" * 50_000), Unknown),
    ("another protocol", b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Unknown),
]


@pytest.mark.parametrize(("answer", "expected"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_decides_what_happens_next(
    twilio: Wire, open_channel: Opener, answer: Reply, expected: Outcome | type[Outcome]
) -> None:
    twilio.answer = lambda _: answer
    outcome = only(open_channel(twilio.url, limits=IMPATIENT))
    assert outcome == expected if not isinstance(expected, type) else isinstance(outcome, expected)
    assert len(twilio.requests) == 1, "nothing is sent a second time"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(closed_port(), id="a closed port"),
        "http://nowhere.invalid",
        "http://bad host",
        "https://xn--.invalid",
    ],
)
def test_what_never_left_is_tried_later(open_channel: Opener, url: str) -> None:
    channel = TwilioChannel(settings("http://127.0.0.1", sandbox=True).model_copy(update={"twilio_base_url": url}))
    outcome = only(channel)
    channel.close()
    assert isinstance(outcome, TryLater)


def test_a_server_that_speaks_no_tls_is_tried_later(twilio: Wire, open_channel: Opener) -> None:
    outcome = only(open_channel(twilio.url.replace("http:", "https:"), limits=IMPATIENT))
    assert isinstance(outcome, TryLater)
    assert not any(request.method == "POST" for request in twilio.requests)


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(twilio: Wire, open_channel: Opener) -> None:
    twilio.answer = lambda _: (created(), Wrong.CLOSES)
    channel = open_channel(twilio.url, in_flight=1)
    for round_ in range(3):
        assert isinstance(only(channel), Accepted), round_
        time.sleep(0.05)
    assert len(twilio.requests) == 3


def test_an_answer_nobody_asked_for_is_never_given_to_another_text(twilio: Wire, open_channel: Opener) -> None:
    twilio.answer = lambda _: (created("SM1") + created("SM2"),)
    channel = open_channel(twilio.url, in_flight=1)
    outcomes = [outcome for _, outcome in channel.send([message(1), message(2), message(3)])]
    assert outcomes == [Accepted("SM1", 1)] * 3
    assert twilio.connections == 3


def test_texts_are_read_only_as_there_is_room(twilio: Wire, open_channel: Opener) -> None:
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield message(number)

    answered = 0
    for _ in open_channel(twilio.url, in_flight=8).send(source()):
        answered += 1
        assert read <= len(twilio.requests) + 8
    assert answered == read == 1000


def test_results_come_without_waiting_for_the_slowest(twilio: Wire, open_channel: Opener) -> None:
    def slow_for_the_first(request: Request) -> Reply:
        if request.form["To"].endswith("00000"):
            twilio.over.wait(1.5)
        return created()

    twilio.answer = slow_for_the_first
    results = [number for number, _ in open_channel(twilio.url).send(message(number) for number in range(100))]
    assert sorted(results) == list(range(100))
    assert results[-1] == 0


def test_a_wrong_setting_ends_the_reading(twilio: Wire, open_channel: Opener) -> None:
    twilio.answer = lambda _: refused(401, 20003)
    source = iter([message(number) for number in range(500)])
    results = list(open_channel(twilio.url).send(source))
    assert 1 <= len(results) <= 64
    assert all(isinstance(outcome, Misconfigured) for _, outcome in results)
    assert len(results) + len(list(source)) == 500


def test_a_busy_provider_is_given_time(twilio: Wire, open_channel: Opener) -> None:
    refusals = iter([refused(429, 20429, Retry_After="1")] * 3)
    twilio.answer = lambda _: next(refusals, created())
    results = dict(open_channel(twilio.url, in_flight=4).send(message(number) for number in range(40)))
    assert len(results) == 40
    assert sum(isinstance(outcome, TryLater) for outcome in results.values()) == 3


def test_what_goes_wrong_in_reading_is_raised_after_what_was_read_is_answered(
    twilio: Wire, open_channel: Opener
) -> None:
    def source() -> Iterator[Message]:
        yield from (message(number) for number in range(10))
        raise LookupError("the database is gone")

    answered: list[int] = []
    with pytest.raises(LookupError, match="database"):
        answered.extend(number for number, _ in open_channel(twilio.url).send(source()))
    assert sorted(answered) == list(range(10))


def test_breaking_off_leaves_a_channel_that_still_works(twilio: Wire, open_channel: Opener) -> None:
    channel = open_channel(twilio.url)
    sending = channel.send(message(number) for number in range(200))
    next(sending)
    sending.close()  # type: ignore[attr-defined]  # a generator
    assert isinstance(only(channel), Accepted)


def test_fictional_numbers_are_never_texted_when_live(twilio: Wire, open_channel: Opener) -> None:
    assert only(open_channel(twilio.url, sandbox=False)) == Rejected("fictional", Rejection.CONTACT_POINT_IS_BAD)
    assert not twilio.requests


def test_a_text_that_is_too_long_is_not_sent(twilio: Wire, open_channel: Opener) -> None:
    results = list(open_channel(twilio.url).send([message(values={"name": "x" * 1600})]))
    assert results == [(1, Rejected("21617", Rejection.CONTENT))]
    assert not twilio.requests


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"twilio_account_sid": ""}, "TWILIO_ACCOUNT_SID"),
        ({"twilio_account_sid": "AC\r\nX: y"}, "TWILIO_ACCOUNT_SID"),
        ({"twilio_auth_token": ""}, "TWILIO_AUTH_TOKEN"),
        ({"twilio_from": ""}, "TWILIO_FROM"),
    ],
)
def test_a_missing_setting_is_named(twilio: Wire, open_channel: Opener, missing: dict[str, str], named: str) -> None:
    channel = open_channel(twilio.url, **missing)
    assert named in (channel.check() or "")
    source = iter([message(1), message(2)])
    ((number, outcome),) = channel.send(source)
    assert isinstance(outcome, Misconfigured)
    assert named in outcome.reason
    assert (number, next(source).delivery_id) == (1, 2)
    assert not twilio.requests


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(200, {"sid": SID, "status": "active"}), None),
        (reply(200, {"sid": SID, "status": "suspended"}), "suspended"),
        (refused(401, 20003), "credentials"),
        (reply(500, b""), "500"),
        (reply(200, b"<html>"), "not Twilio"),
        (Wrong.RESETS, "can’t be reached"),
    ],
)
def test_the_check_asks_for_the_account(twilio: Wire, open_channel: Opener, answer: Reply, said: str | None) -> None:
    twilio.answer = lambda _: answer
    found = open_channel(twilio.url, limits=IMPATIENT).check()
    assert found is None if said is None else said in (found or "")
    assert twilio.requests[0].target == f"/2010-04-01/Accounts/{SID}.json"


def test_texts_that_twilio_has_are_found(twilio: Wire, open_channel: Opener) -> None:
    def listed(sid: str, status: str, created: str) -> dict[str, object]:
        return {"sid": sid, "body": f"Text {sid}", "status": status, "date_created": created, "error_code": None}

    twilio.answer = lambda _: reply(
        200,
        {
            "messages": [
                listed("SM3", "queued", "Sun, 22 Nov 2026 12:00:05 +0000"),
                listed("SM2", "delivered", "Sun, 22 Nov 2026 12:00:00 +0000"),
                listed("SM1", "failed", "Sun, 22 Nov 2026 11:59:00 +0000"),
            ],
            "next_page_uri": None,
        },
    )
    since = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)
    [found] = open_channel(twilio.url).find([("+447700900123", since)])
    assert [(one.provider_id, one.text, one.progress) for one in found or []] == [
        ("SM3", "Text SM3", Progress.SENT),
        ("SM2", "Text SM2", Progress.DELIVERED),
    ]
    assert twilio.requests[0].query["To"] == "+447700900123"


def test_nothing_can_be_found_while_twilio_is_away(open_channel: Opener) -> None:
    since = datetime(2026, 11, 22, tzinfo=UTC)
    assert open_channel(closed_port()).find([("+447700900123", since), ("+447700900124", since)]) == [None, None]
