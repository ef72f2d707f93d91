"""Files that were uploaded and never applied."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from hub.participants.models import ImportRun

KEPT_FOR = timedelta(days=7)
"""How long an uploaded file waits to be applied."""


def drop_old_files(session: Session, now: datetime) -> int:
    """Forget the content of files that nobody has applied for a week. Returns how many."""
    dropped = session.scalars(
        update(ImportRun)
        .where(ImportRun.created_at < now - KEPT_FOR, ImportRun.content.is_not(None))
        .values(content=None)
        .returning(ImportRun.id)
    )
    return len(dropped.all())
