"""Leases of batches: kept while their worker lives, and taken back once it has died."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.deliveries.models import Batch, BatchState, Delivery
from hub.deliveries.recording import note_uncertain
from hub.deliveries.rules import DeliveryState
from hub.deliveries.sending import LeasedBatch, covered_by, lease_time


def keep_leases(session: Session, batches: Sequence[LeasedBatch], now: datetime) -> None:
    """Hold batches for longer: their worker is waiting for answers. A lease that was lost stays lost."""
    session.execute(
        update(Batch)
        .where(Batch.id.in_([batch.id for batch in batches]), Batch.lease.in_([batch.lease for batch in batches]))
        .values(held_until=now + lease_time())
        .execution_options(synchronize_session=False)
    )


def sweep_lost_leases(session: Session, now: datetime) -> int:
    """Give back batches whose worker has died; what it may have been sending becomes uncertain. Returns how many."""
    lost = session.scalars(
        select(Batch)
        .where(Batch.state == BatchState.LEASED, Batch.held_until < now)
        .with_for_update(skip_locked=True)
        .limit(100)
    ).all()
    for batch in lost:
        if CHANNELS[batch.channel].repeatable:
            batch.started_through = 0
        else:
            _started_are_uncertain(session, batch, now)
        batch.state, batch.lease, batch.held_until = BatchState.WAITING, None, None
        batch.failures += 1
    return len(lost)


def _started_are_uncertain(session: Session, batch: Batch, now: datetime) -> None:
    started = session.scalars(
        update(Delivery)
        .where(covered_by(batch), Delivery.id <= batch.started_through, Delivery.state == DeliveryState.PLANNED)
        .values(state=DeliveryState.UNCERTAIN, state_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    note_uncertain(session, started, now)
