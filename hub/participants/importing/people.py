"""Imports the people of a file: who each row is about, what it changes, and the report of every row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from hub.participants.groups import ensure_groups
from hub.participants.importing.changes import changes_for
from hub.participants.importing.matching import Target, match
from hub.participants.importing.records import Record
from hub.participants.importing.report import Outcome, RowReport, row_report
from hub.participants.importing.snapshots import Snapshot, load_snapshots
from hub.participants.importing.writing import Planned, write_changes
from hub.participants.suppressions import suppressed


def import_people(
    session: Session, records: Sequence[Record], now: datetime, by: int | None
) -> tuple[list[RowReport], int, int]:
    """Write what the records say. Returns a report of each, and how many people were added and updated."""
    usable = [record for record in records if record.name or record.external_id or record.addresses]
    targets = match(session, usable)
    group_ids = ensure_groups(session, _group_names(targets))
    planned = _plan(session, targets, group_ids, now)
    write_changes(session, planned, group_ids, now, by)
    reports = [report for one in planned for report in _report(one)]
    nameless = (record for record in records if not (record.name or record.external_id or record.addresses))
    reports.extend(_nobody(record) for record in nameless)
    added = sum(one.known.is_new for one in planned)
    updated = sum(not one.known.is_new and not one.change.is_empty for one in planned)
    return reports, added, updated


def _group_names(targets: Iterable[Target]) -> list[str]:
    return list(dict.fromkeys(name for target in targets if target.record for name in target.record.groups))


def _plan(session: Session, targets: Sequence[Target], group_ids: dict[str, int], now: datetime) -> list[Planned]:
    ids = sorted(target.participant_id for target in targets if target.participant_id is not None)
    known = load_snapshots(session, ids)
    keys = {key for target in targets if target.record for key in target.record.points}
    stopped = suppressed(session, sorted(keys))
    planned = []
    for target in targets:
        before = known[target.participant_id] if target.participant_id is not None else Snapshot()
        record = target.record or Record(row=0)
        planned.append(Planned(target, before, changes_for(record, before, group_ids, stopped, now)))
    return planned


def _report(planned: Planned) -> list[RowReport]:
    first, *others = planned.target.rows
    person = planned.target.participant_id
    if planned.known.is_new:
        change = Outcome.IMPORTED
    else:
        change = Outcome.UNCHANGED if planned.change.is_empty else Outcome.UPDATED
    told = [] if planned.known.is_new else planned.change.told
    reports = [row_report(first.row, first.name, change, first.look, [*first.notes, *told], person)]
    for record, added in zip(others, planned.target.added, strict=True):
        same = f"The same person as in row {first.row}."
        later = Outcome.UPDATED if added and change is not Outcome.UNCHANGED else Outcome.UNCHANGED
        reports.append(row_report(record.row, record.name, later, record.look, [same, *record.notes], person))
    return reports


def _nobody(record: Record) -> RowReport:
    look = ["There is neither a name nor an address in this row, so it was not imported.", *record.look]
    return row_report(record.row, "", Outcome.SKIPPED, look, record.notes)
