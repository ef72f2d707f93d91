"""The page on which a participant says how they want to be reached: no sign-in, the link's signature is enough.

Addresses are shown masked, as the link may be opened by somebody else at the same computer. Every change adds a
consent event with the words that were on the button.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from config.secret_key import secret_key
from hub.db import read_session, utc_now, write_session
from hub.errors import NotFound, Refused
from hub.participants import service
from hub.participants.models import ConsentSource, ContactPointState
from hub.participants.profile import Person, PointRow
from hub.participants.profile import person as person_of
from hub.participants.rules import moved
from hub.participants.unsubscribe import mask
from hub.tokens import Purpose, read
from hub.web.limits import limiter
from hub.web.messages import flash_done
from hub.web.numbers import row_id

bp = Blueprint("preferences", __name__, url_prefix="/p/<token>")

WEB = ConsentSource.WEB
PAUSES = {7: "1 week", 28: "4 weeks", 91: "3 months"}
"""Days to choose from, and how they are worded."""


@bp.get("")
@limiter.limit("600 per minute")
def show(token: str) -> ResponseReturnValue:
    """How we reach this person now, each part with its buttons."""
    with read_session() as session:
        person = _person(session, token)
    now = utc_now()
    return render_template(
        "preferences/show.html",
        person=person,
        token=token,
        mask=mask,
        pauses=PAUSES,
        paused=person.paused_until if person.paused_until and person.paused_until > now else None,
    )


@bp.post("/order")
@limiter.limit("600 per minute")
def order(token: str) -> ResponseReturnValue:
    """Move one way up or down."""
    point_id, step = request.form.get("point", 0, type=row_id), request.form.get("step", "")
    with write_session() as session:
        person = _person(session, token)
        point = _point(person, point_id)
        after = moved([one.id for one in person.points if one.rank], point.id, "in" if not point.rank else step)
        service.rank_contact_points(session, person.id, after, source=WEB, now=utc_now())
    flash_done("Your order is saved.")
    return _back(token, f"way-{point_id}")


@bp.post("/stop")
@limiter.limit("600 per minute")
def stop(token: str) -> ResponseReturnValue:
    """Stop using one way for this person."""
    return _use(token, stopping=True)


@bp.post("/start")
@limiter.limit("600 per minute")
def start(token: str) -> ResponseReturnValue:
    """Use a way again that this person had stopped."""
    return _use(token, stopping=False)


@bp.post("/topic")
@limiter.limit("600 per minute")
def topic(token: str) -> ResponseReturnValue:
    """Hear about a topic, or not."""
    topic_id, wanted = request.form.get("topic", 0, type=row_id), request.form.get("wanted") == "yes"
    with write_session() as session:
        person = _person(session, token)
        name = next((choice.topic for choice in person.topics if choice.topic_id == topic_id), "")
        if not name:
            raise NotFound("This topic is not here any more.")
        now = utc_now()
        if wanted:
            words = f"Yes, tell me about “{name}”"
            service.rank_contact_points(session, person.id, [], topic_id=topic_id, source=WEB, now=now, wording=words)
        else:
            words = f"No messages about “{name}”"
            service.decline_topic(session, person.id, topic_id, source=WEB, now=now, wording=words)
    flash_done(f"You will hear about “{name}”." if wanted else f"You will hear nothing about “{name}”.")
    return _back(token, "topics")


@bp.post("/pause")
@limiter.limit("600 per minute")
def pause(token: str) -> ResponseReturnValue:
    """Take a break from all messages."""
    days = request.form.get("days", 0, type=int)
    with write_session() as session:
        person, now = _person(session, token), utc_now()
        if days in PAUSES:
            until = now + timedelta(days=days)
            service.pause(session, person.id, until, source=WEB, now=now, wording=f"Pause for {PAUSES[days]}")
        else:
            service.resume(session, person.id, source=WEB, now=now, wording="End the pause")
    flash_done(f"You will hear nothing for {PAUSES[days]}." if days in PAUSES else "The pause is over.")
    return _back(token, "pause")


def _use(token: str, *, stopping: bool) -> ResponseReturnValue:
    with write_session() as session:
        person = _person(session, token)
        point = _point(person, request.form.get("point", 0, type=row_id))
        noun = CHANNELS[point.channel].label.lower()
        (service.opt_out if stopping else service.opt_in)(
            session,
            channel=point.channel,
            address=point.address,
            source=WEB,
            wording=f"{'Stop using' if stopping else 'Use again'}: {noun}",
            now=utc_now(),
            participant_id=person.id,
        )
    flash_done(f"We will not use {mask(point.address)} for you any more." if stopping else "We will use it again.")
    return _back(token, f"way-{point.id}")


def _person(session: Session, token: str) -> Person:
    try:
        participant_id, _, _ = read(secret_key(), Purpose.PREFERENCES, token)
    except Refused as error:
        raise NotFound(str(error)) from None
    return person_of(session, participant_id)


def _point(person: Person, point_id: int) -> PointRow:
    for point in person.points:
        if point.id == point_id and (point.rank or point.state is not ContactPointState.BAD):
            return point
    raise NotFound("This way to reach you is not here any more. Load the page again.")


def _back(token: str, anchor: str) -> ResponseReturnValue:
    return redirect(url_for(".show", token=token, _anchor=anchor))
