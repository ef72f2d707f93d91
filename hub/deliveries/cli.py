"""`hub announce` and `hub reach`: sending and accounting from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select

from config.channels import CHANNELS
from config.settings import settings
from hub.announcements import service as announcements
from hub.cli_options import data_option
from hub.db import read_session, utc_now, write_session
from hub.deliveries import service
from hub.deliveries.budgets import amount, set_budget
from hub.deliveries.checking import Check
from hub.deliveries.queries import reach as reach_account
from hub.deliveries.queries import reach_by_channel, reasons
from hub.deliveries.rules import Reach
from hub.deliveries.scheduling import refuse_past, schedule
from hub.deliveries.service import HasProblems
from hub.deliveries.wording import NEXT_STEPS, PLACES, REASONS
from hub.errors import NotFound
from hub.participants.models import Group, Topic
from hub.participants.service import ensure_topics
from hub.web.wording import moment

ANNOUNCE_EXAMPLE = """
\b
Example: see who would get it, then send it
  python3 -m hub announce --title "Hall closed" --body "Dear ((name)), no lunch club on Monday." --to everyone
  python3 -m hub announce --title "Hall closed" --body "Dear ((name)), no lunch club on Monday." --to everyone --send
\b
Or have it leave by itself, and stop before its texts cost more than 25
  python3 -m hub announce --title "Hall closed" --body "…" --to everyone --budget 25 --at "2026-12-01 09:00"
"""


@click.command(epilog=ANNOUNCE_EXAMPLE)
@click.option("--title", required=True, help="What it is about, in a few words. Also the subject of the email.")
@click.option("--body", required=True, help="What it says. Markdown; ((name)) is replaced by each person's name.")
@click.option("--to", "audience", required=True, multiple=True, help="“everyone” or the name of a group. Repeatable.")
@click.option("--topic", default="General", show_default=True, help="What it is about, for people's choices by topic.")
@click.option("--urgent", is_flag=True, help="Goes before everything else, and is not held for quiet hours.")
@click.option("--budget", metavar="AMOUNT", default="", help="Stop before the texts cost more than this.")
@click.option("--send", "sending", is_flag=True, help="Send it. Without this, it is written and checked only.")
@click.option(
    "--at",
    "at",
    metavar="TIME",
    type=click.DateTime(["%Y-%m-%d %H:%M"]),
    help="Send it then, as “2026-12-01 09:00” in the group's time zone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@data_option
def announce(
    title: str,
    body: str,
    audience: tuple[str, ...],
    topic: str,
    urgent: bool,
    budget: str,
    sending: bool,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Write an announcement, check it, and with --send or --at, send it."""
    now = utc_now()
    starts_at = at.replace(tzinfo=ZoneInfo(settings().time_zone)).astimezone(UTC) if at else None
    refuse_past(starts_at, now)
    with write_session() as session:
        ensure_topics(session)
        topic_id = session.scalar(select(Topic.id).where(Topic.name == topic))
        if topic_id is None:
            known = ", ".join(session.scalars(select(Topic.name).order_by(Topic.name))) or "none yet"
            raise NotFound(f"There is no topic “{topic}”. The topics are: {known}.")
        announcement_id = announcements.write(
            session,
            title=title,
            body=body,
            topic_id=topic_id,
            urgent=urgent,
            everyone="everyone" in audience,
            group_ids=[_group(session, name) for name in audience if name != "everyone"],
            by=None,
            now=now,
        )
        set_budget(session, announcement_id, amount(budget))
        found = service.check(session, announcement_id, now)
    leaving = (sending or starts_at is not None) and not found.problems
    if leaving:
        with write_session() as session:
            if starts_at is None:
                service.launch(session, announcement_id, by=None, now=utc_now())
            else:
                schedule(session, announcement_id, starts_at, by=None, now=utc_now())
    _print_check(announcement_id, found, leaving=leaving, starts_at=starts_at, as_json=as_json)
    if found.problems:
        raise HasProblems(" ".join(found.problems))


def _group(session: Any, name: str) -> int:
    group_id = session.scalar(select(Group.id).where(Group.name == name))
    if group_id is None:
        known = ", ".join(session.scalars(select(Group.name).order_by(Group.name))) or "none yet"
        raise NotFound(f"There is no group “{name}”. The groups are: {known}.")
    return int(group_id)


def _print_check(
    announcement_id: int, found: Check, *, leaving: bool, starts_at: datetime | None, as_json: bool
) -> None:
    if as_json:
        answer = {
            "announcement": announcement_id,
            "sent": leaving and starts_at is None,
            "starts_at": starts_at.isoformat() if leaving and starts_at else None,
            "audience": found.audience,
            "by_channel": dict(found.by_channel),
            "skipped": [{"place": s.place, "why": s.why, "people": s.people} for s in found.skipped],
            "missing_formats": {str(name): people for name, people in found.missing_formats},
            "missing_languages": dict(found.missing_languages),
            "text_parts": found.text_parts,
            "text_cost": str(found.text_cost),
            "problems": found.problems,
            "warnings": found.warnings,
        }
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"Announcement {announcement_id}: {found.audience:,} people")
    for name, people in found.by_channel:
        click.echo(f"  {people:>8,}  {CHANNELS[name].noun}")
    for skipped in found.skipped:
        click.echo(f"  {skipped.people:>8,}  {PLACES[skipped.place].lower()}: {REASONS[skipped.why]}")
    for line in found.warnings:
        click.echo(f"  ! {line}")
    if not leaving:
        click.echo(f"Not sent. Look at it on the web, or add --send. ({announcement_id})")
    else:
        click.echo(f"It leaves on {moment(starts_at)}." if starts_at else "It is on its way.")


REACH_EXAMPLE = """
\b
Example:
  python3 -m hub reach 12
"""


@click.command(epilog=REACH_EXAMPLE)
@click.argument("announcement_id", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@data_option
def reach(announcement_id: int, as_json: bool) -> None:
    """Account for everyone an announcement was meant for."""
    with read_session() as session:
        account = reach_account(session, announcement_id)
        channels = reach_by_channel(session, announcement_id)
        why = reasons(session, announcement_id)
    if as_json:
        click.echo(json.dumps(account_as_json(announcement_id, account, channels)))
        return
    click.echo(f"Announcement {announcement_id}: {account.audience:,} people")
    for place, people in account.places.items():
        click.echo(f"  {people:>8,}  {PLACES[place]}")
    for row in channels:
        click.echo(
            f"  {CHANNELS[row.channel].label}: {row.planned:,} planned, {row.sent:,} sent, "
            f"{row.delivered:,} delivered, {row.failed:,} failed"
        )
    for reason in (r for r in why if r.place is Reach.NOT_REACHED):
        click.echo(f"  {reason.people:,} not reached: {REASONS[reason.why]}. {NEXT_STEPS.get(reason.why, '')}".rstrip())


def account_as_json(announcement_id: int, account: Any, channels: Any) -> dict[str, object]:
    """The account as `hub reach --json` and `hub demo --json` print it."""
    return {
        "announcement": announcement_id,
        "audience": account.audience,
        "reach": {place.value: people for place, people in account.places.items()},
        "by_channel": {
            row.channel: {
                "planned": row.planned,
                "sent": row.sent,
                "delivered": row.delivered,
                "failed": row.failed,
            }
            for row in channels
        },
        "closed": account.closed,
    }
