"""Writing about people: one verb each. Everything that other features may change about a person is here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.participants.consent import Evidence, opt_in, opt_out, opt_out_everywhere, record
from hub.participants.contact_points import (
    add_contact_point,
    change_contact_point,
    mark_bad,
    mark_usable,
    refresh_search_text,
    remove_contact_point,
)
from hub.participants.errors import AlreadyThere, BadAddress, BadDetails, NobodyThere
from hub.participants.groups import (
    add_to_group,
    create_group,
    create_topic,
    delete_group,
    ensure_topics,
    remove_from_group,
    rename_group,
    set_groups,
)
from hub.participants.models import Format, NeededFormat, Participant
from hub.participants.preferences import decline_topic, pause, rank_contact_points, resume
from hub.participants.rules import clean, sort_name

__all__ = [
    "AlreadyThere",
    "BadAddress",
    "BadDetails",
    "Evidence",
    "NobodyThere",
    "ParticipantDetails",
    "add_contact_point",
    "add_to_group",
    "archive_participant",
    "change_contact_point",
    "create_group",
    "create_participant",
    "create_topic",
    "decline_topic",
    "delete_group",
    "details_of",
    "ensure_topics",
    "mark_bad",
    "mark_usable",
    "opt_in",
    "opt_out",
    "opt_out_everywhere",
    "pause",
    "rank_contact_points",
    "record",
    "remove_contact_point",
    "remove_from_group",
    "rename_group",
    "restore_participant",
    "resume",
    "set_groups",
    "update_participant",
]

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")

LONGEST = {
    "first_name": 120,
    "last_name": 120,
    "known_as": 120,
    "external_id": 80,
    "language": 12,
    "best_time_to_call": 200,
    "how_to_talk": 500,
    "notes": 20_000,
}
"""How many characters each detail can have."""

WORDING = {
    "first_name": "first name",
    "last_name": "last name",
    "known_as": "name they use",
    "external_id": "number in another system",
    "best_time_to_call": "best time to call",
    "how_to_talk": "how to talk with them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantDetails:
    """What is known about a person apart from contact points, preferences and groups."""

    first_name: str = ""
    last_name: str = ""
    known_as: str = ""
    external_id: str = ""
    language: str = "en"
    time_zone: str = ""
    quiet_from: time | None = None
    quiet_until: time | None = None
    best_time_to_call: str = ""
    how_to_talk: str = ""
    notes: str = ""
    joined_on: date | None = None
    formats: frozenset[Format] = field(default_factory=frozenset)


def create_participant(session: Session, details: ParticipantDetails, now: datetime) -> Participant:
    """Add a person, with neither contact points nor groups yet. Raises :class:`BadDetails`."""
    participant = Participant(created_at=now)
    _apply(session, participant, details, now)
    session.add(participant)
    session.flush()
    refresh_search_text(session, [participant.id])
    return participant


def update_participant(
    session: Session, participant_id: int, details: ParticipantDetails, now: datetime
) -> Participant:
    """Change what is known about a person to exactly ``details``. Raises :class:`BadDetails`."""
    participant = _participant(session, participant_id)
    _apply(session, participant, details, now)
    session.flush()
    refresh_search_text(session, [participant.id])
    return participant


def archive_participant(session: Session, participant_id: int, now: datetime) -> None:
    """Note that a person has left: they are kept, and are in no audience."""
    participant = _participant(session, participant_id)
    if participant.archived_at is None:
        participant.archived_at = now
        participant.updated_at = now


def restore_participant(session: Session, participant_id: int, now: datetime) -> None:
    """Note that a person who left is here again."""
    participant = _participant(session, participant_id)
    participant.archived_at = None
    participant.updated_at = now


def details_of(participant: Participant) -> ParticipantDetails:
    """What is known about a person now, to be changed and given back to :func:`update_participant`."""
    return ParticipantDetails(
        first_name=participant.first_name,
        last_name=participant.last_name,
        known_as=participant.known_as,
        external_id=participant.external_id or "",
        language=participant.language,
        time_zone=participant.time_zone,
        quiet_from=participant.quiet_from,
        quiet_until=participant.quiet_until,
        best_time_to_call=participant.best_time_to_call,
        how_to_talk=participant.how_to_talk,
        notes=participant.notes,
        joined_on=participant.joined_on,
        formats=frozenset(needed.format for needed in participant.needed_formats),
    )


def _apply(session: Session, participant: Participant, details: ParticipantDetails, now: datetime) -> None:
    texts = {name: clean(getattr(details, name)) for name in LONGEST}
    _check(texts, details)
    external_id = texts.pop("external_id") or None
    _refuse_same_external_id(session, participant, external_id)
    for name, value in texts.items():
        setattr(participant, name, value)
    participant.external_id = external_id
    participant.language = texts["language"] or "en"
    participant.time_zone = details.time_zone
    participant.quiet_from = details.quiet_from
    participant.quiet_until = details.quiet_until
    participant.joined_on = details.joined_on
    participant.sort_name = sort_name(texts["first_name"], texts["last_name"], texts["known_as"])
    participant.updated_at = now
    wanted = details.formats - {Format.STANDARD}
    kept = [needed for needed in participant.needed_formats if needed.format in wanted]
    new = wanted - {needed.format for needed in kept}
    participant.needed_formats = kept + [NeededFormat(format=one) for one in sorted(new)]


def _check(texts: dict[str, str], details: ParticipantDetails) -> None:
    if not any(texts[name] for name in ("first_name", "last_name", "known_as")):
        raise BadDetails("Give the person a name: first, last, or the one they use.")
    for name, longest in LONGEST.items():
        if len(texts[name]) > longest:
            label = WORDING.get(name, name)
            raise BadDetails(f"The {label} can have up to {longest} characters; this has {len(texts[name])}.")
    if texts["language"] and not LANGUAGE_TAG.fullmatch(texts["language"]):
        raise BadDetails(f"“{texts['language']}” is not a language code, such as en, cy or pl.")
    if (details.quiet_from is None) != (details.quiet_until is None):
        raise BadDetails("Quiet hours need both a beginning and an end.")
    if details.time_zone and not _is_time_zone(details.time_zone):
        raise BadDetails(f"“{details.time_zone}” is not a time zone, such as Europe/London.")


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return len(name) <= 60


def _refuse_same_external_id(session: Session, participant: Participant, external_id: str | None) -> None:
    if external_id is None:
        return
    with session.no_autoflush:
        other = session.scalar(select(Participant.id).where(Participant.external_id == external_id))
    if other is not None and other != participant.id:
        raise AlreadyThere(f"Somebody else has the number {external_id} already.")


def _participant(session: Session, participant_id: int) -> Participant:
    participant = session.get(Participant, participant_id)
    if participant is None:
        raise NobodyThere("This person is not here any more.")
    return participant
