"""Twilio, as its own SDK sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from werkzeug import Request

from channels.sandbox.credentials import DEFAULT
from tests.sandbox.conftest import FINE, GONE, OUT_OF_REACH
from tests.services.sandbox import Sandbox

STATUS = "/webhooks/twilio/status"
Told = Callable[[str, int], list[Request]]


def send(twilio: Client, **changes: Any) -> Any:
    return twilio.messages.create(**{"to": FINE, "from_": DEFAULT.sender, "body": "Hello", **changes})


def test_a_text_is_taken_and_arrives(twilio: Client) -> None:
    message = send(twilio, body="x" * 161)

    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert (message.status, message.num_segments, message.price) == ("queued", "2", None)
    found = twilio.messages(message.sid).fetch()
    assert (found.status, found.to, found.from_, found.body) == ("delivered", FINE, DEFAULT.sender, "x" * 161)
    assert found.date_sent is not None


def test_a_text_through_a_messaging_service_is_accepted_first(twilio: Client) -> None:
    message = send(twilio, from_=None, messaging_service_sid=DEFAULT.messaging_service_sid)

    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    assert message.messaging_service_sid == DEFAULT.messaging_service_sid


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "07700900123"}, 21211),
        ({"to": "+44770090012"}, 21211),
        ({"to": "+4477009001234"}, 21211),
        ({"to": "+448081570123"}, 21614),
        ({"to": DEFAULT.sender}, 21266),
        ({"body": ""}, 21602),
        ({"body": "   "}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"from_": None}, 21603),
        ({"from_": "+15005550006"}, 21606),
        ({"from_": "our group"}, 21212),
        ({"from_": None, "messaging_service_sid": "MG" + "0" * 32}, 21701),
        ({"validity_period": 0}, 21624),
        ({"validity_period": 36001}, 21624),
        ({"status_callback": "/webhooks/twilio/status"}, 21609),
        ({"status_callback": "ftp://example.org/"}, 21609),
        ({"schedule_type": "fixed", "send_at": "2026-11-23T09:00:00Z"}, 35118),
    ],
)
def test_what_twilio_would_refuse_is_refused_with_its_code(twilio: Client, changes: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        send(twilio, **changes)

    assert (refused.value.status, refused.value.code) == (400, code)


def test_an_error_has_the_form_that_twilio_gives_it(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/2010-04-01/Accounts/{DEFAULT.account_sid}/Messages.json"
    answer = requests.post(url, data={}, auth=(DEFAULT.account_sid, "wrong"), timeout=10)

    assert answer.status_code == 401
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_credentials_can_be_checked(twilio: Client, sandbox: Sandbox) -> None:
    assert twilio.api.accounts(DEFAULT.account_sid).fetch().status == "active"
    with pytest.raises(TwilioRestException) as refused:
        twilio.api.accounts("AC" + "0" * 32).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_a_message_that_was_never_sent_is_not_found(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages("SM" + "0" * 32).fetch()
    assert refused.value.code == 20404


@pytest.mark.parametrize(
    ("to", "last", "code"),
    [(FINE, "delivered", None), (OUT_OF_REACH, "undelivered", "30003"), (GONE, "undelivered", "30005")],
)
def test_the_hub_is_told_in_signed_callbacks(
    twilio: Client, hub: HTTPServer, told: Told, to: str, last: str, code: str | None
) -> None:
    hub.expect_request(STATUS, method="POST").respond_with_data("")
    url = hub.url_for(f"{STATUS}?d=17&x=a%20b")

    message = send(twilio, to=to, status_callback=url)

    came = sorted(told(STATUS, 2), key=lambda request: request.form["MessageStatus"] != "sent")
    assert [request.form["MessageStatus"] for request in came] == ["sent", last]
    assert came[1].form.get("ErrorCode") == code
    assert len(came[1].form["RawDlrDoneDate"]) == 10
    validator = RequestValidator(DEFAULT.auth_token)
    for request in came:
        assert request.full_path == f"{STATUS}?d=17&x=a%20b"
        assert request.form["MessageSid"] == request.form["SmsSid"] == message.sid
        assert (request.form["To"], request.form["From"]) == (to, DEFAULT.sender)
        assert request.form["AccountSid"] == DEFAULT.account_sid
        assert validator.validate(url, request.form, request.headers["X-Twilio-Signature"])


def test_a_callback_is_told_again_until_the_hub_has_taken_it(twilio: Client, hub: HTTPServer, told: Told) -> None:
    hub.expect_ordered_request(STATUS).respond_with_data("", status=503)
    hub.expect_ordered_request(STATUS).respond_with_data("")
    hub.expect_ordered_request(STATUS).respond_with_data("")

    send(twilio, status_callback=hub.url_for(STATUS))

    came = [request.form["MessageStatus"] for request in told(STATUS, 3)]
    assert sorted(set(came)) == ["delivered", "sent"]


def test_messages_are_listed_by_recipient_and_day_page_by_page(twilio: Client) -> None:
    sent = [send(twilio, body=f"Text {number}").sid for number in range(7)]
    send(twilio, to=OUT_OF_REACH)
    today = datetime.now(UTC)

    assert [message.sid for message in twilio.messages.list(to=FINE, page_size=3)] == sent[::-1]
    assert len(twilio.messages.list(to=FINE, date_sent_after=today, date_sent_before=today)) == 7
    assert twilio.messages.list(to=FINE, date_sent_after=today + timedelta(days=1)) == []
    assert len(twilio.messages.list(date_sent=today)) == 8
    assert len(twilio.messages.list(from_=DEFAULT.sender, limit=5)) == 5
    assert twilio.messages.list(to="+447700900999") == []


def test_a_scheduled_text_waits_and_can_be_cancelled(twilio: Client) -> None:
    service = {"from_": None, "messaging_service_sid": DEFAULT.messaging_service_sid}
    message = send(twilio, schedule_type="fixed", send_at=datetime.now(UTC) + timedelta(hours=1), **service)
    assert message.status == "scheduled"

    assert twilio.messages(message.sid).update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages(message.sid).update(status="canceled")
    assert refused.value.code == 30409


def test_a_text_can_be_redacted(twilio: Client, sandbox: Sandbox) -> None:
    message = send(twilio, body="A secret")

    assert twilio.messages(message.sid).update(body="").body == ""
    assert "A secret" not in str(sandbox.get("messages"))


def test_the_same_delivery_accepted_twice_is_a_duplicate_and_the_same_person_is_not(
    twilio: Client, sandbox: Sandbox
) -> None:
    for delivery in (1, 2, 1):
        send(twilio, status_callback=f"http://127.0.0.1:9{STATUS}?d={delivery}")

    assert sandbox.get("summary")["text"] == {"accepted": 3, "distinct_recipients": 1, "duplicates": 1}


def test_without_a_delivery_the_same_words_to_the_same_person_are_a_duplicate(twilio: Client, sandbox: Sandbox) -> None:
    send(twilio, body="One")
    send(twilio, body="Two")
    send(twilio, body="One", to=OUT_OF_REACH)
    assert sandbox.get("summary")["text"]["duplicates"] == 0

    send(twilio, body="One")
    assert sandbox.get("summary")["text"] == {"accepted": 4, "distinct_recipients": 2, "duplicates": 1}
