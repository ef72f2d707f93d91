"""Providers' reports: believed only with their signature, stored once, answered only when they are stored."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from channels.base import ReceiptEvent
from channels.email.sendgrid_receipts import read_events
from hub.db import read_session, utc_now, write_session
from hub.deliveries import intake
from hub.deliveries.models import Receipt
from hub.deliveries.rules import DeliveryState, Why
from tests.deliveries.posting import AUTH_TOKEN, FORM, PUBLIC_URL, post_as_sendgrid, post_as_twilio, public_half
from tests.services.site import application

SID = "SM" + "0" * 31 + "1"
STATUS = "/webhooks/twilio/status"
NEVER_500 = hypothesis_settings(
    max_examples=int(os.environ.get("HUB_FUZZ", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def configure(settings_for: Callable[..., Any]) -> FlaskClient:
    settings_for(
        public_url=PUBLIC_URL,
        twilio_auth_token=AUTH_TOKEN,
        sendgrid_webhook_public_key=public_half(),
        redis_url="redis://127.0.0.1:1",
    )
    return application().test_client()


@pytest.fixture
def client(database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    return configure(settings_for)


@pytest.fixture
def sqlite_client(sqlite_database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    return configure(settings_for)


def receipts() -> list[Receipt]:
    with read_session() as session:
        return list(session.scalars(select(Receipt).order_by(Receipt.id)))


def status(**fields: str) -> dict[str, str]:
    return {"MessageSid": SID, "MessageStatus": "delivered", "To": "+447700900123", "AccountSid": "AC1", **fields}


def event(number: int, kind: str = "delivered", **more: object) -> dict[str, object]:
    return {
        "email": "person@example.org",
        "timestamp": 1_795_000_000,
        "event": kind,
        "sg_event_id": f"event-{number}",
        "sg_message_id": "abc-DEF_1.filterdrecv-1.0",
        "delivery_id": str(number),
        **more,
    }


def test_a_signed_status_is_stored_before_it_is_answered(client: FlaskClient) -> None:
    answer = post_as_twilio(client, f"{STATUS}?d=41", status(Extra="as new ones appear", Body="kept blank: "))
    assert answer.status_code == 204
    [receipt] = receipts()
    assert (receipt.provider, receipt.event_id, receipt.delivery_id) == ("twilio", f"{SID}:delivered", 41)
    assert (receipt.state, receipt.provider_id, receipt.applied_at) == (DeliveryState.DELIVERED, SID, None)


def test_a_repeated_status_is_stored_once_and_each_new_one_again(client: FlaskClient) -> None:
    for name in ("sent", "sent", "delivered", "sent"):
        assert post_as_twilio(client, f"{STATUS}?d=41", status(MessageStatus=name)).status_code == 204
    assert [receipt.state for receipt in receipts()] == [DeliveryState.SENT, DeliveryState.DELIVERED]


@pytest.mark.parametrize(
    ("code", "why", "opts_out"),
    [
        ("30003", Why.NOT_NOW, False),
        ("30005", Why.CONTACT_POINT_IS_BAD, False),
        ("21610", Why.OPTED_OUT, True),
        ("", Why.UNEXPLAINED, False),
    ],
)
def test_a_failed_text_says_why(sqlite_client: FlaskClient, code: str, why: Why, opts_out: bool) -> None:
    post_as_twilio(sqlite_client, f"{STATUS}?d=7", status(MessageStatus="undelivered", ErrorCode=code))
    [receipt] = receipts()
    assert (receipt.state, receipt.why, receipt.opts_out) == (DeliveryState.FAILED, why, opts_out)
    assert receipt.event_id == ":".join(filter(None, (SID, "undelivered", code)))


@pytest.mark.parametrize(
    "path",
    [
        STATUS,
        f"{STATUS}?d=",
        f"{STATUS}?d=-1",
        f"{STATUS}?d=1e3",
        f"{STATUS}?d={2**63}",
        f"{STATUS}?d=%C2%B2",
        f"{STATUS}?d=0",
    ],
)
def test_a_signed_status_that_names_no_delivery_is_malformed(sqlite_client: FlaskClient, path: str) -> None:
    assert post_as_twilio(sqlite_client, path, status()).status_code == 400


def test_a_signed_form_without_its_fields_is_malformed(sqlite_client: FlaskClient) -> None:
    assert post_as_twilio(sqlite_client, f"{STATUS}?d=1", {"MessageSid": SID}).status_code == 400


def test_nobody_else_can_report(sqlite_client: FlaskClient) -> None:
    signed_by_another = post_as_twilio(sqlite_client, f"{STATUS}?d=1", status(), token="another")
    changed = post_as_twilio(sqlite_client, f"{STATUS}?d=1", status(), body=b"MessageSid=SM2&MessageStatus=delivered")
    unsigned = sqlite_client.post(f"{STATUS}?d=1", data=status())
    assert {signed_by_another.status_code, changed.status_code, unsigned.status_code} == {403}
    assert unsigned.json is not None
    assert "PUBLIC_URL" in unsigned.json["error"]
    assert receipts() == []


def test_without_a_token_nothing_is_believed(sqlite_database: Engine, settings_for: Callable[..., Any]) -> None:
    settings_for(public_url=PUBLIC_URL)
    client = application().test_client()
    assert post_as_twilio(client, f"{STATUS}?d=1", status(), token="").status_code == 403
    assert post_as_sendgrid(client, [event(1)]).status_code == 403


def test_the_delivery_can_not_be_changed_in_a_signed_request(sqlite_client: FlaskClient) -> None:
    signed = post_as_twilio(sqlite_client, f"{STATUS}?d=1", status())
    signature = signed.request.headers["X-Twilio-Signature"]
    moved = sqlite_client.post(f"{STATUS}?d=2", data=status(), headers={"X-Twilio-Signature": signature})
    assert moved.status_code == 403


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "multipart/form-data; boundary=x"])
def test_only_forms_are_taken_from_twilio(sqlite_client: FlaskClient, content_type: str) -> None:
    answer = sqlite_client.post(f"{STATUS}?d=1", data=b"{}", content_type=content_type)
    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused(sqlite_client: FlaskClient) -> None:
    assert sqlite_client.post(f"{STATUS}?d=1", data=b"a" * 70_000, content_type=FORM).status_code == 413
    assert post_as_sendgrid(sqlite_client, None, body=b" " * (2 * 1024 * 1024 + 1)).status_code == 413


def test_signed_events_are_stored_in_one_go(client: FlaskClient) -> None:
    events = [event(1), event(2, "bounce", status="5.1.1", type="bounce"), event(3, "bounce", type="blocked")]
    assert post_as_sendgrid(client, events).status_code == 204
    assert [(receipt.delivery_id, receipt.state, receipt.why) for receipt in receipts()] == [
        (1, DeliveryState.DELIVERED, Why.NONE),
        (2, DeliveryState.FAILED, Why.CONTACT_POINT_IS_BAD),
        (3, DeliveryState.FAILED, Why.NOT_NOW),
    ]
    first = receipts()[0]
    assert first.provider_id == "abc-DEF_1"
    assert first.happened_at.timestamp() == 1_795_000_000


def test_repeated_events_are_stored_once_also_within_one_request(client: FlaskClient) -> None:
    for _ in range(2):
        assert post_as_sendgrid(client, [event(1), event(1), event(2)]).status_code == 204
    assert [receipt.delivery_id for receipt in receipts()] == [1, 2]


@pytest.mark.parametrize("kind", ["spamreport", "unsubscribe", "group_unsubscribe"])
def test_who_complains_or_unsubscribes_at_sendgrid_opts_out(sqlite_client: FlaskClient, kind: str) -> None:
    post_as_sendgrid(sqlite_client, [event(5, kind)])
    [receipt] = receipts()
    assert (receipt.state, receipt.opts_out) == (None, True)


@pytest.mark.parametrize(
    ("reason", "why", "opts_out"),
    [
        ("Bounced Address", Why.CONTACT_POINT_IS_BAD, False),
        ("Unsubscribed Address", Why.OPTED_OUT, True),
        ("Spam Reporting Address", Why.OPTED_OUT, True),
        ("Recipient List over Package Quota", Why.NOT_DELIVERED, False),
    ],
)
def test_what_sendgrid_drops_has_failed(sqlite_client: FlaskClient, reason: str, why: Why, opts_out: bool) -> None:
    post_as_sendgrid(sqlite_client, [event(5, "dropped", reason=reason)])
    [receipt] = receipts()
    assert (receipt.state, receipt.why, receipt.opts_out) == (DeliveryState.FAILED, why, opts_out)


def test_opens_clicks_and_mail_of_others_are_not_kept(sqlite_client: FlaskClient) -> None:
    foreign = {"event": "delivered", "sg_event_id": "x", "email": "a@example.org"}
    assert post_as_sendgrid(sqlite_client, [event(1, "open"), event(2, "click"), foreign]).status_code == 204
    assert receipts() == []


def test_events_of_others_or_of_last_week_are_refused(sqlite_client: FlaskClient) -> None:
    forged = post_as_sendgrid(sqlite_client, [event(1)], key=generate_private_key(SECP256R1()))
    replayed = post_as_sendgrid(sqlite_client, [event(1)], age=7 * 24 * 3600)
    unsigned = sqlite_client.post("/webhooks/sendgrid/events", json=[event(1)])
    assert {forged.status_code, replayed.status_code, unsigned.status_code} == {403}
    assert receipts() == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"[{]", b'"x"', b"\xff\xfe", b"[" * 10_000, b"null"])
def test_signed_bytes_that_are_no_events_are_malformed(sqlite_client: FlaskClient, body: bytes) -> None:
    assert post_as_sendgrid(sqlite_client, None, body=body).status_code == 400


def test_events_must_be_json(sqlite_client: FlaskClient) -> None:
    assert post_as_sendgrid(sqlite_client, [event(1)], content_type="text/plain").status_code == 415


@NEVER_500
@given(
    body=st.binary(max_size=200),
    signature=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60),
    timestamp=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=12),
    query=st.text(st.characters(codec="ascii"), max_size=20),
    is_json=st.booleans(),
)
def test_no_bytes_bring_down_an_unsigned_request(
    sqlite_client: FlaskClient, body: bytes, signature: str, timestamp: str, query: str, is_json: bool
) -> None:
    headers = {
        "X-Twilio-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    for path in (STATUS, "/webhooks/twilio/inbound", "/webhooks/sendgrid/events"):
        content_type = "application/json" if is_json else FORM
        answer = sqlite_client.post(path, query_string=query, data=body, content_type=content_type, headers=headers)
        assert 400 <= answer.status_code < 500


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["event", "sg_event_id", "sg_message_id", "delivery_id", "timestamp", "reason", "status", "type"]
almost_events = st.lists(
    st.fixed_dictionaries(
        {"event": st.sampled_from(["delivered", "dropped", "bounce"]) | anything},
        optional={name: st.sampled_from(["1", "\0", "Invalid", "9" * 400]) | anything for name in NAMES[1:]},
    ),
    max_size=4,
)


@NEVER_500
@given(events=almost_events)
def test_no_signed_events_bring_it_down(sqlite_client: FlaskClient, events: list[object]) -> None:
    body = json.dumps(events).encode()  # also what JSON does not know (NaN) and half surrogate pairs
    assert post_as_sendgrid(sqlite_client, None, body=body).status_code in {204, 400}


@pytest.mark.parametrize("text_of", ["\0", "\ud800", "é" * 300, "\U0001f600"])
def test_odd_letters_are_stored_on_both_databases(client: FlaskClient, text_of: str) -> None:
    odd = event(1, "bounce", sg_event_id=f"a{text_of}", sg_message_id=text_of, status=text_of, reason=text_of)
    assert post_as_sendgrid(client, None, body=json.dumps([odd]).encode()).status_code in {204, 400}
    fields = status(MessageStatus="undelivered", ErrorCode=text_of.encode("utf-8", "replace").decode()[:50])
    assert post_as_twilio(client, f"{STATUS}?d=1", fields).status_code == 204


@NEVER_500
@given(fields=st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=5), known=st.text(max_size=80))
def test_no_signed_form_brings_it_down(sqlite_client: FlaskClient, fields: dict[str, str], known: str) -> None:
    sent = {**fields, "MessageSid": known or SID, "MessageStatus": known or "sent"}
    assert post_as_twilio(sqlite_client, f"{STATUS}?d=1", sent).status_code in {204, 400}


def test_reports_that_come_at_once_are_all_stored(client: FlaskClient) -> None:
    app = client.application

    def report(number: int) -> int:
        fields = status(MessageSid=f"SM{number:032}")
        return post_as_twilio(app.test_client(), f"{STATUS}?d={number}", fields).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(report, range(1, 121))) == {204}
    assert {receipt.delivery_id for receipt in receipts()} == set(range(1, 121))


def test_what_can_not_be_stored_is_not_taken_for_stored(database: Engine) -> None:
    event_of_today = ReceiptEvent(event_id="1", delivery_id=1)
    with write_session() as session:
        session.execute(text("ALTER TABLE receipts RENAME TO elsewhere"))
    with pytest.raises(SQLAlchemyError):
        intake.store("twilio", [event_of_today], utc_now())
    with write_session() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO receipts"))
    intake.store("twilio", [event_of_today], utc_now())
    assert len(receipts()) == 1


def test_five_thousand_events_are_one_statement(database: Engine) -> None:
    events = read_events(json.dumps([event(number) for number in range(1, 5001)]).encode())
    intake.store("sendgrid", events, utc_now())
    with read_session() as session:
        assert session.scalar(select(func.count()).select_from(Receipt)) == 5000
