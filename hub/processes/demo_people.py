"""Made-up people for the demo, any number of them, always the same ones for the same number.

Every address is reserved for stories and examples (see channels.addresses), and every mobile number, mailbox and
account is one person's own, so that a message that somebody gets twice can be told from a household's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from hub.participants.models import (
    ConsentEvent,
    ConsentKind,
    ConsentSource,
    ContactPoint,
    ContactPointKind,
    ContactPointState,
    Format,
    Group,
    Membership,
    NeededFormat,
    Participant,
)
from hub.participants.rules import search_text, sort_name

Item = TypeVar("Item")

_FIRST_NAMES = (
    "Aisha Alan Amina Andrzej Angela Anna Arthur Bashir Bethan Brian Carol Carys Chloe Colin Conor Danuta Dev "
    "Dilys Doreen Edward Elsie Emeka Eszter Fatima Frank Gareth George Grace Gwen Hamza Harriet Hazel Ifeoma Ivy "
    "Jacek Jade Jean Joan Joyce Kath Keith Khadija Leon Linda Lorna Malik Marek Maureen Megan Mei Mohammed Nadia "
    "Neil Nia Norma Olive Owen Pat Patience Peter Priya Ravi Reg Rhian Rita Ruth Sagal Sam Sean Shirley Sunita "
    "Tariq Tess Tom Trevor Uzma Vera Walter Wanda Winston Yasmin Yusuf Zofia "
)
FIRST_NAMES = _FIRST_NAMES.split()
_LAST_NAMES = (
    "Ahmed Akhtar Allen Atkins Bailey Begum Bennett Bevan Boyle Brown Burke Campbell Chowdhury Clarke Cooper Cox "
    "Davies Dawson Doyle Edwards Ellis Evans Farah Fielding Flynn Foster Fraser Gill Green Griffiths Hall Harris "
    "Hughes Hussain Ibrahim Jackson Jenkins Jones Kapoor Kaur Kelly Khan Kowalska Lewis Lloyd MacLeod Mahmood "
    "Martin Mensah Mistry Morgan Murphy Nowak Nwosu Okafor Oliver Owen Parry Patel Pearce Powell Price Quinn Reid "
    "Rhodes Roberts Rowe Scott Shah Singh Smith Stewart Sullivan Taylor Thomas Turner Walsh Ward Watkins Webb "
    "White Williams Wilson Wood Wright Young Zaman "
)
LAST_NAMES = _LAST_NAMES.split()
GROUPS = (
    "Riverside tenants",
    "Carers\u2019 network",
    "Patients\u2019 voice",
    "Learning disability board",
    "Lunch club",
)
LANGUAGES = (("en", 91), ("cy", 4), ("pl", 3), ("ur", 2))
FORMATS = (
    (None, 86),
    (Format.LARGE_PRINT, 6),
    (Format.EASY_READ, 5),
    (Format.AUDIO, 1),
    (Format.BRAILLE, 1),
    (Format.BSL, 1),
)
WAYS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("email",), 25),
    (("email", "text"), 15),
    (("email", "phone"), 6),
    (("text",), 20),
    (("text", "email"), 10),
    (("text", "phone"), 6),
    (("phone",), 9),
    (("phone", "text"), 4),
    (("social",), 2),
    ((), 3),
)
"""The channels that people chose, in their order, and how many in a hundred did."""

OPTED_OUT, BAD, PAUSED, NOT_AGREED = 0.02, 0.01, 0.01, 0.01
"""Shares: of those who asked us to stop, whose address is known to fail, who want a pause, and who never agreed."""

MOBILES = 100_000
LANDLINES = 10_000
IN_ONE_GO = 2_000
WORDING = "Made up for the demo."


@dataclass(slots=True)
class Rows:
    """What is written for some people, table by table."""

    participants: list[dict[str, Any]] = field(default_factory=list)
    contact_points: list[dict[str, Any]] = field(default_factory=list)
    formats: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    consent: list[dict[str, Any]] = field(default_factory=list)


def make_people(session: Session, count: int, now: datetime) -> Iterator[int]:
    """Write ``count`` people, and yield now and then how many there are."""
    groups = [Group(name=name) for name in GROUPS]
    session.add_all(groups)
    session.flush()
    group_ids = [group.id for group in groups]
    last_id = session.scalar(select(func.max(Participant.id))) or 0
    chance = random.Random(count)  # noqa: S311 - the same people every time; no secret
    numbers = iter(range(1, count + 1))
    made = 0
    while chunk := list(islice(numbers, IN_ONE_GO)):
        rows = Rows()
        for number in chunk:
            _add_person(rows, number, last_id + number, group_ids, chance, now)
        _write(session, rows)
        made += len(chunk)
        yield made


def _write(session: Session, rows: Rows) -> None:
    for model, values in (
        (Participant, rows.participants),
        (ContactPoint, rows.contact_points),
        (NeededFormat, rows.formats),
        (Membership, rows.memberships),
        (ConsentEvent, rows.consent),
    ):
        if values:
            session.execute(insert(model.__table__), values)  # type: ignore[arg-type]  # a Table, as declared


def _add_person(
    rows: Rows, number: int, participant_id: int, group_ids: list[int], chance: random.Random, now: datetime
) -> None:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    state, agreed, paused = _standing(chance)
    points = [(channel, *_address(channel, number)) for channel in _ways(chance, number)]
    rows.participants.append(
        {
            "id": participant_id,
            "first_name": first,
            "last_name": last,
            "sort_name": sort_name(first, last, ""),
            "search_text": search_text((first, last), (address for _, address, _ in points)),
            "language": _choice(chance, LANGUAGES),
            "paused_until": now + timedelta(days=60) if paused else None,
            "joined_on": (now - timedelta(days=chance.randrange(2000))).date(),
            "created_at": now,
            "updated_at": now,
        }
    )
    rows.contact_points.extend(
        {
            "participant_id": participant_id,
            "channel": channel,
            "address": address,
            "kind": kind,
            "rank": rank if agreed else None,
            "state": state,
            "state_reason": "" if state is ContactPointState.USABLE else WORDING,
            "state_at": None if state is ContactPointState.USABLE else now,
            "created_at": now,
        }
        for rank, (channel, address, kind) in enumerate(points, start=1)
    )
    if (needed := _choice(chance, FORMATS)) is not None:
        rows.formats.append({"participant_id": participant_id, "format": needed})
    rows.memberships.append({"group_id": chance.choice(group_ids), "participant_id": participant_id})
    withdrew = state is ContactPointState.OPTED_OUT
    if points and (agreed or withdrew):
        rows.consent.append(_consent(participant_id, ConsentKind.WITHDREW if withdrew else ConsentKind.AGREED, now))


def _consent(participant_id: int, kind: ConsentKind, now: datetime) -> dict[str, Any]:
    return {
        "participant_id": participant_id,
        "kind": kind,
        "source": ConsentSource.ORGANISER,
        "wording": WORDING,
        "happened_at": now,
        "recorded_at": now,
    }


def _standing(chance: random.Random) -> tuple[ContactPointState, bool, bool]:
    """The state of the person's contact points, whether they agreed to their use, and whether they want a pause."""
    lot = chance.random()
    if lot < OPTED_OUT:
        return ContactPointState.OPTED_OUT, True, False
    if lot < OPTED_OUT + BAD:
        return ContactPointState.BAD, True, False
    if lot < OPTED_OUT + BAD + PAUSED:
        return ContactPointState.USABLE, True, True
    return ContactPointState.USABLE, lot >= OPTED_OUT + BAD + PAUSED + NOT_AGREED, False


def _address(channel: str, number: int) -> tuple[str, ContactPointKind]:
    match channel:
        case "text":
            return f"+4477009{number:05d}", ContactPointKind.MOBILE
        case "phone":
            return f"+44163296{number % LANDLINES:04d}", ContactPointKind.LANDLINE
        case "social":
            return f"@person{number}@social.example", ContactPointKind.ACCOUNT
        case _:
            return f"person{number}@example.org", ContactPointKind.MAILBOX


def _ways(chance: random.Random, number: int) -> tuple[str, ...]:
    chosen = _choice(chance, WAYS)
    if number < MOBILES or "text" not in chosen:
        return chosen
    # There are no more mobile numbers for stories than that.
    return tuple(channel for channel in chosen if channel != "text") or ("email",)


def _choice(chance: random.Random, weighted: tuple[tuple[Item, int], ...]) -> Item:
    return chance.choices([item for item, _ in weighted], [weight for _, weight in weighted])[0]
