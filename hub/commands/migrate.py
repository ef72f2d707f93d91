"""`hub migrate`: the database's tables, as this version needs them."""

from __future__ import annotations

import click

from config.settings import settings
from hub.cli_options import data_option
from hub.db import engine
from hub.migrate import migrate, pending, write_migration

EXAMPLE = """
\b
Examples:
  python3 -m hub migrate
  DATABASE_URL=postgresql://everyway@localhost/everyway python3 -m hub migrate
  python3 -m hub migrate --write "Remember who called"
"""


@click.command("migrate", epilog=EXAMPLE)
@click.option("--write", metavar="WHAT", help="For developers: write the next step, from what the models say.")
@data_option
def migrate_command(write: str | None) -> None:
    """Bring the database up to what this version expects.

    Safe to run at any time: what has been done before is not done again, and where a step fails, nothing is changed.
    """
    if write:
        click.echo(f"Written, to be read and corrected: {write_migration(write)}")
        return
    if not settings().database_url:
        settings().data_dir.mkdir(parents=True, exist_ok=True)
    if pending(engine()):
        migrate(engine())
        click.echo("The database is ready.")
    else:
        click.echo("The database is up to date. Nothing was changed.")
