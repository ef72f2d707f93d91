"""What the demo fills an empty hub with: people, accounts, and one announcement. All of it only once."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import participants
from hub.accounts.models import RoleName
from hub.accounts.service import create_account, find_account
from hub.announcements import service as announcements
from hub.announcements.models import Announcement, AnnouncementState
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service as deliveries
from hub.errors import HubError
from hub.participants.groups import ensure_topics
from hub.participants.importing.runs import import_file
from hub.participants.models import Participant
from hub.processes.demo_folder import DemoFolder
from hub.processes.demo_people import make_people
from hub.processes.demo_report import Terminal

ACCOUNTS = {
    "admin@everyway.example": (RoleName.ADMIN, "Ade Martins"),
    "organiser@everyway.example": (RoleName.ORGANISER, "Olwen Hughes"),
    "volunteer@everyway.example": (RoleName.VOLUNTEER, "Viktor Nowak"),
}
"""Who can sign in to the demo."""

CONTACTS = Path(participants.__file__).parent / "demo" / "riverside-contacts.csv"

TOPIC = "Meetings"
TITLE = "Spring meeting"
BODY = """\
Dear ((name)),

our spring meeting is on **Thursday 18 March**, from 2 to 4 in the afternoon, at Riverside Hall. There will be tea and
cake. The hall has a ramp and a hearing loop.

Do you need a lift, or anything else to take part? Answer this message, or ring us on 01632 960100.
"""


class CannotAnnounce(HubError):
    """400: the dry run found a problem."""


def count_people(session: Session) -> int:
    """How many people everyone is."""
    found = session.scalar(select(func.count()).select_from(Participant).where(Participant.archived_at.is_(None)))
    return found or 0


def put_people_in(terminal: Terminal, wanted: int | None) -> None:
    """Import the demo's contact file, or make up as many people as wanted; leaves those alone who are there."""
    with read_session() as session:
        there = count_people(session)
    if there:
        more = f" Name a new folder with --data to have {wanted:,}." if wanted not in {None, there} else ""
        terminal.say(f"{there:,} people are here from an earlier start.{more}")
    elif wanted:
        _make_up(terminal, wanted)
    else:
        _import_contacts(terminal)


def _make_up(terminal: Terminal, wanted: int) -> None:
    with write_session() as session:
        for made in make_people(session, wanted, utc_now()):
            terminal.progress(f"  {made:,} of {wanted:,} people made up", last=made == wanted)


def _import_contacts(terminal: Terminal) -> None:
    terminal.say(f"Importing {CONTACTS.name} …")
    with write_session() as session:
        report = import_file(session, CONTACTS.name, CONTACTS.read_bytes(), utc_now())
    look = report.counts.needs_a_look
    terminal.say(f"  {report.people_added:,} people imported. {look:,} rows need a look: see People, Import.")


def make_accounts(folder: DemoFolder) -> None:
    """Make the accounts that are not there yet, and remember their passwords."""
    for address, (role, name) in ACCOUNTS.items():
        with write_session() as session:
            if find_account(session, address):
                continue
            _, folder.passwords[address] = create_account(session, address, role, name=name, now=utc_now())
            folder.save()  # before the account is: one without a known password could not be used


def announce(terminal: Terminal) -> int:
    """Write, check and launch the announcement, each if that has not been done before; returns its id."""
    now = utc_now()
    with write_session() as session:
        announcement = session.scalar(select(Announcement).where(Announcement.title == TITLE).order_by(Announcement.id))
        if announcement is not None and announcement.state != AnnouncementState.DRAFT:
            return announcement.id
        announcement_id = announcement.id if announcement else _write(session)
        terminal.say(f"Checking “{TITLE}” …")
        found = deliveries.check(session, announcement_id, now)
        if found.problems:
            raise CannotAnnounce(" ".join(found.problems))
    with write_session() as session:
        deliveries.launch(session, announcement_id, by=None, now=utc_now())
    terminal.say(f"“{TITLE}” is on its way to {found.audience:,} people.")
    return announcement_id


def _write(session: Session) -> int:
    topic = next(topic for topic in ensure_topics(session) if topic.name == TOPIC)
    organiser = find_account(session, next(each for each, (role, _) in ACCOUNTS.items() if role is RoleName.ORGANISER))
    return announcements.write(
        session,
        title=TITLE,
        body=BODY,
        topic_id=topic.id,
        urgent=False,
        everyone=True,
        group_ids=[],
        by=organiser.id if organiser else None,
        now=utc_now(),
    )
