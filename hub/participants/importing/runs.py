"""An import from upload to report: the file is kept, tried out as often as wanted, and then applied once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from hub.errors import Conflict, HubError
from hub.participants.errors import NobodyThere
from hub.participants.importing.columns import Column, correct, lay_out
from hub.participants.importing.fields import Field
from hub.participants.importing.opt_outs import import_opt_outs, is_opt_out_list, says_addresses_fail
from hub.participants.importing.people import import_people
from hub.participants.importing.reading import Row, read_table
from hub.participants.importing.report import ImportReport, Outcome, RowReport, row_from_json, row_report
from hub.participants.importing.understanding import context_for, in_reading_order, understand_row
from hub.participants.models import ImportRun


class AlreadyImported(Conflict):
    """409: the import was applied, or its file is gone."""


class NothingToImport(HubError):
    """400: no column says who people are or how to reach them."""


_ADDRESSES = frozenset({Field.EMAIL, Field.MOBILE, Field.LANDLINE, Field.PHONE, Field.SOCIAL})
_WHO = _ADDRESSES | {Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME, Field.KNOWN_AS, Field.NUMBER}
SHOWN = 20
"""How many headings an error names."""


@dataclass(frozen=True, slots=True)
class _File:
    """An uploaded file, understood as far as its columns."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    remarks: tuple[str, ...]
    opt_outs: bool


def start_import(
    session: Session, filename: str, content: bytes, by: int | None, now: datetime, *, opt_outs: bool | None = None
) -> ImportRun:
    """Keep an uploaded file and guess its columns. Raises :class:`UnreadableFile`; nothing is imported yet.

    ``opt_outs`` says whether the file is a list of people who opted out; None leaves it to the file.
    """
    found = _open(filename, content, {}, opt_outs)
    run = ImportRun(
        filename=filename[-255:],
        content=content,
        columns={column.heading: column.field.value for column in found.columns},
        opt_outs=found.opt_outs,
        report=[],
        created_at=now,
        created_by=by,
    )
    session.add(run)
    session.flush()
    return run


def columns_of(session: Session, run_id: int) -> tuple[Column, ...]:
    """The columns of an uploaded file with samples of what is in them, as guessed and then corrected."""
    run = import_with(session, run_id)
    return _open(run.filename, _content(run), run.columns, run.opt_outs).columns


def dry_run(
    session: Session,
    run_id: int,
    columns: Mapping[str, str] | None,
    now: datetime,
    *,
    opt_outs: bool | None = None,
) -> ImportReport:
    """What applying the import now would do: it is done, and taken back.

    ``columns`` corrects what columns mean: heading -> field. The corrections are kept for :func:`apply_import`,
    and the report for :func:`report_of`.
    """
    run = import_with(session, run_id)
    found = _correct(run, columns, opt_outs)
    with session.begin_nested() as trial:
        report = _import(session, found, run.created_by, now, applied=False)
        trial.rollback()
    session.expire_all()
    # Those who would be added have no page yet, and their numbers will be others.
    rows = [replace(row, participant_id=None) if row.change is Outcome.IMPORTED else row for row in report.rows]
    run.report = [row.as_json() for row in rows]
    return replace(report, rows=rows)


def apply_import(
    session: Session,
    run_id: int,
    columns: Mapping[str, str] | None,
    now: datetime,
    *,
    opt_outs: bool | None = None,
) -> ImportReport:
    """Import the file, all of it or (where anything is raised) nothing, and keep the report. Its content is dropped."""
    run = import_with(session, run_id)
    found = _correct(run, columns, opt_outs)
    report = _import(session, found, run.created_by, now, applied=True)
    run.report = [row.as_json() for row in report.rows]
    run.content = None
    run.finished_at = now
    session.flush()
    session.expire_all()
    return report


def report_of(session: Session, run_id: int) -> ImportReport:
    """The kept report of an import that was applied, or of its last dry run."""
    run = import_with(session, run_id)
    rows = [row_from_json(kept) for kept in run.report]
    people = {row.participant_id for row in rows if row.change is Outcome.IMPORTED and row.participant_id}
    updated = {row.participant_id for row in rows if row.change is Outcome.UPDATED and row.participant_id} - people
    return ImportReport(
        filename=run.filename,
        applied=run.finished_at is not None,
        opt_outs=run.opt_outs,
        rows=rows,
        people_added=len(people),
        people_updated=len(updated),
    )


def import_file(
    session: Session,
    filename: str,
    content: bytes,
    now: datetime,
    *,
    by: int | None = None,
    columns: Mapping[str, str] | None = None,
    opt_outs: bool | None = None,
) -> ImportReport:
    """Upload and apply in one step."""
    run = start_import(session, filename, content, by, now, opt_outs=opt_outs)
    return apply_import(session, run.id, columns, now)


def try_file(
    session: Session,
    filename: str,
    content: bytes,
    now: datetime,
    *,
    columns: Mapping[str, str] | None = None,
    opt_outs: bool | None = None,
) -> ImportReport:
    """What :func:`import_file` would do; nothing of it is kept."""
    run = start_import(session, filename, content, None, now, opt_outs=opt_outs)
    report = dry_run(session, run.id, columns, now)
    session.delete(run)
    session.flush()
    return report


def import_with(session: Session, run_id: int) -> ImportRun:
    """The import with that id. Raises :class:`NobodyThere`."""
    run = session.get(ImportRun, run_id)
    if run is None:
        raise NobodyThere("This import is not here any more. Upload the file again.")
    return run


def _content(run: ImportRun) -> bytes:
    if run.content is None:
        done = "was imported already" if run.finished_at else "was not kept any longer"
        raise AlreadyImported(f"“{run.filename}” {done}. Upload it again if you need to.")
    return run.content


def _correct(run: ImportRun, columns: Mapping[str, str] | None, opt_outs: bool | None) -> _File:
    chosen = {**run.columns, **(columns or {})}
    found = _open(run.filename, _content(run), chosen, run.opt_outs if opt_outs is None else opt_outs)
    run.columns = {column.heading: column.field.value for column in found.columns}
    run.opt_outs = found.opt_outs
    return found


def _open(filename: str, content: bytes, chosen: Mapping[str, str], opt_outs: bool | None) -> _File:
    table = read_table(content)
    layout = lay_out(table)
    columns = correct(layout.columns, chosen) if chosen else layout.columns
    filled = sum(1 for row in layout.rows if any(row.cells))
    is_list = is_opt_out_list(filename, columns, filled) if opt_outs is None else opt_outs
    return _File(filename, columns, layout.rows, (*table.remarks, *layout.remarks), is_list)


def _refuse_without_people(columns: Sequence[Column]) -> None:
    if not any(column.field in _WHO for column in columns):
        there = ", ".join(f"“{column.heading}”" for column in columns[:SHOWN])
        raise NothingToImport(
            f"No column was recognised as a name, an email address or a phone number. There are: {there}. "
            "Say what they mean."
        )


def _import(session: Session, found: _File, by: int | None, now: datetime, *, applied: bool) -> ImportReport:
    _refuse_without_people(found.columns)
    context = context_for(found.columns, now)
    columns = in_reading_order(found.columns)
    records = [understand_row(row, columns, context) for row in found.rows if any(row.cells)]
    empty = [
        row_report(row.number, "", Outcome.SKIPPED, (), ["Empty row."]) for row in found.rows if not any(row.cells)
    ]
    added = 0
    reports: list[RowReport]
    if found.opt_outs:
        failing = says_addresses_fail(found.name, found.columns)
        reports, updated = import_opt_outs(session, records, found.name, now, by, failing=failing)
    else:
        reports, added, updated = import_people(session, records, now, by)
    return ImportReport(
        filename=found.name,
        applied=applied,
        opt_outs=found.opt_outs,
        rows=sorted([*reports, *empty], key=lambda row: row.row),
        columns=found.columns,
        remarks=(*found.remarks, *_about_columns(found)),
        people_added=added,
        people_updated=updated,
    )


def _about_columns(found: _File) -> list[str]:
    if any(column.field in _ADDRESSES for column in found.columns):
        return []
    return ["No column was recognised as an email address or a phone number. Choose what the columns mean."]
