"""The page about one person: how to reach them, what they chose, and what they were sent."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from config.secret_key import secret_key
from hub.accounts.access import organiser_required
from hub.db import read_session, utc_now
from hub.deliveries.queries import deliveries_of
from hub.participants.forms import PauseForm
from hub.participants.profile import person as person_of
from hub.tokens import Purpose, sign

bp = Blueprint("person", __name__)

MESSAGES_SHOWN = 20


@bp.get("/people/<int:participant_id>")
@organiser_required
def show(participant_id: int) -> ResponseReturnValue:
    """Everything about one person on one page."""
    with read_session() as session:
        person = person_of(session, participant_id)
        messages = deliveries_of(session, participant_id, limit=MESSAGES_SHOWN)
    return render_template(
        "people/show.html",
        person=person,
        messages=messages,
        messages_shown=MESSAGES_SHOWN,
        paused=person.paused_until is not None and person.paused_until > utc_now(),
        pause_form=PauseForm(),
        preferences_token=sign(secret_key(), Purpose.PREFERENCES, participant_id),
    )
