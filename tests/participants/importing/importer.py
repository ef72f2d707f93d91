"""Imports small files and looks at what came of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import hub.participants
from hub.participants import queries
from hub.participants.importing.report import ImportReport, RowReport
from hub.participants.importing.runs import import_file
from hub.participants.models import Participant
from hub.participants.profile import Person

DEMO = Path(hub.participants.__file__).parent / "demo" / "riverside-contacts.csv"


class Importer:
    """A hub that takes files, and people looked up by their names."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now

    def take(self, text: str, **options: object) -> ImportReport:
        self.session.flush()
        return import_file(self.session, "people.csv", text.encode(), self.now, **options)  # type: ignore[arg-type]

    def person(self, name: str) -> Person:
        self.session.expire_all()
        rows = [row for row in queries.people(self.session, now=self.now, search=name).items if row.full_name == name]
        assert len(rows) == 1, [row.full_name for row in rows]
        return queries.person(self.session, rows[0].id)

    def order(self, name: str) -> list[str]:
        return [f"{point.channel} {point.shown}" for point in self.person(name).points if point.rank is not None]

    def number(self) -> int:
        return self.session.scalar(select(func.count()).select_from(Participant)) or 0


def row(report: ImportReport, number: int) -> RowReport:
    return next(one for one in report.rows if one.row == number)
