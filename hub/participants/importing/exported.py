"""What an export of ours says beyond other files, written and read: order, states, topics, and guarded cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from config.channels import CHANNELS, AddressKind
from hub.participants.importing.addresses import Found, read_accounts, read_mailboxes, read_phones
from hub.participants.importing.records import Key, Point, Record
from hub.participants.models import ContactPointState

BETWEEN = " | "
KEPT = "not agreed"
"""In front of a contact point that is kept, and that the person has not agreed to."""
DECLINED = "nothing"

_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_ENTRY = re.compile(rf"(\d+\.|{KEPT}:) ([a-z]+) (.+?)(?: for “(.*)”)?")
_STATE = re.compile(r"([a-z]+) (.+): (opted out|bad)(?: \((.*)\))?")
_STATES = {"opted out": ContactPointState.OPTED_OUT, "bad": ContactPointState.BAD}
_TOPIC = re.compile(rf"(.+): ({DECLINED}|\d+\. .+)")
_STEP = re.compile(r"(?:^|, )\d+\. (?=[a-z]+ )")


def with_guard(text: str) -> str:
    """A cell that no spreadsheet program runs as a formula (OWASP: CSV injection); :func:`without_guard` undoes it."""
    return f"'{text}" if _RUNS.match(text) else text


def without_guard(text: str) -> str:
    """A cell as it was before :func:`with_guard`."""
    return text[1:] if _GUARDED.match(text) else text


def write_order(points: Iterable[tuple[Key, int | None, str]]) -> str:
    """The contact points with ranks and labels, ranked ones first, as one cell."""
    return BETWEEN.join(
        f"{f'{rank}.' if rank is not None else f'{KEPT}:'} {channel} {address}"
        + (f" for “{_one_line(label)}”" if label else "")
        for (channel, address), rank, label in points
    )


def write_states(points: Iterable[tuple[Key, ContactPointState, str]]) -> str:
    """The contact points that must not be used, and why, as one cell."""
    words = {state: word for word, state in _STATES.items()}
    return BETWEEN.join(
        f"{channel} {address}: {words[state]}" + (f" ({_one_line(reason)})" if reason else "")
        for (channel, address), state, reason in points
        if state in words
    )


def write_topics(topics: Mapping[str, Sequence[Key]]) -> str:
    """For each topic that somebody chose something for, the order, or that they want nothing, as one cell."""
    return BETWEEN.join(f"{_one_line(topic)}: {_steps(keys) or DECLINED}" for topic, keys in topics.items())


def _steps(keys: Sequence[Key]) -> str:
    return ", ".join(f"{rank}. {channel} {address}" for rank, (channel, address) in enumerate(keys, start=1))


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def read_order(record: Record, text: str) -> list[str]:
    """Read what :func:`write_order` wrote; gives the parts that it did not.

    A number stands in one column of the file, and the order alone says which channels it has. A number that the order
    does not name was typed into the file since: it is kept and not used.
    """
    ranked: list[Key] = []
    problems = []
    listed: dict[Key, Point] = {}
    for part in text.split(BETWEEN):
        entry = _ENTRY.fullmatch(part.strip())
        if entry is None or entry[2] not in CHANNELS:
            problems.append(part.strip())
            continue
        key = (entry[2], entry[3])
        listed[key] = replace(_point(key), label=(entry[4] or "")[:120])
        if entry[1] != f"{KEPT}:":
            ranked.append(key)
    record.order = tuple(ranked)
    addresses = {address for _, address in listed}
    new = {key: point for key, point in record.points.items() if not _is_known(point, addresses)}
    record.points = {**listed, **new}
    record.look = [line for line in record.look if not _is_about(line, record.points.keys() - new.keys())]
    record.look.extend(
        f"{point.address} is not in the order of contact, so it is kept and not used." for point in new.values()
    )
    return problems


def read_states(record: Record, text: str) -> list[str]:
    """Read what :func:`write_states` wrote; gives the parts that it did not."""
    problems = []
    for part in text.split(BETWEEN):
        found = _STATE.fullmatch(part.strip())
        if found is None or found[1] not in CHANNELS:
            problems.append(part.strip())
            continue
        key = (found[1], found[2])
        point = record.points.get(key) or _point(key)
        record.points[key] = replace(point, state=_STATES[found[3]], reason=(found[4] or "")[:200])
    return problems


def read_topics(record: Record, text: str) -> list[str]:
    """Read what :func:`write_topics` wrote; gives the parts that it did not."""
    problems = []
    for part in text.split(BETWEEN):
        found = _TOPIC.fullmatch(part.strip())
        if found is None:
            problems.append(part.strip())
        elif found[2] == DECLINED:
            record.topics[found[1]] = ()
        else:
            steps = (step.partition(" ") for step in _STEP.split(found[2]) if step)
            record.topics[found[1]] = tuple((channel, address) for channel, _, address in steps)
    return problems


def _is_known(point: Point, addresses: set[str]) -> bool:
    if point.address in addresses:
        return True
    return not point.readable and any(point.address in one for one in addresses)


def _is_about(line: str, keys: Iterable[Key]) -> bool:
    """Whether a line says that a cell can't be read which the order names: that was said when it came here first."""
    return "can’t be used" in line and any(f"“{address[:80]}" in line for _, address in keys)


def _point(key: Key) -> Point:
    """A contact point that the order names."""
    channel, address = key
    kind = CHANNELS[channel].address
    readers = {AddressKind.PHONE: read_phones, AddressKind.EMAIL: read_mailboxes, AddressKind.ACCOUNT: read_accounts}
    found = readers[kind](address)
    one = found[0] if len(found) == 1 and found[0].value == address else _unreadable(kind, address)
    state = ContactPointState.BAD if one.problem else ContactPointState.USABLE
    return Point(channel, address, one.type, "", state, one.problem[:200], not one.problem)


def _unreadable(kind: AddressKind, address: str) -> Found:
    return Found(kind, address, Found.type_of_unread(kind), "", "This address can’t be read.", address)
