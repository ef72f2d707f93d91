"""SendGrid, as its own SDK sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from python_http_client.exceptions import BadRequestsError, UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook
from werkzeug import Request

from channels.sandbox.credentials import DEFAULT
from tests.sandbox.conftest import a_mail
from tests.services.sandbox import Sandbox

EVENTS = "/webhooks/sendgrid/events"
Told = Callable[[str, int], list[Request]]


def send(sendgrid: SendGridAPIClient, mail: Any) -> Any:
    return sendgrid.client.mail.send.post(request_body=mail)


def events_until(told: Told, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Everything that was told once ``wanted`` is content with it."""
    for number in range(1, 20):
        events = [event for request in told(EVENTS, number) for event in json.loads(request.data)]
        if wanted(events):
            return events
    raise AssertionError(f"Only this came: {events}")


def test_a_mail_is_taken_and_shown_as_each_person_gets_it(sendgrid: SendGridAPIClient, sandbox: Sandbox) -> None:
    mail = a_mail("joan@example.org", "leon@example.org", subject="Hello -name-")
    mail["content"].append({"type": "text/html", "value": "<p>Dear -name-</p>"})
    mail["headers"] = {"List-Unsubscribe": "<https://hub.example/u/-token->"}
    for person, name in zip(mail["personalizations"], ("Joan", "Leon"), strict=True):
        person |= {"substitutions": {"-name-": name, "-token-": name[::-1]}, "custom_args": {"delivery_id": name}}

    answer = send(sendgrid, mail)

    assert (answer.status_code, answer.body) == (202, b"")
    leon, joan = sandbox.get("messages?channel=email")["messages"]
    assert (joan["address"], joan["subject"], joan["html"]) == ("joan@example.org", "Hello Joan", "<p>Dear Joan</p>")
    assert leon["headers"]["List-Unsubscribe"] == "<https://hub.example/u/noeL>"
    assert leon["custom_args"] == {"delivery_id": "Leon"}
    assert leon["id"].startswith(answer.headers["X-Message-Id"] + ".filter")


def without(name: str) -> dict[str, Any]:
    mail = a_mail("joan@example.org")
    del mail[name]
    return mail


def personal(**more: Any) -> dict[str, Any]:
    mail = a_mail("joan@example.org")
    mail["personalizations"][0] |= more
    return mail


@pytest.mark.parametrize(
    ("mail", "field", "words"),
    [
        (without("personalizations"), "personalizations", "at least one"),
        (a_mail(), "personalizations", "at least one"),
        (a_mail(*(f"p{n}@example.org" for n in range(1001))), "personalizations", "limited to 1000"),
        (personal(cc=[{"email": f"p{n}@example.org"} for n in range(1000)]), "personalizations", "1000 total"),
        (a_mail("a@example.org", "A@example.org"), "personalizations", "more than once"),
        (personal(bcc=[{"email": "joan@example.org"}]), "personalizations", "more than once"),
        (a_mail("joan@example"), "personalizations.0.to.0.email", "valid address"),
        (a_mail("joan"), "personalizations.0.to.0.email", "valid address"),
        (personal(to=[]), "personalizations.0.to", "at least one email object"),
        (without("from"), "from.email", "must be provided"),
        (without("subject"), "subject", "subject is required"),
        (a_mail("a@example.org", subject=""), "subject", "subject is required"),
        (without("content"), "content", "at least one"),
        (a_mail("a@example.org", content=[{"type": "text/plain", "value": ""}]), "content.0.value", "one character"),
        (
            a_mail("a@example.org", content=[{"type": t, "value": "x"} for t in ("text/html", "text/plain")]),
            "content",
            "in this order",
        ),
        (personal(custom_args={"delivery_id": 1}), "personalizations.0.custom_args", "strings"),
        (personal(custom_args={"x": "é" * 5000}), "custom_args", "10000 bytes"),
        (personal(headers={"Reply-To": "a@example.org"}), "personalizations.0.headers", "reserved"),
        (personal(headers={"X-Note": "a\r\nBcc: b@example.org"}), "personalizations.0.headers", "CRLF"),
        (personal(substitutions={"-n-": 1}), "personalizations.0.substitutions", "strings"),
        (personal(substitutions={"-n-": "x" * 10_000}), "personalizations.0.substitutions", "10,000 bytes"),
        (a_mail("a@example.org", send_at=9_999_999_999), "send_at", "72 hours"),
        (a_mail("a@example.org", categories=["x"] * 2), "categories", "unique"),
        (a_mail("a@example.org", reply_to={"email": "nobody"}), "reply_to.email", "valid address"),
    ],
)
def test_what_sendgrid_would_refuse_is_refused_with_the_field(
    sendgrid: SendGridAPIClient, sandbox: Sandbox, mail: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(BadRequestsError) as refused:
        send(sendgrid, mail)

    errors = refused.value.to_dict["errors"]
    assert (errors[0]["field"], len(errors)) == (field, 1)
    assert words in errors[0]["message"]
    assert sandbox.get("summary")["email"]["accepted"] == 0


def test_a_thousand_people_fit_into_one_request(sendgrid: SendGridAPIClient, sandbox: Sandbox) -> None:
    assert send(sendgrid, a_mail(*(f"p{number}@example.org" for number in range(1000)))).status_code == 202
    assert sandbox.get("summary")["email"] == {"accepted": 1000, "distinct_recipients": 1000, "duplicates": 0}


def test_sandbox_mode_checks_and_sends_nothing(sendgrid: SendGridAPIClient, sandbox: Sandbox) -> None:
    mail = a_mail("joan@example.org", mail_settings={"sandbox_mode": {"enable": True}})
    assert send(sendgrid, mail).status_code == 200
    assert sandbox.get("summary")["email"]["accepted"] == 0


def test_a_wrong_key_is_refused_and_the_right_one_can_be_checked(sendgrid: SendGridAPIClient, sandbox: Sandbox) -> None:
    assert "mail.send" in json.loads(sendgrid.client.scopes.get().body)["scopes"]
    with pytest.raises(UnauthorizedError):
        send(SendGridAPIClient("SG.wrong", host=sandbox.url), a_mail("joan@example.org"))


def test_the_hub_is_told_in_a_signed_batch(
    sendgrid: SendGridAPIClient, sandbox: Sandbox, hub: HTTPServer, told: Told
) -> None:
    hub.expect_request(EVENTS, method="POST").respond_with_data("")
    sandbox.post("fates", email={"joan@example.org": "fine", "full@example.org": "mailbox_full"})
    mail = a_mail("Joan@example.org", "full@example.org", custom_args={"delivery_id": "31"})
    request_id = send(sendgrid, mail).headers["X-Message-Id"]

    events = events_until(told, lambda all_of_them: len(all_of_them) >= 5)

    joan = [event for event in events if event["email"] == "Joan@example.org"]
    full = [event["event"] for event in events if event["email"] == "full@example.org"]
    assert [event["event"] for event in joan] == ["processed", "delivered"]
    assert full == ["processed", "deferred", "delivered"]
    assert {event["delivery_id"] for event in events} == {"31"}
    assert len({event["sg_event_id"] for event in events}) == 5
    assert all(event["sg_message_id"].startswith(request_id + ".filter") for event in events)
    key = EventWebhook(sandbox.get("public-key")["public_key"])
    for request in told(EVENTS, 1):
        signature = request.headers["X-Twilio-Email-Event-Webhook-Signature"]
        timestamp = request.headers["X-Twilio-Email-Event-Webhook-Timestamp"]
        assert key.verify_signature(request.data.decode(), signature, timestamp)
        assert not key.verify_signature(request.data.decode() + " ", signature, timestamp)


def test_a_mailbox_that_bounced_is_dropped_the_next_time_and_listed(
    sendgrid: SendGridAPIClient, sandbox: Sandbox, hub: HTTPServer, told: Told
) -> None:
    hub.expect_request(EVENTS, method="POST").respond_with_data("")
    sandbox.post("fates", email={"gone@example.org": "no_mailbox"})
    send(sendgrid, a_mail("gone@example.org", subject="First"))
    send(sendgrid, a_mail("gone@example.org", subject="Second"))

    events = events_until(told, lambda all_of_them: len(all_of_them) >= 3)

    assert sorted(event["event"] for event in events) == ["bounce", "dropped", "processed"]
    bounce = next(event for event in events if event["event"] == "bounce")
    assert (bounce["type"], bounce["status"]) == ("bounce", "5.1.1")
    listed = json.loads(sendgrid.client.suppression.bounces.get().body)
    assert [entry["email"] for entry in listed] == ["gone@example.org"]


def test_a_batch_that_the_hub_refused_is_told_again_with_the_same_event_ids(
    sendgrid: SendGridAPIClient, hub: HTTPServer, told: Told
) -> None:
    hub.expect_ordered_request(EVENTS).respond_with_data("", status=500)
    hub.expect_ordered_request(EVENTS).respond_with_data("")
    send(sendgrid, a_mail("joan@example.org"))

    first, second = told(EVENTS, 2)[:2]
    assert first.data == second.data


def test_the_same_delivery_twice_is_a_duplicate_and_a_shared_mailbox_is_not(
    sendgrid: SendGridAPIClient, sandbox: Sandbox
) -> None:
    for delivery in ("1", "2", "1"):
        send(sendgrid, a_mail("home@example.org", custom_args={"delivery_id": delivery}))

    assert sandbox.get("summary")["email"] == {"accepted": 3, "distinct_recipients": 1, "duplicates": 1}


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"personalizations": [1]}', '{"personalizations": {}}'])
def test_a_body_of_nonsense_is_a_clear_refusal(sandbox: Sandbox, body: str) -> None:
    headers = {"Authorization": f"Bearer {DEFAULT.sendgrid_api_key}", "Content-Type": "application/json"}
    answer = requests.post(f"{sandbox.url}/v3/mail/send", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
