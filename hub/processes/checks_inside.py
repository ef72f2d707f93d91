"""The doctor's look at the installation itself: settings, database, queue, processes, disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from config.channels import CHANNELS
from config.settings import MINIMUM_SECRET, Settings, settings
from hub.cli_problems import in_plain_words
from hub.db import engine, read_session, utc_now
from hub.deliveries import scheduling
from hub.deliveries.backlog import backlog, unsettled
from hub.deliveries.queries import stopped_channels
from hub.migrate import pending
from hub.processes.findings import Finding, fine, note, problem
from hub.processes.queue_server import queue_server
from hub.processes.workforce import workforce

LITTLE_ROOM = 500 * 2**20
NO_ROOM = 50 * 2**20
SKEW_SECONDS = 30.0
LATE = timedelta(minutes=10)
START_ALL = "Run everything that the Procfile names: python3 -m hub start, or your system's services."


def check_settings() -> Iterator[Finding]:
    """Settings that can be read, and yet can't be meant."""
    chosen = settings()
    found = [*_unsafe(chosen), *_half_done(chosen)]
    yield from found
    if not found:
        yield fine("Settings", "Every setting can be used.")


def _unsafe(chosen: Settings) -> Iterator[Finding]:
    if chosen.sandbox:
        yield problem(
            "SANDBOX", "Fictional numbers and addresses are allowed.", "Take SANDBOX out, unless this is a try-out."
        )
    if chosen.database_url and not chosen.secret_key.get_secret_value():
        yield note(
            "SECRET_KEY",
            "It is not set, so each machine keeps one of its own under DATA_DIR.",
            f"On more than one machine, set the same one ({MINIMUM_SECRET} characters or more) everywhere.",
        )


def _half_done(chosen: Settings) -> Iterator[Finding]:
    if chosen.sendgrid_api_key.get_secret_value() and not chosen.sendgrid_webhook_public_key:
        yield problem(
            "SENDGRID_WEBHOOK_PUBLIC_KEY",
            "Without it, SendGrid's reports are refused: nobody counts as reached, and bounces are not noticed.",
            f"Switch the signed Event Webhook on at SendGrid, for {chosen.public_url}/webhooks/sendgrid/events, "
            "and set its verification key.",
        )
    if chosen.twilio_from and chosen.twilio_messaging_service_sid:
        yield note("TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID is set, too.", "Keep the one that you mean.")
    if chosen.email_from.rpartition("@")[2].lower() in {"gmail.com", "outlook.com", "hotmail.com", "yahoo.com"}:
        yield problem(
            "EMAIL_FROM",
            "Mailboxes refuse mail that says it comes from a free provider and is sent by another.",
            "Use an address at a domain of your own, authenticated at your email provider (docs/operations.md).",
        )


def check_database() -> Iterator[Finding]:
    """Whether the database is there, is of this version, and goes by the same clock."""
    try:
        behind = pending(engine())
        yield from _database_clock()
    except (SQLAlchemyError, OSError) as trouble:
        yield problem("Database", in_plain_words(trouble), "Put DATABASE_URL right, or see to the database server.")
        return
    if behind:
        yield problem("Database", "Its tables are not those of this version.", "Run: python3 -m hub migrate")
    else:
        name = "PostgreSQL" if engine().dialect.name == "postgresql" else "SQLite"
        yield fine("Database", f"{name} answers, and its tables are those of this version.")


def _database_clock() -> Iterator[Finding]:
    if engine().dialect.name != "postgresql":
        return
    with engine().connect() as connection:
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    yield from clock_finding("the database server", theirs)


def clock_finding(whose: str, theirs: datetime) -> Iterator[Finding]:
    """A problem where another machine's clock differs from this one's."""
    skew = (datetime.now(UTC) - theirs).total_seconds()
    if abs(skew) > SKEW_SECONDS:
        which = "ahead of" if skew > 0 else "behind"
        yield problem(
            "Clock",
            f"This machine's clock is {abs(skew):,.0f} s {which} that of {whose}.",
            "Let the time be set from the network: timedatectl set-ntp true",
        )


def check_queue() -> Iterator[Finding]:
    """Whether the queue server answers."""
    try:
        queue_server().ping()
    except (RedisError, OSError):
        if settings().redis_url:
            to_do = "Start Redis or Valkey, and see that REDIS_URL has its address and password."
        else:
            to_do = "It runs with the hub: python3 -m hub start. Or set REDIS_URL to a server of your own."
        yield problem("Queue", "The queue server does not answer.", to_do)
        return
    yield fine("Queue", "The queue server answers.")


def check_processes() -> Iterator[Finding]:
    """Whether somebody works on every channel, dispatches, and keeps the time."""
    server = queue_server()
    try:
        found = workforce(server)
    except (RedisError, OSError):
        return
    idle = [entry for entry in CHANNELS.values() if not found.workers[entry.name]]
    for entry in idle:
        yield problem(f"Worker: {entry.label}", f"Nobody works on the queue “{entry.queue}”.", START_ALL)
    for name, number in (("dispatcher", found.dispatchers), ("clock", found.clocks)):
        if not number:
            yield problem(name.capitalize(), f"No {name} has been seen for a while.", START_ALL)
    if found.is_complete:
        counts = ", ".join(f"{number} for {name}" for name, number in found.workers.items())
        yield fine("Processes", f"The dispatcher, the clock and workers ({counts}) are running.")


def check_stopped_channels() -> Iterator[Finding]:
    """Channels that have stopped themselves until somebody changes a setting."""
    try:
        with read_session() as session:
            stops = stopped_channels(session)
    except (SQLAlchemyError, OSError):
        return
    for stop in stops:
        yield problem(
            CHANNELS[stop.channel].label if stop.channel in CHANNELS else stop.channel,
            f"Stopped since {stop.stopped_at:%-d %B, %H:%M} UTC: {stop.reason}",
            "Put it right. Then start the channel again on the home page; nothing that waits is lost.",
        )


def check_sending() -> Iterator[Finding]:
    """Whether what can leave does leave, what comes back is read, and nobody waits for a decision."""
    try:
        now = utc_now()
        with read_session() as session:
            stopped = {stop.channel for stop in stopped_channels(session)}
            late = [each for each in backlog(session, now) if each.oldest and now - each.oldest > LATE and each.due]
            open_ones, kept_back = unsettled(session), len(scheduling.kept_back(session))
    except (SQLAlchemyError, OSError):
        return
    for each in late:
        if each.channel not in stopped:
            text = f"{each.due:,} batches wait, the oldest since {each.oldest:%-d %B, %H:%M} UTC."
            yield note(CHANNELS[each.channel].label, text, "See that workers run, and what their log says.")
    if open_ones.oldest_report and now - open_ones.oldest_report > LATE:
        text = f"{open_ones.reports:,} reports of providers have not been read for {LATE.seconds // 60} minutes."
        yield problem("Reports", text, "See that the clock runs, and what its log says.")
    if open_ones.for_a_person:
        text = f"Nobody knows of {open_ones.for_a_person:,} messages whether they were sent."
        yield note("Uncertain", text, "An organiser decides on the home page whether they are sent again.")
    if kept_back:
        text = f"{kept_back} announcements did not leave at their time: something stood in the way."
        yield note("Late", text, "The home page says what.")


def check_disk() -> Iterator[Finding]:
    """Room on the disk of the data folder."""
    folder = settings().data_dir.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    room = f"{free / 2**30:,.1f} GB are free on the disk of {folder}."
    if free < NO_ROOM:
        yield problem("Disk", room, "Free some space: without it, nothing can be written.")
    elif free < LITTLE_ROOM:
        yield note("Disk", room, "Free some space before the next large announcement.")
    else:
        yield fine("Disk", room)
