"""The link under every email: a page that says what will stop, and a button that stops it (RFC 8058).

Opening the link changes nothing, as mail scanners open links. Posting acts at once, without sign-in, cookie or
redirect, and answers 200 however often it is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from config.secret_key import secret_key
from config.settings import settings
from hub.db import read_session, utc_now, write_session
from hub.errors import NotFound, Refused
from hub.participants.addresses import shown
from hub.participants.consent import DECLINED_RANK, opt_in, opt_out
from hub.participants.models import ConsentSource, ContactPoint, ContactPointState, Topic, TopicPreference
from hub.tokens import Purpose, read
from hub.web.csrf import csrf
from hub.web.limits import limiter

bp = Blueprint("unsubscribe", __name__)
csrf.exempt(bp)  # mail programs post here by themselves; the link's signature is what allows it

EVERYTHING, TOPIC, ALL_AGAIN, TOPIC_AGAIN = "everything", "topic", "everything-again", "topic-again"
ONE_CLICK = "Unsubscribe in the mail program (List-Unsubscribe=One-Click)"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one link is about, as it stands now. ``address`` is empty where we no longer have the contact point."""

    participant_id: int
    channel: str
    address: str
    topic_id: int
    topic: str
    stopped: bool
    topic_stopped: bool

    @property
    def masked(self) -> str:
        """The address, so that its owner knows it and nobody else learns it."""
        return mask(self.address)

    @property
    def noun(self) -> str:
        """What comes on this channel: “emails”."""
        return CHANNELS[self.channel].noun if self.channel in CHANNELS else "messages"


def mask(address: str) -> str:
    """An address with most of it hidden: “s•••@example.org”, “••••• •• 123”."""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    visible = shown(address)
    return "".join("•" if letter.isdigit() else letter for letter in visible[:-3]) + visible[-3:]


@bp.get("/u/<token>")
@limiter.limit("600 per minute")
def page(token: str) -> ResponseReturnValue:
    """What will stop, in plain words, and the choice. Changes nothing."""
    with read_session() as session:
        subscription = _subscription(session, token)
    return _shown(subscription)


@bp.post("/u/<token>")
@limiter.limit("600 per minute")
def act(token: str) -> ResponseReturnValue:
    """Stop what the form says, or everything to this address where a mail program asks (one click)."""
    choice = request.form.get("choice", EVERYTHING)
    with write_session() as session:
        _carry_out(session, _subscription(session, token), choice, utc_now())
        subscription = _subscription(session, token)
    return _shown(subscription, just_done=choice)


def _carry_out(session: Session, subscription: Subscription, choice: str, now: datetime) -> None:
    if not subscription.address:
        return
    topic_id = subscription.topic_id if choice in {TOPIC, TOPIC_AGAIN} else None
    if topic_id == 0:
        return
    change = opt_in if choice in {ALL_AGAIN, TOPIC_AGAIN} else opt_out
    change(
        session,
        channel=subscription.channel,
        address=subscription.address,
        source=ConsentSource.WEB,
        wording=_wording(subscription, choice),
        now=now,
        topic_id=topic_id,
        participant_id=subscription.participant_id,
    )


def _wording(subscription: Subscription, choice: str) -> str:
    """The words that the person was shown on the button."""
    if request.form.get("List-Unsubscribe") == "One-Click":
        return ONE_CLICK
    about = f" about “{subscription.topic}”"
    return {
        TOPIC: f"Stop messages{about}",
        TOPIC_AGAIN: f"Send me messages{about} again",
        ALL_AGAIN: f"Send me {subscription.noun} again",
    }.get(choice, f"Stop all {subscription.noun} to this address")


def _subscription(session: Session, token: str) -> Subscription:
    try:
        participant_id, contact_point_id, topic_id = read(secret_key(), Purpose.UNSUBSCRIBE, token)
    except Refused as error:
        raise NotFound(str(error)) from None
    point = session.execute(
        select(ContactPoint.channel, ContactPoint.address, ContactPoint.state).where(
            ContactPoint.id == contact_point_id, ContactPoint.participant_id == participant_id
        )
    ).one_or_none()
    declined = select(TopicPreference.topic_id).where(
        TopicPreference.participant_id == participant_id,
        TopicPreference.topic_id == topic_id,
        TopicPreference.rank == DECLINED_RANK,
    )
    return Subscription(
        participant_id=participant_id,
        channel=point.channel if point else "",
        address=point.address if point else "",
        topic_id=topic_id,
        topic=session.scalar(select(Topic.name).where(Topic.id == topic_id)) or "",
        stopped=point is not None and point.state is ContactPointState.OPTED_OUT,
        topic_stopped=session.scalar(declined) is not None,
    )


def _shown(subscription: Subscription, just_done: str = "") -> Response:
    html = render_template(
        "unsubscribe/page.html", it=subscription, just_done=just_done, group_name=settings().group_name
    )
    response = make_response(html)
    response.headers["Referrer-Policy"] = "no-referrer"  # the address of this page is the key to it
    response.headers["X-Robots-Tag"] = "noindex"
    return response
