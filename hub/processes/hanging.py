"""Where an announcement that does not get any further hangs, for whoever waits for it."""

from __future__ import annotations

from sqlalchemy import func, select

from config.channels import CHANNELS
from hub.db import read_session
from hub.deliveries.models import Batch, BatchState, Receipt
from hub.deliveries.queries import reasons, stopped_channels
from hub.deliveries.rules import Reach
from hub.deliveries.wording import STATES
from hub.processes.supervisor import Supervisor


def what_hangs(announcement_id: int, supervisor: Supervisor) -> str:
    """What is still on its way, on which channel, and what stands in its way; one sentence each."""
    with read_session() as session:
        found = [
            f"{reason.people:,} on {CHANNELS[reason.channel].label if reason.channel else 'no channel'}: "
            f"{STATES[reason.state].lower()}."
            for reason in reasons(session, announcement_id)
            if reason.place is Reach.ON_ITS_WAY
        ]
        found += [f"{CHANNELS[stop.channel].label} is stopped: {stop.reason}" for stop in stopped_channels(session)]
        batches = session.scalar(select(func.count()).select_from(Batch).where(Batch.state != BatchState.DONE))
        receipts = session.scalar(select(func.count()).select_from(Receipt).where(Receipt.applied_at.is_(None)))
    if batches:
        found.append(f"{batches:,} batches wait for a worker.")
    if receipts:
        found.append(f"{receipts:,} reports from providers wait for the clock.")
    for member in supervisor.members.values():
        if member.endings:
            said = member.last_lines[-1] if member.last_lines else "nothing"
            found.append(f"The process “{member.name}” ended {member.endings} times and said last: {said}")
    return " ".join(found)
