"""How many parts a text message is billed as, and why (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_ALL_BASIC = re.compile(f"[{re.escape(_BASIC)}]*")
_ALL_GSM = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*")
_NOT_GSM = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]")
_EXTENDED = re.compile(f"[{re.escape(_EXTENSION)}]")
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")

PLAIN: dict[str, str] = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    "…": "...",
    "•": "*",
    "\t": " ",
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u00ad\u180e\u200b\u200c\u2060\ufeff", ""),
}
"""Typography that makes a text message dearer by being there, and what says the same for less.

Letters of people's names and languages (ŵ, ł, ç …) are not here: to change them is to misspell.
"""
_PLAIN = str.maketrans(PLAIN)


class Encoding(StrEnum):
    """How a text travels: seven bits a character, or sixteen."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


_SINGLE = {Encoding.GSM_7: 160, Encoding.UCS_2: 70}
_PART = {Encoding.GSM_7: 153, Encoding.UCS_2: 67}


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text is cut up. ``units`` are septets for GSM-7, UTF-16 code units for UCS-2."""

    encoding: Encoding
    parts: int
    """What is billed; 0 for an empty text."""
    units: int
    remaining: int
    """How many more units fit before there is another part."""
    forced_by: tuple[str, ...] = ()
    """The characters that GSM-7 does not have, each once, in order; empty for GSM-7."""


def segments(text: str) -> Segments:
    """Count the parts of ``text`` as it stands. Cheap enough to ask for every person of a large audience."""
    if _ALL_BASIC.fullmatch(text):
        return _evenly(Encoding.GSM_7, len(text))
    if _ALL_GSM.fullmatch(text):
        units = len(text) + len(_EXTENDED.findall(text))
        # An extension character costs two units, which stay together in one part.
        return _packed(Encoding.GSM_7, units, (2 if character in _EXTENSION else 1 for character in text))
    forced_by = tuple(dict.fromkeys(_NOT_GSM.findall(text)))
    units = len(text) + len(_BEYOND_16_BITS.findall(text))
    if units == len(text):
        return _evenly(Encoding.UCS_2, units, forced_by)
    # Neither are the two halves of a surrogate pair split.
    return _packed(Encoding.UCS_2, units, (2 if character > "\uffff" else 1 for character in text), forced_by)


def plain(text: str) -> str:
    """``text`` with costly typography replaced (see :data:`PLAIN`): curly quotes, dashes, ellipses, odd spaces."""
    return text.translate(_PLAIN)


def _evenly(encoding: Encoding, units: int, forced_by: tuple[str, ...] = ()) -> Segments:
    if units <= _SINGLE[encoding]:
        return Segments(encoding, 1 if units else 0, units, _SINGLE[encoding] - units, forced_by)
    parts = -(-units // _PART[encoding])
    return Segments(encoding, parts, units, parts * _PART[encoding] - units, forced_by)


def _packed(encoding: Encoding, units: int, costs: Iterable[int], forced_by: tuple[str, ...] = ()) -> Segments:
    if units <= _SINGLE[encoding]:
        return Segments(encoding, 1, units, _SINGLE[encoding] - units, forced_by)
    room = _PART[encoding]
    parts, left = 1, room
    for cost in costs:
        if cost > left:
            parts, left = parts + 1, room
        left -= cost
    return Segments(encoding, parts, units, left, forced_by)
