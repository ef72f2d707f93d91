"""Writes what an import changes, in bulk: a statement for each kind of row, whatever the number of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from hub.participants.consent import record as record_evidence
from hub.participants.contact_points import refresh_search_text
from hub.participants.importing.changes import Change
from hub.participants.importing.matching import Target
from hub.participants.importing.snapshots import Snapshot
from hub.participants.models import ContactPoint, ContactPointState, Membership, NeededFormat, Participant
from hub.participants.rules import search_text

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
        insert(Participant).returning(Participant.id, sort_by_parameter_order=True),
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
    if rows:
        session.execute(insert(ContactPoint), rows)


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
    if formats:
        session.execute(insert(NeededFormat), formats)
    memberships = {(group_ids[name.casefold()], _id(one)) for one in people for name in one.change.groups}
    if memberships:
        session.execute(
            insert(Membership),
            [{"group_id": group_id, "participant_id": person} for group_id, person in sorted(memberships)],
        )


def _changes_what_is_found(change: Change) -> bool:
    return bool(change.new_points or _FINDABLE & change.values.keys())
