"""Addresses that must not be used on a channel, whoever has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hub.participants.models import ContactPointState, Suppression

AT_ONCE = 400
"""Rows in one statement: SQLite takes 32,766 parameters."""


def suppress(
    session: Session,
    addresses: Iterable[tuple[str, str]],
    state: ContactPointState,
    reason: str,
    now: datetime,
) -> int:
    """Remember ``(channel, address)`` pairs; returns how many are new or were only bad before. An opt-out stays one."""
    pairs = list(dict.fromkeys(addresses))
    changed = 0
    for start in range(0, len(pairs), AT_ONCE):
        part = pairs[start : start + AT_ONCE]
        known = {pair: found[0] for pair, found in suppressed(session, part).items()}
        new = [pair for pair in part if known.get(pair) not in (ContactPointState.OPTED_OUT, state)]
        changed += len(new)
        if new:
            _write(session, new, state, reason, now)
    return changed


def suppressed(
    session: Session, addresses: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[ContactPointState, str]]:
    """Those of the ``(channel, address)`` pairs that are suppressed, with the state and the reason."""
    found: dict[tuple[str, str], tuple[ContactPointState, str]] = {}
    for start in range(0, len(addresses), AT_ONCE):
        wanted = tuple_(Suppression.channel, Suppression.address).in_(list(addresses[start : start + AT_ONCE]))
        rows = session.execute(
            select(Suppression.channel, Suppression.address, Suppression.state, Suppression.reason).where(wanted)
        )
        found.update({(row.channel, row.address): (row.state, row.reason) for row in rows})
    return found


def lift(session: Session, channel: str, address: str) -> None:
    """Forget that an address is suppressed; the person who has it has agreed again."""
    session.execute(delete(Suppression).where(Suppression.channel == channel, Suppression.address == address))


def _write(
    session: Session, pairs: Sequence[tuple[str, str]], state: ContactPointState, reason: str, now: datetime
) -> None:
    rows = [
        {"channel": channel, "address": address, "state": state, "reason": reason[:200], "created_at": now}
        for channel, address in pairs
    ]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(Suppression)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "address"],
            set_={"state": statement.excluded.state, "reason": statement.excluded.reason},
        ).values(rows)
    )
