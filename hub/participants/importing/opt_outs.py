"""Imports a list of people who opted out, or of addresses that fail: nobody becomes a participant by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub.participants.consent import Evidence
from hub.participants.consent import record as record_evidence
from hub.participants.importing.columns import Column
from hub.participants.importing.fields import Field
from hub.participants.importing.records import Key, Record
from hub.participants.importing.report import Outcome, RowReport, row_report
from hub.participants.models import ConsentKind, ConsentSource, ContactPoint, ContactPointState
from hub.participants.suppressions import suppress, suppressed

AT_ONCE = 5_000
USABLE, BAD, OPTED_OUT = ContactPointState.USABLE, ContactPointState.BAD, ContactPointState.OPTED_OUT

_SAYS_SO = frozenset({Field.UNSUBSCRIBED_ON, Field.BOUNCED_ON})
_LIST_NAMES = re.compile(
    r"unsubscri|suppress|opt[-_]?outs?|opted|bounce|cleaned|do[-_]?not[-_]|blocklist|blacklist|spam[-_]report|invalid_email"
)
_FAILING = ("bounce", "cleaned", "invalid")


@dataclass(slots=True)
class _Row:
    """What one row of the list stops."""

    record: Record
    keys: list[Key]
    wording: str
    at: datetime | None
    state: ContactPointState
    people: set[int] = field(default_factory=set)
    remembered: bool = False


def is_opt_out_list(filename: str, columns: Sequence[Column], rows: int) -> bool:
    """Whether a file is such a list: by a column that says so in every row, or by its name."""
    filled = {column.field: column.filled for column in columns}
    if rows and any(filled.get(name, 0) >= rows for name in _SAYS_SO):
        return True
    plain = filename.casefold().replace(" ", "_")
    has_addresses = any(column.field in {Field.EMAIL, Field.PHONE, Field.MOBILE} for column in columns)
    return has_addresses and _LIST_NAMES.search(plain) is not None


def says_addresses_fail(filename: str, columns: Sequence[Column]) -> bool:
    """Whether the list is of addresses that don't work, rather than of people who asked us to stop."""
    fields = {column.field for column in columns if column.filled}
    if Field.BOUNCED_ON in fields or Field.UNSUBSCRIBED_ON in fields:
        return Field.BOUNCED_ON in fields and Field.UNSUBSCRIBED_ON not in fields
    return any(part in filename.casefold() for part in _FAILING)


def import_opt_outs(
    session: Session, records: Sequence[Record], filename: str, now: datetime, by: int | None, *, failing: bool
) -> tuple[list[RowReport], int]:
    """Stop using every address of the list, for whoever has it now or later. Returns reports and people changed.

    Phone numbers are stopped for texts; landlines, which take none, for calls.
    """
    rows = [_row(record, filename, failing=failing) for record in records]
    _remember(session, rows, now)
    changed = _stop(session, rows, now, by)
    return [_report(row) for row in rows], changed


def _row(record: Record, filename: str, *, failing: bool) -> _Row:
    texted = {address for channel, address in record.points if channel == "text"}
    keys = [
        key for key, point in record.points.items() if point.readable and not (key[0] == "phone" and key[1] in texted)
    ]
    said = [stop for stop in record.stops if stop.channel in {key[0] for key in keys}]
    wording = said[0].wording if said else f"In the list “{filename}”."
    return _Row(record, keys, wording, said[0].at if said else None, BAD if failing else OPTED_OUT)


def _remember(session: Session, rows: Sequence[_Row], now: datetime) -> None:
    all_keys = list(dict.fromkeys(key for row in rows for key in row.keys))
    known = {key: found[0] for key, found in suppressed(session, all_keys).items()}
    for row in rows:
        row.remembered = any(known.get(key) not in (row.state, OPTED_OUT) for key in row.keys)
        known |= {key: row.state for key in row.keys if known.get(key) is not OPTED_OUT}
    for state in (BAD, OPTED_OUT):
        keys = [key for row in rows if row.state is state for key in row.keys]
        suppress(session, keys, state, _reason(state), now)


def _reason(state: ContactPointState) -> str:
    return "Opted out, as an imported list says" if state is OPTED_OUT else "Does not work, as an imported list says"


def _stop(session: Session, rows: Sequence[_Row], now: datetime, by: int | None) -> int:
    by_key: dict[Key, list[_Row]] = {}
    for row in rows:
        for key in row.keys:
            by_key.setdefault(key, []).append(row)
    updates: dict[int, dict[str, object]] = {}
    evidence: dict[tuple[int, str], Evidence] = {}
    for found in _points(session, {address for _, address in by_key}):
        for row in by_key.get((found.channel, found.address), ()):
            before = updates[found.id]["state"] if found.id in updates else found.state
            if before is OPTED_OUT or before is row.state:
                continue
            row.people.add(found.participant_id)
            updates[found.id] = {
                "id": found.id,
                "state": row.state,
                "state_reason": _reason(row.state),
                "state_at": now,
            }
            if row.state is OPTED_OUT:
                evidence[(found.participant_id, found.channel)] = Evidence(
                    found.participant_id,
                    ConsentKind.WITHDREW,
                    ConsentSource.IMPORT,
                    row.wording,
                    found.channel,
                    None,
                    row.at,
                )
    if updates:
        session.execute(update(ContactPoint), list(updates.values()))
    record_evidence(session, evidence.values(), now, by)
    return len({person for row in rows for person in row.people})


def _points(session: Session, addresses: Iterable[str]) -> Iterable[ContactPoint]:
    wanted = sorted(addresses)
    for start in range(0, len(wanted), AT_ONCE):
        yield from session.scalars(
            select(ContactPoint)
            .where(ContactPoint.address.in_(wanted[start : start + AT_ONCE]))
            .order_by(ContactPoint.id)
        )


def _report(row: _Row) -> RowReport:
    record = row.record
    shown = record.name or next(iter(record.addresses), "")
    if not row.keys:
        look = record.look or ["There is no address in this row."]
        return row_report(record.row, shown, Outcome.SKIPPED, look, record.notes)
    unread = [line for line in record.look if "can’t be used" in line]
    if row.people:
        number = len(row.people)
        people = "1 person is" if number == 1 else f"{number} people are"
        return row_report(record.row, shown, Outcome.UPDATED, unread, [f"{people} no longer sent anything there."])
    if row.remembered:
        note = "Nobody here has this address. It is remembered, so that it is not used if somebody comes with it."
        return row_report(record.row, shown, Outcome.IMPORTED, unread, [note])
    return row_report(record.row, shown, Outcome.UNCHANGED, unread, ["Stopped already."])
