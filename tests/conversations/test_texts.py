"""Texts that people send us: stored once, understood as a whole, acted on where they ask to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from hub.announcements.models import Announcement
from hub.conversations.models import Reply, ReplyKind
from hub.conversations.rules import kind_of, provider_answered
from hub.db import read_session, write_session
from hub.deliveries.models import Delivery
from hub.deliveries.rules import DeliveryState
from hub.participants.models import ConsentEvent, ConsentKind, ConsentSource, ContactPoint, ContactPointState
from tests.deliveries.people import NOW, contact_point, somebody, topic
from tests.deliveries.posting import AUTH_TOKEN, PUBLIC_URL, post_as_twilio
from tests.services.site import application

NUMBER = "+447700900123"
INBOUND = "/webhooks/twilio/inbound"
SILENCE = "<Response></Response>"


@pytest.fixture
def client(database: Engine, settings_for: Callable[..., Any]) -> FlaskClient:
    settings_for(
        public_url=PUBLIC_URL,
        twilio_auth_token=AUTH_TOKEN,
        group_name="Riverside & Friends",
        redis_url="redis://127.0.0.1:1",
    )
    return application().test_client()


def send(client: FlaskClient, body: str, number: int = 1, **more: str) -> str:
    fields = {"MessageSid": f"SM{number:032}", "From": NUMBER, "To": "+447700900999", "Body": body, **more}
    answer = post_as_twilio(client, INBOUND, fields)
    assert answer.status_code == 200
    assert answer.mimetype == "text/xml"
    return answer.text


def household(session: Session, *names: str) -> list[int]:
    """People who share the number."""
    people = [somebody(session, name) for name in names]
    for person in people:
        contact_point(session, person, "text", 1, address=NUMBER)
        contact_point(session, person, "phone", 2, address=NUMBER)
    return [person.id for person in people]


def replies() -> list[Reply]:
    with read_session() as session:
        return list(session.scalars(select(Reply).order_by(Reply.id)))


def states(channel: str = "text") -> list[ContactPointState]:
    with read_session() as session:
        points = select(ContactPoint.state).where(ContactPoint.channel == channel).order_by(ContactPoint.id)
        return list(session.scalars(points))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("STOP", ReplyKind.STOP),
        (" stop\n", ReplyKind.STOP),
        ("Stop.", ReplyKind.STOP),
        ("“Unsubscribe”", ReplyKind.STOP),
        ("stop all", ReplyKind.STOP),
        ("cancel", ReplyKind.STOP),
        ("End", ReplyKind.STOP),
        ("we have got to STOP this bill", ReplyKind.MESSAGE),
        ("STOP PLEASE", ReplyKind.MESSAGE),
        ("Can't stop, see you there", ReplyKind.MESSAGE),
        ("start", ReplyKind.START),
        ("Unstop", ReplyKind.START),
        ("info", ReplyKind.HELP),
        ("I need help with the lift", ReplyKind.MESSAGE),
        ("", ReplyKind.MESSAGE),
        ("👍", ReplyKind.MESSAGE),
    ],
)
def test_only_a_whole_message_is_a_keyword(body: str, kind: ReplyKind) -> None:
    assert kind_of(body) is kind


def test_what_twilio_understood_comes_first() -> None:
    assert kind_of("Arrêter", "STOP") is ReplyKind.STOP
    assert kind_of("STOP", "HELP") is ReplyKind.HELP
    assert provider_answered("info", ReplyKind.HELP, "HELP")
    assert not provider_answered("info", ReplyKind.HELP)


def test_stop_reaches_everybody_who_has_the_number_and_leaves_calls_alone(client: FlaskClient) -> None:
    with write_session() as session:
        people = household(session, "Ann", "Bob")
    assert SILENCE in send(client, "Stop")
    assert states() == [ContactPointState.OPTED_OUT] * 2
    assert states("phone") == [ContactPointState.USABLE] * 2
    with read_session() as session:
        events = session.scalars(select(ConsentEvent).order_by(ConsentEvent.participant_id)).all()
    assert [(event.participant_id, event.kind, event.source, event.wording, event.channel) for event in events] == [
        (person, ConsentKind.WITHDREW, ConsentSource.TEXT, "Stop", "text") for person in people
    ]


def test_a_stop_that_twilio_does_not_answer_is_confirmed_once_by_us(client: FlaskClient) -> None:
    answer = send(client, "“STOP!”")
    assert "no more texts from Riverside &amp; Friends" in answer


def test_stop_inside_a_sentence_changes_nothing(client: FlaskClient) -> None:
    with write_session() as session:
        household(session, "Ann")
    assert SILENCE in send(client, "we have got to STOP this bill")
    assert states() == [ContactPointState.USABLE]
    assert [reply.kind for reply in replies()] == [ReplyKind.MESSAGE]


def test_start_takes_a_stop_back(client: FlaskClient) -> None:
    with write_session() as session:
        household(session, "Ann")
    send(client, "STOP", 1)
    assert SILENCE in send(client, "START", 2)
    assert states() == [ContactPointState.USABLE]
    with read_session() as session:
        kinds = list(session.scalars(select(ConsentEvent.kind).order_by(ConsentEvent.id)))
    assert kinds == [ConsentKind.WITHDREW, ConsentKind.AGREED]


def test_yes_is_an_answer_unless_the_person_had_stopped(client: FlaskClient) -> None:
    with write_session() as session:
        household(session, "Ann")
    send(client, "Yes", 1)
    send(client, "STOP", 2)
    send(client, "Yes", 3)
    assert [reply.kind for reply in replies()] == [ReplyKind.MESSAGE, ReplyKind.STOP, ReplyKind.START]
    assert states() == [ContactPointState.USABLE]


def test_help_names_the_group(client: FlaskClient) -> None:
    assert "<Message>These texts are from Riverside &amp; Friends." in send(client, "help")
    assert SILENCE in send(client, "help", 2, OptOutType="HELP")


def test_a_repeated_text_is_stored_and_acted_on_once(client: FlaskClient) -> None:
    with write_session() as session:
        household(session, "Ann")
    send(client, "STOP", 1)
    send(client, "START", 2)
    assert SILENCE in send(client, "STOP", 1)
    assert len(replies()) == 2
    assert states() == [ContactPointState.USABLE]


def test_a_text_is_its_senders_and_belongs_to_what_they_were_sent_last(client: FlaskClient) -> None:
    with write_session() as session:
        [ann] = household(session, "Ann")
        announcements = [
            Announcement(title=title, topic_id=topic(session), created_at=NOW) for title in ("Old", "New", "Not sent")
        ]
        session.add_all(announcements)
        session.flush()
        for announcement, state in zip(
            announcements, (DeliveryState.DELIVERED, DeliveryState.SENT, DeliveryState.PLANNED), strict=True
        ):
            session.add(
                Delivery(announcement_id=announcement.id, participant_id=ann, channel="text", state=state, state_at=NOW)
            )
        newest = announcements[1].id
    send(client, "See you\0 there", NumMedia="2")
    [reply] = replies()
    assert (reply.participant_id, reply.announcement_id, reply.body) == (ann, newest, "See you there")
    assert "2 pictures" in reply.subject


def test_a_text_from_a_household_is_nobodys_in_particular(client: FlaskClient) -> None:
    with write_session() as session:
        household(session, "Ann", "Bob")
    send(client, "Hello")
    assert [reply.participant_id for reply in replies()] == [None]


def test_a_text_from_somebody_unknown_is_kept_and_their_stop_remembered(client: FlaskClient) -> None:
    send(client, "stop")
    assert [(reply.participant_id, reply.kind) for reply in replies()] == [(None, ReplyKind.STOP)]
    send(client, "YES", 2)
    assert replies()[1].kind is ReplyKind.START


@pytest.mark.parametrize("sender", ["60123", "RIVERSIDE", "whatsapp:+447700900123", "ü" * 300, "\0+"])
def test_any_sender_can_stop(client: FlaskClient, sender: str) -> None:
    send(client, "STOP", From=sender)
    assert [reply.kind for reply in replies()] == [ReplyKind.STOP]


def test_a_forged_text_changes_nothing(client: FlaskClient) -> None:
    with write_session() as session:
        household(session, "Ann")
    fields = {"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}
    assert post_as_twilio(client, INBOUND, fields, token="another").status_code == 403
    assert client.post(INBOUND, data=fields).status_code == 403
    assert post_as_twilio(client, INBOUND, {"Body": "STOP"}).status_code == 400
    assert replies() == []
    assert states() == [ContactPointState.USABLE]
