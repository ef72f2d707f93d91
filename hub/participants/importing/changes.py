"""What a file changes about one person: nothing is emptied, no opt-out is undone, and later choices stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hub.participants.consent import Evidence
from hub.participants.importing.ranking import Order, default_order, order_from_words
from hub.participants.importing.records import Key, Point, Record, Stop, hours_in_words, label_of
from hub.participants.importing.snapshots import KnownEvent, KnownPoint, Snapshot
from hub.participants.models import ConsentKind, ConsentSource, ContactPointKind, ContactPointState, Format
from hub.participants.preferences import order_in_words
from hub.participants.rules import sort_name
from hub.participants.service import LONGEST

Suppressed = Mapping[Key, tuple[ContactPointState, str]]
USABLE, BAD, OPTED_OUT = ContactPointState.USABLE, ContactPointState.BAD, ContactPointState.OPTED_OUT


@dataclass(slots=True)
class Change:
    """What is to be written for one person. ``told`` is the same in words, for the report."""

    values: dict[str, Any] = field(default_factory=dict)
    new_points: dict[Key, Point] = field(default_factory=dict)
    ranks: dict[Key, int | None] = field(default_factory=dict)
    """Only those that change; new points without an entry are not ranked."""
    states: dict[Key, tuple[ContactPointState, str]] = field(default_factory=dict)
    labels: dict[Key, str] = field(default_factory=dict)
    formats: set[Format] = field(default_factory=set)
    groups: list[str] = field(default_factory=list)
    topics: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    """Choices for topics that the person had none for."""
    evidence: list[Evidence] = field(default_factory=list)
    """With participant 0, until somebody new has an id."""
    told: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing is to be written."""
        parts = (self.values, self.new_points, self.ranks, self.states, self.labels, self.formats, self.groups)
        return not any(parts) and not self.topics and not self.evidence


def changes_for(
    record: Record, known: Snapshot, group_ids: Mapping[str, int], suppressed: Suppressed, now: datetime
) -> Change:
    """Compare what the file says with what is known. Adds to the record's ``look`` what nobody decided here."""
    change = Change()
    _details(change, record, known, now)
    _notes(change, record, known)
    _points(change, record, known, suppressed)
    _stops(change, record, known)
    _rank(change, record, known)
    _consents(change, record, known)
    change.formats = set(record.formats) - known.formats
    change.groups = [name for name in record.groups if group_ids.get(name.casefold(), 0) not in known.groups]
    change.topics = {name: keys for name, keys in record.topics.items() if name not in known.topics}
    if change.topics:
        change.told.append(f"Choices for topics: {', '.join(change.topics)}.")
    if change.formats:
        change.told.append(
            f"Formats: {', '.join(sorted(one.value.replace('_', ' ') for one in change.formats))} added."
        )
    if change.groups:
        change.told.append(f"Groups: {', '.join(change.groups)} added.")
    return change


def _details(change: Change, record: Record, known: Snapshot, now: datetime) -> None:
    texts: dict[str, Any] = dict(record.texts)
    if record.external_id:
        texts["external_id"] = record.external_id
    for column, value in texts.items():
        before = known.values.get(column) or ""
        is_name_they_use = column == "first_name" and _same(value, known.values.get("known_as", ""))
        if not _same(value, before) and not (is_name_they_use and before):
            _set(change, known, column, label_of(column), before, value)
    if record.proposed_how_to_talk and not texts.get("how_to_talk") and not known.values.get("how_to_talk"):
        _set(change, known, "how_to_talk", label_of("how_to_talk"), "", record.proposed_how_to_talk)
    for column, label in (("joined_on", "Date of joining"), ("paused_until", "Nothing until")):
        value = getattr(record, column)
        if value and value != known.values.get(column):
            _set(change, known, column, label, known.values.get(column) or "", value)
    _quiet_hours(change, record, known)
    if {"first_name", "last_name", "known_as"} & change.values.keys() or known.is_new:
        now_known = known.values | change.values
        change.values["sort_name"] = sort_name(
            *(now_known.get(name, "") for name in ("first_name", "last_name", "known_as"))
        )
    _left(change, record, known, now)


def _same(one: str, other: str) -> bool:
    """Whether two texts differ in capitals and spaces at most."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _set(change: Change, known: Snapshot, column: str, label: str, before: object, value: object) -> None:
    change.values[column] = value
    if not known.is_new:
        change.told.append(f"{label}: {before} → {value}." if before else f"{label}: {value}.")


def _quiet_hours(change: Change, record: Record, known: Snapshot) -> None:
    before = (known.values.get("quiet_from"), known.values.get("quiet_until"))
    if record.quiet and record.quiet != before:
        change.values["quiet_from"], change.values["quiet_until"] = record.quiet
        change.told.append(f"Quiet hours: {hours_in_words(record.quiet)}.")


def _left(change: Change, record: Record, known: Snapshot, now: datetime) -> None:
    has_left = known.values.get("archived_at") is not None
    if record.left and not has_left:
        change.values["archived_at"] = now
        change.told.append("Has left, and is in no audience any more.")
    elif has_left and not record.left:
        record.look.append("This person has left, and the file still names them.")


def _notes(change: Change, record: Record, known: Snapshot) -> None:
    before: str = known.values.get("notes", "")
    lines = {line.rstrip() for line in before.splitlines()}
    new = [note for note in record.note_lines if note.rstrip() not in lines and not _is_there(note, before)]
    notes = "\n".join([before, *new] if before else new)
    longest = LONGEST["notes"]
    if len(notes) > longest:
        record.look.append(
            f"Notes can have up to {longest:,} characters; what is beyond was cut. See row {record.row}."
        )
        notes = notes[:longest].rstrip()
    if new and notes != before:
        change.values["notes"] = notes
        if not known.is_new:
            change.told.append(f"Notes: {len(new)} added.")


def _is_there(note: str, before: str) -> bool:
    """Whether several lines together are in the notes already, or are all of them."""
    return note.split() == before.split() or ("\n" in note and f"\n{note}\n" in f"\n{before}\n")


def _points(change: Change, record: Record, known: Snapshot, suppressed: Suppressed) -> None:
    for key, point in record.points.items():
        there = known.points.get(key)
        if there is None:
            state, reason = suppressed.get(key, (USABLE, ""))
            if state is not USABLE and point.state is not OPTED_OUT:
                point = replace(point, state=state, reason=reason)
                record.notes.append(f"{key[0].capitalize()}: {reason or 'it must not be used'}; it stays so.")
            change.new_points[key] = point
            if not known.is_new:
                change.told.append(f"{key[0].capitalize()}: {point.address} added.")
            _evidence_of_state(change, point)
            continue
        if point.label and not there.label:
            change.labels[key] = point.label
            change.told.append(f"{key[0].capitalize()}: noted as “{point.label}”.")
        if _is_worse(point, there, known):
            change.states[key] = (point.state, point.reason)
            change.told.append(f"{key[0].capitalize()}: not used any more. {point.reason}")
            _evidence_of_state(change, point)


def _is_worse(point: Point, there: KnownPoint, known: Snapshot) -> bool:
    """Whether the file takes a contact point out of use; an opt-out that was undone since stays undone."""
    if point.state is OPTED_OUT and there.state is not OPTED_OUT:
        event = KnownEvent(ConsentKind.WITHDREW, ConsentSource.IMPORT, point.channel, _words_of_state(point))
        return event not in known.events
    return point.state is BAD and there.state is USABLE


def _words_of_state(point: Point) -> str:
    return point.reason or "Opted out, as the file says."


def _evidence_of_state(change: Change, point: Point) -> None:
    if point.state is OPTED_OUT:
        words = _words_of_state(point)
        change.evidence.append(Evidence(0, ConsentKind.WITHDREW, ConsentSource.IMPORT, words, point.channel))


def _stops(change: Change, record: Record, known: Snapshot) -> None:
    for stop in record.stops:
        event = KnownEvent(ConsentKind.WITHDREW, ConsentSource.IMPORT, stop.channel, stop.wording)
        again = event in known.events
        for key, point in change.new_points.items():
            if key[0] == stop.channel and point.state is not OPTED_OUT:
                change.new_points[key] = replace(point, state=OPTED_OUT, reason=_reason(stop))
        if again:
            continue
        for key, there in known.points.items():
            if key[0] == stop.channel and there.state is not OPTED_OUT and key not in change.states:
                change.states[key] = (OPTED_OUT, _reason(stop))
                change.told.append(f"{stop.channel.capitalize()}: opted out.")
        change.evidence.append(
            Evidence(0, ConsentKind.WITHDREW, ConsentSource.IMPORT, stop.wording, stop.channel, None, stop.at)
        )


def _reason(stop: Stop) -> str:
    return f"Opted out, as the file says: {stop.wording}"[:200]


def _rank(change: Change, record: Record, known: Snapshot) -> None:
    order = _wanted(change, record, known)
    if order is None:
        return
    before = known.order
    if order.keys == before and not known.is_new:
        return
    if known.chose(elsewhere=True):
        record.look.append("They have chosen another order since, which was kept.")
        return
    ranks: dict[Key, int | None] = dict.fromkeys(known.points)
    ranks |= {key: rank for rank, key in enumerate(order.keys, start=1)}
    there = {key: point.rank for key, point in known.points.items()}
    change.ranks = {key: rank for key, rank in ranks.items() if rank != there.get(key)}
    if not known.is_new:
        change.told.append(f"Order: {order_in_words([key[0] for key in order.keys])}")


def _wanted(change: Change, record: Record, known: Snapshot) -> Order | None:
    """The order that the file asks for; None where it leaves the order as it is."""
    points: list[tuple[Key, ContactPointKind]] = [(key, point.kind) for key, point in known.points.items()]
    points += [(key, point.kind) for key, point in change.new_points.items()]
    if record.order is not None:
        return _exported_order(change, record, known)
    if record.has_words:
        return _order_from_words(change, record, known, points)
    record.look.extend(_unused(record, known, change))
    if known.is_new and record.ended:
        return Order(())
    stopped = {stop.channel for stop in record.stops} | record.not_agreed
    if known.is_new:
        order = default_order(points, stopped)
        record.notes.extend(order.notes)
        return order
    if change.new_points and not known.chose(elsewhere=False) and not record.ended:
        new = default_order([(key, point.kind) for key, point in change.new_points.items()], stopped)
        return Order((*known.order, *new.keys))
    return None


def _exported_order(change: Change, record: Record, known: Snapshot) -> Order:
    listed = record.order or ()
    keys = (*listed, *(key for key in known.order if key not in record.points))
    words = f"The order in an exported file: {order_in_words([key[0] for key in keys])}"
    event = KnownEvent(ConsentKind.CHOSE, ConsentSource.IMPORT, "", words)
    if keys != known.order and event not in known.events and keys:
        change.evidence.append(Evidence(0, ConsentKind.CHOSE, ConsentSource.IMPORT, words))
    return Order(keys)


def _order_from_words(
    change: Change, record: Record, known: Snapshot, points: list[tuple[Key, ContactPointKind]]
) -> Order | None:
    order = order_from_words(record.wish, record.other_ways, points, record.not_agreed)
    record.look.extend(order.look)
    event = KnownEvent(ConsentKind.CHOSE, ConsentSource.IMPORT, "", record.words)
    said_before = event in known.events
    if not said_before:
        change.evidence.append(Evidence(0, ConsentKind.CHOSE, ConsentSource.IMPORT, record.words))
    return None if said_before and not change.new_points else order


def _unused(record: Record, known: Snapshot, change: Change) -> list[str]:
    if change.new_points and known.chose(elsewhere=False):
        return ["New addresses are kept and not used until somebody has asked how they want to be reached."]
    if record.ended and len(change.new_points) > 1:
        return ["They have unsubscribed, so nothing else of theirs is used until somebody has asked them."]
    return []


def _consents(change: Change, record: Record, known: Snapshot) -> None:
    agreed = {(event.channel, event.wording) for event in known.events if event.kind is ConsentKind.AGREED}
    wordings = {wording for _, wording in agreed}
    for consent in record.consents:
        there = (consent.channel, consent.wording) in agreed if consent.channel else consent.wording in wordings
        if not there:
            evidence = Evidence(
                0, ConsentKind.AGREED, ConsentSource.IMPORT, consent.wording, consent.channel, None, consent.at
            )
            change.evidence.append(evidence)
            if not known.is_new:
                change.told.append(f"Consent: {consent.wording}.")
