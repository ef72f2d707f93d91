"""`hub migrate`: the database's tables, as this version needs them."""

from __future__ import annotations

import click

from config.settings import settings
from hub.cli_options import data_option
from hub.db import engine
from hub.migrate import migrate, pending

EXAMPLE = """
\b
Examples:
  python3 -m hub migrate
  DATABASE_URL=postgresql://everyway@localhost/everyway python3 -m hub migrate
"""


@click.command("migrate", epilog=EXAMPLE)
@data_option
def migrate_command() -> None:
    """Bring the database up to what this version expects.

    Safe to run at any time: what has been done before is not done again, and where a step fails, nothing is changed.
    """
    if not settings().database_url:
        settings().data_dir.mkdir(parents=True, exist_ok=True)
    if pending(engine()):
        migrate(engine())
        click.echo("The database is ready.")
    else:
        click.echo("The database is up to date. Nothing was changed.")
