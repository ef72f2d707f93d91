"""Email by SendGrid, against a server that answers in every way there is."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sendgrid.helpers import mail as helpers

from channels.base import (
    Accepted,
    Content,
    Message,
    Misconfigured,
    Outcome,
    Rejected,
    Rejection,
    TryLater,
    Unknown,
)
from channels.email import sendgrid_mail
from channels.email.sender import Sender
from channels.email.sendgrid import SendGridChannel
from config.settings import Settings
from tests.channels.wire import Reply, Request, Wire, Wrong, closed_port, reply, wire

HELLO = Content(
    text="Hello ((name)), stop: ((unsubscribe link))",
    subject="News for ((name))",
    html='<p>Hello ((name)), <a href="((unsubscribe link))">stop</a></p>',
    fields=("name", "unsubscribe link"),
)
SENDER = Sender("hub@example.org", "Riverside tenants", "<announcements.hub.example.org>")
TAKEN = reply(202, b"", X_Message_Id="abc123")

Opener = Callable[..., SendGridChannel]


def message(number: int = 1, **more: Any) -> Message:
    link = f"https://hub.example.org/u/{number}"
    given: dict[str, Any] = {
        "address": f"person{number}@example.org",
        "content": HELLO,
        "values": {"name": "Jo & <Co>", "unsubscribe link": link},
        "unsubscribe_url": link,
    }
    return Message(number, **(given | more))


@pytest.fixture
def sendgrid() -> Iterator[Wire]:
    with wire(lambda _: TAKEN) as server:
        yield server


@pytest.fixture
def open_channel() -> Iterator[Opener]:
    opened: list[SendGridChannel] = []

    def open_one(url: str, **more: Any) -> SendGridChannel:
        given: dict[str, Any] = {
            "sendgrid_api_key": "SG.key",
            "sendgrid_base_url": url,
            "email_from": "hub@example.org",
            "group_name": "Riverside tenants",
            "public_url": "https://hub.example.org",
            "sandbox": True,
        }
        opened.append(SendGridChannel(Settings(**(given | more)), longest_pause=0))
        return opened[-1]

    yield open_one
    for channel in opened:
        channel.close()


def people(request: Request) -> list[dict[str, Any]]:
    return list(request.json["personalizations"])


def addresses(request: Request) -> list[str]:
    return [to["email"] for person in people(request) for to in person["to"]]


def test_a_thousand_people_share_a_request_and_a_connection(sendgrid: Wire, open_channel: Opener) -> None:
    results = dict(open_channel(sendgrid.url).send(message(number) for number in range(2001)))
    assert results == dict.fromkeys(range(2001), Accepted("abc123"))
    assert [len(people(request)) for request in sendgrid.requests] == [1000, 1000, 1]
    assert sendgrid.connections == 1
    assert sendgrid.requests[0].target == "/v3/mail/send"
    assert sendgrid.requests[0].headers["authorization"] == "Bearer SG.key"


def test_the_request_means_what_the_sdks_own_helpers_would_say() -> None:
    messages = [message(1), message(2, values={"name": "Siân\n😀"}), message(3, values={"name": '"quoted"\\'})]
    ours = orjson.loads(sendgrid_mail.mail(messages, SENDER))
    assert ours == by_the_helpers(messages)


def by_the_helpers(messages: list[Message]) -> dict[str, Any]:
    """The same mail as the SDK's documentation builds it."""
    escaped = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
    mail = helpers.Mail(
        from_email=helpers.From("hub@example.org", "Riverside tenants"), subject=helpers.Subject("News for -field-4-")
    )
    mail.add_content(helpers.Content("text/plain", "Hello -field-0-, stop: -field-1-"))
    mail.add_content(helpers.Content("text/html", '<p>Hello -field-2-, <a href="-field-3-">stop</a></p>'))
    mail.add_header(helpers.Header("List-Id", "<announcements.hub.example.org>"))
    for one in reversed(messages):  # the helpers put the latest first
        person = helpers.Personalization()
        person.add_to(helpers.To(one.address))
        person.add_header(helpers.Header("List-Unsubscribe", f"<{one.unsubscribe_url}>"))
        person.add_header(helpers.Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        person.add_custom_arg(helpers.CustomArg("delivery_id", str(one.delivery_id)))
        name = one.values["name"]
        link = one.values.get("unsubscribe link", "((unsubscribe link))")
        in_html = "".join(escaped.get(character, character) for character in name)
        for place, value in enumerate((name, link, in_html, link, " ".join(name.split()))):
            person.add_substitution(helpers.Substitution(f"-field-{place}-", value))
        mail.add_personalization(person)
    tracking = helpers.TrackingSettings()
    tracking.click_tracking = helpers.ClickTracking(enable=False, enable_text=False)
    tracking.open_tracking = helpers.OpenTracking(enable=False)
    tracking.subscription_tracking = helpers.SubscriptionTracking(enable=False)
    mail.tracking_settings = tracking
    return dict(mail.get())


WORDS = st.text(alphabet="ab -field01\n&<(", max_size=20)


@given(WORDS, WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_no_words_are_taken_for_a_field(before: str, after: str, names: list[str]) -> None:
    before, after = before.replace("(", ""), after.replace("(", "")
    content = Content(text=f"{before}((name)){after}((name))", subject="x")
    messages = [message(number, content=content, values={"name": name}) for number, name in enumerate(names)]
    built = orjson.loads(sendgrid_mail.mail(messages, SENDER))
    for name, person in zip(names, built["personalizations"], strict=True):
        text = built["content"][0]["value"]
        for tag, value in person["substitutions"].items():
            text = text.replace(tag, value)
        assert text == f"{before}{name}{after}{name}"


def test_half_a_surrogate_pair_breaks_nothing() -> None:
    built = orjson.loads(sendgrid_mail.mail([message(values={"name": "\ud83d"})], SENDER))
    assert built["personalizations"][0]["substitutions"]["-field-0-"] == "?"


def test_people_who_share_a_mailbox_are_in_different_requests(sendgrid: Wire, open_channel: Opener) -> None:
    household = ["a@example.org", "A@Example.org", "b@example.org", "a@example.org"]
    results = dict(
        open_channel(sendgrid.url).send(message(number, address=address) for number, address in enumerate(household))
    )
    assert len(results) == 4
    for request in sendgrid.requests:
        assert max(Counter(address.casefold() for address in addresses(request)).values()) == 1
    assert sorted(address for request in sendgrid.requests for address in addresses(request)) == sorted(household)


def test_each_content_has_its_own_request(sendgrid: Wire, open_channel: Opener) -> None:
    welsh = Content(text="Helo", subject="Newyddion")
    list(open_channel(sendgrid.url).send([message(1), message(2, content=welsh), message(3)]))
    assert [(request.json["subject"], len(people(request))) for request in sendgrid.requests] == [
        ("News for -field-4-", 2),
        ("Newyddion", 1),
    ]


def test_a_letter_that_is_not_a_delivery_carries_nothing_of_lists(sendgrid: Wire, open_channel: Opener) -> None:
    letter = Message(0, "ann@example.org", Content(text="Here is your link", subject="Your link"))
    assert list(open_channel(sendgrid.url).send([letter])) == [(0, Accepted("abc123"))]
    assert people(sendgrid.requests[0]) == [{"to": [{"email": "ann@example.org"}]}]
    assert "headers" not in sendgrid.requests[0].json


ERRORS = {"errors": [{"message": "No", "field": None, "help": None}]}
ANSWERS: list[tuple[str, Reply, Outcome | type[Outcome]]] = [
    ("taken, without an id", reply(202), Accepted("")),
    ("wrong key", reply(401, ERRORS), Misconfigured),
    ("not allowed", reply(403, ERRORS), Misconfigured),
    ("not SendGrid", reply(404, b"<html>"), Misconfigured),
    ("moved", reply(302, b"", Location="https://example.org"), Misconfigured),
    ("no reason given", reply(400, b"<html>"), Misconfigured),
    ("sender refused", reply(400, {"errors": [{"field": "from.email", "message": "No"}]}), Misconfigured),
    ("no text", reply(400, {"errors": [{"field": "content.0.value"}]}), Rejected("400", Rejection.CONTENT)),
    ("errors that are none", reply(400, {"errors": ["x", {"field": 7}]}), Misconfigured),
    ("a person who is not there", reply(400, {"errors": [{"field": "personalizations.7.to"}]}), Misconfigured),
    ("too large", reply(413), Rejected("413", Rejection.CONTENT)),
    ("too many", reply(429, b"", X_RateLimit_Reset=str(int(time.time()))), TryLater),
    ("too many, at once", reply(429, b"", X_RateLimit_Reset="0"), TryLater),
    ("come back later", reply(503, b"", Retry_After="1"), TryLater),
    ("server error", reply(500), Unknown),
    ("gateway time-out", reply(504), Unknown),
    ("closed without an answer", Wrong.CLOSES, Unknown),
    ("reset without an answer", Wrong.RESETS, Unknown),
    ("closed within the answer", (reply(202, b"x" * 50)[:-9], Wrong.CLOSES), Unknown),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", Unknown),
]


@pytest.mark.parametrize(("answer", "expected"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_decides_what_happens_next(
    sendgrid: Wire, open_channel: Opener, answer: Reply, expected: Outcome | type[Outcome]
) -> None:
    sendgrid.answer = lambda _: answer
    ((_, outcome),) = open_channel(sendgrid.url).send([message()])
    assert outcome == expected if not isinstance(expected, type) else isinstance(outcome, expected)
    assert len(sendgrid.requests) == 1, "nothing is sent a second time"


def test_what_never_left_is_tried_later(open_channel: Opener) -> None:
    ((_, outcome),) = open_channel(closed_port()).send([message()])
    assert isinstance(outcome, TryLater)


def test_the_refused_are_named_and_the_rest_is_sent(sendgrid: Wire, open_channel: Opener) -> None:
    def refuse_two(request: Request) -> bytes:
        wrong = [
            {"field": f"personalizations.{place}.to.0.email", "message": "Does not contain a valid address."}
            for place, address in enumerate(addresses(request))
            if address in {"person3@example.org", "person7@example.org"}
        ]
        return reply(400, {"errors": wrong}) if wrong else TAKEN

    sendgrid.answer = refuse_two
    results = dict(open_channel(sendgrid.url).send(message(number) for number in range(10)))
    bad = Rejected("400", Rejection.CONTACT_POINT_IS_BAD)
    assert results == dict.fromkeys(range(10), Accepted("abc123")) | {3: bad, 7: bad}
    assert len(sendgrid.requests) == 2


def test_a_request_that_is_too_large_is_halved(sendgrid: Wire, open_channel: Opener) -> None:
    sendgrid.answer = lambda request: reply(413) if len(people(request)) > 3 else TAKEN
    results = dict(open_channel(sendgrid.url).send(message(number) for number in range(10)))
    assert results == dict.fromkeys(range(10), Accepted("abc123"))
    assert [len(people(request)) for request in sendgrid.requests] == [10, 5, 2, 3, 5, 2, 3]


def test_a_wrong_setting_ends_the_reading_and_answers_what_was_read(sendgrid: Wire, open_channel: Opener) -> None:
    sendgrid.answer = lambda _: reply(401)
    source = iter([message(number, content=Content("x", subject=str(number))) for number in range(1500)])
    results = list(open_channel(sendgrid.url).send(source))
    assert sorted(number for number, _ in results) == list(range(1000))
    assert all(isinstance(outcome, Misconfigured) for _, outcome in results)
    assert len(sendgrid.requests) == 1
    assert len(list(source)) == 500


def test_fictional_mailboxes_are_never_written_to_when_live(sendgrid: Wire, open_channel: Opener) -> None:
    live = open_channel(sendgrid.url, sandbox=False)
    results = dict(live.send([message(1), message(2, address="ann@gmail.com")]))
    assert results == {1: Rejected("fictional", Rejection.CONTACT_POINT_IS_BAD), 2: Accepted("abc123")}
    assert addresses(sendgrid.requests[0]) == ["ann@gmail.com"]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"sendgrid_api_key": ""}, "SENDGRID_API_KEY"),
        ({"sendgrid_api_key": "SG.x\r\nX: y"}, "SENDGRID_API_KEY"),
        ({"email_from": ""}, "EMAIL_FROM"),
        ({"email_from": "nobody"}, "EMAIL_FROM"),
    ],
)
def test_a_missing_setting_is_named(sendgrid: Wire, open_channel: Opener, missing: dict[str, str], named: str) -> None:
    channel = open_channel(sendgrid.url, **missing)
    assert named in (channel.check() or "")
    source = iter([message(1), message(2)])
    ((number, outcome),) = channel.send(source)
    assert isinstance(outcome, Misconfigured)
    assert named in outcome.reason
    assert (number, next(source).delivery_id) == (1, 2)
    assert not sendgrid.requests


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reply(200, {"scopes": ["mail.send"]}), None),
        (reply(200, {"scopes": ["alerts.read"]}), "not allowed"),
        (reply(401, ERRORS), "SENDGRID_API_KEY"),
        (reply(500), "500"),
        (reply(200, b"<html>"), "not SendGrid"),
        (reply(200, [1]), "not SendGrid"),
        (Wrong.RESETS, "can’t be reached"),
    ],
)
def test_the_check_asks_what_the_key_may_do(
    sendgrid: Wire, open_channel: Opener, answer: Reply, said: str | None
) -> None:
    sendgrid.answer = lambda _: answer
    found = open_channel(sendgrid.url).check()
    assert found is None if said is None else said in (found or "")


def test_nothing_that_is_sent_gets_into_a_log(
    sendgrid: Wire, open_channel: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        list(open_channel(sendgrid.url).send([message(1, values={"name": "Rumpelstiltskin"})]))
    assert "Rumpelstiltskin" not in caplog.text
    assert "person1" not in caplog.text
