"""The addresses in a cell: one or several, with whose they are, readable or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from channels import addresses
from channels.addresses import BadAddress
from config.channels import CHANNELS, AddressKind
from config.settings import settings
from hub.participants.models import ContactPointKind

LONGEST_ADDRESS = 320
LONGEST_LABEL = 120
MOST_IN_A_CELL = 20


@dataclass(frozen=True, slots=True)
class Found:
    """An address in a cell. ``problem`` says why it can't be read; it is then kept as it was written."""

    kind: AddressKind
    value: str
    type: ContactPointKind
    label: str = ""
    problem: str = ""
    as_written: str = ""

    @staticmethod
    def type_of_unread(kind: AddressKind) -> ContactPointKind:
        """What an address is taken for while it can't be read."""
        unread = {AddressKind.PHONE: ContactPointKind.PHONE, AddressKind.EMAIL: ContactPointKind.MAILBOX}
        return unread.get(kind, ContactPointKind.ACCOUNT)


_LABEL = re.compile(r"\(([^()]*[^\W\d_][^()]*)\)|\[([^\[\]]*[^\W\d_][^\[\]]*)\]")
_WORDS_BEFORE = re.compile(r"^([^\W\d_][^\d+]*?)\s*[:.-]?\s*(?=[+(\d])")
_WORDS_AFTER = re.compile(r"(?<=\d)\s*[:,-]?\s+([^\W\d_][^\d+]*)$")
_EXTENSION = re.compile(r"^(?:x|ext)\b|\bext", re.IGNORECASE)
_KIND_OF_PHONE = re.compile(
    r"\b(?:(?:mobile|mob|cell|home|work|tel|telephone|phone|landline|office|number|no|main|day|evening|m|h|t|w)\b[\s.:]*)+",
    re.IGNORECASE,
)
_BETWEEN_NUMBERS = re.compile(r"\s*(?::::|[;|\n&]|\bor\b|\band\b)\s*", re.IGNORECASE)
_MAYBE_BETWEEN_NUMBERS = re.compile(r"\s*[/,]\s*")
"""Some people write these inside a number, too."""
_BETWEEN_MAILBOXES = re.compile(r"\s*(?::::|[;,|\n]|\bor\b|\band\b|\s/\s)\s*", re.IGNORECASE)
_NAMED_MAILBOX = re.compile(r"(?P<label>[^<>@]*)<\s*(?:mailto:)?(?P<mailbox>[^<>\s]+)\s*>")


def read_phones(text: str) -> list[Found]:
    """The phone numbers in a cell. Those that can't be read come with the problem."""
    return list(_phones(text, settings().country, settings().sandbox))


def read_mailboxes(text: str) -> list[Found]:
    """The email addresses in a cell. Those that can't be read come with the problem."""
    return list(_mailboxes(text, settings().sandbox))


def read_accounts(text: str) -> list[Found]:
    """The social media accounts in a cell."""
    parts = [part for part in re.split(r"[\s,;|]+|:::", text) if part]
    return [
        _found(AddressKind.ACCOUNT, part, "", settings().country, fictional_ok=settings().sandbox) for part in parts
    ]


@lru_cache(maxsize=50_000)
def _phones(text: str, country: str, fictional_ok: bool) -> tuple[Found, ...]:
    whole = _one_phone(text, country, fictional_ok=fictional_ok)
    if not whole.problem:
        return (whole,)
    for between in (_BETWEEN_NUMBERS, _MAYBE_BETWEEN_NUMBERS):
        parts = [part for part in between.split(text) if part.strip()]
        if 2 <= len(parts) <= MOST_IN_A_CELL:
            found = tuple(one for part in parts for one in _phones(part, country, fictional_ok))
            return found if any(not one.problem for one in found) else (whole,)
    return (whole,)


def _one_phone(text: str, country: str, *, fictional_ok: bool) -> Found:
    labels = [first or second for first, second in _LABEL.findall(text)]
    number = _LABEL.sub(" ", text).strip()
    for pattern in (_WORDS_BEFORE, _WORDS_AFTER):
        if (words := pattern.search(number)) and not _EXTENSION.search(words[1]):
            labels.append(words[1])
            number = (number[: words.start()] + " " + number[words.end() :]).strip()
    whose = (_KIND_OF_PHONE.sub("", label).strip(" :.-") for label in labels)
    label = ", ".join(one for one in whose if one)[:LONGEST_LABEL]
    found = _found(AddressKind.PHONE, number, label, country, fictional_ok=fictional_ok)
    if found.problem:
        return Found(found.kind, _as_kept(text), found.type, "", found.problem, text.strip())
    return found


@lru_cache(maxsize=50_000)
def _mailboxes(text: str, fictional_ok: bool) -> tuple[Found, ...]:
    whole = _one_mailbox(text, fictional_ok=fictional_ok)
    if not whole.problem:
        return (whole,)
    parts = [part for part in _BETWEEN_MAILBOXES.split(text) if part.strip()]
    if len(parts) == 1 and text.count("@") > 1:
        parts = text.split()
    if not 2 <= len(parts) <= MOST_IN_A_CELL:
        return (whole,)
    found = [_one_mailbox(part, fictional_ok=fictional_ok) for part in parts]
    return tuple(found) if any(not one.problem for one in found) else (whole,)


def _one_mailbox(text: str, *, fictional_ok: bool) -> Found:
    label, mailbox = "", text.strip()
    if named := _NAMED_MAILBOX.fullmatch(mailbox):
        mailbox = named["mailbox"]
    elif labelled := _LABEL.search(mailbox):
        label, mailbox = (labelled[1] or labelled[2]).strip(), _LABEL.sub(" ", mailbox).strip()
    mailbox = re.sub(r"^mailto:", "", mailbox, flags=re.IGNORECASE)
    found = _found(AddressKind.EMAIL, mailbox, label[:LONGEST_LABEL], settings().country, fictional_ok=fictional_ok)
    if found.problem:
        return Found(found.kind, _as_kept(text), found.type, "", found.problem, text.strip())
    return found


def _as_kept(text: str) -> str:
    """An address that can't be read, on one line and without the sign that an export puts between addresses."""
    return " ".join(text.replace("|", "/").split())[:LONGEST_ADDRESS].rstrip()


def _found(kind: AddressKind, text: str, label: str, country: str, *, fictional_ok: bool) -> Found:
    try:
        read = addresses.read_address(kind, text, country=country, fictional_ok=fictional_ok)
    except BadAddress as error:
        return Found(kind, _as_kept(text), Found.type_of_unread(kind), label, str(error), text.strip())
    value = read.value.lower() if kind is AddressKind.EMAIL else read.value
    return Found(kind, value, ContactPointKind(read.kind), label, "", text)


def channels_of(found: Found, *, for_texts: bool) -> tuple[str, ...]:
    """The channels that an address can be used on. One that can't be read is kept once, where it would be fixed."""
    fitting = [entry for entry in CHANNELS.values() if entry.address is found.kind]
    if found.problem:
        wanted = [entry.name for entry in fitting if entry.mobile_only == (for_texts and len(fitting) > 1)]
        return tuple((wanted or [entry.name for entry in fitting])[:1])
    landline = found.type is ContactPointKind.LANDLINE
    return tuple(entry.name for entry in fitting if not (entry.mobile_only and landline))
