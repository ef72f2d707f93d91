"""Public posts on Mastodon, against a server that answers in every way there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from channels.base import Accepted, Content, Message, Misconfigured, Outcome, Rejected, Rejection, TryLater
from channels.social.mastodon import MastodonChannel
from config.settings import Settings
from tests.channels.wire import Reply, Request, Wire, Wrong, closed_port, reply, wire

POST = Content(text="We meet on Tuesday: https://hub.example.org/a/1", language="cy-GB")
INSTANCE = {"configuration": {"statuses": {"max_characters": 100, "characters_reserved_per_url": 23}}}

Opener = Callable[..., MastodonChannel]


def server(status: Reply) -> Callable[[Request], Reply]:
    """A server that answers a post with ``status``."""
    return lambda request: reply(200, INSTANCE) if request.target == "/api/v2/instance" else status


@pytest.fixture
def mastodon() -> Iterator[Wire]:
    with wire(server(reply(200, {"id": "109"}))) as served:
        yield served


@pytest.fixture
def open_channel() -> Iterator[Opener]:
    opened: list[MastodonChannel] = []

    def open_one(url: str, **more: Any) -> MastodonChannel:
        given: dict[str, Any] = {"mastodon_base_url": url, "mastodon_access_token": "token", "sandbox": True}
        opened.append(MastodonChannel(Settings(**(given | more))))
        return opened[-1]

    yield open_one
    for channel in opened:
        channel.close()


def posts(served: Wire) -> list[Request]:
    return [request for request in served.requests if request.method == "POST"]


def test_a_post_is_written_and_its_repeat_can_be_recognised(mastodon: Wire, open_channel: Opener) -> None:
    channel = open_channel(mastodon.url)
    same = Message(8, "", POST, idempotency_key="announcement-1-cy")
    results = [*channel.send([Message(7, "", POST)]), *channel.send([same]), *channel.send([same])]
    assert results == [(7, Accepted("109")), (8, Accepted("109")), (8, Accepted("109"))]
    first = posts(mastodon)[0]
    assert first.target == "/api/v1/statuses"
    assert first.headers["authorization"] == "Bearer token"
    assert first.form == {"status": POST.text, "visibility": "public", "language": "cy"}
    keys = [request.headers["idempotency-key"] for request in posts(mastodon)]
    assert keys == ["everyway-delivery-7", "announcement-1-cy", "announcement-1-cy"]


ANSWERS: list[tuple[str, Reply, Outcome | type[Outcome]]] = [
    ("not a post", reply(200, b"<html>"), TryLater),
    ("refused", reply(422, {"error": "Validation failed"}), Rejected("422", Rejection.CONTENT)),
    ("wrong token", reply(401, {"error": "No"}), Misconfigured),
    ("token without the scope", reply(403, {"error": "No"}), Misconfigured),
    ("not Mastodon", reply(404, b"<html>"), Misconfigured),
    ("too many", reply(429, b"", X_RateLimit_Reset="2020-01-01T00:00:00.000000Z"), TryLater),
    ("server error", reply(500), TryLater),
    ("unavailable", reply(503, b"", Retry_After="7"), TryLater),
    ("closed without an answer", Wrong.CLOSES, TryLater),
    ("reset within the answer", (reply(200, b"x" * 99)[:-9], Wrong.RESETS), TryLater),
    ("not HTTP", b"SSH-2.0\r\n", TryLater),
]


@pytest.mark.parametrize(("answer", "expected"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_decides_what_happens_next(
    mastodon: Wire, open_channel: Opener, answer: Reply, expected: Outcome | type[Outcome]
) -> None:
    mastodon.answer = server(answer)
    ((_, outcome),) = open_channel(mastodon.url).send([Message(1, "", POST)])
    assert outcome == expected if not isinstance(expected, type) else isinstance(outcome, expected)
    assert len(posts(mastodon)) == 1


def test_a_server_that_is_away_is_tried_later(open_channel: Opener) -> None:
    ((_, outcome),) = open_channel(closed_port()).send([Message(1, "", POST)])
    assert isinstance(outcome, TryLater)


def test_a_post_that_is_too_long_for_the_server_is_not_sent(mastodon: Wire, open_channel: Opener) -> None:
    link = "https://hub.example.org/" + "x" * 200
    fits = Content(text="a" * 76 + " " + link)
    too_long = Content(text="a" * 77 + " " + link)
    results = dict(open_channel(mastodon.url).send([Message(1, "", fits), Message(2, "", too_long)]))
    assert results == {1: Accepted("109"), 2: Rejected("too_long", Rejection.CONTENT)}


@pytest.mark.parametrize("token", ["", "a\r\nb", "ü"])
def test_a_wrong_token_is_named_and_ends_the_reading(mastodon: Wire, open_channel: Opener, token: str) -> None:
    channel = open_channel(mastodon.url, mastodon_access_token=token)
    assert "MASTODON_ACCESS_TOKEN" in (channel.check() or "")
    source = iter([Message(1, "", POST), Message(2, "", POST)])
    ((_, outcome),) = channel.send(source)
    assert isinstance(outcome, Misconfigured)
    assert next(source).delivery_id == 2
    assert not mastodon.requests


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(200, {"id": "1", "username": "riverside"}), None),
        (reply(401, {"error": "No"}), "MASTODON_ACCESS_TOKEN"),
        (reply(200, b"<html>"), "not a Mastodon server"),
        (Wrong.RESETS, "can’t be reached"),
    ],
)
def test_the_check_asks_whose_the_token_is(
    mastodon: Wire, open_channel: Opener, answer: Reply, said: str | None
) -> None:
    mastodon.answer = lambda _: answer
    found = open_channel(mastodon.url).check()
    assert found is None if said is None else said in (found or "")
