"""Channels that send nothing until somebody has changed a setting."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hub.deliveries.models import ChannelStop


def stop_channel(session: Session, channel: str, code: str, reason: str, now: datetime) -> None:
    """Send nothing more on a channel until somebody has looked at its settings. Several workers may say so at once."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    told = {"code": code[:40], "reason": reason[:300], "stopped_at": now}
    session.execute(
        dialect.insert(ChannelStop)
        .values(channel=channel, **told)
        .on_conflict_do_update(index_elements=["channel"], set_=told)
    )


def resume_channel(session: Session, channel: str) -> None:
    """Try a stopped channel again."""
    session.execute(delete(ChannelStop).where(ChannelStop.channel == channel))
