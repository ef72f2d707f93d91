"""What becomes of a message to each address, so that a demonstration shows real life.

The fate is a stable function of the address: the first four bytes of the SHA-256 of ``channel:address``, as a share
of all addresses. Out of 1,000 phones 12 are out of reach (Twilio 30003), 12 are dead numbers (30005) and 8 have opted
out at Twilio (21610). Out of 1,000 mailboxes 18 do not exist (a bounce, 5.1.1), 15 are full (deferred, then delivered)
and 2 belong to somebody who reports the mail as spam. UK landlines never get a text (30006); UK numbers that are
neither a mobile nor a landline are refused (21614).
"""

from __future__ import annotations

import re
from enum import StrEnum
from hashlib import sha256


class Fate(StrEnum):
    """What an address does with what is sent to it."""

    FINE = "fine"
    OUT_OF_REACH = "out_of_reach"
    DEAD_NUMBER = "dead_number"
    LANDLINE = "landline"
    NOT_MOBILE = "not_mobile"
    OPTED_OUT = "opted_out"
    NO_MAILBOX = "no_mailbox"
    MAILBOX_FULL = "mailbox_full"
    REPORTS_SPAM = "reports_spam"


TEXT_ERROR = {Fate.OUT_OF_REACH: "30003", Fate.DEAD_NUMBER: "30005", Fate.LANDLINE: "30006"}
"""The code with which Twilio reports a text as undelivered."""

SHARES: dict[str, tuple[tuple[float, Fate], ...]] = {
    "text": ((0.012, Fate.OUT_OF_REACH), (0.012, Fate.DEAD_NUMBER), (0.008, Fate.OPTED_OUT)),
    "email": ((0.018, Fate.NO_MAILBOX), (0.015, Fate.MAILBOX_FULL), (0.002, Fate.REPORTS_SPAM)),
}

IN_WORDS = {
    Fate.FINE: "Everything arrives.",
    Fate.OUT_OF_REACH: "This phone is switched off or out of reach: texts do not arrive (30003).",
    Fate.DEAD_NUMBER: "This number is no longer in use: texts do not arrive (30005).",
    Fate.LANDLINE: "This is a landline: texts do not arrive (30006).",
    Fate.NOT_MOBILE: "This number cannot take texts: Twilio refuses them (21614).",
    Fate.OPTED_OUT: "This person texted STOP some time ago: Twilio refuses texts to them (21610).",
    Fate.NO_MAILBOX: "This mailbox does not exist: the first mail bounces, later ones are dropped.",
    Fate.MAILBOX_FULL: "This mailbox is full for a moment: mail is delivered at the second try.",
    Fate.REPORTS_SPAM: "This person reports our mail as spam.",
}

_UK_LANDLINE = re.compile(r"\+44[123]\d+")
_UK_MOBILE = re.compile(r"\+447\d+")


def fate_of(channel: str, address: str, *, everyone_reachable: bool = False) -> Fate:
    """The fate of ``address`` on ``channel`` (text or email). A landline stays one even where everyone is reachable."""
    if channel == "text" and address.startswith("+44") and not _UK_MOBILE.fullmatch(address):
        return Fate.LANDLINE if _UK_LANDLINE.fullmatch(address) else Fate.NOT_MOBILE
    if everyone_reachable:
        return Fate.FINE
    place = int.from_bytes(sha256(f"{channel}:{address.lower()}".encode()).digest()[:4], "big") / 2**32
    for share, fate in SHARES.get(channel, ()):
        if place < share:
            return fate
        place -= share
    return Fate.FINE
