"""`hub call-list`: call lists from the command line."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.orm import Session

from hub.calls import pdf, queries, service
from hub.cli_options import data_option
from hub.db import read_session, utc_now, write_session
from hub.errors import HubError, NotFound

PRINT_EXAMPLE = """
\b
Example:
  python3 -m hub call-list print K7QM --out calls.pdf
"""


@click.group("call-list")
def call_list() -> None:
    """Print a call list."""


@call_list.command("print", epilog=PRINT_EXAMPLE)
@click.argument("name", metavar="ID")
@click.option(
    "--out", required=True, metavar="FILE.pdf", type=click.Path(dir_okay=False, path_type=Path), help="Where to put it."
)
@data_option
def print_list(name: str, out: Path) -> None:
    """Write a call list, by its number or its code, to a PDF for printing. Each print is noted."""
    now = utc_now()
    with read_session() as session:
        sheet = queries.sheet(session, _id(session, name))
    document = pdf.render(sheet, now)
    try:
        out.write_bytes(document)
    except OSError as error:
        raise HubError(f"“{out}” can’t be written: {error.strerror or error}.") from error
    with write_session() as session:
        service.note_print(session, sheet.call_list.id, len(sheet.rows), by=None, now=now)
    click.echo(f"{len(sheet.rows)} to ring, in {out}.")


def _id(session: Session, name: str) -> int:
    by_code = queries.id_of(session, name)
    if by_code is not None:
        return by_code
    if name.isascii() and name.isdigit() and len(name) < 10:
        return int(name)
    raise NotFound(f"There is no call list “{name}”. The page “Call lists” shows their codes.")
