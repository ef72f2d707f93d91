"""Options that every command shares."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from config.settings import settings


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data DIR``: where this installation's data is. In force before the command reads any setting."""
    return click.option(
        "--data",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        expose_value=False,
        is_eager=True,
        callback=_use_data_in,
        help="Where the database and the queue are kept, unless DATABASE_URL and REDIS_URL are set.  [default: var]",
    )(command)


def _use_data_in(_context: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        os.environ["DATA_DIR"] = str(folder.resolve())  # for this process and for those that it starts
        settings.cache_clear()
