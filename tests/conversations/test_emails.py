"""Emails that people send us, as SendGrid posts them."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from hub.conversations.models import Reply, ReplyKind
from hub.db import read_session, write_session
from hub.participants.models import ContactPoint, ContactPointState
from tests.deliveries.people import contact_point, somebody
from tests.services.site import application

TOKEN = "a-long-secret-end"
PATH = f"/webhooks/sendgrid/inbound/{TOKEN}"
SENDER = "ann.smith@example.org"


@pytest.fixture
def client(database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    settings_for(sendgrid_inbound_token=TOKEN, redis_url="redis://127.0.0.1:1")
    return application().test_client()


def email(**more: object) -> dict[str, object]:
    return {
        "headers": "Message-ID: <1@example.org>\nDate: Sun, 22 Nov 2026 10:00:00 +0000\nSubject: Re: Coffee",
        "from": f"Ann Smith <{SENDER}>",
        "to": "hub@inbound.example.org",
        "subject": "Re: Coffee",
        "text": "I will be there.\n\nOn Sun, 22 Nov 2026 at 09:00, Riverside <hub@example.org> wrote:\n> Come at ten",
        "envelope": json.dumps({"to": ["hub@inbound.example.org"], "from": SENDER}),
        "charsets": json.dumps({"text": "utf-8", "subject": "UTF-8"}),
        "dkim": "{@example.org : pass}",
        **more,
    }


def post(client: FlaskClient, fields: dict[str, object], path: str = PATH) -> int:
    return client.post(path, data=fields, content_type="multipart/form-data").status_code


def replies() -> list[Reply]:
    with read_session() as session:
        return list(session.scalars(select(Reply).order_by(Reply.id)))


def states() -> list[ContactPointState]:
    with read_session() as session:
        return list(session.scalars(select(ContactPoint.state)))


def test_an_email_is_its_senders_and_holds_their_own_words(client: FlaskClient) -> None:
    with write_session() as session:
        ann = somebody(session, "Ann")
        contact_point(session, ann, "email", 1, address=SENDER)
        person_id = ann.id
    assert post(client, email(**{"from": "Ann <Ann.Smith@Example.org>"})) == 204
    assert post(client, email()) == 204
    [reply] = replies()
    assert (reply.participant_id, reply.kind, reply.body) == (person_id, ReplyKind.MESSAGE, "I will be there.")
    assert (reply.subject, reply.to_address) == ("Re: Coffee", "hub@inbound.example.org")
    assert reply.read_at is None


def test_each_field_is_read_in_its_own_character_set(client: FlaskClient) -> None:
    charsets = json.dumps({"text": "iso-8859-2", "subject": "no-such-set"})
    fields = email(text=(BytesIO("Zażółć".encode("iso-8859-2")), None), subject="Łódź", charsets=charsets)
    assert post(client, fields) == 204
    [reply] = replies()
    assert (reply.body, reply.subject) == ("Zażółć", "Łódź")


def test_html_alone_is_kept_as_words(client: FlaskClient) -> None:
    assert post(client, email(text="", html="<p>Yes &amp; <b>thanks</b><script>alert(1)</script></p>")) == 204
    assert replies()[0].body == "Yes & thanks"


@pytest.mark.parametrize(
    "more",
    [
        {"headers": "Auto-Submitted: auto-replied\nMessage-ID: <2@example.org>"},
        {"headers": "Precedence: bulk"},
        {"headers": "X-Autoreply: yes"},
        {"envelope": '{"to": ["hub@inbound.example.org"], "from": ""}'},
    ],
)
def test_nobody_has_to_read_automatic_answers(client: FlaskClient, more: dict[str, object]) -> None:
    assert post(client, email(text="STOP", **more)) == 204
    [reply] = replies()
    assert reply.kind is ReplyKind.AUTOMATIC
    assert reply.read_at is not None


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"text": "Unsubscribe"}, ContactPointState.OPTED_OUT),
        ({"text": "", "subject": "unsubscribe"}, ContactPointState.OPTED_OUT),
        ({"text": "stop\n> Come at ten"}, ContactPointState.OPTED_OUT),
        ({"text": "Please stop the bus at ours"}, ContactPointState.USABLE),
        ({"text": "Unsubscribe", "dkim": "{@elsewhere.example : pass}"}, ContactPointState.USABLE),
        ({"text": "Unsubscribe", "dkim": "none"}, ContactPointState.USABLE),
    ],
)
def test_a_plain_wish_to_stop_counts_when_the_sender_is_genuine(
    client: FlaskClient, more: dict[str, object], state: ContactPointState
) -> None:
    with write_session() as session:
        contact_point(session, somebody(session, "Ann"), "email", 1, address=SENDER)
    assert post(client, email(**more)) == 204
    assert states() == [state]
    assert len(replies()) == 1


def test_only_the_secret_address_takes_email(client: FlaskClient, settings_for: Callable[..., Any]) -> None:
    assert post(client, email(), "/webhooks/sendgrid/inbound/guess") == 404
    assert post(client, email(), "/webhooks/sendgrid/inbound/%F0%9F%98%80") == 404
    settings_for(sendgrid_inbound_token="")
    assert post(client, email()) == 404
    assert replies() == []


def test_what_is_no_email_is_refused_in_words(client: FlaskClient) -> None:
    assert client.post(PATH, data=b"x", content_type="text/plain").status_code == 415
    assert client.post(PATH, data=b"x", content_type="multipart/form-data").status_code == 415
    assert client.post(PATH, data=b"x", content_type=f"multipart/form-data; boundary={'b' * 201}").status_code == 415
    assert client.post(PATH, data=b"x", content_type="multipart/form-data; boundary=b").status_code == 400
    assert post(client, email(**{"from": "nobody", "envelope": "[]"})) == 400
    assert post(client, {f"field{number}": "x" for number in range(300)}) == 413
    long = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"x" * 5_000_000 + b"\r\n--b--\r\n"
    assert client.post(PATH, data=long, content_type="multipart/form-data; boundary=b").status_code == 413


def test_attachments_are_left_behind(client: FlaskClient) -> None:
    assert post(client, email(attachments="1", attachment1=(BytesIO(b"\0" * 200_000), "photo.jpg"))) == 204
    assert replies()[0].body == "I will be there."


NAMES = ("headers", "from", "to", "subject", "text", "html", "envelope", "charsets", "dkim")


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60), max_size=9),
    values=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12) | st.integers() | st.none(), max_size=4),
)
def test_no_email_brings_it_down(client: FlaskClient, fields: dict[str, str], values: dict[str, object]) -> None:
    sent = {"from": SENDER, "charsets": json.dumps(values), "envelope": json.dumps(values), **fields}
    assert post(client, {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}) in {204, 400}
