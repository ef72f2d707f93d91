"""People from the command line: bringing them in from a contact file, and taking them out again."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from hub.cli_options import data_option
from hub.db import read_session, utc_now, write_session
from hub.participants.exporting import count_people, export_csv, export_json
from hub.participants.importing.fields import Field
from hub.participants.importing.reading import LARGEST_FILE, UnreadableFile
from hub.participants.importing.report import ImportReport, Outcome, RowReport
from hub.participants.importing.runs import import_file, try_file

IMPORT_HELP = f"""
\b
Examples:
  python3 -m hub people import contacts.csv --dry-run
  python3 -m hub people import contacts.xlsx --column "Contact by=preferred"
  python3 -m hub people import unsubscribed.csv --opt-outs

A column can mean: {", ".join(Field)}.
"""
EXPORT_HELP = """
\b
Examples:
  python3 -m hub people export --out people.csv
  python3 -m hub people export --json
"""


ROWS_PRINTED = 500
"""How many rows of a kind a terminal is given."""


@click.group()
def people() -> None:
    """Import and export people."""


@people.command("import", epilog=IMPORT_HELP)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", "dry", is_flag=True, help="Say what would happen to every row, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as one JSON object.")
@click.option(
    "--opt-outs/--people",
    "opt_outs",
    default=None,
    help="Take the file as people who opted out, or as people to be in touch with.  [default: as the file looks]",
)
@click.option(
    "--column", "columns", multiple=True, metavar="HEADING=MEANING", help="What a column means; can be repeated."
)
@data_option
def import_people(file: Path, dry: bool, as_json: bool, opt_outs: bool | None, columns: tuple[str, ...]) -> None:
    """Import the people of FILE: CSV or XLSX, also as other systems export it. All of it, or nothing."""
    chosen = dict(_column(text) for text in columns)
    content = _content(file)
    with write_session() as session:
        if dry:
            report = try_file(session, file.name, content, utc_now(), columns=chosen, opt_outs=opt_outs)
        else:
            report = import_file(session, file.name, content, utc_now(), columns=chosen, opt_outs=opt_outs)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)


@people.command("export", epilog=EXPORT_HELP)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where to write it to.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of CSV.")
@data_option
def export_people(out: Path | None, as_json: bool) -> None:
    """Export everybody as CSV, which an import reads back as the same people."""
    with read_session() as session:
        pieces = export_json(session) if as_json else export_csv(session)
        if out is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece.encode())
            sys.stdout.buffer.flush()
            return
        _write(out, pieces)
        number = count_people(session)
    click.echo(f"{number:,} {'person' if number == 1 else 'people'} exported to {out}.", err=True)


def _column(text: str) -> tuple[str, str]:
    heading, separator, meaning = text.rpartition("=")
    if not (separator and heading.strip() and meaning.strip()):
        raise click.UsageError(f"--column “{text}”: write it as HEADING=MEANING, such as 'Contact by=preferred'.")
    return heading.strip(), meaning.strip()


def _content(file: Path) -> bytes:
    if file.stat().st_size > LARGEST_FILE:
        raise UnreadableFile(f"This file is larger than {LARGEST_FILE // 1024**2} MB. Split it into smaller ones.")
    return file.read_bytes()


def _write(out: Path, pieces: Iterable[str]) -> None:
    """Write the whole file or none: an export that a full disk cut short must not pass for everybody."""
    with NamedTemporaryFile("w", dir=out.parent, prefix=".export-", encoding="utf-8", newline="", delete=False) as part:
        try:
            part.writelines(pieces)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(out)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _print(report: ImportReport) -> None:
    counts = report.counts
    click.echo(f"{report.filename}: {counts.rows:,} {'row' if counts.rows == 1 else 'rows'}")
    if report.opt_outs:
        click.echo("  This is taken as a list of people who opted out: nobody is added by it.")
    for number, words in (
        (counts.imported, "imported" if not report.opt_outs else "remembered; nobody here has these addresses"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.needs_a_look, "need a look (see below)"),
        (counts.skipped, "skipped: nothing in them"),
    ):
        click.echo(f"  {number:>7,} {words}")
    click.echo(f"People: {report.people_added:,} added, {report.people_updated:,} updated.")
    for line in _about_columns(report):
        click.echo(line)
    _print_rows(report.rows)
    if not report.applied:
        click.echo("\nThis was a dry run: nothing has been changed.")


def _about_columns(report: ImportReport) -> list[str]:
    lines = [f"Note: {remark}" for remark in report.remarks]
    if report.kept_in_notes:
        lines.append(f"Kept in people's notes: {', '.join(report.kept_in_notes)}.")
    if report.left_out:
        lines.append(f"Not imported: {', '.join(report.left_out)}.")
    return lines


def _print_rows(rows: Iterable[RowReport]) -> None:
    updated = [row for row in rows if row.outcome is Outcome.UPDATED and row.notes]
    looked_at = [row for row in rows if row.outcome is Outcome.NEEDS_A_LOOK]
    for heading, chosen in (("What was updated:", updated), ("Rows that need a look:", looked_at)):
        if chosen:
            click.echo(f"\n{heading}")
        for row in chosen[:ROWS_PRINTED]:
            words = row.look or row.notes
            click.echo(f"  row {row.row}, {row.name or 'no name'} ({row.change}): {words[0]}")
            for line in words[1:]:
                click.echo(f"      {line}")
        if len(chosen) > ROWS_PRINTED:
            click.echo(f"  … and {len(chosen) - ROWS_PRINTED:,} more: --json lists every row.")
