"""The verdict on a chaos run: what the database says, beside what the providers' stand-in accepted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from channels.sandbox.store import FILE
from hub.announcements.models import Announcement
from hub.deliveries.models import Delivery, Receipt, UncertainDelivery
from hub.deliveries.queries import reach
from hub.deliveries.rules import DeliveryState as S

if TYPE_CHECKING:
    from tests.chaos.run import Record

ARRIVED = {"delivered", "sent", "open", "click", "spamreport"}
"""Outcomes of messages that people got."""
ANSWERED_LATELY_SECONDS = 0.2
OPT_OUT_SECONDS = 2.0
"""What is with the provider already when somebody opts out may still arrive."""
PAUSE_SECONDS = 2.0
WINDOW = 256
"""Texts that a worker may have started and not handed over yet, when it is killed: a fifth of a second's."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that a provider took."""

    delivery_id: int
    channel: str
    address: str
    at: float
    outcome: str


@dataclass
class Verdict:
    """What was found. A run passes where ``wrong`` is empty."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, int | float] = field(default_factory=dict)


def still_open(session: Session) -> int:
    """How many deliveries are still expected to change by themselves, and reports to be read."""
    for_a_person = exists().where(UncertainDelivery.delivery_id == Delivery.id, UncertainDelivery.for_a_person)
    moving = select(func.count()).where(
        Delivery.live,
        Delivery.state.in_([S.PLANNED, S.FAILED, S.UNCERTAIN]),
        Delivery.channel != "phone",
        ~for_a_person,
    )
    unread = select(func.count()).select_from(Receipt).where(Receipt.applied_at.is_(None))
    unplanned = select(func.count()).select_from(Announcement).where(Announcement.planned_at.is_(None))
    return sum(session.scalar(each) or 0 for each in (moving, unread, unplanned))


def judge(session: Session, sandbox_data: Path, record: Record) -> Verdict:
    """Everything that has to hold after a run."""
    accepted = list(_accepted(sandbox_data))
    verdict = Verdict(figures={"messages accepted": len(accepted), "kills": record.kills})
    if record.settled_after is None:
        verdict.wrong.append(f"{still_open(session)} deliveries or reports have not settled")
    else:
        verdict.figures["seconds to settle"] = round(record.settled_after, 1)
    for find in (_accounts, _twice, _not_sent, _not_settled, _after_opting_out, _while_paused, _uncertain):
        find(session, accepted, record, verdict)
    return verdict


def _accepted(data: Path) -> Iterator[Accepted]:
    with sqlite3.connect(f"file:{data / FILE}?mode=ro", uri=True) as db:
        rows = db.execute(
            "SELECT delivery_key, m.channel, address, at, outcome FROM messages m JOIN boxes b ON b.id = box_id"
            " WHERE direction = 'out' ORDER BY at"
        )
        for key, *rest in rows:
            yield Accepted(int(key.removeprefix("d")), *rest)


def _accounts(session: Session, _accepted: list[Accepted], _record: Record, verdict: Verdict) -> None:
    """Every person has exactly one live delivery, and the accounts say so."""
    people = {}
    for announcement_id, live, persons in session.execute(
        select(Delivery.announcement_id, func.count(), func.count(Delivery.participant_id.distinct()))
        .where(Delivery.live)
        .group_by(Delivery.announcement_id)
    ):
        people[announcement_id] = live
        if live != persons:
            verdict.wrong.append(f"announcement {announcement_id}: {persons} people have {live} live deliveries")
    for announcement_id in session.scalars(select(Announcement.id)):
        account = reach(session, announcement_id)
        if not account.adds_up or account.audience != people.get(announcement_id, 0):
            verdict.wrong.append(f"announcement {announcement_id}: the account does not add up: {account}")
    everyone = select(func.count()).select_from(text("participants"))
    whole = session.scalar(everyone)
    for announcement_id in session.scalars(select(Announcement.id).where(Announcement.everyone)):
        if people.get(announcement_id) != whole:
            verdict.wrong.append(f"announcement {announcement_id}: {people.get(announcement_id)} of {whole} people")
    verdict.figures["announcements"] = len(people)
    verdict.figures["people in them"] = sum(people.values())


def _twice(session: Session, accepted: list[Accepted], _record: Record, verdict: Verdict) -> None:
    """No person got an announcement twice."""
    whose = {
        key: (announcement, person)
        for key, announcement, person in session.execute(
            select(Delivery.id, Delivery.announcement_id, Delivery.participant_id)
        )
    }
    unknown = [each for each in accepted if each.delivery_id not in whose]
    if unknown:
        verdict.wrong.append(f"{len(unknown)} messages belong to no delivery")
    got = Counter(whose[each.delivery_id] for each in accepted if each.outcome in ARRIVED and each not in unknown)
    twice = [key for key, times in got.items() if times > 1]
    if twice:
        verdict.wrong.append(f"{len(twice)} people got a message twice, first (announcement, person) {twice[:5]}")
    verdict.figures["people told"] = len(got)


def _not_sent(session: Session, accepted: list[Accepted], _record: Record, verdict: Verdict) -> None:
    """Nobody counts as told who was not, and nobody who was counts as never written to."""
    taken = {each.delivery_id for each in accepted}
    arrived = {each.delivery_id for each in accepted if each.outcome in ARRIVED}
    told = _live_in(session, S.SENT, S.DELIVERED, S.CONFIRMED) - taken
    untold = _live_in(session, S.DECLINED, S.CANCELLED, S.EXPIRED, S.UNREACHABLE) & arrived
    if told:
        verdict.wrong.append(f"{len(told)} count as told and no provider has a message, first {min(told)}")
    if untold:
        verdict.wrong.append(f"{len(untold)} got a message and count as not told, first {min(untold)}")
    waiting = select(func.count()).where(Delivery.live, Delivery.state == S.SENT, Delivery.channel != "email")
    verdict.figures["without a report"] = session.scalar(waiting) or 0


def _live_in(session: Session, *states: S) -> set[int]:
    return set(session.scalars(select(Delivery.id).where(Delivery.live, Delivery.state.in_(states))))


def _not_settled(session: Session, _accepted: list[Accepted], _record: Record, verdict: Verdict) -> None:
    """Only emails may wait for a person's decision: Twilio can be asked."""
    left = session.execute(
        select(Delivery.channel, func.count())
        .where(Delivery.live, Delivery.state == S.UNCERTAIN)
        .group_by(Delivery.channel)
    )
    counts: dict[str, int] = dict(left.all())  # type: ignore[arg-type] - a row is a pair
    verdict.figures["left for an organiser"] = counts.pop("email", 0)
    if counts:
        verdict.wrong.append(f"uncertain for ever: {counts}")


def _after_opting_out(_session: Session, accepted: list[Accepted], record: Record, verdict: Verdict) -> None:
    late = [
        each
        for each in accepted
        if each.at > record.opt_outs.get((each.channel, each.address), float("inf")) + OPT_OUT_SECONDS
    ]
    if late:
        verdict.wrong.append(f"{len(late)} messages after opting out, first delivery {late[0].delivery_id}")


def _while_paused(session: Session, accepted: list[Accepted], record: Record, verdict: Verdict) -> None:
    for announcement_id, since, until in record.pauses:
        its = set(session.scalars(select(Delivery.id).where(Delivery.announcement_id == announcement_id)))
        sent = [x for x in accepted if x.delivery_id in its and since + PAUSE_SECONDS < x.at < until]
        if sent:
            verdict.wrong.append(f"{len(sent)} messages of announcement {announcement_id} while it was paused")


def _uncertain(session: Session, accepted: list[Accepted], record: Record, verdict: Verdict) -> None:
    """While providers were well, only what was with one at a kill, or answered just before, became uncertain."""
    ever = session.execute(
        text(
            "SELECT delivery_id, extract(epoch FROM at), channel"
            " FROM ever_uncertain JOIN deliveries ON id = delivery_id"
        )
    ).all()
    verdict.figures["ever uncertain"] = len(ever)
    accepted_at = {each.delivery_id: each.at for each in accepted}
    in_calm = [key for key, at, channel in ever if at < record.calm_until and channel == "text"]
    early = [
        key
        for key in in_calm
        if key in accepted_at
        and not any(accepted_at[key] > kill - ANSWERED_LATELY_SECONDS for kill in record.sender_kills)
    ]
    never = [key for key in in_calm if key not in accepted_at]
    kills = sum(kill < record.calm_until for kill in record.sender_kills)
    verdict.figures |= {"uncertain texts while providers were well": len(in_calm), "of them never taken": len(never)}
    if early:
        verdict.wrong.append(f"{len(early)} had been answered long before any kill and became uncertain")
    if len(never) > WINDOW * kills:
        verdict.wrong.append(f"{len(never)} became uncertain at {kills} kills without having left")
