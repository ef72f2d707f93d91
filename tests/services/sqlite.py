"""A fresh migrated SQLite file for each test, copied from a template that is migrated once."""

from __future__ import annotations

import shutil
from pathlib import Path

from hub.db import make_engine
from hub.migrate import migrate
from tests.services.lifeline import only_one


def copy_template(run_folder: Path, target: Path) -> None:
    """Put a migrated, empty database at ``target``."""
    template = run_folder / "template.sqlite3"
    with only_one(run_folder, "sqlite"):
        if not template.exists():
            unfinished = run_folder / "unfinished.sqlite3"
            engine = make_engine(f"sqlite:///{unfinished}")
            migrate(engine)
            engine.dispose()
            unfinished.rename(template)
    shutil.copyfile(template, target)
