"""From a spreadsheet to people, step by step: upload, say what the columns mean, see what would happen, do it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from hub.accounts.access import current_account, organiser_required
from hub.db import read_session, utc_now, write_session
from hub.paging import Page
from hub.participants.errors import BadDetails
from hub.participants.exporting import BYTE_ORDER_MARK, export_csv
from hub.participants.importing.columns import Column
from hub.participants.importing.exported import with_guard
from hub.participants.importing.fields import LABELS
from hub.participants.importing.reading import UnreadableFile
from hub.participants.importing.report import ImportReport, Outcome, RowReport
from hub.participants.importing.runs import apply_import, columns_of, dry_run, import_with, report_of, start_import
from hub.participants.models import ImportRun
from hub.web.paging import page_number

bp = Blueprint("imports", __name__, url_prefix="/people/import")
exports = Blueprint("exports", __name__)

ROWS_A_PAGE = 50
RECENT = 5
OUTCOMES: dict[Outcome, tuple[str, str, str]] = {
    Outcome.IMPORTED: ("New", "good", "reached"),
    Outcome.UPDATED: ("Updated", "info", "on_its_way"),
    Outcome.UNCHANGED: ("No change", "", "quiet"),
    Outcome.NEEDS_A_LOOK: ("Needs a look", "warn", "attention"),
    Outcome.SKIPPED: ("Left out", "bad", "bad"),
}
"""Outcome -> its word, the kind of its tag and its colour."""


@bp.route("", methods=["GET", "POST"])
@organiser_required
def index() -> ResponseReturnValue:
    """Choose a file."""
    problem = ""
    if request.method == "POST":
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            problem = "Choose a file."
        else:
            try:
                with write_session() as session:
                    by = current_account().id
                    run_id = start_import(session, upload.filename, upload.read(), by, utc_now()).id
            except UnreadableFile as unreadable:
                problem = str(unreadable)
            else:
                return redirect(url_for(".columns", run_id=run_id))
    with read_session() as session:
        recent = session.scalars(
            select(ImportRun).where(ImportRun.finished_at.is_not(None)).order_by(ImportRun.id.desc()).limit(RECENT)
        ).all()
    return render_template("imports/upload.html", problem=problem, recent=recent), 422 if problem else 200


@bp.route("/<int:run_id>", methods=["GET", "POST"])
@organiser_required
def columns(run_id: int) -> ResponseReturnValue:
    """What each column means, as guessed: correct it, and see what would happen."""
    problem = ""
    if request.method == "POST":
        try:
            with write_session() as session:
                chosen = _chosen(columns_of(session, run_id))
                report = dry_run(session, run_id, chosen, utc_now(), opt_outs=request.form.get("opt_outs") == "yes")
        except BadDetails as wrong:
            problem = str(wrong)
        else:
            for remark in report.remarks:
                flash(remark, "info")
            return redirect(url_for(".report", run_id=run_id))
    with read_session() as session:
        run = import_with(session, run_id)
        if run.finished_at:
            return redirect(url_for(".report", run_id=run_id))
        found = columns_of(session, run_id)
        shown = render_template("imports/columns.html", run=run, columns=found, labels=LABELS, problem=problem)
    return shown, 422 if problem else 200


@bp.get("/<int:run_id>/report")
@organiser_required
def report(run_id: int) -> ResponseReturnValue:
    """What would become of every row, or what has."""
    with read_session() as session:
        found = report_of(session, run_id)
    only = _outcome()
    rows = [row for row in found.rows if only is None or row.outcome is only]
    page = page_number()
    start = (page - 1) * ROWS_A_PAGE
    return render_template(
        "imports/report.html",
        run_id=run_id,
        report=found,
        only=only,
        outcomes=OUTCOMES,
        numbers={outcome: sum(row.outcome is outcome for row in found.rows) for outcome in Outcome},
        found=Page(rows[start : start + ROWS_A_PAGE], page, ROWS_A_PAGE, len(rows)),
    )


@bp.post("/<int:run_id>/apply")
@organiser_required
def apply(run_id: int) -> ResponseReturnValue:
    """Do it: all of the file, or nothing."""
    with write_session() as session:
        apply_import(session, run_id, None, utc_now())
    return redirect(url_for(".report", run_id=run_id))


@bp.get("/<int:run_id>/report.csv")
@organiser_required
def report_csv(run_id: int) -> ResponseReturnValue:
    """The report as a spreadsheet, to go through it row by row."""
    with read_session() as session:
        found = report_of(session, run_id)
    return _download(_lines(found), f"import-{run_id}-report.csv")


@exports.get("/people/export.csv")
@organiser_required
def people() -> ResponseReturnValue:
    """Everybody as a spreadsheet that an import reads back."""

    def pieces() -> Iterable[str]:
        with read_session() as session:
            yield from export_csv(session)

    return _download(pieces(), f"people-{utc_now():%Y-%m-%d}.csv")


def _chosen(columns: Iterable[Column]) -> dict[str, str]:
    """What the form says of each column. Fields are named by place: a heading may hold anything."""
    return {column.heading: request.form.get(f"column-{column.place}", column.field.value) for column in columns}


def _outcome() -> Outcome | None:
    text = request.args.get("show", "")
    return Outcome(text) if text in {outcome.value for outcome in Outcome} else None


def _lines(report: ImportReport) -> Iterable[str]:
    yield BYTE_ORDER_MARK + _line(["Row", "Name", "Outcome", "Needs a look because", "Notes"])
    for row in report.rows:
        yield _line(_cells(row))


def _cells(row: RowReport) -> list[str]:
    return [str(row.row), row.name, OUTCOMES[row.outcome][0], " ".join(row.look), " ".join(row.notes)]


def _line(cells: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([with_guard(cell) for cell in cells])
    return text.getvalue()


def _download(pieces: Iterable[str], filename: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(pieces, mimetype="text/csv", headers=headers)
