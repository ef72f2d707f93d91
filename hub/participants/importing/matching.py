"""Who a row is about: somebody in the hub, somebody further up in the file, or somebody new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from hub.participants.importing.records import Record, merge
from hub.participants.models import ContactPoint, Participant
from hub.participants.rules import plain_letters, sort_name

AT_ONCE = 5_000
"""Values in one statement."""

Name = tuple[str, str]


@dataclass(slots=True, eq=False)
class Target:
    """One person and the rows about them. ``participant_id`` None: not in the hub yet."""

    participant_id: int | None
    names: set[Name]
    addresses: set[str]
    external_id: str
    record: Record | None = None
    """What the rows say together; None for people of the hub whom the file does not name."""
    rows: list[Record] = field(default_factory=list)
    added: list[bool] = field(default_factory=list)
    """For each of ``rows`` but the first: whether it says anything that those before it don't."""
    hub_number: int | None = None
    """The number in an export of ours that the rows have: of two rows with different ones, each is somebody else."""


def match(session: Session, records: Sequence[Record]) -> list[Target]:
    """Put together what belongs to one person, in the order of the file.

    A row is about a person whose number it has (in another system, or here with the same name or an address
    in common), or who has the same name and one of the same addresses. The same address with another name is
    somebody else of the household. The same name alone is somebody new, and the row needs a look, except where
    neither has any address.
    """
    index = _Index(_known_people(session, records))
    targets: dict[int, Target] = {}
    for record in records:
        names = _names(record)
        target = index.find(record, names)
        if target is None:
            target = Target(None, names, set(), record.external_id, hub_number=record.hub_number)
            index.warn(record, names)
        _put(target, record)
        index.add(target)
        targets[id(target)] = target
    return list(targets.values())


def _put(target: Target, record: Record) -> None:
    target.rows.append(record)
    if target.record is None:
        target.record = record
    else:
        target.added.append(merge(target.record, record))
    target.names |= _names(record)
    target.addresses |= record.addresses
    target.external_id = target.external_id or record.external_id
    target.hub_number = target.hub_number or record.hub_number


def _names(record: Record) -> set[Name]:
    texts = record.texts
    return _all_names(texts.get("first_name", ""), texts.get("last_name", ""), texts.get("known_as", ""))


def _all_names(first: str, last: str, known_as: str) -> set[Name]:
    return {(plain_letters(one), plain_letters(last)) for one in ({first, known_as} - {""} or {""})} - {("", "")}


class _Index:
    """People by what they can be recognised by."""

    def __init__(self, people: Iterable[Target]) -> None:
        self._by_number: dict[int, Target] = {}
        self._by_external_id: dict[str, Target] = {}
        self._by_address: dict[str, list[Target]] = {}
        self._by_name: dict[Name, list[Target]] = {}
        for person in people:
            self.add(person)

    def add(self, person: Target) -> None:
        """Make a person findable by all that is known of them now."""
        if person.participant_id is not None:
            self._by_number[person.participant_id] = person
        if person.external_id:
            self._by_external_id.setdefault(person.external_id, person)
        for address in person.addresses:
            _append(self._by_address.setdefault(address, []), person)
        for name in person.names:
            _append(self._by_name.setdefault(name, []), person)

    def find(self, record: Record, names: set[Name]) -> Target | None:
        """The person that a record is about, if there is one already."""
        if record.external_id and (found := self._by_external_id.get(record.external_id)):
            return found
        numbered = self._by_number.get(record.hub_number or 0)
        if numbered and (names & numbered.names or record.addresses & numbered.addresses):
            return numbered
        same = [person for person in self._with_name(names) if _may_be(person, record)]
        if not record.addresses:
            return next((person for person in same if not person.addresses), None)
        if _stands_in(record):
            there = [person for person in self._with_address(record) if _may_be(person, record)]
            if len(there) == 1:
                record.look = [line for line in record.look if "stands in for it" not in line]
                del record.texts["known_as"]
                return there[0]
        return next((person for person in same if person.addresses & record.addresses), None)

    def warn(self, record: Record, names: set[Name]) -> None:
        """Say who else could be meant by a record that is taken for somebody new."""
        same = next(self._with_name(names), None)
        told_apart = record.hub_number or (same and same.external_id and record.external_id)
        if same is not None and not told_apart:
            where = f"row {same.rows[0].row}" if same.rows else "somebody who is here already"
            what = "but another address" if record.addresses else "and no address to tell them apart by"
            record.look.append(f"Same name as {where}, {what}: taken as another person.")
        others = [person for person in self._with_address(record) if person is not same]
        if others and record.hub_number is None:
            record.notes.append("Shares an address with somebody else; kept as separate people.")

    def _with_name(self, names: set[Name]) -> Iterator[Target]:
        return (person for name in sorted(names) for person in self._by_name.get(name, ()))

    def _with_address(self, record: Record) -> list[Target]:
        found: list[Target] = []
        for address in record.addresses:
            for person in self._by_address.get(address, ()):
                _append(found, person)
        return found


def _append(people: list[Target], person: Target) -> None:
    if person not in people:
        people.append(person)


def _may_be(person: Target, record: Record) -> bool:
    """Two people with different numbers are two people, whatever else they have in common."""
    if record.external_id and person.external_id and record.external_id != person.external_id:
        return False
    return not (record.hub_number and person.hub_number and record.hub_number != person.hub_number)


def _stands_in(record: Record) -> bool:
    """Whether the record's name is only its address, for want of a name."""
    return record.texts.get("known_as", "") in record.addresses and not record.texts.get("first_name")


def _known_people(session: Session, records: Sequence[Record]) -> list[Target]:
    """Everybody in the hub who shares a number, an address or a name with one of the records."""
    numbers = {record.hub_number for record in records if record.hub_number is not None}
    external_ids = {record.external_id for record in records if record.external_id}
    addresses = {address for record in records for address in record.addresses}
    names = {name for record in records for name in _sort_names(record)}
    ids: set[int] = set()
    wanted: tuple[tuple[InstrumentedAttribute[int], InstrumentedAttribute[Any], set[Any]], ...] = (
        (Participant.id, Participant.id, numbers),
        (Participant.id, Participant.external_id, external_ids),
        (Participant.id, Participant.sort_name, names),
        (ContactPoint.participant_id, ContactPoint.address, addresses),
    )
    for person, column, values in wanted:
        ordered = list(values)
        for start in range(0, len(ordered), AT_ONCE):
            ids.update(session.scalars(select(person).where(column.in_(ordered[start : start + AT_ONCE]))))
    return _load(session, sorted(ids))


def _sort_names(record: Record) -> set[str]:
    texts = record.texts
    first, last, known_as = (texts.get(name, "") for name in ("first_name", "last_name", "known_as"))
    return {sort_name(one, last, "") for one in (first, known_as) if one or last}


def _load(session: Session, ids: Sequence[int]) -> list[Target]:
    people: dict[int, Target] = {}
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        rows = session.execute(
            select(
                Participant.id,
                Participant.first_name,
                Participant.last_name,
                Participant.known_as,
                Participant.external_id,
            ).where(Participant.id.in_(part))
        )
        for row in rows:
            names = _all_names(row.first_name, row.last_name, row.known_as)
            people[row.id] = Target(row.id, names, set(), row.external_id or "")
        points = select(ContactPoint.participant_id, ContactPoint.address).where(ContactPoint.participant_id.in_(part))
        for participant_id, address in session.execute(points):
            people[participant_id].addresses.add(address)
    return [people[participant_id] for participant_id in sorted(people)]
