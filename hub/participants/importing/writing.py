"""Writes what an import changes, in bulk: a statement for each kind of row, whatever the number of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub.participants.consent import DECLINED_RANK, Evidence
from hub.participants.consent import record as record_evidence
from hub.participants.contact_points import refresh_search_text
from hub.participants.groups import ensure_named_topics
from hub.participants.importing.changes import Change
from hub.participants.importing.matching import Target
from hub.participants.importing.snapshots import Snapshot
from hub.participants.models import (
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointState,
    Membership,
    NeededFormat,
    Participant,
    TopicPreference,
)
from hub.participants.rows import insert_into, insert_rows
from hub.participants.rules import search_text

AT_ONCE = 5_000
"""People in one statement."""

_TEXTS = ("first_name", "last_name", "known_as", "best_time_to_call", "how_to_talk", "notes", "time_zone")
_FINDABLE = frozenset({"first_name", "last_name", "known_as", "external_id"})


@dataclass(slots=True)
class Planned:
    """A person, as they are and as the file changes them."""

    target: Target
    known: Snapshot
    change: Change


def write_changes(
    session: Session, planned: Sequence[Planned], group_ids: Mapping[str, int], now: datetime, by: int | None
) -> None:
    """Write the changes of all people. New people get their id; nothing is committed."""
    _insert_people(session, [one for one in planned if one.known.is_new], now)
    changed = [one for one in planned if not one.known.is_new and not one.change.is_empty]
    _update_people(session, changed, now)
    _insert_points(session, planned, now)
    _update_points(session, changed, now)
    _insert_belongings(session, planned, group_ids)
    _insert_topic_choices(session, [one for one in planned if one.change.topics], now, by)
    evidence = (replace(one, participant_id=_id(person)) for person in planned for one in person.change.evidence)
    record_evidence(session, evidence, now, by)
    refresh_search_text(session, [_id(one) for one in changed if _changes_what_is_found(one.change)])


def _id(planned: Planned) -> int:
    if planned.target.participant_id is None:
        raise AssertionError("A person's rows are written before the person.")
    return planned.target.participant_id


def _insert_people(session: Session, people: Sequence[Planned], now: datetime) -> None:
    if not people:
        return
    ids = session.scalars(
        insert_into(Participant).returning(Participant.id, sort_by_parameter_order=True),
        [_participant_row(one, now) for one in people],
    )
    for one, participant_id in zip(people, ids, strict=True):
        one.target.participant_id = participant_id


def _participant_row(planned: Planned, now: datetime) -> dict[str, Any]:
    values = planned.change.values
    names = [values.get(name, "") for name in ("first_name", "last_name", "known_as", "external_id")]
    addresses = [address for _, address in planned.change.new_points]
    return {
        **{name: values.get(name, "") for name in (*_TEXTS, "sort_name")},
        **{name: values.get(name) for name in ("external_id", "joined_on", "quiet_from", "quiet_until")},
        **{name: values.get(name) for name in ("paused_until", "archived_at")},
        "language": values.get("language") or "en",
        "search_text": search_text(names, addresses),
        "created_at": now,
        "updated_at": now,
    }


def _update_people(session: Session, people: Sequence[Planned], now: datetime) -> None:
    rows = [{"id": _id(one), **one.change.values, "updated_at": now} for one in people]
    if rows:
        session.execute(update(Participant), rows)


def _insert_points(session: Session, people: Iterable[Planned], now: datetime) -> None:
    rows = [
        {
            "participant_id": _id(one),
            "channel": point.channel,
            "address": point.address,
            "kind": point.kind,
            "label": point.label,
            "rank": one.change.ranks.get(key),
            "state": point.state,
            "state_reason": point.reason,
            "state_at": None if point.state is ContactPointState.USABLE else now,
            "created_at": now,
        }
        for one in people
        for key, point in one.change.new_points.items()
    ]
    insert_rows(session, ContactPoint, rows)


def _update_points(session: Session, people: Iterable[Planned], now: datetime) -> None:
    ranks: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for one in people:
        ids = {key: point.id for key, point in one.known.points.items()}
        change = one.change
        ranks += [{"id": ids[key], "rank": rank} for key, rank in change.ranks.items() if key in ids]
        labels += [{"id": ids[key], "label": label} for key, label in change.labels.items()]
        states += [
            {"id": ids[key], "state": state, "state_reason": reason, "state_at": now}
            for key, (state, reason) in change.states.items()
        ]
    for rows in (ranks, states, labels):
        if rows:
            session.execute(update(ContactPoint), rows)


def _insert_belongings(session: Session, people: Sequence[Planned], group_ids: Mapping[str, int]) -> None:
    formats = [
        {"participant_id": _id(one), "format": needed} for one in people for needed in sorted(one.change.formats)
    ]
    insert_rows(session, NeededFormat, formats)
    memberships = {(group_ids[name.casefold()], _id(one)) for one in people for name in one.change.groups}
    insert_rows(
        session,
        Membership,
        [{"group_id": group_id, "participant_id": person} for group_id, person in sorted(memberships)],
    )


def _insert_topic_choices(session: Session, people: Sequence[Planned], now: datetime, by: int | None) -> None:
    """Choices for topics, after the contact points that they name have their ids."""
    if not people:
        return
    topics = ensure_named_topics(session, [name for one in people for name in one.change.topics])
    ids = {
        (point.participant_id, point.channel, point.address): point.id
        for start in range(0, len(people), AT_ONCE)
        for point in session.execute(
            select(ContactPoint.participant_id, ContactPoint.channel, ContactPoint.address, ContactPoint.id).where(
                ContactPoint.participant_id.in_([_id(one) for one in people[start : start + AT_ONCE]])
            )
        )
    }
    rows: list[dict[str, Any]] = []
    evidence: list[Evidence] = []
    for one in people:
        for name, keys in one.change.topics.items():
            steps = [ids[(_id(one), *key)] for key in keys if (_id(one), *key) in ids]
            ranked: list[tuple[int, int | None]] = list(enumerate(steps, start=1)) or [(DECLINED_RANK, None)]
            about = {"participant_id": _id(one), "topic_id": topics[name]}
            rows += [{**about, "rank": rank, "contact_point_id": point_id} for rank, point_id in ranked]
            kind = ConsentKind.CHOSE if steps else ConsentKind.WITHDREW
            words = f"The choice for “{name}” in an exported file."
            evidence.append(Evidence(_id(one), kind, ConsentSource.IMPORT, words, "", topics[name]))
    insert_rows(session, TopicPreference, rows)
    record_evidence(session, evidence, now, by)


def _changes_what_is_found(change: Change) -> bool:
    return bool(change.new_points or _FINDABLE & change.values.keys())
