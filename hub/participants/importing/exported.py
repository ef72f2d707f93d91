"""What an export of ours says beyond other files, written and read: the order of contact, states, guarded cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from config.channels import CHANNELS, AddressKind
from hub.participants.importing.records import Key, Point, Record
from hub.participants.models import ContactPointKind, ContactPointState

BETWEEN = " | "
KEPT = "not agreed"
"""In front of a contact point that is kept, and that the person has not agreed to."""

_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_ENTRY = re.compile(rf"(\d+\.|{KEPT}:) ([a-z]+) (.+)")
_STATE = re.compile(r"([a-z]+) (.+): (opted out|bad)(?: \((.*)\))?", re.DOTALL)
_STATES = {"opted out": ContactPointState.OPTED_OUT, "bad": ContactPointState.BAD}


def with_guard(text: str) -> str:
    """A cell that no spreadsheet program runs as a formula (OWASP: CSV injection); :func:`without_guard` undoes it."""
    return f"'{text}" if _RUNS.match(text) else text


def without_guard(text: str) -> str:
    """A cell as it was before :func:`with_guard`."""
    return text[1:] if _GUARDED.match(text) else text


def write_order(points: Iterable[tuple[Key, int | None]]) -> str:
    """The contact points and their ranks, ranked ones first, as one cell."""
    return BETWEEN.join(
        f"{f'{rank}.' if rank is not None else f'{KEPT}:'} {channel} {_one_line(address)}"
        for (channel, address), rank in points
    )


def write_states(points: Iterable[tuple[Key, ContactPointState, str]]) -> str:
    """The contact points that must not be used, and why, as one cell."""
    words = {state: word for word, state in _STATES.items()}
    return BETWEEN.join(
        f"{channel} {_one_line(address)}: {words[state]} ({_one_line(reason)})"
        for (channel, address), state, reason in points
        if state in words
    )


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def read_order(record: Record, text: str) -> list[str]:
    """Read what :func:`write_order` wrote; gives the parts that it did not."""
    ranked: list[Key] = []
    problems = []
    listed: dict[Key, Point] = {}
    for part in text.split(BETWEEN.strip()):
        entry = _ENTRY.fullmatch(part.strip())
        if entry is None or entry[2] not in CHANNELS:
            problems.append(part.strip())
            continue
        key = (entry[2], entry[3])
        listed[key] = record.points.get(key) or _unknown(key)
        if entry[1] != f"{KEPT}:":
            ranked.append(key)
    record.order = tuple(ranked)
    addresses = {address for _, address in listed}
    # A number of ours stands in one column and says by the order alone which channels it has; another number is new.
    new = {key: point for key, point in record.points.items() if not _is_known(point, addresses)}
    record.points = {**listed, **new}
    record.look.extend(
        f"{point.address} is not in the order of contact, so it is kept and not used." for point in new.values()
    )
    return problems


def read_states(record: Record, text: str) -> list[str]:
    """Read what :func:`write_states` wrote; gives the parts that it did not."""
    problems = []
    for part in text.split(BETWEEN.strip()):
        found = _STATE.fullmatch(part.strip())
        if found is None or found[1] not in CHANNELS:
            problems.append(part.strip())
            continue
        key = (found[1], found[2])
        point = record.points.get(key) or _unknown(key)
        record.points[key] = replace(point, state=_STATES[found[3]], reason=found[4] or "")
    return problems


def settle(record: Record) -> None:
    """Once the whole row is read: what is wrong with our own bad addresses was said when they came here first."""
    if record.order is not None:
        known = {point.address for point in record.points.values() if point.state is ContactPointState.BAD}
        record.look = [
            line for line in record.look if not any(f"“{address}” can’t be used" in line for address in known)
        ]


def _is_known(point: Point, addresses: set[str]) -> bool:
    if point.address in addresses:
        return True
    return point.state is ContactPointState.BAD and any(_one_line(point.address) in one for one in addresses)


def _unknown(key: Key) -> Point:
    """A contact point that only the order names: its channel says what it is."""
    kind = CHANNELS[key[0]].address
    types = {AddressKind.EMAIL: ContactPointKind.MAILBOX, AddressKind.ACCOUNT: ContactPointKind.ACCOUNT}
    return Point(*key, types.get(kind, ContactPointKind.PHONE))
